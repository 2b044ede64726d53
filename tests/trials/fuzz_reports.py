"""
Damaged TestStand reports, many of them: no crash, no hang, no flood of memory.

Run it by hand: ``python tests/trials/fuzz_reports.py [COUNT [SEED]]``. Fixtures of
both kinds of report are mutated (bytes changed, pieces cut out, doubled or moved) and
read. Whatever happens must be runs or one of our errors. The closing lines print the
count, the seed, the slowest input and the memory.
"""

from __future__ import annotations

import random
import resource
import sys
import time
from importlib import resources
from pathlib import Path

from rigbridge.adapters import Source
from rigbridge.errors import RigbridgeError
from rigbridge.testing import read_all
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
LARGEST = 40_000


def seeds() -> list[bytes]:
    """Give the bundled reports, and the small real ones where they are at hand."""
    bundled = resources.files("rigbridge.examples")
    found = [
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


def main(count: int, seed: int) -> int:
    """Read damaged reports; the exit code says whether any did what none may."""
    chance = random.Random(seed)  # noqa: S311 - a trial that can be repeated
    adapters = (TestStandXMLAdapter(), TestStandATMLAdapter())
    fixtures = seeds()
    runs = refused = wrong = 0
    slowest = 0.0
    for number in range(count):
        content = mutated(chance.choice(fixtures), chance)
        source = Source.from_bytes(content, f"fuzz-{number}.xml")
        adapter = adapters[b"TestResults" in content]
        began = time.perf_counter()
        try:
            reading = read_all(adapter, source)
        except RigbridgeError:
            refused += 1
        except Exception as error:  # noqa: BLE001 - this is what the trial looks for
            wrong += 1
            kept = Path(f"fuzz-{seed}-{number}.xml")
            kept.write_bytes(content)
            print(f"input {number}: {type(error).__name__}: {error}; kept as {kept}")
        else:
            runs += len(reading.runs)
        took = time.perf_counter() - began
        slowest = max(slowest, took)
        if took > HANG:
            wrong += 1
            print(f"input {number}: took {took:.1f} s")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{count} inputs of {len(fixtures)} fixtures, seed {seed}")
    print(f"{runs} runs read, {refused} inputs refused, {wrong} wrong")
    print(f"slowest input {slowest:.2f} s, peak memory {memory} MB")
    return 1 if wrong else 0


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]] or [200_000]
    sys.exit(main(arguments[0], arguments[1] if len(arguments) > 1 else 1))
