"""
Leases on the outbox's entries: who sends what, and what came of it.

An entry is ``pending`` until someone takes a lease on it, ``sending`` while the lease
lasts, and then ``done``, ``parked`` or pending again. A lease that ran out counts as
none, so that the entries of a process that died are taken over. Each change is one
durable transaction.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from uuid import UUID, uuid4

import attrs

from rigbridge.destinations import Progress
from rigbridge.outbox.database import Database
from rigbridge.outbox.policy import (
    CIRCUIT_THRESHOLD,
    MAX_DELAY,
    MAX_PROBE,
    MAX_WAIT,
    delay,
)
from rigbridge.wire import decode, encode

__all__ = [
    "HORIZON",
    "LEASE",
    "Claim",
    "LeaseLostError",
    "Leases",
    "forget_contents",
]

LEASE = 60.0
"""Seconds that a lease lasts unless it is renewed."""

HORIZON = MAX_WAIT + MAX_DELAY + 60.0
"""Seconds; what lies further ahead was written by a clock that ran ahead."""

# A run waits for the runs of its parts. That those with parts of their own only count
# where they were handed over before keeps runs from waiting for each other in a circle.
# CROSS JOIN keeps SQLite from beginning with all that waits, for each run anew.
_COMPLETE = """
    NOT EXISTS (
        SELECT 1 FROM part CROSS JOIN entry AS other
            ON other.serial_key = part.serial_key
        WHERE part.run_id = entry.run_id AND other.run_id != entry.run_id
            AND other.state IN ('pending', 'sending')
            AND (other.sequence < entry.sequence OR NOT EXISTS (
                SELECT 1 FROM part AS own WHERE own.run_id = other.run_id
            ))
    )
