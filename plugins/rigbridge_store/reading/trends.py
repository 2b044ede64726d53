"""One measurement of a procedure over time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache

import attrs
import msgspec
import sqlalchemy as sa

from rigbridge.model import MeasurementOutcome
from rigbridge_store.reading.conditions import NEWEST_FIRST
from rigbridge_store.reading.searching import RunSearch, search_conditions
from rigbridge_store.refusals import not_found
from rigbridge_store.tables.packing import is_shortened
from rigbridge_store.tables.rows import driver_rows
from rigbridge_store.tables.schema import (
    measurements,
    procedures,
    run_moment,
    runs,
    specifications,
    station_names,
    test_points,
    units,
)

__all__ = [
    "MAX_POINTS",
    "MeasurementName",
    "MeasurementTrend",
    "PointSource",
    "Specified",
    "measurement_names",
    "point_sources",
    "read_specifications",
    "read_trend",
]

MAX_POINTS = 10_000
"""How many points are read at most, the newest ones."""

# A procedure changes: what its latest runs measured is what can be chosen.
_RECENT_RUNS = 25
_TOP_TEXTS = 12
# SQLite may be built to take no more than 999 parameters in a statement.
_CHUNK = 500
# A series is JSON as well, and may be megabytes long.
_MAX_TEXT = 200


@attrs.frozen(kw_only=True, order=True)
class MeasurementName:
    """
    A measurement of a procedure.

    Attributes:
        phase: the phase's name, with those of its ancestors.
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
        stations: the rows of the names of their stations; 0 where unknown.
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
    stations: Sequence[int]
    station_names: Mapping[int, str]
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
        station: the name of the station, or None.
    """

    run_id: str
    serial: str
    station: str | None


def measurement_names(
    connection: sa.Connection, procedure_id: str
) -> tuple[MeasurementName, ...]:
    """Name what the latest runs of a procedure measured, in their order."""
    procedure = sa.select(procedures.c.key).where(
        procedures.c.id == procedure_id.lower()
    )
    # In the order that the index of the procedure has, which is read from its end.
    recent = (
        sa.select(runs.c.key)
        .where(runs.c.procedure_key == procedure.scalar_subquery())
        .order_by(*NEWEST_FIRST)
        .limit(_RECENT_RUNS)
    )
    statement = (
        sa.select(test_points.c.phase, test_points.c.name)
        .join(measurements, measurements.c.point_key == test_points.c.key)
        .where(measurements.c.run_key.in_(connection.execute(recent).scalars().all()))
        .group_by(test_points.c.phase, test_points.c.name)
        .order_by(
            sa.func.min(measurements.c.phase_position),
            sa.func.min(measurements.c.position),
        )
    )
    return tuple(
        MeasurementName(phase=phase, name=name)
        for phase, name in connection.execute(statement)
    )


def read_trend(
    connection: sa.Connection,
    procedure_id: str,
    measured: MeasurementName,
    search: RunSearch,
    *,
    limit: int = MAX_POINTS,
) -> MeasurementTrend:
    """
    Read the newest points of a measurement.

    Args:
        connection: the transaction.
        limit: how many points at most.

    Raises:
        NotFoundError: there is no such procedure.
    """
    key = connection.execute(
        sa.select(procedures.c.key).where(procedures.c.id == procedure_id.lower())
    ).scalar()
    if key is None:
        raise not_found(f"Procedure with ID {procedure_id} does not exist.")
    point = connection.execute(
        sa.select(test_points.c.key).where(
            test_points.c.procedure_key == key,
            test_points.c.phase == measured.phase,
            test_points.c.name == measured.name,
        )
    ).scalar()
    statement = (
        sa.select(
            runs.c.key,
            run_moment.label("moment"),
            measurements.c.outcome,
            measurements.c.number,
            # A number's own spelling is not needed, and may be long.
            sa.case((measurements.c.number.is_(None), measurements.c.value)).label(
                "value"
            ),
            measurements.c.specification_key,
            sa.func.coalesce(runs.c.station_name_key, 0).label("station"),
        )
        .join(measurements, measurements.c.run_key == runs.c.key)
        .where(
            runs.c.procedure_key == key,
            measurements.c.point_key == point,
            *search_conditions(connection, search),
        )
        .order_by(*NEWEST_FIRST)
        # The newest ones, since a chart is asked about now; they are turned round
        # below.
        .limit(limit + 1)
    )
    # Rows of the driver: nothing more is needed, and there are thousands of them.
    rows = driver_rows(connection, statement)
    complete = len(rows) <= limit
    # Columns, since what each of many points costs here is what the page takes.
    columns = _Columns(*zip(*rows[:limit], strict=True)) if rows else _Columns()
    keys = dict.fromkeys(columns.specifications)
    specified = read_specifications(
        connection, [key for key in keys if key is not None]
    )
    named = sa.select(station_names.c.key, station_names.c.name).where(
        station_names.c.key.in_(set(columns.stations))
    )
    names = {row.key: row.name for row in connection.execute(named)}
    return _trend(columns, specified, names, complete=complete)


@attrs.frozen
class _Columns:
    """What was read of points, newest first."""

    run_keys: Sequence[int] = ()
    moments: Sequence[int] = ()
    outcomes: Sequence[str] = ()
    numbers: Sequence[float | None] = ()
    values: Sequence[str | None] = ()
    specifications: Sequence[int | None] = ()
    stations: Sequence[int] = ()


@attrs.frozen(kw_only=True)
class Specified:
    """What a measurement must be; each may be None."""

    unit: str | None = None
    lower: float | None = None
    upper: float | None = None


def read_specifications(
    connection: sa.Connection, wanted: Sequence[int]
) -> list[Specified]:
    """Read unit and limits of specifications, in the order of their keys."""
    found: dict[int, Specified] = {}
    for start in range(0, len(wanted), _CHUNK):
        statement = sa.select(
            specifications.c.key,
            specifications.c.units,
            specifications.c.lower_limit,
            specifications.c.upper_limit,
        ).where(specifications.c.key.in_(wanted[start : start + _CHUNK]))
        for key, unit, lower, upper in connection.execute(statement):
            found[key] = Specified(
                unit=None if unit is None else _unit(unit),
                lower=_number(lower),
                upper=_number(upper),
            )
    return [found[key] for key in wanted]


def _trend(
    columns: _Columns,
    specified: Sequence[Specified],
    names: Mapping[int, str],
    *,
    complete: bool,
) -> MeasurementTrend:
    """Make a trend, oldest first as it is drawn."""
    points = [
        (moment, number, outcome == MeasurementOutcome.FAIL, run, station)
        for moment, number, outcome, run, station in zip(
            reversed(columns.moments),
            reversed(columns.numbers),
            reversed(columns.outcomes),
            reversed(columns.run_keys),
            reversed(columns.stations),
            strict=True,
        )
        # A chart has no place for what is not finite.
        if number is not None and math.isfinite(number)
    ]
    moments, values, failed, run_keys, stations = (
        zip(*points, strict=True) if points else ((),) * 5
    )
    outcomes = Counter(columns.outcomes)
    texts = Counter(
        "…" if len(value) >= _MAX_TEXT or is_shortened(value) else value
        for value in filter(None, columns.values)
    )
    limits = dict.fromkeys(
        (item.lower, item.upper)
        for item in specified
        if item.lower is not None or item.upper is not None
    )
    # The limits of the newest points, since they are what is tested by now.
    lower, upper = next(iter(limits), (None, None))
    passed = outcomes[MeasurementOutcome.PASS]
    return MeasurementTrend(
        moments=moments,
        values=values,
        failed=failed,
        run_keys=run_keys,
        stations=stations,
        station_names=names,
        passed=passed,
        judged=passed + outcomes[MeasurementOutcome.FAIL],
        others=len(columns.run_keys) - len(points),
        texts=tuple(texts.most_common(_TOP_TEXTS)),
        lower=lower,
        upper=upper,
        limits_changed=len(limits) > 1,
        unit=next((item.unit for item in specified if item.unit is not None), None),
        complete=complete,
    )


# Few different texts among many specifications.
@cache
def _unit(units: str) -> str | None:
    value: object = msgspec.json.decode(units)
    return value if isinstance(value, str) and value.strip() else None


def _number(text: str | None) -> float | None:
    return None if text is None else msgspec.json.decode(text, type=float)


def point_sources(
    connection: sa.Connection, run_keys: Sequence[int]
) -> dict[int, PointSource]:
    """Tell which runs points are from, by the runs' rows."""
    found: dict[int, PointSource] = {}
    distinct = list(dict.fromkeys(run_keys))
    for start in range(0, len(distinct), _CHUNK):
        statement = (
            sa.select(
                runs.c.key, runs.c.id, units.c.serial_number, station_names.c.name
            )
            .join(units, runs.c.unit_key == units.c.key)
            .outerjoin(station_names, runs.c.station_name_key == station_names.c.key)
            .where(runs.c.key.in_(distinct[start : start + _CHUNK]))
        )
        for key, public, serial, station in connection.execute(statement):
            found[key] = PointSource(run_id=public, serial=serial, station=station)
    return found
