"""Connections of strangers: closed in time, and only so many for each address."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import httpx
import pytest
from uvicorn.protocols.http.h11_impl import H11Protocol

from rigbridge_store import RunStore
from rigbridge_store.server import connections, running
from rigbridge_store.server.connections import ConnectionLimits

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

Serving = Callable[..., Any]
_HALF = b"GET /health HTTP/1.1\r\nHost: x\r\nX-a: "


@pytest.fixture(params=["installed parser", "plain parser"], autouse=True)
def _parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "plain parser":
        monkeypatch.setattr(connections, "AutoHTTPProtocol", H11Protocol)


@pytest.fixture(name="limited")
def _limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the limits small enough for a test."""
    small = partial(ConnectionLimits, seconds=0.3, most=3)
    monkeypatch.setattr(running, "ConnectionLimits", small)


def _connect(client: httpx.Client, sent: bytes = b"") -> socket.socket:
    url = client.base_url
    connection = socket.create_connection((url.host, url.port or 80), timeout=20)
    connection.sendall(sent)
    return connection


def _is_closed(connection: socket.socket) -> bool:
    """Wait until the other side closes; a timeout is an error."""
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


@pytest.fixture(name="client")
def _client(store: RunStore, serving: Serving, limited: None) -> Iterator[httpx.Client]:
    del limited
    with serving(store, store.create_user_key("Jane")) as client:
        yield client


@pytest.mark.parametrize("sent", [b"", _HALF], ids=["nothing", "half a header"])
def test_a_header_that_does_not_end(client: httpx.Client, sent: bytes) -> None:
    """A connection that sends no whole header is closed."""
    with _connect(client, sent) as connection:
        assert _is_closed(connection)


def test_a_second_header_that_does_not_end(client: httpx.Client) -> None:
    """So is one whose first request was answered."""
    with _connect(client, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n") as connection:
        while b'"ok"}' not in connection.recv(4096):
            pass
        connection.sendall(_HALF)
        assert _is_closed(connection)


def test_a_body_that_nobody_reads(client: httpx.Client) -> None:
    """What goes on sending one after the answer is closed, unless a request follows."""
    request = b"POST /api/v1/runs HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n"
    with _connect(client, request) as connection:
        assert b" 401 " in connection.recv(4096)
        connection.sendall(b"xxx" + request)
        assert b" 401 " in connection.recv(4096)
        connection.sendall(b"x")
        assert _is_closed(connection)


def test_a_header_that_is_too_long(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused before it takes much memory, also behind another request."""
    monkeypatch.setattr(connections, "HEADER_BYTES", 1000)
    with _connect(client, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n") as connection:
        while b'"ok"}' not in connection.recv(4096):
            pass
        connection.sendall(_HALF + b"x" * 1000)
        assert connection.recv(4096).startswith(b"HTTP/1.1 431 ")
        assert _is_closed(connection)


def test_two_hosts(client: httpx.Client) -> None:
    """A proxy could have let the request pass because of the other one."""
    sent = b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"
    with _connect(client, sent) as connection:
        assert connection.recv(4096).startswith(b"HTTP/1.1 400 ")


def test_too_many_of_one_address(client: httpx.Client) -> None:
    """One more than the limit is closed at once; others are served again after."""
    held = [_connect(client) for _ in range(4)]
    assert _is_closed(held[3])
    for connection in held:
        assert _is_closed(connection)
        connection.close()
    assert httpx.get(f"{client.base_url}/health").status_code == 200


def test_genuine_keys_are_not_counted(client: httpx.Client) -> None:
    """Connections over which a genuine key came are as many as they like."""
    key = client.headers["authorization"]
    request = f"GET /api/v2/whoami HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\n\r\n"
    held = []
    for _ in range(6):
        held.append(_connect(client, request.encode()))
        assert held[-1].recv(12).endswith(b"200")
    for connection in held:
        connection.close()


def test_trusted_proxies_are_not_counted(
    store: RunStore, serving: Serving, limited: None
) -> None:
    """A proxy connects for many."""
    del limited
    with serving(store, trusted_proxies=("127.0.0.1",)) as client:
        held = [
            _connect(client, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            for _ in range(6)
        ]
        for connection in held:
            assert connection.recv(12).endswith(b"200")
            connection.close()


def test_counts_leave_nothing_behind(database: None) -> None:
    """An address that is gone is not remembered."""
    del database
    limits = ConnectionLimits(most=1)
    assert limits.enter("a")
    assert not limits.enter("a")
    limits.leave("a")
    assert limits.enter("a")
    limits.leave("a")
    assert not limits._strangers
