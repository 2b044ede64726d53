"""
Pages of runs in an order, and the names that a search can choose from.

A page begins where another ended, so that one far back costs no more than the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import attrs
import sqlalchemy as sa

from rigbridge.model import RunOutcome
from rigbridge_store.reading.conditions import beyond
from rigbridge_store.reading.failures import first_failures
from rigbridge_store.reading.searching import RunSearch, search_conditions
from rigbridge_store.refusals import not_found
from rigbridge_store.tables.schema import (
    attachments,
    batches,
    parts,
    procedure_versions,
    procedures,
    revisions,
    run_instruments,
    run_moment,
    runs,
    station_names,
    units,
    users,
)

__all__ = [
    "Cursor",
    "NamedProcedure",
    "RunOrder",
    "RunPage",
    "RunRow",
    "named_procedure",
    "named_procedures",
    "named_stations",
    "newest_key",
    "search_runs",
]

_COLUMNS = (
    runs.c.key,
    runs.c.id,
    run_moment.label("moment"),
    runs.c.started_at,
    runs.c.duration,
    runs.c.outcome,
    procedures.c.id.label("procedure_id"),
    procedures.c.name.label("procedure"),
    procedure_versions.c.tag.label("version"),
    units.c.serial_number.label("serial"),
    parts.c.number.label("part"),
    revisions.c.number.label("revision"),
    batches.c.number.label("batch"),
    station_names.c.name.label("station"),
    sa.func.coalesce(users.c.name, runs.c.operator_name).label("operator"),
    # Whether any is there: a count would read them all.
    sa.exists(
        sa.select(attachments.c.key)
        .where(attachments.c.run_key == runs.c.key)
        .correlate(runs)
    ).label("has_files"),
    sa.exists(
        sa.select(run_instruments.c.run_key)
        .where(run_instruments.c.run_key == runs.c.key, run_instruments.c.overdue)
        .correlate(runs)
    ).label("is_overdue"),
)


def _joined(unit: sa.ColumnElement[int]) -> sa.FromClause:
    return (
        runs.join(procedures, runs.c.procedure_key == procedures.c.key)
        .join(units, runs.c.unit_key == unit)
        .outerjoin(procedure_versions, runs.c.version_key == procedure_versions.c.key)
        .outerjoin(parts, runs.c.part_key == parts.c.key)
        .outerjoin(revisions, runs.c.revision_key == revisions.c.key)
        .outerjoin(batches, runs.c.batch_key == batches.c.key)
        .outerjoin(station_names, runs.c.station_name_key == station_names.c.key)
        .outerjoin(users, runs.c.operator_key == users.c.key)
    )


_FROM = _joined(units.c.key)
# A sum keeps the planner from looking up the unit of each run, so that it goes through
# the units in the order of their serial numbers instead.
_FROM_UNITS = _joined(units.c.key + 0)

_PROCEDURES = sa.select(procedures.c.id, procedures.c.name)

# Beyond that no database has a number, and SQLite would raise.
_BEYOND = 2**63


class RunOrder(StrEnum):
    """In which order runs are listed; by duration only those that have one."""

    NEWEST = "newest"
    OLDEST = "oldest"
    LONGEST = "longest"
    SHORTEST = "shortest"
    SERIAL = "serial"


_ORDERS: Mapping[RunOrder, tuple[sa.ColumnElement[Any], bool]] = MappingProxyType(
    {
        RunOrder.NEWEST: (run_moment, False),
        RunOrder.OLDEST: (run_moment, True),
        RunOrder.LONGEST: (runs.c.duration, False),
        RunOrder.SHORTEST: (runs.c.duration, True),
        RunOrder.SERIAL: (units.c.serial_key, True),
    }
)
"""By what runs are ordered, before their keys, and whether upwards."""


@attrs.frozen(kw_only=True)
class NamedProcedure:
    """A procedure to choose."""

    id: str
    name: str


@attrs.frozen
class Cursor:
    """
    A place in an order of runs.

    Attributes:
        value: what the run at the place is ordered by.
    """

    value: int | str
    key: int

    def __str__(self) -> str:
        return f"{self.value}.{self.key}"

    @classmethod
    def parse(cls, text: str, order: RunOrder = RunOrder.NEWEST) -> Cursor:
        """
        Read what ``str`` wrote.

        Raises:
            ValueError: it is none of that order.
        """
        # From the right: a serial number may hold dots.
        value, _, key = text.rpartition(".")
        cursor = cls(value if order is RunOrder.SERIAL else int(value), int(key))
        numbers = [item for item in (cursor.value, cursor.key) if isinstance(item, int)]
        if max(map(abs, numbers)) >= _BEYOND:
            raise ValueError("no row can stand there")
        return cursor


@attrs.frozen(kw_only=True)
class RunRow:
    """
    A run as a list shows it.

    Attributes:
        started_at: in microseconds, or None where unknown.
        moment: when it was, in microseconds.
        duration: in microseconds, or None.
        operator: who tested it, or None.
        station: what the report names, or else whose key sent it; None if neither.
        has_files: whether it has attachments.
        is_overdue: whether an instrument of it was out of calibration.
        failure: what failed first, or None.
    """

    cursor: Cursor
    id: str
    started_at: int | None
    moment: int
    duration: int | None
    outcome: str
    procedure_id: str
    procedure: str
    version: str | None
    serial: str
    part: str | None
    revision: str | None
    batch: str | None
    station: str | None
    operator: str | None
    has_files: bool
    is_overdue: bool
    failure: str | None = None


@attrs.frozen(kw_only=True)
class RunPage:
    """
    A page of runs.

    Attributes:
        previous: where the page before this one ends, or None if this is the first.
        following: where the next page begins, or None if this is the last.
    """

    rows: tuple[RunRow, ...]
    previous: Cursor | None
    following: Cursor | None


def search_runs(
    connection: sa.Connection,
    search: RunSearch,
    *,
    limit: int,
    order: RunOrder = RunOrder.NEWEST,
    after: Cursor | None = None,
    before: Cursor | None = None,
) -> RunPage:
    """
    Find a page of runs.

    Args:
        connection: the transaction.
        limit: how many a page has.
        before: end with the last run before this place; wins over ``after``.
    """
    column, upwards = _ORDERS[order]
    tables = _FROM_UNITS if order is RunOrder.SERIAL else _FROM
    statement = sa.select(*_COLUMNS, column.label("place")).select_from(tables)
    statement = statement.where(*search_conditions(connection, search))
    if column is runs.c.duration:
        # A run without a duration has no place in this order.
        statement = statement.where(column.is_not(None))
    if before is not None:
        # Read backwards from the place, and turned round below.
        upwards = not upwards
    place = after if before is None else before
    if place is not None:
        statement = statement.where(
            beyond(column, place.value, place.key, upwards=upwards)
        )
    ordered = (column, runs.c.key)
    statement = statement.order_by(
        *(ordered if upwards else (item.desc() for item in ordered))
    )
    # One more than asked for tells whether there is a further page.
    found = connection.execute(statement.limit(limit + 1)).mappings().all()
    more = len(found) > limit
    rows = _rows(connection, found[:limit])
    is_first, is_last = after is None, not more
    if before is not None:
        # Read the other way round, the page begins with its last row.
        rows.reverse()
        is_first, is_last = not more, False
    return RunPage(
        rows=tuple(rows),
        previous=rows[0].cursor if rows and not is_first else None,
        following=rows[-1].cursor if rows and not is_last else None,
    )


def _rows(connection: sa.Connection, found: Sequence[sa.RowMapping]) -> list[RunRow]:
    failed = [
        row["key"]
        for row in found
        if row["outcome"] not in (RunOutcome.PASS, RunOutcome.RUNNING)
    ]
    # On most pages all passed, and nothing is asked.
    failures = first_failures(connection, failed) if failed else {}
    rows: list[RunRow] = []
    for row in found:
        values = dict(row)
        key = values.pop("key")
        cursor = Cursor(values.pop("place"), key)
        rows.append(RunRow(cursor=cursor, failure=failures.get(key), **values))
    return rows


def newest_key(connection: sa.Connection) -> int:
    """Give a number that grows with each run that comes; 0 while there is none."""
    return connection.execute(sa.select(sa.func.max(runs.c.key))).scalar() or 0


def named_procedures(connection: sa.Connection) -> tuple[NamedProcedure, ...]:
    """Name every procedure."""
    return tuple(
        NamedProcedure(id=public, name=name)
        for public, name in connection.execute(
            _PROCEDURES.order_by(procedures.c.name_key, procedures.c.key)
        )
    )


def named_procedure(connection: sa.Connection, procedure_id: str) -> NamedProcedure:
    """
    Name one procedure.

    Raises:
        NotFoundError: there is none of that id.
    """
    row = connection.execute(
        _PROCEDURES.where(procedures.c.id == procedure_id.lower())
    ).first()
    if row is None:
        raise not_found(f"Procedure with ID {procedure_id} does not exist.")
    return NamedProcedure(id=row.id, name=row.name)


def named_stations(connection: sa.Connection) -> Sequence[str]:
    """Name every station that a run names."""
    statement = sa.select(station_names.c.name).order_by(station_names.c.name_key)
    return connection.execute(statement).scalars().all()
