"""Reading the queue: counts and lists, without a change."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from uuid import UUID

from rigbridge.destinations import Progress
from rigbridge.outbox.entries import EntryState, OutboxEntry, OutboxStatus
from rigbridge.outbox.policy import CIRCUIT_THRESHOLD
from rigbridge.outbox.queue.database import OutboxDatabase
from rigbridge.outbox.queue.leases import HORIZON
from rigbridge.wire import decode

__all__ = ["QueueView"]

_OURS = "(destination IS NULL OR destination = :name)"


class QueueView:
    """
    Counts and lists the entries.

    Args:
        database: holds them.
        clock: gives the Unix time.
        name: of the destination to which this outbox sends, or None.
    """

    def __init__(
        self,
        database: OutboxDatabase,
        clock: Callable[[], float] = time.time,
        *,
        name: str | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._name = name

    def waiting(self) -> int:
        """Count the entries that this outbox is still to send."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT count(*) AS count FROM entry"  # noqa: S608 - a constant
                f" WHERE state IN ('pending', 'sending') AND {_OURS}",
                {"name": self._name},
            ).fetchone()
        return int(row["count"])

    def status(self) -> OutboxStatus:
        """Count the entries."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT state, count(*) AS count, min(submitted_at) AS oldest"
                " FROM entry GROUP BY state"
            ).fetchall()
            # Forgotten entries were delivered, too; only their number is left.
            forgotten = connection.execute("SELECT forgotten FROM tally").fetchone()
            others = connection.execute(
                "SELECT destination, count(*) AS count FROM entry"
                " WHERE state IN ('pending', 'sending') AND destination IS NOT NULL"
                " AND destination IS NOT ? GROUP BY destination",
                (self._name,),
            ).fetchall()
        counts = {EntryState(row["state"]): row for row in rows}

        def count(*states: EntryState) -> int:
            return sum(counts[state]["count"] for state in states if state in counts)

        waiting = (EntryState.PENDING, EntryState.SENDING)
        held = self.circuit()
        oldest = [counts[state]["oldest"] for state in waiting if state in counts]
        return OutboxStatus(
            waiting=count(*waiting),
            parked=count(EntryState.PARKED),
            delivered=count(EntryState.DONE) + forgotten["forgotten"],
            oldest=_time(min(oldest)) if oldest else None,
            held=None if held is None else held[0],
            others={row["destination"]: row["count"] for row in others},
        )

    def is_sending(self) -> bool:
        """Whether anyone is sending anything to the same destination."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT 1 FROM entry WHERE state = 'sending' AND lease_until > :now"  # noqa: S608 - likewise
                f" AND {_OURS}",
                {"now": self._clock(), "name": self._name},
            ).fetchone()
        return row is not None

    def entries(self, states: Collection[EntryState]) -> list[OutboxEntry]:
        """List the entries in some states, the first that was handed over first."""
        # SQLite binds no lists, so there is one mark a state.
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

    def names(self) -> frozenset[str]:
        """Give the names of the destinations to which something is still to go."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT DISTINCT destination FROM entry WHERE state != 'done'"
                " AND destination IS NOT NULL"
            ).fetchall()
        return frozenset(row["destination"] for row in rows)

    def circuit(self) -> tuple[str, float] | None:
        """Say why nothing is sent for now, and for how many seconds; or None."""
        now = self._clock()
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT reason, max(until, not_before) AS until FROM circuit"
                " WHERE failures >= ? AND destination = ?",
                (CIRCUIT_THRESHOLD, self._name or ""),
            ).fetchone()
        if (
            row is None
            or row["until"] is None
            or not now < row["until"] <= now + HORIZON
        ):
            return None
        return str(row["reason"]), float(row["until"]) - now

    def seconds_until_due(self) -> float | None:
        """Give the seconds until something may be claimed, or None if nothing waits."""
        now = self._clock()
        with self._database.reading() as connection:
            row = connection.execute(
                # A time beyond the horizon is of a clock that ran ahead: due at once.
                "SELECT min(CASE WHEN due_at > :horizon THEN :now ELSE due_at END)"  # noqa: S608 - likewise
                " AS due_at"
                " FROM (SELECT CASE state WHEN 'sending' THEN lease_until"
                " ELSE max(due, not_before) END AS due_at FROM entry"
                f" WHERE state IN ('pending', 'sending') AND {_OURS})",
                {"now": now, "horizon": now + HORIZON, "name": self._name},
            ).fetchone()
        if row["due_at"] is None:
            return None
        held = self.circuit()
        return max(0.0, float(row["due_at"]) - now, 0.0 if held is None else held[1])


def _entry(row: sqlite3.Row) -> OutboxEntry:
    progress = decode(row["progress"], Progress)
    state = EntryState(row["state"])
    return OutboxEntry(
        id=UUID(row["run_id"]),
        state=state,
        destination=row["destination"],
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
