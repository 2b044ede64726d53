"""Phases, measurements and log lines found across runs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, Literal

import attrs
import msgspec
import sqlalchemy as sa

from rigbridge_store.access.principals import Principal
from rigbridge_store.reading import listing
from rigbridge_store.reading.conditions import Condition, id_in
from rigbridge_store.reading.details import Row
from rigbridge_store.reading.large_values import LargeValues
from rigbridge_store.reading.lists.query import (
    Judgement,
    Level,
    MeasurementKind,
    Outcome,
    PhaseOutcome2,
    RowPage,
    SampleOrProduct,
    among,
    at_least,
    at_most,
    contains,
    equal,
    from_moment,
    restricts,
    until_moment,
)
from rigbridge_store.reading.lists.runs import (
    RUNS_AND_SLOTS,
    QueryOfRuns,
    QueryOfTimedRuns,
    of_procedures,
    page_of_runs,
    sampled,
)
from rigbridge_store.tables.packing import is_shortened
from rigbridge_store.tables.schema import (
    logs,
    measurements,
    phases,
    runs,
    specifications,
    test_points,
    units,
)
from rigbridge_store.tables.values import iso_from_micros, to_micros

__all__ = [
    "DetailPlace",
    "LogQuery",
    "MeasurementQuery",
    "PhaseQuery",
    "find_logs",
    "find_measurements",
    "find_phases",
    "kind_of_shortened",
    "micros_of_millis",
    "place_of",
    "values_of",
]

_PLACE = re.compile(
    # Bounded digits: no place is longer, and int() of thousands of digits takes long.
    r"(?P<run>[0-9a-fA-F-]{36})\.(?:p(?P<phase>\d{1,9})"
    r"(?:\.m(?P<measurement>\d{1,9}))?|l(?P<log>\d{1,9}))",
    re.ASCII,
)
_RUN_COLUMNS = (
    runs.c.id.label("run_id"),
    runs.c.outcome.label("run_outcome"),
    units.c.serial_number,
    units.c.sample,
)
_others = phases.alias("other_phases")


def _same_name(order: Condition) -> sa.ScalarSelect[int]:
    return (
        sa.select(sa.func.count())
        .where(
            _others.c.run_key == phases.c.run_key,
            _others.c.name == phases.c.name,
            order,
        )
        .correlate(phases)
        .scalar_subquery()
    )


# A phase that is there again was tried again.
_EARLIER = _same_name(_others.c.position < phases.c.position).label("earlier")
_LATER = _same_name(_others.c.position > phases.c.position).label("later")

_PHASES: sa.Select[*tuple[object, ...]] = sa.select(
    phases, _EARLIER, _LATER, *_RUN_COLUMNS
).select_from(RUNS_AND_SLOTS.join(phases, phases.c.run_key == runs.c.key))
_MEASUREMENTS: sa.Select[*tuple[object, ...]] = sa.select(
    measurements,
    test_points.c.name,
    specifications.c.units,
    specifications.c.lower_limit,
    specifications.c.upper_limit,
    specifications.c.validators,
    phases.c.name.label("phase_name"),
    phases.c.start_time_millis,
    _EARLIER,
    _LATER,
    *_RUN_COLUMNS,
).select_from(
    RUNS_AND_SLOTS.join(phases, phases.c.run_key == runs.c.key)
    .join(
        measurements,
        sa.and_(
            measurements.c.run_key == phases.c.run_key,
            measurements.c.phase_position == phases.c.position,
        ),
    )
    .join(test_points, measurements.c.point_key == test_points.c.key)
    .outerjoin(specifications, measurements.c.specification_key == specifications.c.key)
)
_LOGS: sa.Select[*tuple[object, ...]] = sa.select(logs, *listing.COLUMNS).select_from(
    RUNS_AND_SLOTS.join(logs, logs.c.run_key == runs.c.key)
)


@attrs.frozen(kw_only=True)
class DetailPlace:
    """
    Where a phase, a measurement or a log line is: what its id says.

    Attributes:
        phase: the number of the phase, or None.
        measurement: that of the measurement within it, or None.
        log: the number of the log line, or None.
    """

    run_id: str
    phase: int | None = None
    measurement: int | None = None
    log: int | None = None


def place_of(public: str) -> DetailPlace | None:
    """Read an id, ``RUN.p3``, ``RUN.p3.m1`` or ``RUN.l7``; None if it is none."""
    found = _PLACE.fullmatch(public)
    if found is None:
        return None
    numbers = {
        name: int(found[name])
        for name in ("phase", "measurement", "log")
        if found[name] is not None
    }
    # Ids are stored in lower case, and compared as they are.
    return DetailPlace(run_id=found["run"].lower(), **numbers)


def micros_of_millis(millis: float) -> int:
    """Turn the milliseconds that phases keep into microseconds."""
    # Rounded and not cut: a double of milliseconds may lie a little below.
    return round(millis * 1000)


def _begun_after(moment: datetime) -> list[Condition]:
    # Phases have milliseconds, as v1 sends them.
    return [phases.c.start_time_millis >= to_micros(moment) / 1000]


def _begun_before(moment: datetime) -> list[Condition]:
    return [phases.c.start_time_millis <= to_micros(moment) / 1000]


def _is_last(wanted: object) -> list[Condition]:
    """Demand the last phase of its name within its run."""
    later = phases.alias("later_phases")
    repeated = sa.exists().where(
        later.c.run_key == phases.c.run_key,
        later.c.name == phases.c.name,
        later.c.position > phases.c.position,
    )
    return [~repeated] if wanted else []


def _in_sequences(paths: Iterable[str]) -> list[Condition]:
    # In our rows a phase of a sequence has its path before its name.
    prefixes = (path.replace("/", " / ") for path in paths)
    return [
        sa.or_(
            *(
                phases.c.name.startswith(f"{prefix} / ", autoescape=True)
                for prefix in prefixes
            )
        )
    ]


def _of_procedure(reference: str) -> list[Condition]:
    return of_procedures([reference])


@attrs.frozen(kw_only=True)
class PhaseQuery(QueryOfTimedRuns):
    """The parameters of ``GET /v2/phases``."""

    procedure_id: str = restricts(_of_procedure, default=attrs.NOTHING)
    names: list[str] | None = restricts(among, phases.c.name)
    outcomes: list[PhaseOutcome2] | None = restricts(among, phases.c.outcome)
    sequence_paths: list[str] | None = restricts(
        _in_sequences, description="Of runs that were created over v2."
    )
    started_after: datetime | None = restricts(_begun_after)
    started_before: datetime | None = restricts(_begun_before)
    exclude_retries: bool = restricts(
        _is_last,
        default=True,
        description="Only the last phase of a name within its run.",
    )
    run_outcomes: list[Outcome] | None = restricts(among, runs.c.outcome)
    ids: list[str] | None = restricts(id_in, runs.c.id, description="Of runs.")
    samples: list[SampleOrProduct] | None = restricts(sampled)
    sorts: ClassVar = {
        "started_at": phases.c.start_time_millis,
        "duration": phases.c.end_time_millis - phases.c.start_time_millis,
        "outcome": phases.c.outcome,
        "serial_number": units.c.serial_key,
        "phase_name": phases.c.name,
    }
    sort_by: Literal[
        "started_at", "duration", "outcome", "serial_number", "phase_name"
    ] = "started_at"


def _is_boolean(value: bool) -> list[Condition]:
    # As JSON spells it; the text "true" is stored with its quotes.
    return [measurements.c.value == ("true" if value else "false")]


def _is_text(texts: Iterable[str]) -> list[Condition]:
    # Values are kept as JSON.
    return [
        measurements.c.value.in_([msgspec.json.encode(text).decode() for text in texts])
    ]


def _of_kinds(kinds: Iterable[MeasurementKind]) -> list[Condition]:
    # A value is JSON, and a number that a double holds is in a column of its own.
    value, number = measurements.c.value, measurements.c.number

    def begins(text: str) -> Condition:
        return value.startswith(text, autoescape=True)

    conditions: dict[MeasurementKind, Condition] = {
        "numeric": number.is_not(None),
        "boolean": value.in_(["true", "false"]),
        "string": begins('"'),
        "multidimensional": begins("[["),
        "empty": sa.and_(value.is_(None), number.is_(None)),
        "json": sa.or_(begins("{"), sa.and_(begins("["), ~begins("[["))),
    }
    return [sa.or_(*(conditions[kind] for kind in kinds))]


@attrs.frozen(kw_only=True)
class MeasurementQuery(QueryOfTimedRuns):
    """The parameters of ``GET /v2/measurements``."""

    procedure_id: str = restricts(_of_procedure, default=attrs.NOTHING)
    phase_name: str | None = restricts(equal, phases.c.name)
    measurement_name: str | None = restricts(equal, test_points.c.name)
    phase_names: list[str] | None = restricts(among, phases.c.name)
    outcomes: list[Outcome] | None = restricts(
        among, runs.c.outcome, description="Of runs."
    )
    ids: list[str] | None = restricts(id_in, runs.c.id, description="Of runs.")
    started_after: datetime | None = restricts(from_moment, runs.c.started_at)
    started_before: datetime | None = restricts(until_moment, runs.c.started_at)
    exclude_retries: bool = restricts(
        _is_last,
        default=True,
        description="Only of the last phase of a name within its run.",
    )
    # NULL for what is no number, which no bound lets through.
    value_min: float | None = restricts(at_least, measurements.c.number)
    value_max: float | None = restricts(at_most, measurements.c.number)
    value_bool: bool | None = restricts(_is_boolean)
    value_strings: list[str] | None = restricts(_is_text)
    measurement_outcomes: list[Judgement] | None = restricts(
        among, measurements.c.outcome
    )
    measurement_types: list[MeasurementKind] | None = restricts(_of_kinds)
    sorts: ClassVar = {
        "started_at": sa.func.coalesce(runs.c.started_at, runs.c.created_at),
        # SQLite sorts NULL before all numbers, PostgreSQL after them.
        "value": sa.func.coalesce(measurements.c.number, 0.0),
        "outcome": measurements.c.outcome,
        "serial_number": units.c.serial_key,
        "phase_name": phases.c.name,
        "measurement_name": test_points.c.name,
    }
    sort_by: Literal[
        "started_at",
        "value",
        "outcome",
        "serial_number",
        "phase_name",
        "measurement_name",
    ] = "started_at"


# Moments are kept as ISO 8601 text in UTC, which sorts.
def _logged_after(moment: datetime) -> list[Condition]:
    return [logs.c.timestamp >= iso_from_micros(to_micros(moment))]


def _logged_before(moment: datetime) -> list[Condition]:
    return [logs.c.timestamp <= iso_from_micros(to_micros(moment))]


@attrs.frozen(kw_only=True)
class LogQuery(QueryOfRuns):
    """The parameters of ``GET /v2/logs``."""

    procedure_ids: list[str] | None = restricts(of_procedures)
    search_query: str | None = restricts(
        contains, logs.c.message, description="Within the message."
    )
    levels: list[Level] | None = restricts(among, logs.c.level)
    timestamp_after: datetime | None = restricts(_logged_after)
    timestamp_before: datetime | None = restricts(_logged_before)
    source_files: list[str] | None = restricts(among, logs.c.source_file)
    run_ids: list[str] | None = restricts(id_in, runs.c.id)
    run_outcomes: list[Outcome] | None = restricts(among, runs.c.outcome)
    samples: list[SampleOrProduct] | None = restricts(sampled)
    sorts: ClassVar = {
        "created_at": logs.c.timestamp,
        "level": logs.c.level,
        "run_id": runs.c.id,
        "outcome": runs.c.outcome,
    }
    sort_by: Literal["created_at", "level", "run_id", "outcome"] = "created_at"


def find_phases(
    connection: sa.Connection, wanted: PhaseQuery, principal: Principal
) -> RowPage:
    """List phases of runs; raises as :func:`page_of_runs`."""
    return page_of_runs(connection, _PHASES, wanted, principal, phases.c.position)


def find_measurements(
    connection: sa.Connection, wanted: MeasurementQuery, principal: Principal
) -> RowPage:
    """List measurements of runs, each with its phase; raises likewise."""
    then = (measurements.c.phase_position, measurements.c.position)
    return page_of_runs(connection, _MEASUREMENTS, wanted, principal, *then)


def values_of(connection: sa.Connection, rows: Iterable[Row]) -> list[str | None]:
    """
    Give the JSON of the values of measurements that a list has found.

    Of values that are kept apart only texts are given: a list shows no others, and
    those of a page may not fit into memory.
    """
    large = LargeValues(connection)
    return [
        large.text(
            row.value,
            run=row.run_key,
            phase=row.phase_position,
            position=row.position,
        )
        if row.value is not None and kind_of_shortened(row.value) in (None, "string")
        else None
        for row in rows
    ]


def kind_of_shortened(value: str | None) -> MeasurementKind | None:
    """Tell the kind of a value that is kept apart; None for one in its row."""
    if value is None or not is_shortened(value):
        return None
    if value.startswith('"'):
        return "string"
    if value.startswith("[["):
        return "multidimensional"
    return "json" if value[0] in "[{" else "numeric"


def find_logs(
    connection: sa.Connection, wanted: LogQuery, principal: Principal
) -> RowPage:
    """List log lines, each with its run, unit and procedure; raises likewise."""
    return page_of_runs(connection, _LOGS, wanted, principal, logs.c.position)
