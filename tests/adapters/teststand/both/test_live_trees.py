"""Readers that empty a tree leave alone what the parser may still write to."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from ctypes.util import find_library
from pathlib import Path

import rigbridge_teststand

STRESS = Path(__file__).parents[3] / "trials" / "stress_live_trees.py"
READERS = Path(rigbridge_teststand.__file__).parent
TEXTS = {"text", "tail"}


def written_texts(module: Path) -> Iterator[str]:
    """Give the places where the text of an element is written."""
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if not isinstance(node, ast.Attribute) or node.attr not in TEXTS:
            continue
        if not isinstance(node.ctx, ast.Load):
            yield f"{module.name}:{node.lineno}"


class TestLiveTrees:
    """The parser and the readers share a tree."""

    def test_texts_behind_elements_break_no_memory(self, tmp_path: Path) -> None:
        """With the checks of glibc on, a stream gives the same as the whole file."""
        checks = {"MALLOC_PERTURB_": "165"}
        # Without its checks a fault may go unseen, but the results are compared.
        if find_library("c_malloc_debug") is not None:
            checks |= {"LD_PRELOAD": "libc_malloc_debug.so.0", "MALLOC_CHECK_": "3"}
        done = subprocess.run(
            [sys.executable, str(STRESS), "45", "3"],
            cwd=tmp_path,
            env=os.environ | checks,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def test_no_reader_writes_a_text(self) -> None:
        """The parser would add to it, by the memory that its own text had."""
        modules = sorted(READERS.rglob("*.py"))
        assert modules
        assert [place for module in modules for place in written_texts(module)] == []
