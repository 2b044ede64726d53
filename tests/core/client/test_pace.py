"""How many requests may be on their way at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigbridge.client.transport.concurrency import Pace
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


@pytest.fixture(name="pace")
def _pace(clock: _Clock) -> Pace:
    return Pace(16, clock=clock)


class TestLatency:
    """What the time until an answer says."""

    def test_nothing_known_allows_all(self, pace: Pace) -> None:
        """The first run's files need not wait for a measurement."""
        assert not pace.is_known
        assert pace.width == 16
        assert not pace.is_far

    def test_a_near_server_gets_one_at_a_time(self, pace: Pace) -> None:
        """Where all the time is our own work, many at once would be slower."""
        for _ in range(100):
            pace.answered(0.0006, 0.0005)
        assert pace.width == 1
        assert not pace.is_far

    def test_a_far_server_gets_as_many_as_allowed(self, pace: Pace) -> None:
        """Waiting costs nothing."""
        for _ in range(100):
            pace.answered(0.020, 0.0005)
        assert pace.width == 16
        assert pace.is_far

    def test_between_the_two_the_wait_is_filled(self, pace: Pace) -> None:
        """As many as fit into the wait of one."""
        for _ in range(200):
            pace.answered(0.0025, 0.0005)
        assert 3 <= pace.width <= 6

    def test_files_share_with_other_runs(self, pace: Pace) -> None:
        """What runs under way use is not used again by the files of each."""
        pace.answered(0.020, 0.0005)
        assert pace.file_width == 16
        pace.runs = 8
        assert pace.file_width == 2
        pace.runs = 100
        assert pace.file_width == 1


class TestWishes:
    """What the server asks for."""

    @pytest.mark.parametrize("status", [429, 503])
    def test_a_busy_server_halves_the_width(self, pace: Pace, status: int) -> None:
        """Many refusals at the same moment are one sign."""
        pace.answered(0.020, 0.0005)
        for _ in range(5):
            pace.failed(ServerUnavailableError("busy", status=status))
        assert pace.width == 8

    def test_answers_widen_it_again(self, pace: Pace, clock: _Clock) -> None:
        """A while of success makes up for a refusal."""
        pace.failed(ServerUnavailableError("busy", status=429))
        for _ in range(200):
            clock.now += 0.02
            pace.answered(0.020, 0.0005)
        assert pace.width == 16

    def test_a_wish_to_wait_is_a_pause_that_ends(
        self, pace: Pace, clock: _Clock
    ) -> None:
        """``Retry-After`` counts from the answer on."""
        pace.failed(ServerUnavailableError("busy", status=429, retry_after=5.0))
        assert pace.pause == pytest.approx(5.0)
        clock.now += 2
        assert pace.pause == pytest.approx(3.0)
        clock.now += 4
        assert pace.pause == 0.0

    def test_silence_narrows_too(self, pace: Pace) -> None:
        """A server that no longer answers is not pressed harder."""
        pace.failed(NoAnswerError("no answer in time"))
        assert pace.width == 8

    def test_a_refused_run_says_nothing_of_the_pace(self, pace: Pace) -> None:
        """A wrong body is no sign of load."""
        pace.failed(BadRequestError("wrong", status=400))
        assert pace.width == 16

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
        pace = Pace(7)
        for seconds, error in steps:
            if error is None:
                pace.answered(seconds, seconds / 3)
            else:
                pace.failed(error)
            assert 1 <= pace.width <= 7
