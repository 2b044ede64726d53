"""The calls about runs and units."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, delete, get, patch, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, HeaderParameter, JSONBody

from rigbridge.wire import CreateRun, Identified, ListedRun, UpdateRun
from rigbridge_store.fields import known
from rigbridge_store.server.bodies import PROBLEMS, Deleted, UpdateUnit
from rigbridge_store.server.door import Door

__all__ = ["HANDLERS"]

_IDEMPOTENCY_KEY = HeaderParameter(
    name="Idempotency-Key",
    description="The same key is answered with the same run; a UUID becomes its id.",
)


@post("/runs", status_code=200, sync_to_thread=True, responses=PROBLEMS)
def create_run(
    data: JSONBody[CreateRun],
    request: Request[Any, Any, Any],
    idempotency_key: Annotated[str | None, _IDEMPOTENCY_KEY] = None,
) -> Identified:
    """Create a run of a procedure, and its unit where that is new."""
    door = Door.of(request)
    created = door.store.create_run(
        data,
        principal=door.caller(request),
        idempotency_key=idempotency_key,
        policy=door.settings.policy,
    )
    return Identified(id=created.id)


@get("/runs", sync_to_thread=True, responses=PROBLEMS)
def list_runs(
    request: Request[Any, Any, Any], serial_number: FromQuery[str | None] = None
) -> list[ListedRun]:
    """List all runs of one unit, newest first; the case of its number is ignored."""
    door = Door.of(request)
    return door.store.list_runs(serial_number or "", principal=door.caller(request))


@get("/runs/{run_id:str}", sync_to_thread=True, responses=PROBLEMS)
def show_run(run_id: FromPath[str], request: Request[Any, Any, Any]) -> ListedRun:
    """Give one run, with what our superset holds of it."""
    door = Door.of(request)
    return door.store.show_run(run_id, principal=door.caller(request))


@put("/runs/{run_id:str}", sync_to_thread=True, responses=PROBLEMS)
def update_run(
    run_id: FromPath[str], data: JSONBody[UpdateRun], request: Request[Any, Any, Any]
) -> Identified:
    """Link completed uploads to a run."""
    door = Door.of(request)
    linked = door.store.link_uploads(
        run_id, known(data.attachments) or (), principal=door.caller(request)
    )
    return Identified(id=linked)


@delete("/runs/{run_id:str}", status_code=200, sync_to_thread=True, responses=PROBLEMS)
def delete_run(run_id: FromPath[str], request: Request[Any, Any, Any]) -> Deleted:
    """Delete a run."""
    door = Door.of(request)
    door.store.delete_run(run_id, principal=door.caller(request))
    return Deleted(message=f"Run {run_id} deleted")


@patch("/units/{serial_number:str}", sync_to_thread=True, responses=PROBLEMS)
def update_unit(
    serial_number: FromPath[str],
    data: JSONBody[UpdateUnit],
    request: Request[Any, Any, Any],
) -> Identified:
    """Say which units are built into a unit."""
    door = Door.of(request)
    unit = door.store.update_unit(
        serial_number, known(data.sub_units), principal=door.caller(request)
    )
    return Identified(id=unit)


HANDLERS: tuple[HTTPRouteHandler, ...] = (
    create_run,
    list_runs,
    show_run,
    update_run,
    delete_run,
    update_unit,
)
"""The handlers, relative to ``/api/v1``."""
