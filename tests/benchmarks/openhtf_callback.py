"""
How long the OpenHTF callback keeps a test waiting.

Executes one real test of 20 phases with 10 measurements each and 5 attachments of 1 MB,
then hands its record to the callback again and again. Prints, in milliseconds, the
translation alone and the whole callback, until the run is durable.

Run it as ``python tests/benchmarks/openhtf_callback.py [--to URL] [--rounds N]``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openhtf as htf
from openhtf.util import units

import rigbridge_openhtf
from rigbridge.adapters import Spool

PHASES, MEASUREMENTS, ATTACHMENTS, SIZE = 20, 10, 5, 1_000_000


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
    test = htf.Test(*(_phase(number) for number in range(PHASES)), test_name="Speed")
    test.add_output_callbacks(records.append)
    test.execute(test_start=lambda: "SN-1")
    return records[0]


def refresh(record: Any) -> None:
    """Put new bytes into the attachments, so that no store knows them already."""
    for phase in record.phases:
        for attachment in phase.attachments.values():
            Path(attachment._filename).write_bytes(os.urandom(SIZE))


def measure(
    action: Callable[[], object], prepare: Callable[[], object], rounds: int
) -> str:
    """Time an action and give median, best and worst."""
    action()
    times: list[float] = []
    for _ in range(rounds):
        prepare()
        start = time.perf_counter()
        action()
        times.append((time.perf_counter() - start) * 1000)
    return (
        f"median {statistics.median(times):.1f} ms, "
        f"best {min(times):.1f} ms, worst {max(times):.1f} ms"
    )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", default="local")
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    # OpenHTF reads the program's arguments itself.
    sys.argv = sys.argv[:1]
    record, rounds = make_record(), arguments.rounds

    def translate() -> None:
        with Spool() as spool:
            rigbridge_openhtf.to_run(record, spool=spool)

    with tempfile.TemporaryDirectory() as folder:
        callback = rigbridge_openhtf.output_callback(to=arguments.to, data=Path(folder))
        for name, action in (
            ("translation", translate),
            (f"callback to {arguments.to}", lambda: callback(record)),
        ):
            print(f"{name}: {measure(action, lambda: refresh(record), rounds)}")
        callback.close()


if __name__ == "__main__":
    main()
