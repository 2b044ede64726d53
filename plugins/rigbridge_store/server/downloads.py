"""Gives files to browsers and clients as downloads that a browser never runs."""

from __future__ import annotations

import re

from litestar.openapi.datastructures import ResponseSpec
from litestar.response import File, Stream

from rigbridge_store.files.contents import stream_pieces
from rigbridge_store.pages.security import attachment_disposition
from rigbridge_store.refusals import bytes_missing, not_found
from rigbridge_store.results import StoredFile
from rigbridge_store.server.door import Door

__all__ = ["DOWNLOAD", "download"]

_BINARY = "application/octet-stream"
_SAFE = {
    # nosniff: browsers would guess HTML within text. sandbox: and run its scripts in
    # our origin.
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
}
# RFC 6838, section 4.2, bounds both names by 127 characters.
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,127}/[\w.+-]{1,127}", re.ASCII)
# A line break within a name would begin another header.

DOWNLOAD = ResponseSpec(
    bytes,
    description="The bytes of the file.",
    media_type=_BINARY,
    generate_examples=False,
)
"""What the OpenAPI document says of a download."""


def download(door: Door, file: StoredFile) -> File | Stream:
    """
    Give a file as a download.

    Its name and its media type came from a client: what could break out of a header
    is left out of them.

    Raises:
        NotFoundError: the store has no bytes of it.
        ServerUnavailableError: the place where they are kept has lost them.
    """
    if file.sha256 is None:
        raise not_found("The file is a reference without bytes.")
    # Parameters of a media type are dropped: they could name a charset or boundary.
    media_type = (file.mime_type or "").partition(";")[0].strip()
    media_type = media_type if _MEDIA_TYPE.fullmatch(media_type) else _BINARY
    # What a rig sent is never to be run by a browser in our origin.
    headers = {**_SAFE, "Content-Disposition": attachment_disposition(file.name)}
    path = door.store.contents.path(file.sha256)
    if path is not None and not path.is_file():
        raise bytes_missing(file.name)
    if path is None:
        try:
            stream = door.store.contents.open(file.sha256)
        except FileNotFoundError as error:
            raise bytes_missing(file.name) from error
        # Contents that are kept elsewhere have no path.
        return Stream(
            stream_pieces(stream),
            media_type=media_type,
            headers=headers,
        )
    return File(
        path=path,
        media_type=media_type,
        headers=headers,
    )
