"""What became of each record, and the one line that tells it to the operator."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from uuid import UUID

import attrs

from rigbridge.outbox import OutboxEntry

__all__ = ["HandOver", "RecordStatus", "status_line"]

_STORED, _WAITS, _REFUSED = "stored", "waits", "refused"
_KEPT, _LOST, _CANCELED = "kept", "lost", "canceled"
_KINDS = (_STORED, _WAITS, _REFUSED, _KEPT, _LOST, _CANCELED)
_BY_STATE = {
    "done": _STORED,
    "pending": _WAITS,
    "sending": _WAITS,
    "parked": _REFUSED,
}


@attrs.frozen(kw_only=True)
class HandOver:
    """
    What became of a record when it was handed over.

    Attributes:
        run_id: the id of its run; None if the record could not be read.
        serial_number: of the unit under test, or None.
        outcome: the verdict, or None.
        kept: the file that holds it where it could not be queued, or None.
        queued: whether it is in the outbox.
        canceled: whether it was left out, since the test was canceled before it began.
    """

    run_id: UUID | None = None
    serial_number: str | None = None
    outcome: str | None = None
    kept: Path | None = None
    queued: bool = False
    canceled: bool = False


@attrs.frozen
class RecordStatus:
    """
    A record, and what has become of it so far.

    Attributes:
        hand_over: what became of it when it was handed over.
        entry: its entry in the outbox, or None if it has none.
    """

    hand_over: HandOver
    entry: OutboxEntry | None = None

    @property
    def kind(self) -> str:
        """One word for it."""
        if self.entry is not None:
            return _BY_STATE[str(self.entry.state)]
        if self.hand_over.queued:
            # The outbox forgets an entry only some time after it was delivered.
            return _STORED
        if self.hand_over.canceled:
            return _CANCELED
        return _LOST if self.hand_over.kept is None else _KEPT


def status_line(
    records: Sequence[RecordStatus], *, store: str, outbox: Path | None
) -> str | None:
    """
    Say in one line what was stored where, or what waits; None if there was nothing.

    Args:
        records: all records of the block.
        store: what the store is called.
        outbox: the folder of the outbox, or None if it could not be opened.
    """
    if not records:
        return None
    if len(records) == 1:
        return f"rigbridge: {_one(records[0], store, outbox)}"
    parts = [
        _several([each for each in records if each.kind == kind], store, outbox)
        for kind in _KINDS
        if any(each.kind == kind for each in records)
    ]
    return f"rigbridge: {len(records)} runs: {'; '.join(parts)}"


def _one(record: RecordStatus, store: str, outbox: Path | None) -> str:
    hand_over, entry, kind = record.hand_over, record.entry, record.kind
    if kind == _CANCELED:
        return "the test was canceled before it began, nothing is stored"
    serial = hand_over.serial_number or "a unit without a serial number"
    what = " ".join(word for word in (serial, hand_over.outcome) if word)
    if kind == _STORED:
        run_id = hand_over.run_id if entry is None else entry.stored_id
        url = None if entry is None else entry.url
        link = "" if url is None else f": {url}"
        return f"{what} is stored in {store} as run {run_id}{link}"
    if kind in (_WAITS, _REFUSED):
        # The operator needs the id for 'rigbridge outbox show'.
        what = f"{what}, run {hand_over.run_id},"
    return f"{what} {_state(kind, [record], outbox)}"


def _several(records: Sequence[RecordStatus], store: str, outbox: Path | None) -> str:
    kind = records[0].kind
    state = f"stored in {store}" if kind == _STORED else _state(kind, records, outbox)
    return f"{len(records)} {state}"


def _state(kind: str, records: Sequence[RecordStatus], outbox: Path | None) -> str:
    if kind == _WAITS:
        why = _reason(records, "not sent yet")
        return (
            f"safe in {outbox} until the store takes it ({why});"
            " the next test or 'rigbridge outbox flush' sends it"
        )
    if kind == _REFUSED:
        why = _reason(records, "refused")
        return f"kept in {outbox} for a person ({why}); see 'rigbridge outbox list'"
    if kind == _KEPT:
        paths = {str(each.hand_over.kept) for each in records}
        # One file by its name, several by their folder.
        where = paths.pop() if len(paths) == 1 else str(Path(paths.pop()).parent)
        return (
            f"could not be queued, kept in {where};"
            " see the log, then 'rigbridge outbox flush'"
        )
    if kind == _CANCELED:
        return "canceled before they began, not stored"
    return "could be neither queued nor kept; see the log"


def _reason(records: Iterable[RecordStatus], unknown: str) -> str:
    reasons = (each.entry.reason for each in records if each.entry is not None)
    found = next(filter(None, reasons), unknown)
    # The server's words may have several lines.
    return " ".join(found.split())
