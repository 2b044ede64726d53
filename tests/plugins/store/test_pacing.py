"""Bodies that do not go on coming: given up in time, wherever they are read."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from rigbridge.errors import ServerUnavailableError
from rigbridge_store import RunStore
from rigbridge_store.server import heavy, pacing

_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

Serving = Callable[..., Any]


def _begun(client: httpx.Client, method: str, path: str, length: int) -> socket.socket:
    """Begin a request with a body of some length, of which only a byte is sent."""
    url = client.base_url
    connection = socket.create_connection((url.host, url.port or 80), timeout=20)
    key = client.headers["authorization"]
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\n"
    head += "Content-Type: application/x-www-form-urlencoded\r\n"
    connection.sendall(f"{head}Content-Length: {length}\r\n\r\n{{".encode())
    return connection


@_SQLITE
@pytest.mark.parametrize(
    ("path", "length"),
    [
        ("/api/v1/runs", 100),
        ("/api/v1/runs", heavy.LIGHT_BODY + 1),
        ("/api/v1/import", 100),
        ("/sign-in", 100),
    ],
)
def test_a_body_that_stops(
    store: RunStore,
    api: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    length: int,
) -> None:
    """It is answered 503, and nothing of it stays."""
    monkeypatch.setattr(pacing, "PATIENCE", 0.2)
    with _begun(api, "POST", path, length) as connection:
        assert connection.recv(12).endswith(b"503")
    assert list(store.contents.incoming.iterdir()) == []


@_SQLITE
def test_an_upload_that_stops(
    store: RunStore, api: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is answered 503, and can be sent again."""
    grant = api.post("/api/v1/uploads/initialize", json={"name": "a.txt"}).json()
    monkeypatch.setattr(pacing, "PATIENCE", 0.2)
    path = httpx.URL(grant["uploadUrl"]).raw_path.decode()
    with _begun(api, "PUT", path, 100) as connection:
        assert connection.recv(12).endswith(b"503")
    assert list(store.contents.incoming.iterdir()) == []
    assert httpx.put(grant["uploadUrl"], content=b"all of it").status_code == 200


class TestPace:
    """How long a body is waited for."""

    @staticmethod
    def _read(pieces: list[bytes], seconds: float) -> int:
        """Read a body whose pieces take so long each; tells its length."""
        waiting = list(pieces)
        read = 0

        async def receive() -> Any:
            await asyncio.sleep(seconds)
            body = waiting.pop(0)
            return {"type": "http.request", "body": body, "more_body": bool(waiting)}

        async def app(scope: Any, receive: Any, send: Any) -> None:
            nonlocal read
            del scope, send
            more = True
            while more:
                message = await receive()
                read += len(message["body"])
                more = message["more_body"]

        async def send(message: Any) -> None:
            del message

        async def run() -> None:
            scope: Any = {"type": "http"}
            await pacing.paced(app)(scope, receive, send)

        asyncio.run(run())
        return read

    def test_slow_all_the_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A byte now and then does not put off the end."""
        monkeypatch.setattr(pacing, "PATIENCE", 0.1)
        with pytest.raises(ServerUnavailableError):
            self._read([b"x"] * 100, 0.03)

    def test_fast_enough(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What brings bytes at its pace may take longer than the patience."""
        monkeypatch.setattr(pacing, "PATIENCE", 0.1)
        monkeypatch.setattr(pacing, "BYTES_A_SECOND", 10)
        assert self._read([b"x"] * 8, 0.05) == 8

    def test_after_the_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An answer may take its time: nothing more is waited for."""
        monkeypatch.setattr(pacing, "PATIENCE", 0.05)
        body = pacing._PacedBody(self._after_a_while, ended=True)
        asyncio.run(self._ended(body))

    @staticmethod
    async def _ended(body: pacing._PacedBody) -> None:
        message = await body.go_on()
        assert message["type"] == "http.disconnect"

    @staticmethod
    async def _after_a_while() -> Any:
        await asyncio.sleep(0.1)
        return {"type": "http.disconnect"}


@_SQLITE
def test_one_key_has_not_all_turns(
    store: RunStore, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slow senders of one key leave room for the large bodies of another."""

    async def answered(*_: object) -> heavy._Answer:
        return heavy._Answer(200, [], b"", 0)

    monkeypatch.setattr(heavy, "_WAIT_SECONDS", 0.3)
    # A worker takes a second to come up, and is not what this is about.
    monkeypatch.setattr(heavy.HeavyRequests, "_asked", answered)
    large = b" " * (heavy.LIGHT_BODY + 1)
    with serving(store, store.create_user_key("Jane")) as client:
        held = [
            _begun(client, "POST", "/api/v1/runs", len(large))
            for _ in range(heavy._BODIES_AT_ONCE)
        ]
        assert client.post("/api/v1/runs", content=large).status_code == 503
        key = {"Authorization": f"Bearer {store.create_user_key('Joe')}"}
        other = client.post("/api/v1/runs", content=large, headers=key)
        assert other.status_code == 200
        for connection in held:
            connection.close()
