"""Cases 7 to 10: what WATS adds, in reports that are built to the description."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from rigbridge.model import RunOutcome


@pytest.fixture
def fields(write: Any) -> str:
    """Give what WATS adds to the unit of a plain report."""
    return "".join(
        write.prop(name, value)
        for name, value in (
            ("UUTPartNumber", "11"),
            ("UUTPartRevisionNumber", "1"),
            ("UUTOperationType", 10),
        )
    )


def engine(text: str, start: object, total: object) -> str:
    """Set the engine's seconds of the main sequence."""
    text = text.replace("<Value>100</Value>", f"<Value>{start}</Value>")
    return text.replace("<Value>12.5</Value>", f"<Value>{total}</Value>")


@pytest.fixture
def wats(write: Any) -> bytes:
    """Write a report as WATS does: its own root, a mark, no date and no verdict."""
    text = write.report(write.step("Pass/Fail Test", write.prop("PassFail", True)))
    text = re.sub(r"<Prop Name=.StartDate.*?(?=<Prop Name=.StationInfo)", "", text)
    inside = text[text.index(">") + 1 : text.rindex("</Report>")]
    inside = inside.replace(
        "<Prop Type='TEResult'>", "<Prop Name='MainSequenceResults' Type='TEResult'>", 1
    )
    info = {
        "ID": "f4fb0a29-93b1-4f7f-ada7-672b382774ab",
        "Start": "2022-06-23T10:55:04.3700000+02:00",
        "EngineStarted": "2022-06-23T08:51:29.9940000Z",
        "PN": "PN1",
        "Rev": "1.0",
        "PCode": "60",
    }
    said = "".join(f"<ReportInfo key='{k}' value='{v}'/>" for k, v in info.items())
    text = engine(f"<TSReport>{said}{inside}</TSReport>", 214.399, "5.41e-05")
    text = text.replace("<Value>101.5</Value>", "<Value>214.4463569</Value>")
    text = text.replace(write.prop("PartNumber", "PB-7"), write.prop("PartNumber", ""))
    return b"\xef\xbb\xbf" + text.encode()


class TestWATS:
    """What WATS adds, in plain reports and in its own."""

    def test_case_7_fields_beside_those_of_teststand(
        self, write: Any, run_of: Any, fields: str
    ) -> None:
        """Part and revision have fields, the operation is metadata."""
        text = engine(write.report(uut=fields), "271367.3371219", "5.0212138")
        run = run_of(write.document(text))
        assert (run.unit.part_number, run.unit.revision) == ("11", "1")
        assert run.metadata["uut.UUTOperationType"] == 10
        assert run.procedure.version == "1.2.0.3"

    def test_case_7_engine_seconds_are_no_date(
        self, write: Any, run_of: Any, fields: str
    ) -> None:
        """Three days of uptime are not three days of testing."""
        text = engine(write.report(uut=fields), "271367.3371219", "5.0212138")
        run = run_of(write.document(text))
        assert run.started_at == datetime(2024, 3, 4, 9, 5, 6, 250000, tzinfo=UTC)
        duration = (run.ended_at - run.started_at).total_seconds()
        assert duration == pytest.approx(5.0212138, abs=1e-6)

    def test_case_8_report_of_wats(self, run_of: Any, wats: bytes) -> None:
        """Everything stands in its entries; the verdict is that of the result."""
        run = run_of(wats)
        assert run.outcome is RunOutcome.PASS
        assert (run.unit.part_number, run.unit.revision) == ("PN1", "1.0")
        assert run.started_at == datetime(2022, 6, 23, 8, 55, 4, 370000, tzinfo=UTC)
        assert run.metadata["report_info.PCode"] == "60"
        assert run.metadata["report_info.ID"].startswith("f4fb0a29-")
        (phase,) = run.phases
        assert phase.name == "Pass/Fail Test"
        assert phase.started_at == datetime(2022, 6, 23, 8, 55, 4, 440357, tzinfo=UTC)

    def test_case_9_exponents_of_times(self, run_of: Any, wats: bytes) -> None:
        """A run of 54 microseconds did not take five seconds."""
        run = run_of(wats)
        assert (run.ended_at - run.started_at).microseconds == 54

    def test_case_10_templates_hold_no_results(self, write: Any, run_of: Any) -> None:
        """The template of the failure stack has a step's name, and is none."""
        stack = (
            "<Prop Name='CriticalFailureStack' Type='Array' HBound='[]'>"
            "<ArrayElementPrototype Type='Obj'>"
            f"{write.prop('StepName', 'template')}</ArrayElementPrototype></Prop>"
        )
        run = run_of(write.document(write.report(uut=stack)))
        assert run.phases == ()
        assert not any("StepName" in key for key in run.metadata)
