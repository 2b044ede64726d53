"""What an operator reads at the end of a block of tests: one line, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import attrs

from rigbridge.outbox import OutboxEntry
from rigbridge_openhtf.live.hand_over import HandOver

__all__ = ["Fate", "operator_line"]

_STORED, _WAITS, _REFUSED = "stored", "waits", "refused"
_KEPT, _LOST, _CANCELED = "kept", "lost", "canceled"
_KINDS = (_STORED, _WAITS, _REFUSED, _KEPT, _LOST, _CANCELED)
_BY_STATE = {
    "done": _STORED,
    "pending": _WAITS,
    "sending": _WAITS,
    "parked": _REFUSED,
}


@attrs.frozen
class Fate:
    """
    A record, and what has come of it so far.

    Attributes:
        done: what became of it when it was handed over.
        entry: how it stands in the outbox, or None if it is not there.
    """

    done: HandOver
    entry: OutboxEntry | None = None

    @property
    def kind(self) -> str:
        """One word for it."""
        if self.entry is not None:
            return _BY_STATE[str(self.entry.state)]
        if self.done.queued:
            return _STORED  # and forgotten since
        if self.done.canceled:
            return _CANCELED
        return _LOST if self.done.kept is None else _KEPT


def operator_line(
    fates: Sequence[Fate], *, store: str, outbox: Path | None
) -> str | None:
    """
    Say in one line what was stored where, or what waits; None if there was nothing.

    Args:
        fates: of all records of the block.
        store: what the store is called.
        outbox: the folder of the outbox, or None if it could not be opened.
    """
    if not fates:
        return None
    if len(fates) == 1:
        return f"rigbridge: {_one(fates[0], store, outbox)}"
    parts = [
        _several([fate for fate in fates if fate.kind == kind], store, outbox)
        for kind in _KINDS
        if any(fate.kind == kind for fate in fates)
    ]
    return f"rigbridge: {len(fates)} runs: {'; '.join(parts)}"


def _one(fate: Fate, store: str, outbox: Path | None) -> str:
    done, entry = fate.done, fate.entry
    if fate.kind == _CANCELED:
        return "the test was canceled before it began, nothing is stored"
    words = (done.serial_number or "a unit without a serial number", done.outcome)
    what = " ".join(word for word in words if word)
    if fate.kind == _STORED:
        run_id = done.run_id if entry is None else entry.stored_id
        url = None if entry is None else entry.url
        link = "" if url is None else f": {url}"
        return f"{what} is stored in {store} as run {run_id}{link}"
    if fate.kind in (_WAITS, _REFUSED):
        return f"{what}, run {done.run_id}, {_state(fate.kind, [fate], outbox)}"
    return f"{what} {_state(fate.kind, [fate], outbox)}"


def _several(fates: Sequence[Fate], store: str, outbox: Path | None) -> str:
    kind = fates[0].kind
    said = f"stored in {store}" if kind == _STORED else _state(kind, fates, outbox)
    return f"{len(fates)} {said}"


def _state(kind: str, fates: Sequence[Fate], outbox: Path | None) -> str:
    if kind == _WAITS:
        why = _reason(fates, "not sent yet")
        return (
            f"safe in {outbox} until the store takes it ({why});"
            " the next test or 'rigbridge outbox flush' sends it"
        )
    if kind == _REFUSED:
        why = _reason(fates, "refused")
        return f"kept in {outbox} for a person ({why}); see 'rigbridge outbox list'"
    if kind == _KEPT:
        paths = {str(fate.done.kept) for fate in fates}
        where = paths.pop() if len(paths) == 1 else str(Path(paths.pop()).parent)
        return (
            f"could not be queued, kept in {where};"
            " see the log, then 'rigbridge outbox flush'"
        )
    if kind == _CANCELED:
        return "canceled before they began, not stored"
    return "could be neither queued nor kept; see the log"


def _reason(fates: Iterable[Fate], unknown: str) -> str:
    reasons = (fate.entry.reason for fate in fates if fate.entry is not None)
    found = next(filter(None, reasons), unknown)
    # The server's words may have several lines.
    return " ".join(found.split())
