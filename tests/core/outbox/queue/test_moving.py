"""What one destination is told concerns no other, unless both are the same store."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from rigbridge.destinations import Progress, SentRun
from rigbridge.outbox.queue.database import OutboxDatabase
from rigbridge.outbox.queue.entry_queue import EntryQueue, NewEntry
from rigbridge.outbox.queue.leases import LeasedRun, Leases
from rigbridge.outbox.queue.queue_view import QueueView

_STORED = Progress(
    sent=True, stored_id="r", sent_as=SentRun(key="k", serial_number="SN")
)


class _Destination:
    """A destination of one queue."""

    def __init__(self, database: OutboxDatabase, name: str) -> None:
        self._name = name
        self.queue = EntryQueue(database)
        self.leases = Leases(database, name=name)
        self.view = QueueView(database, name=name)

    def add(self) -> UUID:
        entry = NewEntry(
            id=uuid4(),
            digest="d",
            document=b"{}",
            report=b"{}",
            serial_number="SN",
            procedure="P",
            contents=frozenset(),
            destination=self._name,
        )
        assert self.queue.add(entry, lambda: True)
        return entry.id

    def take(self) -> LeasedRun:
        self.add()
        leased = self.leases.take()
        assert leased is not None
        return leased


@pytest.fixture(name="old")
def _old(database: OutboxDatabase) -> _Destination:
    return _Destination(database, "old")


@pytest.fixture(name="new")
def _new(database: OutboxDatabase) -> _Destination:
    return _Destination(database, "new")


def test_who_hastens_one_destination_leaves_the_others_waiting(
    old: _Destination, new: _Destination
) -> None:
    """The wait that another store asked for is its own affair."""
    for each in (old, new):
        each.leases.postpone(each.take(), wait=300, asked=300, reason="busy")
    old.queue.hasten("old")
    assert old.leases.take() is not None
    assert new.leases.take() is None


def test_a_stored_run_stays_whose_it_is_when_its_store_moves(
    old: _Destination, new: _Destination
) -> None:
    """Under the new name, no other run of ours may be taken for it."""
    leased = old.take()
    old.leases.keep(leased, _STORED)
    old.leases.finish(leased, _STORED, b"{}")
    old.queue.move("old", "new")
    assert new.leases.claims(new.take(), ["r"], "k").owners == {"r": leased.id}
    assert old.leases.claims(old.take(), ["r"], "k").owners == {}


def test_a_hold_ends_when_its_store_moves(old: _Destination, new: _Destination) -> None:
    """It was the old address that did not answer, and nobody asks it any more."""
    old.leases.hold(old.take(), pause=30, reason="no answer")
    assert old.view.circuit() is not None
    assert old.queue.move("old", "new") == 1
    assert old.view.circuit() is None
    assert new.leases.take() is not None
