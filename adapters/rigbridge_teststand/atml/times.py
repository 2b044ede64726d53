"""
Times of ATML: TestStand writes wall time without a zone, others write an offset.

A fraction of ``.1000`` is a millisecond counter that reached a thousand, and means the
next second. Digits finer than a microsecond are cut.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from rigbridge.adapters import ReadContext
from rigbridge_teststand.atml.names import attribute
from rigbridge_teststand.documents import place_of
from rigbridge_teststand.element import Element

__all__ = ["Clock"]

_TIME = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})[T ]+(\d{1,2}):(\d{1,2}):(\d{1,2})"
    r"(?:[.,](\d+))?\s*(Z|z|[+-]\d{2}:?\d{2})?$"
)
_NEXT_SECOND = "1000"
_UNKNOWN_YEAR = 1900


class Clock:
    """
    Reads the times of one run.

    Args:
        context: gives wall times their zone, and takes the account.
        station: the station that printed them, or None.
    """

    def __init__(self, context: ReadContext, station: str | None) -> None:
        self._context = context
        self._station = station
        self._known: dict[datetime, timedelta] = {}

    def read(self, element: Element | None, name: str) -> datetime | None:
        """Read the time in an attribute; None where there is none that can be read."""
        text = attribute(element, name)
        if text is None or element is None:
            return None
        try:
            moment = self._moment(text, element)
        except (ValueError, OverflowError):
            moment = None
        if moment is None:
            self._context.report.coerced(
                "time",
                "unreadable, taken as unknown",
                place=place_of(element),
                detail=text,
            )
        return moment

    def _moment(self, text: str, element: Element) -> datetime | None:
        match = _TIME.match(text)
        if match is None:
            return None
        *numbers, fraction, zone = match.groups()
        year, month, day, hour, minute, second = map(int, numbers)
        if year < _UNKNOWN_YEAR:
            return None
        wall = datetime(  # noqa: DTZ001 - a wall time; its zone comes below
            year, month, day, hour, minute, second
        )
        if fraction == _NEXT_SECOND:
            self._context.report.coerced(
                "time",
                "1000 milliseconds read as the next second",
                place=place_of(element),
                detail=text,
            )
            wall += timedelta(seconds=1)
        elif fraction:
            wall += timedelta(microseconds=int(f"{fraction:0<6.6}"))
        if zone is None:
            return self._localized(wall, element)
        if zone in "Zz":
            return wall.replace(tzinfo=UTC)
        sign = -1 if zone[0] == "-" else 1
        digits = zone[1:].replace(":", "")
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        return (wall - sign * offset).replace(tzinfo=UTC)

    def _localized(self, wall: datetime, element: Element) -> datetime:
        # Zones change at full hours or quarters, so one answer serves a quarter.
        quarter = wall.replace(minute=wall.minute // 15 * 15, second=0, microsecond=0)
        shift = self._known.get(quarter)
        if shift is None:
            begin = self._context.time_zone.localize(
                quarter,
                report=self._context.report,
                place=place_of(element),
                station=self._station,
            )
            shift = self._known[quarter] = begin.replace(tzinfo=None) - quarter
        return (wall + shift).replace(tzinfo=UTC)
