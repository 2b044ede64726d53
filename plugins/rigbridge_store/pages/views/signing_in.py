"""Signing in with an API key, and signing out; the session is a cookie."""

from __future__ import annotations

import hmac
import secrets

import anyio.to_thread
from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.response import Redirect

from rigbridge.errors import UnauthorizedError
from rigbridge_store.pages.security import (
    PAGE_HEADERS,
    AnyRequest,
    is_cross_site,
    safe_target,
)
from rigbridge_store.pages.sessions import (
    FORM_COOKIE,
    IDLE_SECONDS,
    SESSION_COOKIE,
)
from rigbridge_store.pages.site import Site
from rigbridge_store.refusals import forbidden

__all__ = ["show_sign_in", "sign_in", "sign_out"]

# As long as the form may lie open in a browser.
_FORM_SECONDS = 60 * 60
_STALE_FORM = "The form is too old, or came from another page. Try again."
# The address to go on to is the longest part of the form.
_MAX_FORM = 64 * 1024


def _cookie(request: AnyRequest, name: str, value: str, *, seconds: int) -> Cookie:
    return Cookie(
        key=name,
        value=value,
        max_age=seconds,
        path="/",
        httponly=True,
        # Not "strict": a link to a run from a chat or a ticket must find the session.
        samesite="lax",
        # Loopback is served without TLS.
        secure=request.url.scheme == "https",
    )


@get("/sign-in", sync_to_thread=True, include_in_schema=False)
def show_sign_in(request: AnyRequest) -> Response[str] | Redirect:
    """Ask for a key, unless none is needed."""
    site = Site.of(request)
    target = safe_target(request.query_params.get("next"))
    if site.visitor(request) is not None or site.is_open_to(request):
        return Redirect(target, status_code=303, headers=dict(PAGE_HEADERS))
    return _form(request, target)


def _form(
    request: AnyRequest, target: str, *, problem: str | None = None, status: int = 200
) -> Response[str]:
    token = secrets.token_urlsafe(32)
    site = Site.of(request)
    return site.render(
        request,
        "sign_in.html",
        status=status,
        cookies=[_cookie(request, FORM_COOKIE, token, seconds=_FORM_SECONDS)],
        form_token=token,
        target=target,
        problem=problem,
        has_keys=site.store.keys.exist(),
    )


@post(
    "/sign-in",
    status_code=303,
    include_in_schema=False,
    request_max_body_size=_MAX_FORM,
)
async def sign_in(request: AnyRequest) -> Response[str] | Redirect:
    """Begin a session for the owner of a user's key."""
    form = await request.form()
    # Looking up a key reads the database.
    return await anyio.to_thread.run_sync(
        _signed_in,
        request,
        str(form.get("key", "")).strip(),
        str(form.get("form_token", "")),
        safe_target(str(form.get("next", "/"))),
    )


def _signed_in(
    request: AnyRequest, key: str, form_token: str, target: str
) -> Response[str] | Redirect:
    # There is no session yet, so a cookie proves that the form was ours.
    expected = request.cookies.get(FORM_COOKIE, "")
    # In constant time: how long a refusal takes must not tell how much was right.
    genuine = hmac.compare_digest(form_token.encode(), expected.encode())
    if is_cross_site(request) or not expected or not genuine:
        return _form(request, target, problem=_STALE_FORM, status=403)
    site = Site.of(request)
    try:
        principal = site.store.authenticate(key)
    except UnauthorizedError:
        # Counted with those that the API has refused: it is one address that guesses.
        address = request.client.host if request.client else ""
        if site.wrong_keys.take(address) is not None:
            problem = "Too many wrong keys. Wait a minute, then try again."
            return _form(request, target, problem=problem, status=429)
        return _form(request, target, problem="This key is unknown.", status=401)
    if principal.is_station:
        problem = "This is a station's key. The pages are read with a user's key."
        return _form(request, target, problem=problem, status=403)
    # Whoever was signed in before in this browser is so no longer.
    site.sessions.end(request.cookies.get(SESSION_COOKIE))
    token = site.sessions.begin(key)
    return Redirect(
        target,
        status_code=303,
        headers=dict(PAGE_HEADERS),
        cookies=[
            _cookie(request, SESSION_COOKIE, token, seconds=IDLE_SECONDS),
            _cookie(request, FORM_COOKIE, "", seconds=0),
        ],
    )


@post(
    "/sign-out",
    status_code=303,
    include_in_schema=False,
    request_max_body_size=_MAX_FORM,
)
async def sign_out(request: AnyRequest) -> Response[str] | Redirect:
    """
    End the session.

    Raises:
        ForbiddenError: the form is not one of its pages'.
    """
    form = await request.form()
    site = Site.of(request)
    token = request.cookies.get(SESSION_COOKIE)
    session = site.sessions.find(token)
    # Without a session there is nothing that a foreign page could end.
    if session is not None:
        if is_cross_site(request) or not session.accepts(
            str(form.get("form_token", ""))
        ):
            raise forbidden(_STALE_FORM)
        site.sessions.end(token)
    return Redirect(
        "/sign-in",
        status_code=303,
        headers=dict(PAGE_HEADERS),
        cookies=[_cookie(request, SESSION_COOKIE, "", seconds=0)],
    )
