"""
Station simulation: OpenHTF tests by several processes, a store that is down, a kill.

Processes execute real OpenHTF tests with our output callback, all with one outbox. The
store is down half of the time. At a random moment one process is killed and another
takes its place. In the end the store stays up, what is left is sent, and what the store
truly holds is compared with the tests whose callback had returned: each is there once,
with the attachments byte for byte.

Run it as ``python tests/trials/openhtf_station.py [--tests N] [--processes N] [--seed
N]``. It prints JSON and ends with 1 if anything is lost, doubled or damaged.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any

from rigbridge.configuration import load_configuration
from rigbridge.opening import open_outbox
from rigbridge.outbox import EntryState, policy
from rigbridge.outbox.queue import leases
from rigbridge.outbox.sending import heartbeat
from rigbridge.testing.run_store.server import RunStoreServer

_LONGEST_STATE = 2.0
_LEASE = 3.0
_TIMEOUT = 120.0
_MOST_SAID = 20


def hurry() -> None:
    """Make waits of our own short, so that much happens."""
    policy.BASE_DELAY, policy.MAX_DELAY = 0.1, 2.0
    for module in (leases, heartbeat):
        setattr(module, "LEASE", _LEASE)  # noqa: B010 - read only, elsewhere


def content_of(serial: str) -> list[tuple[str, bytes]]:
    """Give the attachments of a test: none to three, one the same in many tests."""
    chance = random.Random(serial)  # noqa: S311 - to be repeatable
    files = [
        (f"trace_{number}.bin", chance.randbytes(chance.randrange(200_000)))
        for number in range(chance.randrange(3))
    ]
    if chance.random() < 0.5:
        files.append(("settings.txt", b"the same" * 500))
    return files


def be_a_station(url: str, folder: Path, numbers: list[int], life: int) -> None:
    """Execute tests, and write down each whose callback has returned."""
    import openhtf as htf  # the parent has no use for it

    import rigbridge_openhtf

    sys.argv = sys.argv[:1]
    hurry()
    callback = rigbridge_openhtf.output_callback(
        to=url, data=folder / "data", api_key="key"
    )
    log = os.open(folder / "accepted.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for number in numbers:
        # A test that is repeated after a kill is another one.
        serial = f"SN-{number}-{life}"

        @htf.measures(htf.Measurement("number").in_range(0, 1_000_000))
        def phase(test: Any, serial: str = serial, number: int = number) -> None:
            test.measurements.number = number
            for name, content in content_of(serial):
                test.attach(name, content)

        test = htf.Test(phase, test_name="Simulation")
        test.add_output_callbacks(callback)
        test.execute(test_start=lambda serial=serial: serial)
        os.write(log, f"{serial}\n".encode())


def accepted(folder: Path) -> list[str]:
    """Read the serial numbers of the tests whose callback returned."""
    log = folder / "accepted.txt"
    lines = log.read_text().splitlines(keepends=True) if log.is_file() else []
    return [line.strip() for line in lines if line.endswith("\n")]


class Stations:
    """The processes, each with its share of the numbers."""

    def __init__(self, url: str, folder: Path, tests: int, processes: int) -> None:
        self._url = url
        self._folder = folder
        self._shares = [list(range(n, tests, processes)) for n in range(processes)]
        self._lives = [0] * processes
        self._running = [self._start(n) for n in range(processes)]

    def _start(self, index: int) -> subprocess.Popen[bytes]:
        done = {int(serial.split("-")[1]) for serial in accepted(self._folder)}
        numbers = [number for number in self._shares[index] if number not in done]
        command = [sys.executable, __file__, "--station", self._url, str(self._folder)]
        command += [str(self._lives[index]), json.dumps(numbers)]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def kill(self, index: int) -> bool:
        """Kill one and start another in its place; False if it had ended."""
        process = self._running[index]
        if process.poll() is not None:
            return False
        process.kill()
        process.wait()
        self._lives[index] += 1
        self._running[index] = self._start(index)
        return True

    def wait(self) -> None:
        """Wait for the end of all."""
        for process in self._running:
            if process.wait() != 0:
                raise SystemExit(f"a station ended by itself: {process.returncode}")


@contextlib.contextmanager
def half_of_the_time(
    server: RunStoreServer, chance: random.Random
) -> Generator[dict[str, float]]:
    """Have the store down half of the time, in turns of random length."""
    over = threading.Event()
    spent = {"up": 0.0, "down": 0.0}

    def turn() -> None:
        while not over.is_set():
            for state in ("down", "up"):
                with contextlib.ExitStack() as stack:
                    if state == "down":
                        stack.enter_context(server.refusing())
                    began = time.monotonic()
                    over.wait(0.2 + chance.random() * _LONGEST_STATE)
                    spent[state] += time.monotonic() - began

    thread = threading.Thread(target=turn)
    thread.start()
    try:
        yield spent
    finally:
        over.set()
        thread.join()


def send_the_rest(folder: Path, url: str) -> list[str]:
    """Send what is left; say what does not go."""
    hurry()
    configuration = load_configuration(to=url, data=folder / "data", api_key="key")
    with open_outbox(configuration) as outbox:
        # The lease of the killed process ends by itself. A busy machine may take long,
        # but something must get on.
        left, end = -1, 0.0
        while (waiting := outbox.flush(5.0)) and (
            waiting != left or time.monotonic() < end
        ):
            if waiting != left:
                left, end = waiting, time.monotonic() + _TIMEOUT
            time.sleep(0.1)
        parked = outbox.entries([EntryState.PARKED])
        pending = outbox.entries([EntryState.PENDING, EntryState.SENDING])
    return [f"{e.serial_number} is {e.state}: {e.reason}" for e in [*pending, *parked]]


def compared(server: RunStoreServer, folder: Path) -> dict[str, Any]:
    """Compare what the store holds with the tests whose callback had returned."""
    stored = Counter(run.serial_number for run in server.runs)
    finished = accepted(folder)
    wrong = [f"{serial} is lost" for serial in finished if serial not in stored]
    wrong += [f"{serial} is stored {n} times" for serial, n in stored.items() if n > 1]
    for run in server.runs:
        names = {name for name, _ in content_of(run.serial_number)}
        held = [f for f in server.attachments(run.id) if f[0] in names]
        if sorted(held) != sorted(content_of(run.serial_number)):
            wrong.append(f"{run.serial_number} has other attachments")
    # Hidden ones are hand-overs that the kill cut off: their callback never returned.
    left = [path.name for path in (folder / "data/incoming").glob("[!.]*")]
    wrong += [f"{name} was not taken into the queue" for name in left]
    attachments = sum(len(content_of(serial)) for serial in finished)
    return {
        "tests": len({serial.split("-")[1] for serial in finished}),
        "stored": len(server.runs),
        "attachments": attachments,
        "wrong": wrong,
    }


def simulate(tests: int, processes: int, seed: int) -> dict[str, Any]:
    """Do the trial."""
    chance = random.Random(seed)  # noqa: S311 - to be repeatable
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="rigbridge-station-") as name,
        RunStoreServer(api_key="key") as server,
    ):
        folder = Path(name)
        at = chance.randrange(tests // 5, tests // 2)
        with half_of_the_time(server, chance) as spent:
            stations = Stations(server.url, folder, tests, processes)
            while len(accepted(folder)) < at:
                time.sleep(0.02)
            killed = stations.kill(chance.randrange(processes))
            stations.wait()
        wrong = send_the_rest(folder, server.url)
        found = compared(server, folder)
    if found["tests"] != tests:
        wrong.append(f"only {found['tests']} tests came to their end")
    return {
        "seed": seed,
        "processes": processes,
        "killed": killed,
        "down": round(spent["down"] / (spent["up"] + spent["down"]), 2),
        "seconds": round(time.monotonic() - began),
        **found,
        "wrong": (wrong + found["wrong"])[:_MOST_SAID],
    }


def main() -> int:
    """Do the trial; give the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", type=int, default=500)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--station", nargs=4, metavar=("URL", "FOLDER", "LIFE", "N"))
    given = parser.parse_args()
    # That nothing can be sent while the store is down is meant to happen.
    logging.getLogger("rigbridge.outbox").addFilter(
        lambda record: record.exc_info is not None
    )
    if given.station:
        url, folder, life, numbers = given.station
        be_a_station(url, Path(folder), json.loads(numbers), int(life))
        return 0
    found = simulate(given.tests, given.processes, given.seed)
    print(json.dumps(found))
    return 1 if found["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
