"""The server as a program: real processes, addresses and restarts."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from rigbridge.errors import ConfigurationError
from rigbridge_store import RunStore
from rigbridge_store.server import StoreServer, heavy, serve_store

_SERVE = """
import sys
from pathlib import Path
from rigbridge.destinations import DestinationSettings
from rigbridge_store.destination import LocalDestination

def ready(url):
    print(url, flush=True)

destination = LocalDestination(DestinationSettings(data=Path(sys.argv[1])))
try:
    destination.serve(host="127.0.0.1", port=0, open_stations=False, ready=ready)
except KeyboardInterrupt:
    print("interrupted")
finally:
    destination.close()
"""


@contextmanager
def _process(data: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", _SERVE, str(data)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process:
        try:
            yield process.stdout.readline().strip(), process
        finally:
            if process.poll() is None:
                process.kill()


def _runs(process: Path) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        state = (process / "stat").read_text()
    except OSError:
        return False
    return state.rpartition(")")[2].split()[0] != "Z"


class TestProcess:
    """A server in a process of its own."""

    def test_restart(self, data: Path, make_json: Callable[..., Any]) -> None:
        """What was stored is there after a kill and a restart."""
        with RunStore.open(data) as store:
            key = store.create_user_key("Jane")
        headers = {"Authorization": f"Bearer {key}"}
        with _process(data) as (url, process):
            answer = httpx.post(f"{url}/api/v1/runs", json=make_json(), headers=headers)
            run = answer.json()["id"]
            grant = httpx.post(
                f"{url}/api/v1/uploads/initialize", json={"name": "a"}, headers=headers
            ).json()
            httpx.put(grant["uploadUrl"], content=b"bytes")
            httpx.put(
                f"{url}/api/v1/runs/{run}",
                json={"attachments": [grant["id"]]},
                headers=headers,
            )
            process.kill()
            process.wait()
        with _process(data) as (url, process):
            params = {"serial_number": "SN-1"}
            (listed,) = httpx.get(
                f"{url}/api/v1/runs", params=params, headers=headers
            ).json()
            assert listed["id"] == run
            file = url + listed["attachments"][0]["download_url"]
            assert httpx.get(file, headers=headers).content == b"bytes"
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=30)[0] == "interrupted\n"
            assert process.returncode == 0

    @pytest.mark.parametrize("database", ["sqlite"], indirect=True)
    def test_beside_a_writer_in_process(
        self, data: Path, store: RunStore, make_json: Callable[..., Any]
    ) -> None:
        """A server and a destination in process share a folder."""
        headers = {"Authorization": f"Bearer {store.create_user_key('Jane')}"}
        with _process(data) as (url, _):
            httpx.post(f"{url}/api/v1/runs", json=make_json(), headers=headers)
            assert len(store.list_runs("SN-1")) == 1

    @pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for children")
    @pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
    def test_no_process_is_left(
        self, data: Path, make_json: Callable[..., Any], sent: signal.Signals
    ) -> None:
        """The worker of large requests ends with its server, however that ends."""
        with RunStore.open(data) as store:
            key = store.create_user_key("Jane")
        with _process(data) as (url, process):
            body = make_json(docstring="a" * (heavy.LIGHT_BODY + 1))
            headers = {"Authorization": f"Bearer {key}"}
            answer = httpx.post(
                f"{url}/api/v1/runs", json=body, headers=headers, timeout=60
            )
            assert answer.status_code in {200, 400}
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
            left = [Path("/proc", number) for number in children.read_text().split()]
            assert left
            process.send_signal(sent)
            process.wait(30)
        deadline = time.monotonic() + 30
        while any(map(_runs, left)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not any(map(_runs, left))


class TestAddress:
    """Where the server listens."""

    def test_reachable_without_a_key(self, store: RunStore) -> None:
        """Nothing is opened to others while no key exists."""
        for host in ("0.0.0.0", "::", "example.com"):  # noqa: S104 - must be refused
            with pytest.raises(ConfigurationError, match="rigbridge keys create"):
                StoreServer(store, host=host, port=0)

    def test_reachable_with_a_key(self, store: RunStore) -> None:
        """With a key the server may listen on every address."""
        store.create_user_key("Jane")
        server = StoreServer(store, host="0.0.0.0", port=0)  # noqa: S104 - see above
        server._socket.close()
        server.stop()

    def test_port_in_use(self, store: RunStore) -> None:
        """A port in use is told with the remedy."""
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            with pytest.raises(ConfigurationError, match=f"port {port}.*--port"):
                serve_store(store, port=port)

    @pytest.mark.parametrize(("host", "port"), [("no such name.", 0), ("::1", 99999)])
    def test_no_address(self, store: RunStore, host: str, port: int) -> None:
        """What is no address is told."""
        store.create_user_key("Jane")
        with pytest.raises(ConfigurationError, match="cannot listen"):
            StoreServer(store, host=host, port=port)

    def test_loopback_needs_keys_for_calls(
        self, store: RunStore, serving: Callable[..., Any]
    ) -> None:
        """On loopback the server runs without keys, but answers no call without one."""
        with serving(store) as api:
            assert api.get("/health").status_code == 200
            assert api.get("/api/v1/capabilities").status_code == 401
