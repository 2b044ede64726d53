"""Real OpenHTF tests, executed here: the live record and its JSON give one run."""

from __future__ import annotations

import gc
import itertools
import math
import time
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from importlib.metadata import version
from typing import Any

import pytest

from rigbridge.adapters import ConversionReport, Disposition, Spool
from rigbridge.model import (
    Limit,
    LogLevel,
    MeasurementOutcome,
    PhaseOutcome,
    RunOutcome,
    Series,
)
from rigbridge_openhtf import OpenHTFSettings, to_run

htf = pytest.importorskip("openhtf")
callbacks = pytest.importorskip("openhtf.output.callbacks")
units = pytest.importorskip("openhtf.util.units")
validators = pytest.importorskip("openhtf.util.validators")

_SINCE_1_6 = pytest.mark.skipif(
    version("openhtf").startswith("1.5."), reason="older OpenHTF has no such thing"
)

# OpenHTF ends a phase that it kills by an exception in the phase's thread.
_KILLED = pytest.mark.filterwarnings(
    "ignore:Exception in thread <PhaseExecutorThread"
    ":pytest.PytestUnhandledThreadExceptionWarning"
)


def _measure(measurement: Any, value: Any = None) -> Any:
    """Make a phase that sets one measurement."""

    def measure(test: Any) -> None:
        """Measure one thing."""
        if value is not None:
            setattr(test.measurements, measurement.name, value)

    return htf.measures(measurement)(measure)


def _sweep(test: Any) -> None:
    for frequency in (10, 20, 30):
        test.measurements.gain[frequency, 0.5] = frequency / 7


def _attach(test: Any) -> None:
    test.attach("trace.csv", b"1,2\n3,4\n")
    test.attach("blob", b"\x00\xff" * 700_000, mimetype=None)
    test.logger.info("attached %d files", 2)


def _attach_again(test: Any) -> None:
    test.attach("trace.csv", b"5,6\n")
    test.logger.warning("a second trace")


def _volts() -> Any:
    return htf.Measurement("volts").in_range(4.5, 5).with_units(units.VOLT)


def _gain() -> Any:
    dimensions = (units.HERTZ, htf.Dimension(description="level", unit=units.VOLT))
    return htf.Measurement("gain").with_dimensions(*dimensions).with_units("dB")


def _everything() -> tuple[Any, ...]:
    return (
        _measure(_volts().doc("The supply."), 4.75),
        _measure(htf.Measurement("on").equals(True), value=True),
        _measure(htf.Measurement("firmware").equals("1.4.3"), "1.4.3"),
        _measure(htf.Measurement("limited").in_range(1, 5, 2, 4), 3),
        _measure(htf.Measurement("near").within_percent(100, 5), 101.5),
        _measure(htf.Measurement("table"), {"a": [1, 2.5, None], "b": {"c": True}}),
        _measure(htf.Measurement("many").all_in_range(0, 9), [1, 2, 3]),
        htf.measures(_gain())(_sweep),
        _attach,
        _attach_again,
    )


