"""
A whole run as strict JSON, with the model's attribute names as keys, and back.

Unlike the v1 payload this loses nothing. It is what ``rigbridge convert --format
model`` prints, what the outbox keeps and what the sidecar is computed from.

Times are ISO 8601 in UTC. A measured value stands as it is, with four exceptions: a
non-finite number is spelled (``"NaN"``), a text that reads like such a spelling stands
as ``{"text": "NaN"}``, an integer beyond 64 bits as ``{"integer": "DIGITS"}``, in
limits as well, and an object as ``{"object": {...}}``. A series is
``{"axes": [{"name", "unit", "values"}]}``. Attachments are described, not contained.
"""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import IO, TYPE_CHECKING, Any, cast, get_origin
from uuid import UUID

import attrs

from rigbridge.convert.numbers import SPELLINGS, is_long, is_non_finite, spell
from rigbridge.convert.times import from_iso, to_iso_utc
from rigbridge.errors import ModelError, RunProblemsError
from rigbridge.model import (
    Attachment,
    Axis,
    Instrument,
    JSONObject,
    JSONValue,
    Limit,
    LogEntry,
    Measurement,
    MeasurementValue,
    Phase,
    Provenance,
    Run,
    Series,
)
from rigbridge.wire import encode

if TYPE_CHECKING:
    from cattrs import Converter

__all__ = [
    "Openers",
    "describe_attachment",
    "document_of_limit",
    "document_of_value",
    "encode_document",
    "from_document",
    "to_document",
    "value_of_document",
]

# Bounded: int() of more digits raises in Python, and no measurement has as many.
_DIGITS = re.compile(r"-?[0-9]{1,4000}")
_AS_THEY_ARE = frozenset({int, bool, type(None)})

Openers = Mapping[str, Callable[[], IO[bytes]]]
"""How to open the bytes of attachments, by their SHA-256."""


def to_document(run: Run) -> dict[str, Any]:
    """Write a whole run as strict JSON values."""
    return _run(run, _measurement)


def encode_document(run: Run) -> bytes:
    """
    Write a whole run as JSON that says what :func:`to_document` does, in less time.

    The keys of an object may stand in another order, always the same one.

    Raises:
        ModelError: a text that is no Unicode (a lone surrogate).
    """
    return encode(_run(run, _encodable))


