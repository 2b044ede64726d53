"""The v2 calls about runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

import attrs
import msgspec
import sqlalchemy as sa
from litestar import Request, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter

from rigbridge.convert import dump
from rigbridge.model import JSONScalar
from rigbridge.wire import Identified, InitializeUpload
from rigbridge_store.access.permissions import (
    require_access,
    require_user,
    visible_procedures,
)
from rigbridge_store.fields import FieldChecks, known, text_or_none
from rigbridge_store.files.stored_files import require_run
from rigbridge_store.files.uploads import Target
from rigbridge_store.intake.catalog import find_procedure
from rigbridge_store.intake.creation import RunSlot
from rigbridge_store.intake.metadata import merge_metadata, read_metadata, searchable
from rigbridge_store.reading.lists.paging import Paging
from rigbridge_store.reading.lists.runs import RunFilter, find_run, find_runs
from rigbridge_store.reading.one_run import read_run, read_sidecar
from rigbridge_store.refusals import FieldIssue, invalid, not_found
from rigbridge_store.server.bodies import PROBLEMS
from rigbridge_store.server.door import Door
from rigbridge_store.server.links import origin_of
from rigbridge_store.server.queries import parameter, query, utc
from rigbridge_store.server.v2.creating import check_metadata, run_of
from rigbridge_store.server.v2.file_bodies import UploadGrant2
from rigbridge_store.server.v2.run_answers import (
    Deleted2,
    Meta,
    RunDetails,
    RunList,
    RunSummary,
)
from rigbridge_store.server.v2.run_bodies import (
    ChangeMetadata,
    CreateRun2,
    NameFile,
    Outcome,
    UpdateRun2,
)
from rigbridge_store.server.v2.showing import (
    show_attachments,
    show_log,
    show_phase,
    show_sequences,
    summary,
)
from rigbridge_store.server.v2.sub_units import show_sub_units
from rigbridge_store.tables.schema import run_documents, run_metadata
from rigbridge_store.tables.values import canonical_uuid

__all__ = ["HANDLERS"]

Sample = Literal["golden", "failing", "ignored"]


@attrs.frozen(kw_only=True)
class RunQuery:
    """The parameters of ``GET /v2/runs``."""

    search_query: str | None = parameter(
        description="Within serial, part or batch number, procedure name or id."
    )
    ids: list[str] | None = None
    outcomes: list[Outcome] | None = None
    procedure_ids: list[str] | None = None
    procedure_versions: list[str] | None = None
    deployment_ids: list[str] | None = parameter(
        description="This store knows no deployments: any id matches nothing."
    )
    execution_ids: list[str] | None = None
    slot_keys: list[str] | None = None
    slot_names: list[str] | None = None
    environments: list[Literal["production", "preview", "development"]] | None = (
        parameter(description="Runs here are of no deployment: matches nothing.")
    )
    serial_numbers: list[str] | None = None
    samples: list[Sample] | None = None
    part_numbers: list[str] | None = None
    revision_numbers: list[str] | None = None
    batch_numbers: list[str] | None = None
    duration_min: str | None = parameter(description="An ISO 8601 duration.")
    duration_max: str | None = parameter(description="An ISO 8601 duration.")
    started_after: datetime | None = None
    started_before: datetime | None = None
    ended_after: datetime | None = None
    ended_before: datetime | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    created_by_user_ids: list[str] | None = None
    created_by_station_ids: list[str] | None = None
    operated_by_ids: list[str] | None = None
    operated_by_names: list[str] | None = None
    limit: int = parameter(50, ge=1, le=100)
    cursor: int | None = parameter(ge=0, le=2**53)
    sort_by: Literal[
        "started_at",
        "created_at",
        "duration",
        "outcome",
        "serial_number",
        "part_number",
        "revision_number",
    ] = "started_at"
    sort_order: Literal["asc", "desc"] = "desc"
    metadata: str | None = parameter(
        description='JSON: demands by name, `{"line": {"in": ["A"]}}`.'
    )
    include_metadata: bool = False
    include_sequences: bool = False

    @property
    def filter(self) -> RunFilter:
        """What is demanded of the runs."""
        names = [field.name for field in attrs.fields(RunFilter)]
        wanted: dict[str, Any] = {name: getattr(self, name) for name in names}
        moments = [name for name in names if name.endswith(("_after", "_before"))]
        wanted.update((name, utc(wanted[name])) for name in moments)
        return RunFilter(**wanted)

    @property
    def paging(self) -> Paging:
        """Which page is wanted."""
        return Paging(limit=self.limit, cursor=self.cursor)


@post("/runs", status_code=200, sync_to_thread=True, responses=PROBLEMS)
def create_run(
    data: JSONBody[CreateRun2], request: Request[Any, Any, Any]
) -> Identified:
    """Create a run, and its unit, part, revision, batch and version where new."""
    door = Door.of(request)
    principal = door.caller(request)
    run = run_of(data)
    _require_reference(door, data.procedure_id)
    deployment = text_or_none(data.deployment_id)
    if deployment is not None:
        raise not_found(
            f"Deployment with ID {deployment} does not exist.",
            FieldIssue("deployment_id", "does not exist"),
        )
    payload = dump(run)
    execution = text_or_none(data.execution_id)
    created = door.store.create_run(
        attrs.evolve(
            payload.body,
            operated_by=data.operated_by,
            rigbridge=payload.sidecar,
            client="tofupilot.v2",
        ),
        principal=principal,
        idempotency_key=str(run.id),
        policy=attrs.evolve(
            door.settings.policy, declared_operators=True, default_revision=True
        ),
        # A reference that comes again is a repeated request, whatever it holds.
        lenient=True,
        metadata=searchable(run.metadata),
        unit_metadata=known(data.unit_metadata),
        slot=(
            None
            if execution is None
            else RunSlot(
                execution_id=execution,
                slot_key=text_or_none(data.slot_key),
                slot_name=text_or_none(data.slot_name),
            )
        ),
    )
    return Identified(id=created.id)


def _require_reference(door: Door, procedure_id: str) -> None:
    """Check that a procedure is named by a UUID, or by an identifier that is one's."""
    if canonical_uuid(procedure_id) is not None:
        return
    with door.store.reading() as connection:
        if find_procedure(connection, procedure_id) is None:
            words = "is no valid UUID, and no procedure has it as its identifier"
            raise invalid([FieldIssue("procedure_id", words)])


