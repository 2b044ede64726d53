"""The v2 calls about parts, their revisions and batches."""

from __future__ import annotations

from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET

from rigbridge.wire import Identified
from rigbridge_store.fields import MAX_NUMBER, FieldChecks, known, text_or_none
from rigbridge_store.intake import changes
from rigbridge_store.intake.changes import BATCH, PART, REVISION
from rigbridge_store.intake.metadata import (
    merge_metadata,
    read_metadata,
    write_metadata,
)
from rigbridge_store.reading.lists import catalog as lists
from rigbridge_store.reading.lists.units import units_of_batch, units_of_revision
from rigbridge_store.refusals import bad_request
from rigbridge_store.server.calls import FromCall, delete, get, patch, post
from rigbridge_store.server.v2.bodies import catalog as bodies
from rigbridge_store.server.v2.bodies.shared import (
    Deleted2,
    LinkedUnit,
    NamedPart,
    Numbered,
    Page,
)
from rigbridge_store.server.v2.checks import require_valid, trimmed
from rigbridge_store.server.v2.showing import from_row, made_by, page_of, show_part
from rigbridge_store.tables.values import iso_from_micros, now_micros

__all__: list[str] = []


@post("/parts")
def create_part(data: JSONBody[bodies.CreatePart], call: FromCall) -> Identified:
    """Create a part, and its first revision where that is named; stations may, too."""
    labels = known(data.metadata) or {}
    number, name = data.number.strip(), text_or_none(data.name)
    revision = trimmed(data.revision_number)
    numbers = {"number": number, "revision_number": revision}
    require_valid(numbers=numbers, name=name, metadata=labels)
    with call.store.writing(call.principal) as (connection, catalog):
        key, public = changes.create(connection, catalog, PART, number, name=name)
        write_metadata(connection, "part", key, labels)
        if revision is not None:
            changes.create(connection, catalog, REVISION, revision, part_key=key)
    return Identified(id=public)


@get("/parts", query=lists.PartQuery)
def list_parts(
    wanted: NamedDependency[lists.PartQuery], call: FromCall
) -> Page[bodies.PartSummary]:
    """List parts by filters."""
    with call.store.reading() as connection:
        page = lists.find_parts(connection, wanted, call.principal)
        found = lists.revisions_of(connection, page.keys)
        labels = read_metadata(
            connection, "part", page.keys if wanted.include_metadata else ()
        )
    return page_of(
        page,
        lambda row: from_row(
            bodies.PartSummary,
            row,
            # v2 knows no part without a name.
            name=row.name or row.number,
            revisions=[from_row(Numbered, item) for item in found[row.key]],
            metadata=labels.get(row.key, UNSET),
        ),
    )


@get("/parts/{number:str}")
def get_part(number: FromPath[str], call: FromCall) -> bodies.PartDetails:
    """Give one part; the case of its number does not matter."""
    with call.store.reading() as connection:
        row = lists.require_part(connection, number, "number", call.principal)
        found = lists.revisions_of(connection, [row.key])[row.key]
        labels = read_metadata(connection, "part", [row.key])[row.key]
    return from_row(
        bodies.PartDetails,
        row,
        name=row.name or row.number,
        revisions=[from_row(bodies.RevisionOfPart, item) for item in found],
        metadata=labels,
        **made_by(row),
    )


@patch("/parts/{number:str}")
def update_part(
    number: FromPath[str], data: JSONBody[bodies.UpdatePart], call: FromCall
) -> bodies.ChangedPart:
    """Change the number, the name or the metadata of a part."""
    labels = known(data.metadata) or {}
    new, name = known(data.new_number), text_or_none(data.name)
    new = None if new is None else new.strip()
    if new is None and name is None and known(data.metadata) is None:
        raise bad_request("At least one field to change is required.")
    require_valid(numbers={"new_number": new}, name=name, metadata=labels)
    with call.store.writing(call.principal) as (connection, _):
        row = lists.require_part(connection, number, "number", call.principal)
        if new is not None:
            changes.rename(connection, PART, row, new, "new_number")
        if name is not None:
            changes.change(connection, PART, row.key, name=name)
        merge_metadata(connection, "part", row.key, labels)
    name, new = name or row.name, new or row.number
    return bodies.ChangedPart(
        id=row.id,
        number=new,
        name=name or new,
        updated_at=iso_from_micros(now_micros()) or "",
    )


@delete("/parts/{number:str}")
def delete_part(number: FromPath[str], call: FromCall) -> bodies.DeletedPart:
    """Delete a part that no unit and no run is of, with its revisions."""
    with call.store.writing(call.principal) as (connection, _):
        row = lists.require_part(connection, number, "number", call.principal)
        gone = lists.revisions_of(connection, [row.key])[row.key]
        # Revisions first, since they refer to the part; a used one stops it all.
        for item in gone:
            changes.delete(connection, REVISION, item, "number")
        changes.delete(connection, PART, row, "number")
    return bodies.DeletedPart(id=row.id, deletedRevisionIds=[item.id for item in gone])


