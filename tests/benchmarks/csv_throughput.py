"""
How fast delimited logs are read, and how much slower than by the csv module alone.

Writes a log in the built-in long profile, and a wide one of 746 columns with units and
limits in their names, reads each to runs and through ``csv.reader``, and prints
megabytes a second of each and their ratio, by the time of the processor.

Run it as ``python tests/benchmarks/csv_throughput.py [--megabytes N] [--rounds N]``.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rigbridge.adapters import ReadContext, Source, Spool, TimeZonePolicy
from rigbridge_csv import CSVAdapter, CSVSettings

MEASUREMENTS = 50
HEADER = (
    "serial_number,part_number,procedure,station,started_at,run_outcome,phase,"
    "measurement,value,unit,lower_limit,upper_limit,comparator,outcome,fixture"
)


def write_log(path: Path, size: int) -> None:
    """Write a log of about a size in bytes: units of 5 phases of 10 measurements."""
    start = datetime(2024, 3, 14, 6, tzinfo=UTC)
    number = 0
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER.split(","))
        while stream.tell() < size:
            begun = (start + timedelta(seconds=40 * number)).isoformat()
            unit = [f"{number:08d}", "LED-DRV-350", "ICT", "ICT-03", begun, "PASS"]
            for index in range(MEASUREMENTS):
                value = 3.3 + (number * 31 + index * 7) % 97 / 1000
                row = [f"Group {index // 10}", f"TP{index} voltage", f"{value:.4f}"]
                limits = ["V", "3.1", "3.5", "GELE", "PASS", "F-7"]
                writer.writerow([*unit, *row, *limits])
            number += 1


def write_wide_log(path: Path, size: int) -> None:
    """Write a log of about a size in bytes: a unit a row, 743 measurements beside."""
    columns = range(743)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        checks = [f"Check TP{at} (V) {at} <= x <= {at + 1}" for at in columns]
        writer.writerow(["Serial", "Start", "Result", *checks])
        number = 0
        while stream.tell() < size:
            begun = f"2024-03-14 06:{number // 60 % 60:02d}:{number % 60:02d}"
            values = [f"{at + (number * 31 + at * 7) % 97 / 100:.3f}" for at in columns]
            writer.writerow([f"{number:07d}", begun, "Passed", *values])
            number += 1


WIDE = CSVSettings.from_mapping(
    {
        "profiles": [
            {
                "name": "wide",
                "form": "wide",
                "names": r"^(?P<name>.+?) \((?P<unit>\w+)\) (?P<lower>\S+) <= x <= "
                r"(?P<upper>\S+)$",
                "fields": {
                    "serial_number": "Serial",
                    "started_at": "Start",
                    "run_outcome": "Result",
                },
            }
        ]
    }
)


def read_runs(path: Path) -> int:
    """Read the runs, and forget them one by one as an import does."""
    with Spool() as spool:
        context = ReadContext(
            adapter="csv", spool=spool, time_zone=TimeZonePolicy(default="UTC")
        )
        adapter = CSVAdapter(WIDE if path.name == "wide.csv" else None)
        return sum(1 for _ in adapter.read(Source.from_path(path), context))


def read_rows(path: Path) -> int:
    """Split the rows by the csv module, and nothing else."""
    with path.open(encoding="utf-8", newline="") as stream:
        return sum(1 for _ in csv.reader(stream, strict=True))


def best_time(action: Callable[[Path], int], path: Path, rounds: int) -> float:
    """Give the best time of some rounds, in seconds."""
    times: list[float] = []
    for _ in range(rounds):
        start = time.process_time()
        action(path)
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    for name, write in (("long", write_log), ("wide", write_wide_log)):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{name}.csv"
            write(path, int(arguments.megabytes * 1e6))
            size = path.stat().st_size / 1e6
            ours = best_time(read_runs, path, arguments.rounds)
            bare = best_time(read_rows, path, arguments.rounds)
        print(f"{name}, to runs:    {size / ours:7.1f} MB/s")
        print(f"{name}, csv.reader: {size / bare:7.1f} MB/s")
        print(f"{name}, ratio:      {bare / ours:7.3f}x")


if __name__ == "__main__":
    main()
