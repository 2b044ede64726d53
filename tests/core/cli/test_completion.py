"""What a real shell offers when Tab is pressed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from rigbridge.destinations import DestinationSettings
from rigbridge.model import ProcedureRef, Run, RunOutcome, Unit
from rigbridge_store.destination import LocalDestination

BASH = shutil.which("bash") or ""
pytestmark = pytest.mark.skipif(not BASH, reason="no bash here")


def test_bash_completes_commands_and_what_a_store_holds(
    tmp_path: Path,
) -> None:
    """By the function that the program itself gives to the shell."""
    local = LocalDestination(DestinationSettings(data=tmp_path))
    local.submit(
        Run(
            outcome=RunOutcome.FAIL,
            procedure=ProcedureRef(name="End of line"),
            unit=Unit(serial_number="SN-1"),
            station="eol-bench-2",
            id=UUID("db5bc547-0000-4000-8000-000000000001"),
        )
    )
    local.close()
    words = (
        "runs li",
        "runs list --outcome f",
        "runs list --station eol",
        "runs show db5",
    )
    asked = "\n".join(
        f"COMP_WORDS=(rigbridge {line}); COMP_CWORD={len(line.split())};"
        ' _rigbridge_completion rigbridge; echo "${COMPREPLY[@]}"'
        for line in words
    )
    script = f"source <(_RIGBRIDGE_COMPLETE=source_bash rigbridge)\n{asked}"
    folder = Path(sys.executable).parent
    done = subprocess.run(
        [BASH, "-c", script],
        env={
            **os.environ,
            "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
            "RIGBRIDGE_DATA": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    command, outcome, station, run = done.stdout.splitlines()
    assert (command, outcome) == ("list", "fail")
    assert station == "eol-bench-2"
    assert run.startswith("db5bc547-")
