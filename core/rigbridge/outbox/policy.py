"""Retry policy: when to try again, and when not, by the type of the error alone."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterable
from enum import StrEnum

from rigbridge.errors import (
    ConfigurationError,
    HeldError,
    PluginError,
    RetriableError,
    RunWaitsError,
)

__all__ = [
    "CIRCUIT_THRESHOLD",
    "HOLD_PAUSE",
    "MAX_DELAY",
    "MAX_MISSING",
    "MAX_PROBE",
    "MAX_WAIT",
    "STUCK_AFTER",
    "RetryDecision",
    "asks_everyone",
    "counts_against_store",
    "decide",
    "decide_for_all",
    "delay",
]

BASE_DELAY = 1.0
"""Seconds that the first wait is at most."""

MAX_DELAY = 300.0
"""Seconds that any wait of our own is at most."""

MAX_PROBE = 60.0
"""Seconds after which a store that gives no answer is asked again at the latest."""

MAX_WAIT = 3600.0
"""Seconds that a server can have us wait at most, whatever it says."""

STUCK_AFTER = 24 * 3600.0
"""Seconds after which a run that still fails, while others get through, is shown."""

HOLD_PAUSE = 60.0
"""Seconds after which a destination that refused everyone is asked again."""

CIRCUIT_THRESHOLD = 3
"""Deliveries in a row, of different runs, to which the store does not answer, before
nobody but one tries any more."""

MAX_MISSING = 5
"""How often a run is tried again whose sub-units the store does not know yet."""

_MAX_DOUBLINGS = 16
_TOO_MANY = 429


class RetryDecision(StrEnum):
    """What becomes of a run whose delivery failed."""

    RETRY = "retry"
    HOLD = "hold"
    PARK = "park"


def delay(
    attempts: int,
    retry_after: float | None = None,
    *,
    most: float = MAX_DELAY,
    chance: Callable[[], float] = random.random,
) -> float:
    """
    Give the seconds to wait: full-jitter exponential, after what the server asks for.

    Args:
        attempts: how many attempts have failed, at least 1.
        retry_after: the seconds that the server asked to wait, or None.
        most: seconds that our own part of it is at most.
        chance: gives a number from 0 to 1.
    """
    # Bounded: after a thousand attempts the power would be no float any more.
    doublings = min(max(attempts, 1) - 1, _MAX_DOUBLINGS)
    # Full jitter: stations that lost one store must not come back at once.
    jitter = chance() * min(most, BASE_DELAY * float(1 << doublings))
    # The wish of the server is kept in full; our own part comes on top.
    return min(max(retry_after or 0.0, 0.0), MAX_WAIT) + jitter


def decide(error: BaseException) -> RetryDecision:
    """
    Decide what becomes of a run by the error that its delivery ended with.

    What the destination or this machine may overcome is tried again; what concerns the
    destination as a whole holds it; all else waits for a person, our own mistakes
    included.
    """
    # Errors of this machine (a full disk, no memory, a lock) pass.
    if isinstance(error, (RetriableError, OSError, MemoryError, sqlite3.Error)):
        return RetryDecision.RETRY
    if isinstance(error, (HeldError, ConfigurationError, PluginError)):
        return RetryDecision.HOLD
    return RetryDecision.PARK


def counts_against_store(error: BaseException) -> bool:
    """
    Whether an error may mean that the store as a whole is out of reach.

    One alone may as well be about its run: a server can fail on one body for ever, and
    a proxy refuses what is too large. What this machine or a storage did says nothing.
    """
    return (
        isinstance(error, RetriableError)
        and not isinstance(error, RunWaitsError)
        and not error.of_file
    )


def asks_everyone(error: BaseException) -> bool:
    """Whether the store asks not this run alone but everybody to wait: a rate limit."""
    return (
        isinstance(error, RetriableError)
        and error.status == _TOO_MANY
        and not error.of_file
    )


def decide_for_all(errors: Iterable[BaseException]) -> RetryDecision:
    """
    Decide by the errors of several files of one run.

    A person is asked only once nothing is left that may succeed by itself.
    """
    decisions = {decide(error) for error in errors}
    # HOLD first: a refused key refuses every file.
    for candidate in (RetryDecision.HOLD, RetryDecision.RETRY):
        if candidate in decisions:
            return candidate
    return RetryDecision.PARK
