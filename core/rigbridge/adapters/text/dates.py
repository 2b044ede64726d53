"""
Reads the text of a cell as a time: by a declared order or pattern, never by a guess.

``day-first``, ``month-first`` and ``year-first`` say in which order the three numbers
of a date stand; everything else of the usual spellings follows: the signs between
them, two or four digits of the year, the name of the month, 12 or 24 hours, any number
of digits behind the second. ``iso`` is ISO 8601 and every other date whose year stands
first in four digits, since no other order exists for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

from rigbridge.errors import ConfigurationError

__all__ = ["NAMED_FORMATS", "ORDERS", "check_format", "looks_ambiguous", "parse_time"]

ORDERS = {"day-first": "dmy", "month-first": "mdy", "year-first": "ymd"}
"""The named orders, and what stands first, second and third."""

NAMED_FORMATS = ("iso", *ORDERS, "unix", "unix-ms", "excel")
"""
The formats that are no pattern: ISO 8601, the three orders of day, month and year,
seconds or milliseconds since 1970 UTC, and the days since 1900 of a spreadsheet.
"""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Before it no test was written by a computer; elapsed seconds are taken for a date.
_EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
# Written and read again by a format to test it; every part of it is different.
_SAMPLE = datetime(2024, 10, 27, 14, 30, 15, tzinfo=UTC)

_MONTHS = {
    word: number
    for number, words in enumerate(
        (
            "jan",
            "feb fev fév",
            "mar mär mrz",
            "apr avr abr",
            "may mai mag",
            "jun giu",
            "jul lug",
            "aug aou aoû ago",
            "sep set",
            "oct okt ott out",
            "nov",
            "dec dez déc dic",
        ),
        start=1,
    )
    for word in words.split()
}
# French writes juin and juillet.
_LONGER_MONTHS = {"juin": 6, "juil": 7}
_PART = r"[ ./,\-]{1,2}"
_DATE = (
    rf"(?P<a>'?\d{{1,4}}|[^\W\d_]{{3,}}\.?){_PART}"
    rf"(?P<b>\d{{1,2}}|[^\W\d_]{{3,}}\.?){_PART}(?P<c>\d{{4}}|\d{{1,2}})"
)
_CLOCK = (
    # PM 02:05:06, as programs of East Asia have it.
    r"(?:(?P<before>[AaPp][Mm]|上午|下午)\s*)?"
    r"(?P<hour>\d{1,2})[:.\-h](?P<minute>\d{2})(?:[:.\-m](?P<second>\d{2})s?"
    r"(?:[.,:](?P<fraction>\d+))?)?\s*(?P<half>[AaPp]\.?\s?[Mm]\.?)?"
)
_ZONE = r"(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})"
_WEEKDAY = r"(?:[^\W\d_]{2,}\.?,?\s+)?"
_DATED = re.compile(rf"{_WEEKDAY}{_DATE}(?:[T ,;\-]\s*{_CLOCK})?\s*{_ZONE}?")
# As the C function ctime writes it: Thu Mar 14 09:12:05 2024.
_CTIME = re.compile(
    rf"{_WEEKDAY}(?P<a>[^\W\d_]{{3,}})\s+(?P<b>\d{{1,2}})\s+{_CLOCK}\s+(?P<c>\d{{4}})"
)
_YEAR_FIRST = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}")
_NUMBERS_ONLY = re.compile(r"\s*(\d{1,2})[./\- ](\d{1,2})[./\- ](\d{4}|\d{2})(?!\d)")


def check_format(form: str, place: str) -> None:
    """
    Refuse a format that could never read a time, or that names no day.

    Raises:
        ConfigurationError: neither a named format nor a pattern of ``strptime`` with
            year, month and day.
    """
    if form in NAMED_FORMATS:
        return
    remedy = f"use {', '.join(NAMED_FORMATS)} or a pattern such as %d.%m.%Y %H:%M:%S"
    if "%" not in form:
        raise ConfigurationError(
            f"{form!r} is no date format", place=place, remedy=remedy
        )
    try:
        again = datetime.strptime(_SAMPLE.strftime(form), form)  # noqa: DTZ007 - form only
    except (ValueError, IndexError) as error:
        raise ConfigurationError(
            f"{form!r} is no date format: {error}", place=place, remedy=remedy
        ) from error
    # Python fills in 1900-01-01 for what the format lacks.
    if again.date() != _SAMPLE.date():
        raise ConfigurationError(
            f"{form!r} names no year, month and day, so it gives no time",
            place=place,
            remedy='join the columns of date and time: columns = ["Date", "Time"]',
        )


def parse_time(text: str, formats: Sequence[str]) -> datetime | None:
    """
    Give the time that a text states in the first format that fits, or None.

    The result is naive where the text has no offset; what zone is meant is the
    site's policy, not the format's.
    """
    for form in formats:
        try:
            found = _parse(text, form)
        except (ValueError, OverflowError):
            continue
        if found is not None:
            return found
    return None


def _parse(text: str, form: str) -> datetime | None:
    if form == "iso":
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return _ordered(text, "ymd") if _YEAR_FIRST.match(text) else None
    if form in ORDERS:
        return _ordered(text, ORDERS[form])
    if form in {"unix", "unix-ms"}:
        number = float(text)
        moment = _EPOCH + timedelta(seconds=number / (1000 if form != "unix" else 1))
        return moment if _EARLIEST <= moment < _LATEST else None
    if form == "excel":
        # Spreadsheets count 29 February 1900; 15 digits hold a millisecond.
        days = timedelta(milliseconds=round(float(text.replace(",", ".")) * 86_400_000))
        day = datetime(1899, 12, 30) + days  # noqa: DTZ001 - see parse_time
        return day if _EARLIEST.year <= day.year < _LATEST.year else None
    return datetime.strptime(text, form)  # noqa: DTZ007 - see parse_time


def _ordered(text: str, order: str) -> datetime | None:
    found = _DATED.fullmatch(text) or _CTIME.fullmatch(text)
    if found is None:
        return None
    parts = [found["a"], found["b"], found["c"]]
    # '24-03-13: the sign stands for the century, so that a year comes first.
    if parts[0].startswith("'"):
        if order != ORDERS["year-first"]:
            return None
        parts[0] = parts[0].removeprefix("'")
    # A month by name stands where it stands: the other two numbers tell by the order.
    named = [at for at, part in enumerate(parts) if not part.isdigit()]
    if named:
        places = _with_named_month(named, order, parts)
    elif len(parts[0]) == 4:  # the digits of a year
        places = (0, 1, 2)
    else:
        places = (order.index("y"), order.index("m"), order.index("d"))
    if places is None:
        return None
    year, month, day = (parts[at] for at in places)
    if len(year) not in (2, 4):
        return None
    return datetime(
        _year(year), _month(month), int(day), *_clock(found), tzinfo=_zone(found)
    )


def _with_named_month(
    named: list[int], order: str, parts: list[str]
) -> tuple[int, int, int] | None:
    if len(named) > 1:
        return None
    rest = [at for at in range(3) if at not in named]
    year_first = order == "ymd" or len(parts[rest[0]]) == 4  # a year
    year, day = rest if year_first else reversed(rest)
    return year, named[0], day


def _year(text: str) -> int:
    year = int(text)
    # As strptime has it.
    return year if len(text) > 2 else year + (2000 if year < 69 else 1900)


def _month(text: str) -> int:
    if text.isdigit():
        return int(text)
    word = text.casefold()
    found = _LONGER_MONTHS.get(word[:4]) or _MONTHS.get(word[:3])
    if found is None:
        raise ValueError(text)
    return found


def _clock(found: re.Match[str]) -> tuple[int, int, int, int]:
    if found["hour"] is None:
        return 0, 0, 0, 0
    hour = int(found["hour"])
    if half := found["half"] or found["before"]:
        if not 1 <= hour <= 12:  # hours of a half day
            raise ValueError(found["hour"])
        hour = hour % 12 + 12 * (half[0] in "Pp下")
    fraction = (found["fraction"] or "0")[:6].ljust(6, "0")
    return hour, int(found["minute"]), int(found["second"] or 0), int(fraction)


def _zone(found: re.Match[str]) -> timezone | None:
    zone = found.groupdict().get("zone")
    if zone is None:
        return None
    if zone[0] not in "+-":
        return UTC
    digits = zone[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if zone[0] == "-" else offset)


def looks_ambiguous(text: str) -> bool:
    """Say whether a text is a date of numbers whose order it does not tell."""
    return _NUMBERS_ONLY.match(text) is not None
