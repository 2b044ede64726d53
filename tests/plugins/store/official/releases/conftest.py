"""
Environments of their own for releases of the official client, and a server for them.

An environment is a folder below ``build``: made once by uv, or by pip from the registry
that pip is configured for, and kept until ``make clean``.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import pytest

from rigbridge_store import RunStore

HERE = Path(__file__).parent
KEPT = Path(__file__).parents[5] / "build" / "clients"
SECONDS = 300

# Tried by ``make peers`` alone, since what is newest changes without us.
collect_ignore = [] if os.environ.get("RIGBRIDGE_PEERS") else ["test_newest.py"]

Environment: TypeAlias = Callable[[str], Path]
"""Makes the environment of a release, or finds it."""


@attrs.frozen
class Release:
    """
    One release of the official client.

    Attributes:
        folder: what was installed.
    """

    folder: Path

    @property
    def version(self) -> str:
        """The release that was installed."""
        (described,) = self.folder.glob("tofupilot-*.dist-info")
        return described.name.removeprefix("tofupilot-").removesuffix(".dist-info")

    def run(self, program: str, *arguments: str) -> Any:
        """Run one of the programs beside this file with it; give what it prints."""
        done = subprocess.run(
            # Without the packages of this environment.
            [sys.executable, "-S", str(HERE / program), *arguments],
            env={**os.environ, "PYTHONPATH": str(self.folder)},
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:]
        return json.loads(done.stdout)


def _install(wanted: str, folder: Path) -> None:
    words = ""
    # uv needs a fifth of pip's time, but does not read pip's own configuration.
    for installer in (["uv", "pip", "install", "--system-certs"], ["pip", "install"]):
        command = [sys.executable, "-m", *installer, "--quiet"]
        try:
            done = subprocess.run(
                [*command, "--target", str(folder), wanted],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            words = f"still running after {SECONDS} seconds"
            continue
        if done.returncode == 0:
            return
        words = done.stderr.decode(errors="replace").strip()
        shutil.rmtree(folder, ignore_errors=True)
    pytest.skip(f"{wanted} cannot be installed: {words[-500:]}")


@pytest.fixture(scope="session")
def release_of() -> Callable[[str], Release]:
    """Give what makes or finds the environment of a release by its number."""

    def find(version: str) -> Release:
        folder = KEPT / version
        KEPT.mkdir(parents=True, exist_ok=True)
        # Other processes of the same tests wait, instead of installing it as well.
        with (KEPT / f"{version}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.is_dir():
                begun = KEPT / f".{version}"
                shutil.rmtree(begun, ignore_errors=True)
                _install(f"tofupilot=={version}", begun)
                # The last step, so that a folder of that name is whole.
                begun.rename(folder)
        return Release(folder)

    return find


@pytest.fixture
def newest_release(tmp_path: Path) -> Release:
    """Install the newest release that there is today."""
    _install("tofupilot", tmp_path / "newest")
    return Release(tmp_path / "newest")


@pytest.fixture
def try_calls(
    tmp_path: Path, serving: Callable[..., Any]
) -> Callable[[Release], dict[str, str]]:
    """Give what makes every call of a release against a new store."""

    def attempt(release: Release) -> dict[str, str]:
        with _served(tmp_path / "data", serving) as arguments:
            became: dict[str, str] = release.run("every_call.py", *arguments)
            return became

    return attempt


@contextmanager
def _served(folder: Path, serving: Callable[..., Any]) -> Iterator[list[str]]:
    with RunStore.open(folder) as store:
        user = store.create_user_key("Jane", email="jane@example.com")
        station = store.create_station_key("Line 1")
        with serving(store, user) as api:
            answer = api.post("/api/v2/procedures", json={"name": "Function Test"})
            procedure = answer.json()["id"]
            store.administration.link_station("Line 1", procedure)
            yield [str(api.base_url).rstrip("/"), user, station, procedure]
