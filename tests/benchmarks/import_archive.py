"""
Whole imports of generated archives, against a blank-stripped parse of the same files.

Run it by hand: ``python tests/benchmarks/import_archive.py [--files N] [--jobs N]
[--kind native|atml] [--database URL] [--growth]``. Reports are written to a temporary
folder: native ones of 50 kB, or ATML documents of 5 kB, each of a unit of its own. An
import is a process of its own, its start included, into an empty store; a second one of
the same command follows. The parse of one process is measured right before and right
after, so that the ratio holds on a machine with other work, whose load is printed. On
one that is busy only the processor time says something: that of all processes of the
import is compared with that of the parse as well.

The memory is the highest sum of the proportional set sizes (PSS) of all processes of
the import, looked at five times a second. ``--growth`` imports a tenth first, and
compares the times a file.
"""

from __future__ import annotations

import argparse
import copy
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from importlib import resources as packaged
from pathlib import Path

from lxml import etree

_NATIVE_SIZE = 50_000


def native_report() -> str:
    """Give the bundled report, the steps of its sequence repeated to the size."""
    bundled = packaged.files("rigbridge.examples") / "teststand-nested-sequences.xml"
    root = etree.fromstring(bundled.read_bytes())
    results = next(
        item for item in root.iter("Prop") if item.get("Name") == "ResultList"
    )
    steps = results.findall("Value")
    while len(etree.tostring(root)) < _NATIVE_SIZE:
        for step in steps:
            results.append(copy.deepcopy(step))
    for number, step in enumerate(results.findall("Value")):
        step.set("ID", f"[{number}]")
    return etree.tostring(root, encoding="unicode").replace("PS-100-0042", "SN-#")


def write_reports(folder: Path, kind: str, count: int) -> None:
    """Write reports, each with a serial number of its own."""
    document = Path(__file__).with_name("atml_unit.xml")
    text = (
        document.read_text("utf-8").replace("@", "1")
        if kind == "atml"
        else native_report()
    )
    for number in range(count):
        place = folder / f"{number // 1000:04}"
        place.mkdir(parents=True, exist_ok=True)
        # Other marks of this kind are part of names, which all reports share.
        content = text.replace("SN-#", f"SN-{number:08}")
        content = content.replace('0#"', f'{number:08}"')
        (place / f"report_{number:08}.xml").write_text(content, "utf-8")


def parse_rate(folder: Path, most: int = 2000) -> tuple[float, float]:
    """Parse files of the folder in this process; gives seconds and of processor."""
    parser = etree.XMLParser(remove_blank_text=True, huge_tree=True)
    files = sorted(folder.rglob("*.xml"))[:most]
    began, used = time.perf_counter(), time.process_time()
    for file in files:
        etree.parse(file, parser)
    count = len(files)
    return (
        (time.perf_counter() - began) / count,
        (time.process_time() - used) / count,
    )


class Memory:
    """The sum of the PSS of a process and its children, looked at again and again."""

    def __init__(self, process: int) -> None:
        self.most = 0
        self._process = process
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._ends.wait(0.2):
            self.most = max(self.most, sum(map(_pss, _family(self._process))))

    def end(self) -> int:
        """Stop looking; gives the highest sum in bytes."""
        self._ends.set()
        self._thread.join()
        return self.most


def _family(process: int) -> list[int]:
    try:
        text = Path(f"/proc/{process}/task/{process}/children").read_text("ascii")
    except OSError:
        return [process]
    return [
        process,
        *(found for child in text.split() for found in _family(int(child))),
    ]


def _pss(process: int) -> int:
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text("ascii")
    except OSError:
        return 0
    line = next(line for line in text.splitlines() if line.startswith("Pss:"))
    return int(line.split()[1]) << 10


def run_import(
    reports: Path, data: Path, options: list[str]
) -> tuple[float, float, int]:
    """Import; gives the seconds, those of all processors, and the memory."""
    command = [sys.executable, "-m", "rigbridge", "import", str(reports)]
    began, used = time.perf_counter(), _used()
    process = subprocess.Popen(
        [*command, "--data", str(data), *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    memory = Memory(process.pid)
    code = process.wait()
    seconds = time.perf_counter() - began
    if code:
        sys.exit(f"the import ended with {code}")
    return seconds, _used() - used, memory.end()


def _used() -> float:
    found = resource.getrusage(resource.RUSAGE_CHILDREN)
    return found.ru_utime + found.ru_stime


def measure(folder: Path, arguments: argparse.Namespace, count: int) -> float:
    """Import so many files, and print what that took; gives the seconds a file."""
    reports, data = folder / f"reports-{count}", folder / f"data-{count}"
    write_reports(reports, arguments.kind, count)
    options = [] if arguments.jobs is None else ["--jobs", str(arguments.jobs)]
    if arguments.database is not None:
        os.environ["RIGBRIDGE_DATABASE"] = arguments.database
    before = parse_rate(reports)
    seconds, used, memory = run_import(reports, data, options)
    after = parse_rate(reports)
    again, _, _ = run_import(reports, data, options)
    wall, processor = (
        (one + other) / 2 for one, other in zip(before, after, strict=True)
    )
    print(
        f"{count} {arguments.kind}: {seconds:.1f} s, {count / seconds:.0f} files/s,"
        f" {wall * count / seconds:.2f}x of the parse ({1 / wall:.0f} files/s);"
        f" {1000 * used / count:.2f} ms of processor a file,"
        f" {processor * count / used:.3f}x a processor ({1000 * processor:.2f} ms);"
        f" {memory >> 20} MB; again {again:.1f} s; load {os.getloadavg()[0]:.1f}"
    )
    return seconds / count


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--kind", choices=("native", "atml"), default="native")
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--database")
    parser.add_argument("--growth", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.growth:
            small = measure(Path(folder), arguments, arguments.files // 10)
            large = measure(Path(folder), arguments, arguments.files)
            print(f"a file takes {large / small:.2f} times as long")
        else:
            measure(Path(folder), arguments, arguments.files)


if __name__ == "__main__":
    main()
