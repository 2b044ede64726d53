"""What every SQLite file of ours needs: a log written ahead, and damage recognized."""

from __future__ import annotations

import sqlite3
import time

__all__ = ["PATIENCE", "is_damage", "use_write_ahead_log"]

# A writer holds the lock for milliseconds; half a minute also covers a slow disk or a
# virus scanner.
PATIENCE = 30.0
"""Seconds to wait for other processes by default."""

_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def is_damage(error: BaseException) -> bool:
    """Whether an error says that a file is damaged, or no database at all."""
    code = getattr(error, "sqlite_errorcode", None)
    # The lower byte is the primary code, the rest an extension of it.
    return isinstance(code, int) and code & 0xFF in _DAMAGE


def use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """
    Let readers and one writer use a database at once, whoever else opens it now.

    Raises:
        sqlite3.OperationalError: the file cannot be written, or others held it for
            longer than ``PATIENCE``.
    """
    # Switching does not wait for other processes that are switching, so this does.
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
