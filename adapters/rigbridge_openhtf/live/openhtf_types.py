"""
OpenHTF's objects as far as they are read here: OpenHTF has no type hints of its own.

A value is ``object`` where the author of the test may put in anything. An attribute
that not every release has is read with ``getattr`` and a default, and not named here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

__all__ = [
    "LiveAttachment",
    "LiveCode",
    "LiveLog",
    "LiveMeasurement",
    "LivePhase",
    "LiveRecord",
    "LiveResult",
    "LiveTest",
    "LiveUnit",
]


class LiveCode(Protocol):
    """An ``openhtf.core.test_record.CodeInfo``."""

    name: object
    docstring: object
    sourcecode: object


class LiveLog(Protocol):
    """An ``openhtf.util.logs.LogRecord``."""

    level: object
    logger_name: object
    source: object
    lineno: object
    timestamp_millis: object
    message: object


class LiveUnit(Protocol):
    """A unit of ``openhtf.util.units``, or a ``Dimension``."""

    name: object
    code: object
    suffix: object


class LiveValue(Protocol):
    """A ``MeasuredValue``, or a ``DimensionedMeasuredValue`` with its rows."""

    is_value_set: bool
    value: Any


class LiveMeasurement(Protocol):
    """An ``openhtf.core.measurements.Measurement``."""

    name: object
    outcome: object
    measured_value: LiveValue
    units: LiveUnit | None
    dimensions: Sequence[LiveUnit] | None
    validators: Iterable[object]
    docstring: object


class LiveAttachment(Protocol):
    """An ``openhtf.core.test_record.Attachment``."""

    mimetype: object
    data: bytes


class LiveResult(Protocol):
    """An ``openhtf.core.phase_executor.PhaseExecutionOutcome``."""

    phase_result: Any


class LivePhase(Protocol):
    """An ``openhtf.core.test_record.PhaseRecord``."""

    name: object
    outcome: object
    result: LiveResult | None
    start_time_millis: object
    end_time_millis: object
    codeinfo: LiveCode | None
    measurements: Mapping[str, LiveMeasurement] | None
    attachments: Mapping[str, LiveAttachment] | None
    options: object


class LiveDetail(Protocol):
    """An ``openhtf.core.test_record.OutcomeDetails``."""

    code: object
    description: object


class LiveRecord(Protocol):
    """An ``openhtf.core.test_record.TestRecord``."""

    dut_id: object
    station_id: object
    outcome: object
    outcome_details: Iterable[LiveDetail]
    start_time_millis: object
    end_time_millis: object
    metadata: Mapping[Any, object]
    code_info: LiveCode | None
    phases: Sequence[LivePhase]
    log_records: Iterable[LiveLog]


class LiveTest(Protocol):
    """An ``openhtf.Test``, as a script has it."""

    def add_output_callbacks(self, *callbacks: object) -> object:
        """Have the callbacks called with the record of each execution."""
        ...

    def get_option(self, option: str, /) -> Any:
        """Give an option of the test."""
        ...
