"""
The connection to the tables: opening, transactions, and what can go wrong with them.

SQLite runs in WAL mode with full sync, so that a commit survives a power cut and
readers never wait for the writer. Writers of one process queue on a lock, which wakes
the next one at once; writers of several processes on SQLite's own, which polls.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DatabaseError, OperationalError

from rigbridge.errors import ConfigurationError, ServerUnavailableError
from rigbridge.wire import CODES
from rigbridge_store.moments import now_micros
from rigbridge_store.refusals import half_a_character
from rigbridge_store.schema import SCHEMA_VERSION, metadata, schema_versions

__all__ = ["FILE_NAME", "Database"]

FILE_NAME = "store.sqlite"
"""The name of the database file in the data folder."""

_BUSY_SECONDS = 30.0
_WRITING = "rigbridge_writing"


class Database:
    """
    The tables of one data folder.

    Safe for threads, for several processes on one folder, and in a process that
    forks.

    Args:
        folder: the data folder; must exist.

    Raises:
        ConfigurationError: the file cannot be opened, is no database, or was written
            by a newer version.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self._enter_wal()
        self._inherited: list[object] = []
        self._begin_life()
        try:
            self._prepare()
        except ServerUnavailableError as error:
            self.close()
            raise self._unusable(error.message) from error
        except BaseException:
            self.close()
            raise

    def _unusable(self, reason: str) -> ConfigurationError:
        return ConfigurationError(
            f"the store cannot be opened: {reason}",
            source=str(self.path),
            remedy="choose another data folder, or restore the file from a backup",
        )

    def _enter_wal(self) -> None:
        # The change of mode ignores the busy timeout while another process is at it.
        deadline = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                with closing(sqlite3.connect(self.path)) as connection:
                    connection.execute("PRAGMA journal_mode = WAL").fetchone()
            except sqlite3.DatabaseError as error:
                busy = "locked" in str(error) or "busy" in str(error)
                if not busy or time.monotonic() > deadline:
                    raise self._unusable(str(error)) from error
                time.sleep(0.01)
            else:
                return

    def _begin_life(self) -> None:
        self._engine = _connect(self.path)
        self._writer: sa.Connection | None = None
        self._write_lock = threading.Lock()
        self._process = os.getpid()

    def _prepare(self) -> None:
        with self.reading() as connection:
            found = _version(connection)
        if found is None:
            with self.writing() as connection:
                # Another process may have been faster.
                found = _version(connection)
                if found is None:
                    metadata.create_all(connection)
                    connection.execute(
                        schema_versions.insert(),
                        {"version": SCHEMA_VERSION, "created_at": now_micros()},
                    )
                    return
        if found > SCHEMA_VERSION:
            raise ConfigurationError(
                f"the store has schema version {found}, "
                f"this rigbridge knows {SCHEMA_VERSION}",
                source=str(self.path),
                remedy="update rigbridge",
            )

    @contextmanager
    def reading(self) -> Generator[sa.Connection]:
        """
        Open a transaction that sees one state of the tables.

        Raises:
            ServerUnavailableError: the database cannot be read for now.
        """
        with _mapped(), self._current().connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Generator[sa.Connection]:
        """
        Open a transaction that no other writer runs beside; committed at the end.

        Raises:
            ServerUnavailableError: the database cannot be written for now.
            BadRequestError: a text that no database can hold.
            sqlalchemy.exc.IntegrityError: a row contradicts another.
        """
        engine = self._current()
        with _mapped(), self._write_lock:
            if self._writer is None:
                # Kept, since there is only ever one and a pool takes its time.
                self._writer = engine.connect().execution_options(**{_WRITING: True})
            with self._writer.begin():
                yield self._writer

    def _current(self) -> sa.Engine:
        if self._process != os.getpid():
            # After a fork the connections belong to the parent, as does whoever
            # held the lock; they are kept so that nothing closes them here.
            self._inherited += [self._engine, self._writer]
            self._begin_life()
        return self._engine

    def close(self) -> None:
        """Close every connection; the next transaction would open new ones."""
        engine = self._current()
        with self._write_lock:
            if self._writer is not None:
                self._writer.close()
                self._writer = None
        engine.dispose()


def _connect(path: Path) -> sa.Engine:
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
        pool_size=8,
        max_overflow=56,
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(raw: Any, _record: Any) -> None:
    # SQLAlchemy begins the transactions, see _begin.
    raw.isolation_level = None
    cursor = raw.cursor()
    for pragma in (
        "synchronous = FULL",
        "foreign_keys = ON",
        "cache_size = -16384",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    # A writer takes its lock at once: one that read first could not upgrade.
    immediate = connection.get_execution_options().get(_WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _version(connection: sa.Connection) -> int | None:
    if not sa.inspect(connection).has_table(schema_versions.name):
        return None
    found: int | None = connection.execute(
        sa.select(sa.func.max(schema_versions.c.version))
    ).scalar()
    return found


@contextmanager
def _mapped() -> Generator[None]:
    """Turn the database's own errors into ours, at this one place."""
    try:
        yield
    except (OperationalError, sqlite3.OperationalError) as error:
        reason = error.orig if isinstance(error, OperationalError) else error
        raise ServerUnavailableError(
            f"the store cannot be used for now: {reason}",
            remedy="free the disk or wait for the other program, then try again",
            status=503,
            code=CODES[503],
        ) from error
    except DatabaseError as error:
        # Its subclasses are a caller's affair, or a mistake of this package.
        if type(error) is not DatabaseError:
            raise
        raise ServerUnavailableError(
            f"the store is damaged: {error.orig}",
            remedy="restore it from a backup",
            status=503,
            code=CODES[503],
        ) from error
    except UnicodeEncodeError as error:
        raise half_a_character(error) from error
