"""
The SQLite file of the ledger: processes share it, and its faults stop no import.

Everything in it can be had again by importing again. So a damaged file is set aside and
a new one begun, and an import goes on without a ledger where none can be opened.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from rigbridge.ledger.tables import TABLES, VERSION
from rigbridge.machine.folders import make_file, make_folder
from rigbridge.machine.sqlite_files import PATIENCE, is_damage, use_journal

__all__ = ["LedgerDatabase"]

_LOGGER = logging.getLogger("rigbridge.ledger")
_Answer = TypeVar("_Answer")
# Kibibytes of the file that are kept in memory: entries are found by digests, which lie
# anywhere in it.
_CACHE = 16_000


class LedgerDatabase:
    """
    One connection for all threads of this process, opened at the first use.

    Args:
        path: the file; made, with its folder, by the first that is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[str] = []
        """What went wrong with the ledger itself, for a person."""
        self.when_opened: Callable[[], None] = lambda: None
        """Called when a file was opened, which may be a new one."""
        # Reentrant: a damaged file is closed while the lock is held.
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self.is_usable = True

    def read(
        self, question: Callable[[sqlite3.Connection], _Answer], missing: _Answer
    ) -> _Answer:
        """
        Ask the ledger something.

        Args:
            question: asks; again of a new file where this one turns out to be damaged.
            missing: the answer where there is no ledger, or none that can be used.
        """
        with self._lock:
            # A question makes no folder: the command may name the wrong one.
            if self._connection is None and not self.path.is_file():
                return missing
            return self._asked(question, missing)

    def write(self, change: Callable[[sqlite3.Connection], None]) -> bool:
        """
        Make a change in one transaction; nothing where no ledger can be used.

        Returns:
            Whether it was made.
        """

        def changed(connection: sqlite3.Connection) -> bool:
            # IMMEDIATE takes the write lock now: a read that becomes a write later
            # fails at once where another process wrote meanwhile.
            connection.execute("BEGIN IMMEDIATE")
            try:
                change(connection)
                connection.execute("COMMIT")
            except BaseException:
                # A full disk may have rolled back already.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            return True

        with self._lock:
            return self._asked(changed, missing=False)

    def _asked(
        self, question: Callable[[sqlite3.Connection], _Answer], missing: _Answer
    ) -> _Answer:
        # Twice: once on the file that was found, once on the new one after damage.
        for _ in range(2):
            if not self.is_usable:
                return missing
            try:
                return question(self._opened())
            except (OSError, sqlite3.Error) as error:
                if is_damage(error) and self._set_aside(error):
                    continue
                self._give_up(str(error))
        return missing

    def _opened(self) -> sqlite3.Connection:
        if self._connection is not None:
            return self._connection
        make_folder(self.path.parent)
        # Made here, since SQLite does not give it the permissions of the folder.
        make_file(self.path)
        connection = sqlite3.connect(
            self.path,
            timeout=PATIENCE,
            # Transactions are begun by hand: the module would begin them too late.
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            use_journal(connection, self.path)
            # A file may be deleted once its entry is written, so a power cut must not
            # take that; a group of entries costs one sync.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA cache_size = -{_CACHE}")
            _make_tables(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        self.when_opened()
        return connection

    def _set_aside(self, error: BaseException) -> bool:
        """Move a damaged file out of the way; its log goes with it."""
        self.close()
        aside = self.path.with_name(f"{self.path.name}.damaged-{time.time_ns()}")
        # All three files go: a log of the damaged file must not be applied to the new
        # one.
        try:
            for suffix in ("-wal", "-shm", ""):
                file = self.path.with_name(self.path.name + suffix)
                # Another process that found the same may have been faster.
                with suppress(FileNotFoundError):
                    file.replace(aside.with_name(aside.name + suffix))
        except OSError:
            return False
        self._say(
            f"{self.path} is damaged ({error}) and was set aside as {aside.name}; a new"
            " one was begun. Import the same files again to fill it: what is stored is"
            " found there, and nothing is stored twice"
        )
        return True

    def _give_up(self, reason: str) -> None:
        # For the rest of this process. Trying again with every file would only slow the
        # import down.
        self.is_usable = False
        self.close()
        self._say(
            f"{self.path} cannot be used ({reason}); imports are not recorded, files"
            " stay where they are, and will be read again (check the folder and the"
            " free space)"
        )

    def _say(self, text: str) -> None:
        self.problems.append(text)
        _LOGGER.warning("%s", text)

    def close(self) -> None:
        """Close the connection; may be called twice."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()


def _make_tables(connection: sqlite3.Connection) -> None:
    def version() -> int:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])

    if version() == 0:
        connection.execute("BEGIN IMMEDIATE")
        # Another process may have made them while this one waited.
        if version() == 0:
            for statement in filter(str.strip, TABLES.split(";\n")):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    # Raised as an error of SQLite, so that it takes the way of all others: the import
    # goes on without a ledger.
    if version() != VERSION:
        raise sqlite3.NotSupportedError("it was made by another version of rigbridge")
