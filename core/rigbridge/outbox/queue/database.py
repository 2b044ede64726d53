"""
The SQLite database of an outbox: durable, shared by threads and processes.

A connection must not cross a fork, so all are closed right before one, and opened
again by whoever needs them on either side.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from rigbridge.errors import ConfigurationError, OutboxBusyError
from rigbridge.machine.folders import make_file, make_folder
from rigbridge.machine.forks import watch_forks
from rigbridge.machine.sqlite_files import PATIENCE, is_damage, use_journal
from rigbridge.outbox.disk_space import is_full, make_room
from rigbridge.outbox.queue.damage import (
    finish_replacement,
    has_files,
    missing_part,
    replace,
    replaced,
    set_aside,
)
from rigbridge.outbox.queue.schema import migrate, version_of

__all__ = ["OutboxDatabase"]

_LOGGER = logging.getLogger("rigbridge.outbox")

_MAX_CHECKED = 256 << 20
"""Bytes up to which a database is checked as a whole when it is opened."""


class OutboxDatabase:
    """
    One connection for all threads of this process.

    Args:
        path: the file; made if it is not there.
        contents: the folder of attachments. Where it holds files and the database is
            empty, the database was lost.

    Raises:
        ConfigurationError: it cannot be opened, is no outbox, or was made by a newer
            version.
    """

    def __init__(self, path: Path, contents: Path | None = None) -> None:
        self.folder = path.parent
        self._path = path
        self._contents = contents
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._closed = False
        # Before it is opened: a fork amid that would leave the child with locks of
        # SQLite in its memory that nobody there ever releases.
        watch_forks(self)
        try:
            make_folder(self.folder)
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            self.close()
            raise ConfigurationError(
                f"cannot be used as an outbox: {error}",
                source=str(path),
                remedy="check the folder, its permissions and the free space",
            ) from error
        except BaseException:
            self.close()
            raise

    @contextmanager
    def writing(self, patience: float | None = None) -> Generator[sqlite3.Connection]:
        """
        Hold a transaction; it is on the disk when this ends without an error.

        Args:
            patience: seconds to wait for other threads, and again for other processes.

        Raises:
            OutboxBusyError: they were not enough.
        """
        with self._locked(patience), self._replacing_damaged():
            connection = self._connect()
            if make_room(self.folder):
                # Until then the log grows with every change, and nothing shrinks it.
                self.write_back()
            self._begin(connection, patience)
            while self._was_replaced():
                # While this one waited, a damaged file made way for a new one: what is
                # written into the old one would be lost.
                connection.execute("ROLLBACK")
                connection = self._connect()
                self._begin(connection, patience)
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException as error:
                # A full disk may have rolled back already.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                if is_full(error):
                    self.write_back()
                raise

    @contextmanager
    def reading(self, patience: float | None = None) -> Generator[sqlite3.Connection]:
        """
        Hold the connection for one question.

        Args:
            patience: seconds to wait for other threads.

        Raises:
            OutboxBusyError: they were not enough.
        """
        with self._locked(patience), self._replacing_damaged():
            yield self._connect()

    @contextmanager
    def _locked(self, patience: float | None) -> Generator[None]:
        # One connection has one transaction, so threads take turns. A thread that waits
        # for another process holds this lock meanwhile.
        if not self._lock.acquire(timeout=-1 if patience is None else patience):
            raise self._busy()
        try:
            yield
        finally:
            self._lock.release()

    def write_back(self) -> None:
        """Write the log back into the database, which gives its room to the disk."""
        # On a full disk even that may fail; the next call tries again.
        with self._lock, suppress(sqlite3.OperationalError):
            self._connect().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _begin(self, connection: sqlite3.Connection, patience: float | None) -> None:
        if patience is not None:
            connection.execute(f"PRAGMA busy_timeout = {round(1000 * patience)}")
        try:
            # IMMEDIATE takes the write lock now: a read that becomes a write later
            # fails at once where another process wrote meanwhile.
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            # The lower byte is the primary code, the rest an extension of it.
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                raise self._busy() from error
            raise
        finally:
            if patience is not None:
                connection.execute(f"PRAGMA busy_timeout = {round(1000 * PATIENCE)}")

    def _busy(self) -> OutboxBusyError:
        return OutboxBusyError(
            "others hold the outbox for too long",
            source=str(self._path),
            remedy="find the program that holds it, or try again in a moment",
        )

    @property
    def set_aside(self) -> list[Path]:
        """The damaged databases that stood in the place of this one."""
        return set_aside(self._path)

    @contextmanager
    def _replacing_damaged(self) -> Generator[None]:
        """Replace the file if it turns out to be damaged; the error is raised, too."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            if is_damage(error):
                self._replace()
            raise

    def _replace(self) -> None:
        self.disconnect()
        replace(self._path, lambda: self._is_sound(thorough=True))

    def _is_sound(self, *, thorough: bool = False) -> bool:
        missing = missing_part(self._path, self._contents)
        if missing is not None:
            _LOGGER.critical("the outbox's database %s: %s", self._path, missing)
            return False
        try:
            connection = self._connect()
            # Checking a large one takes long; its damage shows when it is met. An index
            # that lacks a row is such damage, and too long to look for each time.
            if thorough or self._path.stat().st_size <= _MAX_CHECKED:
                check = "integrity_check" if thorough else "quick_check"
                answer = connection.execute(f"PRAGMA {check}(1)").fetchone()[0]
                sound = str(answer) == "ok"
            else:
                sound = True
            # Tables that were never written, beside files that some entry named: all
            # that there was stood in a log that is gone.
            lost = version_of(connection) == 0 and has_files(self._contents)
        except sqlite3.DatabaseError as error:
            self.disconnect()
            if is_damage(error):
                return False
            raise
        if not sound or lost:
            self.disconnect()
        return sound and not lost

    def close(self) -> None:
        """Close the connection; may be called twice."""
        with self._lock:
            self._closed = True
            self.disconnect()

    def disconnect(self) -> None:
        """Close the connection until it is needed again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _connect(self) -> sqlite3.Connection:
        if self._closed:
            raise ConfigurationError(
                "the outbox is closed", source=str(self._path), remedy="open it again"
            )
        known = self._connection
        if known is not None and not known.in_transaction and self._was_replaced():
            self.disconnect()
        if self._connection is None:
            finish_replacement(self._path)
            # Made here, since SQLite does not give it the permissions of the folder.
            make_file(self._path)
            connection = sqlite3.connect(
                self._path,
                timeout=PATIENCE,
                # Transactions are begun by hand: the module would begin them too late.
                isolation_level=None,
                # One connection for all threads; the lock makes them take turns.
                check_same_thread=False,
            )
            self._connection = connection
            # Columns by name: tables of a later version have more of them.
            connection.row_factory = sqlite3.Row
            use_journal(connection, self._path)
            # Each commit is on the disk when it returns; on macOS only with the second.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA fullfsync = ON")
            self._file = _identity(self._path)
        return self._connection

    def _was_replaced(self) -> bool:
        """Whether another process has set the file aside that this one has open."""
        if self._connection is None:
            return False
        # Who replaces it lets go of its lock before the new one is in its place.
        return replaced(self._path) or _identity(self._path) != self._file

    def _prepare(self) -> None:
        with self._lock:
            if not self._is_sound():
                self._replace()
            migrate(self._connect(), self._path)

    def before_fork(self) -> None:
        """Wait for the running transaction, and close the connection."""
        # A lock that another thread holds would stay locked in the child for ever.
        self._lock.acquire()
        self.disconnect()

    def after_fork(self) -> None:
        """Let both sides go on, each with a connection of its own."""
        self._lock.release()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    # A replaced file has another inode under the same path.
    return found.st_dev, found.st_ino
