"""
Handing over has priority, and sending waits meanwhile.

An operator waits for a hand-over, nobody for the sending. Both are threads of one
interpreter, of which one runs at a time, and use one database: a sender that reads a
run just then would keep the operator waiting for many times what the hand-over takes.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager

__all__ = ["HandOverPriority"]

_PATIENCE = 0.5
"""Seconds that sending waits at most: a large file takes long to hand over."""


class HandOverPriority:
    """Lets the thread that sends wait while others hand over."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way = 0

    @contextmanager
    def handing_over(self) -> Generator[None]:
        """Have priority while this lasts; several threads may, and may nest it."""
        with self._changed:
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                # Only the last one wakes the sender; nested ones are still at work.
                if not self._under_way:
                    self._changed.notify_all()

    def wait(self) -> None:
        """Wait until nobody hands over, but not for long."""
        with self._changed:
            self._changed.wait_for(lambda: not self._under_way, _PATIENCE)
