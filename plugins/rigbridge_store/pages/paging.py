"""Paging by key: each page begins where another ended, however many there are."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import attrs

from rigbridge_store.pages.site import AnyRequest
from rigbridge_store.reading import Cursor, RunPage
from rigbridge_store.refusals import FieldIssue, invalid

__all__ = ["PAGE_SIZE", "Pager", "asked_page", "pager"]

PAGE_SIZE = 50
"""How many runs a page has."""


@attrs.frozen(kw_only=True)
class Pager:
    """
    The ways on from a page.

    Attributes:
        newest: the address of the first page, or None on it.
        newer: that of the page before, or None.
        older: that of the next page, or None.
    """

    newest: str | None
    newer: str | None
    older: str | None


def asked_page(request: AnyRequest) -> tuple[Cursor | None, Cursor | None]:
    """
    Tell after and before which run the page that is asked for lies.

    Raises:
        BadRequestError: that is no place.
    """
    return _cursor(request, "after"), _cursor(request, "before")


def _cursor(request: AnyRequest, name: str) -> Cursor | None:
    text = request.query_params.get(name)
    if not text:
        return None
    try:
        return Cursor.parse(text)
    except ValueError as error:
        raise invalid([FieldIssue(name, "is no place in the list")]) from error


def pager(request: AnyRequest, page: RunPage) -> Pager:
    """Give the ways on from a page, with everything else of its address kept."""
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
