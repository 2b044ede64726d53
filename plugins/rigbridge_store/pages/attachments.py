"""Files that rigs have sent: saved by the browser, or shown if they are images."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import IO

from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Stream

from rigbridge_store.pages.previews import HEAD_BYTES, image_kind
from rigbridge_store.pages.security import FILE_HEADERS, attachment_disposition
from rigbridge_store.pages.site import AnyRequest, Site
from rigbridge_store.refusals import not_found

__all__ = ["download_file", "show_image"]

_CHUNK = 256 * 1024
_BINARY = "application/octet-stream"


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    with closing(stream):
        while chunk := stream.read(_CHUNK):
            yield chunk


@get("/files/{file_id:str}", sync_to_thread=True, include_in_schema=False)
def download_file(file_id: FromPath[str], request: AnyRequest) -> Stream:
    """
    Send a file to be saved; whatever it is, it never runs here.

    Raises:
        NotFoundError: there is none of that id.
    """
    file, stream = Site.of(request).store.reader.open_file(file_id)
    return Stream(
        _chunks(stream),
        media_type=_BINARY,
        headers={
            **FILE_HEADERS,
            "Content-Disposition": attachment_disposition(file.name),
            "Content-Length": str(file.size),
        },
    )


@get("/files/{file_id:str}/image", sync_to_thread=True, include_in_schema=False)
def show_image(file_id: FromPath[str], request: AnyRequest) -> Response[bytes] | Stream:
    """
    Send an image to be shown, by the type that its bytes tell.

    Raises:
        NotFoundError: there is none of that id, or it is no image made of pixels.
    """
    file, stream = Site.of(request).store.reader.open_file(file_id)
    kind = image_kind(stream.read(HEAD_BYTES))
    if kind is None:
        stream.close()
        raise not_found(f"Attachment with ID {file_id} is no image.")
    stream.seek(0)
    return Stream(
        _chunks(stream),
        media_type=kind,
        headers={**FILE_HEADERS, "Content-Length": str(file.size)},
    )
