"""The bodies that v2 answers of runs, phases, measurements and log lines."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, UnsetType

from rigbridge_store.reading.lists.query import (
    Judgement,
    Level,
    MeasurementKind,
    Outcome,
    PhaseOutcome2,
    Sample,
)
from rigbridge_store.server.v2.bodies.sent_runs import (
    MetadataValue,
    SequenceOutcome,
    ValueSource,
)
from rigbridge_store.server.v2.bodies.shared import (
    Body,
    LinkedFile,
    LinkedRun,
    LinkedStation,
    LinkedUnit,
    Named,
    Numbered,
    Person,
    ShownPart,
)

__all__ = [
    "ListedLog",
    "ListedMeasurement",
    "ListedPhase",
    "MeasurementDetails",
    "MeasurementRun",
    "Operator",
    "PhaseDetails",
    "PhaseRun",
    "RunSummary",
    "ShownAggregation",
    "ShownAttachment",
    "ShownAxis",
    "ShownConfig",
    "ShownLog",
    "ShownMeasurement",
    "ShownPhase",
    "ShownProcedure",
    "ShownRun",
    "ShownSecret",
    "ShownSequence",
    "ShownSubUnit",
    "ShownUnit",
    "ShownValidator",
    "ShownVersion",
]


class Operator(Body, frozen=True, kw_only=True):
    """An operator: a user, or a declared name without an account."""

    id: str | None
    name: str | None
    email: str | None
    image: None = None


class ShownVersion(Body, frozen=True, kw_only=True):
    """A version of a procedure."""

    id: str
    tag: str


class ShownProcedure(Named, frozen=True, kw_only=True):
    """The procedure of a run."""

    version: ShownVersion | None


class ShownUnit(LinkedUnit, frozen=True, kw_only=True):
    """The unit of a run."""

    sample: Sample | None
    part: ShownPart
    batch: Numbered | None


class ShownValidator(Body, frozen=True, kw_only=True):
    """A condition and its verdict."""

    outcome: Judgement
    operator: str | None
    expected_value: Any
    expression: str
    is_decisive: bool | None
    is_expression_only: bool
    analytics_expression: str | None
    has_custom_expression: bool


class ShownAggregation(Body, frozen=True, kw_only=True):
    """A number made of many."""

    id: str
    type: str
    outcome: Judgement | None
    value: float | int | str | bool | None
    unit: str | None
    validators: list[ShownValidator] | None


class ShownAxis(Body, frozen=True, kw_only=True):
    """A column of points."""

    data: list[Any]
    units: str | None
    name: str | None
    description: str | None
    validators: list[ShownValidator] | None
    aggregations: list[ShownAggregation] | None


class ShownMeasurement(Body, frozen=True, kw_only=True):
    """A measurement."""

    id: str
    name: str
    outcome: Judgement
    validators: list[ShownValidator] | None
    units: str | None
    aggregations: list[ShownAggregation] | None
    docstring: str | None
    # Absent where there is no value, or where it is shown as axes.
    measured_value: Any = UNSET
    data_series: list[ShownAxis] | UnsetType = UNSET


class ShownPhase(Body, frozen=True, kw_only=True):
    """A phase."""

    id: str
    name: str
    outcome: PhaseOutcome2
    started_at: str
    ended_at: str
    duration: str
    retry_count: int
    sequence_path: str | None
    measurements: list[ShownMeasurement]
    docstring: str | None


class ShownSequence(Body, frozen=True, kw_only=True):
    """A call of a sequence."""

    id: str
    path: str
    key: str
    parent_path: str | None
    name: str
    source: str | None
    outcome: SequenceOutcome
    started_at: str | None
    ended_at: str | None
    duration: str | None


class ShownAttachment(LinkedFile, frozen=True, kw_only=True):
    """A file; its URL is good for a while, without a key."""

    is_report: bool


class ShownLog(Body, frozen=True, kw_only=True):
    """A line of the log."""

    id: str
    level: Level
    timestamp: str
    message: str
    source_file: str
    line_number: int


class ShownSubUnit(LinkedUnit, frozen=True, kw_only=True):
    """A unit built into that of the run."""

    part_number: str
    part_name: str | None


class ShownSecret(Body, frozen=True, kw_only=True):
    """A secret that a run used, without its value."""

    key: str
    variable_id: str | None = None
    version: int | None = None
    source: ValueSource | None = None


class ShownConfig(ShownSecret, frozen=True, kw_only=True):
    """A configured value that a run used."""

    value: MetadataValue


class RunSummary(LinkedRun, frozen=True, kw_only=True):
    """A run in a list."""

    created_at: str
    ended_at: str
    duration: str
    execution_id: str | None
    slot_key: str | None
    slot_name: str | None
    procedure: ShownProcedure
    unit: ShownUnit
    docstring: str | None
    created_by_user: Person | None
    created_by_station: LinkedStation | None
    operated_by: Operator | None
    metadata: dict[str, MetadataValue] | UnsetType = UNSET
    sequences: list[ShownSequence] | UnsetType = UNSET


class ShownRun(RunSummary, frozen=True, kw_only=True):
    """A run with all that it holds."""

    phases: list[ShownPhase]
    attachments: list[ShownAttachment]
    logs: list[ShownLog]
    sub_units: list[ShownSubUnit]
    config: list[ShownConfig]
    secrets: list[ShownSecret]


class ListedPhase(Body, frozen=True, kw_only=True):
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


class PhaseRun(Body, frozen=True, kw_only=True):
    """The run of a phase."""

    id: str
    serial_number: str | None


class PhaseDetails(ShownPhase, frozen=True, kw_only=True):
    """A phase with its measurements."""

    run: PhaseRun
    procedure: Named


class ListedMeasurement(Body, frozen=True, kw_only=True):
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


class MeasurementRun(PhaseRun, frozen=True, kw_only=True):
    """The run of a measurement."""

    outcome: str | None


class MeasurementDetails(ShownMeasurement, frozen=True, kw_only=True):
    """A measurement with what it belongs to."""

    phase: Named
    run: MeasurementRun
    procedure: Named


class ListedLog(Body, frozen=True, kw_only=True):
    """A log line with what it belongs to."""

    id: str
    level: Level
    message: str
    created_at: str
    source_file: str | None
    line_number: int | None
    run: LinkedRun
    unit: LinkedUnit
    procedure: Named
    created_by_user: Person | None
    created_by_station: LinkedStation | None
