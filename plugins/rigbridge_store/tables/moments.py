"""Moments and spans as the tables hold them: whole microseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rigbridge.convert.times import to_iso_duration, to_iso_utc

__all__ = [
    "from_micros",
    "iso_from_micros",
    "iso_from_span",
    "micros",
    "now_micros",
    "span_micros",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """Count the microseconds from the epoch to an aware time; exact."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(count: int) -> datetime:
    """Give the moment of a count of microseconds, in UTC."""
    return _EPOCH + count * _MICROSECOND


def span_micros(span: timedelta) -> int:
    """Count the microseconds of a span; exact."""
    return span // _MICROSECOND


def now_micros() -> int:
    """Tell the present moment."""
    return micros(datetime.now(UTC))


def iso_from_micros(count: int | None) -> str | None:
    """Write a moment as ISO 8601 in UTC; None stays None."""
    return None if count is None else to_iso_utc(_EPOCH + count * _MICROSECOND)


def iso_from_span(count: int) -> str:
    """Write a span as an ISO 8601 duration."""
    return to_iso_duration(timedelta(microseconds=count))
