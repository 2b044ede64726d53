"""The text helpers that authors of adapters use."""

from __future__ import annotations

from datetime import datetime

import pytest

from rigbridge.adapters import ConversionReport, Disposition, Source
from rigbridge.adapters.text import (
    ENGINEERING_SUFFIXES,
    LoggedVerdict,
    find_verdict,
    number_reader,
    parse_time,
    read_lines,
)
from rigbridge.errors import ConfigurationError, MalformedSourceError

LOG = "SN;42\nTemp;21,5 °C\n"


def texts(content: bytes, encoding: str | None = None) -> list[tuple[int, str]]:
    """Read the lines of some bytes with their numbers."""
    source = Source.from_bytes(content, "rig.log")
    lines = read_lines(source, ConversionReport(), encoding=encoding)
    return [(line.number, line.text) for line in lines]


class TestLines:
    """Lines come in the encoding of the log, with their numbers."""

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
    def test_the_encoding_is_found(self, encoding: str) -> None:
        """By its mark, by its bytes, or by a guess."""
        assert texts(LOG.encode(encoding)) == [(1, "SN;42"), (2, "Temp;21,5 °C")]

    def test_a_guess_is_recorded(self) -> None:
        """What was guessed stands in the report, what was declared does not."""
        source = Source.from_bytes(LOG.encode("cp1252"), "rig.log")
        guessed, declared = ConversionReport(), ConversionReport()
        list(read_lines(source, guessed))
        list(read_lines(source, declared, encoding="cp1252"))
        assert guessed.count(Disposition.COERCED, "encoding") == 1
        assert declared.count(Disposition.COERCED) == 0

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_every_line_end(self, end: str) -> None:
        """The ends of Unix, of DOS and of old instruments."""
        assert texts(f"a{end}{end}b".encode()) == [(1, "a"), (2, ""), (3, "b")]

    def test_a_damaged_byte_names_its_line(self) -> None:
        """Only the line that holds it is lost, and only who asks for it is told."""
        source = Source.from_bytes(b"a\nb\xff\nc", "rig.log")
        _, damaged, last = read_lines(source, ConversionReport(), encoding="utf-8")
        assert last.text == "c"
        with pytest.raises(MalformedSourceError, match="0xFF is no text in utf-8") as e:
            _ = damaged.text
        assert e.value.place == "line 2"

    def test_half_a_character_is_an_error(self) -> None:
        """UTF-16 that breaks off within a character is a malformed source."""
        with pytest.raises(MalformedSourceError, match="utf-16"):
            texts("ab".encode("utf-16") + b"c")

    def test_a_wrong_encoding_is_said(self) -> None:
        """An encoding that Python does not know is an error of the configuration."""
        with pytest.raises(ConfigurationError, match="'utf-99' is no encoding"):
            texts(b"a", "utf-99")


class TestNumbers:
    """Numbers of other notations are read only where they are declared."""

    @pytest.mark.parametrize(
        ("text", "number"),
        [
            ("4.7k", 4700.0),
            ("-10m", -0.01),
            ("3µ", 3e-06),
            ("98.2N", 98.2e-9),
            ("1.5", 1.5),
            ("0x1f", 31),
            ("5.k", None),
            ("1e3k", None),
            ("k", None),
            ("", None),
            ("1e400M", None),
        ],
    )
    def test_suffixes(self, text: str, number: float | None) -> None:
        """A suffix is a power of ten; without being declared it is no number."""
        assert number_reader(".", suffixes=ENGINEERING_SUFFIXES)(text) == number
        if text.endswith("k"):
            assert number_reader(".")(text) is None

    @pytest.mark.parametrize(
        ("text", "number"),
        [("1,234.5", 1234.5), ("12,345,678", 12345678), ("12,34", None), (",1", None)],
    )
    def test_thousands(self, text: str, number: float | None) -> None:
        """Groups of three digits, and nothing that may be something else."""
        assert number_reader(".", thousands=",")(text) == number
        assert number_reader(".")(text) is None

    def test_one_sign_cannot_be_both(self) -> None:
        """A sign of thousands that is that of decimals is refused."""
        with pytest.raises(ValueError, match="thousands"):
            number_reader(",", thousands=",")


class TestVerdictsAndTimes:
    """Words and dates mean what is known or declared of them."""

    def test_words(self) -> None:
        """Known words, declared words, and none that is guessed."""
        declared = {"gut": LoggedVerdict.PASS, "ok": LoggedVerdict.UNSET}
        assert find_verdict(" NOK ") is LoggedVerdict.FAIL
        assert find_verdict("Gut") is None
        assert find_verdict("Gut", declared) is LoggedVerdict.PASS
        assert find_verdict("OK", declared) is LoggedVerdict.UNSET

    def test_times(self) -> None:
        """The same text means another day in another declared order."""
        text = "03/04/2024 10:00"
        assert parse_time(text, ["day-first"]) == datetime(2024, 4, 3, 10)  # noqa: DTZ001 - no zone in the text
        assert parse_time(text, ["month-first"]) == datetime(2024, 3, 4, 10)  # noqa: DTZ001 - likewise
        assert parse_time(text, ["iso"]) is None
