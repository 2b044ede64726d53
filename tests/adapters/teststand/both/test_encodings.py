"""Encodings as declared, and bytes that contradict them (oddity 1)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rigbridge.adapters import Source
from rigbridge.testing import Reading, read_all
from rigbridge_teststand.atml.adapter import TestStandATMLAdapter
from rigbridge_teststand.xml import report_files

TEXT = (Path(__file__).parent / "fixtures" / "atml-5.00-chinese.xml").read_text(
    "gb2312"
)
CHINESE = "电源电压"
MARK = "µ°€•"


def declared(encoding: str, name: str = CHINESE) -> str:
    """Give a report whose first step has a name, under a declaration."""
    text = TEXT.replace('encoding="gb2312"', f'encoding="{encoding}"')
    if not name.startswith(CHINESE):
        text = text.replace("所有电源", "all").replace("三号厂房", "hall")
    return text.replace(CHINESE, name)


def read(content: bytes) -> Reading:
    """Read a report."""
    return read_all(TestStandATMLAdapter(), Source.from_bytes(content, "a.xml"))


def rules(reading: Reading) -> list[str]:
    """Give what was done about the encoding."""
    return [item.rule for item in reading.report.entries if item.item == "encoding"]


@pytest.fixture(params=[1 << 24, 4096], ids=["whole", "stream"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read files as a whole, and as a stream."""
    monkeypatch.setattr(report_files, "STREAMED_ABOVE", request.param)


class TestDeclared:
    """Bytes that are what they say."""

    @pytest.mark.parametrize(
        ("encoding", "name"),
        [
            ("gb2312", CHINESE),
            ("GB2312", CHINESE),
            ("gbk", "朱镕基"),
            ("gb18030", "朱镕基€"),
            ("big5", "電源"),
            ("utf-8", CHINESE),
            ("utf-16", CHINESE),
            ("windows-1252", MARK),
            ("iso-8859-1", "Größe µ"),
        ],
    )
    def test_names_are_read(self, encoding: str, name: str) -> None:
        """The declaration is believed, and nothing is said of it."""
        text = declared(encoding, name)
        if encoding == "gbk":
            text = declared(encoding, f"{CHINESE}{name}")
            name = f"{CHINESE}{name}"
        reading = read(text.encode(encoding))
        assert reading.runs[0].phases[0].name == name
        assert rules(reading) == []

    @pytest.mark.parametrize("encoding", ["utf-8", "gb2312"])
    def test_a_mark_goes_before_the_declaration(self, encoding: str) -> None:
        """What begins with the mark of UTF-8 is that."""
        reading = read(b"\xef\xbb\xbf" + declared(encoding).encode())
        assert reading.runs[0].phases[0].name == CHINESE


def gbk(text: str) -> bytes:
    """Spell a text in the superset of gb2312."""
    return text.encode("gbk")


def stray(text: str) -> bytes:
    """Spell a text in UTF-8, one sign of it in windows-1252."""
    return text.encode().replace("µ".encode(), "µ".encode("cp1252"))


class TestContradicted:
    """Bytes that are not: the likely encoding is taken, and that is said."""

    @pytest.mark.parametrize(
        ("encoding", "name", "spell", "assumed"),
        [
            ("gb2312", f"{CHINESE}朱镕基", gbk, "gb18030"),
            ("gb2312", CHINESE, str.encode, "utf-8"),
            ("x-foo", CHINESE, str.encode, "utf-8"),
            ("utf-16", CHINESE, str.encode, "utf-8"),
            ("utf-8", f"{CHINESE} 10 µV°", stray, "windows-1252"),
        ],
    )
    def test_every_step_is_read(
        self,
        encoding: str,
        name: str,
        spell: Callable[[str], bytes],
        assumed: str,
    ) -> None:
        """No step is lost, and names come out as they were meant."""
        reading = read(spell(declared(encoding, name)))
        (run,) = reading.runs
        assert run.phases[0].name == name
        assert len(run.phases) == len(read(TEXT.encode("gb2312")).runs[0].phases)
        assert "partial" not in run.metadata
        said = f"bytes contradict the declared encoding, {assumed} assumed"
        assert rules(reading) == [said]

    def test_windows_characters_under_latin_1(self) -> None:
        """The characters that TestStand means by the controls of latin-1 (case 85)."""
        reading = read(declared("iso-8859-1", MARK).encode("cp1252"))
        assert reading.runs[0].phases[0].name == MARK
        assert rules(reading) == ["iso-8859-1 read as windows-1252"]

    def test_a_byte_that_nothing_means(self) -> None:
        """A byte of neither encoding does not keep the rest from being read."""
        content = declared("iso-8859-1", "rail").encode("latin-1")
        reading: Any = read(content.replace(b"Ripple", b"Rip\x81ple"))
        (run,) = reading.runs
        assert "partial" not in run.metadata
        assert run.phases[1].name == "Rip\x81ple"


class TestLatinThatIsNone:
    """latin-1 is declared, and every special character is one of UTF-8."""

    def test_the_names_are_read(self) -> None:
        """The bytes are believed, which is recorded."""
        reading = read(declared("iso-8859-1", "Größe µ").encode())
        assert reading.runs[0].phases[0].name == "Größe µ"
        (rule,) = rules(reading)
        assert rule == "bytes contradict the declared encoding, utf-8 assumed"

    def test_one_other_byte_decides(self) -> None:
        """A character that UTF-8 has not: the declaration is believed."""
        content = declared("iso-8859-1", "Größe").encode("latin-1")
        assert read(content).runs[0].phases[0].name == "Größe"
