"""
The query string of a list as an attrs class: what is wanted, and which page of it.

One field is one parameter. A field that :func:`restricts` declares also names the
condition that its value makes, so that a class is the table of a list's filters.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar, Literal, TypeAlias

import attrs
import sqlalchemy as sa

from rigbridge_store.access.sight import Sight
from rigbridge_store.reading.conditions import (
    Condition,
    duration_between,
    moment_between,
    text_contained,
)
from rigbridge_store.reading.details import Row
from rigbridge_store.tables.fragments import FRAGMENT

__all__ = [
    "LIMITS",
    "Column",
    "DeploymentQuery",
    "Judgement",
    "Level",
    "ListQuery",
    "MeasurementKind",
    "Outcome",
    "PhaseOutcome2",
    "RowPage",
    "Sample",
    "SampleOrProduct",
    "SortedQuery",
    "among",
    "at_least",
    "at_most",
    "containing",
    "contains",
    "equal",
    "from_moment",
    "lasting_at_least",
    "lasting_at_most",
    "parameter",
    "read_page",
    "restricts",
    "searches",
    "until_moment",
    "utc",
    "visible",
]

Outcome = Literal["PASS", "FAIL", "ERROR", "TIMEOUT", "ABORTED"]
"""The verdicts of a run that has ended."""

PhaseOutcome2 = Literal["PASS", "FAIL", "SKIP", "ERROR"]
"""The verdicts of a phase."""

Judgement = Literal["PASS", "FAIL", "UNSET"]
"""The verdicts of a measurement, or of a validator."""

Sample = Literal["golden", "failing", "ignored"]
"""What a unit that is no product is good for."""

SampleOrProduct = Literal["production", "golden", "failing", "ignored"]
"""Any unit: a product is no sample."""

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
"""The level of a log line."""

MeasurementKind = Literal[
    "numeric", "boolean", "string", "multidimensional", "empty", "json"
]
"""What kind of value a measurement has."""

Column: TypeAlias = sa.ColumnElement[Any]
"""A column, or what is computed of some."""

LIMITS = "limits"
"""Where the metadata of a field have what the parameter must keep."""

_CONDITION = "condition"
_NEWEST = 1 << 26


def parameter(default: object = None, **limits: object) -> Any:
    """
    Declare a parameter.

    Args:
        default: its value where the query string has none.
        limits: what :class:`litestar.params.QueryParameter` takes (``ge``, ``le``,
            ``max_length``, ``description``).
    """
    return attrs.field(default=default, metadata={LIMITS: limits})


def restricts(
    condition: Callable[..., Iterable[Condition]],
    *columns: object,
    default: object = None,
    **limits: object,
) -> Any:
    """
    Declare a parameter that restricts the list, and nothing where it is not given.

    Args:
        condition: called with the columns and the value.
        default: its value where the query string has none; ``attrs.NOTHING`` where
            it must have one.
        limits: as for :func:`parameter`.
    """
    # The server reads it from the field to declare the parameter.
    metadata = {LIMITS: limits, _CONDITION: partial(condition, *columns)}
    return attrs.field(default=default, metadata=metadata)


def searches(*columns: sa.ColumnElement[str], description: str) -> Any:
    """Declare a parameter that is looked for within some folded columns, or ids."""

    # No index finds a text within another; the tables that are searched so are small.
    def condition(text: str) -> list[Condition]:
        return text_contained(text, *columns)

    return restricts(condition, description=description)


def containing(
    connection: sa.Connection,
    text: str | None,
    find: Callable[[sa.Connection, str], Condition],
    *columns: sa.ColumnElement[str],
) -> list[Condition]:
    """
    Demand a text within one of some folded columns.

    Args:
        connection: the transaction.
        text: what is looked for; None or blank is nothing.
        find: makes the condition for what an index of fragments can find.
    """
    wanted = (text or "").strip()
    if len(wanted) >= FRAGMENT:
        return [find(connection, wanted)]
    # So short a text is in most rows: a page of them is full soon.
    return text_contained(wanted, *columns)


def utc(moment: datetime) -> datetime:
    """Take a time without a zone as UTC, which is what v2 clients send."""
    # Not astimezone(), which would take it for the time of this machine.
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


@attrs.frozen(kw_only=True)
class ListQuery:
    """
    What every list takes.

    Attributes:
        limit: how many rows at most.
        cursor: where to go on, as the page before told, or None for the beginning.
    """

    limit: int = parameter(50, ge=1, le=100)
    # Still exact in a client's double.
    cursor: int | None = parameter(ge=0, le=2**53)

    def conditions(self) -> list[Condition]:
        """
        Give the conditions of the parameters that were sent.

        Raises:
            BadRequestError: a value that is none of its kind; names the parameter.
        """
        found: list[Condition] = []
        for field in attrs.fields(type(self)):
            # A field without one is read by the query itself, or by the handler.
            condition = field.metadata.get(_CONDITION)
            value = getattr(self, field.name)
            # Only None is no demand: an empty list matches nothing, and 0 is a bound.
            if condition is None or value is None:
                continue
            found += condition(utc(value) if isinstance(value, datetime) else value)
        return found


@attrs.frozen(kw_only=True)
class DeploymentQuery(ListQuery):
    """The parameters of ``GET /v2/deployments``, none of which restricts nothing."""

    search_query: str | None = None
    procedure_ids: list[str] | None = None
    environments: list[str] | None = None
    branch_names: list[str] | None = None
    author_usernames: list[str] | None = None
    build_statuses: list[str] | None = None
    pushed: bool | None = None
    deployed_after: datetime | None = None
    deployed_before: datetime | None = None


@attrs.frozen(kw_only=True)
class SortedQuery(ListQuery):
    """A list that can be sorted; ``sorts`` has the column of each ``sort_by``."""

    sorts: ClassVar[Mapping[str, Column]]
    sort_by: str = "created_at"
    sort_order: Literal["asc", "desc"] = "desc"

    def order(self, key: Column) -> tuple[sa.UnaryExpression[Any], ...]:
        """Give the order: by a column, and by a key among equal values."""
        # Without the key, rows of equal values could change places between pages.
        columns = (self.sorts[self.sort_by], key)
        if self.sort_order == "asc":
            return tuple(column.asc() for column in columns)
        return tuple(column.desc() for column in columns)


@attrs.frozen(kw_only=True)
class RowPage:
    """
    A part of a list.

    Attributes:
        next_cursor: where the next page begins, or None after the last.
    """

    rows: Sequence[Row] = ()
    next_cursor: int | None = None

    @property
    def keys(self) -> list[int]:
        """The keys of the rows."""
        return [row.key for row in self.rows]


def read_page(
    connection: sa.Connection,
    statement: sa.Select[*tuple[object, ...]],
    wanted: ListQuery,
    key: sa.Column[int],
    sight: Sight | None = None,
) -> RowPage:
    """
    Read one page, and whether there is another.

    Args:
        connection: the transaction.
        key: of the table that is listed; what is added to it gets a higher one.
        sight: what the caller may see, where the statement has its conditions.
    """
    # The cursor of v2 is a number. As an offset alone it would give rows again once
    # others are added before them. So it also names the newest row that there was
    # at the first page; 0 comes from a client that counts the rows by itself.
    newest, start = divmod(int(wanted.cursor or 0), _NEWEST)
    if newest:
        statement = statement.where(key <= newest)
    # One row more than wanted tells whether there is a next page, without a count.
    limit = wanted.limit
    rows = connection.execute(
        statement.limit(limit + 1).offset(start),
        {} if sight is None else sight.parameters,
    ).all()
    if len(rows) <= limit:
        return RowPage(rows=rows)
    newest = newest or connection.execute(sa.select(sa.func.max(key))).scalar_one()
    # Beyond what a client's double holds, an offset alone.
    above = newest if newest < _NEWEST else 0
    return RowPage(rows=rows[:limit], next_cursor=above * _NEWEST + start + limit)


def equal(column: Column, value: object) -> list[Condition]:
    """Demand a value, exactly."""
    return [column == value]


def among(column: Column, values: Collection[object]) -> list[Condition]:
    """Demand one of some values, exactly."""
    return [column.in_(list(values))]


def visible(column: Column, allowed: Collection[int] | None) -> list[Condition]:
    """Demand one of the procedures that may be seen; None stands for all."""
    # An empty set matches nothing: a station without links sees nothing.
    return [] if allowed is None else among(column, allowed)


def contains(column: Column, text: str) -> list[Condition]:
    """Demand a text within a column that is not folded."""
    words = text.strip()
    # Without a folded copy of the column, the database folds it as it can.
    return [column.icontains(words, autoescape=True)] if words else []


def at_least(column: Column, value: float) -> list[Condition]:
    """Demand a number, the bound included."""
    return [column >= value]


def at_most(column: Column, value: float) -> list[Condition]:
    """Demand a number, the bound included."""
    return [column <= value]


def from_moment(column: Column, moment: datetime) -> list[Condition]:
    """Demand a moment, the bound included."""
    return moment_between(column, moment, None)


def until_moment(column: Column, moment: datetime) -> list[Condition]:
    """Demand a moment, the bound included."""
    return moment_between(column, None, moment)


def lasting_at_least(column: Column, duration: str) -> list[Condition]:
    """Demand a duration, the bound included."""
    return duration_between(column, duration, None)


def lasting_at_most(column: Column, duration: str) -> list[Condition]:
    """Demand a duration, the bound included."""
    return duration_between(column, None, duration)
