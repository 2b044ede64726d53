"""When to try again, and when not."""

from __future__ import annotations

import inspect
import random
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigbridge import errors
from rigbridge.errors import (
    BadRequestError,
    ConfigurationError,
    DeliveryError,
    HeldError,
    ModelError,
    NoAnswerError,
    PermanentError,
    PluginLoadError,
    RetriableError,
    RunProblemsError,
    RunWaitsError,
    ServerUnavailableError,
    UnauthorizedError,
)
from rigbridge.outbox.policy import (
    MAX_DELAY,
    MAX_WAIT,
    RetryDecision,
    asks_everyone,
    counts_against_store,
    decide,
    decide_for_all,
    delay,
)

_CHANCES = st.floats(min_value=0, max_value=1)
_ATTEMPTS = st.integers(min_value=0, max_value=10**9)
_WISHES = st.none() | st.floats(min_value=-1e12, max_value=1e12)
_DELIVERY_ERRORS = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and issubclass(value, DeliveryError)
]


class TestDelay:
    """Full-jitter exponential back-off."""

    @given(attempts=_ATTEMPTS, wish=_WISHES, chance=_CHANCES)
    def test_it_is_bounded(
        self, attempts: int, wish: float | None, chance: float
    ) -> None:
        """No wait is negative, and none is longer than the two bounds together."""
        wait = delay(attempts, wish, chance=lambda: chance)
        assert 0 <= wait <= MAX_WAIT + MAX_DELAY

    @given(attempts=_ATTEMPTS, chance=_CHANCES)
    def test_ours_is_at_most_five_minutes(self, attempts: int, chance: float) -> None:
        """Without a wish of the server the wait has our own bound."""
        assert delay(attempts, chance=lambda: chance) <= MAX_DELAY == 300

    @given(attempts=_ATTEMPTS, wish=_WISHES, chance=_CHANCES)
    def test_the_server_is_heard(
        self, attempts: int, wish: float | None, chance: float
    ) -> None:
        """It never waits less than the server asks for, within a day."""
        wait = delay(attempts, wish, chance=lambda: chance)
        assert wait >= min(wish or 0, MAX_WAIT)

    @given(attempts=_ATTEMPTS, wish=_WISHES, chance=_CHANCES)
    def test_it_grows_with_the_attempts(
        self, attempts: int, wish: float | None, chance: float
    ) -> None:
        """With the same chance a later attempt never waits less."""
        sooner = delay(attempts, wish, chance=lambda: chance)
        assert delay(attempts + 1, wish, chance=lambda: chance) >= sooner

    @given(attempts=_ATTEMPTS)
    def test_the_jitter_is_full(self, attempts: int) -> None:
        """Chance alone decides between none and all of the wait."""
        assert delay(attempts, chance=lambda: 0.0) == 0
        assert delay(attempts, chance=lambda: 1.0) >= 1

    def test_it_doubles(self) -> None:
        """The bound of the wait is 1, 2, 4 and so on seconds."""
        bounds = [delay(attempt, chance=lambda: 1.0) for attempt in range(1, 12)]
        assert bounds == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]

    def test_chance_is_random_by_default(self) -> None:
        """Rigs that failed at the same moment do not come back at the same moment."""
        random.seed(7)
        assert len({delay(9) for _ in range(20)}) == 20


class TestVerdict:
    """By the type of the error alone."""

    @pytest.mark.parametrize("kind", _DELIVERY_ERRORS)
    def test_every_delivery_error_has_the_verdict_of_its_branch(
        self, kind: type[DeliveryError]
    ) -> None:
        """The second level of the tree of errors is the recovery."""
        expected = RetryDecision.PARK
        if issubclass(kind, RetriableError):
            expected = RetryDecision.RETRY
        elif issubclass(kind, HeldError):
            expected = RetryDecision.HOLD
        assert decide(kind("words")) is expected

    @pytest.mark.parametrize(
        ("error", "expected"),
        [
            (RunProblemsError("no", [ModelError("no", path="$")]), RetryDecision.PARK),
            (ModelError("no", path="$"), RetryDecision.PARK),
            (ConfigurationError("no address"), RetryDecision.HOLD),
            (PluginLoadError("broken"), RetryDecision.HOLD),
            (OSError("disk full"), RetryDecision.RETRY),
            (MemoryError(), RetryDecision.RETRY),
            (sqlite3.OperationalError("locked"), RetryDecision.RETRY),
            (TypeError("a mistake of ours"), RetryDecision.PARK),
        ],
    )
    def test_other_errors(self, error: Exception, expected: RetryDecision) -> None:
        """What this machine may overcome is tried again, mistakes wait for a person."""
        assert decide(error) is expected

    def test_several_files(self) -> None:
        """A person is asked only once nothing is left that may succeed by itself."""
        final, later = PermanentError("no"), ServerUnavailableError("later")
        held = UnauthorizedError("no key")
        assert decide_for_all([final, later]) is RetryDecision.RETRY
        assert decide_for_all([final, later, held]) is RetryDecision.HOLD
        assert decide_for_all([final, BadRequestError("no")]) is RetryDecision.PARK
        assert decide_for_all([NoAnswerError("no")]) is RetryDecision.RETRY


def test_what_concerns_a_file_says_nothing_of_the_store() -> None:
    """Neither is the store out of reach for it, nor does it ask everybody to wait."""
    of_store = ServerUnavailableError("too many", status=429)
    of_file = ServerUnavailableError("too many", status=429)
    of_file.of_file = True
    assert (counts_against_store(of_store), asks_everyone(of_store)) == (True, True)
    assert (counts_against_store(of_file), asks_everyone(of_file)) == (False, False)


def test_what_says_nothing_of_the_store() -> None:
    """A run that waits for another one, a refusal, a full disk; nor is 503 a limit."""
    for error in (RunWaitsError("x"), BadRequestError("x"), OSError("x")):
        assert not counts_against_store(error)
        assert not asks_everyone(error)
    assert not asks_everyone(ServerUnavailableError("x", status=503))
