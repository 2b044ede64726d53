"""
An archive of generated reports, and the truth about each of its files.

The reports are of all kinds that need no settings, several runs in some, each of units
of its own. Some lie in a zip archive and some in a tar archive. Some are broken in ways
whose outcome is known, some are copies of others, and the assemblies come before the
units that they are made of.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import random
import struct
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any
from uuid import UUID

import attrs

from rigbridge import read
from rigbridge.kept import encode_run
from rigbridge.model import (
    Measurement,
    Phase,
    PhaseOutcome,
    ProcedureRef,
    Run,
    RunOutcome,
    Unit,
)
from rigbridge.model.provenance import run_id

_TESTSTAND = Path(__file__).parents[1] / "adapters/teststand/both/fixtures"
_TOLD_BY_READER = {"csv", "teststand-xml", "teststand-atml", "rigbridge-runs"}
"""Adapters of logs that may grow, and of runs that have an id already."""

__all__ = ["TrueFile", "TrueRun", "write_archive"]

_START = 1_700_000_000
_HEAD = (
    "serial_number,part_number,procedure,started_at,measurement,value,unit,outcome\n"
)
_A_FOLDER = 100


@attrs.frozen(kw_only=True)
class TrueRun:
    """
    A run that a file holds.

    Attributes:
        serial_number: of its unit, or None where the report has none.
        measurements: how many.
        attachments: the SHA-256 of each; empty for a file that is named only.
        sub_units: the serial numbers of what its unit is made of.
        is_kept: whether it can be stored by no store, and lies in quarantine.
    """

    serial_number: str | None
    measurements: int
    attachments: tuple[str, ...] = ()
    sub_units: tuple[str, ...] = ()
    is_kept: bool = False


@attrs.frozen(kw_only=True, slots=False)
class TrueFile:
    """
    A file of the archive.

    Attributes:
        place: its path below the folder; a member of an archive behind ``!/``.
        content: its bytes.
        verdict: what is to come of it; of equal files all but one are duplicates.
        adapter: which one reads it, or None.
        runs: what it holds.
    """

    place: str
    content: bytes = attrs.field(repr=False)
    verdict: str
    adapter: str | None
    runs: tuple[TrueRun, ...] = ()

    @property
    def digest(self) -> str:
        """The SHA-256 of its bytes in hex."""
        return hashlib.sha256(self.content).hexdigest()

    @cached_property
    def run_ids(self) -> tuple[UUID, ...]:
        """The ids of its runs, which follow from its bytes, or from those of each."""
        name = self.adapter or ""
        if name in _TOLD_BY_READER:
            # The reader knows which bytes of a file are those of a run.
            with tempfile.NamedTemporaryFile(suffix=Path(self.place).suffix) as file:
                file.write(self.content)
                file.flush()
                return tuple(run.id for run in read(file.name, adapter=name))
        return tuple(run_id(self.digest, name, at) for at in range(len(self.runs)))


_Made = tuple[str, bytes, str, str | None, tuple[TrueRun, ...]]
"""The ending of the name, the bytes, the verdict, the adapter and the runs."""


class _Reports:
    """Makes one report after the other, each of its number."""

    def __init__(self, chance: random.Random) -> None:
        examples = resources.files("rigbridge.examples")
        self._chance = chance
        self._nested = (examples / "teststand-nested-sequences.xml").read_bytes()
        self._batch = (examples / "teststand-batch-of-two.xml").read_bytes()
        self._record = json.loads(
            (examples / "openhtf-with-attachment.json").read_bytes()
        )
        self._atml = (
            Path(__file__).parents[1] / "benchmarks/atml_unit.xml"
        ).read_bytes()
        self._latin, self._chinese, self._wats = (
            (_TESTSTAND / name).read_bytes()
            for name in (
                "atml-2.02-latin.xml",
                "atml-5.00-chinese.xml",
                "native-wats.xml",
            )
        )
        self.good = (
            self.native,
            self.native_batch,
            self.native_wats,
            self.atml,
            self.atml_latin,
            self.atml_chinese,
            self.exported,
            self.record,
            self.table,
            self.junit,
            self.lot,
        )
        self.broken = (
            self.cut_record,
            self.cut_native,
            self.cut_lot,
            self.empty,
            self.without_serial_number,
            self.partly_without_serial_number,
            self.unknown,
            self.unknown_document,
            self.wrong_encoding,
        )

    def native(self, number: int) -> _Made:
        serial = f"N-{number:07}"
        content = self._nested.replace(b"PS-100-0042", serial.encode())
        run = TrueRun(serial_number=serial, measurements=6)
        return ".xml", content, "imported", "teststand-xml", (run,)

    def native_batch(self, number: int) -> _Made:
        content = self._batch
        serials = [f"B-{number:07}-{at}" for at in (1, 2)]
        for at, serial in enumerate(serials):
            content = content.replace(f"MC-200-000{7 + at}".encode(), serial.encode())
        runs = (TrueRun(serial_number=serial, measurements=3) for serial in serials)
        return ".xml", content, "imported", "teststand-xml", tuple(runs)

    def atml(self, number: int) -> _Made:
        content = self._atml.replace(b"@", b"1").replace(b"#", f"{number:08}".encode())
        run = TrueRun(serial_number=f"SN-{number:08}", measurements=6)
        return ".xml", content, "imported", "teststand-atml", (run,)

    def native_wats(self, number: int) -> _Made:
        serial = f"W-{number:07}"
        content = self._wats.replace(b"12345", serial.encode())
        run = TrueRun(serial_number=serial, measurements=3)
        return ".xml", content, "imported", "teststand-xml", (run,)

    def atml_latin(self, number: int) -> _Made:
        return self._every_step(self._latin, f"O-{number:07}")

    def atml_chinese(self, number: int) -> _Made:
        return self._every_step(self._chinese, f"Z-{number:07}")

    def _every_step(self, content: bytes, serial: str) -> _Made:
        content = content.replace(b">SN-1<", f">{serial}<".encode())
        # It names two files that are not there.
        run = TrueRun(serial_number=serial, measurements=34, attachments=("", ""))
        return ".xml", content, "imported", "teststand-atml", (run,)

    def exported(self, number: int) -> _Made:
        serial, count = f"E-{number:07}", self._chance.randrange(1, 6)
        measured = (Measurement(name=f"m{at}", value=at / 7) for at in range(count))
        run = Run(
            id=UUID(int=self._chance.getrandbits(128), version=4),
            outcome=RunOutcome.PASS,
            procedure=ProcedureRef(name="Board"),
            unit=Unit(serial_number=serial, part_number="DRV"),
            started_at=datetime.fromtimestamp(_START, UTC),
            ended_at=datetime.fromtimestamp(_START + 9, UTC),
            phases=[
                Phase(
                    name="all",
                    outcome=PhaseOutcome.PASS,
                    measurements=list(measured),
                )
            ],
        )
        content = encode_run(run) + b"\n"
        held = TrueRun(serial_number=serial, measurements=count)
        return ".jsonl", content, "imported", "rigbridge-runs", (held,)

    def record(self, number: int, *sub_units: str) -> _Made:
        document, serial = json.loads(json.dumps(self._record)), f"H-{number:07}"
        document["dut_id"] = serial
        trace = b"the same" if number % 4 == 0 else self._chance.randbytes(3000)
        for phase in document["phases"]:
            for attachment in phase["attachments"].values():
                attachment["data"] = base64.b64encode(trace).decode()
                attachment["sha1"] = hashlib.sha1(trace).hexdigest()  # noqa: S324
        if sub_units:
            parts = [{"serial_number": each} for each in sub_units]
            document["metadata"]["sub_units"] = parts
        run = TrueRun(
            serial_number=serial,
            measurements=9,
            attachments=(hashlib.sha256(trace).hexdigest(),),
            sub_units=sub_units,
        )
        content = json.dumps(document).encode()
        return ".json", content, "imported", "openhtf-json", (run,)

    def table(self, number: int) -> _Made:
        lines, runs = [_HEAD], list[TrueRun]()
        for at in range(self._chance.randrange(1, 6)):
            serial, count = f"C-{number:07}-{at}", self._chance.randrange(1, 9)
            start = f"2024-03-14T09:{at:02}:05Z"
            lines += [
                f"{serial},DRV,Board,{start},m{each},{self._chance.random()},V,PASS\n"
                for each in range(count)
            ]
            runs.append(TrueRun(serial_number=serial, measurements=count))
        return ".csv", "".join(lines).encode(), "imported", "csv", tuple(runs)

    def junit(self, number: int) -> _Made:
        serial, count = f"J-{number:07}", self._chance.randrange(1, 6)
        cases = "".join(
            f'<testcase name="t{at}" classname="c" time="1"><properties>'
            f'<property name="volts" value="{self._chance.random()}"/>'
            "</properties></testcase>"
            for at in range(count)
        )
        content = (
            '<?xml version="1.0"?><testsuite name="rig"'
            ' timestamp="2026-01-02T03:04:05"><properties>'
            f'<property name="serial_number" value="{serial}"/></properties>'
            f"{cases}</testsuite>"
        )
        run = TrueRun(serial_number=serial, measurements=count)
        return ".xml", content.encode(), "imported", "junit", (run,)

    def lot(self, number: int) -> _Made:
        content, runs = _record_of(0, 10, bytes([2, 4])) + _start_of(number), []
        for at in range(self._chance.randrange(1, 5)):
            serial, count = f"L-{number:07}-{at}", self._chance.randrange(1, 6)
            content += _part_of(serial, [self._chance.random() for _ in range(count)])
            runs.append(TrueRun(serial_number=serial, measurements=count))
        content += _record_of(1, 20, struct.pack("<I", _START + 3600))
        return ".stdf", content, "imported", "stdf", tuple(runs)

    def cut_record(self, number: int) -> _Made:
        ending, content, _, adapter, _ = self.record(number)
        return ending, content[: len(content) * 2 // 3], "failed", adapter, ()

    def cut_native(self, number: int) -> _Made:
        # What is read before the cut is kept, but its procedure stands behind that.
        ending, content, _, adapter, (run,) = self.native(number)
        cut = content[: len(content) * 2 // 3]
        return ending, cut, "quarantined", adapter, (attrs.evolve(run, is_kept=True),)

    def cut_lot(self, number: int) -> _Made:
        head = _record_of(0, 10, bytes([2, 4])) + _start_of(number)
        whole = head + _part_of(f"L-{number:07}-0", [1.0, 2.0])
        run = TrueRun(serial_number=f"L-{number:07}-0", measurements=2)
        cut = whole + _part_of(f"L-{number:07}-1", [3.0])[:-9]
        return ".stdf", cut, "failed", "stdf", (run,)

    def empty(self, _number: int) -> _Made:
        return ".xml", b"", "empty", None, ()

    def without_serial_number(self, number: int) -> _Made:
        ending, content, _, adapter, (run,) = self.atml(number)
        blank = content.replace(f"SN-{number:08}".encode(), b"")
        kept = attrs.evolve(run, serial_number=None, is_kept=True)
        return ending, blank, "quarantined", adapter, (kept,)

    def partly_without_serial_number(self, number: int) -> _Made:
        lines = f"{_HEAD}C-{number:07},DRV,Board,,m,1,V,PASS\n,DRV,Board,,m,2,V,PASS\n"
        runs = (
            TrueRun(serial_number=f"C-{number:07}", measurements=1),
            TrueRun(serial_number=None, measurements=1, is_kept=True),
        )
        return ".csv", lines.encode(), "quarantined", "csv", runs

    def unknown(self, number: int) -> _Made:
        return ".log", f"note {number}: nothing\n".encode(), "failed", None, ()

    def unknown_document(self, number: int) -> _Made:
        content = f"<?xml version='1.0'?><weather day='{number}'><sun/></weather>"
        return ".xml", content.encode(), "failed", None, ()

    def wrong_encoding(self, number: int) -> _Made:
        # Latin letters in a document that says UTF-8: read as what they must be.
        ending, content, verdict, adapter, (run,) = self.native(number)
        content = content.replace(b"N-", b"\xfc-")
        serial = (run.serial_number or "").replace("N-", "\xfc-")
        return (
            ending,
            content,
            verdict,
            adapter,
            (attrs.evolve(run, serial_number=serial),),
        )


def _record_of(kind: int, subtype: int, content: bytes) -> bytes:
    return struct.pack("<HBB", len(content), kind, subtype) + content


def _text(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


def _start_of(number: int) -> bytes:
    texts = (f"LOT{number}", "CHIP", "tester", "T9", "prog", "1.2", "sub", "eve")
    content = struct.pack("<IIB", _START - 60, _START, 1) + b"P  "
    content += struct.pack("<H", 65535) + b" " + b"".join(map(_text, texts))
    return _record_of(1, 10, content)


def _part_of(serial: str, values: list[float]) -> bytes:
    content = _record_of(5, 10, bytes([1, 0]))
    for at, value in enumerate(values):
        head = struct.pack("<IBBBBf", 100 + at, 1, 0, 0, 0xC0, value)
        content += _record_of(15, 10, head + _text(f"test {at}"))
    end = bytes([1, 0, 0]) + struct.pack("<HHH", len(values), 1, 1)
    end += struct.pack("<hhI", -32768, -32768, 5) + _text(serial)
    return content + _record_of(5, 20, end)


def write_archive(folder: Path, count: int, seed: int) -> list[TrueFile]:
    """
    Write an archive; gives the truth about it.

    Args:
        folder: where; made by this.
        count: how many reports, those in archives included.
        seed: chooses them.
    """
    chance = random.Random(seed)  # noqa: S311 - to be repeatable
    reports = _Reports(chance)
    files = list(_files(reports, chance, count))
    members: dict[str, list[tuple[str, bytes]]] = {}
    for file in files:
        outer, _, member = file.place.rpartition("!/")
        if outer:
            members.setdefault(outer, []).append((member, file.content))
        else:
            path = folder / file.place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)
    for outer, held in members.items():
        path = folder / outer
        path.parent.mkdir(parents=True, exist_ok=True)
        (_write_zip if outer.endswith(".zip") else _write_tar)(path, held)
    return files


def _files(reports: _Reports, chance: random.Random, count: int) -> Iterator[TrueFile]:
    broken, copies = max(count // 50, len(reports.broken)), max(count // 100, 2)
    assemblies = max(count // 50, 2)
    made: list[_Made] = []
    for number in range(count - copies - assemblies):
        kinds: Any = reports.broken if number < broken else reports.good
        made.append(kinds[number % len(kinds)](number))
    units = [
        run.serial_number or "" for each in made for run in each[4] if not run.is_kept
    ]
    parts = chance.sample(units, min(2 * assemblies, len(units)))
    wholes: list[_Made] = []
    for at in range(assemblies):
        # Each second one is a part of the next: assemblies of assemblies.
        below = [wholes[-1][4][0].serial_number or ""] if at % 2 else []
        own = parts[2 * at : 2 * at + 2]
        wholes.append(reports.record(count + at, *own, *below))
    chance.shuffle(made)
    # The outermost first, and all of them before what they are made of.
    for at, whole in enumerate(reversed(wholes)):
        yield _placed(f"00-assemblies/whole-{at:05}", whole)
    good = [each for each in made if each[2] == "imported"]
    last = len(made) // _A_FOLDER + 1
    for at, each in enumerate(made):
        place = f"{at // _A_FOLDER + 1:03}/report-{at:06}"
        if at % 20 == 7:
            place = f"{last // 3:03}/bundle.zip!/{place}"
        elif at % 20 == 13:
            place = f"{last // 2:03}/bundle.tar!/{place}"
        yield _placed(place, each)
    for at in range(copies):
        # Some beside what they are copies of, and some in another folder.
        each = chance.choice([*good, wholes[0]])
        folder = "000" if at % 2 else f"{last:03}"
        yield _placed(f"{folder}/copy-{at:05}", each)


def _placed(place: str, made: _Made) -> TrueFile:
    ending, content, verdict, adapter, runs = made
    return TrueFile(
        place=f"{place}{ending}",
        content=content,
        verdict=verdict,
        adapter=adapter,
        runs=runs,
    )


def _write_zip(path: Path, members: list[tuple[str, bytes]]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)


def _write_tar(path: Path, members: list[tuple[str, bytes]]) -> None:
    with tarfile.open(path, "w") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
