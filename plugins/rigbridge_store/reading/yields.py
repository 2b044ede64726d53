"""How much passes: first-pass and final yield, their course, and what fails most."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import attrs
import sqlalchemy as sa

from rigbridge.model import MeasurementOutcome, PhaseOutcome, RunOutcome
from rigbridge_store.reading.conditions import (
    DAY,
    NEWEST_FIRST,
    OLDEST_FIRST,
    Period,
)
from rigbridge_store.tables.schema import (
    measurements,
    phases,
    procedures,
    run_moment,
    runs,
    test_points,
)

__all__ = [
    "Bucket",
    "Failure",
    "ProcedureYield",
    "earliest_and_latest",
    "failing_measurements",
    "failing_phases",
    "procedure_yields",
    "yield_course",
]

_PASSED = runs.c.outcome == RunOutcome.PASS.value
_FINISHED = runs.c.outcome != RunOutcome.RUNNING.value


@attrs.frozen(kw_only=True)
class ProcedureYield:
    """
    What came of a procedure in a period.

    Attributes:
        id, name: the procedure.
        runs: how many runs have finished.
        passed: how many of them passed.
        units: how many units went through it.
        first_passed: how many units passed at their first run in the period.
        finally_passed: how many passed at their last.
        latest: when the last run was, in microseconds, or None if there was none.
    """

    id: str
    name: str
    runs: int = 0
    passed: int = 0
    units: int = 0
    first_passed: int = 0
    finally_passed: int = 0
    latest: int | None = None

    @property
    def first_pass_yield(self) -> float | None:
        """The part of the units that passed at once; None if there are none."""
        return self.first_passed / self.units if self.units else None

    @property
    def final_yield(self) -> float | None:
        """The part of the units that passed in the end; None if there are none."""
        return self.finally_passed / self.units if self.units else None


@attrs.frozen(kw_only=True)
class Bucket:
    """
    The runs of some days.

    Attributes:
        begin: when the days begin, in microseconds.
        width: how long they are, in microseconds.
        passed: how many runs passed.
        failed: how many finished otherwise.
    """

    begin: int
    width: int
    passed: int
    failed: int

    @property
    def total(self) -> int:
        """How many runs there were."""
        return self.passed + self.failed


@attrs.frozen(kw_only=True)
class Failure:
    """
    What failed, and how often.

    Attributes:
        phase: the phase's name, with those of its ancestors.
        runs: how many runs that did not pass it failed in.
        measurement: the measurement's name, or None for a phase as such.
    """

    phase: str
    runs: int
    measurement: str | None = None


def earliest_and_latest(connection: sa.Connection) -> tuple[int | None, int | None]:
    """Tell when the oldest and the newest run were, in microseconds; None if none."""
    # Not min() and max(): SQLite finds only one of the two in the index of time.
    oldest = sa.select(run_moment).order_by(run_moment).limit(1)
    newest = sa.select(run_moment).order_by(run_moment.desc()).limit(1)
    row = connection.execute(
        sa.select(oldest.scalar_subquery(), newest.scalar_subquery())
    ).one()
    return row[0], row[1]


def procedure_yields(
    connection: sa.Connection, period: Period, *, procedure_id: str | None = None
) -> Sequence[ProcedureYield]:
    """Tell what came of every procedure, or of one, by name."""
    # A unit has one run of first rank and one of last, so counting these counts units.
    ranked = _ranked(period, procedure_id)
    first = ranked.c.first_rank == 1
    last = ranked.c.last_rank == 1
    ok = ranked.c.passed == 1
    counted = (
        sa.select(
            ranked.c.procedure_key,
            sa.func.count().label("runs"),
            sa.func.sum(ranked.c.passed).label("passed"),
            _count_if(first).label("units"),
            _count_if(sa.and_(first, ok)).label("first_passed"),
            _count_if(sa.and_(last, ok)).label("finally_passed"),
            sa.func.max(ranked.c.moment).label("latest"),
        )
        .group_by(ranked.c.procedure_key)
        .subquery()
    )
    statement = (
        sa.select(procedures.c.id, procedures.c.name, counted)
        .select_from(
            procedures.outerjoin(counted, counted.c.procedure_key == procedures.c.key)
        )
        .order_by(procedures.c.name_key, procedures.c.key)
    )
    if procedure_id is not None:
        statement = statement.where(procedures.c.id == procedure_id.lower())
    return [
        ProcedureYield(
            id=row.id,
            name=row.name,
            # NULL where a procedure has no runs in the period.
            runs=row.runs or 0,
            passed=row.passed or 0,
            units=row.units or 0,
            first_passed=row.first_passed or 0,
            finally_passed=row.finally_passed or 0,
            latest=row.latest,
        )
        for row in connection.execute(statement)
    ]


def _ranked(period: Period, procedure_id: str | None) -> sa.Subquery:
    # One pass numbers the runs of each unit from both ends: rank 1 from the front is
    # its first run of the period, rank 1 from the back its last.
    of_unit = (runs.c.procedure_key, runs.c.unit_key)
    number = sa.func.row_number()
    statement = sa.select(
        runs.c.procedure_key,
        run_moment.label("moment"),
        sa.case((_PASSED, 1), else_=0).label("passed"),
        number.over(partition_by=of_unit, order_by=OLDEST_FIRST).label("first_rank"),
        number.over(partition_by=of_unit, order_by=NEWEST_FIRST).label("last_rank"),
    ).where(_FINISHED, *period.conditions())
    if procedure_id is not None:
        statement = statement.where(runs.c.procedure_key == _key_of(procedure_id))
    return statement.subquery()


def _key_of(procedure_id: str) -> sa.ScalarSelect[int]:
    return (
        sa.select(procedures.c.key)
        .where(procedures.c.id == procedure_id.lower())
        .scalar_subquery()
    )


def _count_if(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.sum(sa.case((condition, 1), else_=0))


def yield_course(
    connection: sa.Connection,
    period: Period,
    *,
    days: int,
    procedure_id: str | None = None,
) -> Mapping[str, Sequence[Bucket]]:
    """
    Count what passed and failed, so many days at a time.

    Returns:
        By the procedure's id, oldest first; days without runs are left out.
    """
    width = days * DAY
    # Whole days from the epoch; the difference keeps days before it whole, too.
    place = (run_moment - run_moment % width).label("place")
    finished = sa.select(
        runs.c.procedure_key, place, sa.case((_PASSED, 1), else_=0).label("passed")
    ).where(_FINISHED, *period.conditions())
    if procedure_id is not None:
        finished = finished.where(runs.c.procedure_key == _key_of(procedure_id))
    placed = finished.subquery()
    statement = (
        sa.select(
            procedures.c.id,
            placed.c.place,
            sa.func.sum(placed.c.passed),
            sa.func.count(),
        )
        .join(procedures, placed.c.procedure_key == procedures.c.key)
        .group_by(procedures.c.id, placed.c.place)
        .order_by(procedures.c.id, placed.c.place)
    )
    found: dict[str, list[Bucket]] = defaultdict(list)
    for public, begin, passed, total in connection.execute(statement):
        found[public].append(
            Bucket(
                begin=begin,
                width=width,
                passed=passed,
                failed=total - passed,
            )
        )
    return found


def failing_measurements(
    connection: sa.Connection, procedure_id: str, period: Period, *, limit: int
) -> Sequence[Failure]:
    """
    Tell which measurements fail in most runs of a procedure, the worst first.

    Only runs that did not pass are looked at: those are what is to be improved.
    """
    # A run counts once, however often it repeats the measurement.
    number = sa.func.count(sa.distinct(runs.c.key)).label("runs")
    name = test_points.c.name.label("measurement")
    statement = (
        sa.select(test_points.c.phase, name, number)
        .select_from(
            runs.join(measurements, measurements.c.run_key == runs.c.key).join(
                test_points, measurements.c.point_key == test_points.c.key
            )
        )
        .where(
            measurements.c.outcome == MeasurementOutcome.FAIL.value,
            *_failed_runs(procedure_id, period),
        )
        .group_by(test_points.c.phase, test_points.c.name)
        .order_by(number.desc(), test_points.c.phase, test_points.c.name)
        .limit(limit)
    )
    return [Failure(**row) for row in connection.execute(statement).mappings()]


def failing_phases(
    connection: sa.Connection, procedure_id: str, period: Period, *, limit: int
) -> Sequence[Failure]:
    """Tell which phases fail or break off in most runs, the worst first."""
    number = sa.func.count(sa.distinct(runs.c.key)).label("runs")
    bad = (PhaseOutcome.FAIL.value, PhaseOutcome.ERROR.value)
    statement = (
        sa.select(phases.c.name.label("phase"), number)
        .join(runs, phases.c.run_key == runs.c.key)
        .where(phases.c.outcome.in_(bad), *_failed_runs(procedure_id, period))
        .group_by(phases.c.name)
        .order_by(number.desc(), phases.c.name)
        .limit(limit)
    )
    return [Failure(**row) for row in connection.execute(statement).mappings()]


def _failed_runs(procedure_id: str, period: Period) -> list[sa.ColumnElement[bool]]:
    return [
        runs.c.procedure_key == _key_of(procedure_id),
        _FINISHED,
        sa.not_(_PASSED),
        *period.conditions(),
    ]
