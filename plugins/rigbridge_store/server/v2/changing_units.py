"""The v2 calls that change units."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
from litestar import Request, delete, patch, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter

from rigbridge.wire import Identified, InitializeUpload, WireSubUnit
from rigbridge_store.access.permissions import require_user
from rigbridge_store.fields import MAX_NUMBER, FieldChecks, known, text_or_none
from rigbridge_store.files.uploads import Target, link_uploads_to_unit
from rigbridge_store.intake.catalog import CatalogSession
from rigbridge_store.intake.metadata import merge_metadata, write_metadata
from rigbridge_store.intake.policies import CreationPolicy
from rigbridge_store.intake.units import FoundUnit, add_sub_units
from rigbridge_store.reading.lists.units import (
    files_of_unit,
    new_unit,
    rename_unit,
    require_part,
    require_revision,
    require_revision_of,
    require_unit,
)
from rigbridge_store.refusals import (
    FieldIssue,
    bad_request,
    conflict,
    invalid,
    not_found,
)
from rigbridge_store.server.bodies import PROBLEMS
from rigbridge_store.server.door import Door
from rigbridge_store.server.links import origin_of
from rigbridge_store.server.v2.creating import check_metadata
from rigbridge_store.server.v2.file_bodies import UploadGrant2
from rigbridge_store.server.v2.run_answers import Deleted2
from rigbridge_store.server.v2.run_bodies import NameFile
from rigbridge_store.server.v2.unit_bodies import (
    AddChild,
    CreateUnit,
    DeletedFiles,
    UpdateUnit2,
)
from rigbridge_store.server.v2.units import may_see
from rigbridge_store.tables.schema import (
    attachments,
    runs,
    unit_metadata,
    unit_sub_units,
    units,
)
from rigbridge_store.tables.values import folded

__all__ = ["HANDLERS"]


@post("/units", status_code=200, sync_to_thread=True, responses=PROBLEMS)
def create_unit(
    data: JSONBody[CreateUnit], request: Request[Any, Any, Any]
) -> Identified:
    """Create a unit of a part's revision; its serial number must be free."""
    door = Door.of(request)
    principal = door.caller(request)
    labels = known(data.metadata) or {}
    checks = FieldChecks()
    serial_number = data.serial_number.strip()
    checks.filled(serial_number, "serial_number")
    checks.bounded(serial_number, "serial_number", limit=MAX_NUMBER)
    check_metadata(labels, "metadata", checks)
    if checks.issues:
        raise invalid(checks.issues)
    with door.store.writing(principal) as (connection, catalog):
        part, revision = require_revision_of(
            connection, data.part_number, data.revision_number
        )
        values = {
            "part_key": part.key,
            "revision_key": revision.key,
            "batch_key": None,
        }
        unit = new_unit(connection, catalog, serial_number, values)
        connection.execute(
            units.update()
            .where(units.c.key == unit.key)
            .values(sample=known(data.sample))
        )
        write_metadata(connection, unit_metadata, unit.key, labels)
    return Identified(id=unit.id)


@patch("/units/{serial_number:str}", sync_to_thread=True, responses=PROBLEMS)
def update_unit(
    serial_number: FromPath[str],
    data: JSONBody[UpdateUnit2],
    request: Request[Any, Any, Any],
) -> Identified:
    """Change a unit: what is not sent stays as it is."""
    door = Door.of(request)
    principal = door.caller(request)
    labels = known(data.metadata) or {}
    number = known(data.new_serial_number)
    checks = FieldChecks()
    if number is not None:
        number = number.strip()
        checks.filled(number, "new_serial_number")
        checks.bounded(number, "new_serial_number", limit=MAX_NUMBER)
    check_metadata(labels, "metadata", checks)
    if checks.issues:
        raise invalid(checks.issues)
    with door.store.writing(principal) as (connection, catalog):
        unit = require_unit(connection, serial_number, may_see(connection, principal))
        changes = _changes(connection, catalog, data, unit)
        if changes:
            connection.execute(
                units.update().where(units.c.key == unit.key).values(changes)
            )
        merge_metadata(connection, unit_metadata, unit.key, labels)
        link_uploads_to_unit(connection, unit.key, known(data.attachments) or ())
        if number is not None:
            rename_unit(
                connection, unit.key, unit.serial_number, number, "new_serial_number"
            )
    return Identified(id=unit.id)


def _changes(
    connection: sa.Connection, catalog: CatalogSession, data: UpdateUnit2, unit: Any
) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    part_number = text_or_none(data.part_number)
    part = unit.part_key
    if part_number is not None:
        part = require_part(connection, part_number, "part_number").key
        changes["part_key"] = part
        if part != unit.part_key:
            changes["revision_key"] = catalog.default_revision(part)
    revision_number = text_or_none(data.revision_number)
    if revision_number is not None:
        if part is None:
            words = "needs a part_number: the unit has no part"
            raise invalid([FieldIssue("revision_number", words)])
        changes["revision_key"] = require_revision(
            connection, part, revision_number, "revision_number"
        ).key
    batch_number = text_or_none(data.batch_number)
    if batch_number is not None:
        changes["batch_key"] = catalog.batch(batch_number)
    elif data.batch_number is None:
        changes["batch_key"] = None
    sample = known(data.sample)
    if sample is not None or data.sample is None:
        changes["sample"] = sample
    return changes


