"""
Group commit: works that wait for the one writer are done in one transaction.

A commit costs the disk a sync, however much it holds. Whoever finds the writer idle
leads: it does the works of all who wait, each within a savepoint, so that one that
fails leaves the others alone, commits once, and wakes them. Nobody is answered before
the commit that holds his work. While a group is being committed the next one gathers;
a work that comes alone is committed alone, at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from rigbridge_store.tables.rows import perform

__all__ = ["GroupCommit"]

_T = TypeVar("_T")

MOST = 64
"""How many works one transaction holds: other processes want to write, too."""

_SAVEPOINT = "rigbridge_work"


class _Piece(Generic[_T]):
    """One work, and what came of it."""

    def __init__(self, work: Callable[[sa.Connection], _T]) -> None:
        self._work = work
        self._result: _T | None = None
        self.error: Exception | None = None
        self.done = False
        # Whether its thread does the next group; told before it is woken.
        self.leads = False
        self.wake = threading.Lock()
        self.wake.acquire()

    def perform(self, connection: sa.Connection) -> None:
        """Do it as the only work of a transaction."""
        self._result = self._work(connection)

    def perform_beside(self, connection: sa.Connection) -> None:
        """Do it beside others; if it fails, nothing of it is left."""
        perform(connection, f"SAVEPOINT {_SAVEPOINT}")
        try:
            self._result = self._work(connection)
        except Exception as error:  # noqa: BLE001 - raised to whoever it belongs to
            self.error = error
            self._undo(connection, error)
        else:
            perform(connection, f"RELEASE SAVEPOINT {_SAVEPOINT}")

    @staticmethod
    def _undo(connection: sa.Connection, error: Exception) -> None:
        try:
            perform(connection, f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
            perform(connection, f"RELEASE SAVEPOINT {_SAVEPOINT}")
        except SQLAlchemyError:
            # The database has given up the whole transaction: the error is everybody's.
            raise error from None

    def outcome(self) -> _T:
        """Give the result, or raise the error."""
        if self.error is not None:
            raise self.error
        return self._result  # type: ignore[return-value] # it is done


class GroupCommit:
    """
    Does works in groups.

    Args:
        transaction: opens a transaction that no other writer runs beside, and commits
            it at the end.
    """

    def __init__(
        self, transaction: Callable[[], AbstractContextManager[sa.Connection]]
    ) -> None:
        self._transaction = transaction
        self._guard = threading.Lock()
        self._waiting: list[_Piece[Any]] = []
        self._busy = False

    def perform(self, work: Callable[[sa.Connection], _T]) -> _T:
        """
        Do a work, and return once it is committed.

        Args:
            work: gets the transaction; may be called by another thread, and must not
                wait for one.

        Raises:
            Exception: what the work raised; nothing of it is left then. Or what the
                commit did; nothing of the whole group is left then.
        """
        piece = _Piece(work)
        with self._guard:
            self._waiting.append(piece)
            if not self._busy:
                self._busy = piece.leads = True
        try:
            if not piece.leads:
                piece.wake.acquire()
            if piece.leads:
                self._lead()
        except BaseException:
            # Interrupted, by a person say: the others must not wait for ever.
            self._leave(piece)
            raise
        return piece.outcome()

    def _lead(self) -> None:
        """Do the group that waits, the own piece first among it."""
        with self._guard:
            group = self._waiting[:MOST]
            del self._waiting[:MOST]
        try:
            self._commit(group)
        finally:
            with self._guard:
                # What was interrupted is another leader's, but for the own piece.
                self._waiting[:0] = [piece for piece in group[1:] if not piece.done]
                group[0].leads = False
                self._hand_over()
            for piece in group[1:]:
                if piece.done:
                    piece.wake.release()

    def _commit(self, group: list[_Piece[Any]]) -> None:
        try:
            with self._transaction() as connection:
                if len(group) == 1:
                    group[0].perform(connection)
                else:
                    for piece in group:
                        piece.perform_beside(connection)
        except Exception as error:  # noqa: BLE001 - raised to whoever it belongs to
            for piece in group:
                piece.error = piece.error or error
        for piece in group:
            piece.done = True

    def _hand_over(self) -> None:
        """Let the next one lead; the guard is held."""
        self._busy = bool(self._waiting)
        if self._busy:
            self._waiting[0].leads = True
            self._waiting[0].wake.release()

    def _leave(self, piece: _Piece[Any]) -> None:
        with self._guard:
            if piece in self._waiting:
                self._waiting.remove(piece)
            if piece.leads:
                piece.leads = False
                self._hand_over()
