"""The v2 calls about parts and their revisions."""

from __future__ import annotations

from typing import Any, Literal

import attrs
import sqlalchemy as sa
from litestar import Request, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import UnsetType

from rigbridge.wire import Identified
from rigbridge_store.access.permissions import require_user
from rigbridge_store.fields import (
    MAX_NUMBER,
    FieldChecks,
    known,
    text_or_none,
)
from rigbridge_store.intake.metadata import (
    merge_metadata,
    read_metadata,
    write_metadata,
)
from rigbridge_store.reading.conditions import metadata_matches, text_contained
from rigbridge_store.reading.lists.catalog import (
    create_numbered,
    delete_numbered,
    find_parts,
    renumber,
    revisions_of,
    used_by_procedures,
)
from rigbridge_store.reading.lists.paging import Paging
from rigbridge_store.reading.lists.units import require_part, require_revision
from rigbridge_store.refusals import bad_request, invalid
from rigbridge_store.server.bodies import PROBLEMS
from rigbridge_store.server.door import Door
from rigbridge_store.server.queries import parameter, query
from rigbridge_store.server.v2.catalog_bodies import (
    ChangedPart,
    CreatePart,
    CreateRevision,
    DeletedPart,
    PartDetails,
    PartList,
    PartReference,
    PartSummary,
    RevisionDetails,
    RevisionOfPart,
    UpdatePart,
    UpdateRevision,
)
from rigbridge_store.server.v2.creating import check_metadata
from rigbridge_store.server.v2.creators import made_by
from rigbridge_store.server.v2.run_answers import Meta, ShownRevision
from rigbridge_store.server.v2.unit_bodies import LinkedUnit
from rigbridge_store.server.v2.units import may_see
from rigbridge_store.tables.schema import (
    part_metadata,
    parts,
    revision_metadata,
    revisions,
    units,
)
from rigbridge_store.tables.values import iso_from_micros, now_micros

__all__ = ["HANDLERS"]

_EPOCH = "1970-01-01T00:00:00Z"


@attrs.frozen(kw_only=True)
class PartQuery:
    """The parameters of ``GET /v2/parts``."""

    limit: int = parameter(50, ge=1, le=100)
    cursor: int | None = parameter(ge=0, le=2**53)
    search_query: str | None = parameter(description="Within the number.")
    procedure_ids: list[str] | None = None
    sort_by: Literal["name", "number", "created_at"] = "created_at"
    sort_order: Literal["asc", "desc"] = "desc"
    metadata: str | None = parameter(description="JSON: demands by name.")
    include_metadata: bool = False


def _checked(
    values: dict[str, str | None], name: str | None, labels: dict[str, Any]
) -> None:
    checks = FieldChecks()
    for path, value in values.items():
        if value is not None:
            checks.filled(value, path)
        checks.bounded(value, path, limit=MAX_NUMBER)
    checks.bounded(name, "name")
    check_metadata(labels, "metadata", checks)
    if checks.issues:
        raise invalid(checks.issues)


def _trimmed(value: str | UnsetType | None) -> str | None:
    text = known(value)
    return None if text is None else text.strip()


@post("/parts", status_code=200, sync_to_thread=True, responses=PROBLEMS)
def create_part(
    data: JSONBody[CreatePart], request: Request[Any, Any, Any]
) -> Identified:
    """Create a part, and its first revision where that is named; stations may, too."""
    door = Door.of(request)
    principal = door.caller(request)
    labels = known(data.metadata) or {}
    number, name = data.number.strip(), text_or_none(data.name)
    revision = text_or_none(_trimmed(data.revision_number))
    _checked({"number": number, "revision_number": revision}, name, labels)
    with door.store.writing(principal) as (connection, catalog):
        key = create_numbered(connection, catalog, parts, number, name=name)
        write_metadata(connection, part_metadata, key, labels)
        if revision is not None:
            create_numbered(connection, catalog, revisions, revision, part_key=key)
        return Identified(id=require_part(connection, number, "number").id)


