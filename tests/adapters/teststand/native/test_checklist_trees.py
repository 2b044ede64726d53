"""The reference's checklist, cases 29 to 35: calls, loops and errors of steps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rigbridge.model import LogLevel


class TestTree:
    """Cases 29 to 35."""

    @staticmethod
    def turn(write: Any, index: int, status: str) -> str:
        """Write one turn of a loop."""
        step: str = write.numeric("Probe", index, "GE", status=status, Low=2)
        group = write.prop("StepGroup", "Main")
        return step.replace(group, write.prop("LoopIndex", index) + group)

    def test_case_29_loop(self, write: Any, phases_of: Any) -> None:
        """A summary has the counters, its iterations the measurements."""
        counters = (
            write.prop("NumLoops", 3)
            + write.prop("NumPassed", 1)
            + write.prop("NumFailed", 2)
        )
        summary = write.step("Probe", write.prop("PassFail", True), engine=counters)
        turns = [
            self.turn(write, index, status)
            for index, status in enumerate(("Failed", "Failed", "Passed"))
        ]
        first, *others = phases_of(summary, *turns)
        assert first.attributes["num_failed"] == 2
        assert first.measurements == ()
        assert [phase.attributes["loop_index"] for phase in others] == [0, 1, 2]
        assert {phase.path for phase in others} == {("Probe",)}
        assert all(len(phase.measurements) == 1 for phase in others)

    def test_case_30_loop_without_iterations(self, write: Any, phases_of: Any) -> None:
        """A summary that stands alone keeps its measurement."""
        summary = write.step(
            "a", write.prop("PassFail", True), engine=write.prop("NumLoops", 3)
        )
        assert len(phases_of(summary)[0].measurements) == 1

    def test_case_30_iterations_without_summary(
        self, write: Any, phases_of: Any
    ) -> None:
        """Iterations of a filtered report stand on their own."""
        (phase,) = phases_of(self.turn(write, 4, "Passed"))
        assert (phase.path, phase.attributes["loop_index"]) == ((), 4)

    def test_case_31_flow_loop(self, write: Any, phases_of: Any) -> None:
        """A step that flow control repeats is numbered in its call."""
        found = phases_of(*(write.step("a") for _ in range(3)), write.step("b"))
        assert [phase.attributes.get("occurrence") for phase in found] == [
            0,
            1,
            2,
            None,
        ]

    def test_case_32_nested_calls(self, write: Any, phases_of: Any) -> None:
        """The same sequence called twice remains two subtrees."""
        inner = write.step("c", children=(write.step("d"),))
        middle = write.step("b", children=(inner,))
        call = write.step("a", children=(middle,))
        found = phases_of(call, call)
        assert [phase.path for phase in found][3::4] == [("a", "b", "c")] * 2

    @pytest.mark.parametrize("container", ["PostAction", "SequenceFilePreStep"])
    def test_case_33_and_34_marked_calls(
        self, write: Any, phases_of: Any, container: str
    ) -> None:
        """What a post action or a callback ran is marked in the path."""
        call = write.step("a", children=(write.step("b"),), container=container)
        assert phases_of(call)[1].path == ("a", container)

    def test_case_35_error(self, write: Any, run_of: Any) -> None:
        """Spelled-out carriage returns go, Windows paths stay."""
        error = write.obj(
            "Error",
            write.prop("Code", -17500),
            write.prop("Msg", "no file\\r\nC:\\raw"),
            write.prop("Occurred", True),
        )
        run = run_of(
            write.document(write.report(write.step("a", error, status="Error")))
        )
        (entry,) = run.logs
        assert entry.level is LogLevel.ERROR
        assert entry.message == "no file\nC:\\raw (code -17500)"
        assert run.phases[0].attributes["error_code"] == -17500

    def test_phase_times_of_wats(self, write: Any, run_of: Any) -> None:
        """WATS states when the engine began, from which steps count (case 8)."""
        text = write.report(write.step("a")).replace(
            '<Prop Name="UUT"',
            "<ReportInfo key='Start' value='2022-06-23T10:55:04.3700000+02:00'/>"
            "<ReportInfo key='EngineStarted' value='2022-06-23T08:51:29.9940000Z'/>"
            '<Prop Name="UUT"',
        )
        run = run_of(write.document(text))
        engine = datetime(2022, 6, 23, 8, 51, 29, 994000, tzinfo=UTC)
        assert run.started_at == datetime(2022, 6, 23, 8, 55, 4, 370000, tzinfo=UTC)
        assert run.phases[0].started_at == engine + timedelta(seconds=101.5)
