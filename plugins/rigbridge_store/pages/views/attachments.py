"""
Files that rigs have sent: saved by the browser, or shown as far as that is safe.

What may be shown is judged by the bytes alone, never by what the sender calls them.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from types import MappingProxyType
from typing import IO

import attrs
from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Stream

from rigbridge.wire import ListedAttachment
from rigbridge_store.files.contents import ContentStore, stream_pieces
from rigbridge_store.pages.security import (
    FILE_HEADERS,
    AnyRequest,
    attachment_disposition,
)
from rigbridge_store.pages.site import Site
from rigbridge_store.refusals import bytes_missing, not_found
from rigbridge_store.results import StoredFile

__all__ = ["FileView", "download_file", "show_image", "view_file"]

# Enough to look at; a run may have many files, remote ones among them.
_HEAD_BYTES = 16 * 1024
_BINARY = "application/octet-stream"
_RASTERS: Mapping[bytes, str] = MappingProxyType(
    {
        b"\x89PNG\r\n\x1a\n": "image/png",
        b"\xff\xd8\xff": "image/jpeg",
        b"GIF87a": "image/gif",
        b"GIF89a": "image/gif",
        b"BM": "image/bmp",
    }
)
_WEBP = (b"RIFF", b"WEBP")
_PLAIN_CONTROLS = frozenset("\t\n\r\f")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@attrs.frozen(kw_only=True)
class _Preview:
    """
    The beginning of a text.

    Attributes:
        complete: whether that is all.
    """

    text: str
    complete: bool


def _image_kind(head: bytes) -> str | None:
    """
    Tell the media type of an image made of pixels; None for anything else.

    What the sender calls it does not count. An SVG is a document that may hold
    scripts, so it is no image here.
    """
    if head[:4] == _WEBP[0] and head[8:12] == _WEBP[1]:
        return "image/webp"
    for magic, kind in _RASTERS.items():
        if head.startswith(magic):
            return kind
    return None


def _preview_text(head: bytes, size: int) -> _Preview | None:
    """Read the beginning of a file as text; None if it is none."""
    encoding = next((name for mark, name in _MARKS if head.startswith(mark)), "utf-8")
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        # The head may end in the middle of a character.
        text = decoder.decode(head, final=len(head) >= size)
    except UnicodeDecodeError:
        return None
    # Control characters tell a binary file that happens to be valid UTF-8.
    if any(char < " " and char not in _PLAIN_CONTROLS for char in text):
        return None
    return _Preview(text=text, complete=len(head) >= size)


@attrs.frozen(kw_only=True)
class FileView:
    """
    A file, and what of it may be shown.

    Attributes:
        stored: whether the store has its bytes.
        missing: whether the store should have its bytes, and has not.
        is_image: whether it is shown as an image.
        preview: the beginning of a text, or None.
    """

    file: ListedAttachment
    stored: bool
    missing: bool = False
    is_image: bool = False
    preview: _Preview | None = None


def view_file(
    contents: ContentStore, file: ListedAttachment, *, looks_inside: bool
) -> FileView:
    """
    Tell what may be shown of a file.

    Args:
        contents: where its bytes are.
        looks_inside: False where only its name is wanted.
    """
    if file.download_url is None or file.sha256 is None:
        return FileView(file=file, stored=False)
    if not looks_inside:
        return FileView(file=file, stored=True)
    try:
        stream = contents.open(file.sha256)
    except FileNotFoundError:
        # The table knows it, the disk does not: said on the page, not hidden.
        return FileView(file=file, stored=False, missing=True)
    with stream:
        head = stream.read(_HEAD_BYTES)
    is_image = _image_kind(head) is not None
    preview = None
    if not is_image and head:
        preview = _preview_text(head, file.size or 0)
    return FileView(file=file, stored=True, is_image=is_image, preview=preview)


def _opened(request: AnyRequest, file_id: str) -> tuple[StoredFile, IO[bytes]]:
    store = Site.of(request).store
    file = store.find_attachment(file_id)
    if file.sha256 is None:
        raise not_found("The file is a reference without bytes.")
    try:
        return file, store.contents.open(file.sha256)
    except FileNotFoundError as error:
        raise bytes_missing(file.name) from error


@get("/files/{file_id:str}", sync_to_thread=True, include_in_schema=False)
def download_file(file_id: FromPath[str], request: AnyRequest) -> Stream:
    """
    Send a file to be saved; whatever it is, it never runs here.

    Raises:
        NotFoundError: there is none of that id, or it is a reference without bytes.
        ServerUnavailableError: the place where its bytes are kept has lost them.
    """
    file, stream = _opened(request, file_id)
    return Stream(
        stream_pieces(stream),
        # A type of the sender could make a browser show it instead of saving it.
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
        ServerUnavailableError: the place where its bytes are kept has lost them.
    """
    file, stream = _opened(request, file_id)
    pieces = stream_pieces(stream)
    kind = _image_kind(stream.read(_HEAD_BYTES))
    # Shown in the page of the store, anything else could act as one of its files.
    if kind is None:
        pieces.close()
        raise not_found(f"Attachment with ID {file_id} is no image.")
    stream.seek(0)
    return Stream(
        pieces,
        media_type=kind,
        headers={**FILE_HEADERS, "Content-Length": str(file.size)},
    )