class TestSameRun:
    """A test gives the same run live and through its JSON."""

    def test_everything(self, run_both: Callable[..., Any]) -> None:
        """Values, limits, units, logs, attachments and metadata are the same."""
        both = run_both(
            *_everything(),
            test_name="Everything",
            test_version="2.1",
            part_number="PN-7",
            revision="B",
            batch_number=1124,
            operator="ada@example.com",
            fixture={"slot": 3, "calibrated": True},
        )
        assert both.live == both.written

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
    def test_non_finite(self, run_both: Callable[..., Any], value: float) -> None:
        """A non-finite number is the same float, with the record's verdict."""
        both = run_both(_measure(_volts(), value))
        assert both.live == both.written
        (measurement,) = both.live.phases[0].measurements
        assert repr(measurement.value) == repr(value)
        assert measurement.outcome is MeasurementOutcome.FAIL
        assert both.live.outcome is RunOutcome.FAIL

    def test_non_finite_points(self, run_both: Callable[..., Any]) -> None:
        """Points that are no finite numbers stay floats in their column."""

        def sweep(test: Any) -> None:
            test.measurements.gain[1, 0.0] = math.nan
            test.measurements.gain[2, math.inf] = 4.5

        both = run_both(htf.measures(_gain())(sweep))
        assert both.live == both.written
        value = both.live.phases[0].measurements[0].value
        assert isinstance(value, Series)
        assert math.isnan(float(value.measured.values[0] or 0))
        assert value.axes[1].values[1] == math.inf

    def test_non_finite_in_a_list(self, run_both: Callable[..., Any]) -> None:
        """In a list of numbers a non-finite one is spelled, since JSON has none."""
        both = run_both(_measure(htf.Measurement("m"), [1.5, math.nan, -math.inf]))
        assert both.live == both.written
        assert both.live.phases[0].measurements[0].value == [1.5, "NaN", "-Infinity"]

    def test_a_raising_phase(self, run_both: Callable[..., Any]) -> None:
        """An exception makes ERROR of phase and run, with its words in the log."""

        def explode(test: Any) -> None:
            test.logger.debug("about to")
            raise ValueError("no answer from the supply")

        both = run_both(explode)
        assert both.live == both.written
        run = both.live
        assert run.outcome is RunOutcome.ERROR
        assert run.phases[0].outcome is PhaseOutcome.ERROR
        detail = {"code": "ValueError", "description": "no answer from the supply"}
        assert run.metadata["outcome_details"] == [detail]
        assert run.logs[-1].level is LogLevel.ERROR
        assert run.logs[-1].message == "ValueError: no answer from the supply"

    def test_results_of_phases(self, run_both: Callable[..., Any]) -> None:
        """Skipped, repeated, failed and stopping phases keep their verdicts."""
        rounds = iter(range(5))

        def repeated(test: Any) -> Any:
            del test
            again = next(rounds) < 2
            return htf.PhaseResult.REPEAT if again else htf.PhaseResult.CONTINUE

        def skipped(test: Any) -> Any:
            del test
            return htf.PhaseResult.SKIP

        def failed(test: Any) -> Any:
            del test
            return htf.PhaseResult.FAIL_AND_CONTINUE

        def stopped(test: Any) -> Any:
            del test
            return htf.PhaseResult.STOP

        both = run_both(repeated, skipped, failed, stopped)
        assert both.live == both.written
        assert [(p.name, p.outcome.value) for p in both.live.phases] == [
            ("repeated", "SKIP"),
            ("repeated", "SKIP"),
            ("repeated", "PASS"),
            ("skipped", "SKIP"),
            ("failed", "FAIL"),
            ("stopped", "ERROR"),
        ]
        assert both.live.outcome is RunOutcome.FAIL

    @_KILLED
    def test_a_timeout(self, run_both: Callable[..., Any]) -> None:
        """A phase that hits its timeout is an ERROR, and the run a TIMEOUT."""

        def slow(test: Any) -> None:
            del test
            while True:
                time.sleep(0.01)

        both = run_both(htf.PhaseOptions(timeout_s=0)(slow))
        assert both.live == both.written
        assert both.live.outcome is RunOutcome.TIMEOUT
        assert both.live.phases[0].outcome is PhaseOutcome.ERROR
        assert both.live.phases[0].attributes["phase_result"] is None

    def test_subtests(self, run_both: Callable[..., Any]) -> None:
        """The name of a subtest is the path of its phases; its record is metadata."""

        def inside(test: Any) -> None:
            del test

        both = run_both(htf.Subtest("radio", inside))
        assert both.live == both.written
        assert both.live.phases[0].path == ("radio",)
        (subtest,) = both.live.metadata["subtests"]
        assert (subtest["name"], subtest["outcome"]) == ("radio", "PASS")

    def test_diagnoses_and_branches(self, run_both: Callable[..., Any]) -> None:
        """Diagnoses, branches and conditional validators are kept whole."""

        class Found(htf.DiagResultEnum):  # type: ignore[misc,name-defined] # OpenHTF is untyped
            LOOSE = "loose"

        def diagnose(phase: Any) -> Any:
            del phase
            return htf.Diagnosis(Found.LOOSE, "The connector is loose.")

        def look(test: Any) -> None:
            del test

        conditional = htf.Measurement("m").validate_on(
            {Found.LOOSE: validators.in_range(1, 2)}
        )
        both = run_both(
            htf.diagnose(htf.PhaseDiagnoser(Found)(diagnose))(look),
            htf.BranchSequence(
                htf.DiagnosisCondition.on_all(Found.LOOSE), _measure(conditional, 1.5)
            ),
        )
        assert both.live == both.written
        assert both.live.metadata["diagnoses"][0]["result"] == "loose"
        assert both.live.metadata["branches"][0]["branch_taken"] is True
        assert both.live.phases[0].attributes["diagnosis_results"] == ["loose"]
        measurement = both.live.phases[1].measurements[0]
        assert measurement.limits == Limit(lower=1, upper=2)
        assert measurement.attributes["conditional_validators"] == [
            {"result": "loose", "validator": "1 <= x <= 2"}
        ]

    def test_a_validator_of_the_author(self, run_both: Callable[..., Any]) -> None:
        """A function is kept by its name, without its address in memory."""

        def is_even(value: int) -> bool:
            return value % 2 == 0

        both = run_both(_measure(htf.Measurement("m").with_validator(is_even), 4))
        assert both.live == both.written
        (text,) = both.live.phases[0].measurements[0].validators
        assert "is_even" in text
        assert " at 0x" not in text

    def test_unset_and_none(self, run_both: Callable[..., Any]) -> None:
        """A measurement that was not set is UNSET; one set to None has no value."""

        def measure(test: Any) -> None:
            test.measurements.nothing = None

        both = run_both(
            htf.measures(htf.Measurement("nothing"), htf.Measurement("unset"))(measure)
        )
        assert both.live == both.written
        assert [m.outcome.value for m in both.live.phases[0].measurements] == [
            "PASS",
            "UNSET",
        ]

    def test_no_serial_number(self, run_both: Callable[..., Any]) -> None:
        """OpenHTF's placeholder is no serial number."""
        both = run_both(_measure(_volts(), 4.75), serial=None)
        assert both.live == both.written
        assert both.record.dut_id == "UNKNOWN_DUT"
        assert both.live.unit.serial_number is None

    @_KILLED
    def test_an_aborted_test(self, run_both: Callable[..., Any]) -> None:
        """A test that is aborted in a phase is ABORTED, and says so in the log."""

        def abort(test: Any) -> None:
            del test
            (running,) = htf.Test.TEST_INSTANCES.values()
            running.abort_from_sig_int()
            while True:
                time.sleep(0.01)

        both = run_both(abort)
        assert both.live == both.written
        assert both.live.outcome is RunOutcome.ABORTED
        assert both.live.logs[-1].message == "ABORTED: Test aborted by operator."


