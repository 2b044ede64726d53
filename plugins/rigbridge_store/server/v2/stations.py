"""The v2 calls about stations, users and the caller."""

from __future__ import annotations

from typing import Any

from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import UNSET

from rigbridge.wire import Identified
from rigbridge_store.access.permissions import link_station_to
from rigbridge_store.fields import known, text_or_none
from rigbridge_store.intake import changes
from rigbridge_store.intake.changes import STATION
from rigbridge_store.intake.metadata import (
    merge_metadata,
    read_metadata,
    write_metadata,
)
from rigbridge_store.reading.details import Row
from rigbridge_store.reading.lists import procedures as lists
from rigbridge_store.refusals import forbidden
from rigbridge_store.server.calls import FromCall, delete, get, patch, post
from rigbridge_store.server.v2.bodies import procedures as bodies
from rigbridge_store.server.v2.bodies.shared import (
    LinkedProcedure,
    LinkedStation,
    Named,
    Page,
)
from rigbridge_store.server.v2.checks import require_valid
from rigbridge_store.server.v2.showing import NOTHING, from_row, page_of

__all__: list[str] = []

# v2 clients demand an organization, which a store does not know.
_ORGANIZATION = bodies.Organization(id=NOTHING, slug="rigbridge", name="rigbridge")


@post("/stations")
def create(data: JSONBody[bodies.CreateStation], call: FromCall) -> Identified:
    """Create a station, and link it to a procedure; a key is made at the store."""
    labels = known(data.metadata) or {}
    require_valid(name=data.name, metadata=labels)
    procedure = text_or_none(data.procedure_id)
    name = data.name.strip()
    with call.store.writing(call.principal) as (connection, catalog):
        key, public = changes.create(connection, catalog, STATION, name)
        write_metadata(connection, "station", key, labels)
        if procedure is not None:
            found = lists.require_procedure(connection, procedure)
            link_station_to(connection, key, found.key)
    return Identified(id=public)


@get("/stations", query=lists.StationQuery)
def list_stations(
    wanted: NamedDependency[lists.StationQuery], call: FromCall
) -> Page[bodies.StationSummary]:
    """List stations by name."""
    with call.store.reading() as connection:
        page = lists.find_stations(connection, wanted)
        linked = lists.procedures_of(connection, page.keys)
        labels = read_metadata(
            connection, "station", page.keys if wanted.include_metadata else ()
        )
    return page_of(
        page,
        lambda row: from_row(
            bodies.StationSummary,
            row,
            procedures=[from_row(LinkedProcedure, item) for item in linked[row.key]],
            procedures_count=len(linked[row.key]),
            metadata=labels.get(row.key, UNSET),
        ),
    )


def _details(connection: Any, row: Row) -> bodies.StationDetails:
    linked = lists.procedures_of(connection, [row.key])[row.key]
    return from_row(
        bodies.StationDetails,
        row,
        api_key=lists.key_prefix(connection, row.key),
        procedures=[from_row(bodies.StationProcedure, item) for item in linked],
        organization_slug=_ORGANIZATION.slug,
        metadata=read_metadata(connection, "station", [row.key])[row.key],
    )


@get("/stations/current")
def current_station(call: FromCall) -> bodies.StationDetails:
    """Give the station that calls."""
    if not call.principal.is_station:
        raise forbidden("The key is that of a user, not of a station.")
    with call.store.reading() as connection:
        return _details(
            connection, lists.require_station(connection, call.principal.id)
        )


@get("/stations/{station_id:str}")
def get_station(station_id: FromPath[str], call: FromCall) -> bodies.StationDetails:
    """Give one station; a station may see itself."""
    with call.store.reading() as connection:
        row = lists.require_station(connection, station_id, call.principal)
        return _details(connection, row)


@patch("/stations/{station_id:str}")
def update_station(
    station_id: FromPath[str], data: JSONBody[bodies.UpdateStation], call: FromCall
) -> LinkedStation:
    """Change the name or the metadata of a station."""
    labels = known(data.metadata) or {}
    name = known(data.name)
    require_valid(name=name, metadata=labels)
    with call.store.writing(call.principal) as (connection, _):
        row = lists.require_station(connection, station_id)
        if name is not None:
            changes.rename(connection, STATION, row, name.strip())
        merge_metadata(connection, "station", row.key, labels)
    return LinkedStation(id=row.id, name=row.name if name is None else name.strip())


@delete("/stations/{station_id:str}")
def remove(station_id: FromPath[str], call: FromCall) -> Identified:
    """Take a station out of use: its keys are revoked, what it made stays."""
    with call.store.writing(call.principal) as (connection, _):
        row = lists.require_station(connection, station_id)
        changes.remove_station(connection, row.key)
    return Identified(id=row.id)


@get("/users")
def list_users(
    call: FromCall, current: FromQuery[bool | None] = None
) -> list[bodies.UserAccount]:
    """List the users by name, or only the caller; a station sees none."""
    caller = call.principal
    if caller.is_station:
        return []
    with call.store.reading() as connection:
        found = (
            [lists.one_user(connection, caller.key)]
            if current
            else lists.all_users(connection)
        )
    return [from_row(bodies.UserAccount, row) for row in found]


@get("/users/current")
def current_user(call: FromCall) -> bodies.UserAccount:
    """Give the user who calls; stations are refused."""
    if call.principal.is_station:
        raise forbidden("The key is that of a station, not of a user.")
    with call.store.reading() as connection:
        return from_row(
            bodies.UserAccount, lists.one_user(connection, call.principal.key)
        )


@get("/whoami")
def whoami(call: FromCall) -> bodies.Caller:
    """Tell whose key this is."""
    caller = call.principal
    if caller.is_station:
        station = Named(id=caller.id, name=caller.name)
        return bodies.Caller(
            type="station", station=station, user=None, organization=_ORGANIZATION
        )
    with call.store.reading() as connection:
        user = from_row(bodies.KeyOwner, lists.one_user(connection, caller.key))
    return bodies.Caller(
        type="user", station=None, user=user, organization=_ORGANIZATION
    )
