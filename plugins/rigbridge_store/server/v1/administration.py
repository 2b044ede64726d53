"""The calls of those who look after a store: deletions, stations, procedures (ours)."""

from __future__ import annotations

import attrs
from litestar.params import FromPath, JSONBody

from rigbridge.destinations.administration import (
    DeletionPlan,
    ProcedureRecord,
    StationLink,
    StationRecord,
)
from rigbridge_store.server.calls import FromCall, delete, get, post

__all__: list[str] = []


@attrs.frozen(kw_only=True)
class LinkedNames:
    """A station and a procedure, each by name or id."""

    station: str
    procedure: str


@attrs.frozen(kw_only=True)
class NewLink(LinkedNames):
    """The same; with ``create`` a new name creates the procedure."""

    create: bool = True


@get("/runs/{run_id:str}/deletion")
def plan_deletion(run_id: FromPath[str], call: FromCall) -> DeletionPlan:
    """Tell what deleting a run would take."""
    return call.store.administration.plan_deletion(run_id)


@get("/stations")
def list_stations(call: FromCall) -> list[StationRecord]:
    """List the stations in use, by name."""
    return call.store.administration.list_stations()


@post("/stations/link")
def link_station(data: JSONBody[NewLink], call: FromCall) -> StationLink:
    """Let a station use a procedure."""
    return call.store.administration.link_station(
        data.station, data.procedure, create=data.create
    )


@post("/stations/unlink")
def unlink_station(data: JSONBody[LinkedNames], call: FromCall) -> StationLink:
    """Take a procedure from a station."""
    return call.store.administration.unlink_station(data.station, data.procedure)


@get("/procedures")
def list_procedures(call: FromCall) -> list[ProcedureRecord]:
    """List the procedures by name; a station sees those it is linked to."""
    return call.store.administration.list_procedures(call.principal)


@delete("/procedures/{procedure_id:str}")
def delete_procedure(procedure_id: FromPath[str], call: FromCall) -> ProcedureRecord:
    """Delete a procedure, by name or id, with all of its runs, for good."""
    return call.store.administration.delete_procedure(procedure_id)
