"""What stands behind the end of a document, or is missing there, on either way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rigbridge.adapters import Source
from rigbridge.errors import NoRunError
from rigbridge.testing import read_all
from rigbridge_teststand.atml.adapter import TestStandATMLAdapter
from rigbridge_teststand.native.adapter import TestStandXMLAdapter
from rigbridge_teststand.xml import report_files

FIXTURES = Path(__file__).parent / "fixtures"
FILES = ("native-every-step.xml", "atml-6.01-every-step.xml")

pytestmark = pytest.mark.usefixtures("way")


@pytest.fixture(name="way", params=[1 << 24, 16], ids=["whole", "stream"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read files as a whole, and as a stream."""
    monkeypatch.setattr(report_files, "STREAMED_ABOVE", request.param)


@pytest.mark.parametrize("file", FILES)
def test_text_behind_the_end_is_dropped(
    file: str, tmp_path: Path, read_report: Any
) -> None:
    """It is no second document: the runs are whole, the text is said to be left out."""
    path = tmp_path / "a.xml"
    path.write_bytes((FIXTURES / file).read_bytes() + b"\nprinted by hand\n")
    reading = read_report(path)
    alone = read_report(FIXTURES / file)
    assert [run.phases for run in reading.runs] == [run.phases for run in alone.runs]
    assert not any("partial" in run.metadata for run in reading.runs)
    (entry,) = [entry for entry in reading.report.entries if entry.item == "text"]
    assert entry.rule == "stands behind the end of the document"
    assert entry.detail == "printed by hand"
    assert "documents" not in reading.report.items()


def test_a_cut_between_two_reports_is_said(tmp_path: Path, read_report: Any) -> None:
    """Every report is complete, and yet there may have been more."""
    content = (FIXTURES / FILES[0]).read_bytes()
    path = tmp_path / "a.xml"
    path.write_bytes(content[: content.rindex(b"</Reports>")])
    reading = read_report(path)
    (run,) = reading.runs
    assert "partial" not in run.metadata
    (entry,) = [entry for entry in reading.report.entries if entry.item == "file"]
    assert entry.rule == "cut off behind a report, whatever followed is missing"


def test_a_bare_result_set_before_a_cut_is_read(
    tmp_path: Path, read_report: Any
) -> None:
    """Steps without ``TestResults`` around them are read also of a file that is cut."""
    path = tmp_path / "a.xml"
    path.write_text(
        "<trc:TestResultsCollection xmlns:trc='urn:IEEE-1636.1:2013:a' "
        "xmlns:tr='urn:IEEE-1636.1:2013:b'><tr:ResultSet><tr:Outcome value='Passed'/>"
        "<tr:Test ID='1' name='Supply'><tr:Outcome value='Passed'/></tr:Test>"
        "</tr:ResultSet>"
    )
    (run,) = read_report(path).runs
    assert [phase.name for phase in run.phases] == ["Supply"]
    assert "partial" not in run.metadata


@pytest.mark.parametrize("adapter", [TestStandXMLAdapter, TestStandATMLAdapter])
@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff\x00\n"])
def test_nothing_but_a_mark_of_byte_order_is_no_run(mark: bytes, adapter: Any) -> None:
    """Such a file is empty for everybody who looks at it."""
    with pytest.raises(NoRunError):
        read_all(adapter(), Source.from_bytes(mark, "a.xml"))
