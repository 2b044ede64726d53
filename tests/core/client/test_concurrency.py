"""How many requests may be on their way at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigbridge.client.transport.concurrency import ConcurrencyLimit
from rigbridge.errors import (
    BadRequestError,
    DeliveryError,
    NoAnswerError,
    ServerUnavailableError,
)


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(name="clock")
def _clock() -> _Clock:
    return _Clock()


@pytest.fixture(name="limit")
def _pace(clock: _Clock) -> ConcurrencyLimit:
    return ConcurrencyLimit(16, clock=clock)


class TestLatency:
    """What the time until an answer says."""

    def test_nothing_known_allows_all(self, limit: ConcurrencyLimit) -> None:
        """The first run's files need not wait for a measurement."""
        assert not limit.is_known
        assert limit.width == 16
        assert not limit.is_far

    def test_a_near_server_gets_one_at_a_time(self, limit: ConcurrencyLimit) -> None:
        """Where all the time is our own work, many at once would be slower."""
        for _ in range(100):
            limit.answered(0.0006, 0.0005)
        assert limit.width == 1
        assert not limit.is_far

    def test_a_far_server_gets_as_many_as_allowed(
        self, limit: ConcurrencyLimit
    ) -> None:
        """Waiting costs nothing."""
        for _ in range(100):
            limit.answered(0.020, 0.0005)
        assert limit.width == 16
        assert limit.is_far

    def test_between_the_two_the_wait_is_filled(self, limit: ConcurrencyLimit) -> None:
        """As many as fit into the wait of one."""
        for _ in range(200):
            limit.answered(0.0025, 0.0005)
        assert 3 <= limit.width <= 6

    def test_files_share_with_other_runs(self, limit: ConcurrencyLimit) -> None:
        """What runs under way use is not used again by the files of each."""
        limit.answered(0.020, 0.0005)
        assert limit.file_width == 16
        limit.runs = 8
        assert limit.file_width == 2
        limit.runs = 100
        assert limit.file_width == 1


class TestWishes:
    """What the server asks for."""

    @pytest.mark.parametrize("status", [429, 503])
    def test_a_busy_server_halves_the_width(
        self, limit: ConcurrencyLimit, status: int
    ) -> None:
        """Many refusals at the same moment are one sign."""
        limit.answered(0.020, 0.0005)
        for _ in range(5):
            limit.failed(ServerUnavailableError("busy", status=status))
        assert limit.width == 8

    def test_answers_widen_it_again(
        self, limit: ConcurrencyLimit, clock: _Clock
    ) -> None:
        """A while of success makes up for a refusal."""
        limit.failed(ServerUnavailableError("busy", status=429))
        for _ in range(200):
            clock.now += 0.02
            limit.answered(0.020, 0.0005)
        assert limit.width == 16

    def test_a_wish_to_wait_is_a_pause_that_ends(
        self, limit: ConcurrencyLimit, clock: _Clock
    ) -> None:
        """``Retry-After`` counts from the answer on."""
        limit.failed(ServerUnavailableError("busy", status=429, retry_after=5.0))
        assert limit.pause == pytest.approx(5.0)
        clock.now += 2
        assert limit.pause == pytest.approx(3.0)
        clock.now += 4
        assert limit.pause == 0.0

    def test_silence_narrows_too(self, limit: ConcurrencyLimit) -> None:
        """A server that no longer answers is not pressed harder."""
        limit.failed(NoAnswerError("no answer in time"))
        assert limit.width == 8

    def test_a_refused_run_says_nothing_of_the_pace(
        self, limit: ConcurrencyLimit
    ) -> None:
        """A wrong body is no sign of load."""
        limit.failed(BadRequestError("wrong", status=400))
        assert limit.width == 16

    @given(
        steps=st.lists(
            st.one_of(
                st.floats(0, 10).map(lambda seconds: (seconds, None)),
                st.sampled_from(
                    [
                        NoAnswerError("silence"),
                        ServerUnavailableError("busy", status=429, retry_after=1.0),
                    ]
                ).map(lambda error: (0.0, error)),
            ),
            max_size=40,
        )
    )
    def test_the_width_stays_within_its_bounds(
        self, steps: list[tuple[float, DeliveryError | None]]
    ) -> None:
        """Whatever happens, something is sent, and never too much."""
        limit = ConcurrencyLimit(7)
        for seconds, error in steps:
            if error is None:
                limit.answered(seconds, seconds / 3)
            else:
                limit.failed(error)
            assert 1 <= limit.width <= 7
