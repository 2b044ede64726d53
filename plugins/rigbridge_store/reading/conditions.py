"""
The conditions by which runs, and what belongs to them, are chosen.

Everything that chooses goes through here: the search of the pages and of exports
(:mod:`rigbridge_store.reading.selecting`) and the lists of the v2 API
(:mod:`rigbridge_store.reading.lists`). A function whose argument may be None returns a
list, which is empty for None: the caller wanted no such condition.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Self

import attrs
import msgspec
import sqlalchemy as sa

from rigbridge.convert.times import from_iso_duration
from rigbridge.errors import ModelError
from rigbridge.machine.close_names import folded
from rigbridge.model import JSONValue
from rigbridge_store.refusals import FieldIssue, invalid
from rigbridge_store.tables.schema import procedures, run_moment, runs
from rigbridge_store.tables.values import canonical_uuid, span_to_micros, to_micros

__all__ = [
    "ANYTHING",
    "DAY",
    "NEWEST_FIRST",
    "OLDEST_FIRST",
    "Condition",
    "Period",
    "beyond",
    "duration_between",
    "id_in",
    "metadata_matches",
    "moment_between",
    "newer_than",
    "older_than",
    "procedure_keys",
    "text_contained",
    "text_in",
    "text_like",
]

Condition = sa.ColumnElement[bool]

DAY = 86_400_000_000
"""A day in microseconds."""

ANYTHING = "*"
"""Stands for any characters in a text that a person searches for."""

_ESCAPE = "\\"
# The greatest code point: whatever begins with the text sorts before it.
_LAST_CHARACTER = chr(0x10FFFF)
# Each key costs a subquery for each row.
_MAX_KEYS = 5


@attrs.frozen(kw_only=True)
class Period:
    """
    A span of time; None leaves a side open.

    Attributes:
        since: the first moment within, in microseconds since the epoch.
    """

    since: int | None = None
    until: int | None = None

    @classmethod
    def of(cls, since: datetime | None, until: datetime | None) -> Self:
        """Make a period of aware times."""
        return cls(
            since=None if since is None else to_micros(since),
            until=None if until is None else to_micros(until),
        )

    def conditions(self) -> list[Condition]:
        """Demand a run within the period."""
        found: list[Condition] = []
        if self.since is not None:
            found.append(run_moment >= self.since)
        if self.until is not None:
            # Half open, so that a run belongs to one of two adjoining periods.
            found.append(run_moment < self.until)
        return found


NEWEST_FIRST = (run_moment.desc(), runs.c.key.desc())
"""Runs in the order of time; those of one moment in that in which they were stored."""

OLDEST_FIRST = (run_moment, runs.c.key)
"""The same, the other way round."""


def beyond(
    column: sa.ColumnElement[Any], value: str | int, key: int, *, upwards: bool
) -> Condition:
    """
    Demand a run after a place in an order, or before it.

    Args:
        column: what the runs are ordered by, before their keys.
        upwards: whether the runs that are wanted have more.
    """
    # The first condition bounds the range in the index; the second alone, an OR, would
    # make the database look at every run.
    if upwards:
        further = sa.or_(column > value, runs.c.key > key)
        return sa.and_(column >= value, further)
    further = sa.or_(column < value, runs.c.key < key)
    return sa.and_(column <= value, further)


def newer_than(moment: int, key: int) -> Condition:
    """Demand a run after a place in the order of time."""
    return beyond(run_moment, moment, key, upwards=True)


def older_than(moment: int, key: int) -> Condition:
    """Demand a run before a place in the order of time."""
    return beyond(run_moment, moment, key, upwards=False)


def text_like(
    column: sa.ColumnElement[str], text: str, *, within: bool = False
) -> Condition:
    """
    Demand a folded column that is like what a person typed.

    Args:
        text: matched from the beginning; an asterisk stands for anything.
        within: whether it is matched as it is, anywhere.
    """
    # Folded in Python, once, as the column was: the databases fold differently.
    literal = folded(text.strip())
    if within:
        return column.contains(literal, autoescape=True)
    if ANYTHING not in literal:
        # LIKE ignores case in SQLite and so uses no index. A range does, and finds the
        # same, since folded columns sort by code points.
        return sa.and_(column >= literal, column < literal + _LAST_CHARACTER)
    # The escape sign first, or it would escape its own escapes.
    for special in (_ESCAPE, "%", "_"):
        literal = literal.replace(special, _ESCAPE + special)
    return column.like(literal.replace(ANYTHING, "%") + "%", escape=_ESCAPE)


def procedure_keys(
    references: Iterable[str], *, by_name: bool = False
) -> sa.Select[int]:
    """
    Select the keys of the procedures that are meant.

    Args:
        by_name: whether a reference may be a name as well.
    """
    wanted = list(references)
    texts = [folded(text) for text in wanted]
    named = [procedures.c.name_key.in_(texts)] if by_name else []
    return sa.select(procedures.c.key).where(
        sa.or_(
            # An id is compared in the spelling that the store gives.
            procedures.c.id.in_([canonical_uuid(text) or text for text in wanted]),
            procedures.c.identifier_key.in_(texts),
            *named,
        )
    )


def text_in(
    column: sa.ColumnElement[str], texts: Iterable[str] | None
) -> list[Condition]:
    """Demand one of some texts in a folded column."""
    return [] if texts is None else [column.in_([folded(text) for text in texts])]


def id_in(column: sa.ColumnElement[str], ids: Iterable[str] | None) -> list[Condition]:
    """Demand one of some ids."""
    if ids is None:
        return []
    return [column.in_([canonical_uuid(text) or text for text in ids])]


def text_contained(
    text: str | None, *columns: sa.ColumnElement[str]
) -> list[Condition]:
    """Demand a text within one of some folded columns, or ids."""
    if text is None or not text.strip():
        return []
    wanted = folded(text.strip())
    return [sa.or_(*(column.contains(wanted, autoescape=True) for column in columns))]


def moment_between(
    column: sa.ColumnElement[int], after: datetime | None, before: datetime | None
) -> list[Condition]:
    """Demand a moment, the bounds included."""
    conditions: list[Condition] = []
    if after is not None:
        conditions.append(column >= to_micros(after))
    # Bounds are included here, unlike in Period: v2 says so.
    if before is not None:
        conditions.append(column <= to_micros(before))
    return conditions


def duration_between(
    column: sa.ColumnElement[int], shortest: str | None, longest: str | None
) -> list[Condition]:
    """
    Demand a duration, the bounds included.

    Raises:
        BadRequestError: a bound that is no ISO 8601 duration.
    """
    conditions: list[Condition] = []
    if shortest is not None:
        conditions.append(column >= span_to_micros(_span(shortest, "duration_min")))
    if longest is not None:
        conditions.append(column <= span_to_micros(_span(longest, "duration_max")))
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


def metadata_matches(
    owner: sa.ColumnElement[int], table: sa.Table, text: str | None
) -> list[Condition]:
    """
    Demand custom metadata, as v2 writes that: ``{"name": {"in": [...]}}``.

    Args:
        text: the demands as JSON, by name; blank and ``null`` are none.

    Raises:
        BadRequestError: no such demand; names it.
    """
    if text is None or text.strip() in ("", "null"):
        return []
    try:
        demands = msgspec.json.decode(text, type=dict[str, dict[str, JSONValue]])
    except msgspec.MsgspecError as error:
        raise invalid(
            [FieldIssue("metadata", f"is no JSON object: {error}")]
        ) from error
    if len(demands) > _MAX_KEYS:
        words = f"has {len(demands)} keys, at most {_MAX_KEYS} are allowed"
        raise invalid([FieldIssue("metadata", words)])
    # The first column of a metadata table is the key of what it describes.
    owner_key = next(iter(table.primary_key.columns))
    return [
        sa.exists().where(
            owner_key == owner, table.c.name == name, *_demanded(table, name, operators)
        )
        for name, operators in demands.items()
    ]


def _demanded(
    table: sa.Table, name: str, operators: Mapping[str, JSONValue]
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
        # Without regard to case, as all searches.
        conditions.append(table.c.text.icontains(demand.contains, autoescape=True))
    # In Python a bool is a number, too.
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