@get(
    "/runs",
    dependencies={"wanted": query(RunQuery)},
    sync_to_thread=True,
    responses=PROBLEMS,
)
def list_runs(
    wanted: NamedDependency[RunQuery], request: Request[Any, Any, Any]
) -> RunList:
    """List runs that have ended, by filters."""
    door = Door.of(request)
    principal = door.caller(request)
    if wanted.deployment_ids is not None or wanted.environments is not None:
        return RunList(data=[], meta=Meta(has_more=False, next_cursor=None))
    with door.store.reading() as connection:
        page = find_runs(
            connection,
            wanted.filter,
            wanted.paging,
            allowed=visible_procedures(connection, principal),
            by=wanted.sort_by,
            order=wanted.sort_order,
        )
        keys = [row.key for row in page.rows]
        labels: Mapping[int, Any] = {}
        if wanted.include_metadata:
            labels = read_metadata(connection, run_metadata, keys)
        calls: Mapping[int, Any] = {}
        if wanted.include_sequences:
            calls = {
                row.key: show_sequences(
                    read_run(connection, door.store.contents, row.id).run.metadata,
                    row.id,
                    nested=False,
                )
                for row in page.rows
            }
        data = [_summary(row, labels, calls) for row in page.rows]
    more = page.next_cursor is not None
    return RunList(data=data, meta=Meta(has_more=more, next_cursor=page.next_cursor))


def _summary(
    row: Any, labels: Mapping[int, Any], calls: Mapping[int, Any]
) -> RunSummary:
    more: dict[str, Any] = {}
    if row.key in labels:
        more["metadata"] = labels[row.key]
    if row.key in calls:
        more["sequences"] = calls[row.key]
    return summary(row, **more)


@delete("/runs", status_code=200, sync_to_thread=True, responses=PROBLEMS)
def delete_runs(
    ids: Annotated[list[str], QueryParameter(min_items=1, max_items=1000)],
    request: Request[Any, Any, Any],
) -> Deleted2:
    """Delete runs for good; answers which of them there were."""
    door = Door.of(request)
    principal = door.caller(request)
    require_user(principal, "delete runs")
    with door.store.reading() as connection:
        found = [
            row.id for text in ids if (row := find_run(connection, text)) is not None
        ]
    if not found:
        raise not_found(
            f"Run with ID {ids[0]} does not exist.", FieldIssue("ids", "do not exist")
        )
    for run_id in dict.fromkeys(found):
        door.store.delete_run(run_id, principal=principal)
    return Deleted2(id=list(dict.fromkeys(found)))


