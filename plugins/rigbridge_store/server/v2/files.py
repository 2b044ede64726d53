"""The v2 calls about files, reports that are sent as such, and deployments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import litestar
from litestar import Request
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import File, Stream
from msgspec import UNSET

from rigbridge.errors import RigbridgeError
from rigbridge.model import ProcedureRef
from rigbridge.wire import InitializeUpload
from rigbridge_store.access.permissions import require_link, unknown_procedure
from rigbridge_store.fields import known, text_or_none
from rigbridge_store.files import linking
from rigbridge_store.files.stored_files import find_content
from rigbridge_store.files.uploads import Target
from rigbridge_store.intake.catalog import find_procedure
from rigbridge_store.reading.lists.query import DeploymentQuery
from rigbridge_store.refusals import FieldIssue, invalid, not_found
from rigbridge_store.server.bodies import PROBLEMS
from rigbridge_store.server.calls import ApiCall, FromCall, Ids, delete, get, post
from rigbridge_store.server.door import Door
from rigbridge_store.server.downloads import DOWNLOAD, download
from rigbridge_store.server.importing import import_report
from rigbridge_store.server.v2.bodies import files as bodies
from rigbridge_store.server.v2.bodies.shared import Deleted2, Meta, NameFile, Page

__all__ = ["download_file", "grant_upload"]


def _nothing(_: object) -> Target:
    return Target()


def grant_upload(
    call: ApiCall, name: str, target: Callable[[Any], Target] = _nothing
) -> bodies.UploadGrant2:
    """
    Grant the upload of a file.

    Args:
        target: finds what it will belong to; nothing by default.
    """
    ticket = call.store.uploads.initialize(
        InitializeUpload(name=name), target=target, principal=call.principal
    )
    return bodies.UploadGrant2(id=ticket.id, upload_url=call.upload_url(ticket))


@post("/attachments")
def initialize(data: JSONBody[NameFile], call: FromCall) -> bodies.UploadGrant2:
    """Grant an upload: answers where to PUT the bytes, within a minute."""
    return grant_upload(call, data.name)


@post("/attachments/{upload_id:str}/finalize")
def finalize(upload_id: FromPath[str], call: FromCall) -> bodies.FileURL:
    """Tell that the bytes have come; answers where the file can be had."""
    return _finalized(upload_id, call)


def _finalized(upload_id: str, call: ApiCall) -> bodies.FileURL:
    with call.store.reading() as connection:
        linking.require_received(connection, upload_id, call.principal)
    # An id may be sent in any case; links are signed for the stored one.
    return bodies.FileURL(url=call.file_url(upload_id.lower()))


@post("/attachments/{upload_id:str}/confirm")
def confirm(upload_id: FromPath[str], call: FromCall) -> bodies.FileURL:
    """Tell the same, as clients of 2.0 do."""
    return _finalized(upload_id, call)


@delete("/attachments")
def delete_uploads(ids: Ids, call: FromCall) -> Deleted2:
    """Forget uploads that belong to nothing, as clients of 2.0 and 2.1 do."""
    wanted = list(dict.fromkeys(text.lower() for text in ids))
    with call.store.writing(call.principal) as (connection, _):
        digests = linking.delete_uploads(connection, wanted, call.principal)
    call.store.forget_contents(digests)
    return Deleted2.of(wanted)


@litestar.get(
    "/files/{file_id:str}", sync_to_thread=True, responses={**PROBLEMS, 200: DOWNLOAD}
)
def download_file(
    file_id: FromPath[str],
    expires: Annotated[int, QueryParameter(ge=0, le=2**40)],
    signature: Annotated[str, QueryParameter(max_length=64)],
    request: Request[Any, Any, Any],
) -> File | Stream:
    """Give the bytes of a file whose URL was signed by a server of this store."""
    door = Door.of(request)
    # The signature is all that this call is protected by.
    door.links.require(file_id, expires, signature)
    with door.store.reading() as connection:
        file = find_content(connection, file_id)
    return download(door, file)


_MAX_ITEMS = 100


@post("/imports/structured")
def import_reports(
    data: JSONBody[bodies.ImportReports], call: FromCall
) -> bodies.ImportResults:
    """
    Make the runs of uploaded reports, each for itself.

    A report that was imported before answers its runs: they are never there twice.
    """
    if not 1 <= len(data.items) <= _MAX_ITEMS:
        raise invalid([FieldIssue("items", f"must be 1 to {_MAX_ITEMS}")])
    # Refused and not ignored: a caller that relies on it would look for runs that are
    # not there.
    if known(data.allow_duplicate):
        words = "is not possible here: a report is never stored twice"
        raise invalid([FieldIssue("allow_duplicate", words)])
    return bodies.ImportResults(results=[_import(call, item) for item in data.items])


def _import(call: ApiCall, item: bodies.ImportItem) -> bodies.ImportResult:
    upload = item.upload_id
    try:
        done = import_report(
            call.door,
            upload,
            item.importer,
            call.principal,
            text_or_none(item.profile),
        )
    except RigbridgeError as error:
        # One bad report does not keep the others out; its sender is told.
        return bodies.ImportResult(upload_id=upload, success=False, error=str(error))
    return bodies.ImportResult(
        upload_id=upload,
        success=True,
        id=done.ids[0],
        ids=list(done.ids) if len(done.ids) > 1 else UNSET,
        already_imported=not done.created,
        warnings=done.warnings or UNSET,
    )


@post("/imports/tabular")
def import_table(
    data: JSONBody[bodies.ImportTable], call: FromCall
) -> bodies.ImportedTable:
    """
    Make the runs of an uploaded table by a mapping of its columns.

    The mapping is in the call, or it is a profile of the server's settings: that is
    what the name of a template means here.
    """
    template = text_or_none(data.template_id)
    mapping = known(data.mapping)
    if (template is None) == (mapping is None):
        raise invalid([FieldIssue("mapping", "or template_id: one of the two")])
    procedure = text_or_none(data.procedure_id)
    if procedure is None:
        raise invalid([FieldIssue("procedure_id", "must not be blank")])
    with call.store.reading() as connection:
        # Nothing is made of a table before it is known where its runs belong.
        found = find_procedure(connection, procedure)
        if found is None:
            raise unknown_procedure(call.principal, procedure)
        # Before the upload is looked for, or that would tell what procedures there are.
        require_link(connection, call.principal, found, procedure)
    done = import_report(
        call.door,
        data.upload_id,
        "CSV",
        call.principal,
        template,
        mapping=mapping,
        procedure=ProcedureRef(id=procedure),
    )
    return bodies.ImportedTable(
        id=done.ids[0],
        file_import_id=data.upload_id,
        ids=list(done.ids) if len(done.ids) > 1 else UNSET,
        already_imported=not done.created,
        warnings=done.warnings or UNSET,
    )


@get("/deployments", query=DeploymentQuery)
def list_deployments(
    wanted: NamedDependency[DeploymentQuery], call: FromCall
) -> Page[Any]:
    """List deployments: this store builds and deploys nothing, whatever is asked."""
    del wanted, call
    return Page(data=[], meta=Meta(has_more=False, next_cursor=None))


@get("/deployments/{deployment_id:str}")
def get_deployment(deployment_id: FromPath[str], call: FromCall) -> Page[Any]:
    """Give one deployment: there is none."""
    del call
    raise not_found(f"Deployment with ID {deployment_id} does not exist.")
