"""
How many requests may be on their way at once, learnt from what the server answers.

A far server waits most of the time, and many requests at once cost nothing; with a
near one the client itself is the limit, and many at once are slower than one. So the
width is how often the time that a request waits holds the time that it makes us work.
A server that says "later", or says nothing in time, halves it; each answer after that
widens it a little.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from http import HTTPStatus

from rigbridge.errors import DeliveryError, NoAnswerError, ServerUnavailableError
from rigbridge.machine.forks import ForkedLock

__all__ = ["ConcurrencyLimit"]

# The latest 64 answers: enough to find the shortest latency, few enough to follow a
# network that changes.
_WINDOW = 64
# A tenth: one slow request, say during a garbage collection, hardly moves the mean.
_SMOOTHING = 0.1
# Half a millisecond to build a request and read its answer, until it is measured.
_FIRST_COST = 0.0005
# Windows counts the time of a thread in steps of 16 ms, so a measured cost is often 0.
# Dividing by that would make the width endless.
_LEAST_COST = 0.0001
# Below four times the cost, threads gain less than their switching takes.
_FAR = 4.0
_TOO_MANY = HTTPStatus.TOO_MANY_REQUESTS
_BUSY = frozenset({_TOO_MANY, HTTPStatus.SERVICE_UNAVAILABLE})
_LONGEST_PAUSE = 60.0


class ConcurrencyLimit:
    """
    What one client learns about one server; used by all its threads.

    Args:
        clock: tells the seconds; never goes back.

    Attributes:
        runs: how many runs are under way, as whoever sends many of them says.
    """

    def __init__(
        self, most: int, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        # From the first moment all are allowed; only a failure makes it fewer.
        self._most = most
        self._clock = clock
        self._allowed = float(most)
        self._cost = _FIRST_COST
        self._latencies: deque[float] = deque(maxlen=_WINDOW)
        self._not_before = 0.0
        self._halved = 0.0
        self._lock = ForkedLock()
        self.runs = 0

    @property
    def width(self) -> int:
        """How many requests may be on their way at once; all while nothing is known."""
        with self._lock:
            if not self._latencies:
                return max(1, int(self._allowed))
            if not self._waits_long():
                return 1  # threads that contend would cost more than they bring
            # The shortest latency of the window is that of the network. Longer ones may
            # be our own queueing.
            useful = int(min(self._latencies) / self._cost)
            return max(1, min(int(self._allowed), useful))

    @property
    def pause(self) -> float:
        """Seconds that the server wants no new work for; 0 if it takes it."""
        with self._lock:
            return max(0.0, self._not_before - self._clock())

    @property
    def file_width(self) -> int:
        """How many files of one run may go up at once, others being under way."""
        return max(1, self.width // max(1, self.runs))

    @property
    def is_known(self) -> bool:
        """Whether any request was answered yet."""
        return bool(self._latencies)

    @property
    def is_far(self) -> bool:
        """Whether requests are known to wait so long that others fit in between."""
        with self._lock:
            return bool(self._latencies) and self._waits_long()

    def _waits_long(self) -> bool:
        return min(self._latencies) > _FAR * self._cost

    def answered(self, latency: float, cost: float) -> None:
        """
        Learn from an answer.

        Args:
            latency: seconds from the request to the answer.
            cost: seconds of them that this machine worked for it.
        """
        with self._lock:
            self._latencies.append(latency)
            worked = max(_LEAST_COST, min(cost, latency))
            # A moving mean: the cost depends on the size of the runs, which changes
            # within one import.
            self._cost += _SMOOTHING * (worked - self._cost)
            # Additive increase, as TCP does it: about one request more for each round
            # of answers.
            self._allowed = min(self._most, self._allowed + 1 / self._allowed)

    def failed(self, error: DeliveryError) -> None:
        """Learn from a failure, where it says that there is too much of us."""
        busy = isinstance(error, ServerUnavailableError) and error.status in _BUSY
        if not busy and not isinstance(error, NoAnswerError):
            return
        now = self._clock()
        with self._lock:
            # All that were on their way fail together, which is one sign, not many.
            if now - self._halved > max(self._latencies, default=0.0) or not busy:
                self._allowed = max(1.0, self._allowed / 2)
                self._halved = now
            # A rate limit is for everybody; any other wish may be about one run. A
            # queue keeps a longer one itself, where a person can override it.
            if error.status == _TOO_MANY and error.retry_after is not None:
                wait = min(error.retry_after, _LONGEST_PAUSE)
                self._not_before = max(self._not_before, now + wait)
