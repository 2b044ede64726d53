"""
Custom metadata: single values under names, on runs, units, parts, revisions, stations.

Each value stands as exact JSON, and by its kind in a column that can be searched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from rigbridge.convert import overlay
from rigbridge.model import JSONScalar

__all__ = [
    "MAX_ENTRIES",
    "MAX_NAME",
    "merge_metadata",
    "read_metadata",
    "searchable",
    "told_by_sidecar",
    "write_metadata",
]

Value = str | float | int | bool
"""What stands under a name."""

MAX_ENTRIES = 50
"""How many names one call may give, as v2 has it."""

MAX_NAME = 255
"""How many characters a name may have."""

_CHUNK = 500
_SINGLE = (str, int, float, bool)


def searchable(metadata: Mapping[str, Any]) -> dict[str, JSONScalar]:
    """Give the single values among those of a run; it keeps the others as well."""
    return {
        name: value
        for name, value in metadata.items()
        if isinstance(value, _SINGLE) and len(name) <= MAX_NAME
    }


def told_by_sidecar(sidecar: Mapping[str, Any] | None) -> dict[str, JSONScalar]:
    """Give the single values that came beside the v1 fields; none of a strange one."""
    node = None if sidecar is None else sidecar.get("overlay")
    for step in ("~", "metadata"):
        node = node.get(step) if isinstance(node, Mapping) else None
    try:
        found = overlay.apply({}, node)
    except (KeyError, IndexError, TypeError, ValueError):
        # The sidecar is stored as it came all the same.
        return {}
    return searchable(found) if isinstance(found, Mapping) else {}


def _owner(table: sa.Table) -> sa.Column[Any]:
    return next(iter(table.primary_key.columns))


def write_metadata(
    connection: sa.Connection,
    table: sa.Table,
    owner: int,
    values: Mapping[str, JSONScalar],
) -> None:
    """
    Give values to an owner that has none of these names yet.

    Args:
        connection: the transaction.
        table: the metadata table of that kind of owner.
        owner: its key.
        values: texts, numbers and booleans by name; None is left out.
    """
    rows = [
        {
            _owner(table).name: owner,
            "name": name,
            "value": msgspec.json.encode(value).decode(),
            "text": value if isinstance(value, str) else None,
            "number": _number(value),
            "flag": value if isinstance(value, bool) else None,
        }
        for name, value in values.items()
        if value is not None
    ]
    if rows:
        connection.execute(table.insert(), rows)


def _number(value: JSONScalar) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def merge_metadata(
    connection: sa.Connection,
    table: sa.Table,
    owner: int,
    changes: Mapping[str, JSONScalar],
) -> None:
    """Replace values by name; None takes a name away, other names stay."""
    if not changes:
        return
    connection.execute(
        table.delete().where(_owner(table) == owner, table.c.name.in_(list(changes)))
    )
    write_metadata(connection, table, owner, changes)


def read_metadata(
    connection: sa.Connection, table: sa.Table, owners: Sequence[int]
) -> dict[int, dict[str, Value]]:
    """Read the values of owners, by their keys."""
    found: dict[int, dict[str, Value]] = {owner: {} for owner in owners}
    for start in range(0, len(owners), _CHUNK):
        statement = (
            sa.select(_owner(table), table.c.name, table.c.value)
            .where(_owner(table).in_(owners[start : start + _CHUNK]))
            .order_by(_owner(table), table.c.name)
        )
        for owner, name, value in connection.execute(statement):
            found[owner][name] = msgspec.json.decode(value)
    return found
