"""Recording a session of pytest; registered only where that is asked for."""

from __future__ import annotations

import logging
import shutil
import subprocess
from collections.abc import Generator, Iterable
from functools import partial
from pathlib import Path

import attrs
import pytest

from rigbridge.errors import ModelError, RigbridgeError
from rigbridge.model import Instrument, JSONValue, PhaseOutcome, ProcedureRef, Unit
from rigbridge.session import Session
from rigbridge.session.judging import printable
from rigbridge_pytest.notes import LogCollector, PhaseNotes
from rigbridge_pytest.runs import NOTES, RunsOfReports

__all__ = [
    "NOTES_KEY",
    "SESSION_PLUGIN",
    "RecordedSession",
    "RecordedTests",
    "SessionSettings",
    "read_instruments",
]

NOTES_KEY = pytest.StashKey[PhaseNotes]()
"""Where a test keeps its notes while it runs."""

SESSION_PLUGIN = "rigbridge-session"
"""The name under which the part that collects reports is registered."""

_FLUSH = 5.0
"""Seconds that the end of the session waits for the store."""

_GIT_PATIENCE = 5.0


@attrs.frozen(kw_only=True)
class SessionSettings:
    """
    What the command line and the ini file say.

    Attributes:
        unit: the unit under test, as far as it is known.
        to: where runs go; by the configuration if None.
        data: the data folder, likewise.
    """

    unit: Unit
    procedure: str
    to: str | None = None
    data: str | None = None
    station: str | None = None
    operator: str | None = None
    instruments: tuple[Instrument, ...] = ()


def read_instruments(lines: Iterable[str]) -> tuple[Instrument, ...]:
    """
    Read instruments, one a line: ``name, serial number, calibration due``.

    Args:
        lines: the lines; the second and the third part may be blank or missing.

    Raises:
        ModelError: a line that describes no instrument, or two of one name.
    """
    found: dict[str, Instrument] = {}
    for line in lines:
        name, serial_number, due, *others = [
            *(part.strip() or None for part in line.split(",")),
            None,
            None,
        ]
        if name is None or name in found or any(others):
            raise ModelError(
                f"{line!r} describes no instrument, or one that is there already",
                path="rigbridge_instruments",
                remedy="write 'name, serial number, 2027-03-01'",
            )
        found[name] = Instrument(
            name=name, serial_number=serial_number, calibration_due=due
        )
    return tuple(found.values())


class RecordedTests:
    """The part in each process that runs tests: notes of each test, on its report."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item
    ) -> Generator[None, object, object]:
        """Collect the log while a test runs, its setup and teardown included."""
        return (yield from self._collecting(item))

    def _collecting(self, item: pytest.Item) -> Generator[None, object, object]:
        root = logging.getLogger()
        collector = _CurrentCollector(item)
        root.addHandler(collector)
        try:
            return (yield)
        except (pytest.exit.Exception, KeyboardInterrupt) as stop:
            # Such a test has no report: what it measured would be lost.
            session = item.config.pluginmanager.get_plugin(SESSION_PLUGIN)
            notes = item.stash.get(NOTES_KEY, None)
            if isinstance(session, RecordedSession) and notes is not None:
                session.note_stopped(item.nodeid, notes, stop)
            raise
        finally:
            root.removeHandler(collector)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begin the notes of a test; one that is tried again begins anew."""
        session = item.config.pluginmanager.get_plugin(SESSION_PLUGIN)
        tell = None
        # In a process of pytest-xdist there is none: its reports tell what is new.
        if isinstance(session, RecordedSession):
            tell = partial(session.note_going, item.nodeid)
        notes = PhaseNotes(self._folder, tell)
        function = getattr(item, "function", None)
        docstring = getattr(function, "__doc__", None)
        if docstring and docstring.strip():
            notes.docstring = printable(docstring.strip())
        item.stash[NOTES_KEY] = notes

    @pytest.fixture(autouse=True)
    def rigbridge_unit_of_test(self, request: pytest.FixtureRequest) -> None:
        """Note the unit that the fixture ``rigbridge_unit`` gives, if it gives one."""
        unit: Unit | str | None = request.getfixturevalue("rigbridge_unit")
        notes = request.node.stash.get(NOTES_KEY, None)
        if notes is not None and unit is not None:
            if isinstance(unit, str):
                unit = Unit(serial_number=printable(unit))
            notes.unit = unit

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put the notes of a test on its reports."""
        report = yield
        notes = item.stash.get(NOTES_KEY, None)
        if notes is None:
            return report
        if call.excinfo is not None and report.failed:
            verdicts = (AssertionError, pytest.fail.Exception)
            failed = isinstance(call.excinfo.value, verdicts)
            notes.verdict = PhaseOutcome.FAIL if failed else PhaseOutcome.ERROR
            notes.attributes["exception"] = call.excinfo.typename
        # On each: the process may be killed before the next one, and a test that is
        # tried again has no teardown of its own.
        setattr(report, NOTES, notes.encoded())
        return report


class _CurrentCollector(LogCollector):
    """Collects into the notes that a test has at that moment."""

    def __init__(self, item: pytest.Item) -> None:
        super().__init__([])
        self._item = item

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record."""
        notes = self._item.stash.get(NOTES_KEY, None)
        if notes is not None:
            self._entries = notes.logs
        super().emit(record)


