"""
OpenHTF's objects as far as they are read here: OpenHTF has no type hints of its own.

A value is ``object`` where the author of the test may put in anything. An attribute
that not every release has is read with ``getattr`` and a default, and not named here.
Small parts, all of whose attributes are read at one place, are ``Any``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

__all__ = [
    "LiveAttachment",
    "LiveMeasurement",
    "LivePhase",
    "LiveRecord",
    "LiveTest",
]


class LiveMeasurement(Protocol):
    """An ``openhtf.core.measurements.Measurement``."""

    name: object
    outcome: object
    measured_value: Any
    units: Any
    dimensions: Sequence[Any] | None
    validators: Iterable[object]
    docstring: object


class LiveAttachment(Protocol):
    """An ``openhtf.core.test_record.Attachment``."""

    mimetype: object
    data: bytes


class LivePhase(Protocol):
    """An ``openhtf.core.test_record.PhaseRecord``."""

    name: object
    outcome: object
    result: Any
    start_time_millis: object
    end_time_millis: object
    codeinfo: Any
    measurements: Mapping[str, LiveMeasurement] | None
    attachments: Mapping[str, LiveAttachment] | None
    options: object


class LiveRecord(Protocol):
    """An ``openhtf.core.test_record.TestRecord``."""

    dut_id: object
    station_id: object
    outcome: object
    outcome_details: Iterable[Any]
    start_time_millis: object
    end_time_millis: object
    metadata: Mapping[Any, object]
    code_info: Any
    phases: Sequence[LivePhase]
    log_records: Iterable[Any]


class LiveTest(Protocol):
    """An ``openhtf.Test``, as a script has it."""

    def add_output_callbacks(self, *callbacks: object) -> object:
        """Have the callbacks called with the record of each execution."""
        ...

    def get_option(self, option: str, /) -> Any:
        """Give an option of the test."""
        ...
