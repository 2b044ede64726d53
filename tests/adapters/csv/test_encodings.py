"""Which encoding a log is in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rigbridge.adapters.text.decoding import decode_head, find_decoding
from rigbridge.testing import Reading

Read = Callable[..., Reading]

LOG = "serial_number,measurement,value,unit\n1,{name},25,{unit}\n"
COLUMNS = {name: name for name in ("serial_number", "measurement", "value", "unit")}
RUSSIAN = "Проверка напряжения питания платы"


def said(reading: Reading) -> list[str]:
    """Give what was recorded of the encoding."""
    entries = reading.report.entries
    return [entry.rule for entry in entries if entry.item == "encoding"]


class TestEncoding:
    """A mark decides, then the declaration, then UTF-8; the rest is a guess."""

    @pytest.mark.parametrize(
        "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "ascii"]
    )
    def test_sure(self, read: Read, encoding: str) -> None:
        """What the bytes tell for sure is not recorded as a guess."""
        unit = "C" if encoding == "ascii" else "°C"
        reading = read(LOG.format(name="T", unit=unit).encode(encoding))
        assert reading.runs[0].unit.serial_number == "1"
        assert reading.runs[0].phases[0].measurements[0].unit == unit
        assert said(reading) == []

    @pytest.mark.parametrize(
        ("encoding", "name", "unit"),
        [
            ("cp1252", "Temperatur", "°C"),
            ("cp1252", "Strom", "µA"),
            ("cp1251", RUSSIAN, "Вт"),
            ("utf-16-le", "Größe", "Ω"),
            ("utf-16-be", "Größe", "Ω"),
        ],
    )
    def test_guessed(self, read: Read, encoding: str, name: str, unit: str) -> None:
        """A guess is recorded with the remedy."""
        reading = read(LOG.format(name=name, unit=unit).encode(encoding))
        measurement = reading.runs[0].phases[0].measurements[0]
        assert (measurement.name, measurement.unit) == (name, unit)
        assert said(reading)[0].startswith("encoding guessed")

    def test_a_late_foreign_byte(self, read: Read) -> None:
        """The first high byte may stand far behind the head of the file."""
        rows = "1,a,1,V\n" * 20_000
        content = LOG.format(name="T", unit="V").encode() + rows.encode()
        reading = read(content + b"1,b,1,\xb5V\n")
        assert reading.runs[0].phases[0].measurements[-1].unit == "µV"
        assert said(reading) == ["encoding guessed from the bytes"]

    def test_a_chunk_may_end_within_a_character(self, read: Read) -> None:
        """UTF-8 is recognized wherever the stream is cut into pieces."""
        content = LOG.format(name="€" * 40_000, unit="V").encode()
        assert said(read(content)) == []
        halves = (content[:1001], content[1001:])
        assert find_decoding(None, halves).encoding == "utf-8"

    def test_declared(self, read: Read) -> None:
        """A declared encoding is taken, and is no guess."""
        content = LOG.format(name=RUSSIAN, unit="Вт").encode("koi8-r")
        reading = read(content, fields=COLUMNS, encoding="koi8-r")
        assert reading.runs[0].phases[0].measurements[0].name == RUSSIAN
        assert said(reading) == []

    def test_a_mark_goes_before_the_declaration(self, read: Read) -> None:
        """A byte order mark against the declaration is followed, and recorded."""
        content = LOG.format(name=RUSSIAN, unit="Вт").encode("utf-8-sig")
        reading = read(content, fields=COLUMNS, encoding="cp1251")
        assert reading.runs[0].phases[0].measurements[0].name == RUSSIAN
        assert said(reading) == [
            "byte order mark followed against the declared encoding"
        ]

    def test_a_mark_may_agree_with_the_declaration(self) -> None:
        """A mark of the declared encoding is no contradiction."""
        assert find_decoding("utf-8", (b"\xef\xbb\xbfa",)).rule is None

    @pytest.mark.parametrize("encoding", [None, "utf-16", "ascii"])
    def test_a_head_is_never_refused(self, encoding: str | None) -> None:
        """Whatever the bytes are, a head gives some text."""
        for head in (b"", b"\xff", b"\xfe\xff\xd8\x00", bytes(range(256))):
            assert isinstance(decode_head(encoding, head), str)
