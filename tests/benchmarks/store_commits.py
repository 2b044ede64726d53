"""
How fast the embedded store takes runs, one full-sync commit each.

A run has 10 phases with 5 measurements. Prints, in runs a second and as a multiple of
the same rows written by hand through ``sqlite3`` with the same settings in the same
round: the service layer, the destination in process (conversion included) and HTTP;
then how long a list by serial number takes among all of them. Beside it stands the
processor time of a run, which other programs on the machine disturb less; over HTTP it
is that of the clients.

Run it as ``python tests/benchmarks/store_commits.py``; ``--help`` names the sizes.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import attrs

from rigbridge.convert import dump
from rigbridge.destinations import DestinationSettings
from rigbridge.model import (
    Limit,
    Measurement,
    MeasurementOutcome,
    Phase,
    PhaseOutcome,
    ProcedureRef,
    Run,
    RunOutcome,
    Unit,
)
from rigbridge.wire import CreateRun, encode
from rigbridge_store import RunStore
from rigbridge_store.destination import LocalDestination

PHASES, MEASUREMENTS, SENDERS = 10, 5, 4

_START = datetime(2024, 1, 15, 10, 35, tzinfo=UTC)
_NUMBERS = itertools.count()

_SERVE = """
import sys
from pathlib import Path
from rigbridge_store.server import serve_store
from rigbridge_store.store import RunStore
with RunStore.open(Path(sys.argv[1])) as store:
    serve_store(store, port=0, ready=lambda url: print(url, flush=True))
