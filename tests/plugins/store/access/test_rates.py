"""How often a source may come, by a clock that the test sets."""

from __future__ import annotations

import pytest

from rigbridge_store.access.rates import RateLimit


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Tell the time in seconds."""
        return self.now


@pytest.fixture(name="clock")
def _clock() -> Clock:
    return Clock()


def _taken(limit: RateLimit, source: str) -> int:
    """Come until refused; tell how often that went well."""
    count = 0
    while limit.take(source) is None:
        count += 1
    return count


def test_the_wait_is_told(clock: Clock) -> None:
    """After the seconds that were told one more may come, and not before."""
    limit = RateLimit(6, clock)
    assert _taken(limit, "a") == 6
    seconds = limit.take("a")
    assert seconds == pytest.approx(10)
    clock.now += 9.9
    assert limit.take("a") is not None
    clock.now += 0.2
    assert limit.take("a") is None


def test_rest_is_not_saved_up(clock: Clock) -> None:
    """A source that stayed away for an hour may come as often as any other."""
    limit = RateLimit(6, clock)
    assert _taken(limit, "a") == 6
    clock.now += 3600
    assert _taken(limit, "a") == _taken(limit, "b") == 6
