"""
The entries of the outbox as those see them who hand over, look and decide.

The other half, what senders do, is :mod:`rigbridge.outbox.leases`.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from uuid import UUID

import attrs

from rigbridge.destinations import Progress
from rigbridge.errors import ConfigurationError
from rigbridge.outbox.database import Database
from rigbridge.outbox.entries import EntryState, OutboxEntry, OutboxStatus
from rigbridge.outbox.leases import HORIZON, forget_contents
from rigbridge.outbox.ledger import (
    is_delivered,
    note_delivered,
    note_dropped,
    take_up,
    without_refusals,
)
from rigbridge.outbox.policy import CIRCUIT_THRESHOLD, Retention
from rigbridge.wire import decode, encode

__all__ = ["Journal", "Known", "NewEntry"]

_DAY = 24 * 3600.0
_MEGABYTE = 1 << 20
_ROW = 300
"""About the bytes of a delivered entry without its report and progress."""


@attrs.frozen(kw_only=True)
class NewEntry:
    """
    An entry to be added.

    Attributes:
        id: the run's id.
        digest: of the document.
        document: the run, as JSON.
        report: its conversion report, as JSON.
        serial_number: for listings.
        procedure: for listings.
        contents: the digests of its attachments.
        parts: the serial numbers of the unit's parts.
    """

    id: UUID
    digest: str
    document: bytes
    report: bytes
    serial_number: str | None
    procedure: str | None
    contents: frozenset[str]
    parts: frozenset[str] = frozenset()


@attrs.frozen
class Known:
    """
    A run that was handed over before.

    Attributes:
        digest: of its document; None where only its id is still known.
    """

    digest: str | None


class Journal:
    """
    Reads and changes the entries.

    Args:
        database: holds them.
        clock: gives the Unix time.
    """

    def __init__(
        self, database: Database, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._clock = clock

    def find(self, run_id: UUID, patience: float | None = None) -> Known | None:
        """
        Say whether a run waits, is parked or was ever delivered.

        Args:
            run_id: its id.
            patience: seconds to wait for others; as long as usual by default.

        Raises:
            OutboxBusyError: they were not enough.
        """
        with self._database.reading(patience) as connection:
            row = connection.execute(
                "SELECT digest FROM entry WHERE run_id = ?", (str(run_id),)
            ).fetchone()
            if row is not None:
                return Known(str(row["digest"]))
            return Known(None) if is_delivered(connection, run_id) else None

    def add(
        self,
        entry: NewEntry,
        complete: Callable[[], bool],
        patience: float | None = None,
    ) -> bool:
        """
        Add an entry, unless its run has one.

        Args:
            entry: the entry.
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
                "INSERT OR IGNORE INTO entry (run_id, state, digest, document, report,"
                " progress, serial_number, serial_key, procedure, submitted_at, due)"
                " VALUES (?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    str(entry.id),
                    entry.digest,
                    entry.document,
                    entry.report,
                    encode(take_up(connection, entry.id)),
                    entry.serial_number,
                    _key(entry.serial_number),
                    entry.procedure,
                    now,
                    now,
                ),
            ).rowcount
            if added:
                connection.executemany(
                    "INSERT INTO content (run_id, sha256) VALUES (?, ?)",
                    [(str(entry.id), sha256) for sha256 in sorted(entry.contents)],
                )
                connection.executemany(
                    "INSERT OR IGNORE INTO part (run_id, serial_key) VALUES (?, ?)",
                    [(str(entry.id), _key(part)) for part in sorted(entry.parts)],
                )
        return True

    def hasten(self) -> None:
        """Make everything due now, except where a server asked to wait."""
        now = self._clock()
        with self._database.writing() as connection:
            connection.execute(
                "DELETE FROM circuit WHERE not_before <= ? OR not_before > ?",
                (now, now + HORIZON),
            )
            connection.execute(
                "UPDATE entry SET due = ? WHERE state = 'pending' AND due > ?",
                (now, now),
            )

    def held(self) -> tuple[str, float] | None:
        """Say why nothing is sent for now, and for how many seconds; or None."""
        now = self._clock()
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT reason, max(until, not_before) AS until FROM circuit"
                " WHERE failures >= ?",
                (CIRCUIT_THRESHOLD,),
            ).fetchone()
        if (
            row is None
            or row["until"] is None
            or not now < row["until"] <= now + HORIZON
        ):
            return None
        return str(row["reason"]), float(row["until"]) - now

    def next_turn(self) -> float | None:
        """Give the seconds until something may be claimed, or None if nothing waits."""
        now = self._clock()
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT min(CASE WHEN turn > :horizon THEN :now ELSE turn END) AS turn"
                " FROM (SELECT CASE state WHEN 'sending' THEN lease_until"
                " ELSE max(due, not_before) END AS turn FROM entry"
                " WHERE state IN ('pending', 'sending'))",
                {"now": now, "horizon": now + HORIZON},
            ).fetchone()
        if row["turn"] is None:
            return None
        held = self.held()
        return max(0.0, float(row["turn"]) - now, 0.0 if held is None else held[1])

    def waiting(self) -> int:
        """Count the entries that are still to be sent."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT count(*) AS count FROM entry"
                " WHERE state IN ('pending', 'sending')"
            ).fetchone()
        return int(row["count"])

    def status(self) -> OutboxStatus:
        """Count the entries."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT state, count(*) AS count, min(submitted_at) AS oldest"
                " FROM entry GROUP BY state"
            ).fetchall()
            forgotten = connection.execute("SELECT forgotten FROM tally").fetchone()
        counts = {EntryState(row["state"]): row for row in rows}

        def count(*states: EntryState) -> int:
            return sum(counts[state]["count"] for state in states if state in counts)

        waiting = (EntryState.PENDING, EntryState.SENDING)
        held = self.held()
        oldest = [counts[state]["oldest"] for state in waiting if state in counts]
        return OutboxStatus(
            waiting=count(*waiting),
            parked=count(EntryState.PARKED),
            delivered=count(EntryState.DONE) + forgotten["forgotten"],
            oldest=_time(min(oldest)) if oldest else None,
            held=None if held is None else held[0],
        )

    def sending(self) -> bool:
        """Whether anyone is sending anything."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT 1 FROM entry WHERE state = 'sending' AND lease_until > ?",
                (self._clock(),),
            ).fetchone()
        return row is not None

    def entries(self, states: Collection[EntryState]) -> list[OutboxEntry]:
        """List the entries in some states, the first that was handed over first."""
        marks = ", ".join("?" for _ in states)
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT * FROM entry WHERE state IN ({marks}) ORDER BY sequence",  # noqa: S608 - question marks
                [str(state) for state in states],
            ).fetchall()
        return [_entry(row) for row in rows]

    def entry(self, run_id: UUID) -> OutboxEntry | None:
        """Give the entry of a run, or None if there is none."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT * FROM entry WHERE run_id = ?", (str(run_id),)
            ).fetchone()
        return None if row is None else _entry(row)

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

    def retry(self, run_id: UUID) -> None:
        """
        Have an entry tried again at once, as a person asks for.

        Raises:
            ConfigurationError: there is no such entry, or it is delivered.
        """
        now = self._clock()
        with self._database.writing() as connection:
            row = self._row(connection, run_id)
            if row["state"] == EntryState.DONE:
                raise ConfigurationError(f"run {run_id} is delivered already")
            if row["state"] == EntryState.SENDING:
                return
            connection.execute(
                "UPDATE entry SET state = 'pending', attempts = 0, missing = 0,"
                " due = ?, not_before = 0, progress = ? WHERE run_id = ?",
                (now, encode(_afresh(decode(row["progress"], Progress))), str(run_id)),
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
            if row["state"] == EntryState.SENDING and row["lease_until"] > now:
                raise ConfigurationError(
                    f"run {run_id} is being sent", remedy="try again in a minute"
                )
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

    def prune(self, retention: Retention, patience: float | None = None) -> int:
        """
        Forget delivered entries that are too old, or more than there is room for.

        Their ids go to the ledger.

        Args:
            retention: what is remembered.
            patience: seconds to wait for others; as long as usual by default.

        Returns:
            How many.

        Raises:
            OutboxBusyError: the patience was not enough.
        """
        with self._database.writing(patience) as connection:
            gone = _forget(
                connection,
                "finished_at < ?",
                self._clock() - retention.keep_days * _DAY,
            )
            gone += _forget(
                connection,
                "sequence <= ("
                " SELECT max(sequence) FROM ("
                "  SELECT sequence, sum("
                "   ? + length(progress) + coalesce(length(report), 0)"
                "  ) OVER (ORDER BY sequence DESC) AS size"
                "  FROM entry WHERE state = 'done') WHERE size > ?)",
                _ROW,
                retention.keep_megabytes * _MEGABYTE,
            )
            connection.execute("UPDATE tally SET forgotten = forgotten + ?", (gone,))
        return gone

    def discard(self, contents: Iterable[str], remove: Callable[[str], None]) -> None:
        """
        Remove those contents that no entry refers to, while nobody can add one.

        Args:
            contents: their digests.
            remove: removes one.
        """
        with self._database.writing() as connection:
            for sha256 in contents:
                if not connection.execute(
                    "SELECT 1 FROM content WHERE sha256 = ?", (sha256,)
                ).fetchone():
                    remove(sha256)

    def sweep(
        self,
        remove_others: Callable[[frozenset[str]], None],
        patience: float | None = None,
    ) -> None:
        """
        Remove all contents that no entry refers to, while nobody can add one.

        Args:
            remove_others: is given the digests that entries refer to.
            patience: seconds to wait for others; as long as usual by default.

        Raises:
            OutboxBusyError: the patience was not enough.
        """
        with self._database.writing(patience) as connection:
            rows = connection.execute("SELECT DISTINCT sha256 FROM content").fetchall()
            remove_others(frozenset(row["sha256"] for row in rows))


def _key(serial_number: str | None) -> str | None:
    """Spell a serial number as stores compare it, which ignore case."""
    return None if serial_number is None else serial_number.casefold()


def _forget(connection: sqlite3.Connection, which: str, *values: object) -> int:
    """Keep nothing but the ids of some delivered entries; say of how many."""
    rows = connection.execute(
        f"SELECT sequence, run_id FROM entry WHERE state = 'done' AND {which}",  # noqa: S608 - constants of this module
        values,
    ).fetchall()
    note_delivered(connection, [UUID(row["run_id"]) for row in rows])
    connection.executemany(
        "DELETE FROM entry WHERE sequence = ?", [(row["sequence"],) for row in rows]
    )
    return len(rows)


def _afresh(progress: Progress) -> Progress:
    """Forget what was refused; a person says that it is worth another try."""
    if progress.unresolved:
        progress = attrs.evolve(progress, sent=False, unresolved=False)
    return without_refusals(progress)


def _entry(row: sqlite3.Row) -> OutboxEntry:
    progress = decode(row["progress"], Progress)
    state = EntryState(row["state"])
    return OutboxEntry(
        id=UUID(row["run_id"]),
        state=state,
        serial_number=row["serial_number"],
        procedure=row["procedure"],
        submitted_at=_time(row["submitted_at"]),
        attempts=row["attempts"],
        due=(
            _time(max(row["due"], row["not_before"]))
            if state is EntryState.PENDING
            else None
        ),
        reason=row["reason"],
        stored_id=progress.stored_id,
        url=progress.url,
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
