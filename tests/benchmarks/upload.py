"""
What sending runs costs, beside the official client, over networks near and far.

A stub that answers at once, after 20 ms, or after 20 ms and 40 ms more on a new
connection (a realistic WAN with TLS) takes runs of 10 phases with 5 measurements each,
without attachments and with 5 of 100 kB. Printed are runs a second and how many times
the official client's that is: one run after the other, many at a time, with the event
loop, and one run alone over connections that are open or yet to be made. Last, the
memory that the upload of one large file adds.

Run it as ``DISABLE_TELEMETRY=true python tests/benchmarks/upload.py [--rounds N]
[--skip-large]``; the official client is of the development environment.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import io
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import attrs

from rigbridge.client import Client
from rigbridge.client.async_destination import AsyncHTTPDestination
from rigbridge.client.destination import HTTPDestination
from rigbridge.convert import dump
from rigbridge.destinations import Consignment, DestinationSettings, Progress
from rigbridge.model import (
    Attachment,
    FileOpener,
    Measurement,
    MeasurementOutcome,
    Phase,
    PhaseOutcome,
    ProcedureRef,
    Run,
    RunOutcome,
    Unit,
)
from rigbridge.model.report import ConversionReport

STUB = Path(__file__).with_name("delaying_store.py")
NETWORKS = {"none": (0.0, 0.0), "20 ms": (0.02, 0.0), "WAN": (0.02, 0.04)}
START = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
SIZE = 100_000
LARGE = 1 << 30


@contextlib.contextmanager
def stub(delay: float, connect_delay: float) -> Generator[str, None, None]:
    """Start the stub in a process of its own, and give its origin."""
    process = subprocess.Popen(
        [sys.executable, str(STUB), str(delay), str(connect_delay)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def make_run(files: list[Path]) -> Run:
    """Make a run of 10 phases with 5 measurements each."""
    return Run(
        id=uuid4(),
        outcome=RunOutcome.PASS,
        procedure=ProcedureRef(id="FVT1", name="Final test"),
        unit=Unit(serial_number="SN-0001", part_number="P-1"),
        started_at=START,
        ended_at=START + timedelta(seconds=10),
        phases=tuple(
            Phase(
                name=f"phase {phase}",
                outcome=PhaseOutcome.PASS,
                started_at=START + timedelta(seconds=phase),
                ended_at=START + timedelta(seconds=phase + 1),
                measurements=tuple(
                    Measurement(
                        name=f"measurement {number}",
                        outcome=MeasurementOutcome.PASS,
                        value=3.3,
                        unit="V",
                    )
                    for number in range(5)
                ),
            )
            for phase in range(10)
        ),
        attachments=tuple(
            Attachment(
                name=file.name,
                media_type="application/octet-stream",
                size=file.stat().st_size,
                opener=FileOpener(file),
            )
            for file in files
        ),
    )


def official(url: str, files: list[Path]) -> Callable[[int], None]:
    """Send runs as a program with the official client does."""
    from tofupilot import (  # it reads its settings while imported
        MeasurementOutcome as Outcome,
    )
    from tofupilot import PhaseOutcome as Verdict
    from tofupilot import TofuPilotClient

    with contextlib.redirect_stdout(io.StringIO()):
        client = TofuPilotClient(api_key="k", url=url)
    millis = int(START.timestamp() * 1000)
    phases = [
        {
            "name": f"phase {phase}",
            "outcome": Verdict.PASS,
            "start_time_millis": millis,
            "end_time_millis": millis + 1000,
            "measurements": [
                {
                    "name": f"measurement {number}",
                    "outcome": Outcome.PASS,
                    "measured_value": 3.3,
                    "units": "V",
                }
                for number in range(5)
            ],
        }
        for phase in range(10)
    ]

    def send(count: int) -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            for _ in range(count):
                done = client.create_run(
                    unit_under_test={"serial_number": "SN-0001", "part_number": "P-1"},
                    procedure_id="FVT1",
                    run_passed=True,
                    started_at=START,
                    phases=phases,
                    attachments=[str(file) for file in files] or None,
                )
                assert done["success"], done

    return send


def _keep(_: Progress) -> None:
    """Know that nothing was sent before, as the outbox does."""


def _settings(url: str, **fields: Any) -> DestinationSettings:
    return DestinationSettings(data=Path(), url=url, api_key="k", **fields)


def _consignments(files: list[Path], count: int) -> Iterator[Consignment]:
    run = make_run(files)
    return (
        Consignment(run=attrs.evolve(run, id=uuid4()), keep=_keep) for _ in range(count)
    )


def one_by_one(
    destination: HTTPDestination, files: list[Path]
) -> Callable[[int], None]:
    """Send runs one after the other."""

    def send(count: int) -> None:
        run = make_run(files)
        for _ in range(count):
            receipt = destination.resume(run, Progress(), _keep)
            assert len(receipt.attached) == len(files)

    return send


def calls_alone(url: str) -> Callable[[int], None]:
    """Make nothing but the call, of a body that is made before, as the official one."""
    client = Client(url, "k")
    body = dump(make_run([]), ConversionReport()).body

    def send(count: int) -> None:
        for _ in range(count):
            client.create_run(body, idempotency_key=None)

    return send


def many(destination: HTTPDestination, files: list[Path]) -> Callable[[int], None]:
    """Send runs as many at a time as the client finds best."""

    def send(count: int) -> None:
        for outcome in destination.submit_many(_consignments(files, count)):
            assert outcome.receipt is not None, outcome.error
            assert len(outcome.receipt.attached) == len(files)

    return send


def with_event_loop(url: str, files: list[Path]) -> Callable[[int], None]:
    """Send runs likewise as tasks of an event loop, its client included."""

    async def run(count: int) -> None:
        """Send in one loop."""
        destination = AsyncHTTPDestination(_settings(url))
        async for outcome in destination.submit_many(_consignments(files, count)):
            assert outcome.receipt is not None, outcome.error
        await destination.close()

    return lambda count: asyncio.run(run(count))


def cold(url: str, files: list[Path]) -> Callable[[int], None]:
    """Send one run over connections that are yet to be made."""

    def send(count: int) -> None:
        run = make_run(files)
        for _ in range(count):
            destination = HTTPDestination(_settings(url))
            destination.resume(run, Progress(), _keep)
            destination.close()

    return send


def rate(send: Callable[[int], None], count: int, rounds: int) -> float:
    """Measure runs a second; the median of some rounds."""
    rates = []
    for _ in range(rounds):
        start = time.perf_counter()
        send(count)
        rates.append(count / (time.perf_counter() - start))
    return statistics.median(rates)


def compare(files: list[Path], network: str, rounds: int) -> None:
    """Print one row: a network, and runs with some attachments."""
    far = NETWORKS[network][0] > 0
    with stub(*NETWORKS[network]) as url:
        theirs = official(url, files)
        theirs(1)
        base = rate(theirs, (4 if files else 12) if far else 60, rounds)
        destination = HTTPDestination(_settings(url))
        sequential = one_by_one(destination, files)
        sequential(20 if not far else 4)
        several = many(destination, files)
        several(48)
        found = {
            "one by one": rate(sequential, 12 if far else 100, rounds),
            "many": rate(several, 256 if far else 200, rounds),
            "event loop": rate(with_event_loop(url, files), 200, rounds),
            "alone, new connections": rate(cold(url, files), 3, rounds),
        }
        if not files:
            found["call alone"] = rate(calls_alone(url), 12 if far else 200, rounds)
        destination.close()
    shown = "; ".join(
        f"{name} {speed:.1f}/s = {speed / base:.1f}x" for name, speed in found.items()
    )
    print(f"{network}, {len(files)} attachments: official {base:.1f}/s; {shown}")


def resident() -> int:
    """Give the memory that this process has now, in KiB; Linux only."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 1024


