"""
Statements that run for every run, sent to the driver without SQLAlchemy's overhead.

SQLAlchemy says what they are, once a dialect. From then on they go with tuples to the
driver's own connection, within the transaction that SQLAlchemy has begun there, and
what the driver refuses is raised as SQLAlchemy's own errors. A statement of one run in
a hundred is better left to SQLAlchemy as a whole.

Values reach the driver as they are: the columns are of texts, numbers and booleans.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import Any, Protocol, cast

import attrs
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler

from rigbridge_store.tables.values import ColumnValue, Row

__all__ = [
    "RowFinder",
    "RowWriter",
    "driver_rows",
    "insert_row",
    "perform",
    "reserved_keys",
]

_MOST_PARAMETERS = 999
"""How many parameters one statement of SQLite may have, wherever it was built."""

_BLOCKS = (50, 10)
"""
How many rows one INSERT of SQLite takes, where there are so many; the rest go singly.

A row of a block costs two thirds of a single one. Few sizes, so that drivers
keep the statements prepared; small ones, since parameters are limited.
"""


class DriverCursor(Protocol):
    """
    What a driver answers a statement with.

    Attributes:
        lastrowid: SQLite's key of the last row that was inserted.
    """

    lastrowid: int | None

    def fetchone(self) -> tuple[Any, ...] | None:
        """Give the next row, or None."""
        ...


class _Fetching(Protocol):
    """A cursor that has found something."""

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Give all rows."""
        ...


class _Driver(Protocol):
    """A connection of one of the drivers."""

    def execute(self, sql: str, values: Row) -> DriverCursor:
        """Execute one statement."""
        ...


def perform(connection: sa.Connection, sql: str, values: Row = ()) -> DriverCursor:
    """
    Execute a statement on the driver's connection.

    Returns:
        The driver's cursor.

    Raises:
        sqlalchemy.exc.DBAPIError: the database refuses it.
    """
    driver = cast("_Driver", connection.connection.driver_connection)
    try:
        return driver.execute(sql, values)
    except _error_of(connection.dialect) as error:
        raise _translated(connection, sql, error) from error


def _perform_many(connection: sa.Connection, sql: str, rows: Sequence[Row]) -> None:
    # Not by SQLAlchemy, whose processing of each value costs more than the insert.
    cursor = connection.connection.cursor()
    try:
        cursor.executemany(sql, rows)
    except _error_of(connection.dialect) as error:
        raise _translated(connection, sql, error) from error
    finally:
        cursor.close()


def _copy(connection: sa.Connection, sql: str, rows: Sequence[Row]) -> None:
    """Insert rows the way of PostgreSQL: fifty cost a fifth of an INSERT of fifty."""
    if not rows:
        return
    cursor: Any = connection.connection.cursor()
    try:
        with cursor.copy(sql) as copy:
            for row in rows:
                copy.write_row(row)
    except _error_of(connection.dialect) as error:
        raise _translated(connection, sql, error) from error
    finally:
        cursor.close()


def driver_rows(
    connection: sa.Connection,
    statement: sa.Select[*tuple[Any, ...]],
    parameters: Mapping[str, object] | None = None,
) -> list[tuple[Any, ...]]:
    """
    Fetch what a statement finds as the driver gives it.

    A row object of SQLAlchemy costs half as much as finding a row of numbers. For texts
    and numbers only, which need no conversion.
    """
    result = connection.execute(statement, parameters)
    try:
        return cast("_Fetching", result.cursor).fetchall()
    finally:
        result.close()


@cache
def _error_of(dialect: sa.Dialect) -> type[Exception]:
    return dialect.loaded_dbapi.Error


def _translated(connection: sa.Connection, sql: str, error: Exception) -> BaseException:
    dialect, raw = connection.dialect, connection.connection.dbapi_connection
    return DBAPIError.instance(
        sql,
        None,
        error,
        _error_of(dialect),
        # So that a transaction that could not begin for that can begin once more.
        connection_invalidated=dialect.is_disconnect(error, raw, None),  # type: ignore[arg-type]
        dialect=dialect,
    )


@attrs.frozen
class _Statement:
    """A statement in the words of a dialect, and what orders a tuple for it."""

    sql: str
    order: Callable[[Row], Row] | None

    @classmethod
    def of(
        cls,
        element: sa.sql.expression.ClauseElement,
        dialect: sa.Dialect,
        names: tuple[str, ...],
        column_keys: list[str] | None = None,
    ) -> _Statement:
        compiled = cast(
            "SQLCompiler", element.compile(dialect=dialect, column_keys=column_keys)
        )
        # The statement may name its parameters in another order than ours.
        wanted = tuple(compiled.positiontup or ())
        if wanted == names:
            return cls(str(compiled), None)
        places = [names.index(name) for name in wanted]
        if len(places) == 1:
            # itemgetter of one place would give the item, not a tuple.
            return cls(str(compiled), lambda row: (row[places[0]],))
        return cls(str(compiled), itemgetter(*places))

    def ordered(self, rows: Sequence[Row]) -> Sequence[Row]:
        return rows if self.order is None else list(map(self.order, rows))


