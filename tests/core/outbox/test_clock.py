"""The clock of an outbox, which nobody can set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rigbridge.machine.uptime import boot_name, uptime
from rigbridge.outbox.policy import HOLD_PAUSE, MAX_DELAY, MAX_PROBE, MAX_WAIT
from rigbridge.outbox.queue.clock import LEASE, QueueClock, limits
from rigbridge.outbox.queue.database import OutboxDatabase


class _Machine:
    """A machine whose clock is set now and then."""

    def __init__(self) -> None:
        self.wall = 1_700_000_000.0
        self.ticks = 100.0

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.ticks += seconds

    def clock(self, database: OutboxDatabase, boot: str = "first") -> QueueClock:
        return QueueClock(
            database, uptime=lambda: self.ticks, wall=lambda: self.wall, boot=boot
        )


@pytest.fixture(name="database")
def _database(tmp_path: Path) -> Iterator[OutboxDatabase]:
    database = OutboxDatabase(tmp_path / "outbox.sqlite")
    yield database
    database.close()


@pytest.mark.parametrize("jump", [7200.0, -7200.0, -30.0])
def test_setting_the_clock_changes_no_process_of_the_boot(
    database: OutboxDatabase, jump: float
) -> None:
    """One that was there before and one that begins later agree on the time."""
    machine = _Machine()
    before = machine.clock(database)
    machine.wall += jump
    machine.passes(10)
    after = machine.clock(database)
    assert before() == after() == 1_700_000_010.0


def test_people_are_shown_the_time_of_day_as_it_is_now(
    database: OutboxDatabase,
) -> None:
    """A minute ahead by this clock is a minute ahead by the one on the wall."""
    machine = _Machine()
    clock = machine.clock(database)
    machine.wall -= 7200
    assert clock.shown(clock() + 60).timestamp() == machine.wall + 60


def test_a_new_boot_begins_with_the_clock_on_the_wall(database: OutboxDatabase) -> None:
    """What was wrong in the boot before ends with it."""
    machine = _Machine()
    machine.clock(database)
    machine.wall -= 7200
    machine.ticks = 5.0
    assert machine.clock(database, "second")() == machine.wall


def test_the_time_since_the_boot_goes_on() -> None:
    """It never goes back, and the boot keeps its name."""
    first = uptime()
    assert uptime() >= first
    assert boot_name() == boot_name()


def test_each_kind_of_time_may_lie_ahead_as_long_as_it_lasts() -> None:
    """A second more, for two processes that read the clock one after the other."""
    found = dict(limits(1_000.0))
    assert found.pop("now") == 1_000.0
    assert found == {
        "due_limit": 1_001.0 + MAX_DELAY,
        "asked_limit": 1_001.0 + MAX_WAIT,
        "pause_limit": 1_001.0 + max(MAX_PROBE, HOLD_PAUSE),
        "lease_limit": 1_001.0 + LEASE,
    }
