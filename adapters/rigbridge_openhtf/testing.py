"""
For those who test their test scripts: a callback that captures runs for assertions.

This is a pytest plugin that a project asks for, in its ``conftest.py``, so that it
costs nobody else anything::

    pytest_plugins = ["rigbridge_openhtf.testing"]

Then a test takes the fixture :func:`captured_runs`::

    def test_final_test(captured_runs):
        test = openhtf.Test(measure_supply, test_name="Final test")
        test.add_output_callbacks(captured_runs)
        test.execute(test_start=lambda: "SN-1")
        assert captured_runs.run.outcome == "PASS"

Nothing is configured, queued or sent.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rigbridge.adapters import ConversionReport, Spool
from rigbridge.model import Measurement, Run
from rigbridge_openhtf.live.records import to_run
from rigbridge_openhtf.settings import OpenHTFSettings

__all__ = ["CapturingCallback", "captured_runs"]


class CapturingCallback:
    """
    An output callback that keeps the runs of the records that it is given.

    Attributes:
        runs: the runs, the first first; the bytes of their attachments can be read as
            long as the spool is open.
        reports: the conversion report of each run.
        errors: what went wrong while records were read, which OpenHTF would swallow.

    Args:
        spool: takes the attachments.
        settings: how records are read.
    """

    def __init__(self, spool: Spool, settings: OpenHTFSettings | None = None) -> None:
        self.runs: list[Run] = []
        self.reports: list[ConversionReport] = []
        self.errors: list[Exception] = []
        self._spool = spool
        self._settings = settings

    def __call__(self, record: object) -> None:
        """
        Take a finished record.

        Args:
            record: the ``openhtf.core.test_record.TestRecord``.
        """
        report = ConversionReport()
        try:
            run = to_run(
                record, spool=self._spool, report=report, settings=self._settings
            )
        except Exception as error:
            self.errors.append(error)
            raise
        self.runs.append(run)
        self.reports.append(report)

    @property
    def run(self) -> Run:
        """
        The only run.

        Raises:
            AssertionError: there is none, or there are several.
        """
        if len(self.runs) != 1:
            raise AssertionError(f"{len(self.runs)} runs were captured, not one")
        return self.runs[0]

    def measurement(self, name: str, *, phase: str | None = None) -> Measurement:
        """
        Give a measurement of the only run by its name.

        Args:
            name: its name.
            phase: the name of its phase; needed where several have one of that name.

        Raises:
            AssertionError: there is none, or there are several; says which there are.
        """
        there = [(p.name, m) for p in self.run.phases for m in p.measurements]
        found = [m for p, m in there if m.name == name and phase in (None, p)]
        if len(found) != 1:
            names = ", ".join(f"{p}/{m.name}" for p, m in there) or "none"
            raise AssertionError(
                f"{len(found)} measurements are called {name!r}; there are: {names}"
            )
        return found[0]


@pytest.fixture
def captured_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[CapturingCallback]:
    """
    Give a callback that captures runs; a record that it fails on fails the test.

    The arguments of pytest are hidden meanwhile: OpenHTF would take them for its own.
    """
    monkeypatch.setattr(sys, "argv", sys.argv[:1])
    with Spool(tmp_path) as spool:
        callback = CapturingCallback(spool)
        yield callback
        if callback.errors:
            raise ExceptionGroup("records could not be read", callback.errors)
