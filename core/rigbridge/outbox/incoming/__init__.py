"""
Handing over: one durable step, and what was handed over until it is queued.

:class:`IncomingFolder` is written by whoever hands over, :func:`write_run` writes a run
there, and :class:`IncomingIntake` moves items into the queue, in the process that
sends. :class:`OngoingRuns` keeps what is known of a run before that.
"""

from typing import TYPE_CHECKING

from rigbridge.machine.deferred import deferred_names

if TYPE_CHECKING:
    from rigbridge.outbox.incoming.draft import ItemDraft
    from rigbridge.outbox.incoming.folder import IncomingFolder, shared_threads
    from rigbridge.outbox.incoming.intake import IncomingIntake, Translate
    from rigbridge.outbox.incoming.item import (
        ITEM_FILE,
        RUN_KIND,
        IncomingItem,
        ItemContent,
        ItemRefusal,
        decode_item,
        is_item_name,
    )
    from rigbridge.outbox.incoming.ongoing import OngoingRuns, take_up_ended
    from rigbridge.outbox.incoming.runs import (
        read_run,
        say_lost,
        write_run,
    )

__all__ = [
    "ITEM_FILE",
    "RUN_KIND",
    "IncomingFolder",
    "IncomingIntake",
    "IncomingItem",
    "ItemContent",
    "ItemDraft",
    "ItemRefusal",
    "OngoingRuns",
    "Translate",
    "decode_item",
    "is_item_name",
    "read_run",
    "say_lost",
    "shared_threads",
    "take_up_ended",
    "write_run",
]

__getattr__ = deferred_names(
    __name__,
    {
        "draft": "ItemDraft",
        "folder": "IncomingFolder shared_threads",
        "intake": "IncomingIntake Translate",
        "item": (
            "ITEM_FILE IncomingItem ItemContent ItemRefusal RUN_KIND decode_item "
            "is_item_name"
        ),
        "ongoing": "OngoingRuns take_up_ended",
        "runs": "read_run say_lost write_run",
    },
)
