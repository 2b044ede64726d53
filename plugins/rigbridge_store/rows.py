"""
Many rows at once, at the speed of the driver.

SQLAlchemy's own ``executemany`` takes a dict a row; where the driver takes tuples, the
statement is compiled once and handed the tuples as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any
from uuid import uuid4

import attrs
import sqlalchemy as sa

__all__ = ["RowWriter", "insert_row", "new_id"]


def new_id() -> str:
    """Make the public id of a new row."""
    return str(uuid4())


def insert_row(
    connection: sa.Connection, table: sa.Table, values: Mapping[str, Any]
) -> int:
    """Insert one row into a table with a ``key``, and give its key."""
    inserted: Any = connection.execute(_insert_into(table), values).inserted_primary_key
    return int(inserted[0])


class RowWriter:
    """
    Inserts tuples into one table.

    Args:
        table: the table.
        columns: the names of the columns, in the order of the tuples; the table's own
            order is the fastest.
    """

    def __init__(self, table: sa.Table, columns: Sequence[str]) -> None:
        self._columns = tuple(columns)
        self._insert = table.insert()
        self._compiled: dict[str, _Statement] = {}

    def write(self, connection: sa.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert the rows, of which there may be none."""
        if not rows:
            return
        dialect = connection.dialect
        if dialect.positional:
            statement = self._statement(dialect)
            ordered = list(map(statement.order, rows) if statement.order else rows)
            connection.exec_driver_sql(statement.sql, ordered)
            return
        connection.execute(
            self._insert,
            [dict(zip(self._columns, row, strict=True)) for row in rows],
        )

    def _statement(self, dialect: sa.Dialect) -> _Statement:
        known = self._compiled.get(dialect.name)
        if known is None:
            compiled: Any = self._insert.compile(
                dialect=dialect, column_keys=self._columns
            )
            # The statement may name the columns in another order than ours.
            names = tuple(compiled.positiontup)
            order = None
            if names != self._columns:
                order = itemgetter(*(self._columns.index(name) for name in names))
            known = self._compiled[dialect.name] = _Statement(str(compiled), order)
        return known


@attrs.frozen
class _Statement:
    """An INSERT of a dialect, and what brings a tuple into its order."""

    sql: str
    order: Callable[[tuple[Any, ...]], tuple[Any, ...]] | None


@cache
def _insert_into(table: sa.Table) -> sa.Insert:
    return table.insert()
