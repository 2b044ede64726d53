"""
A raw record as the JSON that a hand-over writes, read back.

The document has the fields of :class:`rigbridge_openhtf.raw_record.RawRecord` and its
parts by their names; what has its default may be left out. Values are packed
(:mod:`rigbridge_openhtf.packed_values`). A file is named under ``file``, as the
hand-over named it, or ``problem`` says why there is none. ``version`` is raised when an
older reader could misread it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import msgspec

from rigbridge.errors import MalformedSourceError
from rigbridge_openhtf.packed_values import unpack
from rigbridge_openhtf.raw_record import (
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

__all__ = ["RAW_VERSION", "FindBytes", "RawDocument", "read_raw_document"]

RAW_VERSION = 1
"""The version of the document that is written, and the only one that is read."""

FindBytes: TypeAlias = Callable[[str], "Path | Callable[[], Iterable[bytes]] | None"]
"""Gives the bytes of a file by its name: where they lie, or how to read them."""

_Fields: TypeAlias = Mapping[str, Any]


@attrs.frozen(kw_only=True)
class RawDocument:
    """
    What a hand-over wrote.

    Attributes:
        openhtf_version: of the program that wrote it, or None.
        settings: the settings that the program gave itself, or None for those of the
            configuration.
    """

    record: RawRecord
    openhtf_version: str | None = None
    settings: Mapping[str, Any] | None = None


def read_raw_document(content: bytes, find: FindBytes) -> RawDocument:
    """
    Read what a hand-over wrote.

    Args:
        find: gives the bytes of its files.

    Raises:
        MalformedSourceError: it is no such document, or one of a later version.
    """
    try:
        document: Any = unpack(msgspec.json.decode(content))
        version = document["version"]
        if version != RAW_VERSION:
            raise MalformedSourceError(
                f"is a record of version {version}, which this adapter does not know",
                remedy="install the rigbridge that wrote it, or a later one",
            )
        head = {key: document.get(key) for key in ("openhtf_version", "settings")}
        return RawDocument(record=_record(document["record"], find), **head)
    except (
        AttributeError,
        KeyError,
        TypeError,
        ValueError,
        msgspec.MsgspecError,
    ) as error:
        raise MalformedSourceError(f"is no record of a hand-over: {error!r}") from error


def _record(given: _Fields, find: FindBytes) -> RawRecord:
    fields = dict(given)
    code = fields.pop("code", None)
    phases, logs = fields.pop("phases", ()), fields.pop("logs", ())
    return RawRecord(
        **fields,
        code=_code(code),
        phases=[_phase(each, find) for each in phases],
        logs=[RawLog(**each) for each in logs],
    )


def _code(given: _Fields | None) -> RawCode:
    return RawCode() if given is None else RawCode(**given)


def _phase(given: _Fields, find: FindBytes) -> RawPhase:
    fields = dict(given)
    code = fields.pop("code", None)
    measurements = fields.pop("measurements", ())
    attachments = fields.pop("attachments", ())
    return RawPhase(
        **fields,
        code=_code(code),
        measurements=[_measurement(each) for each in measurements],
        attachments=[_attachment(each, find) for each in attachments],
    )


def _measurement(given: _Fields) -> RawMeasurement:
    fields = dict(given)
    unit, axes = fields.pop("unit", None), fields.pop("dimensions", None)
    validators = fields.pop("validators", ())
    return RawMeasurement(
        **fields,
        unit=None if unit is None else RawUnit(**unit),
        dimensions=None if axes is None else [RawUnit(**axis) for axis in axes],
        validators=[_validator(each) for each in validators],
    )


def _validator(given: _Fields) -> RawValidator:
    bounds = given.get("bounds")
    return RawValidator(
        text=given["text"], bounds=None if bounds is None else tuple(bounds)
    )


def _attachment(given: _Fields, find: FindBytes) -> RawAttachment:
    fields = dict(given)
    kept = fields.pop("bytes")
    return RawAttachment(**fields, **_bytes(kept, find))


def _bytes(given: _Fields, find: FindBytes) -> dict[str, Any]:
    name = given.get("file")
    found = None if name is None else find(name)
    if isinstance(found, Path):
        return {"file": found}
    if found is not None:
        return {"chunks": found}
    problem = given.get("problem", "its file is not where the hand-over put it")
    return {"chunks": partial(_unreadable, problem)}


def _unreadable(problem: str) -> Iterable[bytes]:
    raise BytesUnreadableError(problem)
