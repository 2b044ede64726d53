"""Stations: found by what a person calls them, and linked to procedures."""

from __future__ import annotations

import sqlalchemy as sa

from rigbridge_store.access.permissions import link_station_to
from rigbridge_store.fields import folded
from rigbridge_store.intake.catalog import Catalog, canonical_uuid, find_procedure
from rigbridge_store.refusals import conflict, not_found
from rigbridge_store.tables.database import Database
from rigbridge_store.tables.schema import stations

__all__ = ["find_station", "link_station"]


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
            stations.c.removed_at.is_(None),
            sa.or_(
                stations.c.id == (canonical_uuid(text) or text),
                stations.c.name_key == folded(text),
            ),
        )
    ).all()
    if len(rows) > 1:
        ids = ", ".join(sorted(row.id for row in rows))
        raise conflict(f"Several stations are named {text}. Name one by its ID: {ids}.")
    return int(rows[0].key) if rows else None


def link_station(
    database: Database, catalog: Catalog, station: str, procedure: str
) -> None:
    """
    Let a station use a procedure.

    Raises:
        NotFoundError: no such station, or no procedure of that UUID.
        ConflictError: several stations have that name.
    """
    with database.writing() as connection:
        session = catalog.session(connection)
        owner = find_station(connection, station)
        if owner is None:
            raise not_found(
                f"Station {station} does not exist. Create a key for it first."
            )
        found = find_procedure(connection, procedure)
        if found is None and canonical_uuid(procedure) is not None:
            raise not_found(f"Procedure with ID {procedure} does not exist.")
        if found is None:
            # A station that may use nothing yet could not create it itself.
            found = session.procedure_named(procedure)
        link_station_to(connection, owner, found)
    catalog.remember(session)
