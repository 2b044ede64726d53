"""What the outbox holds, as seen from outside."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from uuid import UUID

import attrs

from rigbridge.errors import ConfigurationError

__all__ = [
    "DeliveryEnd",
    "DeliveryResult",
    "EntryState",
    "OutboxEntry",
    "OutboxStatus",
    "run_id_of",
]


class EntryState(StrEnum):
    """The state of an entry."""

    PENDING = "pending"
    SENDING = "sending"
    DONE = "done"
    PARKED = "parked"


@attrs.frozen(kw_only=True)
class OutboxEntry:
    """
    One run in the outbox.

    Attributes:
        destination: the name of where it goes; None until it is first sent, where it
            was handed over to an outbox that knew none.
        serial_number: of its unit, or None.
        procedure: the name, else the id, of its procedure, or None.
        submitted_at: when it was handed over.
        attempts: how often its delivery was begun since it was handed over or retried.
        due: when it is tried next, or None if it is not.
        reason: why it was parked or could not be sent last, in the server's words, or
            None.
        stored_id: the id under which the store knows it, once it does.
        url: where a person can look at it in the store, or None.
    """

    id: UUID
    state: EntryState
    destination: str | None
    serial_number: str | None
    procedure: str | None
    submitted_at: datetime
    attempts: int
    due: datetime | None
    reason: str | None
    stored_id: str | None
    url: str | None


@attrs.frozen(kw_only=True)
class OutboxStatus:
    """
    The state of an outbox.

    Attributes:
        waiting: the runs that are still to be sent, those being sent included, wherever
            they go.
        parked: the runs that wait for a person.
        delivered: the runs that were delivered in all.
        oldest: when the oldest waiting run was handed over, or None.
        held: why nothing is sent to the destination for now, or None.
        set_aside: damaged databases of this outbox that a person should look at.
        stuck: how many of the waiting ones have failed for a day while others got
            through.
        others: how many of the waiting ones, by the name of their destination, go
            elsewhere than this outbox sends.
    """

    waiting: int
    parked: int
    delivered: int
    oldest: datetime | None
    held: str | None = None
    set_aside: tuple[Path, ...] = ()
    stuck: int = 0
    others: Mapping[str, int] = attrs.field(factory=dict[str, int])


class DeliveryEnd(StrEnum):
    """How one attempt to deliver a run ended."""

    SENT = "sent"
    RETRY = "retry"
    HELD = "held"
    PARKED = "parked"


@attrs.frozen(kw_only=True)
class DeliveryResult:
    """
    What came of one attempt to deliver a run.

    Attributes:
        seconds: how long it took.
        size: the bytes of the run and of the attachments that the outbox held for it.
    """

    id: UUID
    end: DeliveryEnd
    seconds: float
    size: int


def run_id_of(given: UUID | str) -> UUID:
    """
    Give the id of a run as one.

    Raises:
        ConfigurationError: it is none.
    """
    if isinstance(given, UUID):
        return given
    try:
        return UUID(given)
    except (AttributeError, TypeError, ValueError):
        raise ConfigurationError(
            f"{given!r} is no id of a run", remedy="entries() gives the ids"
        ) from None
