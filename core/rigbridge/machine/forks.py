"""
Locks and connections that a fork must not leave in use by a thread of the parent.

The child of a fork has one thread. A lock that another one held stays locked there for
ever, and a database that another one was writing to is half written.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol

__all__ = ["ForkedLock", "Held", "watch_forks"]


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


_held: weakref.WeakSet[Held] = weakref.WeakSet()
# Also held by a thread of the parent when its process forks.
_registering = ForkedLock()
_watched = False


class _Taken(threading.local):
    """What a thread keeps from the others while it forks; two may fork at once."""

    depth = 0
    held: Sequence[Held] = ()


_taken = _Taken()


def watch_forks(held: Held) -> None:
    """Have each fork of this process wait until nobody uses an object."""
    global _watched  # noqa: PLW0603 - hooks can be registered, never taken back
    with _registering:
        _held.add(held)
        if _watched or not hasattr(os, "register_at_fork"):
            return
        os.register_at_fork(
            before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork
        )
        # Last: the child of a fork amid this registers the hooks itself. If they were
        # registered already they run twice there, of which only the outer ones act.
        _watched = True


def _before_fork() -> None:
    _taken.depth += 1
    if _taken.depth > 1:
        return
    # A strong list: the weak set may shrink between the two hooks.
    with _registering:
        _taken.held = list(_held)
    for each in _taken.held:
        each.before_fork()


def _after_fork() -> None:
    # None before it: the hooks were registered while this fork was on its way.
    if not _taken.depth:
        return
    _taken.depth -= 1
    if not _taken.depth:
        held, _taken.held = _taken.held, ()
        for each in held:
            each.after_fork()
