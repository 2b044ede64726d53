"""The periods that somebody can choose, and the one that an address asks for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import MAXYEAR, UTC, datetime, timedelta
from types import MappingProxyType

import attrs

from rigbridge_store.pages.formatting import format_day
from rigbridge_store.pages.security import AnyRequest
from rigbridge_store.reading.conditions import DAY, Period
from rigbridge_store.tables.values import now_micros

__all__ = ["PERIODS", "ChosenPeriod", "chosen_period", "requested_days"]

PERIODS: Mapping[str, tuple[str, int | None]] = MappingProxyType(
    {
        "today": ("today", None),
        "week": ("this week", None),
        "7": ("7 days", 7),
        "30": ("30 days", 30),
        "90": ("90 days", 90),
        "365": ("1 year", 365),
        "all": ("all", None),
    }
)
"""By the word in the address: what is shown, and how many days that is."""

_DEFAULT = "90"
# More bars are too thin to point at.
_MAX_BARS = 45
_WEEK = 7
# The epoch was a Thursday.
_WEEKDAY = 3
_BY_CLOCK = ("today", "week")
_WIDTHS = {"day": 1, "week": _WEEK}
# An axis of more bars than pixels shows nothing.
_MOST_BARS = 800


@attrs.frozen(kw_only=True)
class ChosenPeriod:
    """
    A period that somebody chose.

    One of some days ends with the newest run of the store, not today: old reports
    that were imported are something to look at as well. That of today, and of this
    week, is told by the clock.

    Attributes:
        word: the word in the address; ``own`` for days that were named.
        period: the period; whole days in UTC.
        latest: when the newest run was, in microseconds; None in an empty store.
        days_each: how many days a bar of a chart stands for.
        since, until: its first and its last day as the address names them, or blank.
        problems: what is wrong with these, by their names.
        by: what a bar of the chart was asked to be (``day``, ``week``), or blank.
    """

    word: str
    label: str
    period: Period
    latest: int | None
    days_each: int
    since: str = ""
    until: str = ""
    problems: Mapping[str, str] = attrs.field(factory=dict[str, str])
    by: str = ""

    @property
    def query(self) -> dict[str, str]:
        """What asks for the same period in another address."""
        if self.word == "own":
            return {"since": self.since, "until": self.until}
        return {"period": self.word}

    @property
    def days(self) -> dict[str, str | None]:
        """The first and the last day, as the search for runs takes them."""
        since, until = self.period.since, self.period.until
        return {
            "since": None if since is None else format_day(since),
            "until": None if until is None else format_day(until - DAY),
        }


def requested_days(
    values: Mapping[str, str],
) -> tuple[Period, dict[str, str]]:
    """
    Read ``since`` and ``until``, days of which the last belongs to the period.

    Returns:
        The period, and what is wrong with a day, by its name.
    """
    problems: dict[str, str] = {}
    since = _day(values.get("since", ""), "since", problems)
    until = _day(values.get("until", ""), "until", problems)
    if until is not None:
        until += timedelta(days=1)
    if since is not None and until is not None and since >= until:
        problems["until"] = "is before the first day"
    return Period.of(since, until), problems


def _day(text: str, name: str, problems: dict[str, str]) -> datetime | None:
    if not text:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        problems[name] = "is no day like 2024-01-31"
        return None
    # The day after it would not be a date.
    if day.year == MAXYEAR:
        problems[name] = "is too far away"
        return None
    return day


def chosen_period(
    request: AnyRequest, stored: tuple[int | None, int | None]
) -> ChosenPeriod:
    """
    Tell which period a request asks for; the default one by default.

    Args:
        stored: when the oldest and the newest run of the store were.
    """
    values = {
        name: request.query_params.get(name, "").strip() for name in ("since", "until")
    }
    problems: dict[str, str] = {}
    word = request.query_params.get("period", _DEFAULT)
    if word not in PERIODS:
        word = _DEFAULT
    label, days = PERIODS[word]
    begin, latest = stored
    if any(values.values()):
        word, label = "own", f"{values['since'] or '…'} to {values['until'] or '…'}"
        period, problems = requested_days(values)
    elif word in _BY_CLOCK:
        period = Period(since=_begin_by_clock(word))
    elif days is not None and latest is not None:
        # Whole days, so that the first bar of a chart is one as well.
        period = Period(since=(latest // DAY + 1 - days) * DAY)
    else:
        period = Period()
    by = request.query_params.get("by", "")
    by = by if by in _WIDTHS else ""
    return ChosenPeriod(
        word=word,
        label=label,
        period=period,
        latest=latest,
        days_each=_width(period, begin, latest, by),
        problems=problems,
        by=by,
        **values,
    )


def _begin_by_clock(word: str) -> int:
    today = now_micros() // DAY
    back = (today + _WEEKDAY) % _WEEK if word == "week" else 0
    return (today - back) * DAY


def _width(period: Period, begin: int | None, latest: int | None, by: str) -> int:
    """Tell how many days a bar stands for."""
    if begin is None or latest is None:
        return 1
    first = max(begin, begin if period.since is None else period.since)
    last = min(latest, latest if period.until is None else period.until)
    days = (last - first) // DAY + 1
    asked = _WIDTHS.get(by)
    if asked is not None and days <= asked * _MOST_BARS:
        return asked
    # Rounded up, so that the bars are never more than fit.
    return max(1, -(-days // (_MOST_BARS if asked else _MAX_BARS)))
