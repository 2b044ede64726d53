"""
Texts at the places where a reader and the parser might touch one another's memory.

Run it by hand: ``python tests/trials/stress_live_trees.py [COUNT [SEED]]``. A reader of
a large report removes elements from a tree that libxml2 is still adding to. So texts,
CDATA sections, entities, comments and instructions are put between the tags of the
fixtures, mostly behind elements that are complete, and each report is parsed in pieces
that are cut anywhere. The stream must give the same as the whole file. A fault of
memory ends the process; glibc finds more of them where its checks are on:
``LD_PRELOAD=libc_malloc_debug.so.0 MALLOC_CHECK_=3 MALLOC_PERTURB_=165``.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rigbridge.adapters import Source
from rigbridge.convert import to_document
from rigbridge.testing import read_all
from rigbridge_teststand.atml.adapter import TestStandATMLAdapter
from rigbridge_teststand.native.adapter import TestStandXMLAdapter
from rigbridge_teststand.xml import report_files, streaming

FIXTURES = Path(__file__).parents[1] / "adapters" / "teststand" / "both" / "fixtures"
REPORT = re.compile(rb"<(?:\w+:)?(?:TestResults|TSReport|Report)[\s>]")
MARKUP = re.compile(rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|<[^>]+>", re.DOTALL)
STEP_END = re.compile(
    rb"</(?:\w+:)?(?:Report|TestResults|Test|TestGroup|SessionAction|Value|Element)>"
)
BLANKS = re.compile(r"(?:\s|\\n)+")
WHOLE, STREAMED = 1 << 40, 256
CHUNKS = (7, 61, 333, 1_000, 4_096)
PARTS = (1, 4_096)
# The parser gives away a part of a text only where it is longer than 300 bytes.
LENGTHS = (1, 2, 17, 299, 301, 700, 5_000)


def _plain(chance: random.Random) -> bytes:
    return b"t" * chance.choice(LENGTHS)


def _wide(chance: random.Random) -> bytes:
    return "\u00e9\U0001f600".encode() * (chance.choice(LENGTHS) // 4 + 1)


def _entities(chance: random.Random) -> bytes:
    return chance.choice((b"&amp;", b"&#x41;", b"a&lt;b")) * chance.randint(1, 150)


def _section(chance: random.Random) -> bytes:
    return b"<![CDATA[" + b"<c>&" * chance.choice(LENGTHS) + b"]]>"


def _comment(chance: random.Random) -> bytes:
    return b"<!--" + b"x" * chance.choice(LENGTHS) + b"-->"


def _instruction(_: random.Random) -> bytes:
    return b"<?other here?>"


def _blank(chance: random.Random) -> bytes:
    return b" \n" * chance.choice(LENGTHS)


PIECES: tuple[Callable[[random.Random], bytes], ...] = (
    _plain,
    _wide,
    _entities,
    _section,
    _comment,
    _instruction,
    _blank,
)


def with_texts(content: bytes, chance: random.Random) -> bytes:
    """Put pieces between the tags of a report; it stays well-formed."""
    # Only UTF-8 has all characters.
    is_wide = b"utf-8" in content[:100]
    pieces = [piece for piece in PIECES if is_wide or piece is not _wide]
    begin = REPORT.search(content)
    tags = [
        found
        for found in MARKUP.finditer(content, begin.start() if begin else 0)
        if not found[0].startswith((b"<!", b"<?"))
    ]
    # Nothing may stand behind the root.
    places = [found.end() for found in tags[:-1]]
    ends = [found.end() for found in tags[:-1] if STEP_END.fullmatch(found[0])]
    chosen = chance.sample(places, min(chance.choice((1, 4, 40)), len(places)))
    chosen += chance.sample(ends, min(chance.choice((1, 4, 40)), len(ends)))
    parts: list[bytes] = []
    before = 0
    for place in sorted(chosen):
        parts.append(content[before:place])
        parts += [
            chance.choice(pieces)(chance) for _ in range(chance.choice((1, 1, 2, 6)))
        ]
        before = place
    return b"".join(parts) + content[before:]


def told(adapter: Any, content: bytes) -> tuple[list[str], list[str]]:
    """Give the runs of a report, and its account in an order of its own."""
    reading = read_all(adapter, Source.from_bytes(content, "a.xml"), time_zone="UTC")
    account = reading.report.as_document()
    entries: Any = account.pop("entries")
    # Of the first report no index is known before the second. Blanks beside a text
    # may be a node of their own to the parser, by where its piece ends.
    spelled = [
        BLANKS.sub("", re.sub(r"(Reports?|TestResults)\[1\]", r"\1", str(entry)))
        for entry in [*entries, account, *map(str, reading.failures)]
    ]
    runs = [BLANKS.sub("", str(to_document(run))) for run in reading.runs]
    return runs, sorted(spelled)


def main(count: int, seed: int = 1) -> int:
    """Read reports both ways; the exit code says whether any differ."""
    chance = random.Random(seed)  # noqa: S311 - a trial that can be repeated
    fixtures = [
        (path.name, path.read_bytes()) for path in sorted(FIXTURES.glob("*.xml"))
    ]
    adapters: tuple[Any, ...] = (TestStandXMLAdapter(), TestStandATMLAdapter())
    differing = 0
    for number in range(count):
        name, content = fixtures[number % len(fixtures)]
        content = with_texts(content, chance)
        adapter = adapters[b"TestResults" in content]
        vars(report_files)["STREAMED_ABOVE"] = WHOLE
        whole = told(adapter, content)
        vars(report_files)["STREAMED_ABOVE"] = STREAMED
        vars(streaming).update(
            CHUNK_SIZE=chance.choice(CHUNKS), PARTIAL_SIZE=chance.choice(PARTS)
        )
        streamed = told(adapter, content)
        if whole != streamed:
            differing += 1
            kept = Path(f"stress-{seed}-{number}.xml")
            kept.write_bytes(content)
            print(f"report {number} of {name}: the ways differ; kept as {kept}")
        if not (number + 1) % 100:
            print(f"{number + 1} of {count}", file=sys.stderr, flush=True)
    print(
        f"{count} reports of {len(fixtures)} fixtures, seed {seed}: {differing} differ"
    )
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:] or ["5000"])))
