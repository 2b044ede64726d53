"""What a key may reach: a station only the procedures that it is linked to."""

from __future__ import annotations

import sqlalchemy as sa

from rigbridge.errors import DeliveryError
from rigbridge_store.access.principals import Principal
from rigbridge_store.refusals import FieldIssue, forbidden, not_found
from rigbridge_store.tables.schema import procedures, station_procedures

__all__ = [
    "link_station_to",
    "linked_procedures",
    "require_access",
    "require_user",
    "unknown_procedure",
    "visible_procedures",
]


def _is_linked(connection: sa.Connection, station: int, procedure: int) -> bool:
    statement = sa.select(station_procedures.c.station_key).where(
        station_procedures.c.station_key == station,
        station_procedures.c.procedure_key == procedure,
    )
    return connection.execute(statement).first() is not None


def linked_procedures(connection: sa.Connection, station: int) -> frozenset[int]:
    """Tell which procedures a station is linked to."""
    statement = sa.select(station_procedures.c.procedure_key).where(
        station_procedures.c.station_key == station
    )
    return frozenset(connection.execute(statement).scalars())


def link_station_to(connection: sa.Connection, station: int, procedure: int) -> None:
    """Link a station to a procedure, unless it is already."""
    # There is one writer at a time, so that nobody links it in between.
    if not _is_linked(connection, station, procedure):
        connection.execute(
            station_procedures.insert(),
            {"station_key": station, "procedure_key": procedure},
        )


def require_access(
    connection: sa.Connection, principal: Principal | None, procedure: int
) -> None:
    """
    Check that a key reaches a procedure.

    Raises:
        ForbiddenError: the key belongs to a station that is not linked to it.
    """
    if principal is None or not principal.is_restricted:
        return
    if _is_linked(connection, principal.key, procedure):
        return
    name = connection.execute(
        sa.select(procedures.c.name).where(procedures.c.key == procedure)
    ).scalar()
    raise forbidden(
        f"{_not_authorized(principal)} {name}. Link the procedure to the station first."
    )


def unknown_procedure(principal: Principal | None, reference: str) -> DeliveryError:
    """
    Give the refusal of a procedure that does not exist.

    A station that reaches only some is not told whether there are others.
    """
    issue = FieldIssue("procedure_id", "does not exist")
    # The words are those of a procedure that exists but is not linked.
    if principal is not None and principal.is_restricted:
        return forbidden(
            f"{_not_authorized(principal)} with ID {reference}. "
            "Link the procedure to the station first."
        )
    return not_found(
        f"Procedure with ID {reference} does not exist. "
        "Create the procedure first in the app.",
        issue,
    )


def _not_authorized(principal: Principal) -> str:
    return f"Station {principal.name} is not authorized to use the procedure"


def visible_procedures(
    connection: sa.Connection, principal: Principal | None
) -> frozenset[int] | None:
    """Tell whose runs somebody may see; None stands for those of all procedures."""
    if principal is None or not principal.is_restricted:
        return None
    return linked_procedures(connection, principal.key)


def require_user(principal: Principal | None, action: str) -> None:
    """
    Check that a key belongs to a user.

    Raises:
        ForbiddenError: it belongs to a station.
    """
    if principal is not None and principal.is_station:
        raise forbidden(
            f"Station {principal.name} cannot {action}. Use the key of a user."
        )
