"""
Sends the body of a create, and confirms between two pieces that the lease still holds.

A laptop's lid, a debugger or SIGSTOP can stop a process for longer than its lease. By
then another has taken the run over, has found nothing in the store and has sent it
again. So whoever goes on makes sure between two pieces that the run is still its own;
what it left off stays half a body, which no server stores.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Generator

__all__ = ["PIECE", "guarded", "guarded_async"]

PIECE = 1 << 16
"""Bytes that are sent at once; no body up to that length is cut."""

# Well below the lease of the outbox, so that a lost lease is noticed before the body is
# complete.
_TRUST = 5.0
"""Seconds after which a lease is confirmed before more is sent."""


def guarded(content: bytes, confirm: Callable[[], None]) -> Generator[bytes]:
    """
    Give a body piece by piece.

    Args:
        confirm: makes sure that it may go on; what it raises ends the sending.
    """
    last = _moments()
    for start in range(0, len(content), PIECE):
        now = _moments()
        # Either clock: one stands still while the machine sleeps, the other can be set.
        if any(abs(new - old) > _TRUST for new, old in zip(now, last, strict=True)):
            confirm()
            last = now
        yield content[start : start + PIECE]


async def guarded_async(
    content: bytes, confirm: Callable[[], None]
) -> AsyncGenerator[bytes]:
    """Give a body likewise."""
    for piece in guarded(content, confirm):
        yield piece


def _moments() -> tuple[float, float]:
    return time.monotonic(), time.time()
