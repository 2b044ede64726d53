"""How long the end of a program waits for what is still to be sent."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rigbridge.outbox.outbox import Outbox

__all__ = ["EXIT_DEADLINE", "flush_at_end"]

EXIT_DEADLINE = 5.0
"""Seconds that the end of a program waits for what is still to be sent."""

# Seconds for the embedded store, which is part of this program: that it is slow means a
# busy machine, and the next start would have the same work before it.
_EMBEDDED = 30.0
_LOOK = 0.5


def flush_at_end(
    opened: Callable[[float], Outbox | None], *, embedded: bool
) -> int | None:
    """
    Wait for what is still to be sent, as the end of a program may.

    Args:
        opened: gives the outbox, for which it may wait so many seconds.
        embedded: whether it sends to the embedded store. Then this waits for longer, as
            long as nothing has failed.

    Returns:
        How many runs still wait; None if the outbox cannot be opened.
    """
    begun = time.monotonic()
    outbox = opened(_EMBEDDED if embedded else EXIT_DEADLINE)
    if outbox is None:
        return None
    deadline = EXIT_DEADLINE - (time.monotonic() - begun)
    # A store that is known to be silent is left to the next minute.
    waiting = outbox.flush(max(0.0, deadline), insist=False)
    while (
        waiting
        and embedded
        and time.monotonic() - begun < _EMBEDDED
        and outbox.trouble is None
        and not any(entry.reason for entry in outbox.entries())
    ):
        waiting = outbox.flush(_LOOK, insist=False)
    return waiting
