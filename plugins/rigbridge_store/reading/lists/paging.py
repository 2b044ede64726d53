"""Pages of lists, in the order that a caller wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import sqlalchemy as sa

__all__ = ["Page", "Paging", "ordered", "paged"]


@attrs.frozen(kw_only=True)
class Paging:
    """
    Which part of a list is wanted.

    Attributes:
        limit: how many rows at most.
        cursor: where to go on, as the page before told, or None for the beginning.
    """

    limit: int = 50
    cursor: int | None = None


@attrs.frozen(kw_only=True)
class Page:
    """
    A part of a list.

    Attributes:
        rows: the rows.
        next_cursor: where the next page begins, or None after the last.
    """

    rows: Sequence[Any]
    next_cursor: int | None


def paged(connection: sa.Connection, statement: sa.Select[Any], paging: Paging) -> Page:
    """Read one page, and whether there is another."""
    start = paging.cursor or 0
    rows = connection.execute(statement.limit(paging.limit + 1).offset(start)).all()
    more = len(rows) > paging.limit
    return Page(
        rows=rows[: paging.limit], next_cursor=start + paging.limit if more else None
    )


def ordered(
    statement: sa.Select[Any],
    columns: Mapping[str, sa.ColumnElement[Any]],
    *,
    by: str,
    order: str,
    last: sa.ColumnElement[Any],
) -> sa.Select[Any]:
    """Sort a list by one of its columns, and by a key where that is equal."""
    if order == "asc":
        return statement.order_by(columns[by].asc(), last.asc())
    return statement.order_by(columns[by].desc(), last.desc())
