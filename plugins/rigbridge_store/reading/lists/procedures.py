"""Procedures with their versions, stations and users."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import attrs
import sqlalchemy as sa

from rigbridge.machine.close_names import folded
from rigbridge_store.access.permissions import sees_procedure, visible_procedures
from rigbridge_store.access.principals import Principal
from rigbridge_store.reading.conditions import (
    Condition,
    metadata_matches,
    procedure_keys,
)
from rigbridge_store.reading.details import Row
from rigbridge_store.reading.listing import MADE_BY, creators
from rigbridge_store.reading.lists.query import (
    ListQuery,
    RowPage,
    from_moment,
    parameter,
    read_page,
    restricts,
    searches,
    until_moment,
    visible,
)
from rigbridge_store.reading.lists.runs import ENDED
from rigbridge_store.refusals import not_found
from rigbridge_store.tables.schema import (
    api_keys,
    procedure_versions,
    procedures,
    runs,
    station_metadata,
    station_procedures,
    stations,
    units,
    users,
)

__all__ = [
    "ProcedureQuery",
    "StationQuery",
    "all_users",
    "find_procedures",
    "find_stations",
    "find_version",
    "key_prefix",
    "last_runs_of",
    "newest_runs",
    "one_user",
    "procedure_rows",
    "procedures_of",
    "require_procedure",
    "require_station",
    "run_count",
    "runs_of",
    "stations_of",
]

_SELECT: sa.Select[*tuple[object, ...]] = sa.select(
    procedures.c.key,
    procedures.c.id,
    procedures.c.name,
    procedures.c.identifier,
    procedures.c.created_at,
    creators.c.id.label("creator_id"),
    creators.c.name.label("creator_name"),
    creators.c.email.label("creator_email"),
).select_from(
    procedures.outerjoin(creators, procedures.c.creator_user_key == creators.c.key)
)
_VERSIONS: sa.Select[*tuple[object, ...]] = sa.select(
    procedure_versions,
    sa.select(sa.func.count())
    .where(runs.c.version_key == procedure_versions.c.key)
    .correlate(procedure_versions)
    .scalar_subquery()
    .label("run_count"),
    *MADE_BY,
).select_from(
    procedure_versions.outerjoin(
        creators, procedure_versions.c.creator_user_key == creators.c.key
    ).outerjoin(stations, procedure_versions.c.creator_station_key == stations.c.key)
)
_USERS: sa.Select[*tuple[object, ...]] = sa.select(
    users.c.id, sa.func.coalesce(users.c.email, "").label("email"), users.c.name
)


@attrs.frozen(kw_only=True)
class ProcedureQuery(ListQuery):
    """The parameters of ``GET /v2/procedures``."""

    # Clients write this one with a fraction, 50.0.
    cursor: float | None = parameter(ge=0, le=2**53)  # type: ignore[assignment]
    search_query: str | None = searches(
        procedures.c.name_key,
        procedures.c.identifier_key,
        description="Within the name.",
    )
    created_after: datetime | None = restricts(from_moment, procedures.c.created_at)
    created_before: datetime | None = restricts(until_moment, procedures.c.created_at)


def find_procedures(
    connection: sa.Connection, wanted: ProcedureQuery, principal: Principal
) -> RowPage:
    """List procedures, the newest first."""
    statement = _SELECT.where(
        *visible(procedures.c.key, visible_procedures(connection, principal)),
        *wanted.conditions(),
    ).order_by(procedures.c.created_at.desc(), procedures.c.key.desc())
    return read_page(connection, statement, wanted, procedures.c.key)


def procedure_rows(
    connection: sa.Connection, principal: Principal | None
) -> Sequence[Row]:
    """List the procedures that somebody may see, by name, each with its run count."""
    count = (
        sa.select(sa.func.count())
        .where(runs.c.procedure_key == procedures.c.key)
        .correlate(procedures)
        .scalar_subquery()
    )
    statement = (
        _SELECT.add_columns(count.label("run_count"))
        .where(*visible(procedures.c.key, visible_procedures(connection, principal)))
        .order_by(procedures.c.name_key, procedures.c.key)
    )
    return connection.execute(statement).all()


def require_procedure(
    connection: sa.Connection, reference: str, principal: Principal | None = None
) -> Row:
    """
    Find a procedure by its id or identifier.

    Raises:
        NotFoundError: there is none that may be seen.
    """
    # By id or by identifier: both are unique.
    meant = procedures.c.key.in_(procedure_keys([reference]))
    row = connection.execute(_SELECT.where(meant)).first()
    if row is None or not sees_procedure(connection, principal, row.key):
        raise not_found(f"Procedure with ID {reference} does not exist.")
    return row


def run_count(connection: sa.Connection, procedure: int) -> int:
    """Count the runs of a procedure."""
    statement = sa.select(sa.func.count()).where(runs.c.procedure_key == procedure)
    return int(connection.execute(statement).scalar_one())


def runs_of(connection: sa.Connection, procedure: int) -> Sequence[str]:
    """Give the ids of the runs of a procedure."""
    statement = sa.select(runs.c.id).where(runs.c.procedure_key == procedure)
    return connection.execute(statement).scalars().all()


_RUNS: sa.Select[*tuple[object, ...]] = sa.select(
    runs.c.procedure_key,
    runs.c.id,
    sa.func.coalesce(runs.c.started_at, runs.c.created_at).label("started_at"),
    runs.c.outcome,
    units.c.id.label("unit_id"),
    units.c.serial_number.label("unit_serial_number"),
).select_from(runs.join(units, runs.c.unit_key == units.c.key))


def newest_runs(connection: sa.Connection, procedure: int, limit: int) -> Sequence[Row]:
    """List the runs of a procedure that were stored last."""
    return connection.execute(
        _RUNS.where(runs.c.procedure_key == procedure, ENDED)
        .order_by(runs.c.key.desc())
        .limit(limit)
    ).all()


def last_runs_of(connection: sa.Connection, keys: Sequence[int]) -> dict[int, Row]:
    """Find the run of each procedure that was stored last, by its procedure's key."""
    newest = (
        # Keys are given in the order of storing, so that the highest is the last.
        sa.select(sa.func.max(runs.c.key))
        .where(runs.c.procedure_key.in_(list(keys)), ENDED)
        .group_by(runs.c.procedure_key)
    )
    found = connection.execute(_RUNS.where(runs.c.key.in_(newest)))
    return {row.procedure_key: row for row in found}


