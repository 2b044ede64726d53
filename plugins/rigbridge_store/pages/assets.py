"""Our own style sheet, script and icon: read once, and fetched once by a browser."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

from litestar import Response, get
from litestar.params import FromPath

from rigbridge_store.pages.security import PAGE_HEADERS
from rigbridge_store.refusals import not_found

__all__ = ["asset_url", "send_asset"]

_KINDS = {
    "style.css": "text/css",
    "pages.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
# Enough to tell the versions of a file apart.
_DIGITS = 12


@cache
def _content(name: str) -> bytes:
    return (files("rigbridge_store.pages") / "static" / name).read_bytes()


@cache
def asset_url(name: str) -> str:
    """Give the address of a file of ours; another one whenever the file changes."""
    digest = hashlib.sha256(_content(name)).hexdigest()[:_DIGITS]
    return f"/static/{name}?v={digest}"


@get("/static/{name:str}", sync_to_thread=False, include_in_schema=False)
def send_asset(name: FromPath[str]) -> Response[bytes]:
    """
    Send a file of ours.

    Raises:
        NotFoundError: there is none of that name.
    """
    kind = _KINDS.get(name)
    if kind is None:
        raise not_found(f"There is no file {name}.")
    # The address changes with the file, so a browser need not ask again.
    headers = {**PAGE_HEADERS, "Cache-Control": "public, max-age=31536000, immutable"}
    return Response(_content(name), media_type=kind, headers=headers)
