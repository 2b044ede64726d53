"""The v2 calls that read units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import attrs
import sqlalchemy as sa
from litestar import Request, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from rigbridge_store.access.permissions import visible_procedures
from rigbridge_store.access.principals import Principal
from rigbridge_store.intake.metadata import read_metadata
from rigbridge_store.reading.conditions import Condition
from rigbridge_store.reading.lists.paging import Paging
from rigbridge_store.reading.lists.units import (
    UnitFilter,
    children_of,
    files_of_unit,
    find_units,
    first_run,
    last_runs,
    parents_of,
    require_unit,
    seen_by,
)
from rigbridge_store.server.bodies import PROBLEMS
from rigbridge_store.server.door import Door
from rigbridge_store.server.links import origin_of
from rigbridge_store.server.queries import parameter, query, utc
from rigbridge_store.server.v2.procedure_bodies import ProcedureReference
from rigbridge_store.server.v2.run_answers import (
    Meta,
    Sample,
    ShownBatch,
    ShownRevision,
)
from rigbridge_store.server.v2.run_bodies import Outcome
from rigbridge_store.server.v2.showing import show_part, station
from rigbridge_store.server.v2.unit_bodies import (
    CreatedDuring,
    LastRun,
    LinkedUnit,
    Maker,
    RelatedPart,
    RelatedUnit,
    UnitDetails,
    UnitFile,
    UnitList,
    UnitSummary,
)
from rigbridge_store.tables.schema import unit_metadata
from rigbridge_store.tables.values import iso_from_micros, iso_from_span

__all__ = ["HANDLERS", "may_see"]


@attrs.frozen(kw_only=True)
class UnitQuery:
    """The parameters of ``GET /v2/units``."""

    search_query: str | None = parameter(
        description="Within serial, part or batch number."
    )
    ids: list[str] | None = None
    serial_numbers: list[str] | None = None
    part_numbers: list[str] | None = None
    revision_numbers: list[str] | None = None
    batch_numbers: list[str] | None = None
    procedure_ids: list[str] | None = None
    outcomes: list[Outcome] | None = None
    started_after: datetime | None = None
    started_before: datetime | None = None
    latest_only: bool = parameter(
        default=False, description="Demand it of the newest run, not of any."
    )
    run_count_min: int | None = parameter(ge=0, le=2**53)
    run_count_max: int | None = parameter(ge=0, le=2**53)
    created_after: datetime | None = None
    created_before: datetime | None = None
    created_by_user_ids: list[str] | None = None
    created_by_station_ids: list[str] | None = None
    exclude_units_with_parent: bool = False
    samples: list[Sample] | None = None
    limit: int = parameter(50, ge=1, le=100)
    cursor: int | None = parameter(ge=0, le=2**53)
    sort_by: Literal[
        "serial_number",
        "created_at",
        "last_run_at",
        "part_number",
        "last_run_procedure",
    ] = "created_at"
    sort_order: Literal["asc", "desc"] = "desc"
    metadata: str | None = parameter(
        description='JSON: demands by name, `{"line": {"in": ["A"]}}`.'
    )
    include_metadata: bool = False

    @property
    def filter(self) -> UnitFilter:
        """What is demanded of the units."""
        names = [field.name for field in attrs.fields(UnitFilter)]
        wanted: dict[str, Any] = {name: getattr(self, name) for name in names}
        moments = [name for name in names if name.endswith(("_after", "_before"))]
        wanted.update((name, utc(wanted[name])) for name in moments)
        return UnitFilter(**wanted)


def may_see(connection: sa.Connection, principal: Principal) -> list[Condition]:
    """Give the conditions of the units that somebody may see."""
    allowed = visible_procedures(connection, principal)
    return seen_by(allowed, principal.key if principal.is_station else None)


@get(
    "/units",
    dependencies={"wanted": query(UnitQuery)},
    sync_to_thread=True,
    responses=PROBLEMS,
)
def list_units(
    wanted: NamedDependency[UnitQuery], request: Request[Any, Any, Any]
) -> UnitList:
    """List units by filters; a station sees those of its procedures and its own."""
    door = Door.of(request)
    principal = door.caller(request)
    with door.store.reading() as connection:
        page = find_units(
            connection,
            wanted.filter,
            Paging(limit=wanted.limit, cursor=wanted.cursor),
            seen=may_see(connection, principal),
            by=wanted.sort_by,
            order=wanted.sort_order,
        )
        keys = [row.key for row in page.rows]
        children = children_of(connection, keys)
        parents = parents_of(connection, keys)
        newest = last_runs(connection, keys)
        labels: Mapping[int, Any] = {}
        if wanted.include_metadata:
            labels = read_metadata(connection, unit_metadata, keys)
    more = page.next_cursor is not None
    return UnitList(
        data=[_summary(row, children, parents, newest, labels) for row in page.rows],
        meta=Meta(has_more=more, next_cursor=page.next_cursor),
    )


def _maker(row: Any) -> Maker | None:
    if row.creator_id is None:
        return None
    return Maker(id=row.creator_id, name=row.creator_name)


def _batch(row: Any) -> ShownBatch | None:
    if row.batch_id is None:
        return None
    return ShownBatch(id=row.batch_id, number=row.batch_number)


def _linked(rows: Sequence[Any]) -> list[LinkedUnit]:
    return [LinkedUnit(id=row.id, serial_number=row.serial_number) for row in rows]


def _summary(
    row: Any,
    children: Mapping[int, Sequence[Any]],
    parents: Mapping[int, Sequence[Any]],
    newest: Mapping[int, Any],
    labels: Mapping[int, Any],
) -> UnitSummary:
    more = {"metadata": labels[row.key]} if row.key in labels else {}
    run = newest.get(row.key)
    return UnitSummary(
        id=row.id,
        serial_number=row.serial_number,
        created_at=iso_from_micros(row.created_at) or "",
        sample=row.sample,
        children=_linked(children[row.key]),
        part=show_part(row),
        created_by_user=_maker(row),
        created_by_station=station(row),
        batch=_batch(row),
        parent=next(iter(_linked(parents[row.key])), None),
        last_run=None if run is None else _last_run(run),
        **more,
    )


def _last_run(run: Any) -> LastRun:
    return LastRun(
        id=run.id,
        outcome=run.outcome,
        started_at=iso_from_micros(run.started_at or run.created_at) or "",
        ended_at=iso_from_micros(run.ended_at),
        procedure=ProcedureReference(id=run.procedure_id, name=run.procedure_name),
    )


@get("/units/{serial_number:str}", sync_to_thread=True, responses=PROBLEMS)
def get_unit(
    serial_number: FromPath[str], request: Request[Any, Any, Any]
) -> UnitDetails:
    """Give one unit; the case of its serial number does not matter."""
    door = Door.of(request)
    principal = door.caller(request)
    with door.store.reading() as connection:
        row = require_unit(connection, serial_number, may_see(connection, principal))
        children = children_of(connection, [row.key])[row.key]
        parents = parents_of(connection, [row.key])[row.key]
        files = files_of_unit(connection, row.key)
        run = first_run(connection, row.key) if row.by_run else None
        labels = read_metadata(connection, unit_metadata, [row.key])
    origin = origin_of(request)
    return UnitDetails(
        id=row.id,
        serial_number=row.serial_number,
        created_at=iso_from_micros(row.created_at) or "",
        sample=row.sample,
        part=show_part(row),
        parent=None if not parents else _related(parents[0]),
        created_by_user=_maker(row),
        created_by_station=station(row),
        batch=_batch(row),
        children=[_related(child) for child in children],
        created_during=None if run is None else _created_during(run),
        attachments=[
            UnitFile(
                id=file.id,
                name=file.name,
                size=file.size,
                content_type=file.mime_type,
                download_url=origin + door.links.path(file.id),
            )
            for file in files
        ],
        metadata=labels[row.key],
    )


def _related(row: Any) -> RelatedUnit:
    if row.part_id is None:
        return RelatedUnit(id=row.id, serial_number=row.serial_number, part=None)
    revision = (
        None
        if row.revision_id is None
        else ShownRevision(id=row.revision_id, number=row.revision_number)
    )
    part = RelatedPart(
        id=row.part_id,
        number=row.part_number,
        name=row.part_name or row.part_number,
        revision=revision,
    )
    return RelatedUnit(id=row.id, serial_number=row.serial_number, part=part)


def _created_during(run: Any) -> CreatedDuring:
    started = run.started_at if run.started_at is not None else run.created_at
    ended = run.ended_at if run.ended_at is not None else started
    return CreatedDuring(
        id=run.id,
        created_at=iso_from_micros(run.created_at) or "",
        started_at=iso_from_micros(started) or "",
        ended_at=iso_from_micros(ended) or "",
        duration=iso_from_span(run.duration or 0),
        outcome=run.outcome,
        procedure=ProcedureReference(id=run.procedure_id, name=run.procedure_name),
    )


HANDLERS: tuple[HTTPRouteHandler, ...] = (list_units, get_unit)
"""The handlers, relative to ``/api/v2``."""
