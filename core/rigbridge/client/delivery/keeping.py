"""Where the progress of a delivery is stored: in the queue, or in the ledger."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any
from uuid import UUID

import attrs

from rigbridge.client.memory.ledger import DeliveryLedger
from rigbridge.client.steps import AskClaims, Keep, ProgressStep
from rigbridge.destinations import Progress, ProgressKeeper

__all__ = ["ProgressDesk"]


class ProgressDesk:
    """
    Answers the steps of one delivery that are about its progress.

    Args:
        ledger: knows of the other runs of ours, where nobody else does.
        keep: makes progress durable; None if nobody but the ledger does.
    """

    def __init__(
        self,
        run_id: UUID,
        ledger: DeliveryLedger,
        keep: Callable[[Progress], Any] | None,
        *,
        current: Callable[[], Progress],
        accept: Callable[[Progress], None],
    ) -> None:
        self._run_id = run_id
        self._ledger = ledger
        self._keep = keep
        self._keeper = keep if isinstance(keep, ProgressKeeper) else None
        self._current = current
        self._accept = accept

    def take(self, step: ProgressStep) -> object:
        """Take a step."""
        if not isinstance(step, Keep):
            return self._answer(step)
        new = step.change(self._current())
        self._note(new)
        if self._keep is not None:
            self._keep(new)
        # It counts only once it is durable.
        self._accept(new)
        return None

    async def take_async(self, step: ProgressStep) -> object:
        """Take a step likewise; what ``keep`` gives is awaited where it can be."""
        if not isinstance(step, Keep):
            return self._answer(step)
        new = step.change(self._current())
        self._note(new)
        done = None if self._keep is None else self._keep(new)
        if inspect.isawaitable(done):
            await done
        self._accept(new)
        return None

    def confirm(self) -> None:
        """Make sure that the delivery is still ours."""
        if self._keeper is not None:
            self._keeper.confirm()

    def _note(self, progress: Progress) -> None:
        # Of a store that knows idempotency keys nothing need be remembered.
        if self._keeper is None and progress.searched is not None:
            self._ledger.keep(self._run_id, progress)

    def _answer(self, step: ProgressStep) -> object:
        if isinstance(step, AskClaims):
            if self._keeper is not None:
                return self._keeper.claims(step.stored_ids, step.key)
            return self._ledger.claims(self._run_id, step.stored_ids, step.key)
        # The queue keeps its own progress. The ledger is for those who have none.
        if self._keep is None:
            known = self._ledger.progress(self._run_id)
            if known is not None:
                # Whoever submits it again says that it is worth another try.
                files = tuple(attrs.evolve(file, refusal=None) for file in known.files)
                self._accept(attrs.evolve(known, files=files, unresolved=False))
        return None
