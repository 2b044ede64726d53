"""
The body of ``POST /v1/runs`` and its answer.

Field by field the v1 contract of the run store. ``UNSET`` fields are absent from the
JSON; ``rigbridge`` is our superset, which only our own store takes.
"""

from __future__ import annotations

from typing import Any

import attrs
from msgspec import UNSET, UnsetType

from rigbridge.model import (
    JSONValue,
    LogLevel,
    MeasurementOutcome,
    PhaseOutcome,
    RunOutcome,
)

__all__ = [
    "CreateRun",
    "Created",
    "WireLog",
    "WireMeasurement",
    "WirePhase",
    "WireStep",
    "WireSubUnit",
    "WireUnit",
]


@attrs.frozen(kw_only=True)
class WireUnit:
    """``unit_under_test``: the unit, found or created by its serial number."""

    serial_number: str
    part_number: str | UnsetType | None = UNSET
    part_name: str | UnsetType | None = UNSET
    revision: str | UnsetType | None = UNSET
    batch_number: str | UnsetType | None = UNSET


@attrs.frozen(kw_only=True)
class WireSubUnit:
    """A member of ``sub_units``: a unit that exists already."""

    serial_number: str


@attrs.frozen(kw_only=True)
class WireMeasurement:
    """
    A measurement of a phase.

    ``measured_value`` is a number, text, boolean, object or list; a series is a list
    of rows with the measured value last, and ``units`` then one text a column. A
    non-finite number travels as ``"NaN"``, ``"Infinity"`` or ``"-Infinity"``.
    """

    name: str
    outcome: MeasurementOutcome
    measured_value: Any = UNSET
    units: str | list[str] | UnsetType | None = UNSET
    lower_limit: float | int | UnsetType | None = UNSET
    upper_limit: float | int | UnsetType | None = UNSET
    validators: list[str] | UnsetType | None = UNSET
    docstring: str | UnsetType | None = UNSET


@attrs.frozen(kw_only=True)
class WirePhase:
    """A phase; its times are Unix epoch milliseconds."""

    name: str
    outcome: PhaseOutcome
    start_time_millis: int | float
    end_time_millis: int | float
    measurements: list[WireMeasurement] | UnsetType | None = UNSET
    docstring: str | UnsetType | None = UNSET


@attrs.frozen(kw_only=True)
class WireLog:
    """A log line; all five fields are required."""

    level: LogLevel
    timestamp: str
    message: str
    source_file: str
    line_number: int


@attrs.frozen(kw_only=True)
class WireStep:
    """A member of the deprecated ``steps``; a server makes a phase of it."""

    name: str
    step_passed: bool
    duration: str | UnsetType | None = UNSET
    started_at: str | UnsetType | None = UNSET
    measurement_value: float | int | str | UnsetType | None = UNSET
    measurement_unit: str | UnsetType | None = UNSET
    limit_low: float | int | UnsetType | None = UNSET
    limit_high: float | int | UnsetType | None = UNSET


@attrs.frozen(kw_only=True)
class CreateRun:
    """
    The body of ``POST /v1/runs``.

    ``outcome`` wins over ``run_passed``; one of ``procedure_id`` and
    ``procedure_name`` is required; ``ended_at`` and ``duration`` must agree.

    ``rigbridge`` (ours) is what v1 has no field for, as
    :mod:`rigbridge.convert` makes it; other servers never see it.
    """

    unit_under_test: WireUnit
    run_passed: bool
    outcome: RunOutcome | UnsetType | None = UNSET
    procedure_id: str | UnsetType | None = UNSET
    procedure_name: str | UnsetType | None = UNSET
    procedure_version: str | UnsetType | None = UNSET
    started_at: str | UnsetType | None = UNSET
    ended_at: str | UnsetType | None = UNSET
    duration: str | UnsetType | None = UNSET
    operated_by: str | UnsetType | None = UNSET
    docstring: str | UnsetType | None = UNSET
    sub_units: list[WireSubUnit] | UnsetType | None = UNSET
    phases: list[WirePhase] | UnsetType | None = UNSET
    logs: list[WireLog] | UnsetType | None = UNSET
    steps: list[WireStep] | UnsetType | None = UNSET
    client: str | UnsetType | None = UNSET
    client_version: str | UnsetType | None = UNSET
    rigbridge: dict[str, JSONValue] | UnsetType | None = UNSET


@attrs.frozen(kw_only=True)
class Created:
    """
    The answer to a create.

    Newer servers give ``id``; older ones only a message with the run's URL in it.
    """

    id: str | None = None
    url: str | None = None
    message: str | None = None
    warnings: list[JSONValue] | None = None
