"""Phases of records in JSON: verdicts, times, and facts without a field."""

from __future__ import annotations

from typing import Any

import pytest

from rigbridge.adapters import Disposition
from rigbridge_openhtf import OpenHTFSettings


def _set(phase: dict[str, Any], **fields: Any) -> None:
    phase["measurements"] = {"m": {"name": "m", "outcome": "PASS", **fields}}


class TestPhases:
    """Verdicts, times and what else a phase says."""

    @pytest.mark.parametrize(
        ("result", "expected"),
        [
            ({"phase_result": "CONTINUE"}, "FAIL"),
            ({"phase_result": "PhaseResult.CONTINUE"}, "FAIL"),
            ({"phase_result": "FAIL_AND_CONTINUE"}, "FAIL"),
            ({"phase_result": "REPEAT"}, "SKIP"),
            ({"phase_result": "SKIP"}, "SKIP"),
            ({"phase_result": "STOP"}, "ERROR"),
            ({"phase_result": None}, "ERROR"),
            ({"phase_result": ""}, "ERROR"),
            ({"phase_result": "out of paper"}, "ERROR"),
            ({"phase_result": {"exc_type": "E", "exc_val": "v"}}, "ERROR"),
            (None, "ERROR"),
        ],
    )
    def test_derived_verdict(
        self,
        read: Any,
        record: dict[str, Any],
        phase: dict[str, Any],
        result: Any,
        expected: str,
    ) -> None:
        """Without a verdict the result decides, and only then the measurements."""
        del phase["outcome"]
        phase["result"] = result
        record["outcome"] = "FAIL"
        _set(phase, outcome="FAIL")
        reading = read(record)
        assert reading.runs[0].phases[0].outcome.value == expected
        assert reading.report.count(Disposition.COERCED, "phase outcome") == 1

    @pytest.mark.parametrize(
        ("allowed", "run", "expected"),
        [
            (False, "FAIL", "FAIL"),
            (True, "FAIL", "PASS"),
            (None, "FAIL", "FAIL"),
            (None, "PASS", "PASS"),
        ],
    )
    def test_unset_measurements(
        self,
        read: Any,
        record: dict[str, Any],
        phase: dict[str, Any],
        *,
        allowed: bool | None,
        run: str,
        expected: str,
    ) -> None:
        """Unset measurements fail an old phase as its configuration says."""
        del phase["outcome"]
        record["outcome"] = run
        if allowed is not None:
            record["metadata"]["config"] = {"allow_unset_measurements": allowed}
        _set(phase, outcome="UNSET")
        assert read(record).runs[0].phases[0].outcome.value == expected

    def test_verdict_is_never_recomputed(
        self, read: Any, record: dict[str, Any], phase: dict[str, Any]
    ) -> None:
        """A FAIL of which every measurement passed stays a FAIL."""
        record["outcome"] = phase["outcome"] = "FAIL"
        _set(phase, measured_value=3, validators=["1 <= x <= 5"])
        (run,) = read(record).runs
        assert run.outcome.value == "FAIL"
        assert run.phases[0].outcome.value == "FAIL"
        assert run.phases[0].measurements[0].outcome.value == "PASS"

    @pytest.mark.parametrize("outcome", ["GREAT", "", 1, ["PASS"]])
    def test_unknown_verdict_never_passes(
        self, read: Any, record: dict[str, Any], phase: dict[str, Any], outcome: Any
    ) -> None:
        """A verdict that nobody knows is an ERROR, recorded as coerced."""
        record["outcome"] = phase["outcome"] = outcome
        (run,) = read(record).runs
        assert run.outcome.value == "ERROR"
        assert run.phases[0].outcome.value == "ERROR"

    def test_no_verdict_yet(self, read: Any, record: dict[str, Any]) -> None:
        """A record that was written while the test ran has no verdict yet."""
        record["outcome"] = None
        record["end_time_millis"] = None
        (run,) = read(record).runs
        assert run.outcome.value == "RUNNING"
        assert run.ended_at is None

    @pytest.mark.parametrize("stamp", [0, None, "", 10**20, "soon", True, [1]])
    def test_unknown_times(
        self, read: Any, record: dict[str, Any], phase: dict[str, Any], stamp: Any
    ) -> None:
        """A time that is none is unknown, never 1970."""
        record["start_time_millis"] = phase["start_time_millis"] = stamp
        (run,) = read(record).runs
        assert run.started_at is None
        assert run.phases[0].started_at is None
        assert run.ended_at is not None

    def test_aborted_before_the_start(
        self, read: Any, record: dict[str, Any], phase: dict[str, Any]
    ) -> None:
        """An aborted wait for the unit is a phase of its own, and the run ABORTED."""
        record.update(outcome="ABORTED", start_time_millis=0, dut_id=None)
        record["outcome_details"] = [
            {"code": "ABORTED", "description": "Test aborted by operator."}
        ]
        phase.update(name="trigger_phase", outcome="ERROR", result={"phase_result": ""})
        (run,) = read(record).runs
        assert run.outcome.value == "ABORTED"
        assert run.started_at is None
        assert run.unit.serial_number is None
        assert [p.name for p in run.phases] == ["trigger_phase"]
        assert run.phases[0].attributes["phase_result"] == ""
        assert run.logs[0].message == "ABORTED: Test aborted by operator."
        assert run.logs[0].time == run.ended_at

    def test_trigger_phase_can_be_kept(
        self, read: Any, record: dict[str, Any], phase: dict[str, Any]
    ) -> None:
        """The framework's phase is left out by default and kept when asked for."""
        phase["name"] = "trigger_phase"
        assert read(record).runs[0].phases == ()
        settings = OpenHTFSettings(framework_phases=True)
        (run,) = read(record, settings=settings).runs
        assert [p.name for p in run.phases] == ["trigger_phase"]

    def test_further_facts(
        self, read: Any, record: dict[str, Any], phase: dict[str, Any]
    ) -> None:
        """Options, subtest, docstring and diagnoses of a phase are kept."""
        phase.update(
            subtest_name="radio",
            options={"timeout_s": 5, "run_if": None, "phase_name_case": "KEEP"},
            codeinfo={"name": "m", "docstring": "Look.", "sourcecode": "def m(): ..."},
            marginal=True,
            diagnosis_results=["loose"],
        )
        (run,) = read(record).runs
        found = run.phases[0]
        assert found.path == ("radio",)
        assert found.docstring == "Look."
        assert found.attributes == {
            "phase_result": "CONTINUE",
            "options": {"timeout_s": 5},
            "marginal": True,
            "diagnosis_results": ["loose"],
            "codeinfo": {"name": "m"},
        }

    def test_source_code(
        self, read: Any, record: dict[str, Any], phase: dict[str, Any]
    ) -> None:
        """Source code is left out, accounted for, and kept when asked for."""
        phase["codeinfo"]["sourcecode"] = "def measure(): ..."
        reading = read(record)
        assert "codeinfo" not in reading.runs[0].phases[0].attributes
        assert reading.report.count(Disposition.OMITTED, "source code") == 1
        (run,) = read(record, settings=OpenHTFSettings(source_code=True)).runs
        assert run.phases[0].attributes["codeinfo"] == {
            "sourcecode": "def measure(): ..."
        }
