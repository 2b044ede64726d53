"""
What a person searches runs by, as conditions of a statement.

:class:`RunSearch` holds what somebody typed or chose; it becomes conditions of
:mod:`rigbridge_store.reading.conditions` here, in the shape that suits how many runs
there are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import attrs
import sqlalchemy as sa

from rigbridge.machine.close_names import folded
from rigbridge.model import MeasurementOutcome, PhaseOutcome, RunOutcome
from rigbridge_store.reading.conditions import (
    ANYTHING,
    Condition,
    Period,
    text_like,
)
from rigbridge_store.reading.instruments import runs_with, used_with
from rigbridge_store.tables.fragments import FRAGMENT, units_with
from rigbridge_store.tables.schema import (
    batches,
    measurements,
    parts,
    phases,
    procedures,
    revisions,
    runs,
    station_names,
    test_points,
    units,
    users,
)

__all__ = [
    "NOT_PASSED",
    "PASSED_LATER",
    "RunSearch",
    "found_runs",
    "runs_with_text",
    "search_conditions",
    "units_with_text",
]

NOT_PASSED = "NOT-PASSED"
"""Stands for every outcome of a run that has finished otherwise than well."""

PASSED_LATER = "PASSED-LATER"
"""Stands for runs that passed, of units that had failed with the procedure before."""

# Up to so many rows it costs less to gather and sort them than to go through time.
_FEW = 10_000
_PAGE = 500
# Shorter ones are no use as the beginning of an id.
_ID = re.compile(r"[0-9A-Fa-f][0-9A-Fa-f-]{3,35}")


@attrs.frozen(kw_only=True)
class RunSearch:
    """
    A search for runs by a person; what is None or blank restricts nothing.

    Numbers are matched from their beginning, without regard to case; an asterisk in
    them stands for anything. A part, revision or batch that has just this number is
    meant alone.

    Attributes:
        text: a fragment of a serial, part or batch number, or the beginning of a run's
            id; of fewer than three characters, the beginning of a number.
        station: the name of the station, whole.
        instrument: the name or serial number of an instrument, whole.
        overdue: whether only runs with an instrument that was out of calibration.
        operator: the operator's name or e-mail address, whole.
        outcome: the verdict (``FAIL``), :data:`NOT_PASSED`, or :data:`PASSED_LATER`.
        failed_phase: the name of a phase that failed or broke off, with those of its
            ancestors.
        failed_measurement: the name of a measurement of that phase that failed.
        period: when the run was.
        unit_key: the row of the unit, or None.
    """

    text: str = ""
    serial: str = ""
    part: str = ""
    revision: str = ""
    batch: str = ""
    procedure: str = ""
    station: str = ""
    instrument: str = ""
    overdue: bool = False
    operator: str = ""
    outcome: str = ""
    failed_phase: str = ""
    failed_measurement: str = ""
    period: Period = attrs.field(factory=Period)
    unit_key: int | None = None


def search_conditions(connection: sa.Connection, search: RunSearch) -> list[Condition]:
    """
    Demand the runs that a search looks for.

    Looks into the tables first, so that the statement suits how many runs there are.
    """
    found = search.period.conditions()
    if search.unit_key is not None:
        found.append(runs.c.unit_key == search.unit_key)
    for text, table, column in (
        (search.part, parts, runs.c.part_key),
        (search.revision, revisions, runs.c.revision_key),
        (search.batch, batches, runs.c.batch_key),
    ):
        if text.strip():
            matching = _number_like(connection, table.c.number_key, text)
            found.append(_of_rows(connection, column, table, matching))
    if search.procedure.strip():
        found.append(runs.c.procedure_key == _procedure(search))
    if search.station.strip():
        named = station_names.c.name_key == folded(search.station.strip())
        column = runs.c.station_name_key
        found.append(_of_rows(connection, column, station_names, named))
    if search.instrument.strip() or search.overdue:
        found.append(_with_instrument(connection, search))
    if search.operator.strip():
        found.append(_operated_by(search.operator.strip()))
    found += _with_outcome(search.outcome.strip().upper())
    found += _with_failure(search)
    narrow, wide = _by_unit(connection, search)
    found += wide
    if not narrow or not found:
        return [*narrow, *found]
    # Within a case no other condition offers its index: SQLite would take that of
    # outcomes for the sake of the order, and look at every run that failed.
    return [*narrow, sa.case((sa.and_(*found), 1), else_=0) == 1]


def _number_like(
    connection: sa.Connection, column: sa.ColumnElement[str], text: str
) -> Condition:
    """Demand the number of that text if there is one, or else what begins with it."""
    whole: Condition = column == folded(text.strip())
    # A table of yields links to the runs of PB-24, not to those of PB-24X as well.
    if _keys_where(connection, column, whole):
        return whole
    return text_like(column, text)


def _by_unit(
    connection: sa.Connection, search: RunSearch
) -> tuple[list[Condition], list[Condition]]:
    """Demand the text and the serial number: what few runs have, and what many."""
    narrow: list[Condition] = []
    wide: list[Condition] = []
    if search.text.strip():
        anywhere, are_few = _with_text(connection, search.text)
        (narrow if are_few else wide).append(anywhere)
    if search.serial.strip():
        few = _of_few_units(connection, search.serial)
        if few is None:
            wide.append(_of_units(search.serial))
        else:
            narrow.append(few)
    return narrow, wide


def found_runs(
    reading: Callable[[], AbstractContextManager[sa.Connection]], search: RunSearch
) -> Iterator[tuple[int, str]]:
    """
    Go through the keys and ids of the runs of a search, in the order stored.

    No transaction is held between two pages; runs that come meanwhile are included.

    Args:
        reading: opens a transaction.
    """
    last = 0
    while True:
        with reading() as connection:
            page = (
                sa.select(runs.c.key, runs.c.id)
                .where(runs.c.key > last, *search_conditions(connection, search))
                # By key, which never changes: runs that come meanwhile move no page.
                .order_by(runs.c.key)
                .limit(_PAGE)
            )
            rows = connection.execute(page).all()
        if not rows:
            return
        yield from ((row.key, row.id) for row in rows)
        last = rows[-1].key


def _procedure(search: RunSearch) -> sa.ScalarSelect[int]:
    return (
        sa.select(procedures.c.key)
        .where(procedures.c.id == search.procedure.strip().lower())
        .scalar_subquery()
    )


def _with_outcome(outcome: str) -> list[Condition]:
    if outcome == NOT_PASSED:
        good = (RunOutcome.PASS, RunOutcome.RUNNING)
        # By name, so that an index of outcomes serves.
        bad = [item.value for item in RunOutcome if item not in good]
        return [runs.c.outcome.in_(bad)]
    if outcome == PASSED_LATER:
        other = runs.alias()
        # Ends at the first one that it finds: the runs of the unit are not counted.
        before = sa.exists().where(
            other.c.unit_key == runs.c.unit_key,
            other.c.procedure_key == runs.c.procedure_key,
            other.c.moment < runs.c.moment,
            other.c.outcome.not_in([RunOutcome.PASS.value, RunOutcome.RUNNING.value]),
        )
        return [runs.c.outcome == RunOutcome.PASS.value, before.correlate(runs)]
    return [runs.c.outcome == outcome] if outcome else []


def _with_instrument(connection: sa.Connection, search: RunSearch) -> Condition:
    used = runs_with(search.instrument, overdue=search.overdue)
    if _are_few(connection, runs.c.key.in_(used)):
        return runs.c.key.in_(used)
    # Asked for each run in the order of time, until the page is full.
    (demand,) = used_with(search.instrument, overdue=search.overdue)
    return demand


def _operated_by(operator: str) -> Condition:
    wanted = folded(operator)
    known = sa.select(users.c.key).where(
        sa.or_(users.c.email_key == wanted, users.c.name_key == wanted)
    )
    # A name without an account is compared as it was written.
    return sa.or_(runs.c.operator_key.in_(known), runs.c.operator_name == operator)


def _with_failure(search: RunSearch) -> list[Condition]:
    phase, measurement = search.failed_phase.strip(), search.failed_measurement.strip()
    if measurement:
        point = sa.select(test_points.c.key).where(test_points.c.name == measurement)
        if phase:
            point = point.where(test_points.c.phase == phase)
        if search.procedure.strip():
            point = point.where(test_points.c.procedure_key == _procedure(search))
        failed = sa.exists().where(
            measurements.c.run_key == runs.c.key,
            measurements.c.point_key.in_(point),
            measurements.c.outcome == MeasurementOutcome.FAIL.value,
        )
        return [failed.correlate(runs)]
    if phase:
        bad = (PhaseOutcome.FAIL.value, PhaseOutcome.ERROR.value)
        failed = sa.exists().where(
            phases.c.run_key == runs.c.key,
            phases.c.name == phase,
            phases.c.outcome.in_(bad),
        )
        return [failed.correlate(runs)]
    return []


def _of_rows(
    connection: sa.Connection,
    column: sa.ColumnElement[int],
    table: sa.Table,
    matching: Condition,
) -> Condition:
    """Demand runs that refer to one of the rows of a small table."""
    keys: Sequence[int] = _keys_where(connection, table.c.key, matching)
    if not keys:
        return sa.false()
    if len(keys) == 1:
        # An index has the runs of one row in the order of time.
        return column == keys[0]
    if _are_few(connection, column.in_(keys)):
        return column.in_(keys)
    # A sum keeps the planner from the index of the column, so that it takes that of
    # time.
    return (column + 0).in_(keys)


def _of_units(serial: str) -> Condition:
    matching = text_like(units.c.serial_key, serial)
    found = sa.select(units.c.key).where(matching, units.c.key == runs.c.unit_key)
    # Asked for each run in the order of time, until the page is full.
    return sa.exists(found.correlate(runs))


def _of_few_units(connection: sa.Connection, serial: str) -> Condition | None:
    """Demand the runs of some units by their index; None if they are too many."""
    matching = text_like(units.c.serial_key, serial)
    # An asterisk parts the text into fragments, which the index knows one by one.
    texts = folded(serial.strip()).split(ANYTHING)
    few = _few_units(connection, texts, matching)
    if few is None:
        return None
    # The database finds a beginning again sooner than it reads thousands of keys.
    wanted = sa.select(units.c.key).where(matching) if len(texts) == 1 else few
    condition = runs.c.unit_key.in_(wanted)
    return condition if _are_few(connection, condition) else None


def _few_units(
    connection: sa.Connection, texts: Sequence[str], matching: Condition
) -> list[int] | None:
    """Find units by texts in their serial numbers; None if there are too many."""
    if len(texts) == 1 or all(len(text) < FRAGMENT for text in texts):
        # A beginning is found in the order of serial numbers.
        some = sa.select(units.c.key).where(matching).limit(_FEW + 1)
        found = list(connection.execute(some).scalars())
        return found if len(found) <= _FEW else None
    return units_with(connection, texts, matching, _FEW)


def runs_with_text(
    connection: sa.Connection, text: str, *, by_procedure: bool = False
) -> Condition:
    """
    Demand runs of a fragment of a number, or of the beginning of an id.

    Args:
        connection: the transaction.
        text: what a person typed; of fewer than three characters, the beginning of a
            number.
        by_procedure: whether the name of the procedure counts as well.
    """
    return _with_text(connection, text, by_procedure=by_procedure)[0]


def _with_text(
    connection: sa.Connection, text: str, *, by_procedure: bool = False
) -> tuple[Condition, bool]:
    """Demand the same, and tell whether so few runs have it that they are gathered."""
    wanted = text.strip()
    # A shorter text is in most numbers somewhere, and no index tells where.
    is_fragment = len(wanted) >= FRAGMENT
    of_unit, serials = _units_like(connection, wanted)
    found: list[Condition] = []
    if serials:
        found.append(runs.c.unit_key.in_(serials))
    named = [
        (parts.c.number_key, runs.c.part_key),
        (batches.c.number_key, runs.c.batch_key),
    ]
    if by_procedure:
        named.append((procedures.c.name_key, runs.c.procedure_key))
    for text_column, column in named:
        matching = text_like(text_column, wanted, within=is_fragment)
        if known := _keys_where(connection, text_column.table.c.key, matching):
            found.append(column.in_(known))
    if _ID.fullmatch(wanted):
        # Ids are written in hexadecimal digits, behind each of which comes a "g".
        found.append(runs.c.id.between(wanted.lower(), f"{wanted.lower()}g"))
    if serials is not None:
        # Each by its own index, and the page from what these found: asked for any of
        # several, SQLite would look at every run in the order of time.
        rows = _gathered(connection, runs.c.key, found)
        if rows is not None:
            return runs.c.key.in_(rows), True
    else:
        unit = sa.select(units.c.key).where(of_unit, units.c.key == runs.c.unit_key)
        found.append(sa.exists(unit.correlate(runs)))
    # As above: no index of one of them, but that of time.
    return sa.case((sa.or_(*found), 1), else_=0) == 1, False


def units_with_text(connection: sa.Connection, text: str) -> Condition:
    """
    Demand units by a fragment of their serial, part or batch number.

    Args:
        connection: the transaction.
        text: what a person typed; of fewer than three characters, the beginning of a
            number.
    """
    wanted = text.strip()
    is_fragment = len(wanted) >= FRAGMENT
    of_unit, serials = _units_like(connection, wanted)
    found = [of_unit if serials is None else units.c.key.in_(serials)]
    for table, column in ((parts, units.c.part_key), (batches, units.c.batch_key)):
        matching = text_like(table.c.number_key, wanted, within=is_fragment)
        if known := _keys_where(connection, table.c.key, matching):
            found.append(column.in_(known))
    if serials is not None and len(found) == 1:
        return found[0]
    # Of so many a page is filled soonest in its own order.
    return sa.case((sa.or_(*found), 1), else_=0) == 1


def _units_like(
    connection: sa.Connection, wanted: str
) -> tuple[Condition, list[int] | None]:
    """Give what a unit of the text is, and those that there are, if they are few."""
    is_fragment = len(wanted) >= FRAGMENT
    matching = text_like(units.c.serial_key, wanted, within=is_fragment)
    texts = ["", folded(wanted)] if is_fragment else [folded(wanted)]
    return matching, _few_units(connection, texts, matching)


def _keys_where(
    connection: sa.Connection, key: sa.ColumnElement[Any], matching: Condition
) -> Sequence[Any]:
    some = sa.select(key).where(matching).limit(_FEW)
    return connection.execute(some).scalars().all()


def _gathered(
    connection: sa.Connection,
    key: sa.ColumnElement[int],
    conditions: Sequence[Condition],
) -> set[int] | None:
    """Gather the rows of any of some conditions; None if they are too many."""
    found: set[int] = set()
    for condition in conditions:
        some = sa.select(key).where(condition).limit(_FEW + 1)
        found.update(connection.execute(some).scalars())
    return found if len(found) <= _FEW else None


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
