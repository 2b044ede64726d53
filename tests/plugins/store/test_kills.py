"""A server that is killed while clients write: what was answered is there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

TRIAL = Path(__file__).parents[2] / "trials" / "store_load.py"


class TestKilledServer:
    """The short form of the trial; its long form kills twenty times."""

    def test_nothing_answered_is_lost(self) -> None:
        """Runs and attachments that were answered outlive two kills, each once."""
        command = [sys.executable, str(TRIAL), "--clients", "4", "--kills", "2"]
        done = subprocess.run(
            [*command, "--attachment", "3000", "--seed", "3"],
            stdout=subprocess.PIPE,
            check=False,
        )
        found = json.loads(done.stdout)
        assert found["wrong"] == []
        assert done.returncode == 0
        # It was under load when it was killed.
        assert found["runs"] > 0
        assert found["repeated calls"] > 0
