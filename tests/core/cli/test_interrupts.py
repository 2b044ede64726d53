"""Ctrl-C while a command starts or ends shows no traceback."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

_PRESSED_WHILE_LOADING = """
import os, signal, sys
class Pressing:
    def find_spec(self, name, path=None, target=None):
        if name == 'typer':
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Pressing())
from rigbridge.__main__ import run
run()
"""
_PRESSED_AT_THE_END = """
import atexit, os, signal, sys
atexit.register(lambda: os.kill(os.getpid(), signal.SIGINT))
sys.argv = ['rigbridge', '--version']
from rigbridge.__main__ import run
run()
"""
_PRESSED_BETWEEN = """
import rigbridge.cli.main
def pressed():
    raise KeyboardInterrupt
rigbridge.cli.main.run = pressed
from rigbridge.__main__ import run
run()
"""


def _ended(program: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("program", [_PRESSED_WHILE_LOADING, _PRESSED_AT_THE_END])
def test_it_ends_the_process_as_the_system_does(program: str) -> None:
    """Whoever started it learns that it was interrupted."""
    assert _ended(program) == (-signal.SIGINT, "")


def test_outside_of_any_command_it_ends_as_shells_have_it() -> None:
    """130, and no word."""
    assert _ended(_PRESSED_BETWEEN) == (130, "")
