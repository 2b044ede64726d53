"""Files that TestStand does not write so, and others do."""

from __future__ import annotations

import codecs
from typing import Any

import pytest

from rigbridge.errors import UnrecognizedSourceError
from rigbridge.model import PhaseOutcome, RunOutcome
from rigbridge_teststand.native.adapter import TestStandXMLAdapter

SURE = 0.9
SPACE = "http://www.example.com/reports"


def in_a_namespace(content: bytes, prefix: str) -> bytes:
    """Put a report into a namespace."""
    text = content.decode()
    declared = f"xmlns:{prefix}='{SPACE}'" if prefix else f"xmlns='{SPACE}'"
    if prefix:
        for tag in ("Reports", "Report ", "Report>", "Prop", "Value", "Array"):
            text = text.replace(f"<{tag}", f"<{prefix}:{tag}")
            text = text.replace(f"</{tag}", f"</{prefix}:{tag}")
    return text.replace("Reports>", f"Reports {declared}>", 1).encode()


class TestNamespaces:
    """Reports whose elements have a namespace."""

    @pytest.mark.parametrize("prefix", ["", "ts"])
    def test_elements_are_read_by_their_local_names(
        self, write: Any, read: Any, prefix: str
    ) -> None:
        """The run is that of the report without a namespace, which is recorded."""
        plain = write.document(write.report(write.step("Supply")))
        reading = read(in_a_namespace(plain, prefix))
        (run,) = reading.runs
        assert [phase.name for phase in run.phases] == ["Supply"]
        assert run.unit.serial_number == "SN-1"
        assert SPACE in [entry.detail for entry in reading.report.entries]


class TestAppended:
    """Documents behind one another in a file."""

    @pytest.mark.parametrize(
        ("encoding", "mark"),
        [
            ("utf-8", codecs.BOM_UTF8),
            ("utf-16-le", codecs.BOM_UTF16_LE),
            ("utf-16-be", codecs.BOM_UTF16_BE),
        ],
    )
    def test_each_has_a_byte_order_mark(
        self, write: Any, read: Any, encoding: str, mark: bytes
    ) -> None:
        """Every document makes its run, and no mark is taken for text."""
        both = [write.document(write.report(serial=name)) for name in ("A", "B")]
        texts = [content.decode().replace("utf-8", encoding[:6]) for content in both]
        reading = read(b"".join(mark + text.encode(encoding) for text in texts))
        assert [run.unit.serial_number for run in reading.runs] == ["A", "B"]
        assert "text" not in reading.report.items()


@pytest.mark.parametrize("space", ["", " xmlns='http://www.example.com/reports'"])
def test_reports_of_another_program(read: Any, space: str) -> None:
    """A report of other elements makes no run; the error names one of them."""
    content = (
        f"<Reports{space}><Report type='UUT' SN='1' Result='Passed'>"
        "<Step Name='Supply' StepType='ET_NLT' Status='Passed'/></Report></Reports>"
    ).encode()
    match = TestStandXMLAdapter().detect(content, "a.xml")
    assert match is not None
    assert match.score < SURE
    if space:
        with pytest.raises(UnrecognizedSourceError, match="Reports"):
            read(content)
        return
    reading = read(content)
    assert not reading.runs
    assert "holds Step and no property" in str(reading.failures[0])


@pytest.mark.parametrize(
    ("word", "run", "phase"),
    [
        ("Pass", RunOutcome.PASS, PhaseOutcome.PASS),
        ("FAIL", RunOutcome.FAIL, PhaseOutcome.FAIL),
    ],
)
def test_verdicts_of_other_exporters(
    write: Any, run_of: Any, word: str, run: RunOutcome, phase: PhaseOutcome
) -> None:
    """The short forms of a verdict mean the same."""
    step = write.step("Supply", status=word)
    found = run_of(write.document(write.report(step, result=word, status=word)))
    assert (found.outcome, found.phases[0].outcome) == (run, phase)
