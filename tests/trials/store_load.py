"""
Load test: many clients create runs at a server, which is killed if you wish.

Each client creates runs of 10 phases with 5 measurements over HTTP, and gives each an
attachment: initialize, PUT, link. ``--kills`` kills the server with SIGKILL at random
moments and starts it again; a client whose call was not answered repeats it under the
same idempotency key. After each restart, and at the end, every run that was answered
must be there with the values that were sent, and every attachment whose link was
answered with its bytes; no run may be there twice; and the store's own check must find
nothing.

Run it as ``python tests/trials/store_load.py [--seconds 60] [--clients 16]`` or with
``--kills N --seed N``. ``--database URL`` names an empty PostgreSQL database for the
tables. It prints JSON and ends with 1 if anything is lost, doubled or damaged.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import attrs

from rigbridge.wire import ListedRun
from rigbridge_store import RunStore
from rigbridge_store.server import serve_store

PHASES, MEASUREMENTS = 10, 5

_START = 1_700_000_000_000
_SHORTEST_LIFE = 0.4
_TIMEOUT = 30
_WAIT, _PAUSE = 60, 0.1


@attrs.frozen(kw_only=True)
class Sent:
    """
    A run of a client.

    Attributes:
        id: its id, which is its idempotency key.
        serial: the serial number of its unit.
        first: what its first measurement measured; the others count on from there.
        content: the bytes of its attachment.
    """

    id: str
    serial: str
    first: float
    content: bytes

    @classmethod
    def make(cls, seed: int, client: int, number: int, size: int) -> Sent:
        """Make a client's run of a number, the same each time."""
        chance = random.Random(f"{seed} {client} {number}")  # noqa: S311 - repeatable
        # Now and then the same bytes again.
        common = number % 10 == 0
        return cls(
            id=str(UUID(int=chance.getrandbits(128), version=4)),
            serial=f"SN-{client}-{number}",
            first=chance.random() * 100,
            content=b"the same" * 50 if common else chance.randbytes(size),
        )

    def body(self) -> bytes:
        """Give the body of the create call."""
        phases = [
            {
                "name": f"Phase {phase}",
                "outcome": "PASS",
                "start_time_millis": _START,
                "end_time_millis": _START + 1000,
                "measurements": [
                    {
                        "name": f"Voltage {index}",
                        "outcome": "PASS",
                        "measured_value": self.first + (phase * MEASUREMENTS + index),
                        "units": "V",
                        "lower_limit": 0,
                        "upper_limit": 200,
                    }
                    for index in range(MEASUREMENTS)
                ],
            }
            for phase in range(PHASES)
        ]
        unit = {"serial_number": self.serial, "part_number": "PCB-1"}
        return json.dumps(
            {
                "unit_under_test": unit,
                "procedure_name": "Function Test",
                "run_passed": True,
                "started_at": "2024-01-15T10:35:00Z",
                "duration": "PT1M",
                "phases": phases,
            }
        ).encode()

    def problem(self, listed: ListedRun, store: RunStore, *, attached: bool) -> str:
        """Tell in which way a stored run is not this one; blank if it is."""
        phases: Any = listed.phases
        values = [
            item.measured_value for phase in phases for item in phase.measurements
        ]
        wanted = [self.first + number for number in range(PHASES * MEASUREMENTS)]
        if values != wanted:
            return f"run {self.id} has other values"
        if not attached:
            return ""
        files: Any = listed.attachments
        if len(files) != 1:
            return f"run {self.id} has {len(files)} attachments"
        with store.open_attachment(files[0].id) as stream:
            same = stream.read() == self.content
        return "" if same else f"run {self.id} has another attachment"


