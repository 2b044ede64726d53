"""
The ledger of runs that were stored without an outbox: by an import, or by a client.

A store without idempotency keys cannot tell a run from its repetition, nor a file. The
ledger knows what was stored as what, so that the same import again stores nothing twice
and a stored run is never taken for two of ours. It is one SQLite file in the data
folder, used by several processes at once; a client without a folder has one in memory.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Collection, Generator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import UUID

from rigbridge.destinations import Claims, Progress
from rigbridge.errors import UnexpectedAnswerError
from rigbridge.machine.folders import make_file, make_folder
from rigbridge.machine.forks import watch_forks
from rigbridge.wire import decode, encode

__all__ = ["DeliveryLedger"]

_TABLES = """
CREATE TABLE IF NOT EXISTS delivery (
    store TEXT NOT NULL,
    run_id TEXT NOT NULL,
    progress BLOB NOT NULL,
    stored_id TEXT,
    -- Set while a create was sent and nobody knows what became of it.
    sent_key TEXT,
    PRIMARY KEY (store, run_id)
);
CREATE INDEX IF NOT EXISTS delivery_stored ON delivery (store, stored_id);
CREATE INDEX IF NOT EXISTS delivery_sent ON delivery (store, sent_key)
    WHERE sent_key IS NOT NULL;
CREATE TABLE IF NOT EXISTS upload (
    store TEXT NOT NULL,
    stored_id TEXT NOT NULL,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    upload_id TEXT NOT NULL,
    PRIMARY KEY (store, stored_id, name, sha256)
);
"""
# Seconds that a writer waits for another process. A write takes milliseconds, so this
# is reached only if one hangs.
_PATIENCE = 30.0


class DeliveryLedger:
    """
    Remembers, for each store, how far each run has come and which files are linked.

    Args:
        path: the file; None keeps it in memory.
    """

    def __init__(self, store: str, path: Path | None = None) -> None:
        self._store = store
        self._path = path
        self._lock = threading.RLock()
        self._memory: sqlite3.Connection | None = None
        watch_forks(self)

    def progress(self, run_id: UUID) -> Progress | None:
        """Tell how far a run has come; None for one that was never sent."""
        with self._connected() as connection:
            row = connection.execute(
                "SELECT progress FROM delivery WHERE store = ? AND run_id = ?",
                (self._store, str(run_id)),
            ).fetchone()
        return None if row is None else decode(row[0], Progress)

    def keep(self, run_id: UUID, progress: Progress) -> None:
        """
        Remember how far a run has come.

        Raises:
            UnexpectedAnswerError: the stored run belongs to another.
        """
        stored_id = progress.stored_id
        # A create whose answer was lost. It is a rival of each run with the same key
        # until it is found.
        unknown = progress.sent and stored_id is None
        searched = progress.searched
        key = searched.key if unknown and searched is not None else None
        with self._connected() as connection, connection:
            # The write lock: two that are given one stored run must not both take it.
            connection.execute("BEGIN IMMEDIATE")
            if stored_id is not None and self._others(
                connection, "stored_id", stored_id, run_id
            ):
                raise UnexpectedAnswerError(
                    f"run {stored_id} of the store is another run of ours",
                    source=self._store,
                )
            connection.execute(
                "INSERT OR REPLACE INTO delivery"
                " (store, run_id, progress, stored_id, sent_key)"
                " VALUES (?, ?, ?, ?, ?)",
                (self._store, str(run_id), encode(progress), stored_id, key),
            )

    def claims(self, run_id: UUID, stored_ids: Collection[str], key: str) -> Claims:
        """Tell to whom stored runs belong, and whether other runs have that key."""
        marks = ", ".join("?" for _ in stored_ids)
        with self._connected() as connection:
            rows = connection.execute(
                "SELECT stored_id, run_id FROM delivery"  # noqa: S608 - question marks
                f" WHERE store = ? AND stored_id IN ({marks})",
                (self._store, *stored_ids),
            ).fetchall()
            rivals = self._others(connection, "sent_key", key, run_id)
        return Claims(owners={row[0]: UUID(row[1]) for row in rows}, rivals=rivals)

    def upload(self, stored_id: str, name: str, sha256: str) -> str | None:
        """Give the upload by which a file was linked to a stored run, or None."""
        with self._connected() as connection:
            row = connection.execute(
                "SELECT upload_id FROM upload"
                " WHERE store = ? AND stored_id = ? AND name = ? AND sha256 = ?",
                (self._store, stored_id, name, sha256),
            ).fetchone()
        return None if row is None else str(row[0])

    def note_upload(
        self, stored_id: str, name: str, sha256: str, upload_id: str
    ) -> None:
        """Remember the upload by which a file is about to be linked."""
        with self._connected() as connection, connection:
            connection.execute(
                "INSERT OR REPLACE INTO upload VALUES (?, ?, ?, ?, ?)",
                (self._store, stored_id, name, sha256, upload_id),
            )

    def _others(
        self, connection: sqlite3.Connection, column: str, value: str, run_id: UUID
    ) -> bool:
        row = connection.execute(
            f"SELECT 1 FROM delivery WHERE store = ? AND {column} = ?"  # noqa: S608 - a column
            " AND run_id != ?",
            (self._store, value, str(run_id)),
        ).fetchone()
        return row is not None

    @contextmanager
    def _connected(self) -> Generator[sqlite3.Connection]:
        """Give a connection to one caller at a time; a file is opened anew."""
        # One connection in memory for all threads, or each would have an empty database
        # of its own. Each fork waits for the lock as well.
        with self._lock:
            if self._path is None:
                if self._memory is None:
                    self._memory = _opened(":memory:")
                yield self._memory
                return
            make_folder(self._path.parent)
            make_file(self._path)
            # Opened anew each time: nothing is open across a fork, and none is left.
            with closing(_opened(os.fspath(self._path))) as connection:
                yield connection

    def before_fork(self) -> None:
        """Wait until nobody uses the connection."""
        self._lock.acquire()

    def after_fork(self) -> None:
        """Let both sides go on; each has what was in memory."""
        self._lock.release()


def _opened(name: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        # Without an isolation level Python begins no transactions by itself; BEGIN
        # IMMEDIATE is ours.
        name,
        timeout=_PATIENCE,
        isolation_level=None,
        check_same_thread=False,
    )
    # A power cut may cost the last lines, no more: without them the store is asked.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.executescript(_TABLES)
    return connection
