"""Entries, who sends them, and what is remembered of each attempt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from rigbridge.destinations import FileProgress, Progress
from rigbridge.errors import ConfigurationError
from rigbridge.outbox.entries import EntryState
from rigbridge.outbox.policy import CIRCUIT_THRESHOLD, MAX_PROBE, MAX_WAIT
from rigbridge.outbox.queue.clock import LEASE
from rigbridge.outbox.queue.entry_queue import KnownRun, NewEntry
from rigbridge.outbox.queue.leases import LeaseLostError, Leases

_SHA = "a" * 64


class TestAdding:
    """Handing over."""

    def test_the_same_run_is_added_once(self, desk: Any) -> None:
        """A second entry for a run changes nothing."""
        run_id = desk.add()
        entry = NewEntry(
            id=run_id,
            digest="other",
            document=b"[]",
            report=b"{}",
            serial_number=None,
            procedure=None,
            contents=frozenset(),
        )
        assert desk.queue.add(entry, lambda: True)
        assert desk.queue.find(run_id) == KnownRun("d")
        assert desk.states() == [EntryState.PENDING]

    def test_nothing_is_added_without_its_attachments(self, desk: Any) -> None:
        """An entry whose contents were removed meanwhile is refused."""
        run_id = uuid4()
        entry = NewEntry(
            id=run_id,
            digest="d",
            document=b"{}",
            report=b"{}",
            serial_number=None,
            procedure=None,
            contents=frozenset({_SHA}),
        )
        assert not desk.queue.add(entry, lambda: False)
        assert desk.queue.find(run_id) is None


class TestClaiming:
    """Whose turn it is."""

    def test_the_first_comes_first(self, desk: Any) -> None:
        """Entries are sent in the order in which they were handed over."""
        ids = [desk.add() for _ in range(3)]
        assert [desk.claim().id for _ in ids] == ids
        assert desk.leases.take() is None

    def test_a_lease_that_ran_out_is_taken_over(self, desk: Any) -> None:
        """The entry of a process that died is sent by another."""
        desk.add()
        first = desk.claim()
        desk.clock.now += LEASE - 1
        assert desk.leases.take() is None
        desk.clock.now += 1
        second = desk.claim()
        assert (second.id, second.attempt) == (first.id, 2)
        with pytest.raises(LeaseLostError):
            desk.leases.keep(first, Progress(stored_id="r1"))
        desk.leases.finish(second, Progress(stored_id="r1"), b"{}")

    @pytest.mark.parametrize("change", ["keep", "renew"])
    def test_a_lease_lasts_while_it_is_renewed(self, desk: Any, change: str) -> None:
        """Each step and each heartbeat prolongs it."""
        desk.add()
        claim = desk.claim()
        for _ in range(5):
            desk.clock.now += LEASE - 1
            if change == "keep":
                desk.leases.keep(claim, Progress())
            else:
                desk.leases.renew(claim)
        assert desk.leases.take() is None

    def test_a_lost_lease_changes_nothing(self, desk: Any) -> None:
        """Whoever lost a lease can end it in no way."""
        desk.add()
        lost = desk.claim()
        desk.clock.now += LEASE
        desk.claim()
        leases: Leases = desk.leases
        ways: tuple[Callable[[], object], ...] = (
            lambda: leases.renew(lost),
            lambda: leases.finish(lost, Progress(), b"{}"),
            lambda: leases.park(lost, "x"),
            lambda: leases.hold(lost, pause=9, reason="x"),
            lambda: leases.postpone(lost, wait=9, asked=None, reason="x"),
            lambda: leases.release(lost),
        )
        for way in ways:
            with pytest.raises(LeaseLostError):
                way()
        assert desk.states() == [EntryState.SENDING]
        assert desk.view.circuit() is None

    def test_progress_is_kept_between_attempts(self, desk: Any) -> None:
        """The next attempt knows all that the last one kept."""
        desk.add()
        progress = Progress(
            store="https://store/api",
            sent=True,
            stored_id="r1",
            warnings=("w",),
            files=(FileProgress(position=0, upload_id="u1", linked=True),),
        )
        claim = desk.claim()
        desk.leases.keep(claim, progress)
        desk.leases.postpone(claim, wait=0, asked=None, reason="x")
        assert desk.claim().progress == progress

    def test_waits_are_kept(self, desk: Any) -> None:
        """An entry that was put off is not due before its time."""
        desk.add()
        desk.leases.postpone(desk.claim(), wait=10, asked=None, reason="no answer")
        assert desk.leases.take() is None
        assert desk.view.seconds_until_due() == pytest.approx(10)
        desk.clock.now += 10
        assert desk.claim().attempt == 2

    def test_it_is_idle_while_all_are_put_off(self, desk: Any) -> None:
        """Nothing is sent within the wait; an empty queue has nothing to wait for."""
        assert not desk.view.is_idle_for(0)
        desk.add()
        assert not desk.view.is_idle_for(0)
        desk.leases.postpone(desk.claim(), wait=10, asked=None, reason="no answer")
        assert desk.view.is_idle_for(9.9)
        assert not desk.view.is_idle_for(10)

    def test_it_is_not_idle_while_a_run_is_sent(self, desk: Any) -> None:
        """Its lease is no wait: the run may arrive at any moment."""
        desk.add()
        desk.claim()
        assert not desk.view.is_idle_for(0)
        desk.clock.now += LEASE
        assert not desk.view.is_idle_for(0)

    def test_waits_can_be_cut_short(self, desk: Any) -> None:
        """Hastening makes everything due, also where a server asked to wait."""
        ours, theirs = desk.add(), desk.add()
        desk.leases.postpone(desk.claim(), wait=100, asked=None, reason="x")
        desk.leases.postpone(desk.claim(), wait=100, asked=50.0, reason="x", down=True)
        assert desk.leases.take() is None
        desk.queue.hasten(None)
        assert [desk.claim().id, desk.claim().id] == [ours, theirs]

    def test_a_retry_ends_the_wait_that_the_store_asked_for(self, desk: Any) -> None:
        """A person's word for one run counts more than the store's wish."""
        run_id = desk.add()
        desk.leases.postpone(desk.claim(), wait=100, asked=50.0, reason="x", down=True)
        desk.queue.retry(run_id)
        assert desk.view.circuit() is None
        assert desk.claim().id == run_id

    def test_a_held_destination_gets_nothing(self, desk: Any) -> None:
        """While it is held no entry is claimed, and none is parked or counted."""
        desk.add()
        desk.add()
        desk.leases.hold(desk.claim(), pause=60, reason="401")
        assert desk.leases.take() is None
        assert desk.view.circuit() == ("401", 60.0)
        assert desk.view.status().held == "401"
        assert desk.view.seconds_until_due() == pytest.approx(60)
        assert desk.states() == [EntryState.PENDING, EntryState.PENDING]
        desk.clock.now += 60
        assert desk.claim().attempt == 1
        assert desk.view.circuit() is None

    def test_an_answer_ends_the_hold(self, desk: Any) -> None:
        """Once anything goes through, everything does."""
        desk.add()
        desk.add()
        desk.leases.hold(desk.claim(), pause=60, reason="401")
        desk.queue.hasten(None)
        desk.leases.finish(desk.claim(), Progress(), b"{}")
        assert desk.view.circuit() is None
        desk.claim()

    def test_a_clock_that_ran_ahead_strands_nothing(self, desk: Any) -> None:
        """Times of a wrong clock, two hours ahead, keep no entry for two hours."""
        desk.clock.now += 7200
        put_off, held = desk.add(), desk.add()
        desk.leases.postpone(desk.claim(), wait=100, asked=99.0, reason="x")
        desk.leases.hold(desk.claim(), pause=60, reason="401")
        desk.clock.now -= 7200
        assert desk.view.seconds_until_due() == 0
        first = desk.claim()
        desk.leases.finish(first, Progress(), b"{}")
        assert {first.id, desk.claim().id} == {put_off, held}

    def test_a_dead_store_is_asked_at_least_once_a_minute(self, desk: Any) -> None:
        """However long it has been dead, what waits goes on within a minute of it."""
        for _ in range(CIRCUIT_THRESHOLD):
            desk.add()
        pauses: list[float] = []
        for _ in range(30):
            desk.fail()
            held = desk.view.circuit()
            if held is not None:
                pauses.append(held[1])
                desk.clock.now += held[1]
        assert len(pauses) > 20
        assert 10 < max(pauses) <= MAX_PROBE

    def test_the_next_is_found_at_once_however_many_wait(self, desk: Any) -> None:
        """Claiming takes the database no more steps among 2,000 than among 20."""
        assert _steps(desk, waiting=2000) <= 2 * _steps(desk, waiting=20)

    def test_looking_when_to_begin_reads_no_documents(self, desk: Any) -> None:
        """The index holds all that is asked of everything that waits."""
        desk.add()
        with desk.queue._database.reading() as connection:
            asked: list[str] = []
            connection.set_trace_callback(asked.append)
            desk.view.seconds_until_due()
            desk.view.status()
            desk.view.waiting()
            connection.set_trace_callback(None)
            plans = [
                row["detail"]
                for question in asked
                if "FROM entry" in question
                for row in connection.execute(f"EXPLAIN QUERY PLAN {question}")
                if " entry" in row["detail"]
            ]
        assert len(plans) >= 3
        assert all("COVERING INDEX" in plan for plan in plans), plans


def _steps(desk: Any, *, waiting: int) -> int:
    """Count the steps of a claim, in hundreds, while some more wait."""
    for _ in range(waiting):
        desk.add()
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    with desk.queue._database.reading() as connection:
        connection.set_progress_handler(step, 100)
        desk.claim()
        connection.set_progress_handler(None, 0)
    return max(count, 1)


class TestCounters:
    """What an entry remembers of its attempts."""

    def test_a_server_has_nobody_wait_for_more_than_an_hour(self, desk: Any) -> None:
        """A longer wait counts as an hour, and not as the slip of a clock."""
        desk.add()
        asked = 1000 * MAX_WAIT
        desk.leases.postpone(desk.claim(), wait=0, asked=asked, reason="x")
        assert desk.leases.take() is None
        desk.clock.now += MAX_WAIT - 1
        assert desk.leases.take() is None
        desk.clock.now += 1
        desk.claim()

    def test_unknown_sub_units_are_counted(self, desk: Any) -> None:
        """Each refusal for that reason counts once, others do not; a retry forgets."""
        run_id = desk.add()
        for missing, expected in ((True, 0), (False, 1), (True, 1), (False, 2)):
            leased = desk.claim()
            assert leased.missing == expected
            desk.leases.postpone(
                leased, wait=0, asked=None, reason="404", missing=missing
            )
        desk.queue.retry(run_id)
        assert desk.claim().missing == 0

    @pytest.mark.parametrize("end", ["hold", "release"])
    def test_what_was_put_back_unsent_was_no_attempt(self, desk: Any, end: str) -> None:
        """Neither a destination that refuses everyone nor a stop counts."""
        desk.add()
        for _ in range(2):
            leased = desk.claim()
            assert leased.attempt == 1
            if end == "hold":
                desk.leases.hold(leased, pause=0, reason="401")
            else:
                desk.leases.release(leased)

    def test_a_lease_lasts_exactly_as_long_as_it_says(self, desk: Any) -> None:
        """Not a moment less, which is asked for where a process is slow."""
        desk.add()
        desk.claim()
        desk.clock.now += LEASE - 0.001
        assert desk.view.is_sending()
        assert desk.leases.take() is None
        desk.clock.now += 0.001
        assert not desk.view.is_sending()
        desk.claim()

    def test_a_run_that_is_being_sent_is_not_dropped(self, desk: Any) -> None:
        """Until its lease has run out."""
        run_id = desk.add()
        desk.claim()
        desk.clock.now += LEASE - 0.001
        with pytest.raises(ConfigurationError, match="being sent"):
            desk.queue.drop(run_id)
        desk.clock.now += 0.001
        desk.queue.drop(run_id)
        assert desk.states() == []
