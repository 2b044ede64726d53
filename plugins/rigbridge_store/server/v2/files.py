"""The v2 calls about files."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import File, Stream

from rigbridge.wire import InitializeUpload
from rigbridge_store.access.permissions import require_access
from rigbridge_store.files.stored_files import find_content
from rigbridge_store.refusals import bad_request, not_found
from rigbridge_store.server.bodies import PROBLEMS
from rigbridge_store.server.door import Door
from rigbridge_store.server.downloads import DOWNLOAD, download
from rigbridge_store.server.links import origin_of
from rigbridge_store.server.v2.file_bodies import FileURL, UploadGrant2
from rigbridge_store.server.v2.run_bodies import NameFile
from rigbridge_store.tables.schema import attachments, runs, uploads

__all__ = ["HANDLERS", "download_file"]


@post("/attachments", status_code=200, sync_to_thread=True, responses=PROBLEMS)
def initialize(
    data: JSONBody[NameFile], request: Request[Any, Any, Any]
) -> UploadGrant2:
    """Grant an upload: answers where to PUT the bytes, within a minute."""
    door = Door.of(request)
    door.caller(request)
    ticket = door.store.initialize_upload(InitializeUpload(name=data.name))
    return UploadGrant2.of(ticket, origin_of(request))


@post(
    "/attachments/{upload_id:str}/finalize",
    status_code=200,
    sync_to_thread=True,
    responses=PROBLEMS,
)
def finalize(upload_id: FromPath[str], request: Request[Any, Any, Any]) -> FileURL:
    """Tell that the bytes have come; answers where the file can be had."""
    door = Door.of(request)
    principal = door.caller(request)
    with door.store.reading() as connection:
        row = connection.execute(
            sa.select(uploads.c.sha256, runs.c.procedure_key)
            .select_from(
                uploads.outerjoin(
                    attachments, uploads.c.attachment_key == attachments.c.key
                ).outerjoin(runs, attachments.c.run_key == runs.c.key)
            )
            .where(uploads.c.id == upload_id.lower())
        ).first()
        if row is None:
            raise not_found(f"Upload with ID {upload_id} does not exist.")
        if row.procedure_key is not None:
            require_access(connection, principal, row.procedure_key)
    if row.sha256 is None:
        raise bad_request(f"Upload with ID {upload_id} was never completed.")
    return FileURL(url=origin_of(request) + door.links.path(upload_id.lower()))


@get(
    "/files/{file_id:str}",
    sync_to_thread=True,
    responses={**PROBLEMS, 200: DOWNLOAD},
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


HANDLERS: tuple[HTTPRouteHandler, ...] = (initialize, finalize)
"""The handlers that need a key, relative to ``/api/v2``."""
