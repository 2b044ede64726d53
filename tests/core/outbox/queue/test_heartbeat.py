"""Leases are renewed while their deliveries go on."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from rigbridge.errors import OutboxBusyError
from rigbridge.outbox.queue.clock import LEASE
from rigbridge.outbox.queue.leases import LeasedRun, LeaseLostError
from rigbridge.outbox.sending.heartbeat import LeaseHeartbeat

_PATIENCE = 60.0


class _Renewals:
    """Renews the leases of a desk; says when, and fails at first if it is told to."""

    def __init__(self, desk: Any, *errors: Exception) -> None:
        self._desk = desk
        self._errors = list(errors)
        self.count = 0
        self.done = threading.Event()

    def renew(self, leased: LeasedRun) -> None:
        self.count += 1
        if self._errors:
            raise self._errors.pop(0)
        self._desk.leases.renew(leased)
        self.done.set()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rigbridge.outbox.sending.heartbeat.LEASE", 0.03)


@pytest.mark.parametrize(
    "errors", [(), (OutboxBusyError("others hold it"),)], ids=["at once", "busy first"]
)
def test_a_lease_outlives_its_time(desk: Any, errors: tuple[Exception, ...]) -> None:
    """Nobody takes the entry over; one beat that finds others ends nothing."""
    desk.add()
    leased = desk.claim()
    desk.clock.now += LEASE - 1
    renewals: Any = _Renewals(desk, *errors)
    with LeaseHeartbeat(renewals) as heartbeat:
        heartbeat.add(leased)
        assert renewals.done.wait(_PATIENCE)
    desk.clock.now += 2
    assert desk.leases.take() is None


def test_a_lease_that_is_lost_is_left_alone(desk: Any) -> None:
    """The delivery itself meets that; the other leases are still renewed."""
    desk.add()
    desk.add()
    lost, held = desk.claim(), desk.claim()
    renewals: Any = _Renewals(desk, LeaseLostError("taken over"))
    with LeaseHeartbeat(renewals) as heartbeat:
        heartbeat.add(lost)
        heartbeat.add(held)
        assert renewals.done.wait(_PATIENCE)
        heartbeat.remove(held)
        known = dict(heartbeat._ends)
    assert known == {}
