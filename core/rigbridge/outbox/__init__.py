"""
The outbox: store and forward for runs, durable from the moment they are handed over.

:class:`Outbox` is used; the parts below it are a database of entries with leases, a
folder of attachments by content, and a sender.
"""

from typing import TYPE_CHECKING

from rigbridge.machine.deferred import deferred_names

if TYPE_CHECKING:
    from rigbridge.outbox.entries import (
        DeliveryEnd,
        DeliveryResult,
        EntryState,
        OutboxEntry,
        OutboxStatus,
    )
    from rigbridge.outbox.outbox import Outbox
    from rigbridge.outbox.queue.retention import Retention
    from rigbridge.outbox.sending.attempt import RunRules

__all__ = [
    "DeliveryEnd",
    "DeliveryResult",
    "EntryState",
    "Outbox",
    "OutboxEntry",
    "OutboxStatus",
    "Retention",
    "RunRules",
]

__getattr__ = deferred_names(
    __name__,
    {
        "entries": "DeliveryEnd DeliveryResult EntryState OutboxEntry OutboxStatus",
        "outbox": "Outbox",
        "queue.retention": "Retention",
        "sending.attempt": "RunRules",
    },
)
