"""
Pages of runs, newest first, and the names that a search can choose from.

A page begins where another ended, so that one far back costs no more than the first.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import sqlalchemy as sa

from rigbridge_store.reading.conditions import (
    NEWEST_FIRST,
    OLDEST_FIRST,
    newer_than,
    older_than,
)
from rigbridge_store.reading.selecting import RunSearch, search_conditions
from rigbridge_store.refusals import not_found
from rigbridge_store.tables.schema import (
    attachments,
    parts,
    procedure_versions,
    procedures,
    run_moment,
    runs,
    station_names,
    units,
)

__all__ = [
    "Cursor",
    "NamedProcedure",
    "RunPage",
    "RunRow",
    "named_procedure",
    "named_procedures",
    "named_stations",
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
    station_names.c.name.label("station"),
    sa.exists(
        sa.select(attachments.c.key)
        .where(attachments.c.run_key == runs.c.key)
        .correlate(runs)
    ).label("has_files"),
)
_FROM = (
    runs.join(procedures, runs.c.procedure_key == procedures.c.key)
    .join(units, runs.c.unit_key == units.c.key)
    .outerjoin(procedure_versions, runs.c.version_key == procedure_versions.c.key)
    .outerjoin(parts, runs.c.part_key == parts.c.key)
    .outerjoin(station_names, runs.c.station_name_key == station_names.c.key)
)

_PROCEDURES = sa.select(procedures.c.id, procedures.c.name)

_BEYOND = 2**63


@attrs.frozen(kw_only=True)
class NamedProcedure:
    """
    A procedure to choose.

    Attributes:
        id: its public id.
        name: its name.
    """

    id: str
    name: str


@attrs.frozen
class Cursor:
    """
    A place in the order of runs.

    Attributes:
        moment: when the run at the place was, in microseconds.
        key: its row.
    """

    moment: int
    key: int

    def __str__(self) -> str:
        return f"{self.moment}.{self.key}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """
        Read what ``str`` wrote.

        Raises:
            ValueError: it is none.
        """
        moment, _, key = text.partition(".")
        cursor = cls(int(moment), int(key))
        if max(abs(cursor.moment), abs(cursor.key)) >= _BEYOND:
            raise ValueError("no row can stand there")
        return cursor


@attrs.frozen(kw_only=True)
class RunRow:
    """
    A run as a list shows it.

    Attributes:
        cursor: its place in the order.
        id: its public id.
        started_at: in microseconds, or None where unknown.
        moment: when it was, in microseconds.
        duration: in microseconds, or None.
        outcome: its verdict.
        procedure_id, procedure, version: what was tested by.
        serial, part: what was tested.
        station: what the report names, or else whose key sent it; None if neither.
        has_files: whether it has attachments.
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
    station: str | None
    has_files: bool


@attrs.frozen(kw_only=True)
class RunPage:
    """
    A page of runs, newest first.

    Attributes:
        rows: the runs.
        newer: where the page before this one ends, or None if this is the first.
        older: where the next page begins, or None if this is the last.
    """

    rows: tuple[RunRow, ...]
    newer: Cursor | None
    older: Cursor | None


def search_runs(
    connection: sa.Connection,
    search: RunSearch,
    *,
    limit: int,
    after: Cursor | None = None,
    before: Cursor | None = None,
) -> RunPage:
    """
    Find a page of runs.

    Args:
        connection: the transaction.
        search: which runs.
        limit: how many a page has.
        after: begin with the first run that is older than this.
        before: end with the last run that is newer than this; wins over ``after``.
    """
    statement = sa.select(*_COLUMNS).select_from(_FROM)
    statement = statement.where(*search_conditions(connection, search))
    if before is not None:
        # Read upwards from the place, and turned round below.
        statement = statement.where(newer_than(before.moment, before.key))
        statement = statement.order_by(*OLDEST_FIRST)
    else:
        if after is not None:
            statement = statement.where(older_than(after.moment, after.key))
        statement = statement.order_by(*NEWEST_FIRST)
    # One more than asked for tells whether there is a further page.
    rows = [
        _row(row) for row in connection.execute(statement.limit(limit + 1)).mappings()
    ]
    more = len(rows) > limit
    rows = rows[:limit]
    beyond_newer, beyond_older = after is not None, more
    if before is not None:
        rows.reverse()
        beyond_newer, beyond_older = more, True
    return RunPage(
        rows=tuple(rows),
        newer=rows[0].cursor if rows and beyond_newer else None,
        older=rows[-1].cursor if rows and beyond_older else None,
    )


def _row(row: sa.RowMapping) -> RunRow:
    values = dict(row)
    return RunRow(cursor=Cursor(row["moment"], values.pop("key")), **values)


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
