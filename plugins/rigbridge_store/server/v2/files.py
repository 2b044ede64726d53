"""The v2 calls about files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import litestar
from litestar import Request
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import File, Stream

from rigbridge.wire import InitializeUpload
from rigbridge_store.files.stored_files import find_content
from rigbridge_store.files.uploads import Target
from rigbridge_store.reading.lists.runs import require_received
from rigbridge_store.server.bodies import PROBLEMS
from rigbridge_store.server.calls import ApiCall, FromCall, post
from rigbridge_store.server.door import Door
from rigbridge_store.server.downloads import DOWNLOAD, download
from rigbridge_store.server.v2.bodies.files import FileURL, UploadGrant2
from rigbridge_store.server.v2.bodies.shared import NameFile

__all__ = ["download_file", "grant_upload"]


def _nothing(_: object) -> Target:
    return Target()


def grant_upload(
    call: ApiCall, name: str, target: Callable[[Any], Target] = _nothing
) -> UploadGrant2:
    """
    Grant the upload of a file.

    Args:
        call: the call that asks for it.
        name: the name of the file.
        target: finds what it will belong to; nothing by default.
    """
    ticket = call.store.uploads.initialize(InitializeUpload(name=name), target=target)
    return UploadGrant2.of(ticket, call.origin)


@post("/attachments")
def initialize(data: JSONBody[NameFile], call: FromCall) -> UploadGrant2:
    """Grant an upload: answers where to PUT the bytes, within a minute."""
    return grant_upload(call, data.name)


@post("/attachments/{upload_id:str}/finalize")
def finalize(upload_id: FromPath[str], call: FromCall) -> FileURL:
    """Tell that the bytes have come; answers where the file can be had."""
    with call.store.reading() as connection:
        require_received(connection, upload_id, call.principal)
    return FileURL(url=call.file_url(upload_id.lower()))


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
