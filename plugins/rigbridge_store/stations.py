"""Stations and the procedures that they are linked to."""

from __future__ import annotations

import sqlalchemy as sa

from rigbridge_store.access import link_station_to
from rigbridge_store.catalog import Catalog, canonical_uuid, find_procedure
from rigbridge_store.database import Database
from rigbridge_store.fields import folded
from rigbridge_store.refusals import not_found
from rigbridge_store.schema import stations

__all__ = ["link_station"]


def link_station(
    database: Database, catalog: Catalog, station: str, procedure: str
) -> None:
    """
    Let a station use a procedure.

    Raises:
        NotFoundError: no such station, or no procedure of that UUID.
    """
    with database.writing() as connection:
        session = catalog.session(connection)
        owner = connection.execute(
            sa.select(stations.c.key).where(
                sa.or_(
                    stations.c.id == (canonical_uuid(station) or station),
                    stations.c.name_key == folded(station.strip()),
                )
            )
        ).scalar()
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