@post("/parts/{part_number:str}/revisions")
def create_revision(
    part_number: FromPath[str], data: JSONBody[bodies.CreateRevision], call: FromCall
) -> Identified:
    """Create a revision of a part; stations may, too."""
    labels = known(data.metadata) or {}
    number = data.number.strip()
    require_valid(numbers={"number": number}, metadata=labels)
    with call.store.writing(call.principal) as (connection, catalog):
        part = lists.require_part(
            connection, part_number, "part_number", call.principal
        )
        key, public = changes.create(
            connection, catalog, REVISION, number, part_key=part.key
        )
        write_metadata(connection, "revision", key, labels)
    return Identified(id=public)


_REVISION = "/parts/{part_number:str}/revisions/{revision_number:str}"


@get(_REVISION)
def get_revision(
    part_number: FromPath[str], revision_number: FromPath[str], call: FromCall
) -> bodies.RevisionDetails:
    """Give one revision of a part, with those of its units that may be seen."""
    with call.store.reading() as connection:
        part, row = lists.require_part_revision(
            connection, part_number, revision_number, call.principal
        )
        found = units_of_revision(connection, row.key, call.principal)
        labels = read_metadata(connection, "revision", [row.key])[row.key]
    return from_row(
        bodies.RevisionDetails,
        row,
        part=from_row(NamedPart, part, name=part.name or part.number),
        units=[from_row(LinkedUnit, unit) for unit in found],
        metadata=labels,
        **made_by(row),
    )


@patch(_REVISION)
def update_revision(
    part_number: FromPath[str],
    revision_number: FromPath[str],
    data: JSONBody[bodies.UpdateRevision],
    call: FromCall,
) -> Identified:
    """Change the number or the metadata of a revision."""
    labels = known(data.metadata) or {}
    new = known(data.number)
    new = None if new is None else new.strip()
    require_valid(numbers={"number": new}, metadata=labels)
    with call.store.writing(call.principal) as (connection, _):
        _, row = lists.require_part_revision(
            connection, part_number, revision_number, call.principal
        )
        if new is not None:
            changes.rename(connection, REVISION, row, new, "number")
        merge_metadata(connection, "revision", row.key, labels)
    return Identified(id=row.id)


@delete(_REVISION)
def delete_revision(
    part_number: FromPath[str], revision_number: FromPath[str], call: FromCall
) -> Identified:
    """Delete a revision that no unit and no run is of."""
    with call.store.writing(call.principal) as (connection, _):
        _, row = lists.require_part_revision(
            connection, part_number, revision_number, call.principal
        )
        changes.delete(connection, REVISION, row, "revision_number")
    return Identified(id=row.id)


def _require_number(number: str, path: str) -> None:
    checks = FieldChecks()
    checks.filled(number, path)
    checks.bounded(number, path, limit=MAX_NUMBER)
    checks.tag(number, path)
    checks.refuse_any()


_FIRST_CLIENTS = tuple(
    f"speakeasy-sdk/python 0.7.12 {generator} " for generator in ("2.638.1", "2.796.4")
)
"""Those of 1.12 and 2.0.1, by what made them: they read one id, later ones a list."""


@post("/batches")
def create_batch(data: JSONBody[bodies.CreateBatch], call: FromCall) -> Identified:
    """Create an empty batch; its number must be free. Stations may, too."""
    _require_number(data.number, "number")
    with call.store.writing(call.principal) as (connection, catalog):
        _, public = changes.create(connection, catalog, BATCH, data.number)
    return Identified(id=public)


@get("/batches", query=lists.BatchQuery)
def list_batches(
    wanted: NamedDependency[lists.BatchQuery], call: FromCall
) -> Page[bodies.BatchSummary]:
    """List batches by filters."""
    with call.store.reading() as connection:
        page = lists.find_batches(connection, wanted, call.principal)
    return page_of(page, lambda row: from_row(bodies.BatchSummary, row, **made_by(row)))


@get("/batches/{number:str}")
def get_batch(number: FromPath[str], call: FromCall) -> bodies.BatchDetails:
    """Give one batch, with those of its units that may be seen."""
    with call.store.reading() as connection:
        row = lists.require_batch(connection, number, call.principal)
        found = units_of_batch(connection, row.key, call.principal)
    units = [from_row(bodies.BatchUnit, unit, part=show_part(unit)) for unit in found]
    return from_row(bodies.BatchDetails, row, units=units, **made_by(row))


@patch("/batches/{number:str}")
def update_batch(
    number: FromPath[str], data: JSONBody[bodies.UpdateBatch], call: FromCall
) -> Identified:
    """Give a batch another number."""
    _require_number(data.new_number, "new_number")
    with call.store.writing(call.principal) as (connection, _):
        row = lists.require_batch(connection, number, call.principal)
        changes.rename(connection, BATCH, row, data.new_number, "new_number")
    return Identified(id=row.id)


@delete("/batches/{number:str}")
def delete_batch(number: FromPath[str], call: FromCall) -> Deleted2 | Identified:
    """Delete a batch; its units and runs stay, of no batch."""
    with call.store.writing(call.principal) as (connection, _):
        row = lists.require_batch(connection, number, call.principal)
        changes.delete_batch(connection, row.key)
    agent = call.connection.headers.get("user-agent", "")
    if agent.startswith(_FIRST_CLIENTS):
        return Identified(id=row.id)
    return Deleted2.of([row.id])
