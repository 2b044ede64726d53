"""
How long an output callback keeps an operator waiting at the end of an OpenHTF test.

One real test of 20 phases with 10 measurements each and 5 attachments of 1 MB is
executed, and its record handed again and again to our callback, before the embedded
store and before a stub that answers at once, like a realistic WAN, or not at all; to
the official client's callback; and to OpenHTF's own JSON output. Printed are
milliseconds until the callback returns, what it costs in processor time, and what a
sync of 4 kB and one of 1 MB take on this disk, since a hand-over is durable when it
returns; ours is also given as a multiple of what five such syncs side by side take in
the same round. What was handed over is sent between the rounds.

Run it as ``DISABLE_TELEMETRY=true python tests/benchmarks/openhtf_callback.py
[--rounds N]``; the official client is of the development environment.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import openhtf as htf
from openhtf.output.callbacks.json_factory import OutputToJSON
from openhtf.util import units

import rigbridge_openhtf
from rigbridge.adapters import Spool

PHASES, MEASUREMENTS, ATTACHMENTS, SIZE = 20, 10, 5, 1_000_000
NETWORKS = {"none": (0.0, 0.0), "WAN": (0.02, 0.04)}
KEY = "tpup_00000000-0000-4000-8000-000000000000"
STUB = Path(__file__).with_name("delaying_store.py")


def _phase(number: int) -> Any:
    names = [f"measurement_{index}" for index in range(MEASUREMENTS)]

    def phase(test: Any) -> None:
        """Measure ten voltages."""
        for index, name in enumerate(names):
            setattr(test.measurements, name, 4.5 + index / 100)
        test.logger.info("phase %d is done", number)
        if number < ATTACHMENTS:
            test.attach(f"trace_{number}.bin", os.urandom(SIZE))

    phase.__name__ = f"phase_{number}"
    measurements = [
        htf.Measurement(name).in_range(4, 5).with_units(units.VOLT) for name in names
    ]
    return htf.measures(*measurements)(phase)


def make_record() -> Any:
    """Execute the test and give its record."""
    records: list[Any] = []
    test = htf.Test(
        *(_phase(number) for number in range(PHASES)),
        test_name="Speed",
        procedure_id="FVT1",
        part_number="P-1",
    )
    test.add_output_callbacks(records.append)
    test.execute(test_start=lambda: "SN-1")
    return records[0]


def refresh(record: Any) -> None:
    """Make another record of it: another time, and bytes that no store knows yet."""
    record.start_time_millis += 1
    for phase in record.phases:
        for attachment in phase.attachments.values():
            path = Path(attachment._filename)
            # As OpenHTF does: a file is written once, and a link to it stays as it is.
            path.unlink()
            path.write_bytes(os.urandom(SIZE))


@contextlib.contextmanager
def stub(delay: float, connect_delay: float) -> Generator[str, None, None]:
    """Start the stub in a process of its own, and give its origin."""
    with subprocess.Popen(
        [sys.executable, str(STUB), str(delay), str(connect_delay)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        # Leaving closes its standard input, and that ends it.


@contextlib.contextmanager
def networks() -> Generator[Iterator[tuple[str, str]], None, None]:
    """Give each network's name and the origin of a store behind it."""
    with contextlib.ExitStack() as stack, socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{unused.getsockname()[1]}"
        origins = [
            (name, stack.enter_context(stub(*delays)))
            for name, delays in NETWORKS.items()
        ]
        yield iter([*origins, ("gone", gone)])


