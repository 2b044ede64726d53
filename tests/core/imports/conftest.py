"""Fixtures of imports: calls of the command line, and reports to import."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rigbridge.cli.main import app

Command = Callable[..., Any]
OLD = 1_600_000_000


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Give a call of the command line on a data folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str | Path, code: int = 0) -> Any:
        given = [str(word) for word in (*words, "--data", "data")]
        result = CliRunner().invoke(app, given, catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result

    return run


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """Give a folder with two reports, which were written long ago."""
    folder = tmp_path / "reports"
    folder.mkdir()
    for name in ("teststand-batch-of-two.xml", "openhtf-with-attachment.json"):
        example = Path(str(resources.files("rigbridge.examples") / name))
        shutil.copyfile(example, folder / name)
        os.utime(folder / name, (OLD, OLD))
    return folder
