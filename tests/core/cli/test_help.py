"""Help is there at once: it brings in nothing that is slow and not needed for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

_SLOW = ("httpx", "lxml", "sqlalchemy", "litestar", "openhtf", "rich.console")


@pytest.mark.parametrize(
    "words", [(), ("runs", "list"), ("import",), ("outbox", "status"), ("serve",)]
)
def test_help_brings_in_nothing_slow(words: tuple[str, ...]) -> None:
    """A clock would tell as much of the machine as of the program."""
    script = (
        "import sys\n"
        "from rigbridge.cli.main import app\n"
        f"sys.argv = ['rigbridge', *{words!r}, '--help']\n"
        "try:\n"
        "    app()\n"
        "except SystemExit:\n"
        "    pass\n"
        f"print('slow:', [name for name in {_SLOW!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "Options:" in done.stdout
    assert done.stdout.splitlines()[-1] == "slow: []"
