"""The calls that bring files, and give them back."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
import litestar
from litestar import Request
from litestar.params import FromPath, JSONBody
from litestar.response import File, Stream
from msgspec import UNSET

from rigbridge.wire import (
    Identified,
    ImportRun,
    InitializeUpload,
    SyncUpload,
    UploadGrant,
)
from rigbridge_store.fields import text_or_none
from rigbridge_store.files.uploads import UploadReception
from rigbridge_store.refusals import bad_request
from rigbridge_store.server.bodies import PROBLEMS, Imported
from rigbridge_store.server.calls import FromCall, get, post
from rigbridge_store.server.door import Door
from rigbridge_store.server.downloads import DOWNLOAD, download
from rigbridge_store.server.importing import import_report

__all__ = ["receive_upload"]

_BUFFER = 1 << 20


@post("/uploads/initialize")
def initialize_upload(data: JSONBody[InitializeUpload], call: FromCall) -> UploadGrant:
    """Grant an upload: answers where to PUT the bytes, within a minute."""
    ticket = call.store.uploads.initialize(data, principal=call.principal)
    return UploadGrant(id=ticket.id, uploadUrl=call.upload_url(ticket))


@litestar.put(
    "/uploads/{upload_id:str}/{token:str}",
    # Uploads have a limit of their own, which the reception keeps.
    request_max_body_size=None,
    responses=PROBLEMS,
)
async def receive_upload(
    upload_id: FromPath[str], token: FromPath[str], request: Request[Any, Any, Any]
) -> Identified:
    """Take the bytes of an upload; the secret in the URL is its grant."""
    door = Door.of(request)
    to_thread = anyio.to_thread.run_sync
    announced = _length(request)
    reception = await to_thread(
        lambda: door.store.uploads.receive(upload_id, token, announced=announced)
    )
    try:
        await _receive(reception, request)
        media_type = request.headers.get("content-type")
        await to_thread(reception.finish, media_type)
    finally:
        # Also when the sender goes away in the middle.
        with anyio.CancelScope(shield=True):
            await to_thread(reception.discard)
    return Identified(id=upload_id)


async def _receive(reception: UploadReception, request: Request[Any, Any, Any]) -> None:
    # The network's pieces are small, and each way to a thread costs.
    waiting = bytearray()
    async for chunk in request.stream():
        waiting += chunk
        if len(waiting) >= _BUFFER:
            await anyio.to_thread.run_sync(reception.write, bytes(waiting))
            waiting.clear()
    if waiting:
        await anyio.to_thread.run_sync(reception.write, bytes(waiting))


def _length(request: Request[Any, Any, Any]) -> int | None:
    text = request.headers.get("content-length")
    if text is None:
        return None
    if not text.isdecimal():
        raise bad_request("The header Content-Length is no number.")
    return int(text)


@post("/uploads/sync")
def sync_upload(data: JSONBody[SyncUpload], call: FromCall) -> Identified:
    """Link one upload to a run."""
    linked = call.store.link_uploads(
        data.run_id, [data.upload_id], principal=call.principal, field="upload_id"
    )
    return Identified(id=linked)


@post("/import")
def import_run(data: JSONBody[ImportRun], call: FromCall) -> Imported:
    """Make the runs of an uploaded report."""
    profile = text_or_none(data.profile)
    done = import_report(
        call.door, data.upload_id, data.importer, call.principal, profile
    )
    return Imported(
        id=done.ids[0],
        ids=list(done.ids) if len(done.ids) > 1 else UNSET,
        warnings=done.warnings or UNSET,
    )


@get("/attachments/{attachment_id:str}/download", answers={200: DOWNLOAD})
def download_attachment(attachment_id: FromPath[str], call: FromCall) -> File | Stream:
    """Give the bytes of an attachment."""
    file = call.store.find_attachment(attachment_id, principal=call.principal)
    return download(call.door, file)
