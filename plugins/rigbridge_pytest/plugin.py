"""
The pytest plugin: options, fixtures, and what records where that is asked for.

Without ``--rigbridge`` it offers the fixture ``measure``, which judges and records
nothing, so that tests run at a desk as they do on the line.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

if TYPE_CHECKING:
    from rigbridge.model import Measurement, Unit
    from rigbridge_pytest.notes import MeasureFixture

__all__ = [
    "measure",
    "pytest_addoption",
    "pytest_configure",
    "pytest_runtest_call",
    "rigbridge_unit",
]

_OPTIONS = (
    ("unit", "serial number of the unit under test"),
    ("part-number", "part number of the unit under test"),
    ("revision", "revision of the unit under test"),
    ("batch-number", "production batch of the unit under test"),
    ("procedure", "name of the procedure; by default that of the root folder"),
    ("to", "where runs go: local, a URL, or a configured destination"),
    ("data", "data folder of rigbridge"),
    ("station", "where the tests run"),
    ("operator", "who runs them"),
)
_FOLDER = "rigbridge_folder"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options and the settings of the ini file."""
    group = parser.getgroup("rigbridge", "record the session as a run (rigbridge)")
    group.addoption(
        "--rigbridge",
        action="store_true",
        default=False,
        help="record this session as a run of rigbridge",
    )
    parser.addini("rigbridge", "record every session as a run", type="bool")
    for name, meaning in _OPTIONS:
        group.addoption(f"--rigbridge-{name}", metavar="TEXT", help=meaning)
        parser.addini(f"rigbridge_{name.replace('-', '_')}", meaning)
    parser.addini(
        "rigbridge_instruments",
        "instruments, one a line: name, serial number, calibration due (2027-03-01)",
        type="linelist",
    )


def _setting(config: pytest.Config, name: str) -> str | None:
    given = config.getoption(f"rigbridge_{name}") or config.getini(f"rigbridge_{name}")
    return cast("str", given) or None


def pytest_configure(config: pytest.Config) -> None:
    """Register what records, where that is asked for."""
    if not (config.getoption("rigbridge") or config.getini("rigbridge")):
        return
    if config.getoption("collectonly"):
        return
    # Only now: every pytest of an installation loads this module.
    from rigbridge.errors import RigbridgeError
    from rigbridge.model import Unit
    from rigbridge_pytest.recording import (
        SESSION_PLUGIN,
        RecordedSession,
        RecordedTests,
        SessionSettings,
        read_instruments,
    )

    given: dict[str, str] | None = getattr(config, "workerinput", None)
    if given is not None:
        # A process of pytest-xdist: its reports go to the one that started it.
        config.pluginmanager.register(RecordedTests(Path(given[_FOLDER])))
        return
    try:
        instruments = read_instruments(config.getini("rigbridge_instruments"))
    except RigbridgeError as error:
        raise pytest.UsageError(f"rigbridge: {error}") from error
    settings = SessionSettings(
        unit=Unit(
            serial_number=_setting(config, "unit"),
            part_number=_setting(config, "part_number"),
            revision=_setting(config, "revision"),
            batch_number=_setting(config, "batch_number"),
        ),
        procedure=_setting(config, "procedure") or config.rootpath.name or "pytest",
        to=_setting(config, "to"),
        data=_setting(config, "data"),
        station=_setting(config, "station"),
        operator=_setting(config, "operator"),
        instruments=instruments,
    )
    try:
        session = RecordedSession(settings, config.rootpath)
    except RigbridgeError as error:
        raise pytest.UsageError(f"rigbridge: {error}") from error
    config.pluginmanager.register(session, SESSION_PLUGIN)
    config.pluginmanager.register(RecordedTests(session.folder), "rigbridge-tests")
    if config.pluginmanager.hasplugin("xdist"):
        config.pluginmanager.register(_Workers(session.folder), "rigbridge-workers")


class _Workers:
    """Tells the processes of pytest-xdist where copies of files go."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: object) -> None:
        """Pass the folder on."""
        workerinput: dict[str, str] = getattr(node, "workerinput")  # noqa: B009 - no types
        workerinput[_FOLDER] = str(self._folder)


@pytest.fixture(scope="session")
def rigbridge_unit() -> Unit | str | None:
    """
    Give the unit under test; override it in ``conftest.py``, with any scope.

    A serial number or a :class:`rigbridge.Unit`; None for the one of the command line.
    """
    return None


@pytest.fixture
def measure(request: pytest.FixtureRequest) -> MeasureFixture:
    """Record measurements of this test: ``measure("vcc", 3.3, unit="V", low=3.1)``."""
    from rigbridge_pytest.notes import MeasureFixture, PhaseNotes
    from rigbridge_pytest.recording import NOTES_KEY

    notes = request.node.stash.setdefault(NOTES_KEY, PhaseNotes(None))
    return MeasureFixture(notes)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test of which a measurement fails, once the test has ended."""
    result = yield
    if "measure" in getattr(item, "fixturenames", ()):
        from rigbridge_pytest.recording import NOTES_KEY

        notes = item.stash.get(NOTES_KEY, None)
        if notes is not None and notes.failing:
            pytest.fail("\n".join(map(_words, notes.failing)), pytrace=False)
    return result


def _words(measurement: Measurement) -> str:
    unit = "" if measurement.unit is None else f" {measurement.unit}"
    conditions = list(measurement.validators)
    limits = measurement.limits
    if limits is not None:
        low = "" if limits.lower is None else f"{limits.lower!r}"
        high = "" if limits.upper is None else f"{limits.upper!r}"
        conditions.append(f"limits {low}..{high}{unit}")
    shown = repr(measurement.value)
    if len(shown) > 60:  # a line of a terminal
        shown = f"{shown[:57]}..."
    why = ", ".join(conditions) or "judged by the test"
    return f"measurement {measurement.name} = {shown}{unit} fails: {why}"
