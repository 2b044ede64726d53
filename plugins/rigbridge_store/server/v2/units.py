"""The v2 calls about units."""

from __future__ import annotations

from typing import Annotated, Any

from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import UNSET

from rigbridge.wire import Identified, WireSubUnit
from rigbridge_store.access.principals import Principal
from rigbridge_store.fields import known, text_or_none
from rigbridge_store.files.linking import link_uploads_to_unit
from rigbridge_store.intake import changes
from rigbridge_store.intake.changes import UNIT
from rigbridge_store.intake.metadata import (
    merge_metadata,
    read_metadata,
    write_metadata,
)
from rigbridge_store.intake.policies import CreationPolicy
from rigbridge_store.intake.units import FoundUnit, add_sub_units, require_sole
from rigbridge_store.reading.details import Row
from rigbridge_store.reading.lists import units as lists
from rigbridge_store.reading.lists.catalog import (
    require_part,
    require_revision,
    require_revision_of,
)
from rigbridge_store.refusals import FieldIssue, invalid
from rigbridge_store.server.calls import FromCall, Ids, delete, get, patch, post, put
from rigbridge_store.server.v2.bodies import catalog as bodies
from rigbridge_store.server.v2.bodies.files import UploadGrant2
from rigbridge_store.server.v2.bodies.shared import (
    Deleted2,
    LinkedFile,
    LinkedUnit,
    Named,
    NameFile,
    Numbered,
    Page,
)
from rigbridge_store.server.v2.checks import require_valid
from rigbridge_store.server.v2.files import grant_upload
from rigbridge_store.server.v2.showing import (
    from_row,
    from_row_or_none,
    made_by,
    page_of,
    show_part,
    start_of,
)
from rigbridge_store.tables.values import (
    iso_from_micros,
    iso_from_span,
    now_micros,
)

__all__: list[str] = []


@get("/units", query=lists.UnitQuery)
def list_units(
    wanted: NamedDependency[lists.UnitQuery], call: FromCall
) -> Page[bodies.UnitSummary]:
    """List units by filters; a station sees those of its procedures and its own."""
    with call.store.reading() as connection:
        page = lists.find_units(connection, wanted, call.principal)
        # One statement for each kind of relative, for the whole page.
        children = lists.children_of(connection, page.keys, call.principal)
        parents = lists.parents_of(connection, page.keys, call.principal)
        newest = lists.last_runs(connection, page.keys, call.principal)
        labels = read_metadata(
            connection, "unit", page.keys if wanted.include_metadata else ()
        )
    return page_of(
        page,
        lambda row: from_row(
            bodies.UnitSummary,
            row,
            children=[from_row(LinkedUnit, child) for child in children[row.key]],
            parent=next((from_row(LinkedUnit, p) for p in parents[row.key]), None),
            last_run=_last_run(newest.get(row.key)),
            metadata=labels.get(row.key, UNSET),
            **_common(row),
        ),
    )


def _common(row: Row) -> dict[str, object]:
    batch = from_row_or_none(Numbered, row, "batch_")
    return {"part": show_part(row), "batch": batch, **made_by(row)}


def _last_run(run: Row | None) -> bodies.LastRun | None:
    if run is None:
        return None
    started = iso_from_micros(run.started_at or run.created_at)
    procedure = from_row(Named, run, "procedure_")
    return from_row(bodies.LastRun, run, started_at=started, procedure=procedure)


@get("/units/{serial_number:str}")
def get_unit(serial_number: FromPath[str], call: FromCall) -> bodies.UnitDetails:
    """Give one unit; the case of its serial number does not matter."""
    with call.store.reading() as connection:
        row = lists.require_unit(connection, serial_number, call.principal)
        children = lists.children_of(connection, [row.key], call.principal)[row.key]
        parents = lists.parents_of(connection, [row.key], call.principal)[row.key]
        files = lists.files_of_unit(connection, row.key, call.principal)
        run = (
            lists.first_run(connection, row.key, call.principal) if row.by_run else None
        )
        labels = read_metadata(connection, "unit", [row.key])
    return from_row(
        bodies.UnitDetails,
        row,
        parent=_related(parents[0]) if parents else None,
        children=[_related(child) for child in children],
        created_during=None if run is None else _created_during(run),
        attachments=[
            from_row(
                LinkedFile,
                file,
                content_type=file.mime_type,
                download_url=call.file_url(file.id),
            )
            for file in files
        ],
        metadata=labels[row.key],
        **_common(row),
    )


def _related(row: Row) -> bodies.RelatedUnit:
    part = from_row_or_none(
        bodies.RelatedPart,
        row,
        "part_",
        name=row.part_name or row.part_number,
        revision=from_row_or_none(Numbered, row, "revision_"),
    )
    return from_row(bodies.RelatedUnit, row, part=part)


def _created_during(run: Row) -> bodies.CreatedDuring:
    started = start_of(run)
    return from_row(
        bodies.CreatedDuring,
        run,
        started_at=iso_from_micros(started),
        ended_at=iso_from_micros(started if run.ended_at is None else run.ended_at),
        duration=iso_from_span(run.duration or 0),
        procedure=from_row(Named, run, "procedure_"),
    )


