"""
What a key may reach: a station only the procedures that it is linked to.

Creating for a procedure that is out of reach, or listing it, is refused with the
command that links it, in the same words whether it exists or not. Anything else that
is out of reach is answered as if unknown, see :mod:`rigbridge_store.access.sight`.
"""

from __future__ import annotations

import shlex

import sqlalchemy as sa

from rigbridge.errors import DeliveryError
from rigbridge.machine.close_names import folded
from rigbridge_store.access.matrix import Action, Reach
from rigbridge_store.access.principals import Principal
from rigbridge_store.refusals import FieldIssue, conflict, forbidden, not_found
from rigbridge_store.tables.schema import station_procedures, stations
from rigbridge_store.tables.values import canonical_uuid

__all__ = [
    "find_station",
    "link_station_to",
    "linked_procedures",
    "not_linked",
    "require_allowed",
    "require_entry",
    "require_link",
    "sees_procedure",
    "unknown_procedure",
    "unlink_station_from",
    "visible_procedures",
]


def find_station(connection: sa.Connection, reference: str) -> int | None:
    """
    Find a station that is in use by its id, or by its name in any case.

    Returns:
        Its key, or None where there is none.

    Raises:
        ConflictError: several have that name.
    """
    text = reference.strip()
    rows = connection.execute(
        sa.select(stations.c.key, stations.c.id).where(
            # A station out of use keeps its name, which a new one may have by now.
            stations.c.removed_at.is_(None),
            sa.or_(
                stations.c.id == (canonical_uuid(text) or text),
                stations.c.name_key == folded(text),
            ),
        )
    ).all()
    # Names are not unique: one rig is replaced by another under the same name.
    if len(rows) > 1:
        ids = ", ".join(sorted(row.id for row in rows))
        raise conflict(f"Several stations are named {text}. Name one by its ID: {ids}.")
    return int(rows[0].key) if rows else None


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


def unlink_station_from(
    connection: sa.Connection, station: int, procedure: int
) -> bool:
    """Take a procedure from a station; False if it had no link."""
    links = station_procedures.c
    gone = connection.execute(
        station_procedures.delete().where(
            links.station_key == station, links.procedure_key == procedure
        )
    )
    return bool(gone.rowcount)


def sees_procedure(
    connection: sa.Connection, principal: Principal | None, procedure: int
) -> bool:
    """Whether a key reaches a procedure and its runs."""
    if principal is None or not principal.is_restricted:
        return True
    return _is_linked(connection, principal.key, procedure)


def require_link(
    connection: sa.Connection,
    principal: Principal | None,
    procedure: int,
    reference: str,
) -> None:
    """
    Check that a key may use a procedure.

    Args:
        connection: the transaction.
        reference: how the caller named it, which is all that a refusal repeats.

    Raises:
        ForbiddenError: the key belongs to a station that is not linked to it.
    """
    if principal is not None and not sees_procedure(connection, principal, procedure):
        raise not_linked(principal, reference)


def require_entry(
    connection: sa.Connection,
    principal: Principal | None,
    procedure: int,
    reference: str,
) -> None:
    """
    Check that a key may create a run of a procedure, and link it where it may all.

    Args: see :func:`require_link`.

    Raises:
        ForbiddenError: the key belongs to a station that is not linked to it.
    """
    # Such a key may use all procedures; its links are made on the way, so that the
    # lists show them.
    if principal is not None and principal.is_station and principal.unrestricted:
        link_station_to(connection, principal.key, procedure)
    require_link(connection, principal, procedure, reference)


def not_linked(principal: Principal, reference: str) -> DeliveryError:
    """Give the refusal of a procedure that a station is not linked to."""
    command = shlex.join(("rigbridge", "stations", "link", principal.name, reference))
    return forbidden(
        f"Station {principal.name} is not authorized to use the procedure {reference}. "
        f"Link the procedure to the station first: {command}"
    )


def unknown_procedure(principal: Principal | None, reference: str) -> DeliveryError:
    """
    Give the refusal of a procedure that does not exist.

    A station that reaches only some is not told whether there are others.
    """
    if principal is not None and principal.is_restricted:
        return not_linked(principal, reference)
    return not_found(
        f"Procedure with ID {reference} does not exist. Send procedure_name to create "
        "it with the run, or create it first: POST /api/v2/procedures",
        FieldIssue("procedure_id", "does not exist"),
    )


def visible_procedures(
    connection: sa.Connection, principal: Principal | None
) -> frozenset[int] | None:
    """Tell whose runs somebody may see; None stands for those of all procedures."""
    if principal is None or not principal.is_restricted:
        return None
    return linked_procedures(connection, principal.key)


def require_allowed(principal: Principal | None, action: Action) -> None:
    """
    Check that a key may do something at all, to some object at least.

    Raises:
        ForbiddenError: it belongs to a station, and only users may.
    """
    if principal is None or not principal.is_station:
        return
    if action.reach_of_stations is Reach.NONE:
        raise forbidden(
            f"Station {principal.name} cannot {action}. Use the key of a user."
        )
