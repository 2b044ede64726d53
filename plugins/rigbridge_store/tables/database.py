"""
The connection to the tables: opening, transactions, and what can go wrong with them.

Writers of one process queue on a lock, which wakes the next one at once; writers of
several processes on the database's own. Short works of several threads share a
transaction, see :mod:`rigbridge_store.tables.group_commit`.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import (
    DatabaseError,
    DataError,
    DBAPIError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from rigbridge.errors import (
    ConfigurationError,
    RigbridgeError,
    ServerUnavailableError,
)
from rigbridge.machine.forks import watch_forks
from rigbridge.wire import CODES
from rigbridge_store.refusals import bad_request, half_a_character
from rigbridge_store.tables.backends import (
    FILE_NAME,
    PATIENCE,
    SQLite,
    backend_for,
    begin_writing,
)
from rigbridge_store.tables.group_commit import GroupCommit
from rigbridge_store.tables.migrating import bring_up_to_date, stored_version
from rigbridge_store.tables.schema import SCHEMA_VERSION

__all__ = ["FILE_NAME", "PATIENCE", "StoreDatabase", "TornError"]

_T = TypeVar("_T")

_TOO_LONG = "54000"
"""PostgreSQL's code for what exceeds a limit of the program, as of an index."""

_TORN = ("40001", "40P01")
"""Its codes for transactions that waited for each other, of which one was ended."""


class TornError(ServerUnavailableError):
    """A transaction was ended for the sake of another one; it may be repeated."""


class StoreDatabase:
    """
    The tables of one store.

    Safe for threads, for several processes on one store, and in a process that forks.

    Args:
        folder: the data folder; must exist.
        url: the address of a PostgreSQL database that holds the tables; a file in the
            folder by default.
        create: make the tables where there are none, instead of refusing.
        patience: how many seconds a writer waits for others, of this process and of
            other programs each.

    Raises:
        ConfigurationError: the database cannot be opened, is none, or was written by
            a newer version.
        ServerUnavailableError: its server cannot be reached for now.
    """

    def __init__(
        self,
        folder: Path,
        url: str | None = None,
        *,
        create: bool = True,
        patience: float = PATIENCE,
    ) -> None:
        self._backend = backend_for(folder, url, patience=patience)
        self._patience = patience
        self._create = create
        # Before anything is connected: SQLite makes a file of any name it is asked for.
        if not create and self.path is not None and not self.path.is_file():
            raise self._absent()
        self._backend.prepare()
        self._inherited: list[object] = []
        self._forking = threading.local()
        self._start()
        if self.path is not None:
            watch_forks(self)
        try:
            with self._write_lock:
                self._prepare()
        except ServerUnavailableError as error:
            self.close()
            if not isinstance(self._backend, SQLite):
                raise
            raise ConfigurationError(
                f"the store cannot be opened: {error.message}",
                source=self._backend.shown,
                remedy=self._backend.remedy,
            ) from error
        except BaseException:
            self.close()
            raise

    @property
    def path(self) -> Path | None:
        """The file that holds the tables, or None where a server does."""
        return self._backend.path if isinstance(self._backend, SQLite) else None

    def _absent(self) -> ConfigurationError:
        return ConfigurationError(
            "there is no store",
            source=self.shown,
            remedy="check the folder or the address; an import or 'rigbridge serve' "
            "makes a new store",
        )

    @property
    def shown(self) -> str:
        """The database's address for people, without any secret."""
        return self._backend.shown

    def _start(self) -> None:
        self._engine = self._backend.engine()
        # SQLite would let waiting writers poll; a lock wakes the next one at once.
        self._writer: sa.Connection | None = None
        self._write_lock = threading.Lock()
        self._groups = GroupCommit(self.writing)
        self._additions = GroupCommit(self.adding)
        self._process = os.getpid()

    def _prepare(self) -> None:
        with self.reading() as connection:
            found = stored_version(connection)
        if found is None and not self._create:
            raise self._absent()
        if found is None or found < SCHEMA_VERSION:
            # Looked at again within the transaction: another process may be faster.
            with (
                _mapped(self.shown),
                self._backend.restructuring(self._engine) as connection,
            ):
                bring_up_to_date(connection)
                found = stored_version(connection)
        if found is not None and found > SCHEMA_VERSION:
            raise ConfigurationError(
                f"the store has schema version {found}, "
                f"this rigbridge knows {SCHEMA_VERSION}",
                source=self.shown,
                remedy="update rigbridge",
            )

    @contextmanager
    def reading(self) -> Generator[sa.Connection]:
        """
        Open a transaction that sees one state of the tables.

        Raises:
            ServerUnavailableError: the database cannot be read for now.
        """
        engine = self._current()
        with (
            _mapped(self.shown),
            self._backend.reader(engine) as connection,
            connection.begin(),
        ):
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
        with self._writing(shared=False) as connection:
            yield connection

    @contextmanager
    def adding(self) -> Generator[sa.Connection]:
        """
        Open a transaction that only adds runs and what is new with them.

        Other processes may add to a PostgreSQL database at the same time.

        Raises:
            ServerUnavailableError: the database cannot be written for now.
            BadRequestError: a text that no database can hold.
            sqlalchemy.exc.IntegrityError: a row contradicts another.
        """
        with self._writing(shared=True) as connection:
            yield connection

    @contextmanager
    def _writing(self, *, shared: bool) -> Generator[sa.Connection]:
        engine = self._current()
        with _mapped(self.shown), self._sole_writer():
            try:
                with ExitStack() as transaction:
                    yield self._begin(transaction, engine, shared=shared)
            except DBAPIError:
                # A failed commit leaves its transaction open on the connection, where
                # the next writer must not find it.
                self._drop_writer()
                raise

    def _begin(
        self, transaction: ExitStack, engine: sa.Engine, *, shared: bool
    ) -> sa.Connection:
        # Kept open: there is only ever one, and a pool costs time.
        if self._writer is not None:
            try:
                transaction.enter_context(begin_writing(self._writer, shared=shared))
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                # The database server was started again. Nothing of this transaction
                # was done, so that it begins on a connection that is new.
                self._drop_writer()
            else:
                return self._writer
        self._writer = self._backend.writer(engine)
        transaction.enter_context(begin_writing(self._writer, shared=shared))
        return self._writer

    def _drop_writer(self) -> None:
        if self._writer is not None:
            self._writer.invalidate()
            self._writer.close()
            self._writer = None

    @contextmanager
    def _sole_writer(self) -> Generator[None]:
        # With an end: behind a writer that waits for another program every other one
        # would wait as long once more, and none be answered in time.
        if not self._write_lock.acquire(timeout=self._patience):
            raise _unavailable(
                "the store cannot be written for now: others are writing",
                self.shown,
                remedy="try again",
            )
        try:
            yield
        finally:
            self._write_lock.release()

    def write(
        self, work: Callable[[sa.Connection], _T], *, only_adds: bool = False
    ) -> _T:
        """
        Do a work in a writing transaction, and return once that is committed.

        Works that wait at the same time share a transaction and the cost of its
        commit, though not their failures.

        Args:
            work: gets the transaction; another thread may call it.
            only_adds: whether it only adds runs and what is new with them, so that
                other processes may do so at the same time.

        Raises:
            TornError: two processes waited for each other; the work may be repeated.
            ServerUnavailableError: the database cannot be written for now.
            BadRequestError: a text that no database can hold.
            sqlalchemy.exc.IntegrityError: a row contradicts another.
            Exception: what else the work raises.
        """
        self._current()
        with _mapped(self.shown):
            groups = self._additions if only_adds else self._groups
            return groups.perform(work)

    @contextmanager
    def naming_errors(self) -> Generator[None]:
        """Turn the database's errors into those that :meth:`write` raises."""
        with _mapped(self.shown):
            yield

    def _current(self) -> sa.Engine:
        if self._process != os.getpid():
            # After a fork the connections belong to the parent, and so does a lock that
            # some thread held. They are kept, since collecting them would close what
            # the parent uses.
            self._inherited += [self._engine, self._writer]
            self._start()
        return self._engine

    def before_fork(self) -> None:
        """Wait for who writes to the file, as long as any writer waits."""
        # SQLite keeps its locks in memory: in the child of a fork amid a transaction
        # the file would stay locked for ever. A thread that forks within one of its own
        # must not wait for itself, hence the end.
        lock = self._write_lock
        self._forking.lock = lock if lock.acquire(timeout=self._patience) else None

    def after_fork(self) -> None:
        """Let both sides go on."""
        if self._forking.lock is not None:
            self._forking.lock.release()

    def close(self) -> None:
        """Close every connection; the next transaction would open new ones."""
        engine = self._current()
        with self._write_lock:
            if self._writer is not None:
                self._writer.close()
                self._writer = None
        engine.dispose()