"""


def make_run() -> Run:
    """Make a run of a unit of its own."""
    number = next(_NUMBERS)
    measurements = tuple(
        Measurement(
            name=f"Voltage {index}",
            outcome=MeasurementOutcome.PASS,
            value=3.25 + index / 100 + number / 1e6,
            unit="V",
            limits=Limit(lower=3.0, upper=3.6),
        )
        for index in range(MEASUREMENTS)
    )
    return Run(
        id=uuid4(),
        outcome=RunOutcome.PASS,
        procedure=ProcedureRef(name="Function Test", version="1.2.3"),
        unit=Unit(
            serial_number=f"SN-{number:07d}",
            part_number=f"PCB-{number % 20}",
            revision="A",
            batch_number=f"B-{number // 1000}",
        ),
        started_at=_START,
        ended_at=_START + timedelta(minutes=2),
        phases=tuple(
            Phase(
                name=f"Phase {index}",
                outcome=PhaseOutcome.PASS,
                started_at=_START,
                ended_at=_START + timedelta(seconds=1),
                measurements=measurements,
            )
            for index in range(PHASES)
        ),
    )


def bodies(count: int) -> list[CreateRun]:
    """Make bodies of the create call."""
    return [dump(make_run()).body for _ in range(count)]


@attrs.frozen
class Pace:
    """How many were done a second, and how much processor time one took in ms."""

    rate: float
    processor: float


def timed(action: Callable[[], object], count: int) -> Pace:
    """Tell how fast a number of things was done."""
    start, processor = time.perf_counter(), time.process_time()
    action()
    return Pace(
        count / (time.perf_counter() - start),
        (time.process_time() - processor) * 1000 / count,
    )


def by_hand(folder: Path, count: int) -> Pace:
    """Write the rows of runs with nothing above the driver."""
    rows = [
        (
            phase,
            index,
            f"Voltage {index}",
            "PASS",
            "3.254321",
            3.254321,
            '"V"',
            "3.0",
            "3.6",
            None,
            None,
        )
        for phase in range(PHASES)
        for index in range(MEASUREMENTS)
    ]
    with closing(sqlite3.connect(folder / "raw.sqlite")) as connection:
        connection.isolation_level = None
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        connection.executescript(
            "CREATE TABLE IF NOT EXISTS units (key INTEGER PRIMARY KEY,"
            " serial TEXT UNIQUE);"
            "CREATE TABLE IF NOT EXISTS runs (key INTEGER PRIMARY KEY,"
            " id TEXT UNIQUE, unit_key INTEGER REFERENCES units, head TEXT);"
            "CREATE INDEX IF NOT EXISTS runs_unit ON runs (unit_key);"
            "CREATE TABLE IF NOT EXISTS phases (run_key INTEGER REFERENCES runs,"
            " position INTEGER, name TEXT, outcome TEXT, a REAL, b REAL, doc TEXT,"
            " PRIMARY KEY (run_key, position)) WITHOUT ROWID;"
            "CREATE TABLE IF NOT EXISTS measurements ("
            " run_key INTEGER REFERENCES runs, phase INTEGER, position INTEGER,"
            " name TEXT, outcome TEXT, value TEXT, number REAL, units TEXT,"
            " lower TEXT, upper TEXT, validators TEXT, doc TEXT,"
            " PRIMARY KEY (run_key, phase, position)) WITHOUT ROWID;"
        )

        def write() -> None:
            for _ in range(count):
                connection.execute("BEGIN IMMEDIATE")
                unit = connection.execute(
                    "INSERT INTO units VALUES (NULL, ?)", (str(uuid4()),)
                ).lastrowid
                run = connection.execute(
                    "INSERT INTO runs VALUES (NULL, ?, ?, ?)",
                    (str(uuid4()), unit, "x" * 400),
                ).lastrowid
                connection.executemany(
                    "INSERT INTO phases VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [
                        (run, n, f"Phase {n}", "PASS", 1.7e12, 1.7e12, None)
                        for n in range(PHASES)
                    ],
                )
                connection.executemany(
                    "INSERT INTO measurements VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
                    [(run, *row) for row in rows],
                )
                connection.execute("COMMIT")

        return timed(write, count)


def through_service(store: RunStore, count: int) -> Pace:
    """Create runs through the service layer, each under its own key."""
    waiting = bodies(count)

    def create() -> None:
        for body in waiting:
            store.create_run(body, idempotency_key=str(uuid4()))

    return timed(create, count)


def through_destination(destination: LocalDestination, count: int) -> Pace:
    """Submit runs in process, conversion included."""
    waiting = [make_run() for _ in range(count)]

    def submit() -> None:
        for run in waiting:
            destination.submit(run)

    return timed(submit, count)


def through_http(address: tuple[str, int], key: str, count: int) -> Pace:
    """Create runs over HTTP, from a few connections at a time."""
    each = count // SENDERS
    waiting = [[encode(body) for body in bodies(each)] for _ in range(SENDERS)]
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def send(contents: list[bytes]) -> None:
        with closing(http.client.HTTPConnection(*address)) as connection:
            for content in contents:
                connection.request("POST", "/api/v1/runs", content, headers)
                answer = connection.getresponse()
                words = answer.read()
                if answer.status != http.HTTPStatus.OK:
                    raise RuntimeError(words)

    def send_all() -> None:
        threads = [threading.Thread(target=send, args=(part,)) for part in waiting]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return timed(send_all, each * SENDERS)


def listing(store: RunStore, times: int = 200) -> float:
    """Tell how many milliseconds a list by serial number takes."""
    serials = [
        run.unit.serial_number or ""
        for run in store.recent_runs(50)
        if run.unit is not None
    ]

    def read() -> None:
        for number in range(times):
            store.list_runs(serials[number % len(serials)])

    return 1000 / timed(read, times).rate


def report(name: str, paces: list[Pace], reference: list[Pace]) -> None:
    """Print the median and the best rate, and the median ratio within a round."""
    rates = [pace.rate for pace in paces]
    ratios = [
        pace.rate / base.rate for pace, base in zip(paces, reference, strict=True)
    ]
    processor = statistics.median(pace.processor for pace in paces)
    print(
        f"{name:<22}{statistics.median(rates):>8.0f} runs/s, at best {max(rates):<6.0f}"
        f"{statistics.median(ratios):>6.2f} x by hand{processor:>8.3f} ms processor"
    )


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--runs", type=int, default=1000, help="runs a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--fill", type=int, default=0, help="runs to store before the list is timed"
    )
    arguments: Any = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        destination = LocalDestination(DestinationSettings(data=folder))
        store = destination.store
        key = store.create_user_key("Benchmark")
        with subprocess.Popen(
            [sys.executable, "-c", _SERVE, str(folder)], stdout=subprocess.PIPE
        ) as server:
            assert server.stdout is not None
            host, _, port = server.stdout.readline().decode().strip().rpartition(":")
            address = (host.removeprefix("http://"), int(port))
            through_http(address, key, 100)
            rates = [
                (
                    by_hand(folder, arguments.runs),
                    through_service(store, arguments.runs),
                    through_destination(destination, arguments.runs),
                    through_http(address, key, arguments.runs),
                )
                for _ in range(arguments.rounds)
            ]
            server.terminate()
        reference, service, local, remote = (
            list(column) for column in zip(*rates, strict=True)
        )
        report("by hand", reference, reference)
        report("service layer", service, reference)
        report("destination", local, reference)
        report("HTTP", remote, reference)
        for _ in range(0, arguments.fill, 1000):
            through_service(store, 1000)
        print(f"{'list by serial number':<22}{listing(store):>8.2f} ms")
        destination.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
