"""One measurement of a procedure over time."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import attrs
import msgspec
import sqlalchemy as sa

from rigbridge.model import MeasurementOutcome
from rigbridge_store.queries.columns import Period, run_moment
from rigbridge_store.refusals import not_found
from rigbridge_store.schema import measurements, phases, procedures, runs, units

__all__ = [
    "MAX_POINTS",
    "MeasurementName",
    "MeasurementTrend",
    "PointSource",
    "measurement_names",
    "point_sources",
    "read_trend",
]

MAX_POINTS = 100_000
"""How many points are read at most, the newest ones."""

_BATCH = 10_000
_RECENT_RUNS = 25
_TOP_TEXTS = 12
_SOURCES = 500
_MAX_TEXT = 200


@attrs.frozen(kw_only=True, order=True)
class MeasurementName:
    """
    A measurement of a procedure.

    Attributes:
        phase: the phase's name, with those of its ancestors.
        name: its own name.
    """

    phase: str
    name: str


@attrs.frozen(kw_only=True, eq=False)
class MeasurementTrend:
    """
    The points of one measurement, oldest first.

    Attributes:
        moments: when each was, in microseconds.
        values: what was measured; only finite numbers stand here.
        failed: 1 where the verdict is FAIL, else 0.
        run_keys: the rows of the runs.
        passed, judged: how many passed, and how many had a verdict; these count
            what is no number, too.
        others: how many measured nothing or what is no finite number.
        texts: the most frequent of the values that are no numbers, as JSON.
        lower, upper: the limits of the newest point that has any, each or None.
        limits_changed: whether other limits were in force before.
        unit: the unit of the newest point that has one, or None.
        complete: False if there are older points than were read.
    """

    moments: Sequence[int]
    values: Sequence[float]
    failed: Sequence[int]
    run_keys: Sequence[int]
    passed: int
    judged: int
    others: int
    texts: tuple[tuple[str, int], ...]
    lower: float | None
    upper: float | None
    limits_changed: bool
    unit: str | None
    complete: bool

    @property
    def pass_rate(self) -> float | None:
        """The part of the judged points that passed; None if none was judged."""
        return self.passed / self.judged if self.judged else None


@attrs.frozen(kw_only=True)
class PointSource:
    """
    Where a point is from.

    Attributes:
        run_id: the run.
        serial: the unit's serial number.
    """

    run_id: str
    serial: str


def measurement_names(
    connection: sa.Connection, procedure_id: str
) -> tuple[MeasurementName, ...]:
    """Name what the latest runs of a procedure measured, in their order."""
    recent = (
        sa.select(runs.c.key)
        .join(procedures, runs.c.procedure_key == procedures.c.key)
        .where(procedures.c.id == procedure_id.lower())
        .order_by(runs.c.key.desc())
        .limit(_RECENT_RUNS)
    )
    keys = connection.execute(recent).scalars().all()
    statement = (
        sa.select(phases.c.name, measurements.c.name.label("measurement"))
        .select_from(_with_phases())
        .where(measurements.c.run_key.in_(keys))
        .group_by(phases.c.name, measurements.c.name)
        .order_by(
            sa.func.min(measurements.c.phase_position),
            sa.func.min(measurements.c.position),
        )
    )
    return tuple(
        MeasurementName(phase=phase, name=name)
        for phase, name in connection.execute(statement)
    )


def _with_phases() -> sa.Join:
    return measurements.join(
        phases,
        sa.and_(
            phases.c.run_key == measurements.c.run_key,
            phases.c.position == measurements.c.phase_position,
        ),
    )


def read_trend(
    connection: sa.Connection,
    procedure_id: str,
    measured: MeasurementName,
    period: Period,
    *,
    limit: int = MAX_POINTS,
) -> MeasurementTrend:
    """
    Read the newest points of a measurement.

    Raises:
        NotFoundError: there is no such procedure.
    """
    key = connection.execute(
        sa.select(procedures.c.key).where(procedures.c.id == procedure_id.lower())
    ).scalar()
    if key is None:
        raise not_found(f"Procedure with ID {procedure_id} does not exist.")
    statement = (
        sa.select(
            runs.c.key,
            run_moment.label("moment"),
            measurements.c.outcome,
            measurements.c.value_number,
            sa.case(
                (measurements.c.value_number.is_(None), measurements.c.value)
            ).label("value"),
            measurements.c.lower_limit,
            measurements.c.upper_limit,
            measurements.c.units,
        )
        .select_from(_with_phases().join(runs, measurements.c.run_key == runs.c.key))
        .where(
            runs.c.procedure_key == key,
            measurements.c.name == measured.name,
            phases.c.name == measured.phase,
            *period.conditions(),
        )
        .order_by(run_moment.desc(), runs.c.key.desc())
        .limit(limit + 1)
    )
    collected = _Collection()
    result = connection.execution_options(yield_per=_BATCH).execute(statement)
    for number, row in enumerate(result):
        if number == limit:
            result.close()
            return collected.trend(complete=False)
        run, moment, outcome, value, text, lower, upper, units = row
        collected.add(
            run=run,
            moment=moment,
            outcome=outcome,
            number=value,
            value=text,
            lower=lower,
            upper=upper,
            units=units,
        )
    return collected.trend(complete=True)


class _Collection:
    """Gathers points, newest first."""

    def __init__(self) -> None:
        self.moments, self.run_keys = array("q"), array("q")
        self.values, self.failed = array("d"), array("b")
        self.outcomes: Counter[str] = Counter()
        self.texts: Counter[str] = Counter()
        self.others = 0
        self.unit: str | None = None
        self.limits: dict[tuple[str | None, str | None], None] = {}

    def add(
        self,
        *,
        run: int,
        moment: int,
        outcome: str,
        number: float | None,
        value: str | None,
        lower: str | None,
        upper: str | None,
        units: str | None,
    ) -> None:
        self.outcomes[outcome] += 1
        if self.unit is None and units is not None:
            self.unit = _unit(units)
        if lower is not None or upper is not None:
            self.limits.setdefault((lower, upper))
        if number is None or not math.isfinite(number):
            self.others += 1
            if value is not None:
                self.texts[value if len(value) < _MAX_TEXT else "…"] += 1
            return
        self.moments.append(moment)
        self.values.append(number)
        self.run_keys.append(run)
        self.failed.append(outcome == MeasurementOutcome.FAIL)

    def trend(self, *, complete: bool) -> MeasurementTrend:
        lower, upper = next(iter(self.limits), (None, None))
        passed = self.outcomes[MeasurementOutcome.PASS]
        for points in (self.moments, self.values, self.run_keys, self.failed):
            points.reverse()
        return MeasurementTrend(
            moments=self.moments,
            values=self.values,
            failed=self.failed,
            run_keys=self.run_keys,
            passed=passed,
            judged=passed + self.outcomes[MeasurementOutcome.FAIL],
            others=self.others,
            texts=tuple(self.texts.most_common(_TOP_TEXTS)),
            lower=_number(lower),
            upper=_number(upper),
            limits_changed=len(self.limits) > 1,
            unit=self.unit,
            complete=complete,
        )


@cache
def _unit(units: str) -> str | None:
    value: Any = msgspec.json.decode(units)
    return value if isinstance(value, str) and value.strip() else None


def _number(text: str | None) -> float | None:
    return None if text is None else msgspec.json.decode(text, type=float)


def point_sources(
    connection: sa.Connection, run_keys: Sequence[int]
) -> dict[int, PointSource]:
    """Tell which runs points are from, by the runs' rows."""
    found: dict[int, PointSource] = {}
    distinct = list(dict.fromkeys(run_keys))
    for start in range(0, len(distinct), _SOURCES):
        statement = (
            sa.select(runs.c.key, runs.c.id, units.c.serial_number)
            .join(units, runs.c.unit_key == units.c.key)
            .where(runs.c.key.in_(distinct[start : start + _SOURCES]))
        )
        for key, public, serial in connection.execute(statement):
            found[key] = PointSource(run_id=public, serial=serial)
    return found
