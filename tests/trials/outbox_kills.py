"""
Kill test: senders are killed at random points, and everything arrives exactly once.

A separate process forks senders, which share one outbox, hand over runs with
attachments and send them in the background, and kills each with SIGKILL after a random
time; now and then two are alive at once. There are two run stores, and each sender
hands over and sends to one of them. Both fail at random all the while. After each batch
of kills the stores are healed, what was parked is retried as a person would, the rest
is sent, and what each store truly holds is compared with what was handed over for it.

Run it as ``python tests/trials/outbox_kills.py [--kills N] [--seed N] [--batch N]
[--life SECONDS]``. It prints JSON and ends with 1 if anything is lost, doubled,
damaged or in the wrong store. On a busy machine a sender needs a longer life to come to
anything.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import io
import json
import logging
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from rigbridge.client.destination import HTTPDestination
from rigbridge.convert import SIDECAR_NAME
from rigbridge.destinations import DestinationSettings
from rigbridge.model import (
    Attachment,
    Measurement,
    MeasurementOutcome,
    Phase,
    PhaseOutcome,
    ProcedureRef,
    Run,
    RunOutcome,
    Unit,
)
from rigbridge.outbox import EntryState, Outbox, policy
from rigbridge.outbox.queue import leases
from rigbridge.outbox.sending import heartbeat
from rigbridge.testing.run_store.faults import CreateShape, Dialect, Fault, ListShape
from rigbridge.testing.run_store.server import RunStoreServer

_START = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
_TIMEOUT = 1.0
_LEASE = 0.6
_MOST_WAITING = 12
_KEY = "key"
_STORES = 2
_PASSING = (
    Fault.REFUSE,
    Fault.RESET_BEFORE_BODY,
    Fault.RESET_DURING_BODY,
    Fault.RESET,
    Fault.RESET_AFTER,
    Fault.CUT_ANSWER_AFTER,
    Fault.SLOW_ANSWER_AFTER,
    Fault.SLOW_WORK,
    Fault.TOO_MANY_SECONDS,
    Fault.TOO_MANY_DATE,
    Fault.INTERNAL_ERROR,
    Fault.BAD_GATEWAY_HTML,
    Fault.BAD_GATEWAY_HTML_AFTER,
    Fault.UNAVAILABLE,
    Fault.GATEWAY_TIMEOUT_AFTER,
    Fault.EXPIRED_UPLOAD_URL,
    Fault.WRONG_JSON_AFTER,
    Fault.REDIRECT,
)
_DIALECTS = (
    (Dialect(), _PASSING),
    (Dialect.ours(), _PASSING),
    (Dialect(listed_phases=True, listed_creation=False), _PASSING),
    (Dialect(listed_creation=False), _PASSING),
    (Dialect(update=False, listing=ListShape.PAGED_CAMEL_CASE), _PASSING),
    (
        Dialect(sync=False, tells_stored_size=True, create=CreateShape.URL_ONLY),
        (*_PASSING, Fault.TRUNCATED_UPLOAD),
    ),
)


def content_of(number: int) -> list[tuple[str, bytes]]:
    """Give the attachments of a run: none to three, the last the same in many runs."""
    chance = random.Random(number)  # noqa: S311 - to be repeatable
    files = [
        (f"trace-{number}-{index}.bin", chance.randbytes(chance.randrange(40_000)))
        for index in range(chance.randrange(3))
    ]
    return [*files, ("settings.txt", b"the same" * 500)] if number % 3 else files


def run_of(number: int) -> Run:
    """Make the run of a number, the same each time."""
    digest = hashlib.sha256(str(number).encode()).digest()
    return Run(
        id=UUID(bytes=digest[:16], version=4),
        outcome=RunOutcome.PASS if number % 5 else RunOutcome.FAIL,
        procedure=ProcedureRef(name="Final test"),
        # Several runs of one unit with one start, as logs with a date and no time of
        # day have them: all that a list need show of them is the same.
        unit=Unit(serial_number=f"SN-{number // 4}"),
        started_at=_START + timedelta(days=number // 4),
        phases=(
            Phase(
                name="Supply",
                outcome=PhaseOutcome.PASS,
                started_at=_START + timedelta(days=number // 4),
                measurements=(
                    Measurement(
                        name="volts", outcome=MeasurementOutcome.PASS, value=number
                    ),
                ),
            ),
        ),
        attachments=tuple(
            Attachment(
                name=name,
                size=len(content),
                opener=partial(io.BytesIO, content),
            )
            for name, content in content_of(number)
        ),
    )


def opened(folder: Path, url: str) -> Outbox:
    """Open the outbox to send to one store; waits of our own are short."""
    for module in (leases, heartbeat):
        setattr(module, "LEASE", _LEASE)  # noqa: B010 - read only, elsewhere
    policy.BASE_DELAY, policy.MAX_DELAY = 0.02, 0.2
    settings = DestinationSettings(
        data=folder, url=url, api_key=_KEY, timeout=_TIMEOUT, concurrency=4
    )
    return Outbox.open(folder / "outbox", partial(HTTPDestination, settings), name=url)


class Killer:
    """Forks senders and kills them; has no threads, so that forks are clean."""

    def __init__(
        self, folder: Path, urls: list[str], *, seed: int, life: float
    ) -> None:
        self._life = life
        self._open: list[Callable[[], Outbox]] = [
            partial(opened, folder, url) for url in urls
        ]
        self._log = folder / "accepted.txt"
        self._chance = random.Random(seed)  # noqa: S311 - to be repeatable
        # Imported once, before the forks: a sender is at work right away.
        importlib.import_module("cattrs.gen")
        HTTPDestination(DestinationSettings(data=folder, url=urls[0])).close()

    def kill(self, times: int) -> None:
        """Kill so many senders."""
        alive = [self._fork()]
        for _ in range(times):
            if len(alive) < 2 and self._chance.random() < 0.3:
                alive.append(self._fork())
            time.sleep(self._chance.random() * self._life)
            process = alive.pop(0)
            os.kill(process, signal.SIGKILL)
            _, status = os.waitpid(process, 0)
            if not os.WIFSIGNALED(status):
                raise SystemExit(f"a sender ended by itself: {status}")
            if not alive:
                alive.append(self._fork())
        for process in alive:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)

    def _fork(self) -> int:
        seed, store = self._chance.random(), self._chance.randrange(_STORES)
        process = os.fork()
        if process:
            return process
        try:
            self._send(store, random.Random(seed))  # noqa: S311 - to be repeatable
        except BaseException as error:  # noqa: BLE001 - told by the exit code
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(1)

    def _send(self, store: int, chance: random.Random) -> None:
        outbox = self._open[store]()
        outbox.start()
        log = os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        while True:
            status = outbox.status()
            if status.waiting - sum(status.others.values()) < _MOST_WAITING:
                # Numbers of its own: no two stores are meant to get one run.
                own = of_store(accepted(self._log), store)
                number = max(own, default=store - _STORES) + _STORES
                outbox.submit(run_of(number))
                os.write(log, f"{number}\n".encode())
            time.sleep(chance.random() * 0.02)


def accepted(log: Path) -> set[int]:
    """Read which runs were accepted; a cut last line was not."""
    if not log.is_file():
        return set()
    return {
        int(line)
        for line in log.read_text().splitlines(keepends=True)
        if line[-1:] == "\n"
    }


def of_store(numbers: set[int], store: int) -> set[int]:
    """Give those of the numbers whose runs are for a store."""
    return {number for number in numbers if number % _STORES == store}


def compared(server: RunStoreServer, log: Path, store: int) -> dict[str, Any]:
    """Compare what a store holds with what was handed over for it."""
    stored = Counter(str(run.idempotency_key) for run in server.runs)
    wrong: list[str] = []
    numbers = of_store(accepted(log), store)
    # The one after the last may have been cut before it could be written down.
    others = range(1 - store, max(accepted(log), default=0) + 4 * _STORES, _STORES)
    wrong += [
        f"run {number} is in the wrong store"
        for number in others
        if str(run_of(number).id) in stored
    ]
    for number in sorted(numbers):
        run_id = str(run_of(number).id)
        found = [run for run in server.runs if run.idempotency_key == run_id]
        if len(found) != 1:
            wrong.append(f"run {number} is stored {len(found)} times")
        for run in found:
            held = server.attachments(run.id)
            # Made of what the body has no field for; once, like any other file.
            sidecars = [name for name, _ in held if name == SIDECAR_NAME]
            files = sorted(file for file in held if file[0] != SIDECAR_NAME)
            if files != sorted(content_of(number)) or len(sidecars) > 1:
                wrong.append(f"run {number} has {len(held)} other attachments")
    # One that was cut before it could be written down may have been accepted as well.
    wrong += [
        f"{key} is stored {count} times" for key, count in stored.items() if count > 1
    ]
    return {"accepted": len(numbers), "stored": len(server.runs), "wrong": wrong}


def send_the_rest(outbox: Outbox) -> tuple[list[str], set[str]]:
    """Send to one store what is left for it; give what was parked, and why."""
    retried: list[str] = []
    reasons: set[str] = set()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        left = outbox.flush(5.0)
        parked = [
            entry
            for entry in outbox.entries([EntryState.PARKED])
            if entry.destination == outbox.name
        ]
        reasons |= {str(entry.reason) for entry in parked}
        for entry in parked:
            outbox.retry(entry.id)
        retried += [str(entry.id) for entry in parked]
        if not left and not parked:
            break
    return retried, reasons


def batch(kills: int, seed: int, number: int, life: float) -> dict[str, Any]:
    """Kill, heal, send the rest, compare."""
    with ExitStack() as stack:
        name = tempfile.TemporaryDirectory(prefix="rigbridge-kills-")
        folder = Path(stack.enter_context(name))
        servers: list[RunStoreServer] = []
        for store in range(_STORES):
            dialect, faults = _DIALECTS[(number + store) % len(_DIALECTS)]
            server = RunStoreServer(dialect, api_key=_KEY)
            servers.append(stack.enter_context(server))
            server.inject_at_random(faults, chance=0.1, seed=seed, seconds=0.05)
        urls = [server.url for server in servers]
        command = [sys.executable, __file__, "--killer", str(folder), *urls]
        command += ["--kills", str(kills), "--seed", str(seed), "--life", str(life)]
        subprocess.run(command, check=True)
        requests = sum(len(server.requests) for server in servers)
        results: list[dict[str, Any]] = []
        parked: set[str] = set()
        reasons: set[str] = set()
        for store, server in enumerate(servers):
            server.heal()
            with opened(folder, server.url) as outbox:
                retried, why = send_the_rest(outbox)
            parked.update(retried)
            reasons |= why
            results.append(compared(server, folder / "accepted.txt", store))
        wrong = [text for each in results for text in each["wrong"]]
        with opened(folder, urls[0]) as outbox:
            delivered, waiting = outbox.status().delivered, outbox.entries()
        wrong += [f"not delivered: {entry.reason}" for entry in waiting]
        counts = {
            name: sum(each[name] for each in results) for name in ("accepted", "stored")
        }
        if delivered < counts["accepted"]:
            wrong.append(f"only {delivered} delivered")
        attachments = sum(len(run.uploads) for server in servers for run in server.runs)
    return {
        "seed": seed,
        "kills": kills,
        "attachments": attachments,
        "requests": requests,
        "parked": len(parked),
        "reasons": sorted(reasons),
        **counts,
        "wrong": wrong,
    }


def main() -> int:
    """Do the batches; give the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=125)
    parser.add_argument("--life", type=float, default=0.3, metavar="SECONDS")
    parser.add_argument("--killer", nargs=3, metavar=("FOLDER", "URL", "URL"))
    given = parser.parse_args()
    # Retries and refusals are meant to happen; mistakes of ours are shown.
    logging.getLogger("rigbridge.outbox").addFilter(
        lambda record: record.exc_info is not None
    )
    if given.killer:
        folder, *urls = given.killer
        killer = Killer(Path(folder), urls, seed=given.seed, life=given.life)
        killer.kill(given.kills)
        return 0
    began = time.monotonic()
    batches = [
        batch(
            min(given.batch, given.kills - done), given.seed + index, index, given.life
        )
        for index, done in enumerate(range(0, given.kills, given.batch))
    ]
    wrong = [text for each in batches for text in each["wrong"]]
    totals = {
        name: sum(each[name] for each in batches)
        for name in ("kills", "accepted", "stored", "attachments", "requests", "parked")
    }
    found = {
        "seed": given.seed,
        **totals,
        "seconds": round(time.monotonic() - began),
        "reasons": [text for each in batches for text in each["reasons"]],
        "wrong": wrong,
    }
    print(json.dumps(found))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
