"""A v2 body to a run of the model, with every problem named by its field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import msgspec

from rigbridge.convert.plain import read_value
from rigbridge.errors import ModelError
from rigbridge.model import (
    Axis,
    LogEntry,
    Measurement,
    MeasurementValue,
    Phase,
    ProcedureRef,
    Run,
    RunOutcome,
    Series,
    SubUnit,
    Unit,
)
from rigbridge_store.fields import FieldChecks, known, text_or_none
from rigbridge_store.server.v2.bodies.sent_runs import (
    CreateMeasurement,
    CreatePhase,
    CreateRun2,
    DataAxis,
    LogLine,
)
from rigbridge_store.server.v2.checks import RESERVED, check_metadata, trimmed
from rigbridge_store.server.v2.validators import as_limit, as_text

__all__ = ["run_of"]

_T = TypeVar("_T")


def run_of(body: CreateRun2) -> Run:
    """
    Make a run of a body.

    A ``client_run_ref`` makes the run's id, so that a repeated request is the same
    run.

    Raises:
        BadRequestError: fields that are malformed, all of them.
    """
    return _Maker(body).run()


def _moment(value: datetime, path: str, checks: FieldChecks) -> datetime:
    """Take a time in UTC; one without a zone is that already."""
    # The official clients send times in UTC, some without saying so.
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        checks.report(path, "is outside of the years 1 to 9999")
        return value


_SPELLED = {
    "value": "measured_value",
    "unit": "units",
    "axes": "y_axis",
    "values": "y_axis",
    "line": "line_number",
}
"""What v2 calls those fields of the model that have other names there."""


_KEPT = (
    "sequences",
    "execution_id",
    "slot_key",
    "slot_name",
    "config",
    "secrets",
)
"""The fields that stay together in the metadata of the run, since only v2 has them."""


class _Maker:
    """Makes one run."""

    def __init__(self, body: CreateRun2) -> None:
        self.body = body
        self.checks = FieldChecks()

    def run(self) -> Run:
        body, checks = self.body, self.checks
        started = _moment(body.started_at, "started_at", checks)
        ended = _moment(body.ended_at, "ended_at", checks)
        # In UTC both: wall times of the hour that an autumn repeats would look
        # reversed.
        if ended < started:
            checks.report("ended_at", "is before started_at")
        self._names()
        self._slots()
        self._sequences()
        phases = tuple(
            phase
            for index, item in enumerate(known(body.phases) or ())
            if (phase := self._phase(item, f"phases[{index}]")) is not None
        )
        logs = tuple(
            log
            for index, item in enumerate(known(body.logs) or ())
            if (log := self._log(item, f"logs[{index}]")) is not None
        )
        # All problems at once: who mends a client is told of each in one answer.
        checks.refuse_any()
        return Run(
            id=self._id(),
            outcome=RunOutcome(body.outcome),
            procedure=ProcedureRef(
                id=body.procedure_id, version=trimmed(body.procedure_version)
            ),
            unit=Unit(
                serial_number=body.serial_number.strip(),
                part_number=trimmed(body.part_number),
                revision=trimmed(body.revision_number),
                batch_number=trimmed(body.batch_number),
            ),
            sub_units=tuple(
                SubUnit(serial_number=number.strip())
                for number in known(body.sub_units) or ()
            ),
            started_at=started,
            ended_at=ended,
            operator=trimmed(body.operated_by),
            docstring=text_or_none(body.docstring),
            phases=phases,
            logs=logs,
            metadata=self._metadata(),
        )

    def _id(self) -> UUID:
        reference = text_or_none(self.body.client_run_ref)
        if reference is None:
            return uuid4()
        # The same reference makes the same id on every server.
        return uuid5(NAMESPACE_URL, f"rigbridge:client_run_ref:{reference}")

    def _names(self) -> None:
        body, checks = self.body, self.checks
        for path in ("serial_number", "procedure_id"):
            checks.filled(getattr(body, path), path)
            checks.bounded(getattr(body, path), path)
        for path in (
            "part_number",
            "revision_number",
            "batch_number",
            "client_run_ref",
            "operated_by",
        ):
            given = known(getattr(body, path))
            if given is not None:
                checks.filled(given, path)
                checks.bounded(given.strip(), path)
        checks.version(trimmed(body.procedure_version), "procedure_version")
        for index, number in enumerate(known(body.sub_units) or ()):
            checks.filled(number, f"sub_units[{index}]")
            checks.bounded(number, f"sub_units[{index}]")
        check_metadata(known(body.metadata) or {}, "metadata", checks)
        check_metadata(known(body.unit_metadata) or {}, "unit_metadata", checks)
        for path in ("config", "secrets"):
            for index, item in enumerate(known(getattr(body, path)) or ()):
                checks.filled(item.key, f"{path}[{index}].key")
                checks.bounded(item.key, f"{path}[{index}].key")

    def _slots(self) -> None:
        body = self.body
        for path, needed in (("slot_key", "execution_id"), ("slot_name", "slot_key")):
            given = text_or_none(getattr(body, path))
            if given is not None and text_or_none(getattr(body, needed)) is None:
                self.checks.report(path, f"requires {needed}")

    def _sequences(self) -> None:
        sequences = known(self.body.sequences) or ()
        paths = [sequence.path for sequence in sequences]
        for index, sequence in enumerate(sequences):
            place = f"sequences[{index}].path"
            self.checks.filled(sequence.path, place)
            if sequence.path in paths[:index]:
                self.checks.report(place, "is there twice")
            parent, separator, _ = sequence.path.rpartition("/")
            if separator and parent not in paths:
                self.checks.report(place, f"has no parent {parent!r} in sequences")
        for index, phase in enumerate(known(self.body.phases) or ()):
            path = text_or_none(phase.sequence_path)
            if path is not None and path not in paths:
                place = f"phases[{index}].sequence_path"
                self.checks.report(place, f"names no entry of sequences: {path!r}")

    def _metadata(self) -> dict[str, Any]:
        body = self.body
        extra = {
            name: msgspec.to_builtins(value)
            for name in _KEPT
            if (value := known(getattr(body, name)))
        }
        user = dict(known(body.metadata) or {})
        # Under one name, so that nothing of it meets a name of the user.
        return {**user, RESERVED: extra} if extra else user

    def _made(self, path: str, make: Callable[[], _T]) -> _T | None:
        try:
            return make()
        # The model checks its own limits; v2 clients are told their own field names.
        except ModelError as error:
            field = error.path.rpartition(".")[2]
            self.checks.report(f"{path}.{_SPELLED.get(field, field)}", error.message)
            return None

    def _phase(self, phase: CreatePhase, path: str) -> Phase | None:
        started = _moment(phase.started_at, f"{path}.started_at", self.checks)
        ended = _moment(phase.ended_at, f"{path}.ended_at", self.checks)
        attributes: dict[str, Any] = {}
        retries = known(phase.retry_count)
        if retries is not None and retries < 0:
            self.checks.report(f"{path}.retry_count", "must not be negative")
        if retries:
            attributes["retry_count"] = retries
        sequence = text_or_none(phase.sequence_path)
        if sequence is not None:
            attributes["sequence_path"] = sequence
        measurements = tuple(
            made
            for index, item in enumerate(known(phase.measurements) or ())
            if (made := self._measurement(item, f"{path}.measurements[{index}]"))
        )
        return self._made(
            path,
            lambda: Phase(
                name=phase.name,
                outcome=phase.outcome,
                started_at=started,
                ended_at=ended,
                # A sequence is what other reports have as the steps around a step.
                path=() if sequence is None else tuple(sequence.split("/")),
                measurements=measurements,
                docstring=text_or_none(phase.docstring),
                attributes=attributes,
            ),
        )

    def _measurement(self, given: CreateMeasurement, path: str) -> Measurement | None:
        validators = known(given.validators) or []
        attributes: dict[str, Any] = {}
        # Kept as they are, too: the text of a validator is for people.
        structured = [item for item in validators if not isinstance(item, str)]
        if structured:
            attributes["validators"] = msgspec.to_builtins(structured)
        if aggregations := known(given.aggregations):
            attributes["aggregations"] = msgspec.to_builtins(aggregations)
        axes = [
            *([] if (x := known(given.x_axis)) is None else [x]),
            *(known(given.y_axis) or ()),
        ]
        if axes:
            attributes["axes"] = [_described(axis) for axis in axes]
        units = known(given.units)
        return self._made(
            path,
            lambda: Measurement(
                name=given.name,
                outcome=given.outcome,
                value=_value(axes, known(given.measured_value), units),
                unit=text_or_none(units) if isinstance(units, str) else None,
                limits=as_limit(
                    validators, known(given.lower_limit), known(given.upper_limit)
                ),
                validators=as_text(validators),
                docstring=text_or_none(given.docstring),
                attributes=attributes,
            ),
        )

    def _log(self, line: LogLine, path: str) -> LogEntry | None:
        time = _moment(line.timestamp, f"{path}.timestamp", self.checks)
        self.checks.integer(line.line_number, f"{path}.line_number")
        return self._made(
            path,
            lambda: LogEntry(
                level=line.level,
                message=line.message,
                time=time,
                source_file=text_or_none(line.source_file),
                # 0 stands for a line that is not known.
                line=line.line_number or None,
            ),
        )


def _described(axis: DataAxis) -> dict[str, Any]:
    """Give what an axis says beside its points, its name and its unit."""
    described: dict[str, Any] = {
        name: msgspec.to_builtins(value)
        for name in ("description", "validators", "aggregations")
        if (value := known(getattr(axis, name)))
    }
    return described


def _value(
    axes: Sequence[DataAxis], value: Any, units: str | Sequence[str] | None
) -> MeasurementValue:
    if len({len(axis.data) for axis in axes}) > 1:
        # No points: each axis is kept for itself, so that nothing of it is lost.
        return [
            {"name": known(a.name), "units": known(a.units), "data": list(a.data)}
            for a in axes
        ]
    if axes:
        return Series(
            axes=tuple(
                Axis(
                    name=text_or_none(axis.name),
                    unit=text_or_none(axis.units),
                    values=axis.data,
                )
                for axis in axes
            )
        )
    return read_value(value, units)
