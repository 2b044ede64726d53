"""
How long the pages take in a store with very many runs.

Uses the store that ``store_scale.py --data FOLDER`` has made, adds a run of 600 phases
and failures to its runs if they are not there yet, serves it, and asks for the pages as
a browser does. Prints milliseconds, fastest and median, and those of the processor,
which other work disturbs less, beside what is aimed at and the size of each page.

Run it as ``python tests/benchmarks/store_pages.py FOLDER``.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from rigbridge.wire import CreateRun, from_builtins
from rigbridge_store import RunStore
from rigbridge_store.reading.run_search import named_procedures
from rigbridge_store.reading.trends import measurement_names
from rigbridge_store.server import StoreServer
from rigbridge_store.tables.schema import measurements, runs

PHASES = 600
BEGIN = 1_704_067_200_000
LONG = "Long run"


def long_run() -> CreateRun:
    """Make a run of many phases."""
    return from_builtins(
        {
            "unit_under_test": {"serial_number": "LONG-1", "part_number": "PCB-0"},
            "procedure_name": LONG,
            "run_passed": True,
            "started_at": "2024-01-01T00:00:00Z",
            "phases": [
                {
                    "name": f"Step {number}",
                    "outcome": "PASS",
                    "start_time_millis": BEGIN + number * 1000,
                    "end_time_millis": BEGIN + number * 1000 + 900,
                    "measurements": [
                        {
                            "name": f"Pin {number}",
                            "outcome": "PASS",
                            "measured_value": 1 + number / 1000,
                            "units": "V",
                            "lower_limit": 0.5,
                            "upper_limit": 2,
                        }
                    ],
                }
                for number in range(PHASES)
            ],
        },
        CreateRun,
    )


def prepare(store: RunStore) -> str:
    """Add what is asked for, and give the id of the long run."""
    with store.reading() as connection:
        known = {item.name for item in named_procedures(connection)}
    if LONG not in known:
        store.create_run(long_run())
        failed = sa.select(runs.c.key).where(runs.c.outcome == "FAIL")
        with store.writing() as (connection, _):
            connection.execute(
                measurements.update()
                .where(measurements.c.run_key.in_(failed), measurements.c.position == 1)
                .values(outcome="FAIL")
            )
    with store.reading() as connection:
        newest = sa.select(runs.c.id).where(runs.c.unit_key.is_not(None))
        return str(
            connection.execute(newest.order_by(runs.c.key.desc()).limit(1)).scalar_one()
        )


def pages(store: RunStore, run: str) -> dict[str, tuple[str, float]]:
    """Name the pages, with what is aimed at."""
    with store.reading() as connection:
        first = named_procedures(connection)[1]
        measured = measurement_names(connection, first.id)[0]
    procedure = f"/procedures/{first.id}"
    query = str(httpx.QueryParams({"phase": measured.phase, "name": measured.name}))
    return {
        "the start page": ("/", 300),
        "the start page, all of time": ("/?period=all", 300),
        "runs": ("/runs", 100),
        "runs, longest first": ("/runs?sort=longest", 100),
        "runs, by serial number": ("/runs?sort=serial", 100),
        "find a fragment of a serial number": ("/runs?q=00772", 100),
        "find what is nowhere": ("/runs?q=nowhere", 100),
        "find a run by the beginning of its id": (f"/runs?q={run[:8]}", 100),
        "a procedure": (procedure, 300),
        "a procedure, all of time": (f"{procedure}?period=all", 1000),
        "a measurement": (f"{procedure}/measurement?{query}", 300),
        "limits and durations": (f"{procedure}/process", 500),
        "the instruments": ("/instruments", 300),
        f"a run of {PHASES} phases": (f"/runs/{run}", 300),
        "whether there is anything new": ("/state", 20),
    }


def sign_in(client: httpx.Client, key: str) -> None:
    """Sign in as a browser does."""
    form = client.get("/sign-in").text
    token = form.split('name="form_token" value="')[1].split('"')[0]
    answer = client.post("/sign-in", data={"key": key, "form_token": token})
    answer.raise_for_status()


def ask(
    client: httpx.Client, path: str, times: int
) -> tuple[list[float], list[float], int]:
    """Ask for a page: how long each took, the processor's part of it, and its size."""
    found, worked, size = [], [], 0
    for _ in range(times):
        start, before = time.perf_counter(), time.process_time()
        answer = client.get(path).raise_for_status()
        found.append((time.perf_counter() - start) * 1000)
        # Of this process, which serves and asks: about 2 ms are of the asking.
        worked.append((time.process_time() - before) * 1000)
        size = len(answer.content)
    return found, worked, size


def main() -> int:
    """Serve the store, and ask."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--times", type=int, default=5, help="how often each is asked")
    given: Any = parser.parse_args()
    with RunStore.open(given.folder, create=False) as store:
        run = prepare(store)
        server = StoreServer(store, port=0)
        up = threading.Event()
        thread = threading.Thread(target=server.run, args=(lambda _: up.set(),))
        thread.start()
        up.wait()
        try:
            with httpx.Client(
                base_url=server.url, timeout=120, follow_redirects=True
            ) as client:
                sign_in(client, store.create_user_key("benchmark"))
                print(f"{'':<40}{'fastest':>9}{'median':>9}{'processor':>11}")
                for name, (path, bar) in pages(store, run).items():
                    taken, worked, size = ask(client, path, given.times)
                    print(
                        f"{name:<40}{min(taken):>9.1f}{statistics.median(taken):>9.1f}"
                        f"{statistics.median(worked):>11.1f} ms"
                        f"   at most {bar:<5g}{size / 1000:>7.0f} kB"
                    )
        finally:
            server.stop()
            thread.join()
    return 0


if __name__ == "__main__":
    sys.exit(main())
