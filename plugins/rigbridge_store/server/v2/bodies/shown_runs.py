"""The bodies that v2 answers of runs."""

from __future__ import annotations

from typing import Any

import attrs
from msgspec import UNSET, UnsetType

from rigbridge_store.reading.lists.query import (
    Judgement,
    Level,
    Outcome,
    PhaseOutcome2,
    Sample,
)
from rigbridge_store.server.v2.bodies.sent_runs import MetadataValue, SequenceOutcome
from rigbridge_store.server.v2.bodies.shared import (
    Meta,
    Named,
    Numbered,
    Person,
    ShownPart,
)

__all__ = [
    "Operator",
    "RunList",
    "RunSummary",
    "ShownAggregation",
    "ShownAttachment",
    "ShownAxis",
    "ShownLog",
    "ShownMeasurement",
    "ShownPhase",
    "ShownProcedure",
    "ShownRun",
    "ShownSequence",
    "ShownSubUnit",
    "ShownUnit",
    "ShownValidator",
    "ShownVersion",
]


@attrs.frozen(kw_only=True)
class Operator:
    """An operator: a user, or a declared name without an account."""

    id: str | None
    name: str | None
    email: str | None


@attrs.frozen(kw_only=True)
class ShownVersion:
    """A version of a procedure."""

    id: str
    tag: str


@attrs.frozen(kw_only=True)
class ShownProcedure:
    """The procedure of a run."""

    id: str
    name: str
    version: ShownVersion | None


@attrs.frozen(kw_only=True)
class ShownUnit:
    """The unit of a run."""

    id: str
    serial_number: str
    sample: Sample | None
    part: ShownPart
    batch: Numbered | None


@attrs.frozen(kw_only=True)
class ShownValidator:
    """A condition and its verdict."""

    outcome: Judgement
    operator: str | None
    expected_value: Any
    expression: str
    is_decisive: bool | None
    is_expression_only: bool
    analytics_expression: str | None
    has_custom_expression: bool


@attrs.frozen(kw_only=True)
class ShownAggregation:
    """A number made of many."""

    id: str
    type: str
    outcome: Judgement | None
    value: float | int | str | bool | None
    unit: str | None
    validators: list[ShownValidator] | None


@attrs.frozen(kw_only=True)
class ShownAxis:
    """A column of points."""

    data: list[Any]
    units: str | None
    name: str | None
    description: str | None
    validators: list[ShownValidator] | None
    aggregations: list[ShownAggregation] | None


@attrs.frozen(kw_only=True)
class ShownMeasurement:
    """A measurement."""

    id: str
    name: str
    outcome: Judgement
    validators: list[ShownValidator] | None
    units: str | None
    aggregations: list[ShownAggregation] | None
    docstring: str | None
    measured_value: Any = UNSET
    data_series: list[ShownAxis] | UnsetType = UNSET


@attrs.frozen(kw_only=True)
class ShownPhase:
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


@attrs.frozen(kw_only=True)
class ShownSequence:
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


@attrs.frozen(kw_only=True)
class ShownAttachment:
    """A file; its URL is good for a while, without a key."""

    id: str
    name: str
    size: int | None
    content_type: str | None
    is_report: bool
    download_url: str | None


@attrs.frozen(kw_only=True)
class ShownLog:
    """A line of the log."""

    id: str
    level: Level
    timestamp: str
    message: str
    source_file: str
    line_number: int


@attrs.frozen(kw_only=True)
class ShownSubUnit:
    """A unit built into that of the run."""

    id: str
    serial_number: str
    part_number: str
    part_name: str | None


@attrs.frozen(kw_only=True)
class RunSummary:
    """A run in a list."""

    id: str
    created_at: str
    started_at: str
    ended_at: str
    duration: str
    outcome: Outcome
    execution_id: str | None
    slot_key: str | None
    slot_name: str | None
    procedure: ShownProcedure
    unit: ShownUnit
    docstring: str | None
    created_by_user: Person | None
    created_by_station: Named | None
    operated_by: Operator | None
    metadata: dict[str, MetadataValue] | UnsetType = UNSET
    sequences: list[ShownSequence] | UnsetType = UNSET


@attrs.frozen(kw_only=True)
class ShownRun(RunSummary):
    """A run with all that it holds."""

    phases: list[ShownPhase]
    attachments: list[ShownAttachment]
    logs: list[ShownLog]
    sub_units: list[ShownSubUnit]


@attrs.frozen(kw_only=True)
class RunList:
    """A page of runs."""

    data: list[RunSummary]
    meta: Meta
