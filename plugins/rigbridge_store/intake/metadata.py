"""
Custom metadata: single values under names, on runs, units, parts, revisions, stations.

Each value stands as exact JSON, and by its kind in a column that can be searched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
import sqlalchemy as sa

from rigbridge.model import JSONScalar
from rigbridge_store.tables.rows import RowWriter
from rigbridge_store.tables.schema import (
    part_metadata,
    revision_metadata,
    run_metadata,
    station_metadata,
    unit_metadata,
)
from rigbridge_store.tables.values import Row

__all__ = [
    "MAX_ENTRIES",
    "MetadataKind",
    "merge_metadata",
    "metadata_rows",
    "read_metadata",
    "write_metadata",
    "write_metadata_rows",
]

Value = str | float | int | bool
"""What stands under a name."""

MetadataKind = Literal["run", "unit", "part", "revision", "station"]
"""What has custom metadata."""

MAX_ENTRIES = 50
"""How many names one call may give, as v2 has it."""

_CHUNK = 500
_TABLES: Mapping[MetadataKind, tuple[sa.Table, sa.Column[int]]] = {
    "run": (run_metadata, run_metadata.c.run_key),
    "unit": (unit_metadata, unit_metadata.c.unit_key),
    "part": (part_metadata, part_metadata.c.part_key),
    "revision": (revision_metadata, revision_metadata.c.revision_key),
    "station": (station_metadata, station_metadata.c.station_key),
}

_WRITERS: Mapping[MetadataKind, RowWriter] = {
    kind: RowWriter(table, (key.name, "name", "value", "text", "number", "flag"))
    for kind, (table, key) in _TABLES.items()
}

_encode = msgspec.json.Encoder().encode


def write_metadata(
    connection: sa.Connection,
    kind: MetadataKind,
    owner: int,
    values: Mapping[str, JSONScalar],
) -> None:
    """
    Give values to an owner that has none of these names yet.

    Args:
        connection: the transaction.
        kind: what the owner is.
        values: texts, numbers and booleans by name; None is left out.
    """
    write_metadata_rows(connection, kind, metadata_rows(owner, values))


def write_metadata_rows(
    connection: sa.Connection, kind: MetadataKind, rows: Sequence[Row]
) -> None:
    """Write values of owners, as :func:`metadata_rows` made them."""
    _WRITERS[kind].write(connection, rows)


def metadata_rows(owner: int, values: Mapping[str, JSONScalar]) -> list[Row]:
    """Make the rows of the values of an owner; None is left out."""
    return [
        (
            owner,
            name,
            _encode(value).decode(),
            value if isinstance(value, str) else None,
            _number(value),
            value if isinstance(value, bool) else None,
        )
        for name, value in values.items()
        if value is not None
    ]


def _number(value: JSONScalar) -> float | None:
    # In Python a bool is an int; it has a column of its own.
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    # An integer that no double holds is kept as exact JSON only.
    except OverflowError:
        return None


def merge_metadata(
    connection: sa.Connection,
    kind: MetadataKind,
    owner: int,
    changes: Mapping[str, JSONScalar],
) -> None:
    """Replace values by name; None takes a name away, other names stay."""
    if not changes:
        return
    table, key = _TABLES[kind]
    # Written anew, not updated: a value of another kind goes to another column.
    connection.execute(
        table.delete().where(key == owner, table.c.name.in_(list(changes)))
    )
    write_metadata(connection, kind, owner, changes)


def read_metadata(
    connection: sa.Connection, kind: MetadataKind, owners: Sequence[int]
) -> dict[int, dict[str, Value]]:
    """Read the values of owners, by their keys."""
    table, key = _TABLES[kind]
    found: dict[int, dict[str, Value]] = {owner: {} for owner in owners}
    # In parts: a database limits the parameters of one statement.
    for start in range(0, len(owners), _CHUNK):
        statement = (
            sa.select(key, table.c.name, table.c.value)
            .where(key.in_(owners[start : start + _CHUNK]))
            .order_by(key, table.c.name)
        )
        for owner, name, value in connection.execute(statement):
            found[owner][name] = msgspec.json.decode(value)
    return found
