"""A real native report, read and compared with what stands in the file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rigbridge.adapters import Disposition, Source
from rigbridge.model import (
    Limit,
    Run,
    RunOutcome,
)
from rigbridge.testing import Reading, read_all
from rigbridge_teststand.native.adapter import TestStandXMLAdapter
from rigbridge_teststand.settings import TestStandSettings

SHARED = Path(__file__).parents[4] / "../shared/samples/teststand_xml"
SAMPLE = SHARED / "Virinco__TestStand-XML-Converter__TsWithoutWats.xml"


def reading(content: bytes, **settings_of_site: Any) -> Reading:
    """Read a report."""
    adapter = TestStandXMLAdapter(TestStandSettings(**settings_of_site))
    return read_all(adapter, Source.from_bytes(content, "report.xml"))


def run_of(content: bytes, **settings_of_site: Any) -> Run:
    """Read the one run of a report."""
    (run,) = reading(content, **settings_of_site).runs
    return run


@pytest.mark.skipif(not SAMPLE.is_file(), reason="the real samples are not beside us")
class TestRealReport:
    """A report that TestStand 2021 wrote; every expected value was read in the file."""

    def test_identity(self) -> None:
        """Unit, station, operator and procedure (case 1, oddity 21)."""
        run = run_of(SAMPLE.read_bytes())
        assert run.unit.serial_number == "2342343"
        assert (run.station, run.operator) == ("TS-2021-BETA", "administrator")
        assert run.procedure.name == "Computer Motherboard Test Sequence"
        assert run.started_at == datetime(2022, 7, 1, 15, 47, 48, 927000, tzinfo=UTC)

    def test_steps(self) -> None:
        """As many phases as the report itself counts, four of them nested (case 1)."""
        run = run_of(SAMPLE.read_bytes())
        assert run.outcome is RunOutcome.PASS
        assert len(run.phases) == int(str(run.metadata["report.StepCount"])) == 17
        nested = [phase.name for phase in run.phases if phase.path == ("CPU Test",)]
        assert nested == [
            "Register Test",
            "Instruction Set Test",
            "Cache Test",
            "FPU Test",
        ]

    def test_limits(self) -> None:
        """Two numeric tests, one open above (cases 2 and 3)."""
        run = run_of(SAMPLE.read_bytes())
        limits = {
            item.name: (item.value, item.unit, item.limits)
            for phase in run.phases
            for item in phase.measurements
            if item.limits is not None
        }
        video = Limit(
            lower=0,
            upper=10,
            lower_inclusive=False,
            upper_inclusive=False,
            comparator="GTLT",
        )
        keyboard = Limit(lower=5, lower_inclusive=False, comparator="GT")
        assert limits == {
            "Video Test": (5, "microseconds", video),
            "Keyboard Test": (6, None, keyboard),
        }

    def test_version_and_duration(self) -> None:
        """The sequence file's version, and the whole time it took (case 1)."""
        run = run_of(SAMPLE.read_bytes())
        assert run.procedure.version == "21.0.0.49156"
        assert run.unit.part_number is None
        assert run.started_at is not None
        assert run.ended_at is not None
        duration = (run.ended_at - run.started_at).total_seconds()
        assert duration == pytest.approx(6.0831833, abs=1e-6)

    def test_time_of_a_step(self) -> None:
        """Steps count from the start of the main sequence (case 2)."""
        run = run_of(SAMPLE.read_bytes())
        (phase,) = [item for item in run.phases if item.name == "Keyboard Test"]
        assert phase.started_at is not None
        assert run.started_at is not None
        elapsed = (phase.started_at - run.started_at).total_seconds()
        assert elapsed == pytest.approx(6.0573092, abs=1e-6)

    def test_flow_steps_of_one_name(self) -> None:
        """Both are there, each with its place and its words (case 4)."""
        run = run_of(SAMPLE.read_bytes())
        flow = [
            (item.name, item.attributes["index"], item.attributes["kind"])
            for item in run.phases
            if item.name in {"If", "End"}
        ]
        assert [(name, index) for name, index, _ in flow if name == "If"] == [
            ("If", 1),
            ("If", 7),
        ]
        assert [kind for _, _, kind in flow] == ["flow"] * 4
        said = [entry.message for entry in run.logs]
        assert [said.count(text) for text in ("{True}", "{False}", "(If)")] == [1, 1, 2]

    def test_groups(self) -> None:
        """Positions begin anew in each group (case 5)."""
        run = run_of(SAMPLE.read_bytes())
        top = [item.attributes for item in run.phases if item.path == ()]
        assert [item["group"] for item in top[:2]] == ["Setup", "Setup"]
        assert top[-1]["group"] == "Cleanup"
        assert {item["group"]: item["index"] for item in top[::-1]}["Main"] == 0

    def test_a_gap_of_result_ids_is_no_loss(self) -> None:
        """A filter took one out before the report was written (cases 6 and 10)."""
        found = reading(SAMPLE.read_bytes())
        ids = {item.attributes["result_id"] for item in found.runs[0].phases}
        assert 21 not in ids
        assert found.report.items() & {"step", "step count"} == set()

    def test_nothing_unexplained_is_dropped(self) -> None:
        """Only the display options are left out."""
        found = reading(SAMPLE.read_bytes())
        assert found.report.items() >= {"phase", "measurement", "limit", "log"}
        omitted = {"report options", "template"}
        assert {entry.item for entry in found.report.entries} == omitted
        assert not found.report.count(Disposition.DROPPED)
