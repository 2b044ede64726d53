"""Real records of every era, each with facts that were checked by hand."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rigbridge.adapters import Disposition
from rigbridge.errors import NoRunError
from rigbridge.model import (
    Axis,
    Limit,
    LogLevel,
    Measurement,
    PhaseOutcome,
    Run,
    RunOutcome,
    Series,
    Unit,
)

FindSample = Callable[[str], Path]
NAMES = (
    "google__openhtf__1.hello_world.json",
    "2016-03-23_io_output_record.json",
    "2016-11-30_output_callbacks_record.json",
    "2017-03_output_callbacks_record.json",
    "2017-05-05_output_callbacks_record.json",
    "test.hello_world.json",
    "examples__1.json",
    "examples__123.json",
    "UNKNOWN_DUT.json",
    "PCB01A69658.openhtf_test.2025-01-20_15-32-06-058.json",
    "SI03645A27619.openhtf_test.2025-01-20_15-32-06-058.json",
    "examples__test_result.json",
    "5f4d4f_test_output.json",
    "f9be6d_test_results.json",
)


def _measurement(run: Run, name: str) -> Measurement:
    (found,) = [m for p in run.phases for m in p.measurements if m.name == name]
    return found


def _outcomes(run: Run) -> dict[str, str]:
    return {phase.name: phase.outcome.value for phase in run.phases}


class TestEverySample:
    """What holds for every real record."""

    @pytest.mark.parametrize("name", NAMES)
    def test_one_run_without_trigger(
        self, sample: FindSample, read: Any, name: str
    ) -> None:
        """A record is one run, whose trigger phase is left out and accounted for."""
        reading = read(sample(name))
        (run,) = reading.runs
        assert all(phase.name != "trigger_phase" for phase in run.phases)
        assert reading.report.count(Disposition.OMITTED, "phase") == (
            0 if name in ("2016-03-23_io_output_record.json", NAMES[5]) else 1
        )


class TestEras:
    """One record after the other."""

    def test_march_2016(self, sample: FindSample, read: Any) -> None:
        """Numbers that are all text, values apart, no outcome of the phase."""
        reading = read(sample("2016-03-23_io_output_record.json"))
        (run,) = reading.runs
        assert run.outcome is RunOutcome.PASS
        assert run.unit.serial_number is None
        assert run.station == "unittest_openhtf"
        assert run.docstring == "Unittest test"
        assert (run.procedure.name, run.procedure.version) == ("TestTest", "1.0.0")
        assert run.started_at == datetime(1970, 1, 1, 0, 0, 12, 344000, tzinfo=UTC)
        assert _outcomes(run) == {"dimensions": "PASS"}
        assert _measurement(run, "measurement").value == 1
        assert _measurement(run, "dimensions").value == Series(
            axes=(
                Axis(unit="Hz", values=array("q", [0, 1, 2, 3, 4])),
                Axis(name="dimensions", values=array("q", [1, 2, 4, 8, 16])),
            )
        )
        (attachment,) = run.attachments
        assert (attachment.name, attachment.size) == ("test_attachment", 29)
        assert attachment.media_type is None
        assert attachment.opener is not None
        with attachment.opener() as stream:
            assert stream.read() == b"This is test attachment data."
        assert run.logs == ()
        assert reading.report.count(Disposition.COERCED, "phase outcome") == 1

    def test_july_2016(self, sample: FindSample, read: Any) -> None:
        """An exception as the phase's result, a program without a test name."""
        (run,) = read(sample("test.hello_world.json")).runs
        assert run.outcome is RunOutcome.ERROR
        assert run.unit.serial_number == "test"
        assert run.procedure.name == "hello_world.py"
        assert _outcomes(run) == {"hello_world": "ERROR"}
        assert run.phases[0].docstring == "A hello world test phase."
        assert run.phases[0].attributes["phase_result"] == "HELLO THERE"
        assert _measurement(run, "hello_world_measurement").value == "Hello Again!"
        assert run.metadata["outcome_details"] == [
            {"code": "Exception", "description": "HELLO THERE"}
        ]
        assert [(e.level, e.line) for e in run.logs] == [
            (LogLevel.INFO, 57),
            (LogLevel.ERROR, 126),
            (LogLevel.ERROR, None),
        ]
        assert run.logs[-1].message == "Exception: HELLO THERE"

    def test_november_2016(self, sample: FindSample, read: Any) -> None:
        """Phases without an outcome, in a test that failed."""
        reading = read(sample("2016-11-30_output_callbacks_record.json"))
        (run,) = reading.runs
        assert run.outcome is RunOutcome.FAIL
        assert run.started_at == datetime(2016, 11, 30, 12, 4, 14, 324000, tzinfo=UTC)
        assert _outcomes(run) == {
            "hello_world": "FAIL",
            "set_measurements": "PASS",
            "dimensions": "FAIL",
            "attachments": "PASS",
        }
        assert _measurement(run, "widget_size").limits == Limit(lower=1, upper=4)
        widget = _measurement(run, "widget_type")
        assert (widget.value, widget.outcome.value) == ("", "FAIL")
        assert widget.validators == ("'x' matches /.*Widget$/",)
        assert _measurement(run, "widget_color").docstring == "Color of the widget"
        lots = _measurement(run, "lots_of_dims").value
        assert isinstance(lots, Series)
        assert [(axis.name, axis.unit) for axis in lots.axes] == [
            ("hertz", "Hz"),
            ("second [unit of time]", "s"),
            ("radian", "rad"),
            ("lots_of_dims", None),
        ]
        assert next(lots.rows()) == (1, 21, 101, 123)
        assert _measurement(run, "unset_dims").value is None
        assert [(a.name, a.size, a.media_type) for a in run.attachments] == [
            ("example_attachment.txt", 32, "text/plain"),
            ("test_attachment", 29, None),
        ]
        assert reading.report.count(Disposition.OMITTED, "source code") == 5
        assert reading.report.count(Disposition.COERCED, "phase outcome") == 4

    def test_march_2017(self, sample: FindSample, read: Any) -> None:
        """The derived verdicts are those that OpenHTF itself wrote two months later."""
        (run,) = read(sample("2017-03_output_callbacks_record.json")).runs
        (later,) = read(sample("2017-05-05_output_callbacks_record.json")).runs
        assert _outcomes(run) == _outcomes(later)
        assert _measurement(run, "unset_meas").outcome.value == "UNSET"

    def test_may_2017(self, sample: FindSample, read: Any) -> None:
        """From here on the phases say their own outcome."""
        reading = read(sample("2017-05-05_output_callbacks_record.json"))
        (run,) = reading.runs
        assert _outcomes(run)["hello_world"] == "FAIL"
        assert reading.report.count(Disposition.COERCED) == 0
        monitor = _measurement(run, "monitor_measurement")
        assert monitor.unit is None
        assert isinstance(monitor.value, Series)
        assert monitor.value.axes[0].unit == "ms"
        assert monitor.value.axes[0].values[0] == 200.40321350097656

    @pytest.mark.parametrize("number", ["1", "123"])
    def test_2022_text_validator(
        self, sample: FindSample, read: Any, number: str
    ) -> None:
        """A boolean that is compared as text keeps its value and its validator."""
        (run,) = read(sample(f"examples__{number}.json")).runs
        assert run.unit.serial_number == number
        assert run.procedure.name == "FileTransferAPILogTest"
        digital = _measurement(run, "DIGITAL_TEST_1")
        assert digital.value is True
        assert digital.limits is None
        assert digital.validators == ("'x' is equal to 'True'",)
        assert run.logs == ()

    def test_2022_unknown_unit(self, sample: FindSample, read: Any) -> None:
        """A placeholder is no serial number; the framework's warnings stay."""
        reading = read(sample("UNKNOWN_DUT.json"))
        (run,) = reading.runs
        assert run.unit == Unit()
        assert reading.report.count(Disposition.COERCED, "serial number") == 1
        assert [entry.message for entry in run.logs] == [
            "Start trigger did not set a DUT ID.",
            "DUT ID is still not set; using default.",
        ]
        assert reading.report.count(Disposition.OMITTED, "log") == 14

    def test_2022_hello_world(self, sample: FindSample, read: Any) -> None:
        """The first record with subtests and diagnoses, all of them empty."""
        (run,) = read(sample("openhtf__1.hello_world.json")).runs
        assert run.unit.serial_number == "1"
        assert run.station == "jonas-asus"
        assert [entry.message for entry in run.logs] == ["Hello World!"]
        assert "subtests" not in run.metadata
        assert run.metadata["config"]["capture_source"] is False

    def test_2025_battery(self, sample: FindSample, read: Any) -> None:
        """Procedure, part, revision and batch out of the metadata, and the limits."""
        (run,) = read(
            sample("PCB01A69658.openhtf_test.2025-01-20_15-32-06-058.json")
        ).runs
        assert run.unit == Unit(
            serial_number="PCB01A69658",
            part_number="BAT1",
            part_name="Battery",
            revision="3.2",
            batch_number="11-24",
        )
        assert run.procedure.id == "FVT4"
        assert run.procedure.name == "Battery Assembly Testing"
        assert run.metadata["test_name"] == "openhtf_test"
        assert run.ended_at == datetime(2025, 1, 20, 14, 32, 20, 106000, tzinfo=UTC)
        assert len(run.phases) == 10
        assert set(_outcomes(run).values()) == {"PASS"}
        voltage = _measurement(run, "input_voltage")
        assert (voltage.value, voltage.unit) == (4.83, "V")
        assert voltage.limits == Limit(lower=4.5, upper=5)
        assert voltage.attributes == {"units": {"name": "volt", "code": "VLT"}}
        assert _measurement(run, "numeric").unit == "°C"
        assert _measurement(run, "numeric2").limits == Limit(lower=95)
        current = _measurement(run, "current_protection_triggered")
        assert current.limits == Limit(upper=1.5)
        led = _measurement(run, "led_status")
        assert (led.value, led.limits, led.validators) == (True, None, ("x == True",))

    def test_2025_other_part(self, sample: FindSample, read: Any) -> None:
        """The same unit under another part number; the file name decides nothing."""
        name = "SI03645A27619.openhtf_test.2025-01-20_15-32-06-058.json"
        (run,) = read(sample(name)).runs
        assert run.unit.serial_number == "PCB01A69658"
        assert run.unit.part_number == "PCB01"

    def test_2025_attachment(self, sample: FindSample, read: Any) -> None:
        """An attachment with its digest; leading zeros of the serial number stay."""
        reading = read(sample("examples__test_result.json"))
        (run,) = reading.runs
        assert run.unit.serial_number == "0001"
        assert run.metadata["serial_number"] == "PCB01"
        (attachment,) = run.attachments
        assert attachment.opener is not None
        with attachment.opener() as stream:
            assert stream.read() == "OpenHTF + TofuPilot = ❤️".encode()
        assert run.phases[1].attributes["attachments"] == {
            "sample_file.txt": {"sha1": "fc61f255e9566c2bd2e8d5e80072ee5eb5296542"}
        }
        assert reading.report.count(Disposition.COERCED) == 0

    def test_2024_prompts(self, sample: FindSample, read: Any) -> None:
        """What an operator typed and confirmed."""
        (run,) = read(sample("5f4d4f_test_output.json")).runs
        assert run.unit.serial_number == "test-uid-1234"
        assert _measurement(run, "operator_name").value == "Hello"
        voltage = _measurement(run, "test_voltage")
        assert (voltage.value, voltage.limits) == (32.0, Limit(lower=0, upper=240))
        assert _measurement(run, "confirmation").value is True

    def test_2024_logs(self, sample: FindSample, read: Any) -> None:
        """The test's own lines, with their source, line and logger."""
        (run,) = read(sample("f9be6d_test_results.json")).runs
        assert [(e.source_file, e.line, e.message) for e in run.logs] == [
            ("script.py", 15, "Voltage limit: 5.0"),
            ("script.py", 20, "Completed voltage measurement phase."),
        ]
        (logger,) = run.metadata["loggers"]
        assert logger.endswith(".phase.voltage_measurement")
        assert run.phases[0].outcome is PhaseOutcome.PASS

    def test_a_measurement_alone(self, sample: FindSample, read: Any) -> None:
        """A single measurement is no record, and the error says what is missing."""
        with pytest.raises(NoRunError, match=r"single measurement.*phases, dut_id"):
            read(sample("multidim_testdata.json"))
