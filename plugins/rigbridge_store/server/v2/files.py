"""The v2 calls about files, reports that are sent as such, and deployments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import litestar
from litestar import Request
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import File, Stream
from msgspec import UNSET

from rigbridge.errors import RigbridgeError
from rigbridge.wire import InitializeUpload
from rigbridge_store.files.stored_files import find_content
from rigbridge_store.files.uploads import Target, require_received
from rigbridge_store.refusals import FieldIssue, bad_request, invalid, not_found
from rigbridge_store.server.bodies import PROBLEMS
from rigbridge_store.server.calls import ApiCall, FromCall, get, post
from rigbridge_store.server.door import Door
from rigbridge_store.server.downloads import DOWNLOAD, download
from rigbridge_store.server.importing import import_report
from rigbridge_store.server.v2.bodies import files as bodies
from rigbridge_store.server.v2.bodies.shared import Meta, NameFile

__all__ = ["download_file", "grant_upload"]


def _nothing(_: object) -> Target:
    return Target()


def grant_upload(
    call: ApiCall, name: str, target: Callable[[Any], Target] = _nothing
) -> bodies.UploadGrant2:
    """
    Grant the upload of a file.

    Args:
        call: the call that asks for it.
        name: the name of the file.
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
    with call.store.reading() as connection:
        require_received(connection, upload_id, call.principal)
    # An id may be sent in any case; links are signed for the stored one.
    return bodies.FileURL(url=call.file_url(upload_id.lower()))


@litestar.get(
    "/files/{file_id:str}", sync_to_thread=True, responses={**PROBLEMS, 200: DOWNLOAD}
)
def download_file(
    file_id: FromPath[str],
    expires: Annotated[int, QueryParameter(ge=0, le=2**40)],
    signature: Annotated[str, QueryParameter(max_length=64)],
    request: Request[Any, Any, Any],
) -> File | Stream:
    """Give the bytes of a file whose URL was signed by this server."""
    door = Door.of(request)
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
    return bodies.ImportResults(results=[_import(call, item) for item in data.items])


def _import(call: ApiCall, item: bodies.ImportItem) -> bodies.ImportResult:
    upload = item.upload_id
    try:
        done = import_report(call.door, upload, item.importer, call.principal)
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
def import_table() -> bodies.ImportResult:
    """Import a table by a mapping within the call, which this store does not do."""
    raise bad_request(
        "This store reads tables by the profiles in its settings. Send the upload to "
        "POST /api/v1/import with the importer CSV and the name of a profile."
    )


@get("/deployments")
def list_deployments() -> bodies.NoDeployments:
    """List deployments: this store builds and deploys nothing."""
    return bodies.NoDeployments(data=[], meta=Meta(has_more=False, next_cursor=None))


@get("/deployments/{deployment_id:str}")
def get_deployment(deployment_id: FromPath[str]) -> bodies.NoDeployments:
    """Give one deployment: there is none."""
    raise not_found(f"Deployment with ID {deployment_id} does not exist.")
