"""What users of the pytest fixture get: the runs of their own test scripts."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from rigbridge.adapters import Spool
from rigbridge.model import MeasurementOutcome
from rigbridge_openhtf.testing import CapturingCallback

htf = pytest.importorskip("openhtf")


def _measure(test: Any) -> None:
    test.measurements.volts = 4.75


MEASURE = htf.measures(htf.Measurement("volts").in_range(4.5, 5))(_measure)


class TestCapturing:
    """The callback keeps what it is given."""

    def test_a_run(self, run_test: Any, tmp_path: Path) -> None:
        """The run and its report are there, and a measurement is found by name."""
        with Spool(tmp_path) as spool:
            callback = CapturingCallback(spool)
            run_test(MEASURE, callbacks=(callback,))
            assert callback.run.unit.serial_number == "SN-1"
            found = callback.measurement("volts", phase="_measure")
            assert found.outcome is MeasurementOutcome.PASS
            assert len(callback.reports) == 1

    def test_what_is_not_there(self, run_test: Any, tmp_path: Path) -> None:
        """Asking for what is not there fails, and says what is."""
        with Spool(tmp_path) as spool:
            callback = CapturingCallback(spool)
            with pytest.raises(AssertionError, match="0 runs"):
                _ = callback.run
            run_test(MEASURE, callbacks=(callback,))
            with pytest.raises(AssertionError, match="_measure/volts"):
                callback.measurement("amps")
            with pytest.raises(AssertionError, match="_measure/volts"):
                callback.measurement("volts", phase="other")


PROJECT = """
import openhtf as htf


@htf.measures(htf.Measurement("volts").in_range(1, 2))
def measure(test):
    test.measurements.volts = 1.5
    test.attach("trace.bin", b"12")


def test_passes(captured_runs):
    test = htf.Test(measure, test_name="Board")
    test.add_output_callbacks(captured_runs)
    test.execute(test_start=lambda: "SN-1")
    assert captured_runs.run.outcome == "PASS"
    assert captured_runs.measurement("volts").value == 1.5
    with captured_runs.run.attachments[0].opener() as stream:
        assert stream.read() == b"12"


def test_a_record_that_cannot_be_read(captured_runs):
    test = htf.Test(test_name="Board")
    test.add_output_callbacks(lambda record: captured_runs("no record"))
    test.execute(test_start=lambda: "SN-1")
"""


class TestPlugin:
    """The fixture in a project that asks for it."""

    def test_a_project(self, tmp_path: Path) -> None:
        """One line in conftest.py is enough; an unreadable record fails its test."""
        (tmp_path / "conftest.py").write_text(
            'pytest_plugins = ["rigbridge_openhtf.testing"]\n'
        )
        (tmp_path / "test_station.py").write_text(PROJECT)
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-v"]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert "2 passed" in done.stdout, done.stdout
        assert "1 error" in done.stdout
        assert "records could not be read" in done.stdout

    def test_other_projects(self) -> None:
        """A project that does not ask for it does not load it."""
        offered = entry_points(group="pytest11")
        assert [e.value for e in offered if "rigbridge_openhtf" in e.value] == []
