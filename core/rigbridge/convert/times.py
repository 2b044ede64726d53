"""
Times as the v1 contract writes them.

Timestamps are ISO 8601 in UTC with ``Z``, durations ISO 8601 (``PT2M30S``), and the
times of phases Unix epoch milliseconds.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from rigbridge.errors import ModelError

__all__ = [
    "UNKNOWN_TIME",
    "from_iso",
    "from_iso_duration",
    "from_millis",
    "to_iso_duration",
    "to_iso_utc",
    "to_millis",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

UNKNOWN_TIME = _EPOCH
"""
Stands for a time that a run does not know: v1 requires one, and no test ran then.

The sidecar says that the time is unknown.
"""

_UNUSUAL = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2})(:[0-9]{2}(?:[.,][0-9]+)?|)"
    r"(Z|[+-][0-9]{2}:?[0-9]{2}|)"
)
_MILLISECOND = timedelta(milliseconds=1)
_DURATION = re.compile(
    "([+-]?)P(?:#Y)?(?:#M)?(?:#W)?(?:#D)?(?:T(?=[0-9])(?:#H)?(?:#M)?(?:#S)?)?".replace(
        "#", r"([0-9]+(?:[.,][0-9]+)?)"
    ),
    re.IGNORECASE,
)
# What the parts of a duration last: microseconds, with years and months as they are
# where no calendar tells.
_LASTING = (
    *(365 * 86_400_000_000, 30 * 86_400_000_000, 7 * 86_400_000_000, 86_400_000_000),
    *(3_600_000_000, 60_000_000, 1_000_000),
)
_DAY = 86_400_000


def to_iso_utc(moment: datetime) -> str:
    """
    Write an aware time as ``2024-01-15T10:30:00.123Z``.

    The fraction is left out when it is zero, and has six digits where three would
    lose something.
    """
    moment = moment.astimezone(UTC)
    if not moment.microsecond:
        text = moment.isoformat(timespec="seconds")
    elif moment.microsecond % 1000:
        text = moment.isoformat(timespec="microseconds")
    else:
        text = moment.isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def from_iso(text: str, *, path: str = "$") -> datetime:
    """
    Read an ISO 8601 time with ``Z`` or an offset; the answer is in UTC.

    Raises:
        ModelError: no such time, or one without a zone; names the path.
    """
    try:
        moment = _moment(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ModelError(
            f"{text!r} is no ISO 8601 time",
            path=path,
            remedy="write it as 2024-01-15T10:30:00Z",
        ) from error
    raise ModelError(
        f"{text!r} has no time zone", path=path, remedy="end it with Z or an offset"
    )


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        # What the standard has and Python does not know: small letters, a leap second,
        # and the end of a day. Each is the moment that follows it.
        found = _UNUSUAL.fullmatch(text.upper())
        if found is None:
            raise
        day, time, rest, zone = found.groups()
        if time == "24:00" and set(rest) <= set(":.,0"):
            midnight = datetime.fromisoformat(f"{day}T00:00{zone}")
            return midnight + timedelta(days=1)
        if rest.startswith(":60"):
            before = datetime.fromisoformat(f"{day}T{time}:59{rest[3:]}{zone}")
            return before + timedelta(seconds=1)
        return datetime.fromisoformat(text.upper())


def to_iso_duration(duration: timedelta) -> str:
    """Write a duration as ISO 8601 (``PT2M30S``), hours being its largest part."""
    sign = "-" if duration < timedelta() else ""
    minutes, rest = divmod(abs(duration), timedelta(minutes=1))
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest.seconds}.{rest.microseconds:06}".rstrip("0").rstrip(".")
    parts = [
        f"{hours}H" if hours else "",
        f"{minutes}M" if minutes else "",
        f"{seconds}S" if rest or not duration else "",
    ]
    return f"{sign}PT{''.join(parts)}"


def from_iso_duration(
    text: str, *, path: str = "$", start: datetime | None = None
) -> timedelta:
    """
    Read an ISO 8601 duration: years to seconds, the last with a fraction at most.

    Args:
        text: the duration; its fraction begins with a point or a comma.
        start: where it begins, by which years and months last as the calendar has
            them; without it a year has 365 days and a month 30.

    Raises:
        ModelError: no such duration; names the path.
    """
    try:
        sign, parts = _parts_of(text)
        months = 0
        if start is not None:
            months = sign * int(parts[0] * 12 + parts[1])
            parts[:2] = 0, (parts[0] * 12 + parts[1]) % 1
        lasting = sum(
            part * each for part, each in zip(parts, _LASTING, strict=True) if part
        )
        span = sign * timedelta(microseconds=round(lasting))
        return span if start is None else _months_later(start, months) - start + span
    # Numbers of thousands of digits, and what lasts beyond the year 9999.
    except (ValueError, OverflowError) as error:
        raise ModelError(
            f"{text!r} is no ISO 8601 duration",
            path=path,
            remedy="write it as PT2M30S",
        ) from error


def _parts_of(text: str) -> tuple[int, list[int | Fraction]]:
    """Read the sign of a duration, and its years, months, weeks to seconds."""
    found = _DURATION.fullmatch(text)
    sign, *given = ("", *[None] * 7) if found is None else found.groups()
    written = [part for part in given if part is not None]
    # Only the last may have a fraction, and one must be there.
    if not written or not all(part.isdigit() for part in written[:-1]):
        raise ValueError(text)
    # Whole numbers stay such: arithmetic with fractions takes ten times as long.
    parts = [
        int(part or 0)
        if part is None or part.isdigit()
        else Fraction(part.replace(",", "."))
        for part in given
    ]
    return -1 if sign == "-" else 1, parts


def _months_later(start: datetime, months: int) -> datetime:
    """Go on by calendar months; a day that the month does not have is its last."""
    years, month = divmod(start.month - 1 + months, 12)
    for day in range(start.day, start.day - 4, -1):
        try:
            return start.replace(year=start.year + years, month=month + 1, day=day)
        except ValueError:
            continue
    raise OverflowError(months)


def to_millis(moment: datetime) -> int:
    """Write an aware time as Unix epoch milliseconds, rounded to the nearest."""
    since = moment - _EPOCH
    # Whole seconds are even, so a half is rounded as that of the whole number would be.
    return since.days * _DAY + since.seconds * 1000 + round(since.microseconds / 1000)


def from_millis(millis: float, *, path: str = "$") -> datetime:
    """
    Read Unix epoch milliseconds.

    Raises:
        ModelError: a time outside the years 1 to 9999; names the path.
    """
    try:
        # A whole number is multiplied exactly, and sooner.
        whole = int(millis)
        return _EPOCH + (whole if whole == millis else millis) * _MILLISECOND
    except (OverflowError, ValueError) as error:
        raise ModelError(
            f"{millis} is no time in epoch milliseconds", path=path
        ) from error
