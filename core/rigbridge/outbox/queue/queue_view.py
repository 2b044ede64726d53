"""Reading the queue: counts and lists, without a change."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from uuid import UUID

from rigbridge.destinations import Progress
from rigbridge.outbox.entries import EntryState, OutboxEntry, OutboxStatus
from rigbridge.outbox.policy import CIRCUIT_THRESHOLD, STUCK_AFTER
from rigbridge.outbox.queue.clock import limits
from rigbridge.outbox.queue.database import OutboxDatabase
from rigbridge.wire import decode

__all__ = ["QueueView"]

_LOGGER = logging.getLogger("rigbridge.outbox")

_OURS = "(destination IS NULL OR destination = :name)"
# When an entry may be taken. What lies beyond its limit counts as past, by a clock that
# ran ahead; of a lease of another boot nothing is known but how long it may last.
_TURN = """
    CASE WHEN state = 'sending'
        THEN CASE WHEN lease_until > :lease_limit THEN :lease_limit ELSE lease_until END
    ELSE max(
        CASE WHEN due > :due_limit THEN :now ELSE due END,
        CASE WHEN not_before > :asked_limit THEN :now ELSE not_before END
    ) END
"""


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


class QueueView:
    """
    Counts and lists the entries.

    Args:
        shown: makes a moment of that clock one for people.
        wall: gives the Unix time.
        name: of the destination to which this outbox sends, or None.
    """

    def __init__(
        self,
        database: OutboxDatabase,
        clock: Callable[[], float] = time.time,
        *,
        shown: Callable[[float], datetime] = _time,
        wall: Callable[[], float] = time.time,
        name: str | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._shown = shown
        self._wall = wall
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
            stuck = connection.execute(
                # Since when something else got through: a store that is down for all
                # leaves nothing stuck on its own.
                "SELECT count(*) AS count FROM entry WHERE failing_since <= ?"
                " AND failing_since < (SELECT last_delivery FROM tally)",
                (self._wall() - STUCK_AFTER,),
            ).fetchone()
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
            stuck=int(stuck["count"]),
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
        return [entry for row in rows if (entry := self._entry(row)) is not None]

    def entry(self, run_id: UUID) -> OutboxEntry | None:
        """Give the entry of a run, or None if there is none."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT * FROM entry WHERE run_id = ?", (str(run_id),)
            ).fetchone()
        return None if row is None else self._entry(row)

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
        times = limits(self._clock())
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT * FROM circuit WHERE failures >= ? AND destination = ?",
                (CIRCUIT_THRESHOLD, self._name or ""),
            ).fetchone()
        if row is None:
            return None
        ends = [
            row[name] - times["now"]
            for name, limit in (("until", "pause_limit"), ("not_before", "asked_limit"))
            if times["now"] < row[name] <= times[limit]
        ]
        return (str(row["reason"]), max(ends)) if ends else None

    def seconds_until_due(self) -> float | None:
        """Give the seconds until something may be claimed, or None if nothing waits."""
        times = limits(self._clock())
        with self._database.reading() as connection:
            row = connection.execute(
                f"SELECT min({_TURN}) AS turn FROM entry"  # noqa: S608 - likewise
                f" WHERE state IN ('pending', 'sending') AND {_OURS}",
                {**times, "name": self._name},
            ).fetchone()
        if row["turn"] is None:
            return None
        held = self.circuit()
        wait = float(row["turn"]) - times["now"]
        return max(0.0, wait, 0.0 if held is None else held[1])

    def is_idle_for(self, seconds: float) -> bool:
        """Whether something waits, nobody sends, and no turn comes within that time."""
        times = limits(self._clock())
        with self._database.reading() as connection:
            # One statement: an entry that is sent between two would show the end of its
            # lease as its turn, and then nobody who sends.
            row = connection.execute(
                f"SELECT min({_TURN}) AS turn,"  # noqa: S608 - likewise
                " max(state = 'sending' AND lease_until > :now) AS sending FROM entry"
                f" WHERE state IN ('pending', 'sending') AND {_OURS}",
                {**times, "name": self._name},
            ).fetchone()
        if row["turn"] is None or row["sending"]:
            return False
        return float(row["turn"]) - times["now"] > seconds

    def _entry(self, row: sqlite3.Row) -> OutboxEntry | None:
        try:
            return self._sound_entry(row)
        # One row that the disk has damaged must not hide all others.
        except (OverflowError, TypeError, ValueError):
            _LOGGER.exception("entry %s of the outbox is damaged", row["sequence"])
            return None

    def _sound_entry(self, row: sqlite3.Row) -> OutboxEntry:
        progress = decode(row["progress"], Progress)
        state = EntryState(row["state"])
        now = self._clock()
        times = limits(now)
        due = now if row["due"] > times["due_limit"] else row["due"]
        if row["not_before"] <= times["asked_limit"]:
            due = max(due, row["not_before"])
        return OutboxEntry(
            id=UUID(row["run_id"]),
            state=state,
            destination=row["destination"],
            serial_number=row["serial_number"],
            procedure=row["procedure"],
            submitted_at=_time(row["submitted_at"]),
            attempts=row["attempts"],
            due=self._shown(due) if state is EntryState.PENDING else None,
            reason=row["reason"],
            stored_id=progress.stored_id,
            url=progress.url,
        )
