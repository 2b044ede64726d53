"""The conformance suite changes the bytes of samples that are no text."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import attrs
import pytest

from rigbridge.adapters import Match, ReadContext, Source
from rigbridge.errors import MalformedSourceError
from rigbridge.model import (
    Measurement,
    Phase,
    PhaseOutcome,
    ProcedureRef,
    Run,
    RunOutcome,
    Unit,
)
from rigbridge.testing import AdapterCase, Sample
from rigbridge.testing.adapters.bench import Bench
from rigbridge.testing.adapters.checks.content import every_byte
from rigbridge.testing.adapters.observation import NonconformityError

RECORD = struct.Struct("<4s4sfHH")
CONTENT = RECORD.pack(b"RIG\0", b"SN-7", 3.3, 25, 0)


@attrs.frozen
class ClimateSettings:
    """There are none."""


class ClimateAdapter:
    """Reads a record, and loses the temperature in it; two bytes fill it up."""

    name: ClassVar[str] = "climate"
    settings_type: ClassVar[type[ClimateSettings]] = ClimateSettings

    def __init__(self, settings: ClimateSettings | None = None) -> None:
        self.settings = ClimateSettings() if settings is None else settings

    def detect(self, head: bytes, name: str) -> Match | None:
        """Claim what begins with RIG."""
        return Match(0.9, "RIG") if head.startswith(b"RIG\0") and name else None

    def read(self, source: Source, context: ReadContext) -> Iterator[Run]:
        """Give the run."""
        with source.open() as stream:
            mark, serial, value, _, _ = RECORD.unpack(stream.read())
        if mark != b"RIG\0":
            raise MalformedSourceError("is no RIG", source=source.uri, place="byte 0")
        provenance = context.provenance(source, 0)
        supply = Measurement(name="supply", value=value)
        phase = Phase(name="p", outcome=PhaseOutcome.PASS, measurements=(supply,))
        yield Run(
            id=provenance.run_id,
            outcome=RunOutcome.PASS,
            procedure=ProcedureRef(name="climate"),
            unit=Unit(serial_number=serial.decode("latin-1")),
            phases=(phase,),
            source=provenance,
        )


def bench(folder: Path, content: bytes, padding: tuple[tuple[int, int], ...]) -> Bench:
    """Put the adapter on a bench."""
    sample = Sample(name="a.rig", content=content, padding=padding)
    return Bench(AdapterCase(adapter=ClimateAdapter(), samples=(sample,)), folder)


def test_lost_bytes_are_named(tmp_path: Path) -> None:
    """Those that fill up are declared; those of the temperature are a fault."""
    with pytest.raises(NonconformityError, match=r"another byte at 12, 13: ") as caught:
        every_byte(bench(tmp_path, CONTENT, ((14, 16),)))
    assert "Sample.padding" in str(caught.value)


def test_all_bytes_accounted_for(tmp_path: Path) -> None:
    """What is declared to say nothing is not tried."""
    every_byte(bench(tmp_path, CONTENT, ((12, 16),)))
