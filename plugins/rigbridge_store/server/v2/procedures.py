"""The v2 calls about procedures and their versions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa
from litestar import Request, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody

from rigbridge.wire import Identified
from rigbridge_store.access.permissions import (
    require_access,
    require_user,
    visible_procedures,
)
from rigbridge_store.fields import FieldChecks, known
from rigbridge_store.reading.lists.paging import Paging
from rigbridge_store.reading.lists.procedures import (
    create_procedure,
    delete_version,
    find_procedures,
    find_version,
    newest_runs,
    rename_procedure,
    require_procedure,
    run_count,
    stations_of,
)
from rigbridge_store.refusals import FieldIssue, conflict, invalid
from rigbridge_store.server.bodies import PROBLEMS
from rigbridge_store.server.door import Door
from rigbridge_store.server.queries import parameter, query, utc
from rigbridge_store.server.v2.creators import creators_of
from rigbridge_store.server.v2.procedure_bodies import (
    CreateProcedure,
    CreateVersion,
    Creator,
    ListedProcedure2,
    ProcedureDetails,
    ProcedureList,
    ProcedureReference,
    RecentRun,
    RecentUnit,
    UpdateProcedure,
    VersionDetails,
)
from rigbridge_store.server.v2.run_answers import Meta, Station
from rigbridge_store.server.v2.showing import NOTHING, person
from rigbridge_store.tables.schema import procedure_versions, procedures, runs
from rigbridge_store.tables.values import folded, iso_from_micros

__all__ = ["HANDLERS"]

_RECENT = 10


@attrs.frozen(kw_only=True)
class ProcedureQuery:
    """The parameters of ``GET /v2/procedures``."""

    limit: int = parameter(50, ge=1, le=100)
    # Clients write this one with a fraction, 50.0.
    cursor: float | None = parameter(ge=0, le=2**53)
    search_query: str | None = parameter(description="Within the name.")
    created_after: datetime | None = None
    created_before: datetime | None = None


@post("/procedures", status_code=200, sync_to_thread=True, responses=PROBLEMS)
def create(
    data: JSONBody[CreateProcedure], request: Request[Any, Any, Any]
) -> Identified:
    """Create a procedure; others may have the same name."""
    door = Door.of(request)
    principal = door.caller(request)
    require_user(principal, "create procedures")
    _require_name(data.name)
    with door.store.writing(principal) as (connection, catalog):
        return Identified(id=create_procedure(connection, catalog, data.name.strip()))


def _require_name(name: str) -> None:
    checks = FieldChecks()
    checks.filled(name, "name")
    checks.bounded(name, "name")
    if checks.issues:
        raise invalid(checks.issues)


@get(
    "/procedures",
    dependencies={"wanted": query(ProcedureQuery)},
    sync_to_thread=True,
    responses=PROBLEMS,
)
def list_procedures(
    wanted: NamedDependency[ProcedureQuery], request: Request[Any, Any, Any]
) -> ProcedureList:
    """List procedures, the newest first; a station sees those it is linked to."""
    door = Door.of(request)
    principal = door.caller(request)
    cursor = None if wanted.cursor is None else int(wanted.cursor)
    with door.store.reading() as connection:
        page = find_procedures(
            connection,
            Paging(limit=wanted.limit, cursor=cursor),
            allowed=visible_procedures(connection, principal),
            text=wanted.search_query,
            after=utc(wanted.created_after),
            before=utc(wanted.created_before),
        )
    more = page.next_cursor is not None
    return ProcedureList(
        data=[
            ListedProcedure2(
                id=row.id,
                name=row.name,
                created_at=iso_from_micros(row.created_at) or "",
                created_by_user=Creator(
                    id=row.creator_id or NOTHING,
                    name=row.creator_name,
                    email=row.creator_email or "",
                ),
            )
            for row in page.rows
        ],
        meta=Meta(has_more=more, next_cursor=page.next_cursor),
    )


@get("/procedures/{procedure_id:str}", sync_to_thread=True, responses=PROBLEMS)
def get_procedure(
    procedure_id: FromPath[str], request: Request[Any, Any, Any]
) -> ProcedureDetails:
    """Give one procedure, by its id or identifier."""
    door = Door.of(request)
    principal = door.caller(request)
    with door.store.reading() as connection:
        row = require_procedure(connection, procedure_id)
        require_access(connection, principal, row.key)
        recent = newest_runs(connection, row.key, _RECENT)
        linked = stations_of(connection, row.key)
        count = run_count(connection, row.key)
    return ProcedureDetails(
        id=row.id,
        name=row.name,
        created_at=iso_from_micros(row.created_at) or "",
        created_by_user=person(row, "creator"),
        runs_count=count,
        recent_runs=[
            RecentRun(
                id=run.id,
                started_at=iso_from_micros(run.started_at or run.created_at) or "",
                outcome=run.outcome,
                unit=RecentUnit(serial_number=run.serial_number),
            )
            for run in recent
        ],
        stations=[Station(id=item.id, name=item.name) for item in linked],
    )


@patch("/procedures/{procedure_id:str}", sync_to_thread=True, responses=PROBLEMS)
def update_procedure(
    procedure_id: FromPath[str],
    data: JSONBody[UpdateProcedure],
    request: Request[Any, Any, Any],
) -> Identified:
    """Rename a procedure; its deployment settings do not exist here."""
    door = Door.of(request)
    principal = door.caller(request)
    require_user(principal, "change procedures")
    name = known(data.name)
    if name is not None:
        _require_name(name)
    with door.store.writing(principal) as (connection, _):
        row = require_procedure(connection, procedure_id)
        if name is not None:
            rename_procedure(connection, row.key, name.strip())
    return Identified(id=row.id)


@delete(
    "/procedures/{procedure_id:str}",
    status_code=200,
    sync_to_thread=True,
    responses=PROBLEMS,
)
def delete_procedure(
    procedure_id: FromPath[str], request: Request[Any, Any, Any]
) -> Identified:
    """Delete a procedure with all of its runs, for good."""
    door = Door.of(request)
    principal = door.caller(request)
    require_user(principal, "delete procedures")
    with door.store.reading() as connection:
        row = require_procedure(connection, procedure_id)
        ids = connection.execute(
            sa.select(runs.c.id).where(runs.c.procedure_key == row.key)
        ).scalars()
        waiting = list(ids)
    for run_id in waiting:
        door.store.delete_run(run_id, principal=principal)
    with door.store.writing(principal) as (connection, _):
        connection.execute(
            procedure_versions.delete().where(
                procedure_versions.c.procedure_key == row.key
            )
        )
        connection.execute(procedures.delete().where(procedures.c.key == row.key))
    return Identified(id=row.id)


@post(
    "/procedures/{procedure_id:str}/versions",
    status_code=200,
    sync_to_thread=True,
    responses=PROBLEMS,
)
def create_version(
    procedure_id: FromPath[str],
    data: JSONBody[CreateVersion],
    request: Request[Any, Any, Any],
) -> Identified:
    """Create a version of a procedure; its tag must be free."""
    door = Door.of(request)
    principal = door.caller(request)
    require_user(principal, "create versions")
    checks = FieldChecks()
    checks.filled(data.tag, "tag")
    checks.version(data.tag, "tag")
    if checks.issues:
        raise invalid(checks.issues)
    with door.store.writing(principal) as (connection, catalog):
        row = require_procedure(connection, procedure_id)
        taken = sa.select(procedure_versions.c.key).where(
            procedure_versions.c.procedure_key == row.key,
            procedure_versions.c.tag_key == folded(data.tag),
        )
        if connection.execute(taken).first() is not None:
            raise conflict(
                f"Version {data.tag} of the procedure already exists.",
                FieldIssue("tag", "is taken"),
            )
        catalog.version(row.key, data.tag)
        return Identified(id=find_version(connection, row.key, data.tag).id)


@get(
    "/procedures/{procedure_id:str}/versions/{tag:str}",
    sync_to_thread=True,
    responses=PROBLEMS,
)
def get_version(
    procedure_id: FromPath[str], tag: FromPath[str], request: Request[Any, Any, Any]
) -> VersionDetails:
    """Give one version of a procedure; the case of its tag does not matter."""
    door = Door.of(request)
    principal = door.caller(request)
    with door.store.reading() as connection:
        row = require_procedure(connection, procedure_id)
        require_access(connection, principal, row.key)
        version = find_version(connection, row.key, tag)
        count = connection.execute(
            sa.select(sa.func.count()).where(runs.c.version_key == version.key)
        ).scalar_one()
        user, station = creators_of(connection, version)
    return VersionDetails(
        id=version.id,
        tag=version.tag,
        created_at=iso_from_micros(version.created_at or row.created_at) or "",
        procedure=ProcedureReference(id=row.id, name=row.name),
        run_count=count,
        created_by_user=user,
        created_by_station=station,
    )


@delete(
    "/procedures/{procedure_id:str}/versions/{tag:str}",
    status_code=200,
    sync_to_thread=True,
    responses=PROBLEMS,
)
def remove_version(
    procedure_id: FromPath[str], tag: FromPath[str], request: Request[Any, Any, Any]
) -> Identified:
    """Delete a version that no run names."""
    door = Door.of(request)
    principal = door.caller(request)
    require_user(principal, "delete versions")
    with door.store.writing(principal) as (connection, _):
        row = require_procedure(connection, procedure_id)
        version = find_version(connection, row.key, tag)
        delete_version(connection, version.key)
    return Identified(id=version.id)


HANDLERS: tuple[HTTPRouteHandler, ...] = (
    create,
    list_procedures,
    get_procedure,
    update_procedure,
    delete_procedure,
    create_version,
    get_version,
    remove_version,
)
"""The handlers, relative to ``/api/v2``."""
