"""
Those who hand over come first, and sending stands aside meanwhile.

An operator waits for a hand-over, nobody for the sending. Both are threads of one
interpreter, of which one runs at a time, and use one database: a sender that reads a
run just then would keep the operator waiting for many times what the hand-over takes.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager

__all__ = ["Precedence"]

_PATIENCE = 0.5
"""Seconds that sending stands aside at most: a large file takes long to hand over."""


class Precedence:
    """Tells a thread that sends while others hand over."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._first = 0

    @contextmanager
    def first(self) -> Generator[None, None, None]:
        """Come first while this lasts; several may at once, and within each other."""
        with self._changed:
            self._first += 1
        try:
            yield
        finally:
            with self._changed:
                self._first -= 1
                if not self._first:
                    self._changed.notify_all()

    def give_way(self) -> None:
        """Wait until nobody comes first, but not for long."""
        with self._changed:
            self._changed.wait_for(lambda: not self._first, _PATIENCE)
