"""
Values as the tables hold them: times, spans, ids, and texts that are looked up.

Times are whole microseconds since the epoch in UTC, spans are microseconds. A text that
is found without regard to case has a folded copy in a column of its own.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from uuid import UUID, uuid4

from rigbridge.convert.times import to_iso_duration, to_iso_utc

__all__ = [
    "EPOCH",
    "ColumnValue",
    "Row",
    "canonical_uuid",
    "from_micros",
    "iso_from_micros",
    "iso_from_span",
    "iso_or_epoch",
    "new_id",
    "now_micros",
    "span_to_micros",
    "to_micros",
]

ColumnValue: TypeAlias = str | int | float | bytes | None
"""What goes into a column."""

Row: TypeAlias = tuple[ColumnValue, ...]
"""The values of one row, in the order of its columns."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""
Stands for an unknown time where the contract demands one.

No test ran then, so that a reader can tell it from a real time.
"""

_MICROSECOND = timedelta(microseconds=1)
_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


def to_micros(time: datetime) -> int:
    """Count the microseconds from the epoch to an aware time; exact."""
    # In whole numbers: a float of seconds would lose the last microseconds.
    return (time - EPOCH) // _MICROSECOND


def from_micros(count: int) -> datetime:
    """
    Give the time of a count of microseconds, in UTC.

    An offset may lead a time out of the years 1 to 9999, and a chart end a step after
    them: such a count gets the first or the last time that there is.
    """
    try:
        return EPOCH + count * _MICROSECOND
    except OverflowError:
        return _LAST if count > 0 else _FIRST


def span_to_micros(span: timedelta) -> int:
    """Count the microseconds of a span; exact."""
    return span // _MICROSECOND


def now_micros() -> int:
    """Give the present time."""
    return to_micros(datetime.now(UTC))


def iso_from_micros(count: int | None) -> str | None:
    """Write a time as ISO 8601 in UTC; None stays None."""
    return None if count is None else to_iso_utc(from_micros(count))


def iso_or_epoch(count: int | None) -> str:
    """Write a time as ISO 8601 in UTC, an unknown one as the epoch."""
    return to_iso_utc(from_micros(count or 0))


def iso_from_span(count: int) -> str:
    """Write a span as an ISO 8601 duration."""
    return to_iso_duration(timedelta(microseconds=count))


def new_id() -> str:
    """Make the public id of a new row."""
    return str(uuid4())


def canonical_uuid(text: str) -> str | None:
    """Give a UUID in its usual spelling, or None for a text that is none."""
    try:
        return str(UUID(text))
    except ValueError:
        return None
