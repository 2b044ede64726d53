"""The Python interface, as the reference page shows it and as strangers use it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import rigbridge
from rigbridge.testing.run_store import RunStoreServer

ROOT = Path(__file__).parents[2]
FILE = re.compile(r"^# file: (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)

Python = Callable[..., subprocess.CompletedProcess[str]]


def examples(name: str) -> list[str]:
    """Give the Python programs of a page."""
    return FENCE.findall((ROOT / "docs" / name).read_text(encoding="utf-8"))


@pytest.fixture
def python(tmp_path: Path) -> Python:
    """Run a program in a folder that holds a report of two runs and an image."""
    report = ROOT / "core/rigbridge/examples/teststand-batch-of-two.xml"
    (tmp_path / "report.xml").write_bytes(report.read_bytes())
    (tmp_path / "scope.png").write_bytes(b"an image")

    def run(program: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the destination that the page shows, without an index."""
    source = tmp_path_factory.mktemp("line-file")
    text = (ROOT / "docs/how-to/write-a-destination.md").read_text(encoding="utf-8")
    for name, body in re.findall(
        r"^# file: (\S+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL
    ):
        (source / name).write_text(body, encoding="utf-8")
    target = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index"]
    command += ["--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    command += ["--target", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


class TestThePage:
    """The page reference/python.md."""

    @pytest.mark.parametrize("number", range(len(examples("reference/python.md"))))
    def test_its_examples_run(
        self, python: Python, number: int, run_store_server: RunStoreServer
    ) -> None:
        """Each example is a whole program that does what it says."""
        program = examples("reference/python.md")[number]
        program = program.replace("https://store.example.com", run_store_server.url)
        done = python(program, RIGBRIDGE_API_KEY=run_store_server.api_key)
        assert done.returncode == 0, done.stderr
        assert done.stdout
        if "Client(" in program:
            first, second, *_ = run_store_server.runs
            stored = {stored.id for stored in (first, second)}
            assert stored <= set(done.stdout.split())
            names = [name for name, _ in run_store_server.attachments(first.id)]
            assert "scope.png" in names
        if "open_outbox" in program:
            assert done.stdout == "0 runs still wait\n"
        if "#" in program and "must be" in program:
            assert done.stdout.strip() in program

    def test_it_names_every_public_name(self) -> None:
        """What ``rigbridge`` offers stands on the page."""
        text = (ROOT / "docs/reference/python.md").read_text(encoding="utf-8")
        words = set(re.findall(r"\w+", text))
        ours = set(rigbridge.__all__) - {"__version__"}
        enumerations = {name for name in ours if name.endswith(("Outcome", "Level"))}
        assert ours - enumerations <= words


class TestADestinationOfOthers:
    """That of how-to/write-a-destination.md, installed as others would."""

    @pytest.mark.parametrize("to", ["line-file", "line-file://here"])
    def test_it_is_found_by_name(
        self, python: Python, installed: Path, tmp_path: Path, to: str
    ) -> None:
        """``to`` names it, alone or in an address; its settings reach it."""
        (tmp_path / "rigbridge.toml").write_text(
            f'to = "{to}"\n[destinations.line-file]\npath = "all.jsonl"\n'
        )
        program = """
import rigbridge
with rigbridge.open_outbox() as outbox:
    for run in rigbridge.read("report.xml"):
        outbox.submit(run)
    print(outbox.flush(30))
"""
        done = python(program, PYTHONPATH=str(installed))
        assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr
        lines = (tmp_path / "all.jsonl").read_text(encoding="utf-8").splitlines()
        assert len([json.loads(line)["id"] for line in lines]) == 2

    def test_an_unknown_one_lists_the_installed(
        self, python: Python, installed: Path
    ) -> None:
        """The error names the setting and what could stand there."""
        program = "import rigbridge; rigbridge.open_outbox(to='line-fil')"
        done = python(program, PYTHONPATH=str(installed))
        assert "ConfigurationError: argument: to: 'line-fil' is neither" in done.stderr
        assert "installed: http, line-file, local" in done.stderr

    def test_settings_of_one_that_is_not_installed(
        self, python: Python, tmp_path: Path
    ) -> None:
        """A table for nobody is a mistake."""
        (tmp_path / "rigbridge.toml").write_text("[destinations.line-fil]\n")
        done = python("import rigbridge; rigbridge.open_outbox().flush(1)")
        assert "destinations.line-fil: there is no such destination" in done.stderr


class TestTheRunStoreForTests:
    """``rigbridge.testing.run_store``."""

    def test_it_needs_no_pytest(self, python: Python) -> None:
        """Who tests with another framework, or by hand, can use it."""
        done = python(
            "import sys; sys.modules['pytest'] = sys.modules['hypothesis'] = None\n"
            "from rigbridge.testing.run_store import Dialect, Fault, RunStoreServer\n"
            "with RunStoreServer(Dialect()) as server: print(server.url, Fault.RESET)"
        )
        assert done.returncode == 0, done.stderr
