"""Texts, times and numbers of records as values of the model."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from rigbridge.adapters import ConversionReport, Place
from rigbridge.model import JSONValue

__all__ = ["clean_text", "json_number", "note_text", "wall_time"]

_NOT_ASCII = "is not ASCII, read as UTF-8 or windows-1252"
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock's, whose zone comes later
# 0 is what testers write that have no clock; the other is the missing value of an
# unsigned integer.
_MISSING_TIMES = (0, 0xFFFFFFFF)


def clean_text(value: object) -> str | None:
    """Give a text without the blanks and zeros around it; None if nothing is left."""
    if not isinstance(value, str):
        return None
    return value.strip().strip("\0").strip() or None


def note_text(text: str | None, report: ConversionReport, place: Place) -> None:
    """Record a text that the standard does not allow, and how it was read."""
    if text is not None and not text.isascii():
        report.coerced("text", _NOT_ASCII, place=place, detail=text[:80])


def wall_time(seconds: object, *, is_utc: bool) -> datetime | None:
    """
    Give the time that a tester wrote.

    Args:
        seconds: since the beginning of 1970, on its clock; 0 is unknown.
        is_utc: whether that clock shows UTC.

    Returns:
        A time without a zone, or in UTC; None if it is unknown.
    """
    if not isinstance(seconds, int) or seconds in _MISSING_TIMES:
        return None
    # STDF counts seconds by the tester's local clock, without a zone.
    wall = _EPOCH + timedelta(seconds=seconds)
    return wall.replace(tzinfo=UTC) if is_utc else wall


def json_number(value: Any) -> JSONValue:
    """Give a value as strict JSON: a number that JSON lacks as text."""
    if isinstance(value, list):
        return [json_number(item) for item in cast("list[object]", value)]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return cast("JSONValue", value)