class RowFinder:
    """
    Finds one row.

    Args:
        parameters: the names of its parameters, in the order of the tuples.
    """

    def __init__(self, select: sa.ClauseElement, parameters: Sequence[str]) -> None:
        self._select = select
        self._parameters = tuple(parameters)
        self._statements: dict[str, _Statement] = {}

    def first(
        self, connection: sa.Connection, *values: ColumnValue
    ) -> tuple[Any, ...] | None:
        """Give the first row for the values of the parameters, or None."""
        statement = self._statement(connection.dialect)
        (ordered,) = statement.ordered([values])
        return perform(connection, statement.sql, ordered).fetchone()

    def _statement(self, dialect: sa.Dialect) -> _Statement:
        known = self._statements.get(dialect.name)
        if known is None:
            known = _Statement.of(self._select, dialect, self._parameters)
            self._statements[dialect.name] = known
        return known


class RowWriter:
    """
    Inserts tuples into one table.

    Args:
        columns: the names of the columns, in the order of the tuples; the table's own
            order is the fastest.
    """

    def __init__(self, table: sa.Table, columns: Sequence[str]) -> None:
        self.table = table
        self._columns = tuple(columns)
        self._inserts: dict[str, _Statement] = {}
        self._keyed: dict[str, _Statement] = {}
        self._copy: str | None = None

    def write(self, connection: sa.Connection, rows: Sequence[Row]) -> None:
        """Insert the rows, of which there may be none."""
        if connection.dialect.name == "postgresql":
            _copy(connection, self._copying(connection.dialect), rows)
            return
        insert = self._insert(connection.dialect)
        ordered = insert.ordered(rows)
        start = 0
        for size in _BLOCKS:
            if size * len(self._columns) > _MOST_PARAMETERS:
                continue
            while len(ordered) - start >= size:
                block = chain.from_iterable(ordered[start : start + size])
                perform(connection, _repeated(insert.sql, size), tuple(block))
                start += size
        if start < len(ordered):
            _perform_many(connection, insert.sql, ordered[start:])

    def insert(self, connection: sa.Connection, row: Row) -> int:
        """Insert one row into a table with a ``key``, and give its key."""
        statement = self._inserting_key(connection.dialect)
        (ordered,) = statement.ordered([row])
        cursor = perform(connection, statement.sql, ordered)
        if connection.dialect.name == "sqlite":
            return cast("int", cursor.lastrowid)
        return int(cast("tuple[int]", cursor.fetchone())[0])

    def _insert(self, dialect: sa.Dialect) -> _Statement:
        known = self._inserts.get(dialect.name)
        if known is None:
            # Inline: without the key, which SQLAlchemy would ask PostgreSQL for.
            known = self._compiled(self.table.insert().inline(), dialect)
            self._inserts[dialect.name] = known
        return known

    def _copying(self, dialect: sa.Dialect) -> str:
        if self._copy is None:
            quote = dialect.identifier_preparer
            columns = ", ".join(map(quote.quote, self._columns))
            table = quote.format_table(self.table)
            self._copy = f"COPY {table} ({columns}) FROM STDIN"
        return self._copy

    def _inserting_key(self, dialect: sa.Dialect) -> _Statement:
        if dialect.name == "sqlite":
            # It tells the key of the last row by itself.
            return self._insert(dialect)
        known = self._keyed.get(dialect.name)
        if known is None:
            returning = self.table.insert().returning(self.table.c.key)
            known = self._keyed[dialect.name] = self._compiled(returning, dialect)
        return known

    def _compiled(
        self, insert: sa.sql.expression.ClauseElement, dialect: sa.Dialect
    ) -> _Statement:
        return _Statement.of(insert, dialect, self._columns, list(self._columns))


@cache
def _repeated(insert: str, times: int) -> str:
    """Let an INSERT of one row take so many."""
    head, word, row = insert.rpartition(" VALUES ")
    return head + word + ", ".join([row] * times)


def reserved_keys(
    connection: sa.Connection, table: sa.Table, count: int
) -> Sequence[int]:
    """
    Reserve the keys of new rows, which the caller writes within the transaction.

    PostgreSQL gives them from the sequence of the table, so that several writers can do
    this at once; in SQLite there is but one writer, and the next keys are its own.
    """
    if not count:
        return ()
    if connection.dialect.name == "sqlite":
        sql = f"SELECT coalesce(max(key), 0) FROM {table.name}"  # noqa: S608 - ours
        (last,) = cast("tuple[int]", perform(connection, sql).fetchone())
        return range(last + 1, last + 1 + count)
    sequence = sa.func.pg_get_serial_sequence(table.name, "key")
    rows = sa.func.generate_series(1, count).table_valued("number")
    return (
        connection.execute(sa.select(sa.func.nextval(sequence)).select_from(rows))
        .scalars()
        .all()
    )


def insert_row(
    connection: sa.Connection, table: sa.Table, values: Mapping[str, ColumnValue]
) -> int:
    """Insert one row into a table with a ``key``, and give its key."""
    writer = _writer_into(table, tuple(values))
    return writer.insert(connection, tuple(values.values()))


@cache
def _writer_into(table: sa.Table, columns: tuple[str, ...]) -> RowWriter:
    return RowWriter(table, columns)
