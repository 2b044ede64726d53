"""What came of an attempt: noted in the queue, logged, and told to an observer."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence

import msgspec

from rigbridge.destinations import Receipt
from rigbridge.errors import (
    DeliveryError,
    DestinationFailedError,
    NoAnswerError,
    NotFoundError,
    RigbridgeError,
    RunWaitsError,
)
from rigbridge.outbox.content import ContentFolder
from rigbridge.outbox.entries import DeliveryEnd, DeliveryResult
from rigbridge.outbox.policy import (
    HOLD_PAUSE,
    MAX_DELAY,
    MAX_MISSING,
    MAX_PROBE,
    RetryDecision,
    asks_everyone,
    counts_against_store,
    decide,
    decide_for_all,
    delay,
)
from rigbridge.outbox.queue.leases import LeasedRun, LeaseLostError, Leases
from rigbridge.outbox.sending.attempt import Attempt, StoppedError
from rigbridge.wire import encode

__all__ = ["ResultRecorder"]

_LOGGER = logging.getLogger("rigbridge.outbox")

_OTHERS_TURN = 2.0
"""Seconds that a run which waits for another one waits at most."""

_ENDS = {
    RetryDecision.RETRY: DeliveryEnd.RETRY,
    RetryDecision.HOLD: DeliveryEnd.HELD,
    RetryDecision.PARK: DeliveryEnd.PARKED,
}


class ResultRecorder:
    """
    Notes what came of attempts.

    Args:
        discard: removes contents that are needed no longer, by their digests.
        observe: is told how each attempt ended, in the thread that sends; or None.
    """

    def __init__(
        self,
        leases: Leases,
        contents: ContentFolder,
        discard: Callable[[list[str]], None],
        observe: Callable[[DeliveryResult], None] | None = None,
    ) -> None:
        self._leases = leases
        self._contents = contents
        self._discard = discard
        self._observe = observe

    def release(self, leased: LeasedRun) -> None:
        """Put an entry back as it was, since this process stops."""
        try:
            self._leases.release(leased)
        except LeaseLostError as error:
            _LOGGER.warning("%s", error)

    def note(self, attempt: Attempt, result: Receipt | Exception) -> None:
        """
        Note what came of an attempt; a lost lease is logged.

        Args:
            result: the destination's receipt, or the error that ended the attempt.
        """
        leased = attempt.leased
        try:
            if isinstance(result, Receipt):
                self._note_receipt(attempt, result)
            elif isinstance(result, LeaseLostError):
                _LOGGER.warning("%s", result)
            elif isinstance(result, StoppedError):
                self.release(leased)
            else:
                self._note_error(attempt, result)
        except LeaseLostError as lost:
            _LOGGER.warning("%s", lost)

    def _note_receipt(self, attempt: Attempt, receipt: Receipt) -> None:
        leased = attempt.leased
        for warning in receipt.warnings:
            _LOGGER.warning("run %s: the store remarks: %s", leased.id, warning)
        if receipt.failures:
            self._note_failures(attempt, receipt)
            return
        # Counted before finishing, which lets the files go.
        size = len(leased.document) + self._contents.size(leased.contents)
        contents = self._leases.finish(
            leased, attempt.progress, encode(attempt.report.as_document())
        )
        _LOGGER.info("run %s is delivered as %s", leased.id, receipt.stored_id)
        self._tell(attempt, DeliveryEnd.SENT, size)
        if contents:
            self._discard(contents)

    def _note_failures(self, attempt: Attempt, receipt: Receipt) -> None:
        errors = [failure.error for failure in receipt.failures]
        words = "; ".join(
            f"{failure.name}: {failure.error}" for failure in receipt.failures
        )
        reason = (
            f"the run is stored as {receipt.stored_id}, but not its attachments {words}"
        )
        self._apply(attempt, decide_for_all(errors), reason, errors)

    def _note_error(self, attempt: Attempt, error: Exception) -> None:
        leased = attempt.leased
        decision = decide(error)
        reason = str(error)
        if not isinstance(error, DeliveryError):
            reason = f"{type(error).__name__}: {error}"
        if decision is RetryDecision.PARK and not isinstance(error, RigbridgeError):
            _LOGGER.error("run %s met a mistake of ours", leased.id, exc_info=error)
        # A part of the unit may still be on its way from another station.
        if isinstance(error, NotFoundError) and _has_sub_units(leased):
            missing = leased.missing < MAX_MISSING
            decision = RetryDecision.RETRY if missing else RetryDecision.PARK
        self._apply(attempt, decision, reason, [error])

    def _apply(
        self,
        attempt: Attempt,
        decision: RetryDecision,
        reason: str,
        errors: Sequence[BaseException],
    ) -> None:
        leased = attempt.leased
        if decision is RetryDecision.RETRY:
            asked = _asked(errors)
            silent = any(isinstance(error, NoAnswerError) for error in errors)
            # Asking who does not answer costs nothing, so it is done once a minute.
            most = MAX_PROBE if silent else MAX_DELAY
            if any(isinstance(error, RunWaitsError) for error in errors):
                most = _OTHERS_TURN
            wait = delay(leased.attempt, asked, most=most)
            self._leases.postpone(
                leased,
                wait=wait,
                asked=asked,
                reason=reason,
                down=any(map(counts_against_store, errors)),
                for_all=any(map(asks_everyone, errors)),
                missing=any(isinstance(error, NotFoundError) for error in errors),
            )
            _LOGGER.warning(
                "run %s is tried again in %.0f s: %s", leased.id, wait, reason
            )
        elif decision is RetryDecision.HOLD:
            self._leases.hold(leased, pause=HOLD_PAUSE, reason=reason)
            _LOGGER.error("nothing is sent for %.0f s: %s", HOLD_PAUSE, reason)
        else:
            self._leases.park(leased, reason)
            _LOGGER.error(
                "run %s is parked until someone retries or drops it: %s",
                leased.id,
                reason,
                # Who wrote the destination needs to see where it failed.
                exc_info=next(
                    (e for e in errors if isinstance(e, DestinationFailedError)), None
                ),
            )
        self._tell(attempt, _ENDS[decision])

    def _tell(self, attempt: Attempt, end: DeliveryEnd, size: int = 0) -> None:
        if self._observe is not None:
            self._observe(
                DeliveryResult(
                    id=attempt.leased.id,
                    end=end,
                    seconds=time.monotonic() - attempt.began,
                    size=size,
                )
            )


def _has_sub_units(leased: LeasedRun) -> bool:
    """Whether a run names parts of its unit, which must exist before it."""
    document = msgspec.json.decode(leased.document, type=dict[str, object])
    return bool(document.get("sub_units"))


def _asked(errors: Iterable[BaseException]) -> float | None:
    """Give the longest wait that a server asked for."""
    waits = [
        error.retry_after
        for error in errors
        if isinstance(error, DeliveryError) and error.retry_after is not None
    ]
    return max(waits, default=None)
