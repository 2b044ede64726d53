"""Large bodies and reports: answered by a worker, as the server would answer them."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from rigbridge_store import RunStore
from rigbridge_store.server import heavy

JSONMaker = Callable[..., dict[str, Any]]
Serving = Callable[..., Any]


@pytest.fixture(name="large")
def _large(make_json: JSONMaker) -> bytes:
    """Give a create body that is too large to be decoded in place."""
    measured = [[number, number / 7] for number in range(60_000)]
    phase = {
        "name": "Sweep",
        "outcome": "PASS",
        "start_time_millis": 0,
        "end_time_millis": 1,
        "measurements": [
            {"name": "Wave", "outcome": "PASS", "measured_value": measured}
        ],
    }
    body = json.dumps(make_json(phases=[phase])).encode()
    assert len(body) > heavy.LIGHT_BODY
    return body


def _send(client: httpx.Client, body: bytes, **headers: str) -> httpx.Response:
    return client.post(
        "/api/v1/runs",
        content=body,
        headers={"Content-Type": "application/json", **headers},
    )


def _begun(client: httpx.Client, length: int) -> socket.socket:
    """Begin a request with a body of some length, of which only a byte is sent."""
    url = client.base_url
    connection = socket.create_connection((url.host, url.port or 80), timeout=20)
    key = client.headers["authorization"]
    head = f"POST /api/v1/runs HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\n"
    connection.sendall(f"{head}Content-Length: {length}\r\n\r\n{{".encode())
    return connection


def test_a_large_run(store: RunStore, api: httpx.Client, large: bytes) -> None:
    """It is stored as it was sent, once; its body leaves nothing behind."""
    key = {"Idempotency-Key": "one"}
    first, again = _send(api, large, **key), _send(api, large, **key)
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    run = store.get_run(first.json()["id"])
    (axis, _) = run.phases[0].measurements[0].value.axes  # type: ignore[union-attr]
    assert len(axis.values) == 60_000
    assert list(store.contents.incoming.iterdir()) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
class TestRefusals:
    """What is refused, and when."""

    def test_words(self, api: httpx.Client, large: bytes) -> None:
        """The refusal of a large body is that of a small one."""
        answer = _send(api, large.replace(b'"Sweep"', b'""     '))
        assert answer.status_code == 400
        assert answer.json()["issues"][0]["path"] == ["phases", 0, "name"]

    def test_no_key(self, api: httpx.Client, large: bytes) -> None:
        """Without a genuine key nothing of the body is kept."""
        assert _send(api, large, Authorization="Bearer rb_0_0").status_code == 401

    def test_station_without_links(
        self, store: RunStore, serving: Serving, large: bytes
    ) -> None:
        """A station that may use no procedure is told before its body is read."""
        with serving(store, store.create_station_key("Rig")) as client:
            answer = _send(client, large)
        assert answer.status_code == 403
        assert "rigbridge stations link Rig" in answer.json()["message"]

    def test_too_large(self, store: RunStore, serving: Serving, large: bytes) -> None:
        """A body without a length is cut off at the limit, too."""
        with serving(store, store.create_user_key("Jane"), max_body=1 << 19) as client:
            pieces = (large[at : at + 65536] for at in range(0, len(large), 65536))
            answer = client.post("/api/v1/runs", content=pieces)
        assert answer.status_code == 413
        assert answer.json()["code"] == "PAYLOAD_TOO_LARGE"

    def test_announced(self, store: RunStore, serving: Serving) -> None:
        """A length over the limit is refused before any of the body has come."""
        key = store.create_user_key("Jane")
        with serving(store, key) as client, _begun(client, 1 << 40) as connection:
            assert connection.recv(12).endswith(b"413")

    def test_no_disk(self, store: RunStore, api: httpx.Client, large: bytes) -> None:
        """A body that cannot be kept is refused for now, in words."""
        folder = store.contents.incoming
        folder.rmdir()
        answer = _send(api, large)
        assert answer.status_code == 503
        assert "cannot write to its disk" in answer.json()["message"]
        folder.mkdir()
        assert _send(api, large).status_code == 200

    def test_too_much_memory(
        self,
        store: RunStore,
        serving: Serving,
        make_json: JSONMaker,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A body that grows beyond the limit is refused; the server goes on."""
        monkeypatch.setattr(heavy, "WORKER_MEMORY", 300 << 20)
        body = json.dumps(make_json()).encode()
        hostile = body.replace(b"3.3,", b"[" + b"[]," * 6_000_000 + b"[]],")
        assert len(hostile) > 6_000_000
        with serving(store, store.create_user_key("Jane")) as client:
            answer = _send(client, hostile)
            assert answer.status_code == 413
            assert "memory" in answer.json()["message"]
            assert client.get("/health").status_code == 200
            assert client.post("/api/v1/runs", json=make_json()).status_code == 200

    @pytest.mark.skipif(sys.platform != "linux", reason="a limit of Linux")
    def test_too_much_time(
        self,
        store: RunStore,
        serving: Serving,
        make_json: JSONMaker,
        large: bytes,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A request that has no end is ended; the server goes on."""
        monkeypatch.setattr(heavy, "WORKER_SECONDS", 1)
        # Reading tens of megabytes of numbers takes some seconds.
        numbers = b",".join([b"[0.123456789012345,1]"] * 2_000_000)
        endless = large.replace(b"[[0, 0.0],", b"[" + numbers + b",[0, 0.0],", 1)
        assert len(endless) > 40_000_000
        with serving(store, store.create_user_key("Jane")) as client:
            answer = _send(client, endless)
            assert answer.status_code == 413
            assert "1 s of processor time" in answer.json()["message"]
            assert client.get("/health").status_code == 200
            assert client.post("/api/v1/runs", json=make_json()).status_code == 200


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_rate(store: RunStore, serving: Serving, large: bytes) -> None:
    """Large requests count as others do."""
    key = store.create_user_key("Jane")
    with serving(store, key, requests_per_minute=1) as client:
        assert client.get("/api/v1/runs?serial_number=SN-1").status_code == 200
        answer = _send(client, large)
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0


def test_a_link_of_another_server(
    store: RunStore, data: Path, database: str | None, serving: Serving
) -> None:
    """A link is good at each server of a store, and after a restart."""
    key = store.create_user_key("Jane")
    with serving(store, key) as client:
        grant = client.post("/api/v2/attachments", json={"name": "a.txt"}).json()
        httpx.put(grant["upload_url"], content=b"bytes").raise_for_status()
        path = f"/api/v2/attachments/{grant['id']}/finalize"
        link = httpx.URL(client.post(path, json={}).json()["url"])
    with RunStore.open(data, database=database) as other, serving(other) as client:
        assert client.get(link.raw_path.decode()).content == b"bytes"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_link_from_the_worker(api: httpx.Client) -> None:
    """A link that was signed by the worker is good at the server."""
    grant = api.post("/api/v2/attachments", json={"name": "a.txt"}).json()
    httpx.put(grant["upload_url"], content=b"bytes").raise_for_status()
    # Without a length, a body may be a large one.
    finalized = api.post(
        f"/api/v2/attachments/{grant['id']}/finalize", content=iter([b"{}"])
    )
    assert httpx.get(finalized.json()["url"]).content == b"bytes"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_large_report(store: RunStore, api: httpx.Client, tmp_path: Path) -> None:
    """An uploaded report that is large is read by the worker, with its answer."""
    lines = ["serial_number,part_number,procedure,measurement,value,outcome"]
    lines += [f"SN-1,PCB-1,Sweep,m{number},{number},PASS" for number in range(4000)]
    content = "\n".join(lines).encode()
    assert len(content) > heavy.LIGHT_UPLOAD
    del tmp_path
    grant = api.post("/api/v1/uploads/initialize", json={"name": "a.csv"}).json()
    httpx.put(grant["uploadUrl"], content=content).raise_for_status()
    body = {"upload_id": grant["id"], "importer": "CSV"}
    answer = api.post("/api/v1/import", json=body)
    assert answer.status_code == 200, answer.text
    run = store.get_run(answer.json()["id"])
    assert sum(len(phase.measurements) for phase in run.phases) == 4000
