"""What a test has besides its phases: plugs, diagnosers, monitors, logs, files."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

htf = pytest.importorskip("openhtf")


base_plugs = pytest.importorskip("openhtf.core.base_plugs")


RunCompared = Callable[..., Any]


class Found(htf.DiagResultEnum):  # type: ignore[misc,name-defined] # OpenHTF is untyped
    """What the diagnosers of these tests find."""

    LOOSE = "loose_connector"
    HOT = "too_hot"


class Bench(base_plugs.BasePlug):  # type: ignore[misc,name-defined] # likewise
    """A plug that counts what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def read(self) -> int:
        """Give a number, one higher each time."""
        self.asked += 1
        self.logger.info("read %d", self.asked)
        return self.asked

    def tearDown(self) -> None:
        """Say that the bench is released."""
        self.logger.info("released")


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


class TestPlugsAndLogs:
    """Plugs, diagnosers of the whole test, monitors, logs, other attachments."""

    def test_plugs(self, run_compared: RunCompared) -> None:
        """Phases with plugs, and the plugs' own words in the log."""

        @htf.plug(bench=Bench)
        @htf.measures("asked")
        def ask(test: Any, bench: Any) -> None:
            test.measurements.asked = bench.read() + bench.read()

        compared = run_compared(ask)
        assert compared.phase("ask").measurements[0].value == 3
        messages = [entry.message for entry in compared.run.logs]
        assert [m for m in messages if m.startswith("read")] == ["read 1", "read 2"]

    def test_a_plug_that_breaks(self, run_compared: RunCompared) -> None:
        """A plug that cannot be made is an error of the whole test."""

        class Broken(base_plugs.BasePlug):  # type: ignore[misc,name-defined] # OpenHTF is untyped
            def __init__(self) -> None:
                raise OSError("no such device")

        @htf.plug(broken=Broken)
        def use(test: Any, broken: Any) -> None:
            del test, broken

        compared = run_compared(use)
        assert compared.run.outcome.value == "ERROR"
        assert "no such device" in str(compared.run.metadata["outcome_details"])

    def test_test_diagnosers(self, run_compared: RunCompared) -> None:
        """A diagnoser of the whole test can fail it; what it found is kept."""

        @htf.TestDiagnoser(Found)
        def judge(test_record: Any, store: Any) -> Any:
            del test_record, store
            return htf.Diagnosis(Found.HOT, "All hot.", is_failure=True)

        compared = run_compared(_named("work", value=3), diagnosers=(judge,))
        diagnoses: Any = compared.run.metadata["diagnoses"]
        assert compared.run.outcome.value == "FAIL"
        assert diagnoses[0]["description"] == "All hot."

    @pytest.mark.filterwarnings(
        "ignore:Exception in thread temperature_MonitorThread"
        ":pytest.PytestUnhandledThreadExceptionWarning"
    )
    def test_monitors(self, run_compared: RunCompared) -> None:
        """What a monitor sampled is a measurement over time."""
        sampled = threading.Event()
        readings = iter(range(1000))

        def temperature(test: Any) -> int:
            del test
            reading = next(readings)
            if reading > 2:
                sampled.set()
            return reading

        @htf.monitors("temperature", temperature, poll_interval_ms=5)
        def work(test: Any) -> None:
            del test
            sampled.wait(10)

        value = run_compared(work).phase("work").measurements[0].value
        assert len(value) >= 3

    def test_logs_of_every_level(self, run_compared: RunCompared) -> None:
        """The author's lines of all levels are there, with exceptions."""

        def log(test: Any) -> None:
            for level in (10, 20, 25, 30, 40, 50):
                test.logger.log(level, "at %d, ünïcode", level)
            try:
                int("caught")
            except ValueError:
                test.logger.exception("with a trace")

        messages = [entry.message for entry in run_compared(log).run.logs]
        assert "at 10, ünïcode" in messages

    def test_attachments_of_every_kind(
        self, run_compared: RunCompared, tmp_path: Any
    ) -> None:
        """Text, bytes, files and empty ones arrive byte for byte."""
        path = tmp_path / "scope.png"
        path.write_bytes(bytes(range(256)) * 999)

        def attach(test: Any) -> None:
            test.attach("text", "ünïcode")
            test.attach("empty", b"")
            test.attach("typed", b"{}", mimetype="application/json")
            test.attach_from_file(str(path))
            test.attach_from_file(str(path), name="again.png", mimetype="image/png")

        compared = run_compared(attach)
        assert [attachment.size for attachment in compared.run.attachments][1] == 0

    def test_metadata(self, run_compared: RunCompared) -> None:
        """What a script knows of its test goes to the fields that exist for it."""
        run = run_compared(
            _named("work"),
            test_name="Final",
            test_version="1.2",
            test_description="All of it.",
            procedure_id="FVT1",
            part_number="PN-1",
            sub_units=[{"serial_number": "S1"}, {"serial_number": "S2"}],
            fixture={"slot": 1},
        ).run
        assert (run.procedure.id, run.procedure.version) == ("FVT1", "1.2")
        assert [unit.serial_number for unit in run.sub_units] == ["S1", "S2"]
        assert run.metadata["fixture"] == {"slot": 1}
