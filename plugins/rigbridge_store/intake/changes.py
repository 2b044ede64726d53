"""
Single rows created, renamed and deleted, as the v2 calls ask for them.

Plain functions on a transaction. They take rows that the caller has found, and refuse
what would break a reference or a unique name; :class:`RowKind` says which those are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeAlias

import attrs
import msgspec
import sqlalchemy as sa

from rigbridge.convert.overlay import change_members
from rigbridge.machine.close_names import folded
from rigbridge.model import JSONScalar
from rigbridge_store.intake.catalog import CatalogSession
from rigbridge_store.intake.metadata import merge_metadata
from rigbridge_store.refusals import FieldIssue, bad_request, conflict, not_found
from rigbridge_store.tables.fragments import index_renamed, reopen_last_block
from rigbridge_store.tables.packing import pack, unpack
from rigbridge_store.tables.rows import insert_row
from rigbridge_store.tables.schema import (
    api_keys,
    attachments,
    batches,
    parts,
    procedure_versions,
    procedures,
    revisions,
    run_documents,
    runs,
    station_procedures,
    stations,
    unit_sub_units,
    units,
)
from rigbridge_store.tables.seals import text_seal, with_texts
from rigbridge_store.tables.values import ColumnValue, new_id, now_micros

__all__ = [
    "BATCH",
    "PART",
    "PROCEDURE",
    "REVISION",
    "STATION",
    "UNIT",
    "VERSION",
    "change",
    "change_run_metadata",
    "create",
    "delete",
    "delete_batch",
    "delete_procedure",
    "delete_unit",
    "delete_unit_files",
    "remove_child",
    "remove_station",
    "rename",
]


# What a statement selects is known to the database only.
Row: TypeAlias = sa.Row[*tuple[Any, ...]]


@attrs.frozen
class RowKind:
    """
    A kind of row that a name or a number stands for.

    Attributes:
        key: the column of the folded name.
        unique: whether no two have one name.
        within: the column of what a name is unique in, where that is not the store.
        references: the columns that refer to one, by their tables, all of which it
            outlives.
    """

    word: str
    table: sa.Table
    name: str
    key: str
    unique: bool = True
    within: str | None = None
    references: tuple[sa.Column[Any], ...] = ()


PROCEDURE = RowKind(
    "procedure",
    procedures,
    "name",
    "name_key",
    unique=False,
    references=(runs.c.procedure_key,),
)
"""Procedures, named freely: several may have one name."""

STATION = RowKind("station", stations, "name", "name_key", unique=False)
"""Stations, named freely as well."""

# Both refer to one: a unit may have moved on from the part that an older run names.
PART = RowKind(
    "part",
    parts,
    "number",
    "number_key",
    references=(units.c.part_key, runs.c.part_key),
)
"""Parts, by their numbers."""

REVISION = RowKind(
    "revision",
    revisions,
    "number",
    "number_key",
    within="part_key",
    references=(units.c.revision_key, runs.c.revision_key),
)
"""Revisions, each of one part."""

BATCH = RowKind("batch", batches, "number", "number_key")
"""Batches, by their numbers."""

VERSION = RowKind(
    "version",
    procedure_versions,
    "tag",
    "tag_key",
    within="procedure_key",
    references=(runs.c.version_key,),
)
"""Versions, each of one procedure, by their tags."""

UNIT = RowKind(
    "unit", units, "serial_number", "serial_key", references=(runs.c.unit_key,)
)
"""Units, by their serial numbers."""


def _exists(connection: sa.Connection, *conditions: Any) -> bool:
    statement = sa.select(sa.literal(1)).where(*conditions).limit(1)
    # LIMIT 1: a procedure may have millions of runs, and one is enough to know.
    return connection.execute(statement).first() is not None


def change(
    connection: sa.Connection, kind: RowKind, key: int, **values: object
) -> None:
    """Change columns of a row; none changes nothing."""
    if values:
        table = kind.table
        connection.execute(table.update().where(table.c.key == key).values(**values))


def create(
    connection: sa.Connection,
    catalog: CatalogSession,
    kind: RowKind,
    name: str,
    /,
    **more: ColumnValue,
) -> tuple[int, str]:
    """
    Create a row of a name, with what it belongs to.

    Returns:
        Its key and its id.

    Raises:
        ConflictError: there is one of that name, and must not be.
    """
    _require_free(connection, kind, name, kind.name, more.get(kind.within or ""))
    public = new_id()
    values: dict[str, ColumnValue] = {
        "id": public,
        kind.name: name,
        kind.key: folded(name),
        **catalog.origin(kind.table),
        **more,
    }
    return insert_row(connection, kind.table, values), public


def _require_free(
    connection: sa.Connection,
    kind: RowKind,
    name: str,
    path: str,
    owner: object,
) -> None:
    columns = kind.table.c
    # The number of a revision, or the tag of a version, is unique only within its
    # owner.
    within = [] if kind.within is None else [columns[kind.within] == owner]
    if kind.unique and _exists(connection, columns[kind.key] == folded(name), *within):
        called = kind.name.replace("_", " ")
        raise conflict(
            f"A {kind.word} with {called} {name} already exists.",
            FieldIssue(path, "is taken"),
        )


def rename(
    connection: sa.Connection, kind: RowKind, row: Row, name: str, path: str = "name"
) -> None:
    """
    Give a row another name.

    Raises:
        ConflictError: another has it, and must not; names the field of it.
    """
    # Its own name in another case is its own.
    if folded(getattr(row, kind.name)) != folded(name):
        _require_free(connection, kind, name, path, getattr(row, kind.within or "key"))
    change(connection, kind, row.key, **{kind.name: name, kind.key: folded(name)})
    # Searches find units by pieces of their serial numbers, so the index follows the
    # new name.
    if kind is UNIT:
        index_renamed(connection, row.key)


def require_unused(
    connection: sa.Connection, kind: RowKind, key: int, name: str, path: str
) -> None:
    """
    Check that nothing refers to a row.

    Raises:
        ConflictError: something does; names the field that named the row.
    """
    for column in kind.references:
        if _exists(connection, column == key):
            user = column.table.name
            raise conflict(
                f"The {kind.word} {name} has {user}. Delete them first.",
                FieldIssue(path, f"{name} has {user}"),
            )


def delete(connection: sa.Connection, kind: RowKind, row: Row, path: str) -> None:
    """
    Delete a row that nothing refers to.

    Raises:
        ConflictError: something does; names the field that named the row.
    """
    require_unused(connection, kind, row.key, getattr(row, kind.name), path)
    connection.execute(kind.table.delete().where(kind.table.c.key == row.key))


def delete_batch(connection: sa.Connection, key: int) -> None:
    """Delete a batch; its units and runs stay, of no batch."""
    for table in (units, runs):
        # Set to nothing first: the rows would refer to a batch that is gone.
        connection.execute(
            table.update().where(table.c.batch_key == key).values(batch_key=None)
        )
    connection.execute(batches.delete().where(batches.c.key == key))


def delete_procedure(connection: sa.Connection, row: Row) -> None:
    """
    Delete a procedure that has no runs, with its versions.

    Raises:
        ConflictError: it has runs, as when one has come in the meantime.
    """
    # Checked before the versions go, so that a refusal leaves them.
    require_unused(connection, PROCEDURE, row.key, row.name, "procedure_id")
    connection.execute(
        procedure_versions.delete().where(procedure_versions.c.procedure_key == row.key)
    )
    delete(connection, PROCEDURE, row, "procedure_id")


def remove_station(connection: sa.Connection, station: int) -> None:
    """
    Take a station out of use: its keys and links go.

    Its row stays, since what it made names it.
    """
    # One moment for both, so that key and station went together.
    now = now_micros()
    connection.execute(
        api_keys.update()
        .where(api_keys.c.station_key == station, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    connection.execute(
        station_procedures.delete().where(station_procedures.c.station_key == station)
    )
    change(connection, STATION, station, removed_at=now)


def delete_unit(connection: sa.Connection, unit: int, serial_number: str) -> list[str]:
    """
    Delete a unit that has no runs, with its files.

    Returns:
        The digests of the contents of its files, which may be used by others.

    Raises:
        ConflictError: it has runs.
    """
    require_unused(connection, UNIT, unit, serial_number, "serial_numbers")
    # Read before the rows go; the caller forgets the contents after the commit.
    files = sa.select(attachments.c.sha256).where(attachments.c.unit_key == unit)
    digests = list(connection.execute(files).scalars())
    connection.execute(units.delete().where(units.c.key == unit))
    # A new unit may get the key of this one, and must be found under its own name.
    reopen_last_block(connection)
    return digests


def delete_unit_files(
    connection: sa.Connection, unit: int, ids: Collection[str]
) -> list[str]:
    """
    Delete files of a unit; all of them or none.

    Returns:
        The digests of their contents, which may be used by others.

    Raises:
        NotFoundError: the unit has no such file; names it.
    """
    found = connection.execute(
        sa.select(attachments.c.id, attachments.c.sha256).where(
            attachments.c.unit_key == unit
        )
    )
    digests = {row.id: row.sha256 for row in found}
    # Checked for all before any is deleted.
    for public in ids:
        if public not in digests:
            raise not_found(
                f"The unit has no attachment with ID {public}.",
                FieldIssue("ids", f"{public} does not exist"),
            )
    connection.execute(attachments.delete().where(attachments.c.id.in_(list(ids))))
    return [digests[public] for public in ids]


def remove_child(connection: sa.Connection, parent: Row, child: Row) -> None:
    """
    Take a unit out of another; both stay.

    Raises:
        BadRequestError: it is not built into the other.
    """
    gone = connection.execute(
        unit_sub_units.delete().where(
            unit_sub_units.c.parent_key == parent.key,
            unit_sub_units.c.child_key == child.key,
        )
    ).rowcount
    if not gone:
        raise bad_request(
            f"Unit {child.serial_number} is not a child of {parent.serial_number}.",
            FieldIssue("child_serial_number", "is not built into the unit"),
        )


def change_run_metadata(
    connection: sa.Connection, run: int, run_id: str, changes: Mapping[str, JSONScalar]
) -> None:
    """
    Change custom metadata of a run; None takes a name away, others stay.

    The values are kept twice: in rows, by which runs are searched, and in the sidecar
    of the whole run, which exports and pages read.
    """
    # Rows and sidecar change in one transaction, so that search and export never
    # disagree.
    merge_metadata(connection, "run", run, changes)
    document = connection.execute(
        sa.select(run_documents.c.sidecar, runs.c.seal)
        .select_from(
            runs.outerjoin(run_documents, run_documents.c.run_key == runs.c.key)
        )
        .where(runs.c.key == run)
    ).one()
    stored = document.sidecar
    sidecar: dict[str, Any] = (
        {"rigbridge": 1, "run_id": run_id, "overlay": None, "attachments": []}
        if stored is None
        else msgspec.json.decode(unpack(stored))
    )
    # The report has a column of its own.
    sidecar.pop("report", None)
    overlay = change_members(sidecar.get("overlay"), "metadata", changes)
    changed = pack(msgspec.json.encode({**sidecar, "overlay": overlay}))
    replaced = connection.execute(
        run_documents.update().where(run_documents.c.run_key == run),
        {"sidecar": changed},
    )
    if not replaced.rowcount:
        connection.execute(run_documents.insert(), {"run_key": run, "sidecar": changed})
    texts = (text_seal(text, "sidecar") for text in (stored, changed))
    connection.execute(
        runs.update().where(runs.c.key == run),
        {"seal": with_texts(document.seal, texts)},
    )