@post("/units")
def create_unit(data: JSONBody[bodies.CreateUnit], call: FromCall) -> Identified:
    """Create a unit of a part's revision; its serial number must be free."""
    labels = known(data.metadata) or {}
    serial_number = data.serial_number.strip()
    require_valid(numbers={"serial_number": serial_number}, metadata=labels)
    with call.store.writing(call.principal) as (connection, catalog):
        part, revision = require_revision_of(
            connection, data.part_number, data.revision_number, call.principal
        )
        key, public = changes.create(
            connection,
            catalog,
            UNIT,
            serial_number,
            part_key=part.key,
            revision_key=revision.key,
            sample=known(data.sample),
        )
        # In the same transaction: a unit without its metadata is never seen.
        write_metadata(connection, "unit", key, labels)
    return Identified(id=public)


@patch("/units/{serial_number:str}")
def update_unit(
    serial_number: FromPath[str], data: JSONBody[bodies.UpdateUnit2], call: FromCall
) -> Identified:
    """Change a unit: what is not sent stays as it is."""
    labels = known(data.metadata) or {}
    number = known(data.new_serial_number)
    number = None if number is None else number.strip()
    require_valid(numbers={"new_serial_number": number}, metadata=labels)
    with call.store.writing(call.principal) as (connection, catalog):
        unit = lists.require_unit(connection, serial_number, call.principal)
        # The part comes before the revision, which is looked up within it.
        values = _changes(connection, catalog, call.principal, data, unit)
        if values or number is not None:
            # What a unit is, everybody relies on who tested it.
            require_sole(connection, unit.key, serial_number, catalog.sight)
        changes.change(connection, UNIT, unit.key, **values)
        merge_metadata(connection, "unit", unit.key, labels)
        link_uploads_to_unit(
            connection, unit.key, known(data.attachments) or (), call.principal
        )
        # Renamed last: all before finds the unit by the number that was asked for.
        if number is not None:
            changes.rename(connection, UNIT, unit, number, "new_serial_number")
    return Identified(id=unit.id)


def _changes(
    connection: Any,
    catalog: Any,
    principal: Principal,
    data: bodies.UpdateUnit2,
    unit: Row,
) -> dict[str, object]:
    values: dict[str, object] = {}
    part_number = text_or_none(data.part_number)
    part: int | None = unit.part_key
    if part_number is not None:
        part = require_part(connection, part_number, "part_number", principal).key
        values |= {"part_key": part, "part_told_at": now_micros()}
        if part != unit.part_key:
            values["revision_key"] = catalog.default_revision(part)
            values["revision_told_at"] = now_micros()
    revision_number = text_or_none(data.revision_number)
    if revision_number is not None:
        if part is None:
            words = "needs a part_number: the unit has no part"
            raise invalid([FieldIssue("revision_number", words)])
        values["revision_key"] = require_revision(
            connection, part, revision_number, "revision_number"
        ).key
        values["revision_told_at"] = now_micros()
    batch_number = text_or_none(data.batch_number)
    # Null takes a batch or a sample away, a blank batch says nothing.
    if batch_number is not None:
        values["batch_key"] = catalog.batch(batch_number)
    elif data.batch_number is None:
        values["batch_key"] = None
    if "batch_key" in values:
        # What a person says holds against runs that were before.
        values["batch_told_at"] = now_micros()
    if data.sample is not UNSET:
        values["sample"] = data.sample
    return values


@delete("/units")
def delete_units(serial_numbers: Ids, call: FromCall) -> Deleted2:
    """Delete units that have no runs, for good; all of them or none."""
    return Deleted2.of(
        call.store.delete_units(serial_numbers, principal=call.principal)
    )


@put("/units/{serial_number:str}/children")
def add_child(
    serial_number: FromPath[str], data: JSONBody[bodies.AddChild], call: FromCall
) -> Identified:
    """Build a unit into another; answers the child, refuses a cycle."""
    with call.store.writing(call.principal) as (connection, catalog):
        unit = lists.require_unit(connection, serial_number, call.principal)
        child = lists.require_unit(connection, data.child_serial_number, call.principal)
        # Only its key and id count: what it is stays as known.
        parent = FoundUnit(
            key=unit.key, id=unit.id, part_key=None, revision_key=None, batch_key=None
        )
        member = WireSubUnit(serial_number=child.serial_number)
        add_sub_units(connection, catalog, parent, [member], CreationPolicy())
    return Identified(id=child.id)


@delete("/units/{serial_number:str}/children")
def remove_child(
    serial_number: FromPath[str],
    child_serial_number: Annotated[str, QueryParameter()],
    call: FromCall,
) -> Identified:
    """Take a unit out of another; answers the child, both stay."""
    with call.store.writing(call.principal) as (connection, catalog):
        unit = lists.require_unit(connection, serial_number, call.principal)
        child = lists.require_unit(connection, child_serial_number, call.principal)
        require_sole(connection, unit.key, serial_number, catalog.sight)
        changes.remove_child(connection, unit, child)
    return Identified(id=child.id)


@post("/units/{serial_number:str}/attachments")
def create_attachment(
    serial_number: FromPath[str], data: JSONBody[NameFile], call: FromCall
) -> UploadGrant2:
    """Grant the upload of a file that belongs to the unit as soon as it is there."""
    return grant_upload(
        call, data.name, lists.unit_target(serial_number, call.principal)
    )


@delete("/units/{serial_number:str}/attachments")
def delete_attachments(
    serial_number: FromPath[str], ids: Ids, call: FromCall
) -> bodies.DeletedFiles:
    """Delete files of a unit; all of them or none."""
    wanted = list(dict.fromkeys(text.lower() for text in ids))
    with call.store.writing(call.principal) as (connection, _):
        unit = lists.require_unit(connection, serial_number, call.principal)
        digests = changes.delete_unit_files(connection, unit.key, wanted)
    call.store.forget_contents(digests)
    return bodies.DeletedFiles(ids=wanted)
