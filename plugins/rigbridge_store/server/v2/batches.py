"""The v2 calls about batches."""

from __future__ import annotations

from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from rigbridge.wire import Identified
from rigbridge_store.fields import MAX_NUMBER, FieldChecks
from rigbridge_store.intake import changes
from rigbridge_store.intake.changes import BATCH
from rigbridge_store.reading.lists.catalog import (
    BatchQuery,
    find_batches,
    require_batch,
)
from rigbridge_store.reading.lists.units import units_of_batch
from rigbridge_store.server.calls import FromCall, delete, get, patch, post
from rigbridge_store.server.v2.bodies import catalog as bodies
from rigbridge_store.server.v2.bodies.shared import Deleted2
from rigbridge_store.server.v2.showing import from_row, made_by, meta_of, show_part

__all__: list[str] = []


def _require_number(number: str, path: str) -> None:
    checks = FieldChecks()
    checks.filled(number, path)
    checks.bounded(number, path, limit=MAX_NUMBER)
    checks.tag(number, path)
    checks.refuse_any()


@post("/batches")
def create_batch(data: JSONBody[bodies.CreateBatch], call: FromCall) -> Identified:
    """Create an empty batch; its number must be free. Stations may, too."""
    _require_number(data.number, "number")
    with call.store.writing(call.principal) as (connection, catalog):
        _, public = changes.create_numbered(connection, catalog, BATCH, data.number)
    return Identified(id=public)


@get("/batches", query=BatchQuery)
def list_batches(
    wanted: NamedDependency[BatchQuery], call: FromCall
) -> bodies.BatchList:
    """List batches by filters."""
    with call.store.reading() as connection:
        page = find_batches(connection, wanted)
    data = [from_row(bodies.BatchSummary, row, **made_by(row)) for row in page.rows]
    return bodies.BatchList(data=data, meta=meta_of(page))


@get("/batches/{number:str}")
def get_batch(number: FromPath[str], call: FromCall) -> bodies.BatchDetails:
    """Give one batch, with those of its units that may be seen."""
    with call.store.reading() as connection:
        row = require_batch(connection, number)
        found = units_of_batch(connection, row.key, call.principal)
    units = [from_row(bodies.BatchUnit, unit, part=show_part(unit)) for unit in found]
    return from_row(bodies.BatchDetails, row, units=units, **made_by(row))


@patch("/batches/{number:str}", users_only="change batches")
def update_batch(
    number: FromPath[str], data: JSONBody[bodies.UpdateBatch], call: FromCall
) -> Identified:
    """Give a batch another number."""
    _require_number(data.new_number, "new_number")
    with call.store.writing(call.principal) as (connection, _):
        row = require_batch(connection, number)
        changes.renumber(connection, BATCH, row, data.new_number, "new_number")
    return Identified(id=row.id)


@delete("/batches/{number:str}", users_only="delete batches")
def delete_batch(number: FromPath[str], call: FromCall) -> Deleted2:
    """Delete a batch; its units and runs stay, of no batch."""
    with call.store.writing(call.principal) as (connection, _):
        row = require_batch(connection, number)
        changes.delete_batch(connection, row.key)
    return Deleted2(id=[row.id])
