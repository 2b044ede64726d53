"""The v2 calls about stations, users and the caller."""

from __future__ import annotations

from typing import Any

import attrs
import sqlalchemy as sa
from litestar import Request, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody

from rigbridge.wire import Identified
from rigbridge_store.access.permissions import link_station_to, require_user
from rigbridge_store.fields import FieldChecks, known, text_or_none
from rigbridge_store.intake.metadata import (
    merge_metadata,
    read_metadata,
    write_metadata,
)
from rigbridge_store.reading.conditions import metadata_matches, text_contained
from rigbridge_store.reading.lists.paging import Paging
from rigbridge_store.reading.lists.procedures import require_procedure
from rigbridge_store.reading.lists.stations import (
    create_station,
    find_stations,
    key_prefix,
    linked_to,
    procedures_of,
    remove_station,
    rename_station,
    require_station,
)
from rigbridge_store.refusals import forbidden, invalid
from rigbridge_store.server.bodies import PROBLEMS
from rigbridge_store.server.door import Door
from rigbridge_store.server.queries import parameter, query
from rigbridge_store.server.v2.creating import check_metadata
from rigbridge_store.server.v2.people_bodies import (
    Account,
    Caller,
    ChangedStation,
    CreateStation,
    Organization,
    StationDetails,
    StationList,
    StationProcedure,
    StationSummary,
    UpdateStation,
    UserAccount,
)
from rigbridge_store.server.v2.procedure_bodies import ProcedureReference
from rigbridge_store.server.v2.run_answers import Meta, Station
from rigbridge_store.server.v2.showing import NOTHING
from rigbridge_store.tables.schema import station_metadata, stations, users
from rigbridge_store.tables.values import now_micros

__all__ = ["HANDLERS"]

_ORGANIZATION = Organization(id=NOTHING, slug="rigbridge", name="rigbridge")


@attrs.frozen(kw_only=True)
class StationQuery:
    """The parameters of ``GET /v2/stations``."""

    limit: int = parameter(50, ge=1, le=100)
    cursor: int | None = parameter(ge=0, le=2**53)
    search_query: str | None = parameter(description="Within the name.")
    procedure_ids: list[str] | None = None
    metadata: str | None = parameter(description="JSON: demands by name.")
    include_metadata: bool = False


def _checked(name: str | None, labels: dict[str, Any]) -> None:
    checks = FieldChecks()
    if name is not None:
        checks.filled(name, "name")
    checks.bounded(name, "name")
    check_metadata(labels, "metadata", checks)
    if checks.issues:
        raise invalid(checks.issues)


@post("/stations", status_code=200, sync_to_thread=True, responses=PROBLEMS)
def create(
    data: JSONBody[CreateStation], request: Request[Any, Any, Any]
) -> Identified:
    """Create a station, and link it to a procedure; a key is made at the store."""
    door = Door.of(request)
    principal = door.caller(request)
    require_user(principal, "create stations")
    labels = known(data.metadata) or {}
    _checked(data.name, labels)
    procedure = text_or_none(data.procedure_id)
    with door.store.writing(principal) as (connection, catalog):
        row = create_station(connection, catalog, data.name.strip())
        write_metadata(connection, station_metadata, row.key, labels)
        if procedure is not None:
            found = require_procedure(connection, procedure)
            link_station_to(connection, row.key, found.key)
    return Identified(id=row.id)


@get(
    "/stations",
    dependencies={"wanted": query(StationQuery)},
    sync_to_thread=True,
    responses=PROBLEMS,
)
def list_stations(
    wanted: NamedDependency[StationQuery], request: Request[Any, Any, Any]
) -> StationList:
    """List stations by name."""
    door = Door.of(request)
    require_user(door.caller(request), "list stations")
    with door.store.reading() as connection:
        page = find_stations(
            connection,
            [
                *text_contained(wanted.search_query, stations.c.name_key),
                *linked_to(wanted.procedure_ids),
                *metadata_matches(stations.c.key, station_metadata, wanted.metadata),
            ],
            Paging(limit=wanted.limit, cursor=wanted.cursor),
        )
        keys = [row.key for row in page.rows]
        linked = procedures_of(connection, keys)
        labels: dict[int, Any] = {}
        if wanted.include_metadata:
            labels = read_metadata(connection, station_metadata, keys)
    more = page.next_cursor is not None
    return StationList(
        data=[
            StationSummary(
                id=row.id,
                name=row.name,
                procedures=[
                    ProcedureReference(id=item.id, name=item.name)
                    for item in linked[row.key]
                ],
                procedures_count=len(linked[row.key]),
                **({"metadata": labels[row.key]} if row.key in labels else {}),
            )
            for row in page.rows
        ],
        meta=Meta(has_more=more, next_cursor=page.next_cursor),
    )


