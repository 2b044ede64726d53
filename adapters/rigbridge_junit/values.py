"""Durations, times and numbers as reports write them."""

from __future__ import annotations

import math
import re
from datetime import datetime

from rigbridge.adapters import ConversionReport, Place, ReadContext

__all__ = ["as_number", "clean", "duration_of", "moment_of"]

_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?")
_CLOCK = re.compile(r"[0-9]{1,4}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?")
_COMMA = re.compile(r"[0-9]+,[0-9]+")
_PLAIN = re.compile(r"[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]*)")
_EPOCH_YEAR = 1970
_LONGEST_NUMBER = 40


def clean(value: str | None) -> str | None:
    """Give a text without the blanks around it; None if nothing is left."""
    return (value.strip() or None) if value is not None else None


def duration_of(
    value: str | None, report: ConversionReport, place: Place
) -> float | None:
    """
    Read seconds: ``1.5``, ``1,234.567`` with thousands, ``0,25`` with a comma.

    .NET writes hours and minutes: ``00:01:30.5``.
    """
    text = clean(value)
    if text is None:
        return None
    # Some tools write the unit behind the number.
    text = text.removesuffix("s").rstrip()
    if _PLAIN.fullmatch(text):
        pass
    elif _GROUPED.fullmatch(text):
        # Surefire groups the digits of seconds, and writes a point before a fraction.
        report.coerced("duration", "digits in groups", place=place, detail=text)
        text = text.replace(",", "")
    elif _CLOCK.fullmatch(text):
        report.coerced("duration", "hours and minutes", place=place, detail=text)
        hours, minutes, rest = text.split(":")
        text = str(int(hours) * 3600 + int(minutes) * 60 + float(rest))
    elif _COMMA.fullmatch(text):
        report.coerced("duration", "a decimal comma", place=place, detail=text)
        text = text.replace(",", ".")
    else:
        report.dropped("duration", "is no number of seconds", place=place, detail=text)
        return None
    seconds = float(text)
    return seconds if math.isfinite(seconds) else None


def moment_of(
    value: str | None, context: ReadContext, place: Place, station: str | None
) -> datetime | None:
    """
    Read a time with or without a zone.

    Args:
        context: gives a time without a zone that of the station.
        station: the host that wrote it, if known.
    """
    text = clean(value)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        # 1970 and before are clocks that were never set.
        if moment.year <= _EPOCH_YEAR:
            return None
        return context.time_zone.localize(
            moment, report=context.report, place=place, station=station
        )
    except (ValueError, OverflowError):
        context.report.dropped(
            "time", "is no ISO 8601 time", place=place, detail=text[:80]
        )
        return None


def as_number(text: str) -> float | int | None:
    """Give a text that is a finite number as one; None for every other."""
    text = text.strip()
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        return None
    if _INTEGER.fullmatch(text):
        return int(text)
    # Leading zeros are those of a number of a part, not of a value.
    if re.match(r"[+-]?0[0-9]", text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None
