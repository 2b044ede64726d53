"""A queue and its leases on one clock, without a store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from rigbridge.outbox.entries import EntryState
from rigbridge.outbox.queue.database import OutboxDatabase
from rigbridge.outbox.queue.entry_queue import EntryQueue, NewEntry
from rigbridge.outbox.queue.leases import (
    LeasedRun,
    Leases,
)
from rigbridge.outbox.queue.queue_view import QueueView
from rigbridge.outbox.queue.retention import Housekeeping


class _Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class Desk:
    """A queue and its leases on one clock."""

    def __init__(self, database: OutboxDatabase) -> None:
        self.clock = _Clock()
        self.queue = EntryQueue(database, self.clock)
        self.view = QueueView(database, self.clock)
        self.housekeeping = Housekeeping(database, self.clock)
        self.leases = Leases(database, self.clock)

    def add(self, *contents: str, run_id: UUID | None = None) -> UUID:
        """Hand over a run with files of these digests."""
        run_id = run_id or uuid4()
        entry = NewEntry(
            id=run_id,
            digest="d",
            document=b"{}",
            report=b"{}",
            serial_number="SN",
            procedure="P",
            contents=frozenset(contents),
        )
        assert self.queue.add(entry, lambda: True)
        return run_id

    def claim(self) -> LeasedRun:
        """Take the lease that has to be there."""
        claim = self.leases.take()
        assert claim is not None
        return claim

    def fail(self, *, wait: float = 0.0) -> UUID:
        """Let the next delivery get no answer."""
        leased = self.claim()
        # Due after the others, so that the next failure is that of another run.
        self.clock.now += 0.001
        self.leases.postpone(leased, wait=wait, asked=None, reason="dead", down=True)
        return leased.id

    def states(self) -> list[EntryState]:
        """Give the states of all entries, in their order."""
        return [entry.state for entry in self.view.entries(list(EntryState))]


@pytest.fixture(name="database")
def _database(tmp_path: Path) -> Iterator[OutboxDatabase]:
    database = OutboxDatabase(tmp_path / "outbox.sqlite")
    yield database
    database.close()


@pytest.fixture(name="desk")
def _desk(database: OutboxDatabase) -> Desk:
    return Desk(database)
