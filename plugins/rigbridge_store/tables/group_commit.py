"""
Group commit: writes that wait at the same time share one transaction.

A commit costs the disk a sync, however much it holds. The thread that finds the writer
idle becomes the leader: it does the work of all that wait, each within a savepoint, so
that one that fails leaves the others alone. It commits once and wakes them. Nobody gets
an answer before the commit that holds his work. While a group is committed the next one
gathers; a work that comes alone is committed alone, at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from rigbridge_store.tables.rows import perform

__all__ = ["MOST", "GroupCommit"]

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)

MOST = 64
"""How many works one transaction holds: other processes want to write, too."""

_SAVEPOINT = "rigbridge_work"


class _QueuedWork(Generic[_T_co]):
    """The work of one thread, and what came of it."""

    def __init__(self, work: Callable[[sa.Connection], _T_co]) -> None:
        self._work = work
        self._result: _T_co | None = None
        self.error: Exception | None = None
        self.done = False
        # Whether its thread leads the next group; set before the thread is woken.
        self.leads = False
        # A lock that its thread waits for is cheaper than an event.
        self.wake = threading.Lock()
        self.wake.acquire()

    def run_alone(self, connection: sa.Connection) -> None:
        """Do it as the only work of a transaction, which needs no savepoint."""
        self._result = self._work(connection)

    def run_in_savepoint(self, connection: sa.Connection) -> None:
        """Do it among others; if it fails, nothing of it is left."""
        perform(connection, f"SAVEPOINT {_SAVEPOINT}")
        try:
            self._result = self._work(connection)
        except Exception as error:  # noqa: BLE001 - raised in the thread it belongs to
            self.error = error
            self._undo(connection, error)
        else:
            perform(connection, f"RELEASE SAVEPOINT {_SAVEPOINT}")

    @staticmethod
    def _undo(connection: sa.Connection, error: Exception) -> None:
        try:
            # Rolling back leaves the savepoint in place; the next work sets its own.
            perform(connection, f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
            perform(connection, f"RELEASE SAVEPOINT {_SAVEPOINT}")
        except SQLAlchemyError:
            # The database has ended the whole transaction (a full disk does that in
            # SQLite), so that the error is that of every work in it.
            raise error from None

    def outcome(self) -> _T_co:
        """Give the result, or raise the error."""
        if self.error is not None:
            raise self.error
        return self._result  # type: ignore[return-value] # it is done


class GroupCommit:
    """
    Commits works in groups.

    Args:
        transaction: opens a transaction that no other writer runs beside, and commits
            it at the end.
    """

    def __init__(
        self, transaction: Callable[[], AbstractContextManager[sa.Connection]]
    ) -> None:
        self._transaction = transaction
        # Guards the two below; never held while the database is at work.
        self._guard = threading.Lock()
        self._waiting: list[_QueuedWork[object]] = []
        self._has_leader = False

    def perform(self, function: Callable[[sa.Connection], _T]) -> _T:
        """
        Do a work, and return once it is committed.

        Args:
            function: gets the transaction; may be called by another thread, and must
                not wait for one.

        Raises:
            Exception: what the work raised; nothing of it is left then. Or what the
                commit did; nothing of the whole group is left then.
        """
        work = _QueuedWork(function)
        with self._guard:
            self._waiting.append(work)
            if not self._has_leader:
                self._has_leader = work.leads = True
        try:
            if not work.leads:
                work.wake.acquire()
            # It was woken because it is done, or to lead the next group.
            if work.leads:
                self._lead()
        except BaseException:
            # Interrupted, by a person say: the others must not wait for ever.
            self._leave(work)
            raise
        return work.outcome()

    def _lead(self) -> None:
        """Do the waiting group, in which the leader's own work is the first."""
        with self._guard:
            group = self._waiting[:MOST]
            del self._waiting[:MOST]
        try:
            self._commit(group)
        finally:
            with self._guard:
                # After an interruption the works that are not done go back to the head
                # of the queue; the leader's own is left out, since its thread goes.
                self._waiting[:0] = [work for work in group[1:] if not work.done]
                group[0].leads = False
                self._appoint_leader()
            for work in group[1:]:
                if work.done:
                    work.wake.release()

    def _commit(self, group: list[_QueuedWork[object]]) -> None:
        try:
            with self._transaction() as connection:
                if len(group) == 1:
                    group[0].run_alone(connection)
                else:
                    for work in group:
                        work.run_in_savepoint(connection)
        except Exception as error:  # noqa: BLE001 - raised in the threads it belongs to
            # The commit failed: nothing of any work is stored.
            for work in group:
                work.error = work.error or error
        for work in group:
            work.done = True

    def _appoint_leader(self) -> None:
        """Let the next one lead; the guard is held."""
        self._has_leader = bool(self._waiting)
        if self._has_leader:
            self._waiting[0].leads = True
            self._waiting[0].wake.release()

    def _leave(self, work: _QueuedWork[object]) -> None:
        with self._guard:
            if work in self._waiting:
                self._waiting.remove(work)
            # It may have been appointed while it was interrupted.
            if work.leads:
                work.leads = False
                self._appoint_leader()
