"""From paths to the files below them, in a stable order."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from rigbridge.configuration import FILE_NAME
from rigbridge.outbox.incoming import ITEM_FILE, is_item_name

__all__ = ["scan"]


def scan(paths: Iterable[Path]) -> Iterator[Path]:
    """
    Go through the files that paths name: a file itself, a folder all files below it.

    Folders are read in the order of their names. Links to folders are followed, each
    folder once. Within a folder, names that begin with a dot are skipped, and so is
    our own configuration file. Of a run in quarantine only its document is given, which
    names its other files. A file that is named twice is given once. A path that does
    not exist, or a folder that cannot be listed, is given as it is: reading it gives
    the error.
    """
    seen: set[Path] = set()
    for path in paths:
        # Not Path.is_dir, which raises where a folder above may not be searched.
        for file in _below(path) if os.path.isdir(path) else (path,):  # noqa: PTH112
            # Not resolved: a link and its target are two files with names of their own.
            key = file.absolute()
            if key not in seen:
                seen.add(key)
                yield file


def _below(folder: Path) -> Iterator[Path]:
    visited: set[tuple[int, int]] = set()
    unlisted: list[OSError] = []
    for root, folders, files in os.walk(
        folder, onerror=unlisted.append, followlinks=True
    ):
        # A link may lead back up, or to where another one leads.
        if not _first_visit(root, visited):
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        is_item = ITEM_FILE in files and is_item_name(Path(root).name)
        for name in [ITEM_FILE] if is_item else sorted(files):
            if name != FILE_NAME and not name.startswith("."):
                yield Path(root, name)
    for error in unlisted:
        yield Path(os.fsdecode(error.filename))


def _first_visit(folder: str, visited: set[tuple[int, int]]) -> bool:
    try:
        state = Path(folder).stat()
    except FileNotFoundError:
        return True  # It went away a moment ago; its files will be missing, and said.
    # By identity, since links give one folder many paths.
    identity = (state.st_dev, state.st_ino)
    known = identity in visited
    visited.add(identity)
    return not known
