"""The flow of real tests: groups, branches, subtests, repeats, stops, diagnoses."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest

htf = pytest.importorskip("openhtf")

_SINCE_1_6 = pytest.mark.skipif(
    version("openhtf").startswith("1.5."), reason="older OpenHTF has no such thing"
)

RunCompared = Callable[..., Any]

# OpenHTF ends a phase that it kills by an exception in the phase's thread.
_KILLED = pytest.mark.filterwarnings(
    "ignore:Exception in thread <PhaseExecutorThread"
    ":pytest.PytestUnhandledThreadExceptionWarning"
)


class Found(htf.DiagResultEnum):  # type: ignore[misc,name-defined] # OpenHTF is untyped
    """What the diagnosers of these tests find."""

    LOOSE = "loose_connector"
    HOT = "too_hot"


def _named(name: str, result: Any = None, value: Any = None, **options: Any) -> Any:
    """Make a phase that sets a measurement and returns a result."""

    def body(test: Any) -> Any:
        test.logger.info("in %s", name)
        if value is not None:
            test.measurements.m = value
        return result

    if value is not None:
        body = htf.measures(htf.Measurement("m").in_range(1, 5))(body)
    return htf.PhaseOptions(name=name, **options)(body)


def _raising(name: str, error: Exception) -> Any:
    def body(test: Any) -> None:
        test.attach("before.txt", b"written before it broke")
        raise error

    return htf.PhaseOptions(name=name)(body)


def _outcomes(compared: Any) -> list[tuple[str, str]]:
    return [(phase.name, phase.outcome.value) for phase in compared.run.phases]


class TestGroups:
    """Phase groups: setup, main and teardown stand in the order in which they ran."""

    def test_nested_groups(self, run_compared: RunCompared) -> None:
        """Every phase of nested groups arrives, teardowns included."""
        inner = htf.PhaseGroup(setup=[_named("s2")], teardown=[_named("t2")])
        compared = run_compared(
            htf.PhaseGroup(
                setup=[_named("s1")],
                main=[_named("m1"), inner.wrap(_named("m2"))],
                teardown=[_named("t1")],
                name="outer",
            )
        )
        names = [name for name, _ in _outcomes(compared)]
        assert names == ["s1", "m1", "s2", "m2", "t2", "t1"]
        # The inner one has no name.
        assert {phase.path for phase in compared.run.phases} == {("outer",)}

    def test_groups_and_subtests_are_the_path(self, run_compared: RunCompared) -> None:
        """Each phase has those around it, outermost first; what follows has none."""
        radio = htf.PhaseGroup(main=[_named("tune")], name="radio")
        compared = run_compared(
            _named("before"),
            htf.PhaseGroup(
                main=[htf.Subtest("wireless", radio, _named("signal"))],
                teardown=[_named("off")],
                name="powered",
            ),
            _named("after"),
        )
        assert {phase.name: phase.path for phase in compared.run.phases} == {
            "before": (),
            "tune": ("powered", "wireless", "radio"),
            "signal": ("powered", "wireless"),
            "off": ("powered",),
            "after": (),
        }

    def test_one_phase_in_two_groups(self, run_compared: RunCompared) -> None:
        """It has the group of each place where it ran."""
        shared = _named("shared")
        compared = run_compared(
            htf.PhaseGroup(main=[shared], name="cold"),
            htf.PhaseGroup(main=[shared], name="hot"),
        )
        assert [phase.path for phase in compared.run.phases] == [("cold",), ("hot",)]

    @pytest.mark.parametrize("stops", [False, True])
    def test_one_group_within_two(
        self, run_compared: RunCompared, *, stops: bool
    ) -> None:
        """Where the record does not tell in which it ran, none is guessed."""
        shared = htf.PhaseGroup(main=[_named("shared")])
        result = htf.PhaseResult.STOP if stops else None
        compared = run_compared(
            htf.PhaseGroup(main=[shared, _named("last", result)], name="cold"),
            htf.PhaseGroup(main=[shared], name="hot"),
        )
        paths = [p.path for p in compared.run.phases if p.name == "shared"]
        assert paths == ([()] if stops else [("cold",), ("hot",)])

    def test_a_round_more_is_not_taken_for_the_next_place(
        self, run_compared: RunCompared
    ) -> None:
        """A phase that is repeated in one place has no group if it has several."""
        rounds = iter([htf.PhaseResult.REPEAT, htf.PhaseResult.STOP])

        def again(test: Any) -> Any:
            test.logger.info("once more")
            return next(rounds)

        shared = htf.PhaseGroup(main=[again])
        compared = run_compared(
            htf.PhaseGroup(main=[shared], name="cold"),
            htf.PhaseGroup(main=[shared], name="hot"),
        )
        assert [phase.path for phase in compared.run.phases] == [(), ()]

    def test_a_round_that_was_repeated(self, run_compared: RunCompared) -> None:
        """Every round of a phase is in its group."""
        rounds = iter([htf.PhaseResult.REPEAT, None])

        def again(test: Any) -> Any:
            test.logger.info("once more")
            return next(rounds)

        compared = run_compared(htf.PhaseGroup(main=[again], name="loop"))
        assert [phase.path for phase in compared.run.phases] == [("loop",)] * 2

    @pytest.mark.parametrize("place", ["setup", "main", "teardown"])
    def test_an_error_in_a_group(self, run_compared: RunCompared, place: str) -> None:
        """An error in a part of a group leaves the phases that OpenHTF still ran."""
        parts = {part: [_named(part)] for part in ("setup", "main", "teardown")}
        parts[place].append(_raising("broken", ValueError("broken here")))
        compared = run_compared(htf.PhaseGroup(**parts), _named("after"))
        assert compared.run.outcome.value == "ERROR"
        assert "ValueError: broken here" in [e.message for e in compared.run.logs]


class TestBranches:
    """Branches and checkpoints go by diagnoses and by earlier phases."""

    @pytest.mark.parametrize("loose", [True, False])
    def test_branches(self, run_compared: RunCompared, loose: bool) -> None:
        """The phases of the branch that was taken are there, the choice is kept."""

        @htf.PhaseDiagnoser(Found)
        def look(phase_record: Any) -> Any:
            del phase_record
            return htf.Diagnosis(Found.LOOSE, "It rattles.") if loose else None

        compared = run_compared(
            htf.diagnose(look)(_named("look")),
            htf.BranchSequence(
                htf.DiagnosisCondition.on_all(Found.LOOSE), _named("tighten")
            ),
            htf.BranchSequence(
                htf.DiagnosisCondition.on_not_any(Found.LOOSE), _named("go on")
            ),
        )
        expected = "tighten" if loose else "go on"
        assert [name for name, _ in _outcomes(compared)] == ["look", expected]
        branches: Any = compared.run.metadata["branches"]
        assert [b["branch_taken"] for b in branches] == [loose, not loose]

    @pytest.mark.parametrize("action", ["STOP", "FAIL_SUBTEST"])
    def test_checkpoints(self, run_compared: RunCompared, action: str) -> None:
        """A checkpoint after a failed phase stops; it is kept with its verdict."""
        checkpoint = htf.PhaseFailureCheckpoint.last(
            "gate", action=htf.PhaseResult[action]
        )
        phases: tuple[Any, ...] = (
            _named("fails", value=9),
            checkpoint,
            _named("never"),
        )
        if action == "FAIL_SUBTEST":
            phases = (htf.Subtest("sub", *phases), _named("next"))
        compared = run_compared(*phases)
        kept: Any = compared.run.metadata["checkpoints"]
        assert kept[0]["name"] == "gate"
        assert compared.run.outcome.value == "FAIL"

    def test_diagnosis_checkpoint(self, run_compared: RunCompared) -> None:
        """A checkpoint goes by a diagnosis as well."""

        @htf.PhaseDiagnoser(Found)
        def look(phase_record: Any) -> Any:
            del phase_record
            return [htf.Diagnosis(Found.HOT, "Hot.", is_failure=True)]

        compared = run_compared(
            htf.diagnose(look)(_named("look")),
            htf.DiagnosisCheckpoint(
                "cool?",
                htf.DiagnosisCondition.on_any(Found.HOT),
                action=htf.PhaseResult.STOP,
            ),
            _named("never"),
        )
        assert [name for name, _ in _outcomes(compared)] == ["look"]
        assert compared.run.phases[0].attributes["failure_diagnosis_results"]


class TestSubtests:
    """Subtests are the path of their phases."""

    def test_failing_subtests(self, run_compared: RunCompared) -> None:
        """A subtest that fails skips its rest, not the next one."""
        compared = run_compared(
            htf.Subtest(
                "radio",
                _named("rx", htf.PhaseResult.FAIL_SUBTEST),
                _named("skipped"),
            ),
            htf.Subtest("power", _named("volts", value=3)),
            _named("last"),
        )
        assert [(phase.path, phase.name) for phase in compared.run.phases] == [
            (("radio",), "rx"),
            (("radio",), "skipped"),
            (("power",), "volts"),
            ((), "last"),
        ]

    def test_a_subtest_that_stops(self, run_compared: RunCompared) -> None:
        """A phase that stops the test inside of a subtest is kept as it ended."""
        compared = run_compared(
            htf.Subtest("s", _named("stop", htf.PhaseResult.STOP), _named("never"))
        )
        assert compared.run.phases[0].path == ("s",)


class TestRepeats:
    """Each round of a phase is a phase of its own."""

    @_SINCE_1_6
    def test_force_repeat(self, run_compared: RunCompared) -> None:
        """A phase that is repeated by force stands as often as it ran."""
        compared = run_compared(_named("again", force_repeat=True, repeat_limit=3))
        assert [name for name, _ in _outcomes(compared)] == ["again"] * 3

    def test_the_limit_of_repeats(self, run_compared: RunCompared) -> None:
        """A phase that wants to be repeated beyond its limit ends as recorded."""
        compared = run_compared(
            _named("again", htf.PhaseResult.REPEAT, repeat_limit=2), _named("next")
        )
        assert len(compared.run.phases) >= 2

    def test_files_of_every_round(self, run_compared: RunCompared) -> None:
        """What each round attached under one name is told apart by number."""
        rounds = iter(range(3))

        def attach(test: Any) -> Any:
            number = next(rounds)
            test.attach("trace.txt", str(number).encode())
            return htf.PhaseResult.REPEAT if number < 2 else None

        compared = run_compared(attach)
        assert [attachment.name for attachment in compared.run.attachments] == [
            "attach/trace.txt",
            "attach (2)/trace.txt",
            "attach (3)/trace.txt",
        ]


class TestStops:
    """Stops of every kind."""

    def test_stop_on_first_failure(self, run_compared: RunCompared) -> None:
        """The test stops at the first failure, where it is told to."""
        compared = run_compared(
            _named("ok", value=3),
            _named("bad", value=7),
            _named("never"),
            options={"stop_on_first_failure": True},
        )
        assert [name for name, _ in _outcomes(compared)] == ["ok", "bad"]

    def test_stop_on_measurement_fail(self, run_compared: RunCompared) -> None:
        """A phase stops the test by its own option."""
        compared = run_compared(
            _named("bad", value=7, stop_on_measurement_fail=True), _named("never")
        )
        assert [name for name, _ in _outcomes(compared)] == ["bad"]
        assert compared.passed is False

    def test_failure_exceptions(self, run_compared: RunCompared) -> None:
        """An exception that counts as a failure makes a FAIL, as the record says."""
        compared = run_compared(
            _raising("broken", ZeroDivisionError("x")),
            options={"failure_exceptions": [ZeroDivisionError]},
        )
        assert compared.run.outcome.value == "FAIL"
        assert compared.run.attachments[0].name == "before.txt"

    @_KILLED
    @pytest.mark.parametrize("repeat", [False, True])
    def test_timeouts(self, run_compared: RunCompared, repeat: bool) -> None:
        """A phase beyond its time is an error, also where it is repeated."""

        def slow(test: Any) -> None:
            test.logger.info("waiting")
            while True:
                time.sleep(0.01)

        options = htf.PhaseOptions(
            timeout_s=0.05, repeat_on_timeout=repeat, repeat_limit=2
        )
        compared = run_compared(options(slow), _named("after"))
        assert compared.run.outcome.value == "TIMEOUT"

    def test_skips(self, run_compared: RunCompared) -> None:
        """A skipped phase is a SKIP; one whose condition is false never was."""
        compared = run_compared(
            _named("skip", htf.PhaseResult.SKIP, value=9),
            _named("left out", run_if=lambda: False),
            _named("fail", htf.PhaseResult.FAIL_AND_CONTINUE),
        )
        assert _outcomes(compared) == [("skip", "SKIP"), ("fail", "FAIL")]

    def test_a_return_that_is_no_result(self, run_compared: RunCompared) -> None:
        """A phase that returns what OpenHTF does not take is an error."""
        compared = run_compared(_named("odd", "a text"))
        assert compared.run.outcome.value == "ERROR"


class TestStarts:
    """How a test gets its unit."""

    def test_a_trigger_phase_of_the_author(self, run_compared: RunCompared) -> None:
        """A start phase that tells something is kept like any other."""

        @htf.measures("scanned")
        def scan(test: Any) -> None:
            test.measurements.scanned = "SN-77"
            test.dut_id = "SN-77"

        compared = run_compared(_named("work"), test_start=scan)
        assert compared.run.unit.serial_number == "SN-77"
        assert [name for name, _ in _outcomes(compared)] == ["scan", "work"]

    @pytest.mark.parametrize("error", [ValueError("no scanner"), KeyError("x")])
    def test_an_error_of_the_start(
        self, run_compared: RunCompared, error: Exception
    ) -> None:
        """A test that broke while it waited for its unit is an error without one."""

        def start() -> str:
            raise error

        compared = run_compared(_named("never"), test_start=start)
        assert compared.run.outcome.value == "ERROR"
        assert compared.run.unit.serial_number is None
        assert _outcomes(compared) == [("trigger_phase", "ERROR")]

    def test_a_serial_number_set_in_a_phase(self, run_compared: RunCompared) -> None:
        """The unit that a phase names counts."""

        def name(test: Any) -> None:
            test.dut_id = "  SN-9 "
            test.state["note"] = "kept by the test alone"

        assert run_compared(name, serial=None).run.unit.serial_number == "SN-9"
