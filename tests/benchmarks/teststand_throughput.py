"""
Native reports to payload JSON, against a blank-stripped parse of the same bytes.

Run it by hand: ``python tests/benchmarks/teststand_throughput.py [REPORT.xml ...]``.
Without arguments it takes the bundled example with nested sequences. The work includes
the full model, the conversion report and the sidecar; parse and work alternate.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib import resources
from pathlib import Path

from lxml import etree

from rigbridge.adapters import Source, Spool
from rigbridge.convert import dump
from rigbridge.testing import read_all
from rigbridge.wire import encode
from rigbridge_teststand.adapter import TestStandXMLAdapter

_ROUNDS = 9
_REPEATS = 60


def parse(content: bytes) -> None:
    """Parse as the reference does: blanks stripped, nothing else."""
    etree.fromstring(content, etree.XMLParser(remove_blank_text=True))


def convert(content: bytes, spool: Spool, *, payload: bool) -> None:
    """Read a report and write the payload of each run."""
    adapter = TestStandXMLAdapter()
    reading = read_all(adapter, Source.from_bytes(content, "a.xml"), spool=spool)
    if payload:
        for run in reading.runs:
            made = dump(run, reading.report)
            encode(made.body)
            encode(made.sidecar)


def rate(work: Callable[[], None]) -> float:
    """Count the reports a second."""
    started = time.perf_counter()
    for _ in range(_REPEATS):
        work()
    return _REPEATS / (time.perf_counter() - started)


def main() -> None:
    """Measure every file and print the ratios."""
    default = resources.files("rigbridge.examples") / "teststand-nested-sequences.xml"
    for path in sys.argv[1:] or [str(default)]:
        content = Path(path).read_bytes()
        rates: dict[str, list[float]] = {"parse": [], "model": [], "payload": []}
        with Spool() as spool:
            for _ in range(_ROUNDS):
                for name, work in (
                    ("parse", partial(parse, content)),
                    ("model", partial(convert, content, spool, payload=False)),
                    ("payload", partial(convert, content, spool, payload=True)),
                ):
                    rates[name].append(rate(work))
        reference = statistics.median(rates["parse"])
        print(f"{path} ({len(content)} bytes)")
        for name, found in rates.items():
            median = statistics.median(found)
            print(f"  {name:<8} {median:8.0f} reports/s  {median / reference:5.2f}x")


if __name__ == "__main__":
    main()
