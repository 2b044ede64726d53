"""
What waits in an outbox, as one: what is queued, and what was handed over beside it.

An item leaves its folder only once it is queued. So the folder is read first: what is
queued in between is in both, and nothing is in neither.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import attrs

from rigbridge.outbox.entries import EntryState, OutboxEntry, OutboxStatus
from rigbridge.outbox.incoming.view import IncomingView
from rigbridge.outbox.queue.queue_view import QueueView

__all__ = ["NOT_DELIVERED", "all_entries", "whole_status"]

NOT_DELIVERED = (EntryState.PENDING, EntryState.SENDING, EntryState.PARKED)
"""The states of what is still here."""


def all_entries(
    handed_over: IncomingView, queue: QueueView, states: Collection[EntryState]
) -> list[OutboxEntry]:
    """List the entries of both in these states, the first that came first."""
    coming = handed_over.entries(states)
    queued = queue.entries(states)
    known = {entry.id for entry in queued}
    return queued + [entry for entry in coming if entry.id not in known]


def whole_status(
    handed_over: IncomingView, queue: QueueView, *, name: str | None
) -> OutboxStatus:
    """Count both, for the destination of that name."""
    queued = queue.status()
    coming = handed_over.entries(NOT_DELIVERED)
    parked = sum(entry.state is EntryState.PARKED for entry in coming)
    oldest = [entry.submitted_at for entry in coming if entry.due is not None]
    if queued.oldest is not None:
        oldest.append(queued.oldest)
    others = Counter(queued.others)
    others.update(
        entry.destination
        for entry in coming
        if entry.state is not EntryState.PARKED
        and entry.destination not in (None, name)
    )
    return attrs.evolve(
        queued,
        waiting=queued.waiting + len(coming) - parked,
        parked=queued.parked + parked,
        oldest=min(oldest, default=None),
        others=dict(others),
    )
