"""
ATML reports: speed and memory against the bars, all of them in one run.

Run it by hand: ``python tests/benchmarks/atml_throughput.py [--large MB] [FILE ...]``.

Small reports are measured from bytes to payload JSON, with the full model and the
conversion report, against a blank-stripped parse of the same bytes; the works
alternate, CPU time is counted and the least of each is taken. Without files, reports
of three sizes are made. With ``--large 100`` a file of 100 MB with many runs, one of
ten times that, and one of 100 MB with a single run are made and read, each in a
process of its own and three times in turn; memory is the peak over that of a bare
interpreter. A run without a serial number gets one, as a rule of the site would do.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

_ROUNDS = 30
_REPEATS = 4
_TURNS = 3
_SMALL, _LARGE = 0.35, 0.3
_MANY, _SINGLE = 60, 150
# One unit; between the marks a cycle of steps, "@" for a step's number, "#" a unit's.
_UNIT = Path(__file__).with_name("atml_unit.xml")
_MARK = "<!-- steps -->\n"
_BEGIN = "<trc:TestResults "
_END = "</trc:TestResults>\n"
_CYCLE = 4


def unit() -> tuple[str, str, str, str, str]:
    """Give what stands before a unit, before its steps, the steps, and after each."""
    before, steps, after = _UNIT.read_text(encoding="utf-8").split(_MARK)
    head, begin, inner = before.partition(_BEGIN)
    rest, end, tail = after.partition(_END)
    return head, begin + inner, steps, rest + end, tail


def report(count: int) -> bytes:
    """Write a file of one unit with so many steps."""
    head, before, steps, after, tail = unit()
    numbered = (steps.replace("@", str(number)) for number in range(count // _CYCLE))
    return f"{head}{before}{''.join(numbered)}{after}{tail}".replace("#", "1").encode()


def write_large(path: Path, size: int, *, single: bool) -> None:
    """Write a file of so many bytes: of one unit, or of units of 200 steps."""
    head, before, steps, after, tail = unit()
    block = "".join(steps.replace("@", str(number)) for number in range(50))
    with path.open("w", encoding="utf-8") as stream:
        written = stream.write(head)
        number = 0
        while written < size:
            written += stream.write(before.replace("#", str(number)))
            written += stream.write(block)
            while single and written < size:
                written += stream.write(block)
            written += stream.write(after.replace("#", str(number)))
            number += 1
        stream.write(tail)


def parse(content: bytes) -> None:
    """Parse as the reference does: blanks stripped, nothing else."""
    from lxml import etree  # a bare interpreter is measured, too

    etree.fromstring(content, etree.XMLParser(remove_blank_text=True, huge_tree=True))


def convert(content: bytes, *, payload: bool = False, sidecar: bool = False) -> None:
    """Read a report, and write the payload of each run."""
    import attrs

    from rigbridge.adapters import Source
    from rigbridge.convert import dump
    from rigbridge.testing import read_all
    from rigbridge.wire import encode
    from rigbridge_teststand.atml.adapter import (
        TestStandATMLAdapter,
    )

    reading = read_all(TestStandATMLAdapter(), Source.from_bytes(content, "a.xml"))
    for run in reading.runs if payload else ():
        unit = attrs.evolve(run.unit, serial_number=run.unit.serial_number or "1")
        made = dump(attrs.evolve(run, unit=unit), reading.report)
        encode(made.body)
        if sidecar:
            encode(made.sidecar)


def small(reports: dict[str, bytes]) -> None:
    """Measure small reports, each and all together."""
    print(f"small reports: x of a stripped parse; the bar of payload JSON is {_SMALL}x")
    total: dict[str, float] = {}
    for name, content in reports.items():
        works = {
            "parse": partial(parse, content),
            "model and report": partial(convert, content),
            "payload JSON": partial(convert, content, payload=True),
            "and sidecar": partial(convert, content, payload=True, sidecar=True),
        }
        least = least_times(works)
        for work, seconds in least.items():
            total[work] = total.get(work, 0.0) + seconds
        print(f"  {name} ({len(content)} bytes): {shown(least)}")
    print(f"  together: {shown(total)}")


def least_times(works: Mapping[str, Callable[[], None]]) -> dict[str, float]:
    """Measure works in turn, and give the least CPU time of each."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(_ROUNDS):
        for name, work in works.items():
            began = time.process_time()
            for _ in range(_REPEATS):
                work()
            found[name].append((time.process_time() - began) / _REPEATS)
    return {name: min(times) for name, times in found.items()}


