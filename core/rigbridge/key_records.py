"""What a run store tells of its API keys."""

from __future__ import annotations

from datetime import datetime

import attrs

from rigbridge.keys import KeyKind

__all__ = ["KeyRecord"]


@attrs.frozen(kw_only=True)
class KeyRecord:
    """
    What is known of an API key; never the key itself.

    Attributes:
        prefix: its public part, by which it is revoked.
        kind: whom it stands for.
        owner: the name of the user or station.
        created_at: when it was made.
        last_used_at: when it was last used, to the minute; None for never.
        revoked_at: since when it is refused, or None.
    """

    prefix: str
    kind: KeyKind
    owner: str
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