@get(
    "/parts",
    dependencies={"wanted": query(PartQuery)},
    sync_to_thread=True,
    responses=PROBLEMS,
)
def list_parts(
    wanted: NamedDependency[PartQuery], request: Request[Any, Any, Any]
) -> PartList:
    """List parts by filters."""
    door = Door.of(request)
    door.caller(request)
    with door.store.reading() as connection:
        page = find_parts(
            connection,
            [
                *text_contained(
                    wanted.search_query,
                    parts.c.number_key,
                    sa.func.lower(sa.func.coalesce(parts.c.name, "")),
                ),
                *used_by_procedures(wanted.procedure_ids),
                *metadata_matches(parts.c.key, part_metadata, wanted.metadata),
            ],
            Paging(limit=wanted.limit, cursor=wanted.cursor),
            by=wanted.sort_by,
            order=wanted.sort_order,
        )
        keys = [row.key for row in page.rows]
        found = revisions_of(connection, keys)
        labels: dict[int, Any] = {}
        if wanted.include_metadata:
            labels = read_metadata(connection, part_metadata, keys)
    more = page.next_cursor is not None
    return PartList(
        data=[
            PartSummary(
                id=row.id,
                number=row.number,
                name=row.name or row.number,
                created_at=iso_from_micros(row.created_at) or _EPOCH,
                revisions=[
                    ShownRevision(id=item.id, number=item.number)
                    for item in found[row.key]
                ],
                **({"metadata": labels[row.key]} if row.key in labels else {}),
            )
            for row in page.rows
        ],
        meta=Meta(has_more=more, next_cursor=page.next_cursor),
    )


@get("/parts/{number:str}", sync_to_thread=True, responses=PROBLEMS)
def get_part(number: FromPath[str], request: Request[Any, Any, Any]) -> PartDetails:
    """Give one part; the case of its number does not matter."""
    door = Door.of(request)
    door.caller(request)
    with door.store.reading() as connection:
        row = require_part(connection, number, "number")
        found = revisions_of(connection, [row.key])[row.key]
        labels = read_metadata(connection, part_metadata, [row.key])[row.key]
        user, station = made_by(connection, row)
    return PartDetails(
        id=row.id,
        number=row.number,
        name=row.name or row.number,
        created_at=iso_from_micros(row.created_at) or _EPOCH,
        revisions=[
            RevisionOfPart(
                id=item.id,
                number=item.number,
                created_at=iso_from_micros(item.created_at) or _EPOCH,
            )
            for item in found
        ],
        created_by_user=user,
        created_by_station=station,
        metadata=labels,
    )


@patch("/parts/{number:str}", sync_to_thread=True, responses=PROBLEMS)
def update_part(
    number: FromPath[str], data: JSONBody[UpdatePart], request: Request[Any, Any, Any]
) -> ChangedPart:
    """Change the number, the name or the metadata of a part."""
    door = Door.of(request)
    principal = door.caller(request)
    require_user(principal, "change parts")
    labels = known(data.metadata) or {}
    new, name = _trimmed(data.new_number), text_or_none(data.name)
    if new is None and name is None and known(data.metadata) is None:
        raise bad_request("At least one field to change is required.")
    _checked({"new_number": new}, name, labels)
    with door.store.writing(principal) as (connection, _):
        row = require_part(connection, number, "number")
        if new is not None:
            renumber(connection, parts, row, new, "new_number")
        if name is not None:
            connection.execute(
                parts.update().where(parts.c.key == row.key).values(name=name)
            )
        merge_metadata(connection, part_metadata, row.key, labels)
        changed = require_part(connection, new or number, "number")
    return ChangedPart(
        id=changed.id,
        number=changed.number,
        name=changed.name or changed.number,
        updated_at=iso_from_micros(now_micros()) or _EPOCH,
    )


@delete("/parts/{number:str}", status_code=200, sync_to_thread=True, responses=PROBLEMS)
def delete_part(number: FromPath[str], request: Request[Any, Any, Any]) -> DeletedPart:
    """Delete a part that no unit and no run is of, with its revisions."""
    door = Door.of(request)
    principal = door.caller(request)
    require_user(principal, "delete parts")
    with door.store.writing(principal) as (connection, _):
        row = require_part(connection, number, "number")
        gone = revisions_of(connection, [row.key])[row.key]
        for item in gone:
            delete_numbered(connection, revisions, item, "revision_key")
        delete_numbered(connection, parts, row, "part_key")
    return DeletedPart(id=row.id, deletedRevisionIds=[item.id for item in gone])


