"""Out of one store and into another, and the upkeep of both, as a user does it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rigbridge

EXAMPLES = Path(rigbridge.__file__).parent / "examples"


@pytest.fixture(name="call")
def _call(
    run_command: Callable[..., subprocess.CompletedProcess[str]],
) -> Callable[..., Any]:
    """Run a command with JSON, and give what it printed."""

    def call(*arguments: object) -> Any:
        done = run_command(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return call


@pytest.fixture
def data(tmp_path: Path, call: Callable[..., Any]) -> Path:
    """Give the data folder of a store with the bundled examples."""
    folder = tmp_path / "store"
    reports = [*EXAMPLES.glob("*.xml"), *EXAMPLES.glob("*.json")]
    call("import", *reports, "--data", folder)
    return folder


def test_exported_runs_are_read_back(
    tmp_path: Path, data: Path, call: Callable[..., Any]
) -> None:
    """Every run comes into another store with its id, attachments included."""
    done = call("runs", "export", "all.jsonl", "--data", data)
    call("import", "all.jsonl", "--data", tmp_path / "other")
    stores = [
        call("runs", "list", "--data", folder) for folder in (data, tmp_path / "other")
    ]
    shown = [
        sorted((run["id"], len(run.get("attachments") or [])) for run in runs)
        for runs in stores
    ]
    assert shown[0] == shown[1]
    assert len(shown[0]) == done["runs"] > 3
    again = call("runs", "show", shown[0][0][0], "--data", tmp_path / "other")
    assert again == call("runs", "show", shown[0][0][0], "--data", data)


def test_rows_of_failed_runs(
    tmp_path: Path, data: Path, call: Callable[..., Any]
) -> None:
    """A choice of runs becomes rows of measurements."""
    arguments = ("runs", "export", "fail.csv", "--outcome", "fail", "--data", data)
    done = call(*arguments)
    assert done["runs"] >= 1
    lines = (tmp_path / "fail.csv").read_text().count("\n")
    assert lines >= done["rows"] + 1


def test_backup_check_and_prune(
    tmp_path: Path, data: Path, call: Callable[..., Any]
) -> None:
    """A copy is a good store, and can be emptied of what is old."""
    done = call("store", "backup", tmp_path / "copy", "--data", data)
    found = call("store", "check", "--data", tmp_path / "copy")
    assert (found["runs"], found["problems"]) == (done["runs"], [])
    prune = ("store", "prune", "--older-than", 1, "--data", data)
    assert call(*prune, "--dry-run")["runs"] == done["runs"] > 0
    assert call(*prune)["runs"] == done["runs"]
    assert call("runs", "list", "--data", data) == []
