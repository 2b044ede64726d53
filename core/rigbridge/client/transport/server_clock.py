"""The clock of a server, which tells when it stored something."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

__all__ = ["ServerClock"]


class ServerClock:
    """
    The clock of a server, as its answers show it.

    Args:
        clock: tells the seconds; never goes back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._offset: float | None = None

    def note(self, moment: datetime | None) -> None:
        """Take what an answer says; None says nothing."""
        if moment is not None:
            self._offset = moment.timestamp() - self._clock()

    def now(self) -> float | None:
        """Give the server's Unix time, a second early at most; None if unknown."""
        return None if self._offset is None else self._offset + self._clock()