def stations_of(connection: sa.Connection, procedure: int) -> Sequence[Row]:
    """List the stations that are linked to a procedure."""
    return connection.execute(
        sa.select(stations.c.id, stations.c.name)
        .join(station_procedures, station_procedures.c.station_key == stations.c.key)
        .where(station_procedures.c.procedure_key == procedure)
        .order_by(stations.c.name_key)
    ).all()


def find_version(connection: sa.Connection, procedure: int, tag: str) -> Row:
    """
    Find a version of a procedure, with the number of its runs.

    Raises:
        NotFoundError: there is none of that tag.
    """
    row = connection.execute(
        _VERSIONS.where(
            procedure_versions.c.procedure_key == procedure,
            procedure_versions.c.tag_key == folded(tag),
        )
    ).first()
    if row is None:
        raise not_found(f"Version {tag} of the procedure not found.")
    return row


def _linked_to(references: Iterable[str]) -> list[Condition]:
    """Demand a station that is linked to one of some procedures."""
    known = procedure_keys(references)
    return [
        sa.exists().where(
            station_procedures.c.station_key == stations.c.key,
            station_procedures.c.procedure_key.in_(known),
        )
    ]


@attrs.frozen(kw_only=True)
class StationQuery(ListQuery):
    """The parameters of ``GET /v2/stations``."""

    search_query: str | None = searches(
        stations.c.name_key,
        description="Within the name.",
    )
    procedure_ids: list[str] | None = restricts(_linked_to)
    metadata: str | None = restricts(
        metadata_matches,
        stations.c.key,
        station_metadata,
        description="JSON: demands by name.",
    )
    include_metadata: bool = False


def find_stations(connection: sa.Connection, wanted: StationQuery) -> RowPage:
    """
    List stations by name.

    Raises:
        BadRequestError: a metadata demand that is none.
    """
    statement = (
        sa.select(stations)
        # A removed station has a row for what it made, and is shown nowhere else.
        .where(stations.c.removed_at.is_(None), *wanted.conditions())
        .order_by(stations.c.name_key, stations.c.key)
    )
    return read_page(connection, statement, wanted, stations.c.key)


def require_station(
    connection: sa.Connection, station_id: str, principal: Principal | None = None
) -> Row:
    """
    Find a station by its id; a station sees itself alone.

    Raises:
        NotFoundError: there is none, or none that may be seen.
    """
    # A key of a station says nothing of others, not even that they exist.
    wanted = station_id.lower()
    if principal is not None and principal.is_station and wanted != principal.id:
        raise not_found(f"Station with ID {station_id} does not exist.")
    row = connection.execute(
        sa.select(stations).where(
            stations.c.id == wanted, stations.c.removed_at.is_(None)
        )
    ).first()
    if row is None:
        raise not_found(f"Station with ID {station_id} does not exist.")
    return row


def procedures_of(
    connection: sa.Connection, keys: Sequence[int]
) -> dict[int, list[Row]]:
    """
    List the procedures that stations are linked to, by the keys of those.

    Each comes with the number of its runs that the station made.
    """
    found: dict[int, list[Row]] = {key: [] for key in keys}
    count = (
        sa.select(sa.func.count())
        .where(
            runs.c.procedure_key == procedures.c.key,
            # By the key that sent a run: the name in a report is anybody's word.
            runs.c.creator_station_key == station_procedures.c.station_key,
        )
        .correlate(procedures, station_procedures)
        .scalar_subquery()
    )
    statement = (
        sa.select(
            station_procedures.c.station_key,
            procedures.c.id,
            procedures.c.name,
            procedures.c.identifier,
            count.label("runs_count"),
        )
        .join(procedures, station_procedures.c.procedure_key == procedures.c.key)
        .where(station_procedures.c.station_key.in_(list(keys)))
        .order_by(procedures.c.name_key)
    )
    for row in connection.execute(statement):
        found[row.station_key].append(row)
    return found


def key_prefix(connection: sa.Connection, station: int) -> str | None:
    """Give the public part of the newest key of a station, or None."""
    prefix: str | None = connection.execute(
        sa.select(api_keys.c.prefix)
        .where(api_keys.c.station_key == station, api_keys.c.revoked_at.is_(None))
        # A station has two keys while the one replaces the other.
        .order_by(api_keys.c.key.desc())
        .limit(1)
    ).scalar()
    return prefix


def all_users(connection: sa.Connection) -> Sequence[Row]:
    """List the users by name."""
    return connection.execute(_USERS.order_by(users.c.name_key)).all()


def one_user(connection: sa.Connection, key: int) -> Row:
    """Give the user of a key."""
    return connection.execute(_USERS.where(users.c.key == key)).one()
