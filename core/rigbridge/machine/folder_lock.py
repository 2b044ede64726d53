"""A lock on a folder, which the system releases with the process that holds it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

__all__ = ["LOCK_FILE", "lock_folder"]

LOCK_FILE = "in-use"
"""The name of the file in the folder that is locked."""


def lock_folder(folder: Path, patience: float = 0.0) -> sqlite3.Connection:
    """
    Lock a folder until the connection is closed, by whatever end of the process.

    A lock of SQLite is there on every system, and ends with its process. A process id
    alone would not do: ids are given again.

    Args:
        patience: seconds to wait for another one that holds the lock.

    Raises:
        sqlite3.Error: somebody holds it, or the folder cannot be written.
    """
    path = folder / LOCK_FILE
    # No thread of its own is bound to it: a lock may be released by another thread than
    # the one that took it.
    connection = sqlite3.connect(path, timeout=patience, check_same_thread=False)
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except BaseException:
        connection.close()
        raise
    return connection
