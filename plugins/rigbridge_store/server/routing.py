"""
Prepares a request before it is routed: encoded slashes, and HEAD.

``/units/A%2F7`` is the unit ``A/7``: a server decodes a path before it is routed, and
such a part would be two. So an encoded slash goes through the routing as a character
that no text has, and is put back for the handler.

A request for a port that there cannot be is refused: whatever makes a URL of the host
that was asked for would break down on it. So is one with two hosts (RFC 9112, section
3.2): a proxy and this server could each take another one for the right one.

``HEAD`` is routed as ``GET``; the HTTP server under us leaves out the body. Probes of
monitors and load balancers send it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import msgspec
from litestar.types import ASGIApp, Receive, Scope, Send

from rigbridge.wire import Problem
from rigbridge_store.server.failures import problem_of

__all__ = ["prepared", "restore_slashes"]

# A noncharacter of Unicode: never in a text, and not in UTF-8 that came encoded.
_MARK = "\ufdd0"
_ENCODED = re.compile(b"%2f", re.IGNORECASE)
_NO_HOST = "The header Host names no port: it must be a number up to 65535."
_TWO_HOSTS = "The header Host stands twice: send it once."


def prepared(app: ASGIApp) -> ASGIApp:
    """Route encoded slashes by their parts as they were sent, and HEAD as GET."""

    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        """Prepare a request, and pass it on."""
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) > 1 or not all(map(_has_port, hosts)):
            words = _TWO_HOSTS if len(hosts) > 1 else _NO_HOST
            await _refuse(send, problem_of(scope["path"], 400, words))
            return
        raw = _raw_path(scope)
        if _ENCODED.search(raw) is not None:
            # Some servers hand over the query string with it.
            path = _ENCODED.sub(_MARK.encode(), raw.partition(b"?")[0])
            scope["path"] = unquote(path)
        if cast("dict[str, Any]", scope).get("method") == "HEAD":
            # A copy: the server looks at its own scope for whether to send a body.
            scope = cast("Scope", {**scope, "method": "GET"})
        await app(scope, receive, send)

    return handle


def _has_port(host: bytes) -> bool:
    """Whether the port of a host is one, where it names any."""
    try:
        urlsplit(b"//" + host).port  # noqa: B018 - reading it is the check
    except ValueError:
        return False
    return True


async def _refuse(send: Send, problem: Problem) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    body = msgspec.json.encode(problem)
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _raw_path(scope: Mapping[str, Any]) -> bytes:
    # Not every server of ASGI gives it.
    raw: bytes = scope.get("raw_path", b"")
    return raw


def restore_slashes(scope: Scope) -> None:
    """Give the parameters of a path their slashes back, once it is routed."""
    scope["path_params"] = {
        name: value.replace(_MARK, "/") for name, value in scope["path_params"].items()
    }
