"""Several stations, a store that is down, a kill; the trial is a script of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TRIAL = Path(__file__).parents[2] / "trials" / "openhtf_station.py"

pytest.importorskip("openhtf")


@pytest.mark.skipif(os.name == "nt", reason="a process is killed as POSIX has it")
def test_the_runs_of_several_stations_arrive_once(tmp_path: Path) -> None:
    """Each test of two processes is stored once, though one of them is killed."""
    command = [sys.executable, str(TRIAL), "--tests", "16", "--processes", "2"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=170,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    found = json.loads(done.stdout)
    assert found["tests"] == 16
    assert found["killed"] is True
    assert found["attachments"] > 0
    assert found["wrong"] == []
