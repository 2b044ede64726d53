"""Deliveries in a row that get no answer."""

from __future__ import annotations

from typing import Any

import pytest

from rigbridge.destinations import Progress
from rigbridge.outbox.policy import CIRCUIT_THRESHOLD, MAX_PROBE


@pytest.fixture(name="pauses")
def _pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each pause of the circuit last ten seconds more than the one before."""

    def delay(tries: int, *, most: float) -> float:
        assert most == MAX_PROBE
        return 10.0 * tries

    monkeypatch.setattr("rigbridge.outbox.queue.circuit.delay", delay)


@pytest.mark.usefixtures("pauses")
class TestCounting:
    """Deliveries in a row that get no answer."""

    def test_the_third_in_a_row_opens_the_circuit(self, desk: Any) -> None:
        """Two change nothing; from the third on the pauses grow."""
        for _ in range(CIRCUIT_THRESHOLD):
            desk.add()
        for _ in range(CIRCUIT_THRESHOLD - 1):
            desk.fail()
            assert desk.view.circuit() is None
        for pause in (10.0, 20.0, 30.0):
            desk.fail()
            assert desk.view.circuit() == ("dead", pause)
            desk.clock.now += pause - 0.001
            assert desk.leases.take() is None
            desk.clock.now += 0.001

    def test_a_run_that_fails_again_counts_once(self, desk: Any) -> None:
        """What one run meets again and again may be about that run."""
        desk.add()
        for _ in range(3 * CIRCUIT_THRESHOLD):
            desk.fail()
        assert desk.view.circuit() is None

    def test_an_answer_in_between_begins_the_count_anew(self, desk: Any) -> None:
        """Whatever the answer is: the store is there."""
        for _ in range(2 * CIRCUIT_THRESHOLD):
            desk.add()
        for _ in range(CIRCUIT_THRESHOLD - 1):
            desk.fail()
        desk.leases.postpone(desk.claim(), wait=0, asked=None, reason="409")
        for _ in range(CIRCUIT_THRESHOLD - 1):
            desk.fail()
        assert desk.view.circuit() is None

    def test_a_store_that_asks_for_a_pause_gets_it_at_once(self, desk: Any) -> None:
        """One such answer is enough, and others do not go on meanwhile."""
        desk.add()
        desk.add()
        desk.leases.postpone(
            desk.claim(),
            wait=30,
            asked=30.0,
            reason="429",
            down=True,
            for_all=True,
        )
        assert desk.view.circuit() == ("429", 30.0)
        desk.clock.now += 29
        assert desk.leases.take() is None
        desk.clock.now += 1
        desk.claim()

    def test_after_a_pause_one_tries_for_all(self, desk: Any) -> None:
        """The others see what comes of it first."""
        for _ in range(CIRCUIT_THRESHOLD):
            desk.add()
        for _ in range(CIRCUIT_THRESHOLD):
            desk.fail()
        desk.clock.now += 10
        first = desk.claim()
        assert desk.leases.take() is None
        desk.leases.finish(first, Progress(), b"{}")
        desk.claim()
        desk.claim()

    def test_once_the_store_answers_what_waited_for_it_is_due(self, desk: Any) -> None:
        """What waits for another reason, or for its own pause, goes on waiting."""
        other = desk.add()
        leased = desk.claim()
        assert leased.id == other
        desk.leases.postpone(leased, wait=300, asked=None, reason="500")
        waiting = [desk.add() for _ in range(CIRCUIT_THRESHOLD)]
        for run_id in waiting:
            assert desk.fail(wait=300) == run_id
        last = desk.add()
        desk.clock.now += 10
        leased = desk.claim()
        assert leased.id == last
        desk.leases.finish(leased, Progress(), b"{}")
        assert {desk.claim().id for _ in waiting} == set(waiting)
        assert desk.leases.take() is None

    def test_a_closed_circuit_hastens_nothing(self, desk: Any) -> None:
        """Too few failures to open it were the run's own, and its wait stays."""
        waiting = [desk.add() for _ in range(CIRCUIT_THRESHOLD - 1)]
        last = desk.add()
        for run_id in waiting:
            assert desk.fail(wait=300) == run_id
        leased = desk.claim()
        assert leased.id == last
        desk.leases.finish(leased, Progress(), b"{}")
        assert desk.leases.take() is None
