"""
The temporary folder of an import, on the disk of the data folder.

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

from rigbridge.machine.folders import make_folder
from rigbridge.machine.sqlite_files import lock_folder

__all__ = ["import_spool"]

_FOLDER = "importing"
_PATIENCE = 60.0
"""Seconds that another import may take to remove what was left behind."""


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
    folder = home / uuid4().hex
    try:
        # Another import that begins just now must not take the new folder, which is
        # not locked yet, for one that nobody uses.
        with closing(lock_folder(home, _PATIENCE)):
            # First, so that the room is free before it is needed.
            for path in home.iterdir():
                if path.is_dir():
                    _remove_unused(path)
            folder.mkdir()
            lock = lock_folder(folder)
    except sqlite3.Error as error:
        raise OSError(f"{home} cannot be locked: {error}") from error
    try:
        with closing(lock):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_unused(folder: Path) -> None:
    try:
        lock_folder(folder).close()
    except sqlite3.Error:
        return  # somebody is at work there
    shutil.rmtree(folder, ignore_errors=True)
