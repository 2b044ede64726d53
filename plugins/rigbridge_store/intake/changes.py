"""
Single rows created, renamed and deleted, as the v2 calls ask for them.

Plain functions on a transaction. They take rows that the caller has found, and refuse
what would break a reference or a unique name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeAlias

import attrs
import msgspec
import sqlalchemy as sa

from rigbridge.convert.overlay import change_members
from rigbridge.model import JSONScalar
from rigbridge_store.intake.catalog import CatalogSession
from rigbridge_store.intake.metadata import merge_metadata
from rigbridge_store.intake.units import FoundUnit, create_unit
from rigbridge_store.refusals import FieldIssue, bad_request, conflict, not_found
from rigbridge_store.tables.packing import pack, unpack
from rigbridge_store.tables.rows import ColumnValue, insert_row
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
from rigbridge_store.tables.values import folded, new_id, now_micros

__all__ = [
    "BATCH",
    "PART",
    "PROCEDURE",
    "REVISION",
    "STATION",
    "change_run_metadata",
    "change_unit",
    "create_named",
    "create_numbered",
    "create_version",
    "delete_batch",
    "delete_numbered",
    "delete_procedure",
    "delete_unit",
    "delete_unit_files",
    "delete_version",
    "name_part",
    "new_unit",
    "remove_child",
    "remove_station",
    "rename",
    "rename_unit",
    "renumber",
]


# What a statement selects is known to the database only.
Row: TypeAlias = sa.Row[*tuple[Any, ...]]


@attrs.frozen
class RowKind:
    """
    A kind of row that a name or a number stands for.

    Attributes:
        word: what a refusal calls one.
        table: its table.
        reference: what units and runs call their reference to one.
    """

    word: str
    table: sa.Table
    reference: str = ""


PROCEDURE = RowKind("procedure", procedures)
"""Named; several may have one name."""

STATION = RowKind("station", stations)
"""Likewise."""

PART = RowKind("part", parts, "part_key")
"""Numbered."""

REVISION = RowKind("revision", revisions, "revision_key")
"""Numbered within a part."""

BATCH = RowKind("batch", batches, "batch_key")
"""Numbered."""


def _exists(connection: sa.Connection, table: sa.Table, *conditions: Any) -> bool:
    statement = sa.select(table.c.key).where(*conditions).limit(1)
    return connection.execute(statement).first() is not None


def _change(
    connection: sa.Connection, table: sa.Table, key: int, **values: object
) -> None:
    connection.execute(table.update().where(table.c.key == key).values(**values))


def create_named(
    connection: sa.Connection, catalog: CatalogSession, kind: RowKind, name: str
) -> tuple[int, str]:
    """
    Create a procedure, or a station without a key; others may have the same name.

    Returns:
        Its key and its id.
    """
    public = new_id()
    values = {"id": public, "name": name, "name_key": folded(name)}
    origin = catalog.origin(kind.table)
    return insert_row(connection, kind.table, {**values, **origin}), public


def rename(connection: sa.Connection, kind: RowKind, key: int, name: str) -> None:
    """Give a procedure or a station another name."""
    _change(connection, kind.table, key, name=name, name_key=folded(name))


def create_numbered(
    connection: sa.Connection,
    catalog: CatalogSession,
    kind: RowKind,
    number: str,
    **more: ColumnValue,
) -> tuple[int, str]:
    """
    Create a part, a revision (with its ``part_key``) or a batch.

    Returns:
        Its key and its id.

    Raises:
        ConflictError: there is one of that number.
    """
    _require_free_number(connection, kind, number, "number", more.get("part_key"))
    public = new_id()
    values: dict[str, ColumnValue] = {
        "id": public,
        "number": number,
        "number_key": folded(number),
        **catalog.origin(kind.table),
        **more,
    }
    return insert_row(connection, kind.table, values), public


def _require_free_number(
    connection: sa.Connection, kind: RowKind, number: str, path: str, part: object
) -> None:
    table = kind.table
    # Revisions are numbered within their part.
    within = [] if part is None else [table.c.part_key == part]
    if _exists(connection, table, table.c.number_key == folded(number), *within):
        raise conflict(
            f"A {kind.word} with number {number} already exists.",
            FieldIssue(path, "is taken"),
        )


def renumber(
    connection: sa.Connection, kind: RowKind, row: Row, number: str, path: str
) -> None:
    """
    Give a part, a revision or a batch another number.

    Raises:
        ConflictError: another has it.
    """
    if folded(number) != row.number_key:
        part = row.part_key if kind is REVISION else None
        _require_free_number(connection, kind, number, path, part)
    _change(connection, kind.table, row.key, number=number, number_key=folded(number))


def name_part(connection: sa.Connection, key: int, name: str) -> None:
    """Give a part a name."""
    _change(connection, parts, key, name=name)


def delete_numbered(connection: sa.Connection, kind: RowKind, row: Row) -> None:
    """
    Delete a part without its revisions, or a revision, that nothing refers to.

    Raises:
        ConflictError: units or runs refer to it.
    """
    # Both: a unit may have moved on from the part that an older run names.
    for user in (units, runs):
        if _exists(connection, user, user.c[kind.reference] == row.key):
            raise conflict(
                f"The {kind.word} {row.number} has {user.name}. Delete them first."
            )
    connection.execute(kind.table.delete().where(kind.table.c.key == row.key))


def delete_batch(connection: sa.Connection, key: int) -> None:
    """Delete a batch; its units and runs stay, of no batch."""
    for table in (units, runs):
        connection.execute(
            table.update().where(table.c.batch_key == key).values(batch_key=None)
        )
    connection.execute(batches.delete().where(batches.c.key == key))


def create_version(
    connection: sa.Connection, catalog: CatalogSession, procedure: int, tag: str
) -> None:
    """
    Create a version of a procedure.

    Raises:
        ConflictError: there is one of that tag.
    """
    taken = (
        procedure_versions.c.procedure_key == procedure,
        procedure_versions.c.tag_key == folded(tag),
    )
    if _exists(connection, procedure_versions, *taken):
        raise conflict(
            f"Version {tag} of the procedure already exists.",
            FieldIssue("tag", "is taken"),
        )
    catalog.version(procedure, tag)


def delete_version(connection: sa.Connection, version: int) -> None:
    """
    Delete a version that no run names.

    Raises:
        ConflictError: a run names it.
    """
    if _exists(connection, runs, runs.c.version_key == version):
        raise conflict("The version has runs. Delete them first.")
    connection.execute(
        procedure_versions.delete().where(procedure_versions.c.key == version)
    )


def delete_procedure(connection: sa.Connection, key: int) -> None:
    """Delete a procedure that has no runs, with its versions."""
    connection.execute(
        procedure_versions.delete().where(procedure_versions.c.procedure_key == key)
    )
    connection.execute(procedures.delete().where(procedures.c.key == key))


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
    _change(connection, stations, station, removed_at=now)


def new_unit(
    connection: sa.Connection,
    catalog: CatalogSession,
    serial_number: str,
    **values: Any,
) -> FoundUnit:
    """
    Create a unit for itself.

    Raises:
        ConflictError: there is one of that serial number.
    """
    _require_free_serial(connection, serial_number, "serial_number")
    sample = values.pop("sample")
    # Units that runs bring along have no sample, so creation knows none.
    unit = create_unit(connection, catalog, serial_number, values)
    _change(connection, units, unit.key, sample=sample)
    return unit


def _require_free_serial(connection: sa.Connection, serial: str, path: str) -> None:
    if _exists(connection, units, units.c.serial_key == folded(serial)):
        raise conflict(
            f"A unit with serial number {serial} already exists.",
            FieldIssue(path, "is taken by another unit"),
        )


def change_unit(
    connection: sa.Connection, unit: int, changes: Mapping[str, Any]
) -> None:
    """Change columns of a unit."""
    if changes:
        _change(connection, units, unit, **changes)


def rename_unit(connection: sa.Connection, unit: Row, number: str, path: str) -> None:
    """
    Give a unit another serial number.

    Raises:
        ConflictError: another unit has it.
    """
    if folded(unit.serial_number) != folded(number):
        _require_free_serial(connection, number, path)
    change_unit(
        connection, unit.key, {"serial_number": number, "serial_key": folded(number)}
    )


def delete_unit(connection: sa.Connection, unit: int, serial_number: str) -> list[str]:
    """
    Delete a unit that has no runs, with its files.

    Returns:
        The digests of the contents of its files, which may be used by others.

    Raises:
        ConflictError: it has runs.
    """
    if _exists(connection, runs, runs.c.unit_key == unit):
        raise conflict(
            f"Unit {serial_number} has runs. Delete them first.",
            FieldIssue("serial_numbers", f"{serial_number} has runs"),
        )
    # Read before the rows go; the caller forgets the contents after the commit.
    files = sa.select(attachments.c.sha256).where(attachments.c.unit_key == unit)
    digests = list(connection.execute(files).scalars())
    connection.execute(units.delete().where(units.c.key == unit))
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
    merge_metadata(connection, "run", run, changes)
    document = connection.execute(
        sa.select(run_documents.c.sidecar).where(run_documents.c.run_key == run)
    ).first()
    stored = None if document is None else document.sidecar
    sidecar: dict[str, Any] = (
        {"rigbridge": 1, "run_id": run_id, "overlay": None, "attachments": []}
        if stored is None
        else msgspec.json.decode(unpack(stored))
    )
    # The report has a column of its own.
    sidecar.pop("report", None)
    overlay = change_members(sidecar.get("overlay"), "metadata", changes)
    changed = pack(msgspec.json.encode({**sidecar, "overlay": overlay}).decode())
    if document is None:
        connection.execute(run_documents.insert(), {"run_key": run, "sidecar": changed})
    else:
        connection.execute(
            run_documents.update().where(run_documents.c.run_key == run),
            {"sidecar": changed},
        )
