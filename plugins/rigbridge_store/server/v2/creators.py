"""Who made something, as v2 shows it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from rigbridge_store.server.v2.run_answers import Person, Station
from rigbridge_store.server.v2.unit_bodies import Maker
from rigbridge_store.tables.schema import stations, users

__all__ = ["creators_of", "made_by"]


def creators_of(
    connection: sa.Connection, row: Any
) -> tuple[Person | None, Station | None]:
    """Give the user and the station, one at most, that the row says it is of."""
    if row.creator_user_key is not None:
        user = connection.execute(
            sa.select(users.c.id, users.c.name, users.c.email).where(
                users.c.key == row.creator_user_key
            )
        ).one()
        return Person(id=user.id, name=user.name, email=user.email), None
    if row.creator_station_key is not None:
        station = connection.execute(
            sa.select(stations.c.id, stations.c.name).where(
                stations.c.key == row.creator_station_key
            )
        ).one()
        return None, Station(id=station.id, name=station.name)
    return None, None


def made_by(connection: sa.Connection, row: Any) -> tuple[Maker | None, Station | None]:
    """Give the same, with what v2 shows of users elsewhere than on runs."""
    user, station = creators_of(connection, row)
    return None if user is None else Maker(id=user.id, name=user.name), station
