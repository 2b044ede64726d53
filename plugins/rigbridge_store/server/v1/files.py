"""The calls that bring files, and give them back."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
from litestar import Request, get, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody
from litestar.response import File, Stream

from rigbridge.wire import (
    Identified,
    ImportRun,
    InitializeUpload,
    SyncUpload,
    UploadGrant,
)
from rigbridge_store.files.uploads import UploadReception
from rigbridge_store.refusals import bad_request
from rigbridge_store.server.bodies import PROBLEMS, Imported
from rigbridge_store.server.door import Door
from rigbridge_store.server.downloads import DOWNLOAD, download
from rigbridge_store.server.importing import import_upload
from rigbridge_store.server.links import origin_of
from rigbridge_store.server.v2.file_bodies import upload_url

__all__ = ["HANDLERS", "receive_upload"]

_BUFFER = 1 << 20


@post("/uploads/initialize", status_code=200, sync_to_thread=True, responses=PROBLEMS)
def initialize_upload(
    data: JSONBody[InitializeUpload], request: Request[Any, Any, Any]
) -> UploadGrant:
    """Grant an upload: answers where to PUT the bytes, within a minute."""
    door = Door.of(request)
    door.caller(request)
    ticket = door.store.initialize_upload(data)
    return UploadGrant(id=ticket.id, uploadUrl=upload_url(ticket, origin_of(request)))


@put(
    "/uploads/{upload_id:str}/{token:str}",
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
        lambda: door.store.open_upload(upload_id, token, announced=announced)
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


@post("/uploads/sync", status_code=200, sync_to_thread=True, responses=PROBLEMS)
def sync_upload(
    data: JSONBody[SyncUpload], request: Request[Any, Any, Any]
) -> Identified:
    """Link one upload to a run."""
    door = Door.of(request)
    linked = door.store.link_uploads(
        data.run_id,
        [data.upload_id],
        principal=door.caller(request),
        field="upload_id",
    )
    return Identified(id=linked)


@post("/import", status_code=200, sync_to_thread=True, responses=PROBLEMS)
def import_run(data: JSONBody[ImportRun], request: Request[Any, Any, Any]) -> Imported:
    """Make the runs of an uploaded report."""
    door = Door.of(request)
    return import_upload(door, data, door.caller(request))


@get(
    "/attachments/{attachment_id:str}/download",
    sync_to_thread=True,
    responses={**PROBLEMS, 200: DOWNLOAD},
)
def download_attachment(
    attachment_id: FromPath[str], request: Request[Any, Any, Any]
) -> File | Stream:
    """Give the bytes of an attachment."""
    door = Door.of(request)
    file = door.store.find_attachment(attachment_id, principal=door.caller(request))
    return download(door, file)


HANDLERS: tuple[HTTPRouteHandler, ...] = (
    initialize_upload,
    sync_upload,
    import_run,
    download_attachment,
)
"""The handlers that need a key, relative to ``/api/v1``."""
