"""
Damaged TestStand reports, many of them: no crash, no hang, no flood of memory.

Run it by hand: ``python tests/trials/fuzz_reports.py [COUNT [SEED]]``. Fixtures of
both kinds of report, native and ATML of each version, are mutated (bytes changed,
pieces cut out, doubled or moved). Each input is read as a whole and, once more, as a
stream, as large files are. Whatever happens must be runs or one of our errors, and the
same both times. The closing lines print the count by kind, the seed, the slowest input
and the memory.
"""

from __future__ import annotations

import random
import resource
import sys
import time
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import Any

import attrs

from rigbridge.adapters import Source
from rigbridge.convert import to_document
from rigbridge.errors import RigbridgeError
from rigbridge.testing import read_all
from rigbridge_teststand import report_files
from rigbridge_teststand.adapter import TestStandXMLAdapter
from rigbridge_teststand.atml.adapter import TestStandATMLAdapter

HANG = 5.0
TOKENS = (
    b"<", b">", b"&", b"'", b'"', b"\x00", b"\x1b", b"\xff", b"&#0;", b"]]>",
    b"<![CDATA[",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"NAN", b"-INF", b"1e999", b"9" * 400, b"[-1]",
    b"[99999999999]", b"<Prop>", b"</Prop>", b"<Value>", b"</Value>", b"Type='Array'",
    b"<?xml version='1.0' encoding='gb2312'?>", b"encoding='utf-16'", b"<!--", b"-->",
)  # fmt: skip
SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "samples"
FIXTURES = Path(__file__).parents[1] / "adapters" / "teststand_reports" / "fixtures"
LARGEST = 40_000
WHOLE, STREAMED = 1 << 40, 16
"""Files of more bytes are streamed: none of the inputs, and all of them."""


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
    # A large report is represented by its beginning, which is a cut-off one.
    return [content[:LARGEST] for content in found]


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

    seed: int
    runs: int = 0
    refused: int = 0
    wrong: int = 0
    slowest: float = 0.0
    kinds: Counter[str] = attrs.field(factory=Counter)

    def read(self, adapter: Any, content: bytes, number: int, large: int) -> object:
        """Read an input one way; give its runs, the kind of its error, or None."""
        vars(report_files)["LARGE"] = large
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
        kept = Path(f"fuzz-{self.seed}-{number}.xml")
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


def main(count: int, seed: int) -> int:
    """Read damaged reports; the exit code says whether any did what none may."""
    chance = random.Random(seed)  # noqa: S311 - a trial that can be repeated
    adapters = (TestStandXMLAdapter(), TestStandATMLAdapter())
    fixtures = seeds()
    trial = Trial(seed)
    for number in range(count):
        content = mutated(chance.choice(fixtures), chance)
        for adapter in adapters:
            adapter.detect(content[:4096], "fuzz.xml")
        trial.take(adapters[b"TestResults" in content], content, number)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    kinds = ", ".join(f"{name} {among}" for name, among in sorted(trial.kinds.items()))
    print(f"{count} inputs of {len(fixtures)} fixtures ({kinds}), seed {seed}")
    print("each read as a whole and as a stream")
    print(f"{trial.runs} runs read, {trial.refused} refused, {trial.wrong} wrong")
    print(f"slowest reading {trial.slowest:.2f} s, peak memory {memory} MB")
    return 1 if trial.wrong else 0


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]] or [200_000]
    sys.exit(main(arguments[0], arguments[1] if len(arguments) > 1 else 1))
