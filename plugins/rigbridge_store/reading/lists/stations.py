"""Stations: found, created, renamed and removed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from rigbridge_store.intake.catalog import CatalogSession
from rigbridge_store.reading.conditions import Condition, procedure_keys
from rigbridge_store.reading.lists.paging import Page, Paging, paged
from rigbridge_store.refusals import not_found
from rigbridge_store.tables.rows import insert_row
from rigbridge_store.tables.schema import (
    api_keys,
    procedures,
    runs,
    station_procedures,
    stations,
)
from rigbridge_store.tables.values import folded, new_id

__all__ = [
    "create_station",
    "find_stations",
    "key_prefix",
    "linked_to",
    "procedures_of",
    "remove_station",
    "rename_station",
    "require_station",
]


def find_stations(
    connection: sa.Connection, conditions: Sequence[Condition], paging: Paging
) -> Page:
    """List stations by name."""
    statement = (
        sa.select(stations)
        .where(stations.c.removed_at.is_(None), *conditions)
        .order_by(stations.c.name_key, stations.c.key)
    )
    return paged(connection, statement, paging)


def linked_to(references: Sequence[str] | None) -> list[Condition]:
    """Demand a station that is linked to one of some procedures."""
    if references is None:
        return []
    known = procedure_keys(references)
    return [
        sa.exists().where(
            station_procedures.c.station_key == stations.c.key,
            station_procedures.c.procedure_key.in_(known),
        )
    ]


def require_station(connection: sa.Connection, station_id: str) -> Any:
    """
    Find a station by its id.

    Raises:
        NotFoundError: there is none.
    """
    row = connection.execute(
        sa.select(stations).where(
            stations.c.id == station_id.lower(), stations.c.removed_at.is_(None)
        )
    ).first()
    if row is None:
        raise not_found(f"Station with ID {station_id} does not exist.")
    return row


def procedures_of(
    connection: sa.Connection, keys: Sequence[int]
) -> dict[int, list[Any]]:
    """List the procedures that stations are linked to, by the keys of those."""
    found: dict[int, list[Any]] = {key: [] for key in keys}
    count = (
        sa.select(sa.func.count())
        .where(
            runs.c.procedure_key == procedures.c.key,
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
            count.label("runs_count"),
        )
        .select_from(
            station_procedures.join(
                procedures, station_procedures.c.procedure_key == procedures.c.key
            )
        )
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
        .order_by(api_keys.c.key.desc())
        .limit(1)
    ).scalar()
    return prefix


def create_station(
    connection: sa.Connection, catalog: CatalogSession, name: str
) -> Any:
    """Create a station, without a key; others may have the same name."""
    public = new_id()
    values = {"id": public, "name": name, "name_key": folded(name)}
    insert_row(connection, stations, {**values, **catalog.origin(stations)})
    return require_station(connection, public)


def rename_station(connection: sa.Connection, station: int, name: str) -> None:
    """Give a station another name."""
    connection.execute(
        stations.update()
        .where(stations.c.key == station)
        .values(name=name, name_key=folded(name))
    )


def remove_station(connection: sa.Connection, station: int, now: int) -> None:
    """
    Take a station out of use: its keys and links go.

    Its row stays, since what it made names it.
    """
    connection.execute(
        api_keys.update()
        .where(api_keys.c.station_key == station, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    connection.execute(
        station_procedures.delete().where(station_procedures.c.station_key == station)
    )
    connection.execute(
        stations.update().where(stations.c.key == station).values(removed_at=now)
    )
