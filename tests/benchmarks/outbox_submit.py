"""
How long handing a run over to the outbox takes, and how much memory a large file needs.

The run has 20 phases of 10 measurements and 5 attachments of 1 MB, which lie in a
spool as the OpenHTF callback leaves them (taken over by a link) or anywhere else
(copied). The bar is 10 ms where a disk syncs 4 kB in 0.1 ms, elsewhere 6 ms and 7
syncs, so the time of a sync is measured beside it. Then one attachment of 1 GB is
handed over; the bar is 16 MB over the memory before.

Run it as ``python tests/benchmarks/outbox_submit.py [--rounds N] [--large MB]``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import statistics
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from rigbridge.destinations import Destination
from rigbridge.model import (
    Attachment,
    FileOpener,
    Limit,
    Measurement,
    MeasurementOutcome,
    Phase,
    PhaseOutcome,
    ProcedureRef,
    Run,
    RunOutcome,
    SettledFile,
    Unit,
)
from rigbridge.outbox import Outbox

PHASES, MEASUREMENTS, ATTACHMENTS, SIZE = 20, 10, 5, 1_000_000
START = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def nowhere() -> Destination:
    """Give no destination: nothing is sent here."""
    raise AssertionError("nothing comes here")


def phases() -> tuple[Phase, ...]:
    """Make the phases of a run."""
    return tuple(
        Phase(
            name=f"phase {number}",
            outcome=PhaseOutcome.PASS,
            started_at=START + timedelta(seconds=number),
            ended_at=START + timedelta(seconds=number + 1),
            measurements=tuple(
                Measurement(
                    name=f"measurement {index}",
                    outcome=MeasurementOutcome.PASS,
                    value=4.5 + index / 100,
                    unit="V",
                    limits=Limit(lower=4.0, upper=5.0),
                )
                for index in range(MEASUREMENTS)
            ),
        )
        for number in range(PHASES)
    )


def attachments(folder: Path, *, spooled: bool) -> tuple[Attachment, ...]:
    """Write new files; to those that are spooled nobody writes again."""
    made: list[Attachment] = []
    for number in range(ATTACHMENTS):
        content = os.urandom(SIZE)
        sha256 = hashlib.sha256(content).hexdigest()
        path = folder / f"{uuid4()}.bin"
        path.write_bytes(content)
        made.append(
            Attachment(
                name=f"trace-{number}.bin",
                size=SIZE,
                sha256=sha256,
                opener=SettledFile(path, sha256) if spooled else FileOpener(path),
            )
        )
    return tuple(made)


def run_with(files: tuple[Attachment, ...]) -> Run:
    """Make a run with some files."""
    return Run(
        id=uuid4(),
        outcome=RunOutcome.PASS,
        procedure=ProcedureRef(name="Final test"),
        unit=Unit(serial_number="SN-1", part_number="P-1"),
        started_at=START,
        phases=phases(),
        attachments=files,
    )


def sync_time(folder: Path) -> float:
    """Measure the seconds that syncing 4 kB takes."""
    path = folder / "sync"
    took: list[float] = []
    with path.open("wb") as stream:
        for _ in range(50):
            stream.write(bytes(4096))
            stream.flush()
            began = time.perf_counter()
            os.fsync(stream.fileno())
            took.append(time.perf_counter() - began)
    path.unlink()
    return statistics.median(took)


def submitting(folder: Path, rounds: int, *, files: str) -> float:
    """Measure the seconds of one submit: no files, spooled ones, or others."""
    spool = folder / f"files-{files}"
    spool.mkdir()
    took: list[float] = []
    with Outbox.open(folder / f"outbox-{files}", nowhere) as outbox:
        for _ in range(rounds + 3):
            made = (
                () if files == "none" else attachments(spool, spooled=files == "linked")
            )
            run = run_with(made)
            # What was written above is not what is measured.
            os.sync()
            began = time.perf_counter()
            outbox.submit(run)
            took.append(time.perf_counter() - began)
    return statistics.median(took[3:])


def memory() -> int:
    """Give the bytes that this process holds now."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * resource.getpagesize()


def large(folder: Path, megabytes: int) -> float:
    """Measure the MB over before that handing over one large file needs at most."""
    path = folder / "large.bin"
    with path.open("wb") as stream:
        stream.truncate(megabytes * 1_000_000)
    with Outbox.open(folder / "outbox-large", nowhere) as outbox:
        outbox.submit(run_with(()))
        before, most = memory(), 0
        over = threading.Event()

        def watch() -> None:
            nonlocal most
            while not over.wait(0.002):
                most = max(most, memory())

        watcher = threading.Thread(target=watch)
        watcher.start()
        outbox.submit(run_with((Attachment(name="large", opener=FileOpener(path)),)))
        over.set()
        watcher.join()
    return (max(most, memory()) - before) / 1e6


def main() -> int:
    """Print the figures; give the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--large", type=int, default=1000, metavar="MB")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rigbridge-submit-") as name:
        folder = Path(name)
        sync = sync_time(folder) * 1000
        kinds = ("none", "linked", "copied")
        took = {
            kind: submitting(folder, given.rounds, files=kind) * 1000 for kind in kinds
        }
        added = large(folder, given.large)
    bar = max(10.0, 6 + 7 * sync)
    print(
        json.dumps(
            {
                "sync of 4 kB, ms": round(sync, 3),
                "submit, ms": {kind: round(each, 2) for kind, each in took.items()},
                "bar, ms": round(bar, 2),
                "linked, of the bar": round(took["linked"] / bar, 2),
                "copied, of the bar": round(took["copied"] / bar, 2),
                f"file of {given.large} MB, MB added": round(added, 1),
                "bar, MB added": 16,
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
