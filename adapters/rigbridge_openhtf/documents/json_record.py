"""
OpenHTF's JSON of any era to a raw record.

What changed over the years: until mid 2016 the measured values were in a map of their
own, units had ``uom_code`` and ``uom_suffix``, and for a while every number was text.
Until 2017 phases had no outcome. Subtests, branches and diagnoses came in 2020.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from functools import partial
from typing import TypeAlias, cast

from rigbridge.errors import MalformedSourceError, NoRunError
from rigbridge_openhtf.documents.long_texts import LongText
from rigbridge_openhtf.documents.text_numbers import (
    numbers_are_text,
    read_rows,
    read_value,
)
from rigbridge_openhtf.raw_record import (
    ABSENT,
    BytesUnreadableError,
    RawAttachment,
    RawCode,
    RawLog,
    RawMeasurement,
    RawPhase,
    RawRecord,
    RawUnit,
    RawValidator,
)
from rigbridge_openhtf.scope import Scope
from rigbridge_openhtf.translation.validators import read_range

__all__ = ["read_document"]

_Object: TypeAlias = dict[str, object]

# A file with phases and one of these is a record, however old or damaged it is.
_MARKS = (
    "dut_id",
    "station_id",
    "start_time_millis",
    "end_time_millis",
    "outcome_details",
    "log_records",
    "code_info",
)
_CHUNK = 1 << 20
_NOTHING: _Object = {}


def read_document(document: object, scope: Scope) -> RawRecord:
    """
    Read a decoded record, whose phases and log lines are used up by that.

    Raises:
        NoRunError: it is no whole test record.
        MalformedSourceError: a part of it has the wrong shape; names the place.
    """
    record = _record(document, scope)
    texts = numbers_are_text(record)
    # Each key is taken out of the copy, so that what is left is the rest.
    return RawRecord(
        dut_id=record.pop("dut_id", None),
        station_id=record.pop("station_id", None),
        outcome=record.pop("outcome", None),
        outcome_details=_listed(record.pop("outcome_details", None)),
        start_millis=record.pop("start_time_millis", None),
        end_millis=record.pop("end_time_millis", None),
        metadata=_object(record, "metadata", scope),
        code=_code(record.pop("code_info", None)),
        phases=[
            _phase(phase, scope.at(f".phases[{index}]"), texts=texts)
            for index, phase in _used_up(_list(record, "phases", scope))
        ],
        logs=[
            _log(line, scope.at(f".log_records[{index}]"))
            for index, line in _used_up(_list(record, "log_records", scope))
        ],
        rest=record,
    )


def _record(document: object, scope: Scope) -> _Object:
    if not isinstance(document, dict):
        found = f"a {_kind(document)} stands where a test record belongs"
        raise _no_record(found, scope)
    record = dict(cast("_Object", document))
    if "phases" in record and any(mark in record for mark in _MARKS):
        return record
    # OpenHTF's own test data has such a file.
    if "outcome" in record and ("dimensions" in record or "measured_value" in record):
        found = "holds a single measurement, not a whole test record"
    else:
        found = "holds no OpenHTF test record"
    missing = [key for key in ("phases", "dut_id", "station_id") if key not in record]
    raise _no_record(f"{found}: {', '.join(missing)} missing", scope)


def _no_record(message: str, scope: Scope) -> NoRunError:
    return NoRunError(
        message,
        source=scope.source,
        place=scope.path,
        remedy="write the record with OpenHTF's OutputToJSON",
    )


def _wrong(scope: Scope, value: object, expected: str) -> MalformedSourceError:
    return MalformedSourceError(
        f"must be {expected}, not {_kind(value)}",
        source=scope.source,
        place=scope.path,
    )


def _kind(value: object) -> str:
    names: dict[type, str] = {
        dict: "object",
        list: "list",
        str: "text",
        bool: "boolean",
    }
    return "null" if value is None else names.get(type(value), "number")


def _list(holder: _Object, key: str, scope: Scope) -> list[object]:
    """Take a list out of an object."""
    # A missing key and null are the same: releases differ in what they leave out.
    value = holder.pop(key, None)
    if value is None:
        return []
    if not isinstance(value, list):
        raise _wrong(scope.at(f".{key}"), value, "a list")
    return cast("list[object]", value)


def _used_up(items: list[object]) -> Iterator[tuple[int, object]]:
    """Go through the items of a document, each of which is given up behind it."""
    for index, item in enumerate(items):
        # What a large record was parsed to need not stand beside what is made of it.
        items[index] = None
        yield index, item


def _object(holder: _Object, key: str, scope: Scope) -> _Object:
    """Take an object out of an object; it is copied, so that others can be taken."""
    value = holder.pop(key, None)
    return {} if value is None else _as_object(value, scope.at(f".{key}"))


def _as_object(value: object, scope: Scope) -> _Object:
    if not isinstance(value, dict):
        raise _wrong(scope, value, "an object")
    return dict(cast("_Object", value))


def _listed(value: object) -> list[object]:
    # In old records a single detail was a text, and "" meant that there was none.
    if value is None or value == "":
        return []
    return cast("list[object]", value) if isinstance(value, list) else [value]


def _code(value: object) -> RawCode:
    if not isinstance(value, dict):
        return RawCode(name=value)
    code = cast("_Object", value)
    return RawCode(
        name=code.get("name"),
        docstring=code.get("docstring"),
        source_code=code.get("sourcecode"),
    )


def _phase(value: object, scope: Scope, *, texts: bool) -> RawPhase:
    phase = _as_object(value, scope)
    # Until mid 2016 the values had a map of their own, by the measurement's name.
    values = _object(phase, "measured_values", scope)
    declared = _object(phase, "measurements", scope)
    measurements = [
        _measurement(
            key, item, values, scope.at(f".measurements[{key!r}]"), texts=texts
        )
        for key, item in declared.items()
    ]
    for key, measured in values.items():
        if key not in declared:
            place = scope.at(f".measured_values[{key!r}]")
            place.coerced("measurement", "value without a declaration")
            measurements.append(RawMeasurement(name=key, value=measured))
    return RawPhase(
        name=phase.pop("name", None),
        outcome=phase.pop("outcome", None),
        result=phase.pop("result", ABSENT),
        start_millis=phase.pop("start_time_millis", None),
        end_millis=phase.pop("end_time_millis", None),
        subtest=phase.pop("subtest_name", None),
        code=_code(phase.pop("codeinfo", None)),
        measurements=measurements,
        attachments=[
            _attachment(name, item, scope.at(f".attachments[{name!r}]"))
            for name, item in _object(phase, "attachments", scope).items()
        ],
        options=_object(phase, "options", scope),
        rest=phase,
    )


def _measurement(
    key: str, value: object, values: _Object, scope: Scope, *, texts: bool
) -> RawMeasurement:
    item = _as_object(value, scope)
    validators = [
        RawValidator(text=text if isinstance(text, str) else str(text))
        for text in _list(item, "validators", scope)
    ]
    name, given = item.pop("name", None), item.pop("dimensions", None)
    dimensions = None
    if given:
        dimensions = [_unit(axis) or RawUnit() for axis in _listed(given)]
    measured = item.pop("measured_value", values.get(key, ABSENT))
    if measured is not ABSENT:
        if dimensions:
            measured = read_rows(measured, scope, texts=texts)
        else:
            # A value that is compared with a text was a text before it was written.
            as_text = bool(validators) and all(
                read_range(validator.text) is None for validator in validators
            )
            measured = read_value(measured, scope, texts=texts, judged_as_text=as_text)
    return RawMeasurement(
        name=name if isinstance(name, str) and name else key,
        outcome=item.pop("outcome", None),
        value=measured,
        unit=_unit(item.pop("units", None)),
        dimensions=dimensions,
        validators=validators,
        docstring=item.pop("docstring", None),
        set_millis=item.pop("set_time_millis", None),
        # Most have nothing else, and there may be a hundred thousand.
        rest=item or _NOTHING,
    )


def _unit(value: object) -> RawUnit | None:
    if not isinstance(value, dict):
        return None if value is None else RawUnit(suffix=value)
    unit = cast("_Object", value)
    return RawUnit(
        name=unit.get("name"),
        code=unit.get("code", unit.get("uom_code")),
        suffix=unit.get("suffix", unit.get("uom_suffix")),
        description=unit.get("description"),
    )


def _log(value: object, scope: Scope) -> RawLog:
    if not isinstance(value, dict):
        scope.coerced("log", "line without fields taken as a message")
        return RawLog(level="INFO", message=value)
    line = cast("_Object", value)
    return RawLog(
        level=line.get("level"),
        logger=line.get("logger_name"),
        source=line.get("source"),
        line=line.get("lineno"),
        millis=line.get("timestamp_millis"),
        message=line.get("message"),
    )


def _attachment(name: str, value: object, scope: Scope) -> RawAttachment:
    if isinstance(value, str):
        # The bytes alone, without a type.
        return RawAttachment(name=name, chunks=partial(_decode, value))
    attachment = _as_object(value, scope)
    data = attachment.get("data")
    return RawAttachment(
        name=name,
        media_type=attachment.get("mimetype"),
        sha1=attachment.get("sha1"),
        chunks=partial(_decode, data) if isinstance(data, (str, LongText)) else None,
        verify=True,
    )


def _decode(data: str | LongText) -> Iterator[bytes]:
    """Decode base64 piece by piece; blanks between are allowed, nothing else."""
    held = b""
    # Only the end of the text may be padded; a2b_base64 sees one piece at a time.
    padded = False
    for piece in _pieces(data):
        text = held + b"".join(piece.split())
        # What is not a multiple of four waits for the next piece.
        cut = len(text) - len(text) % 4
        text, held = text[:cut], text[cut:]
        if padded and (text or held):
            raise BytesUnreadableError("damaged base64: more after its end")
        padded = text.endswith(b"=")
        yield _decoded(text)
    if held:
        yield _decoded(held)


def _pieces(data: str | LongText) -> Iterator[bytes]:
    if isinstance(data, LongText):
        yield from data.pieces()
        return
    for start in range(0, len(data), _CHUNK):
        # What is not ASCII is not base64 either: the decoder refuses the "?".
        yield data[start : start + _CHUNK].encode(errors="replace")


def _decoded(text: bytes) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise BytesUnreadableError(f"damaged base64: {error}") from error
