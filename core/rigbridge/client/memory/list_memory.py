"""What a connection knows about its store's list, so that it lists less often."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import attrs

from rigbridge.client.listing import ReceivedRun
from rigbridge.client.memory.contents import shows_content

__all__ = ["ListMemory"]

_MOST_CREATED = 1000


@attrs.define
class ListMemory:
    """
    How much the list of a store tells of a run.

    Attributes:
        shows_content: whether it shows what was measured; None while nobody knows.
        shows_creation: whether it shows when a run was created, likewise.
        example: the serial number of a unit that has a run for certain, or None.
        created: the run of ours that each of the last creates was answered for, by
            the id that the store gave it.
    """

    shows_content: bool | None = None
    shows_creation: bool | None = None
    example: str | None = None
    created: dict[str, UUID] = attrs.field(factory=dict[str, UUID])

    def note_created(self, stored_id: str, run_id: UUID) -> bool:
        """
        Note which run a create was answered for; whether it is the only one.

        A peer that answers one request twice makes the next take what is not its own.
        """
        if self.created.setdefault(stored_id, run_id) != run_id:
            return False
        while len(self.created) > _MOST_CREATED:
            # Another thread may be at the same.
            self.created.pop(next(iter(self.created.copy())), None)
        return True

    def learn(self, runs: Iterable[ReceivedRun]) -> None:
        """Learn from a list."""
        for run in runs:
            # One run that shows its phases is enough: others may have none.
            self.shows_content = bool(self.shows_content) or shows_content(run)
            self.shows_creation = run.created_at is not None

    @property
    def is_known(self) -> bool:
        """Whether a list with any run was seen."""
        return self.shows_creation is not None
