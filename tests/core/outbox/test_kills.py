"""Senders are killed at random points; the trial is a script, and long when asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TRIAL = Path(__file__).parents[2] / "trials" / "outbox_kills.py"


@pytest.mark.skipif(os.name == "nt", reason="signals and forks of POSIX")
def test_what_killed_senders_leave_arrives_once(tmp_path: Path) -> None:
    """After 60 kills every accepted run is stored once, its attachments byte-equal."""
    command = [sys.executable, "-W", "error", str(TRIAL)]
    command += ["--kills", "60", "--batch", "30", "--seed", "7"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=170,
        env=environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert found["kills"] == 60
    assert found["accepted"] > 0
    assert found["attachments"] > 0
    assert found["wrong"] == []
