"""How well measurements of a procedure keep their limits, and how long phases take."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Sequence

import attrs
import sqlalchemy as sa

from rigbridge.model import MeasurementOutcome, RunOutcome
from rigbridge_store.reading.conditions import NEWEST_FIRST
from rigbridge_store.reading.rows.definitions import rows_in_parts
from rigbridge_store.reading.searching import RunSearch, search_conditions
from rigbridge_store.reading.statistics import (
    Capability,
    Summary,
    capability,
    summarize,
)
from rigbridge_store.reading.trends import Specified, read_specifications
from rigbridge_store.tables.rows import driver_rows
from rigbridge_store.tables.schema import measurements, phases, runs, test_points

__all__ = ["MeasurementCapability", "PhaseDuration", "ProcessFigures", "read_figures"]

_POINTS = sa.select(test_points.c.key, test_points.c.phase, test_points.c.name).where(
    test_points.c.key.in_(sa.bindparam("keys", expanding=True))
)

# A page within half a second, also of runs with hundreds of measurements.
_MOST_RUNS = 400
_MOST_POINTS = 40_000


@attrs.frozen(kw_only=True)
class MeasurementCapability:
    """
    How a measurement keeps its limits.

    Attributes:
        specified: unit and limits of the newest point that has any.
        judged, failed: how many points had a verdict, and how many failed.
    """

    phase: str
    name: str
    specified: Specified
    judged: int
    failed: int
    summary: Summary
    indices: Capability


@attrs.frozen(kw_only=True)
class PhaseDuration:
    """
    How long a phase takes.

    Attributes:
        name: the phase's name, with those of its ancestors.
        median, longest, total: in milliseconds.
    """

    name: str
    count: int
    median: float
    longest: float
    total: float


@attrs.frozen(kw_only=True)
class ProcessFigures:
    """
    What the newest runs of a search tell.

    Attributes:
        runs: how many runs were looked at.
        complete: False if there are older ones.
        capabilities: of each measurement of numbers, the worst first.
        durations: of each phase, the one that takes most of the time first.
    """

    runs: int
    complete: bool
    capabilities: Sequence[MeasurementCapability]
    durations: Sequence[PhaseDuration]


def read_figures(connection: sa.Connection, search: RunSearch) -> ProcessFigures:
    """Read what the newest finished runs of a search tell, as many as a page can."""
    statement = (
        sa.select(runs.c.key)
        .where(
            runs.c.outcome != RunOutcome.RUNNING.value,
            *search_conditions(connection, search),
        )
        .order_by(*NEWEST_FIRST)
    )
    keys = list(connection.execute(statement.limit(_MOST_RUNS + 1)).scalars())
    most = _MOST_RUNS
    if keys:
        in_one = sa.select(sa.func.count()).where(measurements.c.run_key == keys[0])
        count = connection.execute(in_one).scalar_one()
        most = min(most, max(20, _MOST_POINTS // max(1, count)))
    looked_at = keys[:most]
    return ProcessFigures(
        runs=len(looked_at),
        complete=len(looked_at) == len(keys),
        capabilities=_capabilities(connection, looked_at),
        durations=_durations(connection, looked_at),
    )


def _capabilities(
    connection: sa.Connection, keys: Sequence[int]
) -> list[MeasurementCapability]:
    age = {key: place for place, key in enumerate(keys)}
    rows = driver_rows(
        connection,
        sa.select(
            measurements.c.point_key,
            measurements.c.run_key,
            measurements.c.outcome,
            measurements.c.number,
            measurements.c.specification_key,
        ).where(measurements.c.run_key.in_(keys)),
    )
    # Oldest first: neighbours in time tell how much a value moves by chance.
    rows.sort(key=lambda row: -age[row[1]])
    values: dict[int, list[float]] = defaultdict(list)
    judged: dict[int, list[bool]] = defaultdict(list)
    newest: dict[int, int] = {}
    for point, _, outcome, number, specification in rows:
        if number is None or not math.isfinite(number):
            continue
        values[point].append(number)
        if outcome != MeasurementOutcome.UNSET.value:
            judged[point].append(outcome == MeasurementOutcome.FAIL.value)
        if specification is not None:
            newest[point] = specification
    known = sorted(set(newest.values()))
    specified = dict(zip(known, read_specifications(connection, known), strict=True))
    names = {
        key: (phase, name)
        for key, phase, name in rows_in_parts(connection, _POINTS, values)
    }
    found: list[MeasurementCapability] = []
    for point, measured in values.items():
        summary = summarize(measured)
        if summary is None:
            continue
        limits = specified[newest[point]] if point in newest else Specified()
        found.append(
            MeasurementCapability(
                phase=names[point][0],
                name=names[point][1],
                specified=limits,
                judged=len(judged[point]),
                failed=sum(judged[point]),
                summary=summary,
                indices=capability(summary, limits.lower, limits.upper),
            )
        )
    return sorted(found, key=_worst_first)


def _worst_first(item: MeasurementCapability) -> tuple[float, float]:
    index = item.indices.cpk
    return (math.inf if index is None else index, -item.failed)


def _durations(connection: sa.Connection, keys: Sequence[int]) -> list[PhaseDuration]:
    rows = driver_rows(
        connection,
        sa.select(
            phases.c.name, phases.c.end_time_millis - phases.c.start_time_millis
        ).where(phases.c.run_key.in_(keys)),
    )
    spans: dict[str, list[float]] = defaultdict(list)
    for name, span in rows:
        # Where a source tells no end, it is the start.
        if span > 0:
            spans[name].append(span)
    found = [
        PhaseDuration(
            name=name,
            count=len(each),
            median=statistics.median(each),
            longest=max(each),
            total=sum(each),
        )
        for name, each in spans.items()
    ]
    return sorted(found, key=lambda item: -item.total)
