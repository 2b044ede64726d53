"""The calls about runs and units."""

from __future__ import annotations

from typing import Annotated

import attrs
from litestar.params import FromPath, FromQuery, HeaderParameter, JSONBody

from rigbridge.wire import CreateRun, Identified, ListedRun, UpdateRun, UpdateUnit
from rigbridge_store.fields import known
from rigbridge_store.refusals import not_found
from rigbridge_store.server.bodies import CreatedRun, Told
from rigbridge_store.server.calls import FromCall, delete, get, patch, post, put

__all__: list[str] = []

_IDEMPOTENCY_KEY = HeaderParameter(
    name="Idempotency-Key",
    description="The same key is answered with the same run; a UUID becomes its id.",
)


@post("/runs")
def create_run(
    data: JSONBody[CreateRun],
    call: FromCall,
    idempotency_key: Annotated[str | None, _IDEMPOTENCY_KEY] = None,
) -> CreatedRun:
    """Create a run of a procedure, and its unit where that is new."""
    created = call.store.create_run(
        data,
        principal=call.principal,
        idempotency_key=idempotency_key,
        policy=call.door.settings.policy,
        consume=True,
    )
    return CreatedRun(id=created.id, url=call.page_url(created.id))


@get("/runs")
def list_runs(
    call: FromCall, serial_number: FromQuery[str | None] = None
) -> list[ListedRun]:
    """List all runs of one unit, newest first; the case of its number is ignored."""
    return call.store.list_runs(serial_number or "", principal=call.principal)


@get("/runs/{run_id:str}")
def show_run(run_id: FromPath[str], call: FromCall) -> ListedRun:
    """Give one run, with what our superset holds of it."""
    return call.store.show_run(run_id, principal=call.principal)


@put("/runs/{run_id:str}")
def update_run(
    run_id: FromPath[str], data: JSONBody[UpdateRun], call: FromCall
) -> Identified:
    """Link completed uploads to a run."""
    linked = call.store.link_uploads(
        run_id, known(data.attachments) or (), principal=call.principal
    )
    return Identified(id=linked)


@delete("/runs/{run_id:str}")
def delete_run(run_id: FromPath[str], call: FromCall) -> Told:
    """Delete a run."""
    call.store.delete_run(run_id, principal=call.principal)
    return Told(message=f"Run {run_id} deleted")


@delete("/units/{serial_number:str}")
def delete_unit(serial_number: FromPath[str], call: FromCall) -> Told:
    """Delete a unit that has no runs."""
    call.store.delete_units([serial_number], principal=call.principal)
    return Told(message=f"Unit {serial_number} deleted")


_UNWATCHED = (
    "Tests cannot be watched while they run: this store has no operator page. The run "
    "is stored when the test has ended."
)


@get("/streaming")
def show_streaming(call: FromCall) -> Told:
    """Tell clients of 1.11 to 2.14 that no test can be watched while it runs."""
    del call
    # They try again and again after anything but a refusal.
    raise not_found(_UNWATCHED)


@get("/rooms")
def show_rooms(call: FromCall) -> Told:
    """Tell clients of 1.6 to 1.10 that no test can be watched while it runs."""
    del call
    return Told(message=_UNWATCHED)


@patch("/units/{serial_number:str}")
def update_unit(
    serial_number: FromPath[str], data: JSONBody[UpdateUnit], call: FromCall
) -> Identified:
    """Say which units are built into a unit."""
    unit = call.store.update_unit(
        serial_number, known(data.sub_units), principal=call.principal
    )
    return Identified(id=unit)


@attrs.frozen(kw_only=True)
class UpdateNamedUnit(UpdateUnit):
    """``PATCH /v1/units``, which clients before 1.8 send: the unit is in the body."""

    serial_number: str


@patch("/units")
def update_named_unit(data: JSONBody[UpdateNamedUnit], call: FromCall) -> Identified:
    """Say which units are built into a unit, as clients before 1.8 do."""
    unit = call.store.update_unit(
        data.serial_number, known(data.sub_units), principal=call.principal
    )
    return Identified(id=unit)
