"""
Native reports to payload JSON, against a blank-stripped parse of the same files.

Run it by hand: ``python tests/benchmarks/teststand_throughput.py [--large] [--huge]
[REPORT.xml ...]``. Without a report it takes the bundled example with nested
sequences. ``--large`` adds files of 100 MB, with many runs and with a single one, and
``--huge`` one of 1 GB; they are written to the temporary folder and deleted.

What is compared alternates within one run of the script and is measured in processor
time, so that other work on the machine disturbs it little. The work includes the full
model, the conversion report and the payload's JSON, and in a line of its own the
sidecar. Memory is what a process of its own needs beyond the interpreter with all its
modules imported.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import resources
from pathlib import Path

from lxml import etree

from rigbridge.adapters import ReadContext, Source, Spool
from rigbridge.convert import dump
from rigbridge.wire import encode
from rigbridge_teststand.native.adapter import TestStandXMLAdapter

_ROUNDS = 25
_REPEATS = 10
_TURNS = 3
_SCRIPT = Path(__file__).resolve()
_MEGABYTE = 1_000_000


def parse(path: Path) -> None:
    """Parse as the reference does: blanks stripped, nothing else."""
    etree.parse(path, etree.XMLParser(remove_blank_text=True, huge_tree=True))


def convert(path: Path, spool: Spool, form: str) -> int:
    """Read every run of a file and write what is asked for of each; count them."""
    context = ReadContext(adapter="teststand-xml", spool=spool)
    count = 0
    for run in TestStandXMLAdapter().read(Source.from_path(path), context):
        count += 1
        report = context.report.split()
        if form == "model":
            continue
        made = dump(run, report)
        encode(made.body)
        if form == "payload and sidecar":
            encode(made.sidecar)
    return count


def seconds(work: Callable[[], object], repeats: int = _REPEATS) -> float:
    """Measure the processor time of one piece of work."""
    started = time.process_time()
    for _ in range(repeats):
        work()
    return (time.process_time() - started) / repeats


def small(path: Path) -> None:
    """Compare the parts of the way of a small report."""
    with Spool() as spool:
        works: dict[str, Callable[[], object]] = {"parse": partial(parse, path)}
        for form in ("model", "payload", "payload and sidecar"):
            works[form] = partial(convert, path, spool, form)
        found: dict[str, list[float]] = {name: [] for name in works}
        for _ in range(_ROUNDS):
            for name, work in works.items():
                found[name].append(seconds(work))
    print(f"{path.name} ({path.stat().st_size} bytes); bar of the payload: 0.27x")
    ratios = {
        name: statistics.median(
            parsed / taken for parsed, taken in zip(found["parse"], times, strict=True)
        )
        for name, times in found.items()
    }
    for name, times in found.items():
        median = statistics.median(times)
        print(f"  {name:<20} {1 / median:6.0f} reports/s  {ratios[name]:5.2f}x")


def two_processes(path: Path) -> None:
    """Compare one process with two that do the same beside each other."""
    command = [sys.executable, str(_SCRIPT), "--child", "repeat", str(path)]

    def taken(count: int) -> float:
        children = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for _ in range(count)
        ]
        for child in children:
            # It says that everything is imported, and waits.
            assert child.stdout is not None
            child.stdout.readline()
        started = time.perf_counter()
        for child in children:
            # All begin before any is waited for.
            assert child.stdin is not None
            child.stdin.write(b"\n")
            child.stdin.flush()
        for child in children:
            child.communicate()
        return time.perf_counter() - started

    ratios = [2 * taken(1) / taken(2) for _ in range(5)]
    print(f"  two processes: {statistics.median(ratios):.2f}x one; bar: 1.80x")


def child(task: str, path: Path) -> None:
    """Do one task in a process of its own."""
    import resource  # not on every system, and only needed here

    def peak() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with Spool() as spool:
        if task == "repeat":
            print("ready", flush=True)
            sys.stdin.readline()
            for _ in range(400):
                convert(path, spool, "payload")
            return
        before = peak()
        started = time.process_time()
        if task == "parse":
            parse(path)
            count = 0
        else:
            count = convert(path, spool, task)
        taken = time.process_time() - started
    found = {"seconds": taken, "runs": count, "kilobytes": peak() - before}
    print(json.dumps(found))


def measured(task: str, path: Path) -> dict[str, float]:
    """Do one task in a process of its own, and give what it took."""
    command = [sys.executable, str(_SCRIPT), "--child", task, str(path)]
    done = subprocess.run(command, check=True, capture_output=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def large(title: str, path: Path, bar: str, reference: float) -> float:
    """Print what a large file takes, and give the time of its parse for a megabyte."""
    size = path.stat().st_size / _MEGABYTE
    tasks = ("parse", "model", "payload")
    # A gigabyte is not parsed as a whole: its tree would need ten times as much.
    found: dict[str, list[dict[str, float]]] = {
        task: [] for task in tasks if not (reference and task == "parse")
    }
    # In turn, since one reading says little on a busy machine.
    for _ in range(1 if reference else _TURNS):
        for task, readings in found.items():
            readings.append(measured(task, path))
    parses = [reading["seconds"] / size for reading in found.pop("parse", [])]
    parsed = statistics.median(parses) if parses else reference
    print(f"{title} ({size:.0f} MB); bar: {bar}")
    for form, readings in found.items():
        taken = statistics.median(reading["seconds"] for reading in readings)
        memory = max(reading["kilobytes"] for reading in readings)
        print(
            f"  {form:<20} {readings[0]['runs']:6.0f} runs  "
            f"{memory / 1024:5.0f} MB  "
            f"{parsed * size / taken:5.2f}x the parse of 100 MB"
        )
    return parsed


def head_and_body(report: bytes) -> tuple[bytes, bytes]:
    """Cut a file into what stands before its reports, and these."""
    head, opening, rest = report.partition(b"<Report ")
    body, _, _ = rest.rpartition(b"</Reports>")
    return head, opening + body


def write_many(report: bytes, path: Path, size: int) -> None:
    """Write a file of many reports."""
    head, body = head_and_body(report)
    with path.open("wb") as stream:
        stream.write(head)
        for _ in range(size // len(body)):
            stream.write(body)
        stream.write(b"</Reports>")


def step(number: int) -> str:
    """Write a step as TestStand does, indentation and flags included."""

    def prop(name: str, kind: str, value: object, depth: int) -> Iterator[str]:
        indent = "\t" * depth
        yield f"{indent}<Prop Name='{name}' Type='{kind}' Flags='0x0'>"
        yield f"{indent}\t<Value>{value}</Value>"
        yield f"{indent}</Prop>"

    def lines() -> Iterator[str]:
        yield f"\t\t\t\t<Value ID='[{number}]'>"
        yield "\t\t\t\t\t<Prop Type='TEResult' Flags='0x0'>"
        yield from prop("Status", "String", "Passed", 6)
        yield from prop("ReportText", "String", "", 6)
        yield "\t\t\t\t\t\t<Prop Name='Error' Type='Obj' Flags='0x400000'>"
        yield from prop("Code", "Number", 0, 7)
        yield from prop("Msg", "String", "", 7)
        yield from prop("Occurred", "Boolean", "False", 7)
        yield "\t\t\t\t\t\t</Prop>"
        yield from prop("Numeric", "Number", number / 7, 6)
        yield from prop("Units", "String", "V", 6)
        yield from prop("Comp", "String", "GELE", 6)
        yield "\t\t\t\t\t\t<Prop Name='Limits' Type='Obj' Flags='0x3000'>"
        yield from prop("Low", "Number", 0, 7)
        yield from prop("High", "Number", number, 7)
        yield "\t\t\t\t\t\t</Prop>"
        yield "\t\t\t\t\t\t<Prop Name='TS' Type='Obj' Flags='0x0'>"
        yield from prop("StartTime", "Number", 100 + number / 10, 7)
        yield from prop("TotalTime", "Number", 0.0625, 7)
        yield from prop("ModuleTime", "Number", 0.0612345, 7)
        yield from prop("Index", "Number", number, 7)
        yield from prop("StepName", "String", f"Supply {number % 100}", 7)
        yield from prop("StepGroup", "String", "Main", 7)
        yield from prop("StepId", "String", f"ID#:rig{number:06d}AbCdEfGh", 7)
        yield from prop("Id", "Number", number, 7)
        yield from prop("StepType", "String", "NumericLimitTest", 7)
        yield "\t\t\t\t\t\t</Prop>"
        yield "\t\t\t\t\t</Prop>"
        yield "\t\t\t\t</Value>"

    return "\n".join(lines()) + "\n"


def write_single(path: Path, size: int) -> None:
    """Write a file of a single report with very many steps."""
    with path.open("w") as stream:
        stream.write(
            "<?xml version='1.0' encoding='utf-8'?>\n"
            "<Reports><Report Type='UUT' UUTResult='Passed' "
            "Link='0-2024-3-4-9-5-6-250'><Prop Name='UUT' Type='Obj'>"
            "<Prop Name='SerialNumber' Type='String'><Value>SN-1</Value></Prop></Prop>"
            "<Prop Type='TEResult'><Prop Name='Status' Type='String'>"
            "<Value>Passed</Value></Prop><Prop Name='TS' Type='Obj'>"
            "<Prop Name='SequenceCall' Type='Obj'>"
            "<Prop Name='ResultList' Type='Array' ElementType='Obj'>\n"
        )
        number = 0
        while stream.tell() < size:
            for _ in range(1000):
                stream.write(step(number))
                number += 1
        stream.write(
            "</Prop><Prop Name='Sequence' Type='String'><Value>MainSequence</Value>"
            "</Prop></Prop><Prop Name='StartTime' Type='Number'><Value>100</Value>"
            "</Prop></Prop></Prop></Report></Reports>"
        )


def main() -> None:
    """Measure what is asked for and print the ratios beside their bars."""
    default = resources.files("rigbridge.examples") / "teststand-nested-sequences.xml"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--huge", action="store_true")
    parser.add_argument("--child", metavar="TASK")
    parser.add_argument("reports", nargs="*", type=Path, default=[Path(str(default))])
    chosen = parser.parse_args()
    if chosen.child is not None:
        child(chosen.child, chosen.reports[0])
        return
    for report in chosen.reports:
        small(report)
        two_processes(report)
    if not (chosen.large or chosen.huge):
        return
    content = chosen.reports[0].read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "many.xml"
        write_many(content, path, 100 * _MEGABYTE)
        parsed = large("many runs", path, "60 MB, 0.70x", 0.0)
        if chosen.huge:
            write_many(content, path, 1000 * _MEGABYTE)
            large("many runs", path, "60 MB, as much as of 100 MB", parsed)
        write_single(path, 100 * _MEGABYTE)
        large("one run", path, "150 MB", 0.0)


if __name__ == "__main__":
    main()
