"""``adapters new`` writes what installs and passes; ``adapters check`` certifies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rigbridge.cli.main import app
from rigbridge.configuration import load_configuration
from rigbridge.errors import ConfigurationError, PluginLoadError
from rigbridge.opening import make_adapter
from rigbridge.testing.adapters.scaffold import write_distribution
from rigbridge_csv import CSVAdapter


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a new distribution."""
    folder = tmp_path_factory.mktemp("new") / "rigbridge-leak-bench"
    write_distribution("leak-bench", folder)
    return folder


@pytest.fixture(scope="module")
def environment(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Install it with pip into a folder, without an index."""
    target = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index"]
    command += ["--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    command += ["--target", str(target), str(project)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {**os.environ, "PYTHONPATH": str(target)}


def run(
    environment: dict[str, str], folder: Path, *words: str
) -> subprocess.CompletedProcess[str]:
    """Run Python where the new distribution is installed."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


class TestNew:
    """The distribution is complete, and nothing is overwritten."""

    def test_its_own_tests_pass(
        self, project: Path, environment: dict[str, str]
    ) -> None:
        """Installed as it is, it passes the suite with something to try in each."""
        done = run(
            # The plugins that are installed here take three seconds to import.
            {**environment, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            project,
            *("-m", "pytest", "-q", "-rs"),
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "skipped" not in done.stdout

    def test_it_is_certified(self, project: Path, environment: dict[str, str]) -> None:
        """The command finds it by its entry point, and prints its certificate."""
        words = ("-m", "rigbridge", "adapters", "check", "leak-bench")
        done = run(environment, project, *words, "--samples", "samples", "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        certificate = json.loads(done.stdout)
        assert (certificate["adapter"], certificate["version"]) == (
            "leak-bench",
            "0.1.0",
        )
        assert certificate["samples"] == ["leak-bench.log"]
        assert {each["result"] for each in certificate["results"]} == {"passed"}

    def test_no_word_of_the_template_is_left(self, project: Path) -> None:
        """Every file has the new names in it."""
        files = [path for path in project.rglob("*") if path.suffix != ".pyc"]
        texts = [path.read_text() for path in files if path.is_file()]
        assert not any("@NAME" in text or "@CLASS" in text for text in texts)

    @pytest.mark.parametrize(
        "name", ["", "Leak", "leak bench", "leak_bench", "../x", "-a", "1a", "csv"]
    )
    def test_a_bad_or_taken_name_is_refused(self, name: str, tmp_path: Path) -> None:
        """A name that cannot be one writes nothing."""
        with pytest.raises(ConfigurationError) as refused:
            write_distribution(name, tmp_path / "new")
        assert refused.value.remedy
        assert not (tmp_path / "new").exists()

    def test_a_folder_in_use_is_refused(self, tmp_path: Path) -> None:
        """What lies there stays as it is."""
        (tmp_path / "notes.txt").write_text("mine")
        with pytest.raises(ConfigurationError, match="not empty"):
            write_distribution("leak-bench", tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


class TestCheck:
    """The certificate says what failed, and what to do."""

    def test_a_wrong_sample_fails(self, tmp_path: Path) -> None:
        """A report of another kind is no sample: exit code 1, with the remedy."""
        (tmp_path / "a.csv").write_text("bread,butter\n1,2\n")
        words = ["adapters", "check", "teststand-xml", "--samples", str(tmp_path)]
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 1
        assert "failed     reads-every-run" in done.output
        assert "What to do:" in done.output
        assert "teststand-xml does not conform" in done.output

    def test_no_samples_are_a_wrong_use(self, tmp_path: Path) -> None:
        """An empty folder is no trial."""
        words = ["adapters", "check", "csv", "--samples", str(tmp_path)]
        done = CliRunner().invoke(app, words)
        assert isinstance(done.exception, ConfigurationError) or done.exit_code == 2


def test_another_name_than_the_entry_point_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Settings and ids go by the name: the remedy says which one to write."""
    monkeypatch.setattr(CSVAdapter, "name", "csv-logs")
    with pytest.raises(PluginLoadError, match="calls itself 'csv-logs'") as refused:
        make_adapter("csv", load_configuration(environment={}))
    assert "'csv-logs'" in str(refused.value.remedy)
