"""What the address of a page asks for: a place in the list of runs, a period."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import quote, urlencode

import attrs

from rigbridge_store.pages.security import AnyRequest
from rigbridge_store.reading.conditions import DAY, Period
from rigbridge_store.reading.run_search import Cursor, RunPage
from rigbridge_store.refusals import FieldIssue, invalid

__all__ = [
    "PAGE_SIZE",
    "PERIODS",
    "ChosenPeriod",
    "Pager",
    "chosen_period",
    "pager",
    "requested_place",
]

PAGE_SIZE = 50
"""How many runs a page has."""

PERIODS: Mapping[str, tuple[str, int | None]] = MappingProxyType(
    {
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


@attrs.frozen(kw_only=True)
class ChosenPeriod:
    """
    A period that somebody chose.

    It ends with the newest run of the store, not today: old reports that were
    imported are something to look at as well.

    Attributes:
        word: the word in the address.
        label: what is shown.
        period: the period.
        latest: when the newest run was, in microseconds; None in an empty store.
        days_each: how many days a bar of a chart stands for.
    """

    word: str
    label: str
    period: Period
    latest: int | None
    days_each: int


def chosen_period(
    request: AnyRequest, stored: tuple[int | None, int | None]
) -> ChosenPeriod:
    """
    Tell which period a request asks for; the default one by default.

    Args:
        request: the request.
        stored: when the oldest and the newest run of the store were.
    """
    word = request.query_params.get("period", _DEFAULT)
    if word not in PERIODS:
        word = _DEFAULT
    label, days = PERIODS[word]
    begin, latest = stored
    since = None
    if days is not None and latest is not None:
        # Whole days, so that the first bar of a chart is one as well.
        begin = since = (latest // DAY + 1 - days) * DAY
    days_each = 1
    if begin is not None and latest is not None:
        # Rounded up, so that the bars are never more than fit.
        days_each = max(1, -(-((latest - begin) // DAY + 1) // _MAX_BARS))
    return ChosenPeriod(
        word=word,
        label=label,
        period=Period(since=since),
        latest=latest,
        days_each=days_each,
    )


@attrs.frozen(kw_only=True)
class Pager:
    """
    The addresses of the pages around one.

    Attributes:
        newest: that of the first page, or None on it.
        newer: that of the page before, or None.
        older: that of the next page, or None.
    """

    newest: str | None
    newer: str | None
    older: str | None


def requested_place(request: AnyRequest) -> dict[str, Cursor | None]:
    """
    Tell ``after`` and ``before`` which run the page that is asked for lies.

    Raises:
        BadRequestError: that is no place.
    """
    return {name: _cursor(request, name) for name in ("after", "before")}


def _cursor(request: AnyRequest, name: str) -> Cursor | None:
    text = request.query_params.get(name)
    if not text:
        return None
    try:
        return Cursor.parse(text)
    except ValueError as error:
        raise invalid([FieldIssue(name, "is no place in the list")]) from error


def pager(request: AnyRequest, page: RunPage) -> Pager:
    """Give the addresses around a page, with everything else of its address kept."""
    # A search stays what it is when a person turns the page.
    kept = [
        (name, value)
        for name, value in request.query_params.multi_items()
        if name not in ("after", "before") and value
    ]

    def address(*place: tuple[str, str]) -> str:
        query = urlencode([*kept, *place], quote_via=quote)
        return f"{request.url.path}?{query}" if query else request.url.path

    return Pager(
        newest=None if page.newer is None else address(),
        newer=None if page.newer is None else address(("before", str(page.newer))),
        older=None if page.older is None else address(("after", str(page.older))),
    )