def measure(
    name: str,
    action: Callable[[], object],
    prepare: Callable[[], object],
    rounds: int,
    folder: Path | None = None,
) -> float:
    """
    Time an action again and again, and print the figures.

    Args:
        name: what it is called.
        action: the action.
        prepare: is called before each, untimed.
        rounds: how often.
        folder: where to sync five files before each, for a yardstick; None for none.

    Returns:
        The median, in milliseconds.
    """
    walls: list[float] = []
    processor: list[float] = []
    ratios: list[float] = []
    for _ in range(rounds):
        prepare()
        # In the same round: what a disk takes changes from one minute to the next.
        yardstick = None if folder is None else five_syncs(folder)
        wall, used = time.perf_counter(), time.thread_time()
        action()
        walls.append((time.perf_counter() - wall) * 1000)
        if yardstick is not None:
            ratios.append(walls[-1] / yardstick)
        processor.append((time.thread_time() - used) * 1000)
    print(
        f"{name}: median {statistics.median(walls):.1f} ms, best {min(walls):.1f} ms,"
        f" worst {max(walls):.1f} ms; processor {statistics.median(processor):.1f} ms"
        + (f"; {statistics.median(ratios):.2f} of five syncs" if ratios else ""),
        flush=True,
    )
    return statistics.median(walls)


def five_syncs(folder: Path) -> float:
    """Write and sync five files of 1 MB side by side; gives the milliseconds."""
    contents = [os.urandom(SIZE) for _ in range(ATTACHMENTS)]

    def write(number: int) -> None:
        with (folder / f"sync-{number}").open("wb") as stream:
            stream.write(contents[number])
            stream.flush()
            os.fsync(stream.fileno())

    threads = [
        threading.Thread(target=write, args=(number,)) for number in range(ATTACHMENTS)
    ]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (time.perf_counter() - begun) * 1000


def syncs(folder: Path, rounds: int) -> None:
    """Print what durable writes cost here."""
    for size in (4096, SIZE):
        content = os.urandom(size)

        def write(content: bytes = content) -> None:
            with (folder / "sync").open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())

        measure(f"write and sync of {size} bytes", write, lambda: None, rounds)


def ours(record: Any, folder: Path, to: str, name: str, rounds: int) -> None:
    """Measure our callback before one store."""
    callback = rigbridge_openhtf.output_callback(to=to, api_key=KEY, data=folder)

    def prepare() -> None:
        callback.flush(0.0 if name == "gone" else 30.0)
        refresh(record)

    first = measure(f"ours, first record, {name}", lambda: callback(record), prepare, 1)
    later = measure(
        f"ours, {name}", lambda: callback(record), prepare, rounds, folder.parent
    )
    print(f"ours, {name}: the first took {first / later:.2f} of a later one")
    callback.close()


def official(record: Any, url: str, name: str, rounds: int) -> None:
    """Measure the official client's callback before the same store."""
    import tofupilot.openhtf  # asks for its environment first

    upload = tofupilot.openhtf.upload(api_key=KEY, url=url)

    def action() -> None:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(Exception):
            upload(record)

    measure(f"official, {name}", action, lambda: refresh(record), rounds)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    if os.environ.get("DISABLE_TELEMETRY") != "true":
        parser.error("set DISABLE_TELEMETRY=true: the official client phones home")
    # OpenHTF reads the program's arguments itself.
    sys.argv = sys.argv[:1]
    logging.disable(logging.CRITICAL)
    record, rounds = make_record(), arguments.rounds

    def translate() -> None:
        with Spool() as spool:
            rigbridge_openhtf.to_run(record, spool=spool)

    def output(*, inline: bool) -> None:
        OutputToJSON(io.BytesIO(), inline_attachments=inline)(record)

    with tempfile.TemporaryDirectory() as name, networks() as stores:
        folder = Path(name)
        syncs(folder, rounds)
        measure("translation alone", translate, lambda: refresh(record), rounds)
        measure("OutputToJSON", lambda: output(inline=False), lambda: None, rounds)
        measure("OutputToJSON, inline", lambda: output(inline=True), list, rounds)
        ours(record, folder / "local", "local", "embedded store", rounds)
        for network, url in stores:
            ours(record, folder / network, url, network, rounds)
            official(record, url, network, min(rounds, 5))


if __name__ == "__main__":
    main()