@get("/runs/{run_id:str}", sync_to_thread=True, responses=PROBLEMS)
def get_run(run_id: FromPath[str], request: Request[Any, Any, Any]) -> RunDetails:
    """Give one run with its phases, measurements, logs, files and metadata."""
    door = Door.of(request)
    principal = door.caller(request)
    with door.store.reading() as connection:
        row = find_run(connection, run_id)
        if row is None:
            raise not_found(f"Run with ID {run_id} does not exist.")
        require_access(connection, principal, row.procedure_key)
        stored = read_run(connection, door.store.contents, row.id)
        run = stored.run
        labels = read_metadata(connection, run_metadata, [row.key])
        sub_units = show_sub_units(
            connection, [item.serial_number for item in run.sub_units]
        )
    origin = origin_of(request)
    details = summary(
        row,
        kind=RunDetails,
        metadata=labels[row.key],
        sequences=show_sequences(run.metadata, row.id, nested=True),
        phases=[
            show_phase(phase, index, row.id, run)
            for index, phase in enumerate(run.phases)
        ],
        attachments=show_attachments(
            stored.files, lambda public: origin + door.links.path(public)
        ),
        logs=[
            show_log(entry, index, row.id, run) for index, entry in enumerate(run.logs)
        ],
        sub_units=sub_units,
    )
    assert isinstance(details, RunDetails)  # noqa: S101 - what kind says
    return details


@patch("/runs/{run_id:str}", sync_to_thread=True, responses=PROBLEMS)
def update_run(
    run_id: FromPath[str], data: JSONBody[UpdateRun2], request: Request[Any, Any, Any]
) -> Identified:
    """Link uploaded files to a run."""
    door = Door.of(request)
    linked = door.store.link_uploads(
        run_id, known(data.attachments) or (), principal=door.caller(request)
    )
    return Identified(id=linked)


@post(
    "/runs/{run_id:str}/attachments",
    status_code=200,
    sync_to_thread=True,
    responses=PROBLEMS,
)
def create_attachment(
    run_id: FromPath[str], data: JSONBody[NameFile], request: Request[Any, Any, Any]
) -> UploadGrant2:
    """Grant the upload of a file that belongs to the run as soon as it is there."""
    door = Door.of(request)
    principal = door.caller(request)

    def target(connection: sa.Connection) -> Target:
        key, procedure = require_run(connection, run_id)
        require_access(connection, principal, procedure)
        return Target(run=key)

    ticket = door.store.uploads.initialize(
        InitializeUpload(name=data.name), target=target
    )
    return UploadGrant2.of(ticket, origin_of(request))


@patch("/runs/{run_id:str}/metadata", sync_to_thread=True, responses=PROBLEMS)
def update_metadata(
    run_id: FromPath[str],
    data: JSONBody[ChangeMetadata],
    request: Request[Any, Any, Any],
) -> Identified:
    """Change custom metadata of a run; null takes a name away, others stay."""
    door = Door.of(request)
    principal = door.caller(request)
    changes = known(data.metadata) or {}
    checks = FieldChecks()
    check_metadata(changes, "metadata", checks)
    if checks.issues:
        raise invalid(checks.issues)
    with door.store.writing(principal) as (connection, _):
        key, procedure = require_run(connection, run_id)
        require_access(connection, principal, procedure)
        merge_metadata(connection, run_metadata, key, changes)
        _tell_sidecar(connection, key, run_id.lower(), changes)
    return Identified(id=run_id.lower())


def _tell_sidecar(
    connection: sa.Connection,
    key: int,
    run_id: str,
    changes: Mapping[str, JSONScalar],
) -> None:
    """Change the metadata of the whole run as well, as exports and pages read it."""
    stored = read_sidecar(connection, key)
    sidecar: dict[str, Any] = stored or {
        "rigbridge": 1,
        "run_id": run_id,
        "overlay": None,
        "attachments": [],
    }
    sidecar.pop("report", None)
    overlay = sidecar.get("overlay") or {"~": {}}
    node = overlay["~"].setdefault("metadata", {"~": {}})
    for name, value in changes.items():
        node["~"].pop(name, None)
        if value is not None:
            node["~"][name] = {"=": value}
    document = msgspec.json.encode({**sidecar, "overlay": overlay}).decode()
    if stored is None:
        connection.execute(
            run_documents.insert(), {"run_key": key, "sidecar": document}
        )
    else:
        connection.execute(
            run_documents.update().where(run_documents.c.run_key == key),
            {"sidecar": document},
        )


HANDLERS: tuple[HTTPRouteHandler, ...] = (
    create_run,
    list_runs,
    delete_runs,
    get_run,
    update_run,
    create_attachment,
    update_metadata,
)
"""The handlers, relative to ``/api/v2``."""
