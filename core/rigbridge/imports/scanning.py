"""From paths to the files below them, in a stable order."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

__all__ = ["scan"]


def scan(paths: Iterable[Path]) -> Iterator[Path]:
    """
    Go through the files that paths name: a file itself, a folder all files below it.

    Folders are read in the order of their names. Names that begin with a dot are left
    out within a folder, as is every file named twice. A path that does not exist is
    given as it is, so that reading it says so.
    """
    seen: set[Path] = set()
    for path in paths:
        for file in _below(path) if path.is_dir() else (path,):
            key = file.absolute()
            if key not in seen:
                seen.add(key)
                yield file


def _below(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith("."):
                yield Path(root, name)
