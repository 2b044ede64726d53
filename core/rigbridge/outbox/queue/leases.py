"""
Leases on the outbox's entries: who sends what, and what came of it.

An entry is ``pending`` until someone takes a lease on it, ``sending`` while the lease
lasts, and then ``done``, ``parked`` or pending again. A lease that ran out counts as
none, so that the entries of a process that died are taken over. Each change is one
durable transaction.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Collection, Mapping
from uuid import UUID, uuid4

import attrs

from rigbridge.destinations import Claims, Progress
from rigbridge.errors import RunWaitsError
from rigbridge.outbox.policy import MAX_WAIT
from rigbridge.outbox.queue.circuit import (
    circuit_forbids,
    close_circuit,
    count_failure,
    open_circuit,
)
from rigbridge.outbox.queue.claims import claim_stored_run, unsettled_key
from rigbridge.outbox.queue.clock import LEASE, limits
from rigbridge.outbox.queue.database import OutboxDatabase
from rigbridge.wire import decode, encode

__all__ = [
    "LeaseLostError",
    "LeasedRun",
    "Leases",
    "forget_contents",
]

_WATCH = 0.75 * LEASE
"""Seconds for which nobody renews the lease of a holder that is dead."""

# A run waits for the runs of its parts, since stores refuse unknown sub-units. Of these
# runs, one with parts of its own counts only if it was handed over before: otherwise
# two runs could wait for each other. CROSS JOIN fixes the order of the loops: SQLite
# would begin with all waiting entries, for each run anew.
_COMPLETE = """
    NOT EXISTS (
        SELECT 1 FROM part CROSS JOIN entry AS other
            ON other.serial_key = part.serial_key
        WHERE part.run_id = entry.run_id AND other.run_id != entry.run_id
            AND other.state IN ('pending', 'sending')
            AND (other.destination IS NULL OR other.destination = :name)
            AND (other.sequence < entry.sequence OR NOT EXISTS (
                SELECT 1 FROM part AS own WHERE own.run_id = other.run_id
            ))
    )
"""
# A time beyond its limit was written by a clock that ran ahead, and counts as past.
_NOT_HELD = "(not_before <= :now OR not_before > :asked_limit)"
_DUE = (
    f"state = 'pending' AND due <= :now AND {_NOT_HELD}",
    f"state = 'pending' AND due > :due_limit AND {_NOT_HELD}",
    (
        "state = 'sending' AND ((lease_until <= :now AND lease_boot IS :boot)"
        " OR lease_owner IN (SELECT value FROM json_each(:abandoned)))"
    ),
)
# Another machine that shares the folder has a clock of its own, and so had this one
# before it was started anew: whether their leases ran out shows only by watching them.
_DOUBTFUL = """
    SELECT lease_owner, lease_until FROM entry
    WHERE state = 'sending' AND (lease_boot IS NOT :boot OR lease_until > :lease_limit)
