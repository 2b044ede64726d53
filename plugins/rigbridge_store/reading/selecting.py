"""
Which runs are meant: what an export, a clean-up or the search of the pages asks for.

:class:`~rigbridge.destinations.selection.RunSelection` holds whole texts and is what
programs use. :class:`RunSearch` holds what a person typed. Both become conditions of
:mod:`rigbridge_store.reading.conditions` here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs
import sqlalchemy as sa

from rigbridge.destinations.selection import RunSelection
from rigbridge_store.access.permissions import visible_procedures
from rigbridge_store.access.principals import Principal
from rigbridge_store.reading.conditions import (
    Condition,
    Period,
    procedure_keys,
    text_like,
)
from rigbridge_store.tables.database import StoreDatabase
from rigbridge_store.tables.schema import parts, procedures, runs, station_names, units
from rigbridge_store.tables.values import folded

__all__ = [
    "RunSearch",
    "of_visible",
    "search_conditions",
    "selected_runs",
    "selection_conditions",
]

_PAGE = 1000
_FEW = 10_000


@attrs.frozen(kw_only=True)
class RunSearch:
    """
    A search for runs by a person; what is None or blank restricts nothing.

    Serial and part numbers are matched from their beginning, without regard to case;
    an asterisk in them stands for anything.

    Attributes:
        serial: the unit's serial number.
        part: the part's number.
        procedure: the procedure's id, whole.
        station: the name of the station, whole.
        outcome: the verdict (``FAIL``).
        period: when the run was.
        unit_key: the row of the unit, or None.
    """

    serial: str = ""
    part: str = ""
    procedure: str = ""
    station: str = ""
    outcome: str = ""
    period: Period = attrs.field(factory=Period)
    unit_key: int | None = None


def selection_conditions(selection: RunSelection) -> list[Condition]:
    """Demand the runs of a selection."""
    found = Period.of(selection.since, selection.until).conditions()
    if selection.run_id is not None:
        begins = selection.run_id.strip().lower()
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
        database: the tables.
        selection: the runs.
        principal: who asks; a station is given what it may see.
        after: the key behind which to begin.

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


def search_conditions(connection: sa.Connection, search: RunSearch) -> list[Condition]:
    """
    Demand the runs that a search looks for.

    Looks into the tables first, so that the statement suits how many runs there are.
    """
    found = search.period.conditions()
    if search.unit_key is not None:
        found.append(runs.c.unit_key == search.unit_key)
    if search.serial.strip():
        found.append(_of_units(connection, search.serial))
    if search.part.strip():
        found.append(_of_parts(connection, search.part))
    if search.procedure.strip():
        procedure = sa.select(procedures.c.key).where(
            procedures.c.id == search.procedure.strip().lower()
        )
        found.append(runs.c.procedure_key == procedure.scalar_subquery())
    if search.station.strip():
        station = sa.select(station_names.c.key).where(
            station_names.c.name_key == folded(search.station.strip())
        )
        found.append(runs.c.station_name_key == station.scalar_subquery())
    if search.outcome.strip():
        found.append(runs.c.outcome == search.outcome.strip().upper())
    return found


def _of_parts(connection: sa.Connection, number: str) -> Condition:
    matching = sa.select(parts.c.key).where(text_like(parts.c.number_key, number))
    keys: Sequence[int] = connection.execute(matching).scalars().all()
    if len(keys) == 1:
        # The index has the runs of one part in the order of time.
        return runs.c.part_key == keys[0]
    if _are_few(connection, runs.c.part_key.in_(keys)):
        return runs.c.part_key.in_(keys)
    # A sum keeps the planner from the index of parts, so that it takes that of time.
    return (runs.c.part_key + 0).in_(keys)


def _of_units(connection: sa.Connection, serial: str) -> Condition:
    matching = sa.select(units.c.key).where(text_like(units.c.serial_key, serial))
    few = connection.execute(matching.limit(_FEW + 1)).scalars().all()
    if len(few) <= _FEW and _are_few(connection, runs.c.unit_key.in_(few)):
        return runs.c.unit_key.in_(few)
    # Asked for each run in the order of time, until the page is full.
    return sa.exists(matching.where(units.c.key == runs.c.unit_key).correlate(runs))


def _are_few(connection: sa.Connection, condition: Condition) -> bool:
    """
    Tell whether runs are so few that a page is filled soonest by gathering them.

    Of more than that, a page is filled sooner by going through all runs in the order
    of time and looking at each one.
    """
    # The limit bounds what counting costs.
    some = sa.select(runs.c.key).where(condition).limit(_FEW + 1).subquery()
    counted = sa.select(sa.func.count()).select_from(some)
    return int(connection.execute(counted).scalar_one()) <= _FEW
