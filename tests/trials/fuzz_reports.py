"""
Damaged TestStand reports, many of them: no crash, no hang, no flood of memory.

Run it by hand: ``python tests/trials/fuzz_reports.py [COUNT [SEED [WORKERS]]]``.
Fixtures of both kinds of report, native and ATML of each version, are mutated (bytes
changed, pieces cut out, doubled or moved). Larger fixtures are divided beforehand, a
few steps in each part. Each input is read as a whole and, once more, as a stream, as
large files are. Whatever happens must be runs or one of our errors, and the same both
times. The closing lines print the count by kind, the seed, the slowest input and the
memory.
"""

from __future__ import annotations

import random
import resource
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from importlib import resources
from itertools import repeat
from pathlib import Path
from typing import Any

import attrs
from lxml import etree

from rigbridge.adapters import Source
from rigbridge.convert import to_document
from rigbridge.errors import RigbridgeError
from rigbridge.testing import read_all
from rigbridge_teststand.atml.adapter import TestStandATMLAdapter
from rigbridge_teststand.native.adapter import TestStandXMLAdapter
from rigbridge_teststand.xml import report_files, streaming

HANG = 5.0
TOKENS = (
    b"<", b">", b"&", b"'", b'"', b"\x00", b"\x1b", b"\xff", b"&#0;", b"]]>",
    b"<![CDATA[",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"NAN", b"-INF", b"1e999", b"9" * 400, b"[-1]",
    b"[99999999999]", b"<Prop>", b"</Prop>", b"<Value>", b"</Value>", b"Type='Array'",
    b"<?xml version='1.0' encoding='gb2312'?>", b"encoding='utf-16'", b"<!--", b"-->",
)  # fmt: skip
SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "samples"
FIXTURES = Path(__file__).parents[1] / "adapters" / "teststand" / "both" / "fixtures"
LARGEST = 8_000
STEPS = (
    "/*/*/Prop[@Type='TEResult']/*/*/Prop[@Name='ResultList']/Value"
    " | //*[local-name()='ResultSet']/*[@startDateTime]"
    " | //*[local-name()='ResultSet']/*/*[@startDateTime]"
)
OPTIONS = "//*[local-name()='Configuration']/*/* | //Prop[@Name='ReportOptions']/Prop"
WHOLE, STREAMED = 1 << 40, 256
"""
Files of more bytes are streamed: none of the inputs, and nearly all of them.

The declaration stands in what is read first, as it does of a real file.
"""


def seeds() -> list[bytes]:
    """Give the fixtures, the bundled reports, and the real ones that are at hand."""
    bundled = resources.files("rigbridge.examples")
    found = [path.read_bytes() for path in sorted(FIXTURES.glob("*.xml"))]
    found += [
        item.read_bytes() for item in bundled.iterdir() if item.name.endswith(".xml")
    ]
    for folder in ("atml", "teststand_xml"):
        found += [
            path.read_bytes()
            for path in sorted((SHARED / folder).glob("*.xml"))
            if path.stat().st_size
        ]
    return [small for content in found for small in divided(content)]