class TestLiveOnly:
    """What only the live record knows is kept, and odd objects follow rules."""

    def test_attachments_outlive_the_record(self, run_both: Callable[..., Any]) -> None:
        """The bytes can be read after OpenHTF deleted its own files."""
        both = run_both(_attach)
        for phase in both.record.phases:
            phase.attachments.clear()
        gc.collect()
        trace, blob = both.live.attachments
        assert trace.opener is not None
        assert blob.opener is not None
        with trace.opener() as stream:
            assert stream.read() == b"1,2\n3,4\n"
        with blob.opener() as stream:
            assert stream.read() == b"\x00\xff" * 700_000
        assert (trace.media_type, blob.media_type) == ("text/csv", None)

    def test_closed_attachments_are_known_by_name(
        self, run_test: Callable[..., Any], spool: Spool
    ) -> None:
        """A file that OpenHTF closed before is kept by name, and said to be."""
        record = run_test(_attach, callbacks=(callbacks.CloseAttachments(),))
        report = ConversionReport()
        run = to_run(record, spool=spool, report=report)
        assert [a.embedded for a in run.attachments] == [False, False]
        assert run.attachments[0].size == 8
        assert report.count(Disposition.DROPPED, "attachment bytes") == 2

    @_SINCE_1_6
    def test_marginal_and_allowed_failures(self, run_both: Callable[..., Any]) -> None:
        """A marginal value and a failure that is allowed are said to be so."""
        both = run_both(
            _measure(htf.Measurement("m").in_range(1, 5, 2, 4), 1.5),
            _measure(htf.Measurement("f", allow_fail=True).in_range(1, 2), 9),
        )
        marginal, failed = (phase.measurements[0] for phase in both.live.phases)
        assert marginal.attributes == {"marginal": True}
        assert marginal.limits == Limit(lower=1, upper=5)
        assert marginal.validators == ("1 <= Marginal:2 <= x <= Marginal:4 <= 5",)
        assert failed.outcome is MeasurementOutcome.FAIL
        assert both.live.phases[1].outcome is PhaseOutcome.PASS
        assert failed.attributes == {"allow_fail": True}

    def test_bounds_of_a_validator_that_prints_none(
        self, run_both: Callable[..., Any]
    ) -> None:
        """The bounds come from the object where its text does not have them."""

        class Window(validators.InRange):  # type: ignore[misc,name-defined] # likewise
            def __str__(self) -> str:
                return "inside of the window"

        both = run_both(_measure(htf.Measurement("m").with_validator(Window(1, 5)), 3))
        live = both.live.phases[0].measurements[0]
        assert live.limits == Limit(lower=1, upper=5)
        assert live.validators == ("inside of the window",)
        assert both.written.phases[0].measurements[0].limits is None

    def test_limits_that_are_equal_but_not_the_same(
        self, run_both: Callable[..., Any]
    ) -> None:
        """What one validator prints is never taken for another's."""

        def measure(test: Any) -> None:
            test.measurements.whole = test.measurements.broken = 3
            test.measurements.counted = 3

        names = {"whole": (1, 5), "broken": (1.0, 5.0), "counted": (True, 5)}
        declared = [
            htf.Measurement(name).in_range(*bounds) for name, bounds in names.items()
        ]
        both = run_both(htf.measures(*declared)(measure))
        assert both.live == both.written
        bounds = [
            repr(m.limits and m.limits.lower) for m in both.live.phases[0].measurements
        ]
        assert bounds[:2] == ["1", "1.0"]

    def test_a_validator_that_prints_something_new_each_time(
        self, run_both: Callable[..., Any]
    ) -> None:
        """Each measurement has the text that its own validator printed."""
        asked = itertools.count(1)

        class Counting(validators.InRange):  # type: ignore[misc,name-defined] # likewise
            def __str__(self) -> str:
                return f"asked {next(asked)} times"

        def measure(test: Any) -> None:
            test.measurements.first = test.measurements.second = 3

        declared = [
            htf.Measurement(name).with_validator(Counting(1, 5))
            for name in ("first", "second")
        ]
        both = run_both(htf.measures(*declared)(measure))
        first, second = (m.validators for m in both.live.phases[0].measurements)
        assert first != second

    def test_objects_of_the_author(
        self, run_test: Callable[..., Any], spool: Spool
    ) -> None:
        """Objects that are no plain values follow a rule, recorded as coerced."""

        class Color(Enum):
            RED = 1

        record = run_test(
            _measure(htf.Measurement("color"), Color.RED),
            _measure(htf.Measurement("price"), Decimal("1.25")),
            _measure(htf.Measurement("mac"), b"\x00\x1a\xff"),
            config_of_mine=object(),
        )
        report = ConversionReport()
        run = to_run(record, spool=spool, report=report)
        values = [phase.measurements[0].value for phase in run.phases]
        assert values == ["RED", 1.25, "001aff"]
        assert report.count(Disposition.COERCED, "value") == 3
        assert run.metadata["config_of_mine"] == "<object object>"

    @_SINCE_1_6
    def test_measurement_times(self, run_both: Callable[..., Any]) -> None:
        """When a measurement was set is accounted for, and kept when asked for."""
        both = run_both(_measure(_volts(), 4.75))
        assert both.live.phases[0].measurements[0].attributes.keys() == {"units"}
        assert both.live_report.count(Disposition.OMITTED, "measurement times") == 1
        settings = OpenHTFSettings(measurement_times=True)
        timed = run_both(_measure(_volts(), 4.75), settings=settings)
        moment = timed.live.phases[0].measurements[0].attributes["set_time_millis"]
        assert timed.record.start_time_millis <= moment <= timed.record.end_time_millis

    @_SINCE_1_6
    def test_a_failed_round_that_was_repeated(
        self, run_both: Callable[..., Any]
    ) -> None:
        """A round that failed and was repeated is a SKIP, as the test decided."""
        values = iter([9, 4.75])

        def measure(test: Any) -> None:
            test.measurements.volts = next(values)

        options = htf.PhaseOptions(repeat_on_measurement_fail=True, repeat_limit=3)
        both = run_both(options(htf.measures(_volts())(measure)))
        assert [p.outcome.value for p in both.live.phases] == ["SKIP", "PASS"]
        assert both.live.outcome is RunOutcome.PASS

    def test_checkpoints(self, run_both: Callable[..., Any]) -> None:
        """Checkpoints, which JSON lacks, are kept."""

        def look(test: Any) -> None:
            del test

        both = run_both(look, htf.PhaseFailureCheckpoint.all_previous("gate"))
        (checkpoint,) = both.live.metadata["checkpoints"]
        assert checkpoint["name"] == "gate"
        assert "checkpoints" not in both.written.metadata
