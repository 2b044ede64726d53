"""
The folder in which an import lays bytes aside, on the disk of the data folder.

It goes with the import. One whose import was killed is removed when the next begins:
that nobody uses it is told by a lock, which the system releases with the process.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

from rigbridge.machine.folder_lock import lock_folder
from rigbridge.machine.folders import make_folder

__all__ = ["import_spool"]

_FOLDER = "importing"


@contextmanager
def import_spool(data: Path) -> Generator[Path]:
    """
    Give a folder that is removed in the end.

    Args:
        data: the data folder, made where it is absent.

    Raises:
        OSError: it cannot be made.
    """
    home = data / _FOLDER
    make_folder(home)
    # Before an own folder is made, so that the room is free before it is needed.
    for path in home.iterdir():
        _remove_unused(path)
    folder = home / uuid4().hex
    folder.mkdir()
    try:
        with closing(lock_folder(folder)):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_unused(folder: Path) -> None:
    try:
        lock_folder(folder).close()
    except sqlite3.Error:
        return  # somebody is at work there
    shutil.rmtree(folder, ignore_errors=True)