def divided(content: bytes) -> list[bytes]:
    """Give a report, or where it is large several of a part of its steps each."""
    parts = 1 + len(content) // LARGEST
    if parts == 1:
        return [content]
    found: list[bytes] = []
    for at in range(parts):
        tree: Any = etree.fromstring(content, etree.XMLParser(remove_blank_text=True))
        for places in (STEPS, OPTIONS):
            for place, element in enumerate(tree.xpath(places)):
                if place % parts != at:
                    element.getparent().remove(element)
        encoding = tree.getroottree().docinfo.encoding
        found.append(etree.tostring(tree, encoding=encoding, xml_declaration=True))
    return found


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Damage a report in one to four places."""
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(content) + 1)
        length = chance.choice((1, 4, 40, 400, 4000))
        piece = content[at : at + length]
        kind = chance.randrange(6)
        if kind == 0:
            content = content[:at] + chance.choice(TOKENS) + content[at:]
        elif kind == 1:
            content = content[:at] + content[at + length :]
        elif kind == 2:
            content = content[:at] + piece + content[at:]
        elif kind == 3:
            content = content[:at]
        elif kind == 4:
            there = chance.randrange(len(content) + 1)
            content = content[:there] + piece + content[there:]
        else:
            changed = bytes(byte ^ (1 << chance.randrange(8)) for byte in piece[:8])
            content = content[:at] + changed + content[at + len(changed) :]
    return content


@attrs.define
class Trial:
    """What came of the inputs so far."""

    name: str
    runs: int = 0
    refused: int = 0
    wrong: int = 0
    slowest: float = 0.0
    kinds: Counter[str] = attrs.field(factory=Counter)

    def read(self, adapter: Any, content: bytes, number: int, large: int) -> object:
        """Read an input one way; give its runs, the kind of its error, or None."""
        vars(report_files)["STREAMED_ABOVE"] = large
        source = Source.from_bytes(content, f"fuzz-{number}.xml")
        began = time.perf_counter()
        found: object = None
        try:
            found = read_all(adapter, source).runs
        except RigbridgeError as error:
            found = type(error)
        except Exception as error:  # noqa: BLE001 - this is what the trial looks for
            self.keep(number, content, f"{type(error).__name__}: {error}")
        took = time.perf_counter() - began
        self.slowest = max(self.slowest, took)
        if took > HANG:
            self.keep(number, content, f"took {took:.1f} s")
        return found

    def keep(self, number: int, content: bytes, words: str) -> None:
        """Keep an input that did what none may."""
        self.wrong += 1
        kept = Path(f"fuzz-{self.name}-{number}.xml")
        kept.write_bytes(content)
        print(f"input {number}: {words}; kept as {kept}", flush=True)

    def take(self, adapter: Any, content: bytes, number: int) -> None:
        """Read an input both ways, and compare."""
        self.kinds[adapter.name] += 1
        whole = self.read(adapter, content, number, WHOLE)
        streamed = self.read(adapter, content, number, STREAMED)
        if isinstance(whole, tuple):
            self.runs += len(whole)
        else:
            self.refused += 1
        if None not in (whole, streamed) and not _equal(whole, streamed):
            self.keep(number, content, "the two ways of reading differ")


def _equal(whole: Any, streamed: Any) -> bool:
    if whole == streamed:
        return True
    # In documents one NaN equals another.
    both = [isinstance(found, tuple) for found in (whole, streamed)]
    return all(both) and [*map(to_document, whole)] == [*map(to_document, streamed)]


def part(count: int, seed: int, worker: int) -> tuple[Trial, int]:
    """Do the inputs of one worker; give what came of them, and the memory in MB."""
    vars(streaming).update(CHUNK_SIZE=1 << 10, PARTIAL_SIZE=1 << 12)
    name = f"{seed}-{worker}"
    chance = random.Random(name)  # noqa: S311 - a trial that can be repeated
    adapters = (TestStandXMLAdapter(), TestStandATMLAdapter())
    fixtures = seeds()
    trial = Trial(name)
    for number in range(count):
        content = mutated(chance.choice(fixtures), chance)
        for adapter in adapters:
            adapter.detect(content[:4096], "fuzz.xml")
        trial.take(adapters[b"TestResults" in content], content, number)
        if not (number + 1) % 1_000:
            print(f"{name}: {number + 1} of {count}", file=sys.stderr, flush=True)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return trial, memory


def main(count: int, seed: int = 1, workers: int = 1) -> int:
    """Read damaged reports; the exit code says whether any did what none may."""
    shares = [count // workers + (at < count % workers) for at in range(workers)]
    with ProcessPoolExecutor(workers) as pool:
        done = list(pool.map(part, shares, repeat(seed), range(workers)))
    kinds: Counter[str] = Counter()
    for trial, _ in done:
        kinds += trial.kinds
    runs = sum(trial.runs for trial, _ in done)
    refused = sum(trial.refused for trial, _ in done)
    wrong = sum(trial.wrong for trial, _ in done)
    slowest = max(trial.slowest for trial, _ in done)
    among = ", ".join(f"{name} {share}" for name, share in sorted(kinds.items()))
    print(f"{count} inputs of {len(seeds())} fixtures ({among}), seed {seed}")
    print(f"each read as a whole and as a stream, by {workers} processes")
    print(f"{runs} runs read, {refused} refused, {wrong} wrong")
    memory = max(memory for _, memory in done)
    print(f"slowest reading {slowest:.2f} s, peak memory of a process {memory} MB")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:] or ["200000"])))
