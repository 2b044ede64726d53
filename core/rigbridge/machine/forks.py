"""
Locks and connections that a fork must not leave in use by a thread of the parent.

The child of a fork has one thread. A lock that another one held stays locked there for
ever, and a database that another one was writing to is half written.
"""

from __future__ import annotations

import os
import threading
import weakref
from types import TracebackType
from typing import Protocol

__all__ = ["ForkedLock", "Held", "watch_forks"]

_held: weakref.WeakSet[Held] = weakref.WeakSet()
_registering = threading.Lock()
_watched = False


class Held(Protocol):
    """What nobody may use while the process forks."""

    def before_fork(self) -> None:
        """Wait until nobody uses it, and keep it so."""

    def after_fork(self) -> None:
        """Let both sides go on; called in the parent and in the child."""


class ForkedLock:
    """A lock for a ``with`` statement that is free in the child of a fork."""

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        # A new one, since nobody in the child would ever release the old one.
        if self._pid != os.getpid():
            self._lock = threading.Lock()
            self._pid = os.getpid()
        self._lock.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lock.release()


def watch_forks(held: Held) -> None:
    """Have each fork of this process wait until nobody uses an object."""
    global _watched  # noqa: PLW0603 - hooks can be registered, never taken back
    with _registering:
        _held.add(held)
        if _watched or not hasattr(os, "register_at_fork"):
            return
        _watched = True
    # Two threads may fork at once; each lets go of what it took itself.
    taken = threading.local()

    def before() -> None:
        # A strong list: the weak set may shrink between the two hooks.
        taken.held = list(_held)
        for each in taken.held:
            each.before_fork()

    def after() -> None:
        for each in taken.held:
            each.after_fork()

    os.register_at_fork(before=before, after_in_parent=after, after_in_child=after)