@delete("/units", status_code=200, sync_to_thread=True, responses=PROBLEMS)
def delete_units(
    serial_numbers: Annotated[list[str], QueryParameter(min_items=1, max_items=1000)],
    request: Request[Any, Any, Any],
) -> Deleted2:
    """Delete units that have no runs, for good; all of them or none."""
    door = Door.of(request)
    principal = door.caller(request)
    require_user(principal, "delete units")
    digests: list[str] = []
    deleted: list[str] = []
    with door.store.writing(principal) as (connection, _):
        for number in dict.fromkeys(map(folded, serial_numbers)):
            unit = require_unit(connection, number)
            used = sa.select(runs.c.key).where(runs.c.unit_key == unit.key).limit(1)
            if connection.execute(used).first() is not None:
                raise conflict(
                    f"Unit {unit.serial_number} has runs. Delete them first.",
                    FieldIssue("serial_numbers", f"{unit.serial_number} has runs"),
                )
            digests += [file.sha256 for file in files_of_unit(connection, unit.key)]
            connection.execute(units.delete().where(units.c.key == unit.key))
            deleted.append(unit.id)
    door.store.forget_contents(digests)
    return Deleted2(id=deleted)


@put("/units/{serial_number:str}/children", sync_to_thread=True, responses=PROBLEMS)
def add_child(
    serial_number: FromPath[str],
    data: JSONBody[AddChild],
    request: Request[Any, Any, Any],
) -> Identified:
    """Build a unit into another; a cycle is refused."""
    door = Door.of(request)
    principal = door.caller(request)
    with door.store.writing(principal) as (connection, catalog):
        seen = may_see(connection, principal)
        unit = require_unit(connection, serial_number, seen)
        child = require_unit(connection, data.child_serial_number, seen)
        parent = FoundUnit(
            key=unit.key, id=unit.id, part_key=None, revision_key=None, batch_key=None
        )
        member = WireSubUnit(serial_number=child.serial_number)
        add_sub_units(connection, catalog, parent, [member], CreationPolicy())
    return Identified(id=unit.id)


@delete(
    "/units/{serial_number:str}/children",
    status_code=200,
    sync_to_thread=True,
    responses=PROBLEMS,
)
def remove_child(
    serial_number: FromPath[str],
    child_serial_number: Annotated[str, QueryParameter()],
    request: Request[Any, Any, Any],
) -> Identified:
    """Take a unit out of another; both stay."""
    door = Door.of(request)
    principal = door.caller(request)
    with door.store.writing(principal) as (connection, _):
        seen = may_see(connection, principal)
        unit = require_unit(connection, serial_number, seen)
        child = require_unit(connection, child_serial_number, seen)
        gone = connection.execute(
            unit_sub_units.delete().where(
                unit_sub_units.c.parent_key == unit.key,
                unit_sub_units.c.child_key == child.key,
            )
        ).rowcount
        if not gone:
            raise bad_request(
                f"Unit {child.serial_number} is not a child of {unit.serial_number}.",
                FieldIssue("child_serial_number", "is not built into the unit"),
            )
    return Identified(id=unit.id)


@post(
    "/units/{serial_number:str}/attachments",
    status_code=200,
    sync_to_thread=True,
    responses=PROBLEMS,
)
def create_attachment(
    serial_number: FromPath[str],
    data: JSONBody[NameFile],
    request: Request[Any, Any, Any],
) -> UploadGrant2:
    """Grant the upload of a file that belongs to the unit as soon as it is there."""
    door = Door.of(request)
    principal = door.caller(request)

    def target(connection: sa.Connection) -> Target:
        seen = may_see(connection, principal)
        return Target(unit=require_unit(connection, serial_number, seen).key)

    ticket = door.store.uploads.initialize(
        InitializeUpload(name=data.name), target=target
    )
    return UploadGrant2.of(ticket, origin_of(request))


@delete(
    "/units/{serial_number:str}/attachments",
    status_code=200,
    sync_to_thread=True,
    responses=PROBLEMS,
)
def delete_attachments(
    serial_number: FromPath[str],
    ids: Annotated[list[str], QueryParameter(min_items=1, max_items=1000)],
    request: Request[Any, Any, Any],
) -> DeletedFiles:
    """Delete files of a unit; all of them or none."""
    door = Door.of(request)
    principal = door.caller(request)
    require_user(principal, "delete files of units")
    with door.store.writing(principal) as (connection, _):
        unit = require_unit(connection, serial_number)
        files = {file.id: file for file in files_of_unit(connection, unit.key)}
        wanted = list(dict.fromkeys(text.lower() for text in ids))
        for public in wanted:
            if public not in files:
                raise not_found(
                    f"The unit has no attachment with ID {public}.",
                    FieldIssue("ids", f"{public} does not exist"),
                )
        connection.execute(attachments.delete().where(attachments.c.id.in_(wanted)))
    door.store.forget_contents([files[public].sha256 for public in wanted])
    return DeletedFiles(ids=wanted)


HANDLERS: tuple[HTTPRouteHandler, ...] = (
    create_unit,
    update_unit,
    delete_units,
    add_child,
    remove_child,
    create_attachment,
    delete_attachments,
)
"""The handlers, relative to ``/api/v2``."""
