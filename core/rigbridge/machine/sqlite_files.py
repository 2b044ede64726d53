"""What SQLite files of ours need: their journal, damage recognized, a lock."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from rigbridge.machine.folders import is_on_network

__all__ = [
    "LOCK_FILE",
    "PATIENCE",
    "is_damage",
    "lock_folder",
    "use_journal",
]

# A writer holds the lock for milliseconds; half a minute also covers a slow disk or a
# virus scanner.
PATIENCE = 30.0
"""Seconds to wait for other processes by default."""

LOCK_FILE = "in-use"
"""The name of the file in a folder that is locked."""

_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def is_damage(error: BaseException) -> bool:
    """Whether an error says that a file is damaged, or no database at all."""
    code = getattr(error, "sqlite_errorcode", None)
    # The lower byte is the primary code, the rest an extension of it.
    return isinstance(code, int) and code & 0xFF in _DAMAGE


def use_journal(connection: sqlite3.Connection, path: Path) -> None:
    """
    Let readers and one writer use a database at once, whoever else opens it now.

    In a folder of another machine they take turns instead: a log written ahead needs
    memory that all processes share, and two machines share none.

    Args:
        connection: the connection.
        path: the file of the database.

    Raises:
        sqlite3.OperationalError: the file cannot be written, or others held it for
            longer than ``PATIENCE``.
    """
    mode = "DELETE" if is_on_network(path.parent) else "WAL"
    # Switching does not wait for other processes that are switching, so this does.
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute(f"PRAGMA journal_mode = {mode}")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


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
