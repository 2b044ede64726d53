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
from rigbridge.outbox.policy import MAX_DELAY, MAX_WAIT
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

_CLAIMABLE = """
    (state = 'pending'
        AND (due <= :now OR due > :horizon)
        AND (not_before <= :now OR not_before > :horizon))
    OR (state = 'sending' AND (lease_until <= :now OR lease_until > :lease))
"""


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
    """

    id: UUID
    owner: str
    attempt: int
    document: bytes
    report: bytes
    progress: Progress
    contents: frozenset[str]


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
            row = self._find(connection, times)
            if row is None:
                return None
            contents = connection.execute(
                "SELECT sha256 FROM content WHERE run_id = ?", (row["run_id"],)
            ).fetchall()
            connection.execute(
                "UPDATE entry SET state = 'sending', lease_owner = ?, lease_until = ?,"
                " attempts = attempts + 1 WHERE sequence = ?",
                (owner, now + LEASE, row["sequence"]),
            )
        return Claim(
            id=UUID(row["run_id"]),
            owner=owner,
            attempt=row["attempts"] + 1,
            document=row["document"],
            report=row["report"],
            progress=decode(row["progress"], Progress),
            contents=frozenset(content["sha256"] for content in contents),
        )

    def _find(
        self, connection: sqlite3.Connection, times: dict[str, float]
    ) -> sqlite3.Row | None:
        held = connection.execute(
            "SELECT 1 FROM hold WHERE until > :now AND until <= :horizon", times
        ).fetchone()
        if held is not None:
            return None
        row: sqlite3.Row | None = connection.execute(
            f"SELECT * FROM entry WHERE {_CLAIMABLE} ORDER BY due, sequence LIMIT 1",  # noqa: S608 - a constant
            times,
        ).fetchone()
        return row

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
            connection.execute("DELETE FROM hold")
            return forget_contents(connection, claim.id)

    def postpone(
        self, claim: Claim, *, wait: float, asked: float | None, reason: str
    ) -> None:
        """
        Put an entry back, to be tried again later.

        Args:
            claim: the entry.
            wait: the seconds until then.
            asked: the seconds of these that the server asked for, or None.
            reason: why.

        Raises:
            LeaseLostError: the lease ran out, and someone else took over.
        """
        now = self._clock()
        with self._database.writing() as connection:
            self._change_in(
                connection,
                claim,
                "state = 'pending', due = ?, not_before = ?, reason = ?",
                now + wait,
                now + min(asked or 0.0, MAX_WAIT),
                reason,
            )
            connection.execute("DELETE FROM hold")

    def park(self, claim: Claim, reason: str) -> None:
        """
        Put an entry aside for a person.

        Raises:
            LeaseLostError: the lease ran out, and someone else took over.
        """
        with self._database.writing() as connection:
            self._change_in(connection, claim, "state = 'parked', reason = ?", reason)
            connection.execute("DELETE FROM hold")

    def hold(self, claim: Claim, *, pause: float, reason: str) -> None:
        """
        Put an entry back, and send nothing for a while.

        Raises:
            LeaseLostError: the lease ran out, and someone else took over.
        """
        with self._database.writing() as connection:
            self._give_back(connection, claim, reason)
            connection.execute(
                "INSERT OR REPLACE INTO hold (one, reason, until) VALUES (1, ?, ?)",
                (reason, self._clock() + pause),
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
