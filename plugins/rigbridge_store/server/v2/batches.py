"""The v2 calls about batches."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import attrs
import sqlalchemy as sa
from litestar import Request, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody

from rigbridge.wire import Identified
from rigbridge_store.access.permissions import require_user
from rigbridge_store.fields import MAX_NUMBER, FieldChecks
from rigbridge_store.reading.conditions import (
    Condition,
    id_in,
    moment_between,
    text_contained,
    text_in,
)
from rigbridge_store.reading.lists.catalog import (
    create_numbered,
    find_batches,
    renumber,
    require_batch,
)
from rigbridge_store.reading.lists.paging import Paging
from rigbridge_store.reading.lists.units import units_of_batch
from rigbridge_store.refusals import invalid
from rigbridge_store.server.bodies import PROBLEMS
from rigbridge_store.server.door import Door
from rigbridge_store.server.queries import parameter, query, utc
from rigbridge_store.server.v2.catalog_bodies import (
    BatchDetails,
    BatchList,
    BatchSummary,
    BatchUnit,
    CreateBatch,
    UpdateBatch,
)
from rigbridge_store.server.v2.creators import made_by
from rigbridge_store.server.v2.run_answers import Deleted2, Meta
from rigbridge_store.server.v2.showing import show_part
from rigbridge_store.server.v2.units import may_see
from rigbridge_store.tables.schema import batches, parts, revisions, runs, units
from rigbridge_store.tables.values import iso_from_micros

__all__ = ["HANDLERS"]

_EPOCH = "1970-01-01T00:00:00Z"


@attrs.frozen(kw_only=True)
class BatchQuery:
    """The parameters of ``GET /v2/batches``."""

    ids: list[str] | None = None
    numbers: list[str] | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    limit: int = parameter(50, ge=1, le=100)
    cursor: int | None = parameter(ge=0, le=2**53)
    search_query: str | None = parameter(description="Within the number.")
    part_numbers: list[str] | None = None
    revision_numbers: list[str] | None = None
    sort_by: Literal["number", "created_at"] = "created_at"
    sort_order: Literal["asc", "desc"] = "desc"

    @property
    def conditions(self) -> list[Condition]:
        """What is demanded of the batches."""
        held = [
            *text_in(parts.c.number_key, self.part_numbers),
            *text_in(revisions.c.number_key, self.revision_numbers),
        ]
        holding = (
            sa.select(units.c.key)
            .select_from(
                units.outerjoin(parts, units.c.part_key == parts.c.key).outerjoin(
                    revisions, units.c.revision_key == revisions.c.key
                )
            )
            .where(units.c.batch_key == batches.c.key, *held)
            .correlate(batches)
        )
        return [
            *id_in(batches.c.id, self.ids),
            *text_in(batches.c.number_key, self.numbers),
            *moment_between(
                batches.c.created_at, utc(self.created_after), utc(self.created_before)
            ),
            *text_contained(self.search_query, batches.c.number_key),
            *([holding.exists()] if held else []),
        ]


def _require_number(number: str, path: str) -> None:
    checks = FieldChecks()
    checks.filled(number, path)
    checks.bounded(number, path, limit=MAX_NUMBER)
    checks.tag(number, path)
    if checks.issues:
        raise invalid(checks.issues)


@post("/batches", status_code=200, sync_to_thread=True, responses=PROBLEMS)
def create_batch(
    data: JSONBody[CreateBatch], request: Request[Any, Any, Any]
) -> Identified:
    """Create an empty batch; its number must be free. Stations may, too."""
    door = Door.of(request)
    principal = door.caller(request)
    _require_number(data.number, "number")
    with door.store.writing(principal) as (connection, catalog):
        create_numbered(connection, catalog, batches, data.number)
        return Identified(id=require_batch(connection, data.number).id)


@get(
    "/batches",
    dependencies={"wanted": query(BatchQuery)},
    sync_to_thread=True,
    responses=PROBLEMS,
)
def list_batches(
    wanted: NamedDependency[BatchQuery], request: Request[Any, Any, Any]
) -> BatchList:
    """List batches by filters."""
    door = Door.of(request)
    door.caller(request)
    with door.store.reading() as connection:
        page = find_batches(
            connection,
            wanted.conditions,
            Paging(limit=wanted.limit, cursor=wanted.cursor),
            by=wanted.sort_by,
            order=wanted.sort_order,
        )
        makers = {row.key: made_by(connection, row) for row in page.rows}
    more = page.next_cursor is not None
    return BatchList(
        data=[
            BatchSummary(
                id=row.id,
                number=row.number,
                created_at=iso_from_micros(row.created_at) or _EPOCH,
                unit_count=row.unit_count,
                created_by_user=makers[row.key][0],
                created_by_station=makers[row.key][1],
            )
            for row in page.rows
        ],
        meta=Meta(has_more=more, next_cursor=page.next_cursor),
    )


@get("/batches/{number:str}", sync_to_thread=True, responses=PROBLEMS)
def get_batch(number: FromPath[str], request: Request[Any, Any, Any]) -> BatchDetails:
    """Give one batch, with those of its units that may be seen."""
    door = Door.of(request)
    principal = door.caller(request)
    with door.store.reading() as connection:
        row = require_batch(connection, number)
        found = units_of_batch(connection, row.key, may_see(connection, principal))
        user, station = made_by(connection, row)
    return BatchDetails(
        id=row.id,
        number=row.number,
        created_at=iso_from_micros(row.created_at) or _EPOCH,
        units=[
            BatchUnit(
                id=unit.id,
                serial_number=unit.serial_number,
                created_at=iso_from_micros(unit.created_at) or _EPOCH,
                part=show_part(unit),
            )
            for unit in found
        ],
        created_by_user=user,
        created_by_station=station,
    )


@patch("/batches/{number:str}", sync_to_thread=True, responses=PROBLEMS)
def update_batch(
    number: FromPath[str], data: JSONBody[UpdateBatch], request: Request[Any, Any, Any]
) -> Identified:
    """Give a batch another number."""
    door = Door.of(request)
    principal = door.caller(request)
    require_user(principal, "change batches")
    _require_number(data.new_number, "new_number")
    with door.store.writing(principal) as (connection, _):
        row = require_batch(connection, number)
        renumber(connection, batches, row, data.new_number, "new_number")
    return Identified(id=row.id)


@delete(
    "/batches/{number:str}", status_code=200, sync_to_thread=True, responses=PROBLEMS
)
def delete_batch(number: FromPath[str], request: Request[Any, Any, Any]) -> Deleted2:
    """Delete a batch; its units and runs stay, of no batch."""
    door = Door.of(request)
    principal = door.caller(request)
    require_user(principal, "delete batches")
    with door.store.writing(principal) as (connection, _):
        row = require_batch(connection, number)
        for table in (units, runs):
            connection.execute(
                table.update()
                .where(table.c.batch_key == row.key)
                .values(batch_key=None)
            )
        connection.execute(batches.delete().where(batches.c.key == row.key))
    return Deleted2(id=[row.id])


HANDLERS: tuple[HTTPRouteHandler, ...] = (
    create_batch,
    list_batches,
    get_batch,
    update_batch,
    delete_batch,
)
"""The handlers, relative to ``/api/v2``."""
