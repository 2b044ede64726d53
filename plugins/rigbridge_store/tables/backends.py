"""
The two databases that can hold a store, and what is peculiar to each.

SQLite runs in WAL mode with full sync, so that a commit survives a power cut and
readers never wait for the writer. PostgreSQL does so by itself. What a writer has
looked up must stay true until it commits. SQLite has but one writer at a time; in
PostgreSQL a lock of ours stands for that. Those that only add runs share it: they run
beside each other, but not beside a writer that changes or deletes what runs refer to.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from rigbridge.errors import ConfigurationError
from rigbridge_store.tables.postgresql_text import PostgreSQLConnection, accept_any_text
from rigbridge_store.tables.rows import perform

__all__ = [
    "FILE_NAME",
    "PATIENCE",
    "Backend",
    "PostgreSQL",
    "SQLite",
    "backend_for",
    "begin_writing",
    "lock_catalog",
]

FILE_NAME = "store.sqlite"
"""The name of the database file in the data folder."""

PATIENCE = 30
"""How many seconds a writer waits for others, unless told otherwise."""

_WRITING = "rigbridge_writing"
_SHARED = "shared"
_POOL_SIZE, _MOST_CONNECTIONS = 8, 64
"""How many connections are kept, and how many there may be at once."""

_LOCK = 0x72696762
"""The number of our lock in PostgreSQL, the same in every process."""

_CATALOG_LOCK = 0x72696763
"""That of the lock for adding what runs refer to."""


class Backend(Protocol):
    """
    A database of one of the two kinds.

    Attributes:
        shown: its address for people, without any secret.
        remedy: what to do where it cannot be opened.
    """

    shown: str
    remedy: str

    def prepare(self) -> None:
        """
        Bring the database into the mode that a store needs.

        Raises:
            ConfigurationError: it is none, or cannot be used.
        """
        ...

    def engine(self) -> sa.Engine:
        """Make the engine; nothing is connected yet."""
        ...

    def reader(self, engine: sa.Engine) -> sa.Connection:
        """Connect for a transaction that sees one state."""
        ...

    def writer(self, engine: sa.Engine) -> sa.Connection:
        """Connect for transactions that no other writer runs beside."""
        ...

    @contextmanager
    def restructuring(self, engine: sa.Engine) -> Generator[sa.Connection]:
        """Begin a writing transaction that may rebuild tables."""
        ...


def backend_for(
    folder: Path, url: str | None, *, patience: float = PATIENCE
) -> Backend:
    """
    Choose the database of a store.

    Args:
        folder: the data folder, which holds the default one.
        url: the address of another, or None.
        patience: how many seconds a writer waits for other programs.

    Raises:
        ConfigurationError: an address that is none of PostgreSQL, or the driver is
            not installed.
    """
    if url is None:
        return SQLite(folder / FILE_NAME, patience=patience)
    return PostgreSQL(url, patience=patience)


class SQLite:
    """
    A file.

    Args:
        path: the file, made when absent.
        patience: how many seconds a writer waits for other programs.
    """

    remedy = "choose another data folder, or restore the file from a backup"

    def __init__(self, path: Path, *, patience: float = PATIENCE) -> None:
        self.path = path
        self._patience = patience
        self.shown = str(path)

    def prepare(self) -> None:
        """
        Enter WAL mode.

        Raises:
            ConfigurationError: the file cannot be opened, or is no database.
        """
        # SQLite ignores its busy timeout while another process changes the mode, hence
        # our own loop.
        deadline = time.monotonic() + self._patience
        while True:
            try:
                with closing(sqlite3.connect(self.path)) as connection:
                    connection.execute("PRAGMA journal_mode = WAL").fetchone()
            except sqlite3.DatabaseError as error:
                busy = "locked" in str(error) or "busy" in str(error)
                if not busy or time.monotonic() > deadline:
                    raise ConfigurationError(
                        f"the store cannot be opened: {error}",
                        source=self.shown,
                        remedy=self.remedy,
                    ) from error
                time.sleep(0.01)
            else:
                return

    def engine(self) -> sa.Engine:
        """Make the engine."""
        engine = sa.create_engine(
            sa.URL.create("sqlite", database=str(self.path)),
            connect_args={"timeout": self._patience, "check_same_thread": False},
            pool_size=_POOL_SIZE,
            max_overflow=_MOST_CONNECTIONS - _POOL_SIZE,
        )
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    def reader(self, engine: sa.Engine) -> sa.Connection:
        """Connect for reading."""
        return engine.connect()

    def writer(self, engine: sa.Engine) -> sa.Connection:
        """Connect for writing."""
        return engine.connect().execution_options(**{_WRITING: True})

    @contextmanager
    def restructuring(self, engine: sa.Engine) -> Generator[sa.Connection]:
        """
        Begin a writing transaction without foreign keys.

        A table that is written anew under its own name would else take all rows
        along that refer to it.
        """
        with self.writer(engine) as connection:
            # SQLite ignores this pragma within a transaction, hence outside of it.
            perform(connection, "PRAGMA foreign_keys = OFF")
            try:
                with connection.begin():
                    yield connection
            finally:
                perform(connection, "PRAGMA foreign_keys = ON")


def _configure_sqlite(raw: sqlite3.Connection, _record: object) -> None:
    # The driver would begin a transaction only at the first write; _begin_sqlite does
    # it at the first statement.
    raw.isolation_level = None
    cursor = raw.cursor()
    for pragma in (
        "synchronous = FULL",
        "foreign_keys = ON",
        "cache_size = -16384",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    # A writer takes its lock at once. One that began as a reader could not become a
    # writer once another has written, and SQLite would refuse it without waiting.
    immediate = connection.get_execution_options().get(_WRITING, False)
    perform(connection, "BEGIN IMMEDIATE" if immediate else "BEGIN")


class PostgreSQL:
    """
    A database of a server.

    Args:
        url: its address (``postgresql://user@host/database``); a password is better
            left to ``~/.pgpass`` or ``PGPASSWORD``.
        patience: how many seconds a writer waits for other programs.

    Raises:
        ConfigurationError: the address is none, or the driver is not installed.
    """

    remedy = "check the address, and that the server runs and lets this user in"

    def __init__(self, url: str, *, patience: float = PATIENCE) -> None:
        self._patience = patience
        try:
            parsed = sa.make_url(url)
        except ArgumentError as error:
            raise ConfigurationError(
                "the address of the database is no URL", remedy=_EXAMPLE
            ) from error
        kind, _, _ = parsed.drivername.partition("+")
        if kind not in ("postgresql", "postgres"):
            raise ConfigurationError(
                f"the address of the database names {kind!r}",
                source=parsed.render_as_string(hide_password=True),
                remedy=f"{_EXAMPLE}; SQLite needs none, only a data folder",
            )
        self.url = parsed.set(drivername="postgresql+psycopg")
        self.shown = parsed.render_as_string(hide_password=True)

    def prepare(self) -> None:
        """Do nothing: any database that is PostgreSQL's is as it should be."""

    def engine(self) -> sa.Engine:
        """
        Make the engine.

        Raises:
            ConfigurationError: the driver is not installed.
        """
        try:
            engine = sa.create_engine(
                self.url,
                # Parameters by position: rows go to the driver as tuples.
                paramstyle="format",
                # A server that was started again has dropped the connections.
                pool_pre_ping=True,
                connect_args={
                    "options": f"-c lock_timeout={round(self._patience * 1000)}ms"
                },
                pool_size=_POOL_SIZE,
                max_overflow=_MOST_CONNECTIONS - _POOL_SIZE,
            )
        except (ImportError, NoSuchModuleError) as error:
            raise ConfigurationError(
                "PostgreSQL needs a driver that is not installed",
                source=self.shown,
                remedy="pip install 'rigbridge[postgres]'",
            ) from error
        event.listen(engine, "connect", _configure_postgresql)
        # Before all others: of some encodings SQLAlchemy cannot read even the version.
        event.listen(engine, "connect", self._require_unicode, insert=True)
        event.listen(engine, "begin", _begin_postgresql)
        return engine

    def _require_unicode(self, raw: PostgreSQLConnection, _record: object) -> None:
        encoding = raw.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raw.close()
            raise ConfigurationError(
                f"the database has the encoding {encoding}, not UTF8",
                source=self.shown,
                remedy="make another one: CREATE DATABASE ... ENCODING 'UTF8' "
                "TEMPLATE template0",
            )

    def reader(self, engine: sa.Engine) -> sa.Connection:
        """Connect for reading."""
        return engine.connect().execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    def writer(self, engine: sa.Engine) -> sa.Connection:
        """Connect for writing."""
        return engine.connect().execution_options(**{_WRITING: True})

    @contextmanager
    def restructuring(self, engine: sa.Engine) -> Generator[sa.Connection]:
        """Begin a writing transaction."""
        with self.writer(engine) as connection, connection.begin():
            yield connection


_EXAMPLE = "write postgresql://USER@HOST/DATABASE"


def _configure_postgresql(raw: PostgreSQLConnection, _record: object) -> None:
    accept_any_text(raw)


def _begin_postgresql(connection: sa.Connection) -> None:
    # Released by PostgreSQL itself at the end of the transaction, or with the
    # connection of a process that dies.
    writing = connection.get_execution_options().get(_WRITING, False)
    if writing:
        shared = "_shared" if writing == _SHARED else ""
        perform(connection, f"SELECT pg_advisory_xact_lock{shared}({_LOCK})")


@contextmanager
def begin_writing(connection: sa.Connection, *, shared: bool) -> Generator[None]:
    """
    Begin a transaction on the connection of a writer; it is committed in the end.

    Args:
        shared: whether others that do likewise may write beside it, where the database
            can have several writers.
    """
    connection.execution_options(**{_WRITING: _SHARED if shared else True})
    with connection.begin():
        yield


def lock_catalog(connection: sa.Connection) -> bool:
    """
    Keep others from adding what runs refer to, until the transaction ends.

    Returns:
        Whether there may have been others, so that what was not found is to be looked
        up again.
    """
    if connection.dialect.name != "postgresql":
        return False
    perform(connection, f"SELECT pg_advisory_xact_lock({_CATALOG_LOCK})")
    return True
