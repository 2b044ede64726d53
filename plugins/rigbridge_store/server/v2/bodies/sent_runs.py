"""The bodies that v2 clients send of runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import UNSET, UnsetType

from rigbridge.model import LogLevel, MeasurementOutcome, PhaseOutcome
from rigbridge_store.reading.lists.query import Outcome
from rigbridge_store.server.v2.bodies.shared import Sent

__all__ = [
    "Aggregation",
    "ChangeMetadata",
    "CreateMeasurement",
    "CreatePhase",
    "CreateRun2",
    "DataAxis",
    "LogLine",
    "MetadataValue",
    "SequenceCall",
    "SequenceOutcome",
    "UpdateRun2",
    "Validator",
    "ValueSource",
]


SequenceOutcome = Literal["PASS", "FAIL", "ERROR", "TIMEOUT", "ABORTED", "SKIP"]
"""The verdicts of a sequence call."""

ValueSource = Literal[
    "default", "shell", "dotenv", "process", "station", "procedure", "organization"
]
"""Where a configured value came from."""

MetadataValue = str | float | int | bool
"""A value of custom metadata."""


class Validator(Sent, frozen=True, kw_only=True):
    """A condition that a value was judged by, with its own verdict."""

    outcome: MeasurementOutcome | UnsetType | None = UNSET
    operator: str | UnsetType | None = UNSET
    expected_value: Any = UNSET
    expression: str | UnsetType | None = UNSET
    is_decisive: bool | UnsetType | None = UNSET


class Aggregation(Sent, frozen=True, kw_only=True):
    """A number made of many (``min``, ``avg``, ``percentile_95``)."""

    type: str
    outcome: MeasurementOutcome | UnsetType | None = UNSET
    value: float | int | str | bool | UnsetType | None = UNSET
    unit: str | UnsetType | None = UNSET
    validators: list[Validator] | UnsetType | None = UNSET


class DataAxis(Sent, frozen=True, kw_only=True):
    """One column of a measurement of many points."""

    data: list[float | int]
    units: str | UnsetType | None = UNSET
    name: str | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET
    validators: list[Validator] | UnsetType | None = UNSET
    aggregations: list[Aggregation] | UnsetType | None = UNSET


class CreateMeasurement(Sent, frozen=True, kw_only=True):
    """A measurement: one value, or axes."""

    name: str
    outcome: MeasurementOutcome
    x_axis: DataAxis | UnsetType | None = UNSET
    y_axis: list[DataAxis] | UnsetType | None = UNSET
    measured_value: Any = UNSET
    units: str | list[str] | UnsetType | None = UNSET
    lower_limit: float | int | UnsetType | None = UNSET
    upper_limit: float | int | UnsetType | None = UNSET
    validators: list[Validator | str] | UnsetType | None = UNSET
    aggregations: list[Aggregation] | UnsetType | None = UNSET
    docstring: str | UnsetType | None = UNSET


class CreatePhase(Sent, frozen=True, kw_only=True):
    """A phase; a repeated one comes with its number of tries before."""

    name: str
    outcome: PhaseOutcome
    started_at: datetime
    ended_at: datetime
    docstring: str | UnsetType | None = UNSET
    measurements: list[CreateMeasurement] | UnsetType | None = UNSET
    retry_count: int | UnsetType | None = UNSET
    sequence_path: str | UnsetType | None = UNSET


class SequenceCall(Sent, frozen=True, kw_only=True):
    """A call of a sequence of phases, by its path among the others."""

    path: str
    name: str
    outcome: SequenceOutcome
    source: str | UnsetType | None = UNSET
    started_at: datetime | UnsetType | None = UNSET
    ended_at: datetime | UnsetType | None = UNSET


class LogLine(Sent, frozen=True, kw_only=True):
    """A line of the log."""

    level: LogLevel
    timestamp: datetime
    message: str
    source_file: str
    line_number: int


class UsedSecret(Sent, frozen=True, kw_only=True):
    """A secret that a run used: which one, never its value."""

    key: str
    variable_id: str | UnsetType | None = UNSET
    version: int | UnsetType | None = UNSET
    source: ValueSource | UnsetType | None = UNSET


class UsedConfig(UsedSecret, frozen=True, kw_only=True):
    """A configured value that a run used."""

    value: MetadataValue


class CreateRun2(Sent, frozen=True, kw_only=True):
    """``POST /v2/runs``."""

    outcome: Outcome
    procedure_id: str
    started_at: datetime
    ended_at: datetime
    serial_number: str
    deployment_id: str | UnsetType | None = UNSET
    client_run_ref: str | UnsetType | None = UNSET
    execution_id: str | UnsetType | None = UNSET
    slot_key: str | UnsetType | None = UNSET
    slot_name: str | UnsetType | None = UNSET
    procedure_version: str | UnsetType | None = UNSET
    operated_by: str | UnsetType | None = UNSET
    part_number: str | UnsetType | None = UNSET
    revision_number: str | UnsetType | None = UNSET
    batch_number: str | UnsetType | None = UNSET
    sub_units: list[str] | UnsetType | None = UNSET
    docstring: str | UnsetType | None = UNSET
    phases: list[CreatePhase] | UnsetType | None = UNSET
    sequences: list[SequenceCall] | UnsetType | None = UNSET
    logs: list[LogLine] | UnsetType | None = UNSET
    metadata: dict[str, MetadataValue] | UnsetType | None = UNSET
    unit_metadata: dict[str, MetadataValue] | UnsetType | None = UNSET
    config: list[UsedConfig] | UnsetType | None = UNSET
    secrets: list[UsedSecret] | UnsetType | None = UNSET


class UpdateRun2(Sent, frozen=True, kw_only=True):
    """``PATCH /v2/runs/{id}``: completed uploads to link."""

    attachments: list[str] | UnsetType | None = UNSET


class ChangeMetadata(Sent, frozen=True, kw_only=True):
    """``PATCH /v2/runs/{id}/metadata``: null takes a key away."""

    metadata: dict[str, MetadataValue | None] | UnsetType | None = UNSET