def _run(run: Run, measurement: Callable[[Measurement], Any]) -> dict[str, Any]:
    return {
        "id": str(run.id),
        "outcome": run.outcome.value,
        "procedure": attrs.asdict(run.procedure),
        "unit": attrs.asdict(run.unit),
        "sub_units": [attrs.asdict(unit) for unit in run.sub_units],
        "started_at": _time(run.started_at),
        "ended_at": _time(run.ended_at),
        "operator": run.operator,
        "station": run.station,
        "instruments": [_instrument(item) for item in run.instruments],
        "docstring": run.docstring,
        "phases": [_phase(phase, measurement) for phase in run.phases],
        "logs": [_log(entry) for entry in run.logs],
        "attachments": [describe_attachment(item) for item in run.attachments],
        "metadata": run.metadata,
        "source": None if run.source is None else _provenance(run.source),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else to_iso_utc(moment)


def _instrument(instrument: Instrument) -> JSONObject:
    due = instrument.calibration_due
    return {
        "name": instrument.name,
        "serial_number": instrument.serial_number,
        "calibration_due": None if due is None else due.isoformat(),
    }


def _provenance(source: Provenance) -> dict[str, Any]:
    return attrs.asdict(source)


def describe_attachment(attachment: Attachment) -> dict[str, JSONValue]:
    """Write what is known of an attachment, without its bytes."""
    return {
        "name": attachment.name,
        "media_type": attachment.media_type,
        "size": attachment.size,
        "sha256": attachment.sha256,
    }


def _phase(phase: Phase, measurement: Callable[[Measurement], Any]) -> JSONObject:
    return {
        "name": phase.name,
        "outcome": phase.outcome.value,
        "started_at": _time(phase.started_at),
        "ended_at": _time(phase.ended_at),
        "path": list(phase.path),
        "measurements": [measurement(item) for item in phase.measurements],
        "docstring": phase.docstring,
        "attributes": phase.attributes,
    }


def _log(entry: LogEntry) -> JSONObject:
    return {
        "level": entry.level.value,
        "message": entry.message,
        "time": _time(entry.time),
        "source_file": entry.source_file,
        "line": entry.line,
    }


def _measurement(measurement: Measurement) -> JSONObject:
    return {
        "name": measurement.name,
        "outcome": measurement.outcome.value,
        "value": document_of_value(measurement.value),
        "unit": measurement.unit,
        "limits": None
        if measurement.limits is None
        else document_of_limit(measurement.limits),
        "validators": list(measurement.validators),
        "docstring": measurement.docstring,
        "instrument": measurement.instrument,
        "attributes": measurement.attributes,
    }


def _encodable(measurement: Measurement) -> Measurement | JSONObject:
    """Give what is encoded as a measurement's document: as a rule itself."""
    value = measurement.value
    kind = type(value)
    # The encoder writes an object by the names of its fields; only values that the
    # document spells in a way of its own are written here.
    plain = kind in _AS_THEY_ARE or (kind is float and not is_non_finite(value))
    limits = measurement.limits
    long = is_long(value) or (
        limits is not None and (is_long(limits.lower) or is_long(limits.upper))
    )
    if plain and not long and type(measurement) is Measurement:
        return measurement
    return _measurement(measurement)


def document_of_limit(limit: Limit | None) -> dict[str, JSONValue] | None:
    """Write a limit, or None where there is none."""
    if limit is None:
        return None
    return {
        "lower": _scalar(limit.lower),
        "upper": _scalar(limit.upper),
        "lower_inclusive": limit.lower_inclusive,
        "upper_inclusive": limit.upper_inclusive,
        "comparator": limit.comparator,
    }


def document_of_value(value: MeasurementValue) -> JSONValue:
    """Write a measured value, so that each kind can be told from the others."""
    if isinstance(value, Series):
        return {"axes": [_axis(axis) for axis in value.axes]}
    if isinstance(value, dict):
        return {"object": value}
    return _scalar(value)


def _scalar(value: JSONValue) -> JSONValue:
    if type(value) is str:
        return {"text": value} if value in SPELLINGS else value
    return {"integer": spell(value)} if is_long(value) else spell(value)


def _axis(axis: Axis) -> JSONObject:
    values = axis.values
    # An array of numbers is written at once; one look tells whether all of it is JSON.
    if isinstance(values, array) and (
        values.typecode == "q" or all(map(math.isfinite, values))
    ):
        points: Sequence[JSONValue] = values.tolist()
    else:
        points = [_scalar(value) for value in values]
    return {"name": axis.name, "unit": axis.unit, "values": points}


def from_document(document: Mapping[str, Any], openers: Openers | None = None) -> Run:
    """
    Read a whole run from its document; equal to the run that was written.

    Args:
        document: what :func:`to_document` gave.
        openers: how to open the attachments' bytes; those that are not named by
            their digest come back without an opener.

    Raises:
        RunProblemsError: fields that are missing or of the wrong kind, each with
            its path.
    """
    from cattrs.errors import BaseValidationError

    try:
        run: Run = _converter().structure(document, Run)
    except BaseValidationError as error:
        raise RunProblemsError("is no document of a run", _problems(error)) from error
    known = openers or {}
    return attrs.evolve(
        run,
        attachments=tuple(
            attrs.evolve(item, opener=known.get(item.sha256 or ""))
            for item in run.attachments
        ),
    )


@cache
def _converter() -> Converter:
    # Made and imported at the first use: writing runs, the common case, needs none.
    from cattrs import Converter

    converter = Converter(detailed_validation=True)
    # The model's own checks name the field better than a conversion would.
    converter.register_structure_hook_func(_is_passed_on, lambda value, _: value)
    converter.register_structure_hook(UUID, _read_uuid)
    converter.register_structure_hook(datetime, _read_time)
    converter.register_structure_hook(Measurement, _hooked(converter, Measurement))
    converter.register_structure_hook(Axis, _hooked(converter, Axis))
    converter.register_structure_hook(Limit, _hooked(converter, Limit))
    return converter


def _is_passed_on(kind: object) -> bool:
    return (
        kind in (str, bool, int, str | None, int | None, float | int | None)
        or kind == date | None
        or get_origin(kind) is Mapping
    )


def _hooked(
    converter: Converter, kind: type[object]
) -> Callable[[Any, object], object]:
    from cattrs.gen import make_dict_structure_fn, override

    if kind is Limit:
        bound = override(struct_hook=_read_value)
        return make_dict_structure_fn(kind, converter, lower=bound, upper=bound)
    if kind is Measurement:
        return make_dict_structure_fn(
            kind, converter, value=override(struct_hook=_read_value)
        )
    return make_dict_structure_fn(
        kind, converter, values=override(struct_hook=_read_points)
    )


def _read_uuid(value: UUID | str, _: object) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _read_time(value: JSONValue, _: object) -> datetime:
    if not isinstance(value, str):
        raise ModelError(f"must be text, not {type(value).__name__}", path="time")
    return from_iso(value, path="time")


def value_of_document(document: JSONValue) -> JSONValue | Series:
    """
    Read a measured value from what :func:`document_of_value` gave.

    Raises:
        ModelError: no such document.
        cattrs.BaseValidationError: no series.
    """
    return _read_value(document, None)


def _read_value(value: JSONValue, _: object) -> JSONValue | Series:
    if not isinstance(value, Mapping):
        return _read_scalar(value)
    if "axes" in value:
        return _converter().structure(value, Series)
    if "object" in value:
        return dict(cast("JSONObject", value["object"]))
    return _read_scalar(value)


def _read_scalar(value: JSONValue) -> JSONValue:
    if isinstance(value, Mapping):
        digits = value.get("integer")
        if isinstance(digits, str) and _DIGITS.fullmatch(digits):
            return int(digits)
        text = value.get("text")
        if not isinstance(text, str):
            raise ModelError("an object here has the key 'text'", path="value")
        return text
    # Back from the spelling: see the module.
    return SPELLINGS.get(value, value) if type(value) is str else value


def _read_points(values: object, _: object) -> list[JSONValue]:
    if not isinstance(values, (list, tuple, array)):
        raise ModelError("must be a list", path="values")
    return [_read_scalar(value) for value in cast("Sequence[JSONValue]", values)]


def _problems(error: Exception, path: str = "$") -> list[ModelError]:
    from cattrs.errors import (
        AttributeValidationNote,
        ClassValidationError,
        IterableValidationError,
        IterableValidationNote,
    )

    # cattrs puts errors into groups, with the field or the index as a note on each.
    if not isinstance(error, (ClassValidationError, IterableValidationError)):
        return [_problem(error, path)]
    found: list[ModelError] = []
    for child in error.exceptions:
        place = path
        for note in getattr(child, "__notes__", ()):
            if isinstance(note, AttributeValidationNote):
                place = f"{path}.{note.name}"
            elif isinstance(note, IterableValidationNote):
                place = f"{path}[{note.index}]"
        found.extend(_problems(child, place))
    return found


def _problem(error: Exception, path: str) -> ModelError:
    if isinstance(error, ModelError):
        # A check inside a class knows the field; the path knows which object.
        field = error.path.rpartition(".")[2]
        # Otherwise the field would be named twice.
        named = path if path.endswith(field) else f"{path}.{field}"
        return ModelError(error.message, path=named, remedy=error.remedy)
    if isinstance(error, KeyError):
        return ModelError("is missing", path=f"{path}.{error.args[0]}")
    return ModelError(f"{type(error).__name__}: {error}", path=path)
