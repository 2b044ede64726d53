"""The headers that keep a browser from doing more than a page needs."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlsplit

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State

__all__ = [
    "FILE_HEADERS",
    "PAGE_HEADERS",
    "AnyRequest",
    "Connection",
    "attachment_disposition",
    "is_cross_site",
    "is_local_visit",
    "safe_target",
]

Connection = ASGIConnection[Any, object, object, State]
"""A connection of whatever kind."""

AnyRequest = Request[object, object, State]
"""A request of whatever kind."""

_POLICY = {
    "default-src": "'none'",
    "style-src": "'self'",
    "script-src": "'self'",
    "img-src": "'self'",
    # The script fetches parts of our own pages.
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}

_COMMON = {
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": under that a browser hides the origin of our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}

PAGE_HEADERS = {
    **_COMMON,
    "Content-Security-Policy": "; ".join(" ".join(item) for item in _POLICY.items()),
    "Cache-Control": "no-store",
}
"""The headers of every page."""

FILE_HEADERS = {
    **_COMMON,
    # Were it opened as a page all the same, it could neither run nor load anything.
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, no-cache",
}
"""The headers of everything that a rig has sent."""

_LOOPBACK = re.compile(r"localhost|127(?:\.\d{1,3}){3}|::1")
# What a proxy adds, and a browser never sends.
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
_INVISIBLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._ ()+-]")


def attachment_disposition(name: str) -> str:
    """
    Write a header value that makes a browser save a file, never show it.

    The name is what a rig sent: everything that could end the value, the header or a
    folder is replaced in the plain spelling and encoded in the full one (RFC 6266).
    """
    # Some rigs name files by their Windows paths. What no eye sees, as a mark that
    # turns the direction of writing, could pass a program off as a picture.
    base = _INVISIBLE.sub("_", re.split(r"[\\/]", name)[-1])
    if not base.strip("."):
        base = "attachment"
    plain = _NOT_PLAIN.sub("_", base)
    full = quote(base, safe="", errors="replace")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{full}"


def is_local_visit(connection: Connection) -> bool:
    """
    Whether a browser of this machine asks, and means this machine.

    The name it asked for counts, too: a foreign page whose name has come to lead to
    this machine is not let in, and neither is whoever comes through a proxy.
    """
    client = connection.client
    host = urlsplit(f"//{connection.headers.get('host', '')}").hostname or ""
    return (
        client is not None
        and _LOOPBACK.fullmatch(client.host.removeprefix("::ffff:")) is not None
        and _LOOPBACK.fullmatch(host) is not None
        # A proxy on this machine would make everybody look local.
        and not any(name in connection.headers for name in _FORWARDED)
    )


def is_cross_site(connection: Connection) -> bool:
    """Whether a form was sent from a page that is not ours, as the browser says."""
    site = connection.headers.get("sec-fetch-site")
    # Browsers send it since about 2020; older ones are judged by the origin.
    if site is not None and site not in ("same-origin", "none"):
        return True
    origin = connection.headers.get("origin")
    if origin is None:
        return False
    return urlsplit(origin).netloc != connection.headers.get("host", "")


def safe_target(path: str | None) -> str:
    """Give where to go after the sign-in: a path of ours, or the start page."""
    if path is None or not path.startswith("/") or path.startswith(("//", "/\\")):
        return "/"
    if any(ord(character) < ord(" ") for character in path):
        return "/"
    return path
