"""
The tables of a database by its own word: what a copy of it has to take over.

A list that is kept by hand would lack the table or the column that comes in next.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

import attrs

__all__ = ["SchemaColumn", "SchemaTable", "tables_of"]

_Value = int | float | str | bytes | None

# What each declared type may hold. SQLite itself refuses no value in any of them.
_KINDS: Mapping[str, tuple[type, ...]] = {
    "INTEGER": (int,),
    "REAL": (int, float),
    "TEXT": (str,),
    "BLOB": (bytes, str),
}
_EMPTY: Mapping[str, _Value] = {"INTEGER": 0, "REAL": 0.0, "TEXT": "", "BLOB": b""}


@attrs.frozen
class SchemaColumn:
    """
    A column of a table.

    Attributes:
        kind: its declared type, one of ``INTEGER``, ``REAL``, ``TEXT`` and ``BLOB``.
        required: whether it may not be NULL.
    """

    name: str
    kind: str
    required: bool

    def accepts(self, value: object) -> bool:
        """Whether a value is one that the column was made for."""
        if value is None:
            return not self.required
        return isinstance(value, _KINDS[self.kind])

    @property
    def empty(self) -> _Value:
        """What stands for a value that is lost."""
        return _EMPTY[self.kind] if self.required else None


@attrs.frozen
class SchemaTable:
    """
    A table.

    Attributes:
        key: the names of those of its primary key; without one it has a single row.
    """

    name: str
    columns: tuple[SchemaColumn, ...]
    key: tuple[str, ...]

    def accepts(self, row: Mapping[str, object]) -> bool:
        """Whether each column that a row has is one with a value it was made for."""
        return all(
            column.accepts(row[column.name])
            for column in self.columns
            if column.name in row
        )


def tables_of(connection: sqlite3.Connection) -> dict[str, SchemaTable]:
    """Read the tables of a database, those of SQLite itself left out."""
    names = [
        str(row["name"])
        for row in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
            " AND name NOT LIKE 'sqlite|_%' ESCAPE '|' ORDER BY name"
        )
    ]
    return {name: _table(connection, name) for name in names}


def _table(connection: sqlite3.Connection, name: str) -> SchemaTable:
    rows = connection.execute(
        "SELECT * FROM pragma_table_info(?) ORDER BY cid", (name,)
    ).fetchall()
    return SchemaTable(
        name,
        tuple(
            # A key is never NULL, though SQLite would let it be in some tables.
            SchemaColumn(
                str(row["name"]), str(row["type"]), bool(row["notnull"] or row["pk"])
            )
            for row in rows
        ),
        tuple(
            str(row["name"])
            for row in sorted(rows, key=lambda row: int(row["pk"]))
            if row["pk"]
        ),
    )
