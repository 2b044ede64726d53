"""
Many rows at once, at the speed of the driver.

SQLAlchemy's own ``executemany`` takes a dict a row; where the driver takes tuples, the
statement is compiled once and handed the tuples as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

__all__ = ["RowWriter", "insert_row", "new_id"]


def new_id() -> str:
    """Make the public id of a new row."""
    return str(uuid4())


def insert_row(
    connection: sa.Connection, table: sa.Table, values: Mapping[str, Any]
) -> int:
    """Insert one row into a table with a ``key``, and give its key."""
    inserted: Any = connection.execute(table.insert(), values).inserted_primary_key
    return int(inserted[0])


class RowWriter:
    """
    Inserts tuples into one table.

    Args:
        table: the table.
        columns: the names of the columns, in the order of the tuples.
    """

    def __init__(self, table: sa.Table, columns: Sequence[str]) -> None:
        self._columns = tuple(columns)
        self._insert = table.insert()
        self._compiled: dict[str, tuple[str, tuple[int, ...]]] = {}

    def write(self, connection: sa.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert the rows, of which there may be none."""
        if not rows:
            return
        dialect = connection.dialect
        if dialect.positional:
            sql, order = self._statement(dialect)
            # The statement names the columns in the table's order, not in ours.
            connection.exec_driver_sql(
                sql, [tuple(row[position] for position in order) for row in rows]
            )
            return
        connection.execute(
            self._insert,
            [dict(zip(self._columns, row, strict=True)) for row in rows],
        )

    def _statement(self, dialect: sa.Dialect) -> tuple[str, tuple[int, ...]]:
        known = self._compiled.get(dialect.name)
        if known is None:
            compiled: Any = self._insert.compile(
                dialect=dialect, column_keys=self._columns
            )
            order = tuple(self._columns.index(name) for name in compiled.positiontup)
            known = self._compiled[dialect.name] = (str(compiled), order)
        return known
