"""
What every test gets: an environment of its own, no leaked key, no silent skips in CI.

With ``RIGBRIDGE_NO_SKIP=1`` a skipped test counts as failed, since a machine that is
set up by the project has everything that the tests need.
"""

from __future__ import annotations

import functools
import inspect
import os
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from httpx._config import DEFAULT_TIMEOUT_CONFIG, create_ssl_context
from hypothesis import settings

from rigbridge.testing.run_store.server import RunStoreServer

# A slow machine is no failure; how long things take is measured in benchmarks.
settings.register_profile("rigbridge", deadline=None)
settings.load_profile("rigbridge")

_NO_SKIP = os.environ.get("RIGBRIDGE_NO_SKIP", "") not in ("", "0")
_OURS = ("RIGBRIDGE_", "TOFUPILOT_")
_FOLDERS = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")

# The key of the run store that fails on demand, which most tests of deliveries use.
_KEY = str(inspect.signature(RunStoreServer).parameters["api_key"].default)

_Report = TypeVar("_Report", pytest.TestReport, pytest.CollectReport)


@pytest.fixture(autouse=True)
def clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings of this machine out, and our files in ``tmp_path``."""
    for name in list(os.environ):
        if name.startswith(_OURS):
            monkeypatch.delenv(name)
    for name in _FOLDERS:
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "xdg_config_dirs"))
    monkeypatch.setenv("RIGBRIDGE_DATA", str(tmp_path / "data"))
    # Nor may a test read, or ask for, the keys of whoever runs it.
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    # The official client reports its use to its makers unless told not to.
    monkeypatch.setenv("DISABLE_TELEMETRY", "true")


@pytest.fixture(autouse=True)
def no_key_is_written(tmp_path: Path, clean_environment: None) -> Iterator[None]:
    """Search all files that a test wrote, outboxes and payloads among them."""
    del clean_environment
    yield
    holders = [
        str(path)
        for path in tmp_path.rglob("*")
        if path.is_file() and not path.is_symlink() and _holds_key(path)
    ]
    assert holders == []


def _holds_key(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            # What is larger than any log or payload here is content that a test made.
            return _KEY.encode() in stream.read(1 << 20)
    except OSError:
        return False  # a test took the permission to read away


@pytest.fixture(scope="session", autouse=True)
def _clients_are_made_quickly_and_patient() -> Iterator[None]:
    """
    Read the certificates once a process, and give a slow machine two minutes.

    The tests' own clients of HTTP trust nobody in particular; each would read the whole
    bundle, which takes longer than most requests.
    """

    @functools.cache
    def usual(*_: str | None) -> Any:
        return create_ssl_context()

    def context(verify: Any = True, cert: Any = None, trust_env: bool = True) -> Any:
        if verify is True and cert is None and trust_env:
            return usual(*map(os.environ.get, ("SSL_CERT_FILE", "SSL_CERT_DIR")))
        return create_ssl_context(verify, cert, trust_env)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("httpx._transports.default.create_ssl_context", context)
        # The one object of all calls that give no timeout of their own.
        for kind in ("connect", "read", "write", "pool"):
            patched.setattr(DEFAULT_TIMEOUT_CONFIG, kind, 120.0)
        yield


@pytest.fixture(scope="session")
def until() -> Callable[[Callable[[], object]], None]:
    """Give what waits for a state, for as long as any machine may need for it."""

    def wait(condition: Callable[[], object]) -> None:
        end = time.monotonic() + 120
        while not condition():
            assert time.monotonic() < end, "it never happened"
            time.sleep(0.005)

    return wait


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[
    None, pytest.TestReport, pytest.TestReport
]:
    """Fail a test that was skipped in its set-up or run, or that shows the key."""
    return _without_key(_without_skip((yield)))


def _without_key(report: pytest.TestReport) -> pytest.TestReport:
    shown = [name for name, text in report.sections if _KEY in text]
    if shown and report.passed:
        report.outcome = "failed"
        report.longrepr = f"the API key is shown in {', '.join(shown)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[
    None, pytest.CollectReport, pytest.CollectReport
]:
    """Fail a module that was skipped as a whole."""
    return _without_skip((yield))


def _without_skip(report: _Report) -> _Report:
    # An expected failure is reported as skipped, too; it did run.
    if _NO_SKIP and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be: {report.longreprtext}"
    return report
