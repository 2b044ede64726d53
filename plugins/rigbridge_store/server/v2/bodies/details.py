"""The bodies of the v2 calls about phases, measurements and log lines."""

from __future__ import annotations

import attrs

from rigbridge_store.reading.lists.query import (
    Judgement,
    Level,
    MeasurementKind,
    Outcome,
    PhaseOutcome2,
    Sample,
)
from rigbridge_store.server.v2.bodies.shared import Meta, Named, Person
from rigbridge_store.server.v2.bodies.shown_runs import (
    ShownMeasurement,
    ShownPhase,
    ShownValidator,
)
from rigbridge_store.server.v2.bodies.units import LinkedUnit

__all__ = [
    "ListedLog",
    "ListedMeasurement",
    "ListedPhase",
    "LogList",
    "LogRun",
    "MeasurementDetails",
    "MeasurementList",
    "MeasurementRun",
    "PhaseDetails",
    "PhaseList",
    "PhaseRun",
]


@attrs.frozen(kw_only=True)
class ListedPhase:
    """A phase in a list."""

    id: str
    name: str
    outcome: PhaseOutcome2
    started_at: str | None
    ended_at: str | None
    duration_ms: int | None
    retry_count: int
    sequence_path: str | None
    is_final_attempt: bool
    run_id: str
    run_outcome: Outcome
    serial_number: str | None
    sample: Sample | None


@attrs.frozen(kw_only=True)
class PhaseList:
    """A page of phases."""

    data: list[ListedPhase]
    meta: Meta


@attrs.frozen(kw_only=True)
class PhaseRun:
    """The run of a phase."""

    id: str
    serial_number: str | None


@attrs.frozen(kw_only=True)
class PhaseDetails(ShownPhase):
    """A phase with its measurements."""

    run: PhaseRun
    procedure: Named


@attrs.frozen(kw_only=True)
class ListedMeasurement:
    """A measurement in a list."""

    id: str
    phase_name: str
    measurement_name: str
    started_at: str | None
    value: float | int | None
    bool_value: bool | None
    string_value: str | None
    units: str | None
    measurement_outcome: Judgement
    run_id: str
    serial_number: str | None
    sample: Sample | None
    measurement_type: MeasurementKind
    retry_count: int
    is_final_attempt: bool
    validators: list[ShownValidator] | None


@attrs.frozen(kw_only=True)
class MeasurementList:
    """A page of measurements."""

    data: list[ListedMeasurement]
    meta: Meta


@attrs.frozen(kw_only=True)
class MeasurementRun:
    """The run of a measurement."""

    id: str
    outcome: str | None
    serial_number: str | None


@attrs.frozen(kw_only=True)
class MeasurementDetails(ShownMeasurement):
    """A measurement with what it belongs to."""

    phase: Named
    run: MeasurementRun
    procedure: Named


@attrs.frozen(kw_only=True)
class LogRun:
    """The run of a log line."""

    id: str
    outcome: Outcome
    started_at: str


@attrs.frozen(kw_only=True)
class ListedLog:
    """A log line with what it belongs to."""

    id: str
    level: Level
    message: str
    created_at: str
    source_file: str | None
    line_number: int | None
    run: LogRun
    unit: LinkedUnit
    procedure: Named
    created_by_user: Person | None
    created_by_station: Named | None


@attrs.frozen(kw_only=True)
class LogList:
    """A page of log lines."""

    data: list[ListedLog]
    meta: Meta
