"""What the address of a page asks for: a place in a list of runs, an order, columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast
from urllib.parse import quote, urlencode

import attrs

from rigbridge_store.pages.security import AnyRequest
from rigbridge_store.reading.conditions import Period
from rigbridge_store.reading.run_search import Cursor, RunOrder, RunPage
from rigbridge_store.reading.yields import YieldFilter
from rigbridge_store.refusals import FieldIssue, invalid

__all__ = [
    "COLUMNS",
    "PAGE_SIZE",
    "Address",
    "Pager",
    "chosen_columns",
    "pager",
    "requested_filter",
    "requested_order",
    "requested_place",
]

PAGE_SIZE = 50
"""How many runs a page has."""

COLUMNS = {
    "part": "Part",
    "revision": "Revision",
    "batch": "Batch",
    "procedure": "Procedure",
    "station": "Station",
    "operator": "Operator",
    "duration": "Duration",
    "failure": "Failed first",
}
"""The columns of a list of runs that can be left out, by their words in an address."""

_USUAL = ("part", "procedure", "station", "duration", "failure")


@attrs.frozen
class Address:
    """
    The address of a page, from which the links on it are made.

    Attributes:
        items: the names and values of its query, without those that are blank.
    """

    path: str
    items: Sequence[tuple[str, str]] = ()

    @classmethod
    def of(cls, request: AnyRequest) -> Address:
        """Take the address that was asked for."""
        items = [
            (name, value) for name, value in request.query_params.multi_items() if value
        ]
        return cls(request.url.path, items)

    def changed(self, path: str | None = None, **changes: object) -> str:
        """
        Write the address with other values; a place in a list is left out.

        Args:
            path: another path, or None.
            changes: values by name; None leaves a name out, a sequence repeats it.
        """
        dropped = {"after", "before", *changes}
        items = [item for item in self.items if item[0] not in dropped]
        for name, value in changes.items():
            values: Sequence[object] = [value]
            if isinstance(value, (list, tuple)):
                values = cast("Sequence[object]", value)  # of anything
            items += [(name, str(item)) for item in values if item not in (None, "")]
        # Half of a surrogate pair may stand in what a client asks for.
        query = urlencode(items, quote_via=quote, errors="replace")
        where = path or self.path
        return f"{where}?{query}" if query else where


@attrs.frozen(kw_only=True)
class Pager:
    """
    The addresses of the pages around one.

    Attributes:
        first: that of the first page, or None on it.
        previous: that of the page before, or None.
        following: that of the next page, or None.
        by_time: whether the pages lead from the newest run to the oldest.
    """

    first: str | None
    previous: str | None
    following: str | None
    by_time: bool = True


def requested_order(request: AnyRequest) -> RunOrder:
    """Tell in which order runs are asked for; the newest first by default."""
    try:
        return RunOrder(request.query_params.get("sort", ""))
    except ValueError:
        return RunOrder.NEWEST


def requested_filter(
    request: AnyRequest, period: Period, procedure_id: str | None = None
) -> YieldFilter:
    """Tell to which station, revision and instrument a page is narrowed."""
    asked = request.query_params
    return YieldFilter(
        period=period,
        procedure_id=procedure_id,
        station=asked.get("station", "").strip(),
        revision=asked.get("revision", "").strip(),
        instrument=asked.get("instrument", "").strip(),
    )


def chosen_columns(request: AnyRequest) -> Sequence[str]:
    """Tell which columns of a list are asked for; the usual ones by default."""
    asked = request.query_params.getall("column", [])
    return [name for name in COLUMNS if name in asked] or _USUAL


def requested_place(
    request: AnyRequest, order: RunOrder = RunOrder.NEWEST
) -> dict[str, Cursor | None]:
    """
    Tell ``after`` and ``before`` which run the page that is asked for lies.

    Raises:
        BadRequestError: that is no place.
    """
    return {name: _cursor(request, name, order) for name in ("after", "before")}


def _cursor(request: AnyRequest, name: str, order: RunOrder) -> Cursor | None:
    text = request.query_params.get(name)
    if not text:
        return None
    try:
        return Cursor.parse(text, order)
    except ValueError as error:
        raise invalid([FieldIssue(name, "is no place in the list")]) from error


def pager(
    request: AnyRequest, page: RunPage, order: RunOrder = RunOrder.NEWEST
) -> Pager:
    """Give the addresses around a page, with everything else of its address kept."""
    here = Address.of(request)
    previous, following = page.previous, page.following
    return Pager(
        first=None if previous is None else here.changed(),
        previous=None if previous is None else here.changed(before=previous),
        following=None if following is None else here.changed(after=following),
        by_time=order is RunOrder.NEWEST,
    )
