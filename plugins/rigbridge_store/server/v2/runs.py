"""The v2 calls about runs."""

from __future__ import annotations

import attrs
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET

from rigbridge.convert import dump
from rigbridge.wire import Identified
from rigbridge_store.fields import known, text_or_none
from rigbridge_store.files.stored_files import require_run
from rigbridge_store.intake.catalog import find_procedure
from rigbridge_store.intake.changes import change_run_metadata
from rigbridge_store.intake.creation import RunSlot
from rigbridge_store.intake.metadata import read_metadata
from rigbridge_store.intake.policies import Repetition
from rigbridge_store.intake.preparation import searchable
from rigbridge_store.reading.lists import runs as lists
from rigbridge_store.reading.lists.attributes import SidecarReader
from rigbridge_store.reading.lists.units import units_of_serials
from rigbridge_store.reading.one_run import read_run
from rigbridge_store.refusals import FieldIssue, invalid, not_found
from rigbridge_store.server.calls import (
    ApiCall,
    FromCall,
    Ids,
    delete,
    get,
    patch,
    post,
)
from rigbridge_store.server.v2.bodies import sent_runs as sent
from rigbridge_store.server.v2.bodies import shown_runs as shown
from rigbridge_store.server.v2.bodies.files import UploadGrant2
from rigbridge_store.server.v2.bodies.shared import Deleted2, NameFile, Page
from rigbridge_store.server.v2.checks import require_valid
from rigbridge_store.server.v2.creating import run_of
from rigbridge_store.server.v2.files import grant_upload
from rigbridge_store.server.v2.showing import (
    from_row,
    page_of,
    show_attachments,
    show_log,
    show_phase,
    show_run,
    show_sequences,
    show_used_values,
)
from rigbridge_store.tables.values import canonical_uuid

__all__: list[str] = []


@post("/runs")
def create_run(data: JSONBody[sent.CreateRun2], call: FromCall) -> Identified:
    """Create a run, and its unit, part, revision, batch and version where new."""
    run = run_of(data)
    _require_reference(call, data.procedure_id)
    deployment = text_or_none(data.deployment_id)
    # This store deploys nothing, so that any id is unknown.
    if deployment is not None:
        raise not_found(
            f"Deployment with ID {deployment} does not exist.",
            FieldIssue("deployment_id", "does not exist"),
        )
    # Stored by way of v1, so that every door reads the same run.
    payload = dump(run)
    execution = text_or_none(data.execution_id)
    created = call.store.create_run(
        attrs.evolve(
            payload.body,
            operated_by=data.operated_by,
            rigbridge=payload.sidecar,
            client="tofupilot.v2",
        ),
        principal=call.principal,
        # The id follows from client_run_ref, so a repeated request has the same key.
        idempotency_key=str(run.id),
        policy=attrs.evolve(
            # v2 names operators without accounts, and no unit without a revision.
            call.door.settings.policy,
            declared_operators=True,
            default_revision=True,
        ),
        # A reference that comes again is a repeated request, whatever it holds; but a
        # counter of another station, or of another unit, is no repetition.
        repetition=Repetition.OF_ONE_TEST,
        # The metadata is kept in rows as well, by which lists are filtered.
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


def _require_reference(call: ApiCall, procedure_id: str) -> None:
    """Check that a procedure is named by a UUID, or by an identifier that is one's."""
    # A station is told alike of what it may not use and of what there is not.
    if canonical_uuid(procedure_id) is not None or call.principal.is_restricted:
        return
    with call.store.reading() as connection:
        if find_procedure(connection, procedure_id) is None:
            words = "is no valid UUID, and no procedure has it as its identifier"
            raise invalid([FieldIssue("procedure_id", words)])


@get("/runs", query=lists.RunQuery)
def list_runs(
    wanted: NamedDependency[lists.RunQuery], call: FromCall
) -> Page[shown.RunSummary]:
    """List runs that have ended, by filters."""
    with call.store.reading() as connection:
        page = lists.find_runs(connection, wanted, call.principal)
        # Only what was asked for is read.
        labels = read_metadata(
            connection, "run", page.keys if wanted.include_metadata else ()
        )
        sidecars = SidecarReader(
            connection, page.keys if wanted.include_sequences else ()
        )
    return page_of(
        page,
        lambda row: show_run(
            shown.RunSummary,
            row,
            metadata=labels.get(row.key, UNSET),
            sequences=(
                show_sequences(sidecars.run_metadata(row.key), row.id, nested=False)
                if wanted.include_sequences
                else UNSET
            ),
        ),
    )


@delete("/runs")
def delete_runs(ids: Ids, call: FromCall) -> Deleted2:
    """Delete runs for good; answers which of them there were."""
    with call.store.reading() as connection:
        found = lists.run_ids(connection, ids)
    if not found:
        raise not_found(
            f"Run with ID {ids[0]} does not exist.", FieldIssue("ids", "do not exist")
        )
    # Each in a transaction of its own: the files of many runs take long to delete.
    for run_id in found:
        call.store.delete_run(run_id, principal=call.principal)
    return Deleted2.of(found)


@get("/runs/{run_id:str}")
def get_run(run_id: FromPath[str], call: FromCall) -> shown.ShownRun:
    """Give one run with its phases, measurements, logs, files and metadata."""
    with call.store.reading() as connection:
        missing = f"Run with ID {run_id}"
        row = lists.require_visible_run(connection, run_id, call.principal, missing)
        stored = read_run(connection, call.store.contents, row.id)
        run = stored.run
        labels = read_metadata(connection, "run", [row.key])
        # The run names its sub-units as they were; shown is what is known of them now.
        members = [item.serial_number for item in run.sub_units]
        sub_units = units_of_serials(connection, members)
    return show_run(
        shown.ShownRun,
        row,
        metadata=labels[row.key],
        sequences=show_sequences(run.metadata, row.id, nested=True),
        phases=[
            show_phase(phase, index, row.id, run)
            for index, phase in enumerate(run.phases)
        ],
        attachments=show_attachments(stored.files, call.file_url),
        logs=[
            show_log(entry, index, row.id, run) for index, entry in enumerate(run.logs)
        ],
        sub_units=[
            from_row(shown.ShownSubUnit, unit, part_number=unit.part_number or "")
            for unit in sub_units
        ],
        **show_used_values(run.metadata),
    )


@patch("/runs/{run_id:str}")
def update_run(
    run_id: FromPath[str], data: JSONBody[sent.UpdateRun2], call: FromCall
) -> Identified:
    """Link uploaded files to a run."""
    linked = call.store.link_uploads(
        run_id, known(data.attachments) or (), principal=call.principal
    )
    return Identified(id=linked)


@post("/runs/{run_id:str}/attachments")
def create_attachment(
    run_id: FromPath[str], data: JSONBody[NameFile], call: FromCall
) -> UploadGrant2:
    """Grant the upload of a file that belongs to the run as soon as it is there."""
    return grant_upload(call, data.name, lists.run_target(run_id, call.principal))


@patch("/runs/{run_id:str}/metadata")
def update_metadata(
    run_id: FromPath[str], data: JSONBody[sent.ChangeMetadata], call: FromCall
) -> Identified:
    """Change custom metadata of a run; null takes a name away, others stay."""
    changes = known(data.metadata) or {}
    require_valid(metadata=changes)
    public = run_id.lower()
    with call.store.writing(call.principal) as (connection, _):
        key = require_run(connection, run_id, call.principal)
        change_run_metadata(connection, key, public, changes)
    return Identified(id=public)
