"""Runs that look the same: one at a time is sent, and a stored run is of one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import attrs
import pytest

from rigbridge.destinations import Progress, SentRun
from rigbridge.errors import ConfigurationError, RunWaitsError, UnexpectedAnswerError
from rigbridge.outbox.queue.database import OutboxDatabase
from rigbridge.outbox.queue.entry_queue import EntryQueue, NewEntry
from rigbridge.outbox.queue.leases import LeasedRun, Leases

_SENT = Progress(sent=True, sent_as=SentRun(key="k", serial_number="SN"))


class _Box:
    """A queue and its leases."""

    def __init__(self, database: OutboxDatabase) -> None:
        self.queue = EntryQueue(database)
        self.leases = Leases(database)

    def take_new(self) -> LeasedRun:
        """Queue a run and take its lease."""
        entry = NewEntry(
            id=uuid4(),
            digest="d",
            document=b"{}",
            report=b"{}",
            serial_number="SN",
            procedure="P",
            contents=frozenset(),
        )
        assert self.queue.add(entry, lambda: True)
        leased = self.leases.take()
        assert leased is not None
        return leased


@pytest.fixture(name="box")
def _box(tmp_path: Path) -> Iterator[_Box]:
    database = OutboxDatabase(tmp_path / "outbox.sqlite")
    yield _Box(database)
    database.close()


def _stored(stored_id: str) -> Progress:
    return attrs.evolve(_SENT, stored_id=stored_id)


class TestClaims:
    """Whose a stored run is."""

    def test_a_stored_run_is_of_one_run(self, box: _Box) -> None:
        """The second that an answer gives it to does not get it."""
        first, second = box.take_new(), box.take_new()
        box.leases.keep(first, _stored("r"))
        with pytest.raises(UnexpectedAnswerError, match="of ours"):
            box.leases.keep(second, _stored("r"))
        owners: dict[str, UUID] = {"r": first.id}
        assert box.leases.claims(second, ["r", "x"], "k").owners == owners

    def test_it_stays_so_after_delivery(self, box: _Box) -> None:
        """A later run that looks the same is another one."""
        first = box.take_new()
        box.leases.keep(first, _stored("r"))
        box.leases.finish(first, _stored("r"), b"{}")
        assert box.leases.claims(box.take_new(), ["r"], "k").owners == {"r": first.id}

    def test_one_that_looks_the_same_waits(self, box: _Box) -> None:
        """Until it is known what became of the one before."""
        first, second = box.take_new(), box.take_new()
        box.leases.keep(first, _SENT)
        box.leases.keep(first, _SENT)
        with pytest.raises(RunWaitsError):
            box.leases.keep(second, _SENT)
        assert box.leases.claims(second, [], "k").rivals
        box.leases.keep(first, _stored("r"))
        box.leases.keep(second, _SENT)

    def test_one_that_is_parked_holds_nobody(self, box: _Box) -> None:
        """It waits for a person; what it may be is known as a rival."""
        first, second = box.take_new(), box.take_new()
        box.leases.keep(first, _SENT)
        box.leases.park(first, "nobody can tell")
        box.leases.keep(second, _SENT)
        assert box.leases.claims(second, [], "k").rivals

    def test_a_person_says_which_it_is(self, box: _Box) -> None:
        """The run goes on with that id, unless another of ours has it."""
        first, second = box.take_new(), box.take_new()
        box.leases.keep(first, _SENT)
        box.leases.park(first, "nobody can tell")
        box.leases.keep(second, _stored("taken"))
        with pytest.raises(ConfigurationError, match="of ours"):
            box.queue.retry(first.id, "taken")
        box.queue.retry(first.id, "r")
        leased = box.leases.take()
        assert leased is not None
        assert (leased.id, leased.progress.stored_id) == (first.id, "r")
