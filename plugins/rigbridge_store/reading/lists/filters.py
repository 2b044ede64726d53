"""The conditions that lists are filtered by, and their pages."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs
import msgspec
import sqlalchemy as sa

from rigbridge.convert.times import from_iso_duration
from rigbridge.errors import ModelError
from rigbridge_store.fields import folded
from rigbridge_store.intake.catalog import canonical_uuid
from rigbridge_store.refusals import FieldIssue, invalid
from rigbridge_store.tables.moments import micros, span_micros

__all__ = [
    "Page",
    "Paging",
    "between",
    "described",
    "identified",
    "matching",
    "ordered",
    "paged",
    "searched",
    "spanned",
]

Condition = sa.ColumnElement[bool]

_MAX_KEYS = 5


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


def matching(
    column: sa.ColumnElement[Any], texts: Iterable[str] | None
) -> list[Condition]:
    """Demand one of some texts in a folded column."""
    return [] if texts is None else [column.in_([folded(text) for text in texts])]


def identified(
    column: sa.ColumnElement[Any], ids: Iterable[str] | None
) -> list[Condition]:
    """Demand one of some ids."""
    if ids is None:
        return []
    return [column.in_([canonical_uuid(text) or text for text in ids])]


def searched(text: str | None, *columns: sa.ColumnElement[Any]) -> list[Condition]:
    """Demand a text within one of some folded columns, or ids."""
    if text is None or not text.strip():
        return []
    wanted = folded(text.strip())
    return [sa.or_(*(column.contains(wanted, autoescape=True) for column in columns))]


def between(
    column: sa.ColumnElement[Any], after: datetime | None, before: datetime | None
) -> list[Condition]:
    """Demand a moment, the bounds included."""
    conditions: list[Condition] = []
    if after is not None:
        conditions.append(column >= micros(after))
    if before is not None:
        conditions.append(column <= micros(before))
    return conditions


def spanned(
    column: sa.ColumnElement[Any], shortest: str | None, longest: str | None
) -> list[Condition]:
    """
    Demand a duration, the bounds included.

    Raises:
        BadRequestError: a bound that is no ISO 8601 duration.
    """
    conditions: list[Condition] = []
    if shortest is not None:
        conditions.append(column >= span_micros(_span(shortest, "duration_min")))
    if longest is not None:
        conditions.append(column <= span_micros(_span(longest, "duration_max")))
    return conditions


def _span(text: str, path: str) -> timedelta:
    try:
        return from_iso_duration(text)
    except ModelError as error:
        raise invalid([FieldIssue(path, error.message)]) from error


@attrs.frozen(kw_only=True)
class _Demand:
    """What the value under one name must be."""

    within: list[str] | None = None
    contains: str | None = None
    gte: float | None = None
    lte: float | None = None
    gt: float | None = None
    lt: float | None = None
    eq: bool | float | None = None


_OPERATORS = ("in", "contains", "gte", "lte", "gt", "lt", "eq")


def described(
    owner: sa.ColumnElement[Any], table: sa.Table, text: str | None
) -> list[Condition]:
    """
    Demand custom metadata, as v2 writes that: ``{"name": {"in": [...]}}``.

    Args:
        owner: the key of what is listed.
        table: the metadata table of its kind.
        text: the demands as JSON, by name; blank and ``null`` are none.

    Raises:
        BadRequestError: no such demand; names it.
    """
    if text is None or text.strip() in ("", "null"):
        return []
    try:
        demands = msgspec.json.decode(text, type=dict[str, dict[str, Any]])
    except msgspec.MsgspecError as error:
        raise invalid(
            [FieldIssue("metadata", f"is no JSON object: {error}")]
        ) from error
    if len(demands) > _MAX_KEYS:
        words = f"has {len(demands)} keys, at most {_MAX_KEYS} are allowed"
        raise invalid([FieldIssue("metadata", words)])
    owner_key = next(iter(table.primary_key.columns))
    return [
        sa.exists().where(
            owner_key == owner, table.c.name == name, *_demanded(table, name, operators)
        )
        for name, operators in demands.items()
    ]


def _demanded(
    table: sa.Table, name: str, operators: Mapping[str, Any]
) -> list[Condition]:
    path = f"metadata.{name}"
    for key in operators:
        if key not in _OPERATORS:
            words = f"is no operator; known: {', '.join(_OPERATORS)}"
            raise invalid([FieldIssue(f"{path}.{key}", words)])
    renamed = {"within" if key == "in" else key: v for key, v in operators.items()}
    try:
        demand = msgspec.convert(renamed, _Demand)
    except msgspec.ValidationError as error:
        raise invalid([FieldIssue(path, str(error))]) from error
    number = table.c.number
    conditions: list[Condition] = []
    if demand.within is not None:
        conditions.append(table.c.text.in_(demand.within))
    if demand.contains is not None:
        conditions.append(table.c.text.icontains(demand.contains, autoescape=True))
    if isinstance(demand.eq, bool):
        conditions.append(table.c.flag.is_(demand.eq))
    elif demand.eq is not None:
        conditions.append(number == demand.eq)
    for bound, compare in (
        (demand.gte, operator.ge),
        (demand.lte, operator.le),
        (demand.gt, operator.gt),
        (demand.lt, operator.lt),
    ):
        if bound is not None:
            conditions.append(compare(number, bound))
    return conditions
