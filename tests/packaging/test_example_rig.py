"""The example of a third party's adapter, installed as a third party's would be."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "docs/examples/rigbridge-example-rig"

Run = Callable[..., str]


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a copy of the example, so that nothing is left in the docs."""
    copy = tmp_path_factory.mktemp("example") / EXAMPLE.name
    shutil.copytree(EXAMPLE, copy, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    return copy


@pytest.fixture(scope="session")
def installed(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the example with pip into a folder, without an index."""
    target = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index"]
    command += ["--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    command += ["--target", str(target), str(project)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture
def python(installed: Path, project: Path) -> Run:
    """Run Python where the example is installed, and give what it prints."""

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=project,
            env={**os.environ, "PYTHONPATH": str(installed)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_the_loader_sees_it(python: Run) -> None:
    """The adapter is listed with its distribution, and loads."""
    program = """
import json
from rigbridge.machine.plugins import PluginLoader
for record in PluginLoader("rigbridge.adapters").listing():
    if record.name == "example-rig":
        print(json.dumps([record.status, record.distribution, record.version]))
"""
    found = json.loads(python("-c", program))
    assert found == ["loaded", "rigbridge-example-rig", "1.0.0"]


def test_its_own_tests_pass(python: Run) -> None:
    """The example passes the conformance suite, and its own tests, once installed."""
    python("-m", "pytest", "-q", "-p", "no:cacheprovider")


def test_it_takes_part_in_an_import(python: Run, tmp_path: Path) -> None:
    """Its logs are recognized and read with its settings, like those of ours."""
    (tmp_path / "rigbridge.toml").write_text(
        '[adapters.example-rig]\nprocedure = "Soak"\n'
    )
    program = f"""
import json
from pathlib import Path
from rigbridge.adapters import Source, Spool
from rigbridge.configuration import load_configuration
from rigbridge.imports.detection import AdapterSet
from rigbridge.imports.reading import read_source
configuration = load_configuration(file=Path({str(tmp_path / "rigbridge.toml")!r}))
source = Source.from_path(Path("samples/bench.log"))
adapter = AdapterSet(configuration).choose(source)
with Spool() as spool:
    read = list(read_source(source, adapter, configuration, spool))
print(json.dumps([[item.run.procedure.name, item.run.outcome] for item in read]))
"""
    assert json.loads(python("-c", program)) == [["Soak", "PASS"], ["Soak", "FAIL"]]


def test_it_is_no_part_of_our_wheel() -> None:
    """The example stands outside of the three source roots."""
    root = Path(__file__).parents[2]
    roots = [root / name for name in ("core", "adapters", "plugins")]
    assert not any(EXAMPLE.is_relative_to(folder) for folder in roots)
