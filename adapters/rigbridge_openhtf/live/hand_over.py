"""What became of each record, and the one line that tells it to the operator."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from uuid import UUID

import attrs

from rigbridge.outbox import OutboxEntry

__all__ = ["HandOver", "RecordStatus", "status_line"]

_STORED, _WAITS, _REFUSED = "stored", "waits", "refused"
_LOST, _CANCELED = "lost", "canceled"
_KINDS = (_STORED, _WAITS, _REFUSED, _LOST, _CANCELED)
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
        serial_number: of the unit under test, or None.
        outcome: the verdict, or None.
        folder: where it was written, until the sender takes it from there; None if it
            was not.
        problem: why it could be kept nowhere, or None.
        canceled: whether it was left out, since the test was canceled before it began.
    """

    run_id: UUID
    serial_number: str | None = None
    outcome: str | None = None
    folder: Path | None = None
    problem: str | None = None
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
        if self.hand_over.canceled:
            return _CANCELED
        folder = self.hand_over.folder
        if folder is None:
            return _LOST
        # The outbox forgets an entry only some time after it was delivered.
        return _WAITS if folder.is_dir() else _STORED


def status_line(
    records: Sequence[RecordStatus],
    *,
    store: str,
    folder: Path,
    flush: str,
    problem: str | None = None,
) -> str | None:
    """
    Say in one line what was stored where, or what waits; None if there was nothing.

    Args:
        store: what the store is called.
        problem: what is wrong with the settings, or None.
    """
    if not records:
        return None
    place = _LinePlace(store, folder, flush, problem)
    if len(records) == 1:
        return f"rigbridge: {_one(records[0], place)}"
    parts = [
        _several([each for each in records if each.kind == kind], place)
        for kind in _KINDS
        if any(each.kind == kind for each in records)
    ]
    return f"rigbridge: {len(records)} runs: {'; '.join(parts)}"


@attrs.frozen
class _LinePlace:
    store: str
    folder: Path
    flush: str
    problem: str | None


def _one(record: RecordStatus, place: _LinePlace) -> str:
    hand_over, entry, kind = record.hand_over, record.entry, record.kind
    if kind == _CANCELED:
        return "the test was canceled before it began, nothing is stored"
    serial = hand_over.serial_number or "a unit without a serial number"
    what = " ".join(word for word in (serial, hand_over.outcome) if word)
    if kind == _STORED:
        run_id = hand_over.run_id if entry is None else entry.stored_id
        url = None if entry is None else entry.url
        link = "" if url is None else f": {url}"
        return f"{what} is stored in {place.store} as run {run_id}{link}"
    if kind in (_WAITS, _REFUSED):
        # The operator needs the id for 'rigbridge outbox show'.
        what = f"{what}, run {hand_over.run_id},"
    return f"{what} {_state(kind, [record], place)}"


def _several(records: Sequence[RecordStatus], place: _LinePlace) -> str:
    kind = records[0].kind
    if kind == _STORED:
        return f"{len(records)} stored in {place.store}"
    return f"{len(records)} {_state(kind, records, place)}"


def _state(kind: str, records: Sequence[RecordStatus], place: _LinePlace) -> str:
    if kind == _WAITS:
        why = _reason(records, place.problem or "not sent yet")
        sends = (
            f"the next test or '{place.flush}' sends it"
            if place.problem is None
            else f"mend the setting, then '{place.flush}' sends it"
        )
        return f"safe in {place.folder} until the store takes it ({why}); {sends}"
    if kind == _REFUSED:
        why = _reason(records, "refused")
        return (
            f"kept in {place.folder} for a person ({why}); see 'rigbridge outbox list'"
        )
    if kind == _CANCELED:
        return "canceled before they began, not stored"
    problems = (each.hand_over.problem for each in records)
    return f"could be kept nowhere: {next(filter(None, problems), 'see the log')}"


def _reason(records: Iterable[RecordStatus], unknown: str) -> str:
    reasons = (each.entry.reason for each in records if each.entry is not None)
    found = next(filter(None, reasons), unknown)
    # The server's words may have several lines.
    return " ".join(found.split())