@contextmanager
def _mapped(shown: str) -> Generator[None]:
    """Turn the database's own errors into ours, at this one place."""
    try:
        yield
    except (
        OperationalError,
        InterfaceError,
        PoolTimeoutError,
        sqlite3.OperationalError,
    ) as error:
        reason = getattr(error, "orig", error)
        state = getattr(reason, "sqlstate", None)
        if state in _TORN:
            raise TornError(
                "two processes that add runs waited for each other", source=shown
            ) from error
        if state == _TOO_LONG:
            raise bad_request(f"A text is too long for the store: {reason}") from error
        raise _unavailable(
            f"the store cannot be used for now: {reason}",
            shown,
            remedy="free the disk, or wait for the other program or the database "
            "server, then try again",
        ) from error
    except DataError as error:
        raise bad_request(f"The store cannot hold a value: {error.orig}") from error
    except DatabaseError as error:
        # SQLite raises it for a damaged file. Its subclasses, such as IntegrityError,
        # are for the caller, or a mistake of this package.
        if type(error) is not DatabaseError:
            raise
        raise _unavailable(
            f"the store is damaged: {error.orig}",
            shown,
            remedy="restore it from a backup",
        ) from error
    except UnicodeEncodeError as error:
        raise half_a_character(error) from error


def _unavailable(message: str, shown: str, *, remedy: str) -> RigbridgeError:
    return ServerUnavailableError(
        message, source=shown, remedy=remedy, status=503, code=CODES[503]
    )
