"""The v2 calls about procedures and their versions."""

from __future__ import annotations

from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from rigbridge.wire import Identified
from rigbridge_store.fields import FieldChecks, known
from rigbridge_store.intake import changes
from rigbridge_store.intake.changes import PROCEDURE, VERSION
from rigbridge_store.reading.details import Row
from rigbridge_store.reading.lists import procedures as lists
from rigbridge_store.server.calls import FromCall, delete, get, patch, post
from rigbridge_store.server.v2.bodies import procedures as bodies
from rigbridge_store.server.v2.bodies.shared import (
    LinkedStation,
    LinkedUnit,
    Named,
    Page,
    Person,
)
from rigbridge_store.server.v2.checks import require_valid
from rigbridge_store.server.v2.showing import (
    NOTHING,
    from_row,
    from_row_or_none,
    made_by,
    page_of,
)
from rigbridge_store.tables.values import iso_from_micros

__all__: list[str] = []

_RECENT = 10


@post("/procedures")
def create(data: JSONBody[bodies.CreateProcedure], call: FromCall) -> Identified:
    """Create a procedure; others may have the same name."""
    require_valid(name=data.name)
    name = data.name.strip()
    with call.store.writing(call.principal) as (connection, catalog):
        _, public = changes.create(connection, catalog, PROCEDURE, name)
    return Identified(id=public)


@get("/procedures", query=lists.ProcedureQuery)
def list_procedures(
    wanted: NamedDependency[lists.ProcedureQuery], call: FromCall
) -> Page[bodies.ListedProcedure2]:
    """List procedures, the newest first; a station sees those it is linked to."""
    with call.store.reading() as connection:
        page = lists.find_procedures(connection, wanted, call.principal)
        newest = lists.last_runs_of(connection, page.keys)
    return page_of(
        page,
        lambda row: from_row(
            bodies.ListedProcedure2,
            row,
            # A list demands a creator, also of what a run brought along.
            created_by_user=bodies.Creator(
                id=row.creator_id or NOTHING,
                name=row.creator_name,
                email=row.creator_email or "",
            ),
            runs=[_recent(newest[row.key])] if row.key in newest else [],
        ),
    )


@get("/procedures/{procedure_id:str}")
def get_procedure(
    procedure_id: FromPath[str], call: FromCall
) -> bodies.ProcedureDetails:
    """Give one procedure, by its id or identifier."""
    with call.store.reading() as connection:
        row = lists.require_procedure(connection, procedure_id, call.principal)
        recent = lists.newest_runs(connection, row.key, _RECENT)
        linked = lists.stations_of(connection, row.key)
        count = lists.run_count(connection, row.key)
    return from_row(
        bodies.ProcedureDetails,
        row,
        created_by_user=from_row_or_none(Person, row, "creator_"),
        runs_count=count,
        recent_runs=[_recent(run) for run in recent],
        stations=[from_row(LinkedStation, item) for item in linked],
    )


def _recent(run: Row) -> bodies.RecentRun:
    return from_row(bodies.RecentRun, run, unit=from_row(LinkedUnit, run, "unit_"))


@patch("/procedures/{procedure_id:str}")
def update_procedure(
    procedure_id: FromPath[str], data: JSONBody[bodies.UpdateProcedure], call: FromCall
) -> Identified:
    """Rename a procedure; its deployment settings do not exist here."""
    name = known(data.name)
    require_valid(name=name)
    with call.store.writing(call.principal) as (connection, _):
        row = lists.require_procedure(connection, procedure_id)
        if name is not None:
            changes.rename(connection, PROCEDURE, row, name.strip())
    return Identified(id=row.id)


@delete("/procedures/{procedure_id:str}")
def delete_procedure(procedure_id: FromPath[str], call: FromCall) -> Identified:
    """Delete a procedure with all of its runs, for good."""
    with call.store.reading() as connection:
        row = lists.require_procedure(connection, procedure_id)
    return Identified(id=call.store.administration.delete_procedure(row.id).id)


@post("/procedures/{procedure_id:str}/versions")
def create_version(
    procedure_id: FromPath[str], data: JSONBody[bodies.CreateVersion], call: FromCall
) -> Identified:
    """Create a version of a procedure; its tag must be free."""
    checks = FieldChecks()
    checks.filled(data.tag, "tag")
    checks.version(data.tag, "tag")
    checks.refuse_any()
    with call.store.writing(call.principal) as (connection, catalog):
        row = lists.require_procedure(connection, procedure_id)
        _, public = changes.create(
            connection, catalog, VERSION, data.tag, procedure_key=row.key
        )
    return Identified(id=public)


@get("/procedures/{procedure_id:str}/versions/{tag:str}")
def get_version(
    procedure_id: FromPath[str], tag: FromPath[str], call: FromCall
) -> bodies.VersionDetails:
    """Give one version of a procedure; the case of its tag does not matter."""
    with call.store.reading() as connection:
        row = lists.require_procedure(connection, procedure_id, call.principal)
        version = lists.find_version(connection, row.key, tag)
    return from_row(
        bodies.VersionDetails,
        version,
        created_at=iso_from_micros(version.created_at or row.created_at),
        procedure=from_row(Named, row),
        **made_by(version, Person),
    )


@delete("/procedures/{procedure_id:str}/versions/{tag:str}")
def remove_version(
    procedure_id: FromPath[str], tag: FromPath[str], call: FromCall
) -> Identified:
    """Delete a version that no run names."""
    with call.store.writing(call.principal) as (connection, _):
        row = lists.require_procedure(connection, procedure_id)
        version = lists.find_version(connection, row.key, tag)
        changes.delete(connection, VERSION, version, "tag")
    return Identified(id=version.id)
