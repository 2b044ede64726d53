"""Errors as pages, for whoever looks with a browser."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from litestar import Response
from litestar.exceptions import HTTPException
from litestar.response import Redirect

from rigbridge.errors import DeliveryError, RigbridgeError
from rigbridge_store.pages.security import PAGE_HEADERS, AnyRequest
from rigbridge_store.pages.site import SignInNeededError, Site
from rigbridge_store.refusals import INVALID

__all__ = ["PAGE_ERRORS", "page_or"]

_Answer = Callable[[AnyRequest, HTTPException], Response[Any]]

_LOGGER = logging.getLogger("rigbridge_store.pages")

_TITLES = {
    400: "Not valid",
    401: "Sign in first",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    413: "Too large",
    429: "Too many requests",
    500: "Server error",
    503: "The store cannot be used for now",
}
_INTERNAL = "The server has made a mistake. Its log says more."
_NO_PAGE = "There is no such page."
_SERVER_ERROR = 500
_NOT_FOUND = 404
# Programs get JSON there, whatever they accept.
_API = ("/api", "/health", "/metrics")


def _page(request: AnyRequest, status: int, message: str) -> Response[str]:
    return Site.of(request).render(
        request,
        "problem.html",
        status=status,
        code=status,
        title=_TITLES.get(status, "That did not work"),
        message=message,
    )


def _ask_for_key(request: AnyRequest, _: SignInNeededError) -> Redirect:
    target = request.url.path
    if request.url.query:
        target = f"{target}?{request.url.query}"
    # Escaped whole, so that a query of its own does not become part of ours.
    where = "/sign-in" if target == "/" else f"/sign-in?next={quote(target, safe='')}"
    return Redirect(where, status_code=303, headers=dict(PAGE_HEADERS))


def _show_refusal(request: AnyRequest, error: RigbridgeError) -> Response[str]:
    if isinstance(error, DeliveryError) and error.status is not None:
        # str() would add what only a caller in process can do; the title of the page
        # says what the prefix says to programs.
        message = error.message.removeprefix(f"{INVALID}: ")
        return _page(request, error.status, message)
    return _show_mistake(request, error)


def _show_http(request: AnyRequest, error: HTTPException) -> Response[str]:
    if error.status_code >= _SERVER_ERROR:
        return _show_mistake(request, error)
    message = _NO_PAGE if error.status_code == _NOT_FOUND else error.detail
    return _page(request, error.status_code, message)


def _show_mistake(request: AnyRequest, error: Exception) -> Response[str]:
    _LOGGER.error("page failed", exc_info=error)
    return _page(request, _SERVER_ERROR, _INTERNAL)


PAGE_ERRORS: dict[int | type[Exception], Any] = {
    SignInNeededError: _ask_for_key,
    RigbridgeError: _show_refusal,
    HTTPException: _show_http,
    Exception: _show_mistake,
}
"""What the routes of pages answer instead of the API's JSON."""


def page_or(
    answer: _Answer,
) -> _Answer:
    """Answer what no route took by a page, where a browser asked for one."""

    def answered(request: AnyRequest, error: HTTPException) -> Response[Any]:
        for_program = request.url.path.startswith(_API)
        if for_program or "text/html" not in request.headers.get("accept", ""):
            return answer(request, error)
        return _show_http(request, error)

    return answered