def shown(times: dict[str, float]) -> str:
    """Show times as multiples of the speed of the parse."""
    parts = [
        f"{name} {times['parse'] / seconds:.2f}x"
        for name, seconds in times.items()
        if name != "parse"
    ]
    return f"parse {times['parse'] * 1e3:.2f} ms, " + ", ".join(parts)


_CHILD = """
import sys, time
from pathlib import Path

def peak():
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

bare = peak()
kind, path = sys.argv[1], Path(sys.argv[2])
began = time.process_time()
if kind == "parse":
    from lxml import etree
    began = time.process_time()
    etree.parse(path, etree.XMLParser(remove_blank_text=True, huge_tree=True))
    print(time.process_time() - began, (peak() - bare) / 1024, 0)
    sys.exit()
from rigbridge.adapters import ReadContext, Source, Spool, TimeZonePolicy
from rigbridge.convert import dump
from rigbridge.wire import encode
from rigbridge_teststand.atml.adapter import TestStandATMLAdapter
began = time.process_time()
runs = 0
with Spool() as spool:
    zone = TimeZonePolicy(default="UTC")
    context = ReadContext(adapter="teststand-atml", spool=spool, time_zone=zone)
    for run in TestStandATMLAdapter().read(Source.from_path(path), context):
        runs += 1
        report = context.report.split()
        if kind == "payload":
            encode(dump(run, report).body)
        del run, report
print(time.process_time() - began, (peak() - bare) / 1024, runs)
"""


def child(kind: str, path: Path) -> tuple[float, float, int]:
    """Read a file in a process of its own: CPU seconds, MB over bare Python, runs."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, kind, path],
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, memory, runs = done.stdout.split()
    return float(seconds), float(memory), int(runs)


def large(megabytes: int) -> None:
    """Measure large files, each in a process of its own."""
    size = megabytes * 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.xml"
        write_large(path, size, single=False)
        print(f"many runs, {megabytes} MB; the bars are {_LARGE}x and {_MANY} MB")
        compare(path)
        write_large(path, size * 10, single=False)
        _, memory, runs = child("payload", path)
        print(
            f"many runs, {megabytes * 10} MB\n  payload of {runs} runs {memory:.0f} MB"
        )
        write_large(path, size, single=True)
        print(f"a single run, {megabytes} MB; the bar is {_SINGLE} MB")
        compare(path)


def compare(path: Path) -> None:
    """Read a large file in each way in turn, and show the least time and the memory."""
    found: dict[str, list[tuple[float, float, int]]] = {}
    for _ in range(_TURNS):
        for kind in ("parse", "model", "payload"):
            found.setdefault(kind, []).append(child(kind, path))
    parsed, _, _ = min(found["parse"])
    print(f"  parse {parsed:.2f} s CPU")
    for kind in ("model", "payload"):
        seconds, memory, runs = min(found[kind])
        ratio = parsed / seconds
        print(f"  {kind} of {runs} runs {ratio:.2f}x, {memory:.0f} MB")


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--large", type=int, metavar="MB")
    parser.add_argument("reports", nargs="*", type=Path)
    asked = parser.parse_args()
    reports = {path.name: path.read_bytes() for path in asked.reports} or {
        f"{count} steps": report(count) for count in (12, 120, 1200)
    }
    small(reports)
    if asked.large:
        large(asked.large)


if __name__ == "__main__":
    main()
