"""What becomes of entries, and what is known of runs without one."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from rigbridge.destinations import FileProgress, Progress
from rigbridge.errors import ConfigurationError
from rigbridge.outbox.entries import EntryState
from rigbridge.outbox.queue.clock import LEASE
from rigbridge.outbox.queue.entry_queue import KnownRun
from rigbridge.outbox.queue.retention import Retention
from rigbridge.wire import encode

_SHA = "a" * 64


class TestEnding:
    """What becomes of entries."""

    def test_a_delivered_entry_lets_go(self, desk: Any) -> None:
        """The document and the attachments are needed no longer."""
        run_id = desk.add(_SHA)
        other = desk.add(_SHA)
        contents = desk.leases.finish(desk.claim(), Progress(stored_id="r1"), b"{}")
        assert contents == [_SHA]
        removed: list[str] = []
        desk.housekeeping.discard(contents, removed.append)
        assert removed == []
        assert desk.claim().id == other
        with pytest.raises(ConfigurationError, match="no longer here"):
            desk.queue.documents(run_id)

    def test_unshared_contents_are_removed(self, desk: Any) -> None:
        """Bytes that no entry refers to are removed."""
        desk.add(_SHA)
        contents = desk.leases.finish(desk.claim(), Progress(), b"{}")
        removed: list[str] = []
        desk.housekeeping.discard(contents, removed.append)
        assert removed == [_SHA]

    def test_the_sweep_is_told_what_is_wanted(self, desk: Any) -> None:
        """Digests that entries refer to are spared."""
        desk.add(_SHA, "b" * 64)
        wanted: list[frozenset[str]] = []
        desk.housekeeping.sweep(wanted.append)
        assert wanted == [frozenset({_SHA, "b" * 64})]

    def test_a_parked_entry_waits_for_a_person(self, desk: Any) -> None:
        """It is never claimed, and says why."""
        desk.add()
        desk.leases.park(desk.claim(), "400 Bad Request")
        desk.clock.now += 1e9
        assert desk.leases.take() is None
        (entry,) = desk.view.entries([EntryState.PARKED])
        assert entry.reason == "400 Bad Request"
        assert entry.due is None

    def test_a_retry_begins_afresh(self, desk: Any) -> None:
        """What was refused is tried again; what is known to be stored stays known."""
        run_id = desk.add()
        claim = desk.claim()
        linked = FileProgress(position=0, upload_id="u", linked=True)
        refused = FileProgress(position=1, refusal="413")
        progress = Progress(
            sent=True, unresolved=True, stored_id="r1", files=(linked, refused)
        )
        desk.leases.keep(claim, progress)
        desk.leases.park(claim, "413")
        desk.queue.retry(run_id)
        again = desk.claim()
        assert again.attempt == 1
        assert again.progress == Progress(
            stored_id="r1", files=(linked, FileProgress(position=1))
        )

    def test_a_retry_keeps_the_doubt_that_can_be_resolved(self, desk: Any) -> None:
        """A create that may have arrived is looked up, also after a retry."""
        run_id = desk.add()
        claim = desk.claim()
        desk.leases.keep(claim, Progress(sent=True))
        desk.leases.park(claim, "x")
        desk.queue.retry(run_id)
        assert desk.claim().progress.sent

    def test_a_retry_cuts_a_wait_short(self, desk: Any) -> None:
        """A person who asks for it overrules every wait."""
        run_id = desk.add()
        desk.leases.postpone(desk.claim(), wait=100, asked=100.0, reason="x")
        desk.queue.retry(run_id)
        assert desk.claim().id == run_id

    def test_a_dropped_entry_is_gone(self, desk: Any) -> None:
        """It can be handed over anew."""
        run_id = desk.add(_SHA)
        assert desk.queue.drop(run_id) == [_SHA]
        assert desk.queue.find(run_id) is None
        assert desk.view.status().waiting == 0

    def test_what_is_being_sent_is_neither_dropped_nor_disturbed(
        self, desk: Any
    ) -> None:
        """Only once its lease has run out may it be dropped."""
        run_id = desk.add()
        claim = desk.claim()
        desk.queue.retry(run_id)
        with pytest.raises(ConfigurationError, match="being sent"):
            desk.queue.drop(run_id)
        desk.leases.renew(claim)
        desk.clock.now += LEASE
        desk.queue.drop(run_id)

    def test_delivered_and_unknown_runs_are_told_apart(self, desk: Any) -> None:
        """Neither can be retried or dropped, each for its reason."""
        run_id = desk.add()
        desk.leases.finish(desk.claim(), Progress(), b"{}")
        for ask in (desk.queue.retry, desk.queue.drop):
            with pytest.raises(ConfigurationError, match="delivered already"):
                ask(run_id)
            with pytest.raises(ConfigurationError, match="holds no run"):
                ask(uuid4())

    def test_the_status_counts(self, desk: Any) -> None:
        """Waiting, parked and delivered entries are counted, the oldest is dated."""
        for _ in range(5):
            desk.add()
            desk.clock.now += 1
        desk.leases.finish(desk.claim(), Progress(), b"{}")
        desk.leases.park(desk.claim(), "x")
        desk.claim()
        status = desk.view.status()
        assert (status.waiting, status.parked, status.delivered) == (3, 1, 1)
        assert status.oldest is not None
        assert status.oldest.timestamp() == desk.clock.now - 3
        assert desk.view.waiting() == 3
        assert desk.view.is_sending()

    def test_an_empty_outbox(self, desk: Any) -> None:
        """Nothing waits, and nothing is due."""
        status = desk.view.status()
        assert (status.waiting, status.oldest, status.held) == (0, None, None)
        assert desk.view.seconds_until_due() is None
        assert not desk.view.is_sending()


class TestPastRuns:
    """What is known of runs without an entry."""

    @pytest.mark.parametrize(
        ("progress", "kept"),
        [
            (Progress(), False),
            (Progress(sent=True), True),
            (Progress(stored_id="r1"), True),
        ],
    )
    def test_a_dropped_run_goes_on_where_it_was(
        self, desk: Any, progress: Progress, *, kept: bool
    ) -> None:
        """Where the store may know it; that it was dropped does not mean delivered."""
        run_id = desk.add()
        leased = desk.claim()
        desk.leases.keep(leased, progress)
        desk.leases.park(leased, "x")
        desk.queue.drop(run_id)
        assert desk.queue.find(run_id) is None
        desk.add(run_id=run_id)
        assert desk.claim().progress == (progress if kept else Progress())

    def test_what_is_as_old_as_it_may_be_is_remembered(self, desk: Any) -> None:
        """A moment later only its id is."""
        run_id = desk.add()
        desk.leases.finish(desk.claim(), Progress(), b"{}")
        retention = Retention(keep_days=1)
        desk.clock.now += 86_400
        assert desk.housekeeping.prune(retention) == 0
        desk.clock.now += 0.001
        assert desk.housekeeping.prune(retention) == 1
        assert desk.queue.find(run_id) == KnownRun(None)
        assert desk.view.status().delivered == 1

    def test_a_delivered_run_is_never_queued_again(self, desk: Any) -> None:
        """Also when all that is left of it is its id."""
        run_id = desk.add()
        desk.leases.finish(desk.claim(), Progress(), b"{}")
        desk.clock.now += 86_401
        assert desk.housekeeping.prune(Retention(keep_days=1)) == 1
        desk.add(run_id=run_id)
        assert desk.states() == []
        assert desk.leases.take() is None

    def test_memory_is_used_up_to_its_bound(self, desk: Any) -> None:
        """The newest are remembered, as many as fit exactly."""
        ids = [desk.add() for _ in range(4)]
        for _ in ids:
            desk.leases.finish(desk.claim(), Progress(), b"x" * 700)
        size = 300 + len(encode(Progress())) + 700
        retention = Retention(keep_megabytes=2 * size / (1 << 20))
        assert desk.housekeeping.prune(retention) == 2
        left = [entry.id for entry in desk.view.entries(list(EntryState))]
        assert left == ids[2:]
