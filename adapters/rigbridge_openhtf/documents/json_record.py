"""
OpenHTF's JSON of any era to a raw record.

What changed over the years: until mid 2016 the measured values stood in a map of their
own, units had ``uom_code`` and ``uom_suffix``, and for a while every number was text;
until 2017 phases had no outcome; subtests, branches and diagnoses came in 2020.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

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

_MARKS = (
    "dut_id",
    "station_id",
    "start_time_millis",
    "end_time_millis",
    "outcome_details",
    "log_records",
    "code_info",
)
_RECORD = frozenset(
    {
        "dut_id",
        "station_id",
        "start_time_millis",
        "end_time_millis",
        "outcome",
        "outcome_details",
        "code_info",
        "metadata",
        "phases",
        "log_records",
    }
)
_PHASE = frozenset(
    {
        "name",
        "outcome",
        "result",
        "start_time_millis",
        "end_time_millis",
        "subtest_name",
        "codeinfo",
        "measurements",
        "measured_values",
        "attachments",
        "options",
    }
)
_MEASUREMENT = frozenset(
    {
        "name",
        "outcome",
        "measured_value",
        "units",
        "dimensions",
        "validators",
        "docstring",
        "set_time_millis",
    }
)
_CHUNK = 1 << 20


def read_document(document: Any, scope: Scope) -> RawRecord:
    """
    Read a decoded record.

    Raises:
        NoRunError: it is no whole test record.
        MalformedSourceError: a part of it has the wrong shape; names the place.
    """
    record = _record(document, scope)
    texts = numbers_are_text(record)
    metadata = _object(record, "metadata", scope)
    details = record.get("outcome_details")
    return RawRecord(
        dut_id=record.get("dut_id"),
        station_id=record.get("station_id"),
        outcome=record.get("outcome"),
        outcome_details=_listed(details),
        start_millis=record.get("start_time_millis"),
        end_millis=record.get("end_time_millis"),
        metadata=metadata,
        code=_code(record.get("code_info")),
        phases=[
            _phase(phase, scope.at(f".phases[{index}]"), texts=texts)
            for index, phase in enumerate(_list(record, "phases", scope))
        ],
        logs=[
            _log(line, scope.at(f".log_records[{index}]"))
            for index, line in enumerate(_list(record, "log_records", scope))
        ],
        rest=_rest(record, _RECORD),
    )


def _record(document: Any, scope: Scope) -> Mapping[str, Any]:
    if not isinstance(document, dict):
        raise _no_record(
            f"a {_kind(document)} stands where a test record belongs", scope
        )
    record: dict[str, Any] = document
    if "phases" in record and any(mark in record for mark in _MARKS):
        return record
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


def _wrong(scope: Scope, value: Any, expected: str) -> MalformedSourceError:
    return MalformedSourceError(
        f"must be {expected}, not {_kind(value)}",
        source=scope.source,
        place=scope.path,
    )


def _kind(value: Any) -> str:
    names = {dict: "object", list: "list", str: "text", bool: "boolean"}
    return "null" if value is None else names.get(type(value), "number")


def _list(holder: Mapping[str, Any], key: str, scope: Scope) -> list[Any]:
    value = holder.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise _wrong(scope.at(f".{key}"), value, "a list")
    members: list[Any] = value
    return members


def _object(holder: Mapping[str, Any], key: str, scope: Scope) -> dict[str, Any]:
    value = holder.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _wrong(scope.at(f".{key}"), value, "an object")
    members: dict[str, Any] = value
    return members


def _listed(value: Any) -> list[Any]:
    if value is None or value == "":
        return []
    members: list[Any] = value if isinstance(value, list) else [value]
    return members


def _rest(holder: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in holder.items() if key not in known}


def _code(value: Any) -> RawCode:
    if not isinstance(value, dict):
        return RawCode(name=value)
    code: dict[str, Any] = value
    return RawCode(
        name=code.get("name"),
        docstring=code.get("docstring"),
        source_code=code.get("sourcecode"),
    )


def _phase(value: Any, scope: Scope, *, texts: bool) -> RawPhase:
    if not isinstance(value, dict):
        raise _wrong(scope, value, "an object")
    phase: dict[str, Any] = value
    apart = _object(phase, "measured_values", scope)
    declared = _object(phase, "measurements", scope)
    measurements = [
        _measurement(key, item, apart, scope.at(f".measurements[{key!r}]"), texts=texts)
        for key, item in declared.items()
    ]
    for key, measured in apart.items():
        if key not in declared:
            place = scope.at(f".measured_values[{key!r}]")
            place.coerced("measurement", "value without a declaration")
            measurements.append(RawMeasurement(name=key, value=measured))
    return RawPhase(
        name=phase.get("name"),
        outcome=phase.get("outcome"),
        result=phase.get("result", ABSENT),
        start_millis=phase.get("start_time_millis"),
        end_millis=phase.get("end_time_millis"),
        subtest=phase.get("subtest_name"),
        code=_code(phase.get("codeinfo")),
        measurements=measurements,
        attachments=[
            _attachment(name, item, scope.at(f".attachments[{name!r}]"))
            for name, item in _object(phase, "attachments", scope).items()
        ],
        options=_object(phase, "options", scope),
        rest=_rest(phase, _PHASE),
    )


def _measurement(
    key: str, value: Any, apart: Mapping[str, Any], scope: Scope, *, texts: bool
) -> RawMeasurement:
    if not isinstance(value, dict):
        raise _wrong(scope, value, "an object")
    item: dict[str, Any] = value
    validators = [
        RawValidator(text=text if isinstance(text, str) else str(text))
        for text in _list(item, "validators", scope)
    ]
    name, given = item.get("name"), item.get("dimensions")
    dimensions = None
    if given:
        dimensions = [_unit(axis) or RawUnit() for axis in _listed(given)]
    measured = item.get("measured_value", apart.get(key, ABSENT))
    if measured is not ABSENT:
        if dimensions:
            measured = read_rows(measured, scope, texts=texts)
        else:
            as_text = bool(validators) and all(
                read_range(validator.text) is None for validator in validators
            )
            measured = read_value(measured, scope, texts=texts, judged_as_text=as_text)
    return RawMeasurement(
        name=name if isinstance(name, str) and name else key,
        outcome=item.get("outcome"),
        value=measured,
        unit=_unit(item.get("units")),
        dimensions=dimensions,
        validators=validators,
        docstring=item.get("docstring"),
        set_millis=item.get("set_time_millis"),
        rest=_rest(item, _MEASUREMENT),
    )


def _unit(value: Any) -> RawUnit | None:
    if not isinstance(value, dict):
        return None if value is None else RawUnit(suffix=value)
    unit: dict[str, Any] = value
    return RawUnit(
        name=unit.get("name"),
        code=unit.get("code", unit.get("uom_code")),
        suffix=unit.get("suffix", unit.get("uom_suffix")),
        description=unit.get("description"),
    )


def _log(value: Any, scope: Scope) -> RawLog:
    if not isinstance(value, dict):
        scope.coerced("log", "line without fields taken as a message")
        return RawLog(level="INFO", message=value)
    line: dict[str, Any] = value
    return RawLog(
        level=line.get("level"),
        logger=line.get("logger_name"),
        source=line.get("source"),
        line=line.get("lineno"),
        millis=line.get("timestamp_millis"),
        message=line.get("message"),
    )


def _attachment(name: str, value: Any, scope: Scope) -> RawAttachment:
    if isinstance(value, str):
        # The bytes alone, without a type.
        return RawAttachment(name=name, chunks=partial(_decode, value))
    if not isinstance(value, dict):
        raise _wrong(scope, value, "an object")
    attachment: dict[str, Any] = value
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
        # What is no ASCII is no base64 either, and refused as such.
        yield data[start : start + _CHUNK].encode(errors="replace")


def _decoded(text: bytes) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise BytesUnreadableError(f"damaged base64: {error}") from error