"""
_NOT_HELD = "(not_before <= :now OR not_before > :horizon)"
_CLAIMABLE = (
    f"state = 'pending' AND due <= :now AND {_NOT_HELD}",
    f"state = 'pending' AND due > :horizon AND {_NOT_HELD}",
    "state = 'sending' AND (lease_until <= :now OR lease_until > :lease)",
)
# Each of these goes along the index from its beginning, and ends at the first: however
# many wait, the next is found at once.
_NEXT = " UNION ALL ".join(
    f"SELECT * FROM (SELECT due, sequence FROM entry WHERE {claimable} AND {_COMPLETE}"  # noqa: S608 - constants
    " ORDER BY due, sequence LIMIT 1)"
    for claimable in _CLAIMABLE
)


class LeaseLostError(Exception):
    """Someone else has taken over the entry; what is under way must end."""


@attrs.frozen(kw_only=True)
class Claim:
    """
    An entry under a lease.

    Attributes:
        id: the run's id.
        owner: who holds the lease; new at each claim.
        attempt: the attempt that begins, counted from 1.
        document: the run, as JSON.
        report: its conversion report, as JSON.
        progress: where the attempt before left off.
        contents: the digests of the attachments that it holds.
        missing: how often the store did not know a part of the unit.
    """

    id: UUID
    owner: str
    attempt: int
    document: bytes
    report: bytes
    progress: Progress
    contents: frozenset[str]
    missing: int = 0


class Leases:
    """
    Takes and ends leases.

    Args:
        database: holds the entries.
        clock: gives the Unix time.
    """

    def __init__(
        self, database: Database, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._clock = clock

    def claim(self) -> Claim | None:
        """Take a lease on the entry whose turn it is, or None if there is none."""
        now = self._clock()
        times = {"now": now, "horizon": now + HORIZON, "lease": now + 2 * LEASE}
        owner = uuid4().hex
        with self._database.reading() as connection:
            # Asked without a transaction first: waiting senders disturb nobody.
            if self._find(connection, times) is None:
                return None
        with self._database.writing() as connection:
            sequence = self._find(connection, times)
            if sequence is None:
                return None
            row = connection.execute(
                "SELECT * FROM entry WHERE sequence = ?", (sequence,)
            ).fetchone()
            contents = connection.execute(
                "SELECT sha256 FROM content WHERE run_id = ?", (row["run_id"],)
            ).fetchall()
            connection.execute(
                "UPDATE entry SET state = 'sending', lease_owner = ?, lease_until = ?,"
                " attempts = attempts + 1 WHERE sequence = ?",
                (owner, now + LEASE, sequence),
            )
        return Claim(
            id=UUID(row["run_id"]),
            owner=owner,
            attempt=row["attempts"] + 1,
            document=row["document"],
            report=row["report"],
            progress=decode(row["progress"], Progress),
            contents=frozenset(content["sha256"] for content in contents),
            missing=row["missing"],
        )

    def _find(
        self, connection: sqlite3.Connection, times: dict[str, float]
    ) -> int | None:
        circuit = connection.execute(
            "SELECT * FROM circuit WHERE failures >= ?", (CIRCUIT_THRESHOLD,)
        ).fetchone()
        if circuit is not None:
            if any(
                times["now"] < circuit[name] <= times["horizon"]
                for name in ("until", "not_before")
            ):
                return None
            # The pause is over: one may try, the others see what comes of it.
            trying = connection.execute(
                "SELECT 1 FROM entry WHERE state = 'sending'"
                " AND lease_until > :now AND lease_until <= :lease",
                times,
            ).fetchone()
            if trying is not None:
                return None
        row = connection.execute(
            f"SELECT sequence FROM ({_NEXT}) ORDER BY due, sequence LIMIT 1",  # noqa: S608 - constants
            times,
        ).fetchone()
        return None if row is None else int(row["sequence"])

    def renew(self, claim: Claim) -> None:
        """
        Prolong a lease.

        Raises:
            LeaseLostError: it ran out, and someone else took over.
        """
        self._change(claim, "lease_until = ?", self._clock() + LEASE)

    def keep(self, claim: Claim, progress: Progress) -> None:
        """
        Keep how far a delivery has come, and prolong the lease.

        Raises:
            LeaseLostError: it ran out, and someone else took over.
        """
        self._change(
            claim,
            "progress = ?, lease_until = ?",
            encode(progress),
            self._clock() + LEASE,
        )

    def finish(self, claim: Claim, progress: Progress, report: bytes) -> list[str]:
        """
        Note that a run was delivered, and let go of its document and attachments.

        Returns:
            The digests of its attachments.

        Raises:
            LeaseLostError: the lease ran out, and someone else took over.
        """
        with self._database.writing() as connection:
            self._change_in(
                connection,
                claim,
                "state = 'done', document = NULL, reason = NULL, finished_at = ?,"
                " progress = ?, report = ?",
                self._clock(),
                encode(progress),
                report,
            )
            self._close_circuit(connection)
            connection.execute("DELETE FROM part WHERE run_id = ?", (str(claim.id),))
            return forget_contents(connection, claim.id)

    def postpone(
        self,
        claim: Claim,
        *,
        wait: float,
        asked: float | None,
        reason: str,
        down: bool = False,
        missing: bool = False,
    ) -> None:
        """
        Put an entry back, to be tried again later.

        Args:
            claim: the entry.
            wait: the seconds until then.
            asked: the seconds of these that the server asked for, or None.
            reason: why.
            down: whether the store as a whole cannot be reached; the more often that
                is so in a row, the longer nothing is sent at all.
            missing: whether the store does not know a part of the unit yet.

        Raises:
            LeaseLostError: the lease ran out, and someone else took over.
        """
        now = self._clock()
        not_before = now + min(asked or 0.0, MAX_WAIT)
        with self._database.writing() as connection:
            self._change_in(
                connection,
                claim,
                "state = 'pending', due = ?, not_before = ?, reason = ?,"
                " missing = missing + ?, waits_for_store = ?",
                now + wait,
                not_before,
                reason,
                int(missing),
                int(down),
            )
            if down:
                self._count_failure(connection, reason, not_before)
            else:
                self._close_circuit(connection)

    def park(self, claim: Claim, reason: str) -> None:
        """
        Put an entry aside for a person.

        Raises:
            LeaseLostError: the lease ran out, and someone else took over.
        """
        with self._database.writing() as connection:
            self._change_in(connection, claim, "state = 'parked', reason = ?", reason)
            self._close_circuit(connection)

    def hold(self, claim: Claim, *, pause: float, reason: str) -> None:
        """
        Put an entry back, and send nothing for a while.

        Raises:
            LeaseLostError: the lease ran out, and someone else took over.
        """
        now = self._clock()
        with self._database.writing() as connection:
            self._give_back(connection, claim, reason)
            self._open_circuit(
                connection, reason, CIRCUIT_THRESHOLD, now + pause, not_before=now
            )

    def _count_failure(
        self, connection: sqlite3.Connection, reason: str, not_before: float
    ) -> None:
        now = self._clock()
        row = connection.execute("SELECT failures FROM circuit").fetchone()
        failures = 1 if row is None else row["failures"] + 1
        if not_before > now:
            failures = max(failures, CIRCUIT_THRESHOLD)  # it said so itself
        tries = failures - CIRCUIT_THRESHOLD + 1
        until = now + delay(tries, most=MAX_PROBE) if tries > 0 else now
        self._open_circuit(connection, reason, failures, until, not_before=not_before)

    def _open_circuit(
        self,
        connection: sqlite3.Connection,
        reason: str,
        failures: int,
        until: float,
        *,
        not_before: float,
    ) -> None:
        connection.execute(
            "INSERT OR REPLACE INTO circuit (one, reason, failures, until, not_before)"
            " VALUES (1, ?, ?, ?, ?)",
            (reason, failures, until, not_before),
        )

    def _close_circuit(self, connection: sqlite3.Connection) -> None:
        """Note that the store answers; what only waited for that is due at once."""
        row = connection.execute("SELECT failures FROM circuit").fetchone()
        if row is None:
            return
        connection.execute("DELETE FROM circuit")
        if row["failures"] >= CIRCUIT_THRESHOLD:
            now = self._clock()
            connection.execute(
                "UPDATE entry SET due = ? WHERE state = 'pending' AND due > ?"
                " AND waits_for_store",
                (now, now),
            )

    def release(self, claim: Claim) -> None:
        """
        Put an entry back as it was, since this process stops.

        Raises:
            LeaseLostError: the lease ran out, and someone else took over.
        """
        with self._database.writing() as connection:
            self._give_back(connection, claim, None)

    def _give_back(
        self, connection: sqlite3.Connection, claim: Claim, reason: str | None
    ) -> None:
        self._change_in(
            connection,
            claim,
            "state = 'pending', attempts = max(attempts - 1, 0), reason = ?",
            reason,
        )

    def _change(self, claim: Claim, change: str, *values: object) -> None:
        with self._database.writing() as connection:
            self._change_in(connection, claim, change, *values)

    def _change_in(
        self,
        connection: sqlite3.Connection,
        claim: Claim,
        change: str,
        *values: object,
    ) -> None:
        changed = connection.execute(
            f"UPDATE entry SET {change}"  # noqa: S608 - constants of this module
            " WHERE run_id = ? AND lease_owner = ? AND state = 'sending'",
            (*values, str(claim.id), claim.owner),
        ).rowcount
        if not changed:
            raise LeaseLostError(f"run {claim.id} was taken over by another sender")


def forget_contents(connection: sqlite3.Connection, run_id: UUID) -> list[str]:
    """Note that an entry needs its attachments no longer; give their digests."""
    rows = connection.execute(
        "SELECT sha256 FROM content WHERE run_id = ?", (str(run_id),)
    ).fetchall()
    connection.execute("DELETE FROM content WHERE run_id = ?", (str(run_id),))
    return [row["sha256"] for row in rows]
