"""Who gets in, and what files of rigs cannot do."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from rigbridge_store import RunStore
from rigbridge_store.access.rates import WRONG_KEYS_PER_MINUTE
from rigbridge_store.pages.sessions import IDLE_SECONDS, Sessions


@pytest.fixture
def stranger(site: Any) -> Any:
    """Give a client that is not signed in."""
    with httpx.Client(base_url=site.url, timeout=30) as client:
        yield client


def _token(client: httpx.Client) -> str:
    return client.get("/sign-in").text.split('form_token" value="')[1].split('"')[0]


@pytest.mark.parametrize("path", ["/", "/runs", "/runs/{run}", "/files/{file}"])
def test_nothing_is_shown_to_a_stranger(
    site: Any, stranger: httpx.Client, path: str
) -> None:
    """Who is not signed in is asked for a key."""
    file = site.files["shot.png"]
    answer = stranger.get(path.format(run=site.run, file=file))
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


def test_a_session_cookie_is_hidden_from_scripts_and_other_sites(
    site: Any, stranger: httpx.Client
) -> None:
    """The cookie is HttpOnly and SameSite=Lax, and is not the key."""
    answer = stranger.post(
        "/sign-in", data={"key": site.key, "form_token": _token(stranger)}
    )
    cookies = answer.headers.get_list("set-cookie")
    cookie = next(item for item in cookies if item.startswith("rigbridge_session="))
    assert answer.status_code == 303
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert site.key not in cookie


@pytest.mark.parametrize("kind", ["wrong", "station"])
def test_other_keys_do_not_sign_in(
    site: Any, stranger: httpx.Client, kind: str
) -> None:
    """An unknown key and a station's key are refused with a reason."""
    key = site.station_key if kind == "station" else "rb_0_0"
    answer = stranger.post(
        "/sign-in", data={"key": key, "form_token": _token(stranger)}
    )
    assert answer.status_code == (403 if kind == "station" else 401)
    assert 'role="alert"' in answer.text
    assert "rigbridge_session" not in stranger.cookies


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_wrong_keys_at_the_sign_in_are_limited(store: RunStore, serving: Any) -> None:
    """Whoever tries one key after the other has to wait, as at the API."""
    store.create_user_key("Jane")
    with serving(store) as guesser:
        form = {"key": "rb_0_0", "form_token": _token(guesser)}
        statuses = []
        for _ in range(WRONG_KEYS_PER_MINUTE + 10):
            answer = guesser.post("/sign-in", data=form)
            statuses.append(answer.status_code)
            if answer.status_code == 429:
                break
            form["form_token"] = answer.text.split('form_token" value="')[1].split('"')[
                0
            ]
        assert statuses[0] == 401
        assert statuses[-1] == 429


def test_forms_of_other_pages_are_refused(visitor: httpx.Client) -> None:
    """Neither a form without its token nor one from another site ends a session."""
    assert visitor.post("/sign-out").status_code == 403
    page = visitor.get("/").text
    token = page.split('form_token" value="')[1].split('"')[0]
    foreign = {"Origin": "http://elsewhere.example"}
    answer = visitor.post("/sign-out", data={"form_token": token}, headers=foreign)
    assert answer.status_code == 403
    assert visitor.get("/runs").status_code == 200
    visitor.post("/sign-out", data={"form_token": token})
    assert "/sign-in" in str(visitor.get("/runs").url)


def test_a_session_cookie_opens_no_api(visitor: httpx.Client) -> None:
    """The API takes keys only, so no foreign page can use a visitor's session."""
    answer = visitor.get("/api/v1/runs", params={"serial_number": "SN-0001"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "target", ["//evil.example", "/\\evil.example", "https://evil.example"]
)
def test_the_way_after_the_sign_in_stays_here(
    site: Any, stranger: httpx.Client, target: str
) -> None:
    """A link cannot lead a visitor elsewhere by way of the sign-in."""
    form = {"key": site.key, "form_token": _token(stranger), "next": target}
    assert stranger.post("/sign-in", data=form).headers["location"] == "/"


def test_files_come_as_sandboxed_downloads(site: Any, visitor: httpx.Client) -> None:
    """Whatever a rig sent is saved byte by byte, and runs nowhere."""
    for name, file in site.files.items():
        answer = visitor.get(f"/files/{file}")
        assert answer.content == site.contents[name]
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment;")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
        assert "x=1" not in answer.headers.get("set-cookie", "")


def test_only_pixels_are_shown(site: Any, visitor: httpx.Client) -> None:
    """A PNG is an image by its bytes; an SVG is none, whatever it is called."""
    shown = visitor.get(f"/files/{site.files['shot.png']}/image")
    assert shown.headers["content-type"] == "image/png"
    assert visitor.get(f"/files/{site.files['evil.svg']}/image").status_code == 404


@pytest.mark.parametrize("path", ["/files/{file}", "/files/{file}/image"])
def test_bytes_that_the_disk_has_lost_are_said(
    site: Any, visitor: httpx.Client, path: str
) -> None:
    """A file whose bytes are gone is answered with 502 and its name, not with 500."""
    file = site.files["shot.png"]
    place = site.store.contents.path(site.store.find_attachment(file).sha256)
    aside = place.with_name("aside")
    place.rename(aside)
    try:
        answer = visitor.get(path.format(file=file))
    finally:
        aside.rename(place)
    assert answer.status_code == 502
    assert "shot.png are missing" in answer.text


def test_without_keys_only_this_machine_is_let_in(
    store: RunStore, serving: Any
) -> None:
    """A foreign name for this machine, or a proxy, is asked for a key."""
    with serving(store) as client:
        assert "no keys yet" in client.get("/").text
        for header in ({"Host": "evil.example"}, {"X-Forwarded-For": "203.0.113.5"}):
            assert client.get("/", headers=header).status_code == 303


def test_sessions_end_by_themselves() -> None:
    """A session that nobody used for long is over."""
    now = [0.0]
    sessions = Sessions(clock=lambda: now[0])
    token = sessions.begin("key")
    now[0] = IDLE_SECONDS - 1
    assert sessions.find(token) is not None
    now[0] = 2 * IDLE_SECONDS + 1
    assert sessions.find(token) is None
