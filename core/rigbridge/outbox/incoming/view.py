"""Items as entries of the outbox: a list of what waits knows no difference."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from uuid import UUID

from rigbridge.adapters import Spool
from rigbridge.model import Run
from rigbridge.model.report import ConversionReport
from rigbridge.outbox.entries import EntryState, OutboxEntry
from rigbridge.outbox.incoming.intake import IncomingIntake
from rigbridge.outbox.incoming.item import IncomingItem

__all__ = ["IncomingView"]


class IncomingView:
    """
    What lies in the folder, as seen from outside.

    An item that cannot be translated is parked: it waits for a person. Any other is
    pending.

    Args:
        intake: takes from the folder; None where there is none.
    """

    def __init__(self, intake: IncomingIntake | None) -> None:
        self._intake = intake

    def _items(self) -> Iterator[IncomingItem]:
        # One at a time: what a store that is gone leaves may not fit into memory.
        return iter(()) if self._intake is None else self._intake.folder.items()

    def entries(self, states: Collection[EntryState]) -> list[OutboxEntry]:
        """List the items in some states."""
        entries = map(_entry, self._items())
        return [entry for entry in entries if entry.state in states]

    def find(self, run_id: UUID) -> OutboxEntry | None:
        """Give the entry of an item; None if it is not there."""
        item = self._find(run_id)
        return None if item is None else _entry(item)

    def _find(self, run_id: UUID) -> IncomingItem | None:
        return None if self._intake is None else self._intake.folder.find(run_id)

    def waiting(self) -> int:
        """Count the items that are still to be queued."""
        return 0 if self._intake is None else self._intake.folder.pending()

    def run(self, run_id: UUID) -> tuple[Run, ConversionReport] | None:
        """
        Translate an item to show it; None if it is not there.

        Raises:
            Exception: it cannot be translated.
        """
        item = self._find(run_id)
        if item is None or self._intake is None:
            return None
        report = ConversionReport()
        with Spool(in_place=True) as spool:
            return self._intake.run(item, spool, report), report

    def retry(self, run_id: UUID) -> bool:
        """Have an item translated again; says whether it was there."""
        item = self._find(run_id)
        if item is None or self._intake is None:
            return False
        self._intake.retry(item)
        return True

    def drop(self, run_id: UUID) -> bool:
        """Remove an item for good; says whether it was there."""
        item = self._find(run_id)
        if item is None or self._intake is None:
            return False
        self._intake.folder.remove(item)
        return True


def _entry(item: IncomingItem) -> OutboxEntry:
    refused = item.refusal
    return OutboxEntry(
        id=item.id,
        state=EntryState.PENDING if refused is None else EntryState.PARKED,
        destination=item.given.destination,
        serial_number=item.given.serial_number,
        procedure=item.given.procedure,
        submitted_at=item.handed_over_at,
        attempts=0 if refused is None else 1,
        due=item.handed_over_at if refused is None else None,
        reason=None if refused is None else refused.reason,
        stored_id=None,
        url=None,
    )