class RecordedSession:
    """
    The part in the process that collects reports: makes runs and hands them over.

    Args:
        root: the folder of the tests, for the state of its repository.

    Raises:
        ConfigurationError: a wrong setting of rigbridge.
    """

    def __init__(self, settings: SessionSettings, root: Path) -> None:
        self._session = Session(
            to=settings.to,
            data=settings.data,
            station=settings.station,
            operator=settings.operator,
        )
        self._ongoing = self._session.ongoing("pytest")
        self.folder = self._ongoing.folder
        self._reports = RunsOfReports(
            ProcedureRef(name=settings.procedure),
            settings.unit,
            station=settings.station,
            operator=settings.operator,
            instruments=settings.instruments,
            metadata=_metadata(root),
            ongoing=self._ongoing,
        )
        self._lines: list[tuple[str, bool]] = []

    def note_stopped(self, nodeid: str, notes: PhaseNotes, stop: BaseException) -> None:
        """Take the notes of a test in which somebody has ended the session."""
        notes.attributes["stopped"] = printable(str(stop) or type(stop).__name__)
        self._reports.stopped[nodeid] = notes.encoded()

    def note_going(self, nodeid: str, notes: PhaseNotes) -> None:
        """Note what a test has measured so far, should the process be killed."""
        try:
            self._reports.note_going(nodeid, notes.encoded())
        except ModelError:
            return  # an attribute that is no JSON, say: the report of the test says so

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the report of a test, from this process or another one."""
        self._reports.add(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Take a file that could not be collected."""
        if report.failed:
            self._reports.add_problem(f"{report.nodeid}: {report.longreprtext}")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, exitstatus: int | pytest.ExitCode) -> None:
        """Hand the runs over, and wait a little for the store."""
        stopped = (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR)
        for run in self._reports.runs(aborted=exitstatus in stopped):
            serial = run.unit.serial_number or "a unit without a serial number"
            try:
                self._session.submit(run)
                self._ongoing.end(run.id)
            except (RigbridgeError, OSError) as error:
                self._lines.append((f"{serial} {run.outcome} is lost: {error}", True))
                continue
            self._session.flush(_FLUSH)
            entry = self._session.entry(run.id)
            if entry is not None and entry.stored_id is not None:
                link = "" if entry.url is None else f": {entry.url}"
                line = (
                    f"{serial} {run.outcome} is stored as run {entry.stored_id}{link}"
                )
                self._lines.append((line, False))
            else:
                reason = (
                    "" if entry is None or not entry.reason else f" ({entry.reason})"
                )
                line = (
                    f"{serial} {run.outcome}, run {run.id}, is kept in "
                    f"{self._session.data}{reason}; 'rigbridge outbox flush' sends it"
                )
                self._lines.append((line, True))
        self._session.close()
        # The runs have links or copies of their own.
        self._ongoing.close()

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        """Say in a line for each run where it is."""
        for line, is_warning in self._lines:
            terminalreporter.write_line(f"rigbridge: {line}", yellow=is_warning)


def _metadata(root: Path) -> dict[str, JSONValue]:
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return {}
    state: dict[str, JSONValue] = {"commit": commit}
    branch = _git(root, "rev-parse", "--abbrev-ref", "HEAD")
    if branch not in (None, "HEAD"):
        state["branch"] = branch
    changes = _git(root, "status", "--porcelain", "--untracked-files=no")
    state["changed"] = bool(changes)
    return {"git": state}


def _git(root: Path, *arguments: str) -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments
            [git, "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=_GIT_PATIENCE,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return printable(done.stdout.strip()) if done.returncode == 0 else None