def memory_of_a_large_file(folder: Path) -> None:
    """Print by how much the peak of memory exceeds what was used before 1 GiB."""
    path = folder / "large.bin"
    with path.open("wb") as stream:
        stream.truncate(LARGE)
    with stub(0.0, 0.0) as url, Client(url, "k") as client:
        client.upload("small", None, 3, lambda: io.BytesIO(b"abc"))
        gc.collect()
        before = resident()
        start = time.perf_counter()
        client.upload("large", None, LARGE, FileOpener(path))
        seconds = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"PUT of 1 GiB: +{(after - before) / 1024:.1f} MB, {seconds:.1f} s, "
        f"{threading.active_count()} threads"
    )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--skip-large", action="store_true")
    arguments = parser.parse_args()
    if os.environ.get("DISABLE_TELEMETRY") != "true":
        parser.error("set DISABLE_TELEMETRY=true: the official client phones home")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not arguments.skip_large:
            memory_of_a_large_file(folder)  # first: the maximum never goes down
        files = [folder / f"trace_{number}.bin" for number in range(5)]
        for file in files:
            file.write_bytes(os.urandom(SIZE))
        for network in NETWORKS:
            for attached in ([], files):
                compare(attached, network, arguments.rounds)


if __name__ == "__main__":
    main()
