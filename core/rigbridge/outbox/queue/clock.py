"""
The clock of an outbox: all processes of a machine agree on it, and nobody can set it.

Due times and leases would end early or late if the system's clock is set meanwhile. So
the first process of a boot notes by how much Unix time is ahead of the time since the
boot, and all others add the same to theirs. Times from before a boot, or of another
machine that shares the folder, may be those of a clock that was wrong: what lies
further ahead than any wait lasts counts as past.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from rigbridge.machine.uptime import boot_name, uptime
from rigbridge.outbox.policy import HOLD_PAUSE, MAX_DELAY, MAX_PROBE, MAX_WAIT
from rigbridge.outbox.queue.database import OutboxDatabase

__all__ = ["LEASE", "QueueClock", "limits"]

LEASE = 60.0
"""Seconds that a lease lasts unless it is renewed."""

_SLACK = 1.0
_PAUSE = max(MAX_PROBE, HOLD_PAUSE)


def limits(now: float) -> Mapping[str, float]:
    """Give what times are compared with: now, and how far ahead each kind may lie."""
    return {
        "now": now,
        "due_limit": now + MAX_DELAY + _SLACK,
        "asked_limit": now + MAX_WAIT + _SLACK,
        "pause_limit": now + _PAUSE + _SLACK,
        "lease_limit": now + LEASE + _SLACK,
    }


class QueueClock:
    """
    Gives the time, in seconds.

    It is Unix time as it was when the first process of this boot opened the outbox, and
    goes on steadily from there.

    Args:
        database: holds what is added to the time since the boot.
        wall: gives the Unix time.
    """

    def __init__(
        self,
        database: OutboxDatabase,
        *,
        uptime: Callable[[], float] = uptime,
        wall: Callable[[], float] = time.time,
        boot: str | None = None,
    ) -> None:
        self.boot = boot_name() if boot is None else boot
        self._uptime = uptime
        self._wall = wall
        self._ahead = self._agree(database)

    def _agree(self, database: OutboxDatabase) -> float:
        query = "SELECT ahead FROM clock WHERE boot = ?"
        with database.reading() as connection:
            # Without a transaction first: all but one process of a boot find it here.
            row = connection.execute(query, (self.boot,)).fetchone()
        if row is None:
            with database.writing() as connection:
                connection.execute(
                    "INSERT OR IGNORE INTO clock (boot, ahead) VALUES (?, ?)",
                    (self.boot, self._wall() - self._uptime()),
                )
                row = connection.execute(query, (self.boot,)).fetchone()
        return float(row["ahead"])

    def __call__(self) -> float:
        """Give the time by this clock."""
        return self._ahead + self._uptime()

    def shown(self, moment: float) -> datetime:
        """Give the time of day that a moment of this clock is for a person."""
        return datetime.fromtimestamp(self._wall() + moment - self(), UTC)