class Server:
    """
    The server as a process of its own, always at the same port.

    It is forked from a process that has imported all it needs, so that it is back at
    once.

    Args:
        data: the data folder.
        database: the address of a PostgreSQL database, or None.
    """

    def __init__(self, data: Path, database: str | None) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        command = [sys.executable, __file__, "--serve", str(data), str(self.port)]
        self._nursery = subprocess.Popen(
            command if database is None else [*command, "--database", database],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._process: int | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        print("start", file=self._nursery.stdin, flush=True)
        self._process = int(self._nursery.stdout.readline())

    def kill(self) -> None:
        """End it with SIGKILL."""
        if self._process is not None:
            os.kill(self._process, signal.SIGKILL)
            self._process = None

    def close(self) -> None:
        """End it, and the process that it is forked from."""
        self.kill()
        self._nursery.communicate(timeout=_WAIT)


def nurse(data: Path, port: int, database: str | None) -> None:
    """Fork a server for each line that comes in, once the one before is dead."""
    for _ in sys.stdin:
        process = os.fork()
        if process:
            os.waitpid(process, 0)
            continue
        with RunStore.open(data, database=database) as store:
            serve_store(
                store, port=port, ready=lambda _: print(os.getpid(), flush=True)
            )
        os._exit(1)


class Client(threading.Thread):
    """
    Creates runs, one after the other, until told to stop.

    Attributes:
        created, attached: the runs whose creation, and whose link, was answered.
        creating, whole: how many seconds a creation took, and a run with its
            attachment; of calls that were answered at once.
        repeated: how many calls had to be repeated.
        wrong: what was answered otherwise than it should.
    """

    def __init__(
        self, *, port: int, key: str, make: Callable[[int], Sent], stop: threading.Event
    ) -> None:
        super().__init__()
        self._port = port
        self._headers = {"Authorization": f"Bearer {key}"}
        self._make = make
        self._halt = stop
        self._connection: http.client.HTTPConnection | None = None
        self.created: list[Sent] = []
        self.attached: list[Sent] = []
        self.creating: list[float] = []
        self.whole: list[float] = []
        self.repeated = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        """Create and attach."""
        number = 0
        while not self._halt.is_set() and not self.wrong:
            sent = self._make(number)
            number += 1
            before = self.repeated
            begun = time.perf_counter()
            body = sent.body()
            self._until_answered(partial(self._create, sent, body))
            self.created.append(sent)
            taken = time.perf_counter() - begun
            self._until_answered(partial(self._attach, sent))
            self.attached.append(sent)
            if self.repeated == before:
                self.creating.append(taken)
                self.whole.append(time.perf_counter() - begun)

    def _until_answered(self, call: Callable[[], None]) -> None:
        while True:
            try:
                return call()
            except (OSError, http.client.HTTPException):
                # The server is gone: whether it did what was asked, nobody knows.
                self._connection = None
                self.repeated += 1
                time.sleep(_PAUSE)

    def _create(self, sent: Sent, body: bytes) -> None:
        headers = {"Content-Type": "application/json", "Idempotency-Key": sent.id}
        answer = self._call("POST", "/api/v1/runs", body, headers)
        if answer.get("id") != sent.id:
            self.wrong.append(f"creating {sent.id} was answered {answer}")

    def _attach(self, sent: Sent) -> None:
        described = json.dumps({"name": "trace.bin"}).encode()
        as_json = {"Content-Type": "application/json"}
        grant = self._call("POST", "/api/v1/uploads/initialize", described, as_json)
        path = "/api/" + str(grant["uploadUrl"]).partition("/api/")[2]
        self._call("PUT", path, sent.content, {})
        link = json.dumps({"attachments": [grant["id"]]}).encode()
        self._call("PUT", f"/api/v1/runs/{sent.id}", link, as_json)

    def _call(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> dict[str, Any]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                "127.0.0.1", self._port, timeout=_TIMEOUT
            )
        self._connection.request(method, path, body, {**self._headers, **headers})
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != http.HTTPStatus.OK:
            self.wrong.append(f"{method} {path}: {answer.status} {content!r}")
            return {"id": None, "uploadUrl": ""}
        found: dict[str, Any] = json.loads(content)
        return found


class Trial:
    """
    A store, a server, and clients.

    Args:
        folder: the data folder.
        given: the command line.
    """

    def __init__(self, folder: Path, given: argparse.Namespace) -> None:
        self._given = given
        self._store = RunStore.open(folder, database=given.database)
        self._server = Server(folder, given.database)
        self._stop = threading.Event()
        key = self._store.create_user_key("Trial")
        self._clients = [
            Client(
                port=self._server.port,
                key=key,
                make=partial(self._make, client),
                stop=self._stop,
            )
            for client in range(given.clients)
        ]
        self._wrong: list[str] = []
        self._seen: set[str] = set()

    def _make(self, client: int, number: int) -> Sent:
        return Sent.make(self._given.seed, client, number, self._given.attachment)

    def run(self) -> dict[str, Any]:
        """Load, kill and compare; give the figures."""
        self._server.start()
        with self._store, self._clients_at_work() as begun:
            if self._given.kills:
                self._kill()
            else:
                time.sleep(self._given.seconds)
            self._stop.set()
            for client in self._clients:
                client.join()
            seconds = time.monotonic() - begun
            self._server.close()
            self._compare_all()
        created = sum(len(client.created) for client in self._clients)
        return {
            "seed": self._given.seed,
            "clients": self._given.clients,
            "kills": self._given.kills,
            "seconds": round(seconds, 1),
            "runs": created,
            "runs a second": round(created / seconds),
            "repeated calls": sum(client.repeated for client in self._clients),
            "create": _spread([t for client in self._clients for t in client.creating]),
            "create and attach": _spread(
                [t for client in self._clients for t in client.whole]
            ),
            "wrong": self._wrong,
        }

    @contextmanager
    def _clients_at_work(self) -> Iterator[float]:
        for client in self._clients:
            client.start()
        try:
            yield time.monotonic()
        finally:
            self._stop.set()

    def _kill(self) -> None:
        chance = random.Random(self._given.seed)  # noqa: S311 - repeatable
        for _ in range(self._given.kills):
            time.sleep(chance.uniform(_SHORTEST_LIFE, self._given.life))
            self._server.kill()
            answered = [
                (list(client.created), list(client.attached))
                for client in self._clients
            ]
            self._server.start()
            for created, attached in answered:
                self._compare(created, attached)

    def _compare(self, created: list[Sent], attached: list[Sent]) -> None:
        """Look for runs that were answered, those that were not yet looked for."""
        whole = {sent.id for sent in attached}
        for sent in created:
            has_file = sent.id in whole
            if sent.id in self._seen:
                continue
            listed = self._store.list_runs(sent.serial)
            if [run.id for run in listed] != [sent.id]:
                self._wrong.append(f"run {sent.id} is there {len(listed)} times")
                continue
            problem = sent.problem(listed[0], self._store, attached=has_file)
            if problem:
                self._wrong.append(problem)
            if has_file:
                self._seen.add(sent.id)

    def _compare_all(self) -> None:
        self._seen.clear()
        for client in self._clients:
            self._wrong += client.wrong
            self._compare(client.created, client.attached)
        created = sum(len(client.created) for client in self._clients)
        checked = self._store.upkeep.check()
        self._wrong += checked.problems
        if checked.runs != created:
            self._wrong.append(
                f"{checked.runs} runs are stored, {created} were created"
            )


def _spread(seconds: list[float]) -> dict[str, float]:
    """Give median and 99th percentile, in milliseconds."""
    if len(seconds) < 2:
        return {}
    parts = statistics.quantiles(seconds, n=100)
    return {"p50 ms": round(parts[49] * 1e3, 1), "p99 ms": round(parts[98] * 1e3, 1)}


def main() -> int:
    """Do the trial; give the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--attachment", type=int, default=20_000, help="bytes")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument(
        "--life", type=float, default=2.5, help="seconds until a kill at most"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", help="address of an empty PostgreSQL database")
    parser.add_argument("--serve", nargs=2, metavar=("FOLDER", "PORT"))
    given = parser.parse_args()
    if given.serve:
        nurse(Path(given.serve[0]), int(given.serve[1]), given.database)
        return 0
    with tempfile.TemporaryDirectory(prefix="rigbridge-load-") as name:
        found = Trial(Path(name), given).run()
    print(json.dumps(found))
    return 1 if found["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