@post(
    "/parts/{part_number:str}/revisions",
    status_code=200,
    sync_to_thread=True,
    responses=PROBLEMS,
)
def create_revision(
    part_number: FromPath[str],
    data: JSONBody[CreateRevision],
    request: Request[Any, Any, Any],
) -> Identified:
    """Create a revision of a part; stations may, too."""
    door = Door.of(request)
    principal = door.caller(request)
    labels = known(data.metadata) or {}
    number = data.number.strip()
    _checked({"number": number}, None, labels)
    with door.store.writing(principal) as (connection, catalog):
        part = require_part(connection, part_number, "part_number")
        key = create_numbered(connection, catalog, revisions, number, part_key=part.key)
        write_metadata(connection, revision_metadata, key, labels)
        made = require_revision(connection, part.key, number, "number")
    return Identified(id=made.id)


@get(
    "/parts/{part_number:str}/revisions/{revision_number:str}",
    sync_to_thread=True,
    responses=PROBLEMS,
)
def get_revision(
    part_number: FromPath[str],
    revision_number: FromPath[str],
    request: Request[Any, Any, Any],
) -> RevisionDetails:
    """Give one revision of a part, with those of its units that may be seen."""
    door = Door.of(request)
    principal = door.caller(request)
    with door.store.reading() as connection:
        part = require_part(connection, part_number, "part_number")
        row = require_revision(connection, part.key, revision_number, "revision_number")
        found = connection.execute(
            sa.select(units.c.id, units.c.serial_number)
            .where(units.c.revision_key == row.key, *may_see(connection, principal))
            .order_by(units.c.key.desc())
        ).all()
        labels = read_metadata(connection, revision_metadata, [row.key])[row.key]
        user, station = made_by(connection, row)
    return RevisionDetails(
        id=row.id,
        number=row.number,
        created_at=iso_from_micros(row.created_at),
        created_by_user=user,
        created_by_station=station,
        part=PartReference(
            id=part.id, number=part.number, name=part.name or part.number
        ),
        units=[LinkedUnit(id=id_, serial_number=number) for id_, number in found],
        metadata=labels,
    )


@patch(
    "/parts/{part_number:str}/revisions/{revision_number:str}",
    sync_to_thread=True,
    responses=PROBLEMS,
)
def update_revision(
    part_number: FromPath[str],
    revision_number: FromPath[str],
    data: JSONBody[UpdateRevision],
    request: Request[Any, Any, Any],
) -> Identified:
    """Change the number or the metadata of a revision; stations may, too."""
    door = Door.of(request)
    principal = door.caller(request)
    labels = known(data.metadata) or {}
    new = _trimmed(data.number)
    _checked({"number": new}, None, labels)
    with door.store.writing(principal) as (connection, _):
        part = require_part(connection, part_number, "part_number")
        row = require_revision(connection, part.key, revision_number, "revision_number")
        if new is not None:
            renumber(connection, revisions, row, new, "number")
        merge_metadata(connection, revision_metadata, row.key, labels)
    return Identified(id=row.id)


@delete(
    "/parts/{part_number:str}/revisions/{revision_number:str}",
    status_code=200,
    sync_to_thread=True,
    responses=PROBLEMS,
)
def delete_revision(
    part_number: FromPath[str],
    revision_number: FromPath[str],
    request: Request[Any, Any, Any],
) -> Identified:
    """Delete a revision that no unit and no run is of."""
    door = Door.of(request)
    principal = door.caller(request)
    require_user(principal, "delete revisions")
    with door.store.writing(principal) as (connection, _):
        part = require_part(connection, part_number, "part_number")
        row = require_revision(connection, part.key, revision_number, "revision_number")
        delete_numbered(connection, revisions, row, "revision_key")
    return Identified(id=row.id)


HANDLERS: tuple[HTTPRouteHandler, ...] = (
    create_part,
    list_parts,
    get_part,
    update_part,
    delete_part,
    create_revision,
    get_revision,
    update_revision,
    delete_revision,
)
"""The handlers, relative to ``/api/v2``."""