"""
# Nobody sends what goes elsewhere; without a name of one's own the second finds none.
_OURS = ("destination IS NULL", "destination = :name")
# Each SELECT walks the index from its beginning and ends at the first match, so the
# next entry is found at once however many wait. One query with OR would sort them all.
_NEXT = " UNION ALL ".join(
    "SELECT * FROM (SELECT due, sequence FROM entry"  # noqa: S608 - constants
    f" WHERE {condition} AND {ours} AND {_COMPLETE} ORDER BY due, sequence LIMIT 1)"
    for condition in _DUE
    for ours in _OURS
)


class LeaseLostError(Exception):
    """Someone else has taken over the entry; what is under way must end."""


@attrs.frozen(kw_only=True)
class LeasedRun:
    """
    An entry under a lease.

    Attributes:
        owner: who holds the lease; new each time.
        attempt: the attempt that begins, counted from 1.
        digest: the SHA-256 that the document had when it was queued.
        progress: where the attempt before left off.
        contents: the digests of the attachments that it holds.
        missing: how often the store did not know a part of the unit.
    """

    id: UUID
    owner: str
    attempt: int
    document: bytes
    digest: str
    report: bytes
    progress: Progress
    contents: frozenset[str]
    missing: int = 0


class Leases:
    """
    Takes and ends leases.

    Whatever changes a leased entry raises LeaseLostError where the lease ran out and
    someone else took over.

    Args:
        wall: gives the Unix time; that clock by default.
        name: of the destination; without one only entries that name none are sent.
    """

    def __init__(
        self,
        database: OutboxDatabase,
        clock: Callable[[], float] = time.time,
        *,
        wall: Callable[[], float] | None = None,
        boot: str = "",
        name: str | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._wall = wall or clock
        self._boot = boot
        self._name = name
        self._watched: dict[tuple[str, float], float] = {}

    def take(self) -> LeasedRun | None:
        """Take a lease on the entry that is due first, or None if none is due."""
        now = self._clock()
        times = limits(now)
        # New for each lease, so that a former holder cannot pass for the new one.
        owner = uuid4().hex
        while True:
            with self._database.reading() as connection:
                # Asked without a transaction first: idle senders block no hand-over.
                if self._find(connection, times) is None:
                    return None
            with self._database.writing() as connection:
                # Again under the lock: another process may have taken it meanwhile.
                sequence = self._find(connection, times)
                if sequence is None:
                    return None
                try:
                    return self._lease(connection, sequence, owner, now)
                # SQLite notices no flipped bit of a value. One such entry must not
                # stop all others.
                except (AttributeError, TypeError, ValueError) as error:
                    _set_aside(connection, sequence, error)

    def _lease(
        self, connection: sqlite3.Connection, sequence: int, owner: str, now: float
    ) -> LeasedRun:
        row = connection.execute(
            "SELECT * FROM entry WHERE sequence = ?", (sequence,)
        ).fetchone()
        contents = connection.execute(
            "SELECT sha256 FROM content WHERE run_id = ?", (row["run_id"],)
        ).fetchall()
        leased = LeasedRun(
            id=UUID(row["run_id"]),
            owner=owner,
            attempt=row["attempts"] + 1,
            document=row["document"],
            digest=row["digest"],
            report=row["report"],
            progress=decode(row["progress"], Progress),
            contents=frozenset(content["sha256"] for content in contents),
            missing=row["missing"],
        )
        connection.execute(
            # An attempt counts when it begins: so does one that kills us. From here on
            # the store may know the run, so it goes nowhere else.
            "UPDATE entry SET state = 'sending', lease_owner = ?, lease_until = ?,"
            " lease_boot = ?, attempts = attempts + 1, destination = ?"
            " WHERE sequence = ?",
            (owner, now + LEASE, self._boot, self._name, sequence),
        )
        return leased

    def _find(
        self, connection: sqlite3.Connection, times: Mapping[str, float]
    ) -> int | None:
        if circuit_forbids(connection, self._name, times):
            return None
        row = connection.execute(
            f"SELECT sequence FROM ({_NEXT}) ORDER BY due, sequence LIMIT 1",  # noqa: S608 - constants
            {
                **times,
                "name": self._name,
                "boot": self._boot,
                "abandoned": json.dumps(self._abandoned(connection, times)),
            },
        ).fetchone()
        return None if row is None else int(row["sequence"])

    def _abandoned(
        self, connection: sqlite3.Connection, times: Mapping[str, float]
    ) -> list[str]:
        """Give the holders whose leases were seen unchanged for too long."""
        rows = connection.execute(
            _DOUBTFUL, {"boot": self._boot, "lease_limit": times["lease_limit"]}
        ).fetchall()
        now = time.monotonic()
        # A renewed lease is another one, watched anew; one that is gone is left out.
        self._watched = {
            key: self._watched.get(key, now)
            for key in ((row["lease_owner"], row["lease_until"]) for row in rows)
        }
        return [
            owner
            for (owner, _), since in self._watched.items()
            if now - since >= _WATCH
        ]

    def renew(self, leased: LeasedRun) -> None:
        """Prolong a lease."""
        self._change(leased, "lease_until = ?", self._clock() + LEASE)

    def keep(self, leased: LeasedRun, progress: Progress) -> None:
        """Keep how far a delivery has come, and prolong the lease."""
        with self._database.writing() as connection:
            key = unsettled_key(progress)
            claim_stored_run(connection, self._name, leased.id, progress)
            if key is not None:
                self._let_others_settle(connection, leased, key)
            self._change_in(
                connection,
                leased,
                "progress = ?, sent_key = ?, lease_until = ?",
                encode(progress),
                key,
                self._clock() + LEASE,
            )

    def claims(
        self, leased: LeasedRun, stored_ids: Collection[str], key: str
    ) -> Claims:
        """Tell to whom stored runs belong, and whether other runs have that key."""
        # SQLite binds no lists, so there is one mark an id.
        marks = ", ".join("?" for _ in stored_ids)
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT stored_id, run_id FROM claim"  # noqa: S608 - question marks
                f" WHERE destination = ? AND stored_id IN ({marks})",
                (self._name or "", *stored_ids),
            ).fetchall()
            rival = connection.execute(
                "SELECT 1 FROM entry WHERE sent_key = ? AND destination IS ?"
                " AND run_id != ?",
                (key, self._name, str(leased.id)),
            ).fetchone()
        owners = {row["stored_id"]: UUID(row["run_id"]) for row in rows}
        return Claims(owners=owners, rivals=rival is not None)

    def _let_others_settle(
        self, connection: sqlite3.Connection, leased: LeasedRun, key: str
    ) -> None:
        """
        Make sure that of runs which look the same one at a time is under way.

        With two whose answers were lost nobody could tell which one the store has.
        """
        row = connection.execute(
            "SELECT max(run_id = :own AND sent_key IS :key) AS is_ours,"
            " max(run_id != :own) AS is_theirs FROM entry"
            " WHERE (sent_key = :key AND destination IS :name"
            " AND state IN ('pending', 'sending')) OR run_id = :own",
            {"own": str(leased.id), "key": key, "name": self._name},
        ).fetchone()
        # Whoever has begun goes on: two that wait for each other would never end.
        if row["is_theirs"] and not row["is_ours"]:
            raise RunWaitsError(
                "another run of the same unit, procedure, start and outcome was sent, "
                "and what became of it has to be known first"
            )

    def finish(self, leased: LeasedRun, progress: Progress, report: bytes) -> list[str]:
        """
        Note that a run was delivered, and let go of its document and attachments.

        Returns:
            The digests of its attachments.
        """
        with self._database.writing() as connection:
            self._change_in(
                connection,
                leased,
                "state = 'done', document = NULL, reason = NULL, finished_at = ?,"
                " progress = ?, report = ?",
                self._wall(),
                encode(progress),
                report,
            )
            connection.execute(
                "UPDATE entry SET failing_since = NULL WHERE run_id = ?",
                (str(leased.id),),
            )
            connection.execute("UPDATE tally SET last_delivery = ?", (self._wall(),))
            close_circuit(connection, self._name, self._clock())
            connection.execute("DELETE FROM part WHERE run_id = ?", (str(leased.id),))
            return forget_contents(connection, leased.id)

    def postpone(
        self,
        leased: LeasedRun,
        *,
        wait: float,
        asked: float | None,
        reason: str,
        down: bool = False,
        for_all: bool = False,
        missing: bool = False,
    ) -> None:
        """
        Put an entry back, to be tried again later.

        Args:
            wait: the seconds until then.
            asked: the seconds of these that the server asked for, or None.
            down: whether the store may be out of reach as a whole; the more runs in a
                row find it so, the longer nothing is sent at all.
            for_all: whether the store asked everybody to wait, not this run alone.
            missing: whether the store does not know a part of the unit yet.
        """
        now = self._clock()
        # Kept apart from due: a person may cut our own wait short, not the server's.
        not_before = now + min(asked, MAX_WAIT) if asked else 0.0
        with self._database.writing() as connection:
            self._change_in(
                connection,
                leased,
                "state = 'pending', due = ?, not_before = ?, reason = ?,"
                " missing = missing + ?, waits_for_store = ?,"
                " failing_since = coalesce(failing_since, ?)",
                now + wait,
                not_before,
                reason,
                int(missing),
                int(down),
                self._wall(),
            )
            if not down:
                close_circuit(connection, self._name, self._clock())
                return
            is_open = count_failure(
                connection,
                self._name,
                now,
                reason=reason,
                not_before=not_before,
                run_id=leased.id,
                for_all=for_all and asked is not None,
            )
            if is_open:
                # What fails while everything fails is not stuck on its own.
                connection.execute(
                    "UPDATE entry SET failing_since = NULL WHERE run_id = ?",
                    (str(leased.id),),
                )

    def park(self, leased: LeasedRun, reason: str) -> None:
        """Put an entry aside for a person."""
        with self._database.writing() as connection:
            self._change_in(connection, leased, "state = 'parked', reason = ?", reason)
            close_circuit(connection, self._name, self._clock())

    def hold(self, leased: LeasedRun, *, pause: float, reason: str) -> None:
        """Put an entry back, and send nothing for a while."""
        now = self._clock()
        with self._database.writing() as connection:
            # One transaction: an entry that is free before the circuit opens is sent.
            self._give_back(connection, leased, reason)
            open_circuit(connection, self._name, now, reason, pause)

    def note_silence(self, reason: str, pause: float) -> None:
        """
        Hold the destination for a while, if nothing on its way gets anywhere.

        A process that ends takes with it what it knows of a store that accepts and
        does not answer; the next one would wait for it just as long.

        Args:
            reason: for a person.
            pause: seconds.
        """
        with self._database.writing() as connection:
            under_way = connection.execute(
                "SELECT progress FROM entry WHERE state = 'sending'"
                " AND destination IS ?",
                (self._name,),
            ).fetchall()
            # A large file may take its time once the store has the run.
            if not any(
                decode(row["progress"], Progress).stored_id for row in under_way
            ):
                open_circuit(connection, self._name, self._clock(), reason, pause)

    def release(self, leased: LeasedRun) -> None:
        """Put an entry back as it was, since this process stops."""
        with self._database.writing() as connection:
            self._give_back(connection, leased, None)

    def _give_back(
        self, connection: sqlite3.Connection, leased: LeasedRun, reason: str | None
    ) -> None:
        self._change_in(
            connection,
            leased,
            # This attempt does not count: the run itself was not refused.
            "state = 'pending', attempts = max(attempts - 1, 0), reason = ?",
            reason,
        )

    def _change(self, leased: LeasedRun, change: str, *values: object) -> None:
        with self._database.writing() as connection:
            self._change_in(connection, leased, change, *values)

    def _change_in(
        self,
        connection: sqlite3.Connection,
        leased: LeasedRun,
        change: str,
        *values: object,
    ) -> None:
        # The owner in WHERE is the fence: after a lease ran out and was taken over, the
        # former holder changes nothing.
        changed = connection.execute(
            f"UPDATE entry SET {change}"  # noqa: S608 - constants of this module
            " WHERE run_id = ? AND lease_owner = ? AND state = 'sending'",
            (*values, str(leased.id), leased.owner),
        ).rowcount
        if not changed:
            raise LeaseLostError(f"run {leased.id} was taken over by another sender")


def _set_aside(connection: sqlite3.Connection, sequence: int, error: Exception) -> None:
    """Park an entry whose columns the disk has damaged."""
    connection.execute(
        "UPDATE entry SET state = 'parked', attempts = 0, progress = ?, reason = ?"
        " WHERE sequence = ?",
        # As far as anybody knows now, the store may have it.
        (
            encode(Progress(sent=True)),
            f"its entry was damaged on the disk: {error}",
            sequence,
        ),
    )


def forget_contents(connection: sqlite3.Connection, run_id: UUID) -> list[str]:
    """Note that an entry needs its attachments no longer; give their digests."""
    rows = connection.execute(
        "SELECT sha256 FROM content WHERE run_id = ?", (str(run_id),)
    ).fetchall()
    connection.execute("DELETE FROM content WHERE run_id = ?", (str(run_id),))
    return [row["sha256"] for row in rows]
