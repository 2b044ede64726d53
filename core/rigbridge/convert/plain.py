"""
Reads a run from its v1 payload alone, without the sidecar.

These rules are the base that every sidecar refers to: they belong to its format's
version and must not change within it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar, cast
from uuid import UUID

from msgspec import UnsetType

from rigbridge.convert.numbers import read_number
from rigbridge.convert.times import from_iso, from_iso_duration, from_millis
from rigbridge.errors import ModelError, RunProblemsError
from rigbridge.model import (
    Axis,
    Limit,
    LogEntry,
    Measurement,
    MeasurementValue,
    Phase,
    ProcedureRef,
    Run,
    RunOutcome,
    Scalar,
    Series,
    SubUnit,
    Unit,
)
from rigbridge.wire import CreateRun, WireLog, WireMeasurement, WirePhase

__all__ = ["read_measurement", "read_plain", "read_value"]

_T = TypeVar("_T")


def read_plain(body: CreateRun, *, run_id: UUID) -> Run:
    """
    Read a run from a payload without a sidecar.

    Raises:
        RunProblemsError: values that make no run, each with its path.
    """
    reader = _PlainReader()
    run = reader.run(body, run_id)
    if reader.problems or run is None:
        raise RunProblemsError("is no valid payload", reader.problems)
    return run


def read_measurement(measurement: WireMeasurement) -> Measurement:
    """
    Read one measurement of a payload.

    Raises:
        ModelError: values that make none.
    """
    return _PlainReader().measurement(measurement, "$")


def _known(value: _T | UnsetType | None) -> _T | None:
    return None if isinstance(value, UnsetType) else value


def _text(value: str | UnsetType | None) -> str | None:
    known = _known(value)
    # Blank texts of a payload mean the same as absent ones.
    return known if known and not known.isspace() else None


class _PlainReader:
    """Reads one payload, gathering problems instead of stopping at the first."""

    def __init__(self) -> None:
        self.problems: list[ModelError] = []

    def made(self, path: str, make: Callable[[], _T]) -> _T | None:
        try:
            return make()
        except ModelError as error:
            field = error.path.rpartition(".")[2]
            named = path if path.endswith(field) else f"{path}.{field}"
            self.problems.append(
                ModelError(error.message, path=named, remedy=error.remedy)
            )
            return None

    def time(self, value: str | UnsetType | None, path: str) -> datetime | None:
        text = _text(value)
        if text is None:
            return None
        return self.made(path, lambda: from_iso(text, path=path))

    def run(self, body: CreateRun, run_id: UUID) -> Run | None:
        unit = body.unit_under_test
        started = self.time(body.started_at, "$.started_at")
        outcome = _known(body.outcome)
        if outcome is None:
            # Payloads of the oldest clients have the verdict only.
            outcome = RunOutcome.PASS if body.run_passed else RunOutcome.FAIL
        phases = self.members(_known(body.phases), "$.phases", self.phase)
        logs = self.members(_known(body.logs), "$.logs", self.log)
        sub_units = self.members(
            _known(body.sub_units),
            "$.sub_units",
            lambda item, _: SubUnit(serial_number=item.serial_number),
        )
        return self.made(
            "$",
            lambda: Run(
                id=run_id,
                outcome=outcome,
                procedure=ProcedureRef(
                    id=_text(body.procedure_id),
                    name=_text(body.procedure_name),
                    version=_text(body.procedure_version),
                ),
                unit=Unit(
                    serial_number=_text(unit.serial_number),
                    part_number=_text(unit.part_number),
                    part_name=_text(unit.part_name),
                    revision=_text(unit.revision),
                    batch_number=_text(unit.batch_number),
                ),
                sub_units=sub_units,
                started_at=started,
                ended_at=self.end(body, started),
                operator=_text(body.operated_by),
                docstring=_text(body.docstring),
                phases=phases,
                logs=logs,
            ),
        )

    # The end counts more than the duration, which is rounded.
    def end(self, body: CreateRun, started: datetime | None) -> datetime | None:
        if _text(body.ended_at) is not None:
            return self.time(body.ended_at, "$.ended_at")
        text = _text(body.duration)
        if text is None or started is None:
            return None
        path = "$.duration"
        duration = self.made(
            path, lambda: from_iso_duration(text, path=path, start=started)
        )
        return None if duration is None else started + duration

    def members(
        self,
        items: Sequence[Any] | None,
        path: str,
        read: Callable[[Any, str], _T],
    ) -> tuple[_T, ...]:
        made: list[_T] = []
        for index, item in enumerate(items or ()):
            place = f"{path}[{index}]"
            member = self.made(place, partial(read, item, place))
            if member is not None:
                made.append(member)
        return tuple(made)

    def phase(self, phase: WirePhase, path: str) -> Phase:
        return Phase(
            name=phase.name,
            outcome=phase.outcome,
            started_at=from_millis(
                phase.start_time_millis, path=f"{path}.start_time_millis"
            ),
            ended_at=from_millis(phase.end_time_millis, path=f"{path}.end_time_millis"),
            measurements=self.members(
                _known(phase.measurements), f"{path}.measurements", self.measurement
            ),
            docstring=_text(phase.docstring),
        )

    def measurement(self, measurement: WireMeasurement, path: str) -> Measurement:
        del path
        units = _known(measurement.units)
        lower = _known(measurement.lower_limit)
        upper = _known(measurement.upper_limit)
        # v1 reads both limits as inclusive, which is the default of the model.
        unlimited = lower is None and upper is None
        return Measurement(
            name=measurement.name,
            outcome=measurement.outcome,
            value=read_value(_known(measurement.measured_value), units),
            unit=_text(units) if isinstance(units, str) else None,
            limits=None if unlimited else Limit(lower=lower, upper=upper),
            validators=tuple(_known(measurement.validators) or ()),
            docstring=_text(measurement.docstring),
        )

    def log(self, log: WireLog, path: str) -> LogEntry:
        return LogEntry(
            level=log.level,
            message=log.message,
            time=from_iso(log.timestamp, path=f"{path}.timestamp"),
            source_file=_text(log.source_file),
            # 0 is what a writer without a line number sends.
            line=log.line_number or None,
        )


def read_value(
    value: MeasurementValue, units: str | Sequence[str] | None
) -> MeasurementValue:
    """Read a measured value: rows of a table as a series, anything else as it is."""
    rows = _rows(value)
    if rows is None:
        return read_number(value)
    width = len(rows[0])
    named: Sequence[str] = [""] * width
    if not isinstance(units, str) and units is not None and len(units) == width:
        named = units
    return Series(
        axes=tuple(
            Axis(unit=_text(unit), values=[read_number(row[column]) for row in rows])
            for column, unit in enumerate(named)
        )
    )


def _rows(value: MeasurementValue) -> list[list[Scalar]] | None:
    """Give the rows of a table, all of one width; None if the value is no table."""
    if not isinstance(value, list) or not value:
        return None
    width = len(value[0]) if isinstance(value[0], list) else 0
    scalars = (str, int, float, bool, type(None))
    # Rows of one width make a series; any other list is a value of its own.
    even = width > 0 and all(
        isinstance(row, list)
        and len(row) == width
        and all(isinstance(cell, scalars) for cell in row)
        for row in value
    )
    return cast("list[list[Scalar]]", value) if even else None
