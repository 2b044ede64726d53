"""What a check takes for a difference between two readings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import attrs

from rigbridge.adapters import Match, ReadContext, Source, Spool
from rigbridge.model import ProcedureRef, Run, RunOutcome, Unit
from rigbridge.testing.adapters.observation import observe


@attrs.frozen
class NoSettings:
    """Nothing can be set."""


class VersionedAdapter:
    """Tells the first word of a file as the version of its format, and nothing else."""

    name: ClassVar[str] = "versioned"
    settings_type: ClassVar[type[NoSettings]] = NoSettings

    def detect(self, head: bytes, name: str) -> Match | None:
        """Take any file."""
        del head, name
        return Match(0.5, "any")

    def read(self, source: Source, context: ReadContext) -> Iterator[Run]:
        """Give a run of one unit."""
        with source.open() as stream:
            version = stream.read().decode()
        provenance = context.provenance(source, 0, format_version=version)
        yield Run(
            id=provenance.run_id,
            outcome=RunOutcome.PASS,
            procedure=ProcedureRef(name="P"),
            unit=Unit(serial_number="SN-1"),
            source=provenance,
        )


def test_the_version_of_a_format_is_one() -> None:
    """What a file states of it has its place in the run's source."""
    with Spool() as spool:
        first, second, again = (
            observe(
                VersionedAdapter(),
                Source.from_bytes(content, "a.log"),
                spool=spool,
                trial="it",
            ).trace
            for content in (b"1", b"2", b"1")
        )
    assert first != second
    assert first == again
