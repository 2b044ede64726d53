"""Commands in processes of their own that begin with everything imported."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

# What each command would import anew, which takes longer than most commands. How a
# process truly begins is tested with the help, the output, and end to end.
_IMPORTED = [
    *("rigbridge.cli.main", "rigbridge.cli.importing", "rigbridge.imports.pipeline"),
    *("rigbridge_csv.adapter", "rigbridge_openhtf.adapter", "rigbridge_runs.adapter"),
    *("rigbridge_junit.adapter", "rigbridge_stdf.adapter", "rigbridge_tdms.adapter"),
    *("rigbridge_teststand.native.adapter", "rigbridge_teststand.atml.adapter"),
    *("rigbridge_store.destination", "rigbridge_store.store"),
    *("platformdirs", "rich.table", "stevedore.driver", "stevedore.named"),
]

# Run in the process: its files, folder and environment are those of a new one.
_PROGRAM = """
import os, sys, time
for descriptor, name in ((1, "stdout"), (2, "stderr")):
    file = os.open(os.path.join(output, name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, descriptor)
    os.close(file)
os.chdir(folder)
os.environ.clear()
os.environ.update(environment)
time.tzset()
sys.argv = ["rigbridge", *arguments]
from rigbridge.__main__ import run
run()
"""


@pytest.fixture(scope="session", name="output")
def _output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("output")


@pytest.fixture
def run_command(
    tmp_path: Path, output: Path
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command of rigbridge in a folder, and give what it wrote."""
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(_IMPORTED)

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        words = [*map(str, arguments)]
        given = {
            "arguments": words,
            "output": str(output),
            "folder": str(tmp_path),
            "environment": dict(os.environ),
        }
        process = forking.Process(target=exec, args=(_PROGRAM, given))
        process.start()
        process.join(120)
        assert process.exitcode is not None, "still running after two minutes"
        stdout, stderr = (
            (output / name).read_text("utf-8") for name in ("stdout", "stderr")
        )
        return subprocess.CompletedProcess(words, process.exitcode, stdout, stderr)

    return run