def _details(connection: sa.Connection, row: Any) -> StationDetails:
    return StationDetails(
        id=row.id,
        name=row.name,
        api_key=key_prefix(connection, row.key),
        procedures=[
            StationProcedure(id=item.id, name=item.name, runs_count=item.runs_count)
            for item in procedures_of(connection, [row.key])[row.key]
        ],
        organization_slug=_ORGANIZATION.slug,
        metadata=read_metadata(connection, station_metadata, [row.key])[row.key],
    )


@get("/stations/current", sync_to_thread=True, responses=PROBLEMS)
def current_station(request: Request[Any, Any, Any]) -> StationDetails:
    """Give the station that calls."""
    door = Door.of(request)
    principal = door.caller(request)
    if not principal.is_station:
        raise forbidden("The key is that of a user, not of a station.")
    with door.store.reading() as connection:
        return _details(connection, require_station(connection, principal.id))


@get("/stations/{station_id:str}", sync_to_thread=True, responses=PROBLEMS)
def get_station(
    station_id: FromPath[str], request: Request[Any, Any, Any]
) -> StationDetails:
    """Give one station; a station may see itself."""
    door = Door.of(request)
    principal = door.caller(request)
    with door.store.reading() as connection:
        row = require_station(connection, station_id)
        if principal.id != row.id:
            require_user(principal, "see other stations")
        return _details(connection, row)


@patch("/stations/{station_id:str}", sync_to_thread=True, responses=PROBLEMS)
def update_station(
    station_id: FromPath[str],
    data: JSONBody[UpdateStation],
    request: Request[Any, Any, Any],
) -> ChangedStation:
    """Change the name or the metadata of a station."""
    door = Door.of(request)
    principal = door.caller(request)
    require_user(principal, "change stations")
    labels = known(data.metadata) or {}
    name = known(data.name)
    _checked(name, labels)
    with door.store.writing(principal) as (connection, _):
        row = require_station(connection, station_id)
        if name is not None:
            rename_station(connection, row.key, name.strip())
        merge_metadata(connection, station_metadata, row.key, labels)
        row = require_station(connection, station_id)
    return ChangedStation(id=row.id, name=row.name)


@delete(
    "/stations/{station_id:str}",
    status_code=200,
    sync_to_thread=True,
    responses=PROBLEMS,
)
def remove(station_id: FromPath[str], request: Request[Any, Any, Any]) -> Identified:
    """Take a station out of use: its keys are revoked, what it made stays."""
    door = Door.of(request)
    principal = door.caller(request)
    require_user(principal, "remove stations")
    with door.store.writing(principal) as (connection, _):
        row = require_station(connection, station_id)
        remove_station(connection, row.key, now_micros())
    return Identified(id=row.id)


@get("/users", sync_to_thread=True, responses=PROBLEMS)
def list_users(request: Request[Any, Any, Any]) -> list[UserAccount]:
    """List the users by name."""
    door = Door.of(request)
    require_user(door.caller(request), "list users")
    with door.store.reading() as connection:
        rows = connection.execute(
            sa.select(users.c.id, users.c.email, users.c.name).order_by(
                users.c.name_key
            )
        ).all()
    return [
        UserAccount(id=id_, email=email or "", name=name) for id_, email, name in rows
    ]


def _account(connection: sa.Connection, key: int) -> Any:
    return connection.execute(
        sa.select(users.c.id, users.c.email, users.c.name).where(users.c.key == key)
    ).one()


@get("/users/current", sync_to_thread=True, responses=PROBLEMS)
def current_user(request: Request[Any, Any, Any]) -> UserAccount:
    """Give the user who calls."""
    door = Door.of(request)
    principal = door.caller(request)
    require_user(principal, "have a user account")
    with door.store.reading() as connection:
        row = _account(connection, principal.key)
    return UserAccount(id=row.id, email=row.email or "", name=row.name)


@get("/whoami", sync_to_thread=True, responses=PROBLEMS)
def whoami(request: Request[Any, Any, Any]) -> Caller:
    """Tell whose key this is."""
    door = Door.of(request)
    principal = door.caller(request)
    if principal.is_station:
        return Caller(
            type="station",
            station=Station(id=principal.id, name=principal.name),
            user=None,
            organization=_ORGANIZATION,
        )
    with door.store.reading() as connection:
        row = _account(connection, principal.key)
    return Caller(
        type="user",
        station=None,
        user=Account(id=row.id, email=row.email or "", name=row.name),
        organization=_ORGANIZATION,
    )


HANDLERS: tuple[HTTPRouteHandler, ...] = (
    create,
    list_stations,
    current_station,
    get_station,
    update_station,
    remove,
    list_users,
    current_user,
    whoami,
)
"""The handlers, relative to ``/api/v2``."""
