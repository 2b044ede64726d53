"""The runs of a group that are there already, found by the keys of their senders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import sqlalchemy as sa

from rigbridge_store.intake.creation import Creation
from rigbridge_store.tables.rows import RowFinder
from rigbridge_store.tables.schema import (
    idempotency_keys,
    runs,
    units,
)

__all__ = ["RUNS_AND_UNITS", "FirstRun", "first_runs"]

_AT_ONCE = 500
RUNS_AND_UNITS = runs.join(units, runs.c.unit_key == units.c.key)
"""Runs with what names their units."""

_FIRST = (
    runs.c.id,
    runs.c.procedure_key,
    runs.c.creator_station_key,
    units.c.serial_key,
)
_BY_ID = sa.select(runs.c.digest, *_FIRST).select_from(RUNS_AND_UNITS)
_BY_IDS = _BY_ID.where(runs.c.id.in_(sa.bindparam("ids", expanding=True)))
# One run by one statement that is prepared: this is what a station waits for.
_BY_ONE_ID = RowFinder(_BY_ID.where(runs.c.id == sa.bindparam("text")), ("text",))
_BY_KEY = RowFinder(
    sa.select(idempotency_keys.c.digest, *_FIRST)
    .select_from(
        RUNS_AND_UNITS.join(idempotency_keys, idempotency_keys.c.run_key == runs.c.key)
    )
    .where(idempotency_keys.c.idempotency_key == sa.bindparam("text")),
    ("text",),
)

FirstRun: TypeAlias = tuple[str | None, str, int, int | None, str]
"""Of a run that is there: digest, id, procedure, creating station, folded serial."""


def first_runs(
    connection: sa.Connection, creations: Sequence[Creation]
) -> dict[str, FirstRun]:
    """Find the runs that are there already, by the text of the key."""
    firsts: dict[str, FirstRun] = {}
    ids: list[str] = []
    for creation in creations:
        key = creation.key
        if key is None:
            continue
        if key.is_id and len(creations) > 1:
            ids.append(key.text)
            continue
        finder = _BY_ONE_ID if key.is_id else _BY_KEY
        # Without a group around it a run takes the prepared statement.
        if (row := finder.first(connection, key.text)) is not None:
            digest, public, procedure, station, serial = row
            firsts[key.text] = (digest, public, procedure, station, serial)
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        for digest, public, procedure, station, serial in connection.execute(
            _BY_IDS, {"ids": some}
        ):
            firsts[public] = (digest, public, procedure, station, serial)
    return firsts
