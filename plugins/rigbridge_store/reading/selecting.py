"""The ids of the runs that somebody means, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from rigbridge.destinations.selection import RunSelection
from rigbridge_store.fields import folded
from rigbridge_store.tables.database import Database
from rigbridge_store.tables.moments import micros
from rigbridge_store.tables.schema import procedures, run_moment, runs, units

__all__ = ["choose_runs", "selection_conditions"]

_PAGE = 1000


def selection_conditions(selection: RunSelection) -> Sequence[sa.ColumnElement[bool]]:
    """Give what a run fulfils that is meant."""
    found: list[sa.ColumnElement[bool]] = []
    if selection.serial_number is not None:
        unit = sa.select(units.c.key).where(
            units.c.serial_key == folded(selection.serial_number.strip())
        )
        found.append(runs.c.unit_key.in_(unit))
    if selection.procedure is not None:
        named = folded(selection.procedure.strip())
        procedure = sa.select(procedures.c.key).where(
            sa.or_(
                procedures.c.name_key == named,
                procedures.c.identifier_key == named,
                procedures.c.id == selection.procedure.strip().lower(),
            )
        )
        found.append(runs.c.procedure_key.in_(procedure))
    if selection.outcome is not None:
        found.append(runs.c.outcome == selection.outcome.value)
    if selection.since is not None:
        found.append(run_moment >= micros(selection.since))
    if selection.until is not None:
        found.append(run_moment < micros(selection.until))
    return found


def choose_runs(database: Database, selection: RunSelection) -> Iterator[str]:
    """
    Go through the ids of the runs that are meant, in the order stored.

    No transaction is held between two pages; runs that come meanwhile are included.

    Raises:
        ServerUnavailableError: the store cannot be read for now.
    """
    wanted = sa.select(runs.c.key, runs.c.id).where(*selection_conditions(selection))
    last = 0
    while True:
        page = wanted.where(runs.c.key > last).order_by(runs.c.key).limit(_PAGE)
        with database.reading() as connection:
            rows = connection.execute(page).all()
        if not rows:
            return
        for _, run_id in rows:
            yield run_id
        last = rows[-1].key
