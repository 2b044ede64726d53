"""
Changes to the queue: by a hand-over, and by a person who retries or drops a run.

The changes of senders are in :mod:`rigbridge.outbox.queue.leases`.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from uuid import UUID

import attrs

from rigbridge.destinations import Progress
from rigbridge.errors import ConfigurationError, UnexpectedAnswerError
from rigbridge.machine.close_names import folded
from rigbridge.outbox.entries import EntryState
from rigbridge.outbox.queue.claims import claim_stored_run
from rigbridge.outbox.queue.clock import limits
from rigbridge.outbox.queue.database import OutboxDatabase
from rigbridge.outbox.queue.leases import forget_contents
from rigbridge.outbox.queue.past_runs import (
    is_delivered,
    note_dropped,
    resume_dropped,
    without_refusals,
)
from rigbridge.wire import decode, encode

__all__ = ["EntryQueue", "KnownRun", "NewEntry"]


@attrs.frozen(kw_only=True)
class NewEntry:
    """
    An entry to be added.

    Attributes:
        contents: the digests of its attachments.
        parts: the serial numbers of the unit's parts.
        destination: the name of where it goes; None leaves that to who first sends it.
    """

    id: UUID
    digest: str
    document: bytes
    report: bytes
    serial_number: str | None
    procedure: str | None
    contents: frozenset[str]
    parts: frozenset[str] = frozenset()
    destination: str | None = None


@attrs.frozen
class KnownRun:
    """
    A run that was handed over before.

    Attributes:
        digest: of its document; None where only its id is still known.
        destination: the name of where it goes, or None.
    """

    digest: str | None
    destination: str | None = None


class EntryQueue:
    """
    Adds entries, and changes them as a person asks.

    Args:
        wall: gives the Unix time; that clock by default.
    """

    def __init__(
        self,
        database: OutboxDatabase,
        clock: Callable[[], float] = time.time,
        *,
        wall: Callable[[], float] | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._wall = wall or clock

    def find(self, run_id: UUID, patience: float | None = None) -> KnownRun | None:
        """
        Say whether a run waits, is parked or was ever delivered.

        Args:
            patience: seconds to wait for others; as long as usual by default.

        Raises:
            OutboxBusyError: they were not enough.
        """
        with self._database.reading(patience) as connection:
            row = connection.execute(
                "SELECT digest, destination FROM entry WHERE run_id = ?",
                (str(run_id),),
            ).fetchone()
            if row is not None:
                return KnownRun(str(row["digest"]), row["destination"])
            return KnownRun(None) if is_delivered(connection, run_id) else None

    def add(
        self,
        entry: NewEntry,
        complete: Callable[[], bool],
        patience: float | None = None,
    ) -> bool:
        """
        Add an entry, unless its run has one.

        Args:
            complete: tells whether its attachments are still there, now that nobody
                can remove them.
            patience: seconds to wait for others; as long as usual by default.

        Returns:
            False if they are not, and nothing was added.

        Raises:
            OutboxBusyError: the patience was not enough.
        """
        now = self._clock()
        with self._database.writing(patience) as connection:
            if is_delivered(connection, entry.id):
                return True
            if not complete():
                return False
            added = connection.execute(
                # OR IGNORE: another process may have handed over the same run.
                "INSERT OR IGNORE INTO entry (run_id, state, digest, document, report,"
                " progress, serial_number, serial_key, procedure, submitted_at, due,"
                " destination) VALUES (?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    str(entry.id),
                    entry.digest,
                    entry.document,
                    entry.report,
                    encode(resume_dropped(connection, entry.id)),
                    entry.serial_number,
                    _serial_key(entry.serial_number),
                    entry.procedure,
                    self._wall(),
                    now,
                    entry.destination,
                ),
            ).rowcount
            if added:
                connection.executemany(
                    "INSERT INTO content (run_id, sha256) VALUES (?, ?)",
                    [(str(entry.id), sha256) for sha256 in sorted(entry.contents)],
                )
                connection.executemany(
                    "INSERT OR IGNORE INTO part (run_id, serial_key) VALUES (?, ?)",
                    [
                        (str(entry.id), _serial_key(part))
                        for part in sorted(entry.parts)
                    ],
                )
        return True

    def hasten(self, name: str | None) -> None:
        """
        Make due now what goes to a destination, or nowhere yet; a person asks for it.

        The waits that a server asked for end as well. It may ask again.
        """
        now = self._clock()
        with self._database.writing() as connection:
            connection.execute(
                "DELETE FROM circuit WHERE destination = ?", (name or "",)
            )
            connection.execute(
                "UPDATE entry SET due = min(due, ?), not_before = 0"
                " WHERE state = 'pending' AND (due > ? OR not_before > ?)"
                " AND (destination IS NULL OR destination = ?)",
                (now, now, now, name),
            )

    def write_back(self) -> None:
        """Write the log of the database back, which gives its room to the disk."""
        self._database.write_back()

    def move(self, old: str, new: str) -> int:
        """
        Have everything that went to one destination go to another from now on.

        Returns:
            How many entries still waited for the old one, or were parked.
        """
        with self._database.writing() as connection:
            moved = connection.execute(
                "UPDATE entry SET destination = ? WHERE destination = ?"
                " AND state != 'done'",
                (new, old),
            ).rowcount
            connection.execute("DELETE FROM circuit WHERE destination = ?", (old,))
            # The ids are those of the same store.
            connection.execute(
                "UPDATE OR REPLACE claim SET destination = ? WHERE destination = ?",
                (new, old),
            )
        return moved

    def documents(self, run_id: UUID) -> tuple[bytes, bytes, frozenset[str]]:
        """
        Give the run of an entry that is not delivered yet, its report and contents.

        Raises:
            ConfigurationError: there is no such entry.
        """
        with self._database.reading() as connection:
            row = self._row(connection, run_id)
            contents = connection.execute(
                "SELECT sha256 FROM content WHERE run_id = ?", (str(run_id),)
            ).fetchall()
        if row["document"] is None:
            raise ConfigurationError(f"run {run_id} is delivered and no longer here")
        digests = frozenset(content["sha256"] for content in contents)
        return row["document"], row["report"], digests

    def retry(self, run_id: UUID, stored_as: str | None = None) -> None:
        """
        Have an entry tried again at once, as a person asks for.

        Args:
            stored_as: the run of the store that it is, as the person found; None where
                it is to be sent.

        Raises:
            ConfigurationError: there is no such entry, it is delivered or being sent,
                or the stored run is another one of ours.
        """
        now = self._clock()
        with self._database.writing() as connection:
            row = self._row(connection, run_id)
            if row["state"] == EntryState.DONE:
                raise ConfigurationError(f"run {run_id} is delivered already")
            if row["state"] == EntryState.SENDING and stored_as is None:
                return
            progress = _without_failures(decode(row["progress"], Progress))
            if stored_as is not None:
                progress = _stored_as(connection, row, stored_as)
            # One whom the store asked to wait must not wait when a person says so.
            connection.execute(
                "DELETE FROM circuit WHERE destination = ?", (row["destination"] or "",)
            )
            connection.execute(
                "UPDATE entry SET state = 'pending', attempts = 0, missing = 0,"
                " due = ?, not_before = 0, progress = ?, failing_since = NULL,"
                " sent_key = CASE WHEN ? THEN sent_key END WHERE run_id = ?",
                (
                    now,
                    encode(progress),
                    progress.sent and stored_as is None,
                    str(run_id),
                ),
            )

    def drop(self, run_id: UUID) -> list[str]:
        """
        Remove an entry for good, as a person asks for.

        Returns:
            The digests of its attachments.

        Raises:
            ConfigurationError: there is no such entry, or it is delivered or being
                sent.
        """
        now = self._clock()
        with self._database.writing() as connection:
            row = self._row(connection, run_id)
            if row["state"] == EntryState.DONE:
                raise ConfigurationError(f"run {run_id} is delivered already")
            # A lease that ran out belongs to a process that died: the entry may go.
            live = now < (row["lease_until"] or 0.0) <= limits(now)["lease_limit"]
            if row["state"] == EntryState.SENDING and live:
                raise ConfigurationError(
                    f"run {run_id} is being sent", remedy="try again in a minute"
                )
            # In the same transaction: a crash must not forget what the store may know.
            note_dropped(connection, run_id, decode(row["progress"], Progress))
            connection.execute("DELETE FROM entry WHERE run_id = ?", (str(run_id),))
            connection.execute("DELETE FROM part WHERE run_id = ?", (str(run_id),))
            return forget_contents(connection, run_id)

    def _row(self, connection: sqlite3.Connection, run_id: UUID) -> sqlite3.Row:
        row: sqlite3.Row | None = connection.execute(
            "SELECT * FROM entry WHERE run_id = ?", (str(run_id),)
        ).fetchone()
        if row is None and is_delivered(connection, run_id):
            raise ConfigurationError(f"run {run_id} is delivered and no longer here")
        if row is None:
            raise ConfigurationError(
                f"the outbox holds no run {run_id}",
                remedy="see 'rigbridge outbox list'",
            )
        return row


def _serial_key(serial_number: str | None) -> str | None:
    """Spell a serial number as stores compare it."""
    # As the store does: SQLite's own NOCASE knows ASCII only.
    return None if serial_number is None else folded(serial_number)


def _stored_as(
    connection: sqlite3.Connection, row: sqlite3.Row, stored_id: str
) -> Progress:
    """Give the progress of an entry whose run the store has, as a person says."""
    run_id = UUID(row["run_id"])
    if row["state"] == EntryState.SENDING:
        raise ConfigurationError(
            f"run {run_id} is being sent", remedy="try again in a minute"
        )
    progress = without_refusals(decode(row["progress"], Progress))
    progress = attrs.evolve(
        progress, sent=True, stored_id=stored_id, unresolved=False, not_before=None
    )
    try:
        claim_stored_run(connection, row["destination"], run_id, progress)
    except UnexpectedAnswerError as error:
        raise ConfigurationError(
            error.message, remedy="compare the runs in the store again"
        ) from error
    return progress


def _without_failures(progress: Progress) -> Progress:
    """Forget what was refused; a person says that it is worth another try."""
    if progress.unresolved:
        progress = attrs.evolve(progress, sent=False, unresolved=False)
    return without_refusals(progress)
