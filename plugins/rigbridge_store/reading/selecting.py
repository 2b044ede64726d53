"""
Which runs an export or a clean-up means.

:class:`~rigbridge.destinations.selection.RunSelection` holds whole texts and is what
programs use; what a person types is for :mod:`rigbridge_store.reading.searching`.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from rigbridge.destinations import RunSize
from rigbridge.destinations.selection import RunSelection
from rigbridge.machine.close_names import folded
from rigbridge_store.access.permissions import visible_procedures
from rigbridge_store.access.principals import Principal
from rigbridge_store.reading.conditions import (
    Condition,
    Period,
    procedure_keys,
)
from rigbridge_store.reading.instruments import used_with
from rigbridge_store.tables.database import StoreDatabase
from rigbridge_store.tables.schema import (
    attachments,
    measurements,
    runs,
    station_names,
    units,
)

__all__ = ["counted_runs", "of_visible", "selected_runs", "selection_conditions"]

_PAGE = 1000


def selection_conditions(selection: RunSelection) -> list[Condition]:
    """Demand the runs of a selection."""
    found = Period.of(selection.since, selection.until).conditions()
    if selection.run_id is not None:
        begins = selection.run_id.strip().lower()
        # Exact, in addition to the range below, which lets a little more through.
        found.append(runs.c.id.startswith(begins, autoescape=True))
        # A range, which the index knows; whether signs count when a database sorts or
        # not, what begins so is within.
        found.append(runs.c.id.between(begins.rstrip("-"), f"{begins}g"))
    if selection.station is not None:
        station = sa.select(station_names.c.key).where(
            station_names.c.name_key == folded(selection.station.strip())
        )
        found.append(runs.c.station_name_key.in_(station))
    if selection.serial_number is not None:
        unit = sa.select(units.c.key).where(
            units.c.serial_key == folded(selection.serial_number.strip())
        )
        found.append(runs.c.unit_key.in_(unit))
    if selection.procedure is not None:
        named = procedure_keys([selection.procedure.strip()], by_name=True)
        # Several procedures may have one name.
        found.append(runs.c.procedure_key.in_(named))
    found += used_with(selection.instrument or "", overdue=selection.overdue)
    if selection.outcome is not None:
        found.append(runs.c.outcome == selection.outcome.value)
    return found


def selected_runs(
    database: StoreDatabase,
    selection: RunSelection,
    principal: Principal | None = None,
    after: int = 0,
) -> Iterator[tuple[int, str]]:
    """
    Go through the keys and ids of the runs of a selection, in the order stored.

    No transaction is held between two pages; runs that come meanwhile are included.

    Args:
        principal: who asks; a station is given what it may see.

    Raises:
        ServerUnavailableError: the store cannot be read for now.
    """
    wanted = sa.select(runs.c.key, runs.c.id).where(*selection_conditions(selection))
    last = after
    while True:
        # The caller may delete each run, so a page begins after a key, not an offset.
        page = wanted.where(runs.c.key > last).order_by(runs.c.key).limit(_PAGE)
        with database.reading() as connection:
            seen = of_visible(connection, principal)
            rows = [
                (key, run_id) for key, run_id in connection.execute(page.where(*seen))
            ]
        if not rows:
            return
        yield from rows
        last, _ = rows[-1]


def of_visible(
    connection: sa.Connection, principal: Principal | None
) -> list[Condition]:
    """Demand a run that somebody may see."""
    allowed = visible_procedures(connection, principal)
    return [] if allowed is None else [runs.c.procedure_key.in_(allowed)]


def counted_runs(database: StoreDatabase) -> Iterator[RunSize]:
    """
    Go through all runs, in the order stored, with how much of each the store holds.

    Raises:
        ServerUnavailableError: the store cannot be read for now.
    """

    def count(table: sa.Table) -> sa.ScalarSelect[int]:
        rows = sa.select(sa.func.count()).select_from(table)
        return rows.where(table.c.run_key == runs.c.key).scalar_subquery()

    counted = sa.select(
        runs.c.key, runs.c.id, count(measurements), count(attachments)
    ).order_by(runs.c.key)
    last = 0
    while True:
        page = counted.where(runs.c.key > last).limit(_PAGE)
        with database.reading() as connection:
            rows = connection.execute(page).all()
        if not rows:
            return
        for _, run_id, measured, files in rows:
            yield RunSize(run_id, measured, files)
        last = rows[-1].key
