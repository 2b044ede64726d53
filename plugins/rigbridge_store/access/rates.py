"""Rate limits: a token bucket for each source."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

__all__ = ["WRONG_KEYS_PER_MINUTE", "RateLimit"]

WRONG_KEYS_PER_MINUTE = 60
"""How many wrong keys one address may show in a minute."""

# Bounds the memory that made-up addresses and keys can take.
_MAX_REMEMBERED = 10_000


class RateLimit:
    """
    Counts what comes from each source, and tells how long to wait.

    A source may come as often at once as it may in a minute, and again as time goes
    by. Safe for threads. The sources not seen for longest are forgotten, which is in
    their favour.

    Args:
        per_minute: how often one source may come in a minute.
        clock: tells the time in seconds.
    """

    def __init__(
        self, per_minute: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = float(per_minute)
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, source: Hashable) -> float | None:
        """Count a source once; tells how many seconds it has to wait, or None."""
        # The lock covers reading and writing, or a burst of threads would take one
        # token many times.
        with self._lock:
            # Refused sources take nothing, or waiting would never end for them.
            left, now = self._refilled(source)
            if left < 1:
                return (1 - left) * 60 / self._most
            self._buckets[source] = (left - 1, now)
            # The most recently seen go to the end, so that the front is what is
            # forgotten.
            self._buckets.move_to_end(source)
            while len(self._buckets) > _MAX_REMEMBERED:
                self._buckets.popitem(last=False)
            return None

    def _refilled(self, source: Hashable) -> tuple[float, float]:
        now = self._clock()
        left, then = self._buckets.get(source, (self._most, now))
        # Filled evenly, so that a burst is followed by a steady pace.
        return min(self._most, left + (now - then) * self._most / 60), now
