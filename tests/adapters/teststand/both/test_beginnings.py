"""What stands before a report, and files that only look like one."""

from __future__ import annotations

import io
import zipfile
from importlib import resources
from typing import Any

import pytest

from rigbridge.adapters import Disposition, Source
from rigbridge.configuration import load_configuration
from rigbridge.errors import UnrecognizedSourceError
from rigbridge.imports import AdapterSet
from rigbridge.testing import Reading, read_all
from rigbridge_teststand.atml.adapter import TestStandATMLAdapter
from rigbridge_teststand.native.adapter import TestStandXMLAdapter
from rigbridge_teststand.xml import report_files

REPORT = (
    resources.files("rigbridge.examples") / "teststand-nested-sequences.xml"
).read_bytes()
READERS: tuple[Any, ...] = (TestStandXMLAdapter(), TestStandATMLAdapter())


def is_claimed(content: bytes, name: str = "report.xml") -> bool:
    """Say whether either reader claims a file."""
    return any(reader.detect(content, name) for reader in READERS)


@pytest.fixture(params=[1 << 24, 4096], ids=["whole", "stream"])
def read(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give what reads a file as a whole, and as a stream."""
    monkeypatch.setattr(report_files, "STREAMED_ABOVE", request.param)

    def reading(content: bytes) -> Reading:
        source = Source.from_bytes(content, "report.xml")
        return read_all(TestStandXMLAdapter(), source, time_zone="UTC")

    return reading


class TestDetection:
    """The root of a report is the first element of its file."""

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("README.md", "# About\n\n    <Reports><Report Type='UUT'/></Reports>\n"),
            ("README.md", "About\n<?xml version='1.0'?><Reports><Report Type='UUT'/>"),
            ("notes.txt", "```xml\n<?xml version='1.0'?>\n<Reports Type='UUT'/>\n```"),
            ("mail.txt", "we saw <TestResults xmlns='urn:IEEE-1636.1:2013'> there"),
        ],
    )
    def test_a_text_that_mentions_a_report(self, name: str, text: str) -> None:
        """It is no damaged report."""
        assert not is_claimed(text.encode(), name)

    @pytest.mark.parametrize(
        "before",
        [
            b"",
            b"\n\n",
            b"\xef\xbb\xbf",
            b"<!-- <Report> -->",
            b"C:\\run> type a.xml\r\n",
        ],
    )
    def test_what_may_stand_before_a_report(self, before: bytes) -> None:
        """Marks, comments and a line of a terminal."""
        assert is_claimed(before + REPORT[REPORT.index(b"<?xml") :])

    @pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    def test_a_zipped_report_is_called_so(self, method: int) -> None:
        """Whether or not its text can be seen in the archive."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", method) as archive:
            archive.writestr("report.xml", REPORT)
        source = Source.from_bytes(packed.getvalue(), "report.xml")
        with pytest.raises(UnrecognizedSourceError, match="is a zip archive"):
            AdapterSet(load_configuration()).choose(source)


class TestRepairs:
    """What is read in spite of it, and recorded."""

    def test_a_line_before_the_declaration(self, read: Any) -> None:
        """The whole report is read; the line is in the account."""
        plain, odd = read(REPORT), read(b"captured by rig 7\r\n" + REPORT)
        assert odd.runs[0].phases == plain.runs[0].phases
        assert odd.report.entries[0].detail == "captured by rig 7"
        assert odd.report.count(Disposition.DROPPED, "text") == 1

    def test_a_line_before_a_report_that_is_cut_off(self, read: Any) -> None:
        """What is complete is read, also where the line has another encoding."""
        cut = REPORT[: len(REPORT) * 2 // 3]
        plain, odd = read(cut), read(b"captured by rig \xb5\r\n" + cut)
        assert plain.runs[0].phases
        assert odd.runs[0].phases == plain.runs[0].phases
        details = [entry.detail for entry in odd.report.entries]
        assert details.count("captured by rig \N{MICRO SIGN}") == 1

    def test_entities_of_html(self, read: Any) -> None:
        """They are read as their characters, but in texts that are marked as such."""
        content = REPORT.replace(
            b"<Value>PS-100", b"<Value>5&nbsp;&micro;A &amp; PS", 1
        )
        reading = read(content)
        serial = reading.runs[0].unit.serial_number
        assert str(serial).startswith("5\N{NO-BREAK SPACE}\N{MICRO SIGN}A & PS")
        rules = {entry.rule for entry in reading.report.entries}
        assert "entities of HTML read as their characters" in rules

    @pytest.mark.parametrize("declared", [b"iso-8859-1", b"windows-1252"])
    def test_utf_8_under_another_declaration(self, read: Any, declared: bytes) -> None:
        """All bytes beyond ASCII are UTF-8, so the declaration is wrong."""
        head, _, rest = REPORT.partition(b"?>")
        head = head[: head.index(b"encoding")] + b'encoding="' + declared + b'"?>'
        rest = rest.replace(b"<Value>PS-100", "<Value>Prüf µ".encode(), 1)
        reading = read(head + rest)
        assert str(reading.runs[0].unit.serial_number).startswith("Prüf µ")
        (entry,) = [item for item in reading.report.entries if item.item == "encoding"]
        assert entry.rule == "bytes contradict the declared encoding, utf-8 assumed"
