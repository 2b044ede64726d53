"""Parts, revisions and batches: found by filters, and changed one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from rigbridge_store.intake.catalog import CatalogSession
from rigbridge_store.reading.conditions import Condition, procedure_keys
from rigbridge_store.reading.lists.paging import Page, Paging, ordered, paged
from rigbridge_store.refusals import FieldIssue, conflict, not_found
from rigbridge_store.tables.rows import insert_row
from rigbridge_store.tables.schema import (
    batches,
    parts,
    revisions,
    runs,
    units,
)
from rigbridge_store.tables.values import folded, new_id

__all__ = [
    "create_numbered",
    "delete_numbered",
    "find_batches",
    "find_parts",
    "renumber",
    "require_batch",
    "revisions_of",
    "used_by_procedures",
]

_KINDS = {"parts": "part", "revisions": "revision", "batches": "batch"}


def find_parts(
    connection: sa.Connection,
    conditions: Sequence[Condition],
    paging: Paging,
    *,
    by: str,
    order: str,
) -> Page:
    """List parts."""
    columns = {
        "name": sa.func.coalesce(parts.c.name, parts.c.number),
        "number": parts.c.number_key,
        "created_at": sa.func.coalesce(parts.c.created_at, 0),
    }
    statement = sa.select(parts).where(*conditions)
    statement = ordered(statement, columns, by=by, order=order, last=parts.c.key)
    return paged(connection, statement, paging)


def used_by_procedures(references: Sequence[str] | None) -> list[Condition]:
    """Demand a part of which a procedure has a run."""
    if references is None:
        return []
    known = procedure_keys(references)
    return [
        sa.exists().where(
            runs.c.part_key == parts.c.key, runs.c.procedure_key.in_(known)
        )
    ]


def revisions_of(
    connection: sa.Connection, keys: Sequence[int]
) -> dict[int, list[Any]]:
    """List the revisions of parts, by the keys of those."""
    found: dict[int, list[Any]] = {key: [] for key in keys}
    statement = (
        sa.select(revisions)
        .where(revisions.c.part_key.in_(list(keys)))
        .order_by(revisions.c.key)
    )
    for row in connection.execute(statement):
        found[row.part_key].append(row)
    return found


def find_batches(
    connection: sa.Connection,
    conditions: Sequence[Condition],
    paging: Paging,
    *,
    by: str,
    order: str,
) -> Page:
    """List batches, each with the number of its units."""
    count = (
        sa.select(sa.func.count())
        .where(units.c.batch_key == batches.c.key)
        .correlate(batches)
        .scalar_subquery()
    )
    columns = {
        "number": batches.c.number_key,
        "created_at": sa.func.coalesce(batches.c.created_at, 0),
    }
    statement = sa.select(batches, count.label("unit_count")).where(*conditions)
    statement = ordered(statement, columns, by=by, order=order, last=batches.c.key)
    return paged(connection, statement, paging)


def require_batch(connection: sa.Connection, number: str) -> Any:
    """
    Find a batch by its number.

    Raises:
        NotFoundError: there is none.
    """
    row = connection.execute(
        sa.select(batches).where(batches.c.number_key == folded(number))
    ).first()
    if row is None:
        raise not_found(f"Batch with number {number} not found.")
    return row


def create_numbered(
    connection: sa.Connection,
    catalog: CatalogSession,
    table: sa.Table,
    number: str,
    **more: Any,
) -> int:
    """
    Create a part, a revision (with its ``part_key``) or a batch.

    Returns:
        Its key.

    Raises:
        ConflictError: there is one of that number.
    """
    _require_free(connection, table, number, "number", more.get("part_key"))
    values = {"id": new_id(), "number": number, "number_key": folded(number)}
    return insert_row(connection, table, {**values, **catalog.origin(table), **more})


def _require_free(
    connection: sa.Connection,
    table: sa.Table,
    number: str,
    path: str,
    part: int | None,
) -> None:
    taken = sa.select(table.c.key).where(table.c.number_key == folded(number))
    if part is not None:
        taken = taken.where(table.c.part_key == part)
    if connection.execute(taken).first() is not None:
        raise conflict(
            f"A {_KINDS[table.name]} with number {number} already exists.",
            FieldIssue(path, "is taken"),
        )


def renumber(
    connection: sa.Connection, table: sa.Table, row: Any, number: str, path: str
) -> None:
    """
    Give a part, a revision or a batch another number.

    Raises:
        ConflictError: another has it.
    """
    if folded(number) != row.number_key:
        part = row.part_key if table is revisions else None
        _require_free(connection, table, number, path, part)
    connection.execute(
        table.update()
        .where(table.c.key == row.key)
        .values(number=number, number_key=folded(number))
    )


def delete_numbered(
    connection: sa.Connection, table: sa.Table, row: Any, column: str
) -> None:
    """
    Delete a part without its revisions, or a revision, that nothing refers to.

    Args:
        connection: the transaction.
        table: its table.
        row: its row.
        column: what units and runs call their reference to it.

    Raises:
        ConflictError: units or runs refer to it.
    """
    for user in (units, runs):
        used = sa.select(user.c.key).where(user.c[column] == row.key).limit(1)
        if connection.execute(used).first() is not None:
            raise conflict(
                f"The {_KINDS[table.name]} {row.number} has {user.name}. "
                "Delete them first."
            )
    connection.execute(table.delete().where(table.c.key == row.key))
