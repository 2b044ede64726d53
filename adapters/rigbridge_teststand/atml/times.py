"""
Times of ATML: TestStand writes wall time without a zone, others write an offset.

TestStand counts milliseconds up to 1000, so ``.1000`` is the next second. Digits below
a microsecond are cut.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import partial

from rigbridge.adapters import TimeZonePolicy
from rigbridge_teststand.atml.account import RunAccount
from rigbridge_teststand.xml.elements import Element

__all__ = ["TimeReader"]

_TIME = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})[T ]+(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?"
    r"(?:[.,](\d+))?\s*(Z|z|[+-]\d{2}:?\d{2})?$"
)
# The part of a time up to its minute, the key of the short cut.
_MINUTE = len("2018-01-13T11:04")
_PLAIN = frozenset({len("2018-01-13T11:04:48"), len("2018-01-13T11:04:48.450")})
_NEXT_SECOND = "1000"
_UNKNOWN_YEAR = 1900
_FARTHEST = timedelta(hours=14)
_MANY = 1_000


class TimeReader:
    """
    Reads the times of one run.

    Args:
        station: the station that printed them, or None.
    """

    def __init__(
        self, time_zone: TimeZonePolicy, station: str | None, account: RunAccount
    ) -> None:
        self._time_zone = time_zone
        self._station = station
        self._account = account
        self._of_quarters: dict[datetime, timedelta] = {}
        self._of_minutes: dict[str, timedelta] = {}

    def read(self, text: str | None, element: Element) -> datetime | None:
        """Read a time; None where there is none that can be read."""
        if text is None or not (text := text.strip()):
            return None
        # Thousands of steps share a minute, and a zone look-up is slow.
        # Only the two usual lengths: anything longer may carry an offset.
        shift = self._of_minutes.get(text[:_MINUTE])
        if shift is not None and len(text) in _PLAIN and text[_MINUTE] == ":":
            try:
                return datetime.fromisoformat(text + "+00:00") + shift
            except (ValueError, OverflowError):
                pass  # It is no time after all; the code below records that.
        try:
            moment = self._plain(text, element)
            if moment is None:
                moment = self._spelled(text, element)
        except (ValueError, OverflowError):
            moment = None
        if moment is None:
            self._account.coerced("time", "unreadable, taken as unknown", element, text)
        return moment

    def _plain(self, text: str, element: Element) -> datetime | None:
        """Read the usual spelling by Python's own reader, which is faster."""
        if (
            len(text) < min(_PLAIN)
            or not text[4] == text[7] == "-"
            or text[10] != "T"
            or not text[13] == text[16] == ":"
            # Python's reader takes .1000 for 100 milliseconds.
            or _NEXT_SECOND in text
        ):
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return None
        if moment.year <= _UNKNOWN_YEAR:
            return None
        if moment.tzinfo is None:
            shift = self._shift(moment, element)
            # Bounded: damaged times may all differ.
            if len(self._of_minutes) < _MANY:
                self._of_minutes[text[:_MINUTE]] = shift
            return (moment + shift).replace(tzinfo=UTC)
        # Offsets of other lengths are none that a report may have.
        if text[-1] == "Z" or text[-len("+00:00")] in "+-":
            return moment.astimezone(UTC)
        return None

    def _spelled(self, text: str, element: Element) -> datetime | None:
        match = _TIME.match(text)
        if match is None:
            return None
        *numbers, fraction, zone = match.groups()
        year, month, day, hour, minute, second = (int(each or 0) for each in numbers)
        # An earlier time is an unset one.
        if year < _UNKNOWN_YEAR:
            return None
        # The schema has 24:00:00 for the end of a day; :60 is a leap second.
        ends_day = (hour, minute, second) == (24, 0, 0)
        wall = datetime(  # noqa: DTZ001 - a wall time; its zone comes below
            year, month, day, 0 if ends_day else hour, minute, min(second, 59)
        ) + timedelta(days=ends_day, seconds=second == 60)
        if fraction == _NEXT_SECOND:
            self._account.coerced(
                "time", "1000 milliseconds read as the next second", element, text
            )
            wall += timedelta(seconds=1)
        # Cut to microseconds, not rounded: a time must not move into the next second.
        elif fraction:
            wall += timedelta(microseconds=int(f"{fraction:0<6.6}"))
        if zone is None:
            return (wall + self._shift(wall, element)).replace(tzinfo=UTC)
        if zone in "Zz":
            return wall.replace(tzinfo=UTC)
        sign = -1 if zone[0] == "-" else 1
        digits = zone[1:].replace(":", "")
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        if offset > _FARTHEST:
            return None
        return (wall - sign * offset).replace(tzinfo=UTC)

    def _shift(self, wall: datetime, element: Element) -> timedelta:
        # Zones change at full hours or quarters, so one answer serves a quarter.
        quarter = wall.replace(minute=wall.minute // 15 * 15, second=0, microsecond=0)
        shift = self._of_quarters.get(quarter)
        if shift is None:
            begin = self._time_zone.localize(
                quarter,
                report=self._account.report,
                place=partial(self._account.place, element),
                station=self._station,
            )
            shift = self._of_quarters[quarter] = begin.replace(tzinfo=None) - quarter
        return shift
