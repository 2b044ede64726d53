"""What fails: in a procedure, most often first, and in each run of a list, first."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import sqlalchemy as sa

from rigbridge.model import MeasurementOutcome, PhaseOutcome, RunOutcome
from rigbridge_store.reading.conditions import NEWEST_FIRST
from rigbridge_store.reading.searching import RunSearch, search_conditions
from rigbridge_store.tables.schema import measurements, phases, runs, test_points

__all__ = [
    "MOST_RUNS",
    "Failure",
    "FailureCount",
    "first_failures",
    "frequent_failures",
]

MOST_RUNS = 1000
"""How many failed runs are looked into, the newest ones."""

_BAD_PHASES = (PhaseOutcome.FAIL.value, PhaseOutcome.ERROR.value)


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


@attrs.frozen(kw_only=True)
class FailureCount:
    """
    What fails most.

    Attributes:
        looked_at: how many runs were looked into.
        complete: whether those are all.
        measurements, phases: what failed in them, the worst first.
    """

    looked_at: int
    complete: bool
    measurements: Sequence[Failure]
    phases: Sequence[Failure]


def frequent_failures(
    connection: sa.Connection, search: RunSearch, *, limit: int
) -> FailureCount:
    """
    Tell what fails in most runs of a search.

    Only runs that did not pass are looked at: those are what is to be improved.
    """
    # Not a list of the bad ones: the index of the procedure, in the order of time, ends
    # sooner than one of outcomes.
    good = (RunOutcome.PASS.value, RunOutcome.RUNNING.value)
    statement = (
        sa.select(runs.c.key)
        .where(runs.c.outcome.not_in(good), *search_conditions(connection, search))
        .order_by(*NEWEST_FIRST)
        # One more than is looked at tells whether there are others.
        .limit(MOST_RUNS + 1)
    )
    keys = connection.execute(statement).scalars().all()
    looked_at = keys[:MOST_RUNS]
    return FailureCount(
        looked_at=len(looked_at),
        complete=len(keys) == len(looked_at),
        measurements=_measurements(connection, looked_at, limit),
        phases=_phases(connection, looked_at, limit),
    )


def _measurements(
    connection: sa.Connection, run_keys: Sequence[int], limit: int
) -> Sequence[Failure]:
    # A run counts once, however often it repeats the measurement.
    number = sa.func.count(sa.distinct(measurements.c.run_key)).label("runs")
    statement = (
        sa.select(test_points.c.phase, test_points.c.name.label("measurement"), number)
        .join(measurements, measurements.c.point_key == test_points.c.key)
        .where(
            measurements.c.run_key.in_(run_keys),
            measurements.c.outcome == MeasurementOutcome.FAIL.value,
        )
        .group_by(test_points.c.phase, test_points.c.name)
        .order_by(number.desc(), test_points.c.phase, test_points.c.name)
        .limit(limit)
    )
    return [Failure(**row) for row in connection.execute(statement).mappings()]


def _phases(
    connection: sa.Connection, run_keys: Sequence[int], limit: int
) -> Sequence[Failure]:
    number = sa.func.count(sa.distinct(phases.c.run_key)).label("runs")
    statement = (
        sa.select(phases.c.name.label("phase"), number)
        .where(phases.c.run_key.in_(run_keys), phases.c.outcome.in_(_BAD_PHASES))
        .group_by(phases.c.name)
        .order_by(number.desc(), phases.c.name)
        .limit(limit)
    )
    return [Failure(**row) for row in connection.execute(statement).mappings()]


def first_failures(
    connection: sa.Connection, run_keys: Sequence[int]
) -> dict[int, str]:
    """Name what failed first in each of a page of runs: a measurement, or a phase."""
    found: dict[int, str] = {}
    for statement in (
        sa.select(measurements.c.run_key, test_points.c.name)
        .join(test_points, measurements.c.point_key == test_points.c.key)
        .where(
            measurements.c.run_key.in_(run_keys),
            measurements.c.outcome == MeasurementOutcome.FAIL.value,
        )
        .order_by(
            measurements.c.run_key,
            measurements.c.phase_position,
            measurements.c.position,
        ),
        sa.select(phases.c.run_key, phases.c.name)
        .where(phases.c.run_key.in_(run_keys), phases.c.outcome.in_(_BAD_PHASES))
        .order_by(phases.c.run_key, phases.c.position),
    ):
        for run, name in connection.execute(statement):
            # The measurement comes first: a phase fails because of it.
            found.setdefault(run, name)
    return found
