"""One delivery of one entry: bring it to the destination, and note what came of it."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self

import msgspec

from rigbridge.convert import from_document
from rigbridge.destinations import (
    Destination,
    Progress,
    Receipt,
    ResumableDestination,
)
from rigbridge.errors import DeliveryError, RigbridgeError
from rigbridge.model import FileOpener, Run
from rigbridge.outbox.content import ContentFolder
from rigbridge.outbox.leases import LEASE, Claim, LeaseLostError, Leases
from rigbridge.outbox.policy import HOLD_PAUSE, Verdict, delay, verdict, worst
from rigbridge.outbox.reports import pack_report, unpack_report

__all__ = ["Delivery", "restore"]

_LOGGER = logging.getLogger("rigbridge.outbox")
_LONGEST = 6 * 3600.0


class _StoppedError(Exception):
    """This process stops; the entry goes on later from where it stands."""


def restore(document: bytes, digests: Iterable[str], contents: ContentFolder) -> Run:
    """
    Read the run of an entry, its attachments with their bytes.

    Args:
        document: the run, as JSON.
        digests: of the attachments that the entry holds; of the others only a
            reference was handed over.
        contents: holds them.

    Raises:
        RunProblemsError: it is no document of a run.
    """
    values: dict[str, Any] = msgspec.json.decode(document)
    return from_document(
        values, {sha256: FileOpener(contents.path(sha256)) for sha256 in digests}
    )


class Delivery:
    """
    Delivers entries that were claimed.

    Args:
        leases: notes what came of it.
        contents: holds the attachments.
        discard: removes contents that are needed no longer, by their digests.
    """

    def __init__(
        self,
        leases: Leases,
        contents: ContentFolder,
        discard: Callable[[list[str]], None],
    ) -> None:
        self._leases = leases
        self._contents = contents
        self._discard = discard

    def deliver(
        self, claim: Claim, destination: Destination, stopping: Callable[[], bool]
    ) -> None:
        """
        Deliver one entry; whatever comes of it is noted, not raised.

        Args:
            claim: the entry.
            destination: where it goes.
            stopping: tells whether to end at the next step.
        """
        try:
            with _Heartbeat(self._leases, claim):
                self._attempt(claim, destination, stopping)
        except LeaseLostError as error:
            _LOGGER.warning("%s", error)
        except _StoppedError:
            self._release(claim)
        except Exception as error:  # noqa: BLE001 - any error is noted, by its type
            self._note(claim, error)
        except BaseException:
            self._release(claim)
            raise

    def _attempt(
        self, claim: Claim, destination: Destination, stopping: Callable[[], bool]
    ) -> None:
        run = restore(claim.document, claim.contents, self._contents)
        report = unpack_report(claim.report)
        progress = claim.progress

        def keep(new: Progress) -> None:
            nonlocal progress
            self._leases.keep(claim, new)
            progress = new
            # Once a create is announced it is also made: stopping between the two
            # would leave a doubt that costs time later.
            announced = new.sent and new.stored_id is None
            if stopping() and not announced:
                raise _StoppedError

        if isinstance(destination, ResumableDestination):
            receipt = destination.resume(run, progress, keep, report)
        else:
            receipt = destination.submit(run, report)
            progress = Progress(
                stored_id=receipt.stored_id, url=receipt.url, warnings=receipt.warnings
            )
            self._leases.keep(claim, progress)
        for warning in receipt.warnings:
            _LOGGER.warning("run %s: the store remarks: %s", claim.id, warning)
        if receipt.failures:
            self._note_failures(claim, receipt)
            return
        contents = self._leases.finish(claim, progress, pack_report(report))
        _LOGGER.info("run %s is delivered as %s", claim.id, receipt.stored_id)
        if contents:
            self._discard(contents)

    def _note_failures(self, claim: Claim, receipt: Receipt) -> None:
        errors = [failure.error for failure in receipt.failures]
        words = "; ".join(
            f"{failure.name}: {failure.error}" for failure in receipt.failures
        )
        reason = (
            f"the run is stored as {receipt.stored_id}, but not its attachments {words}"
        )
        self._apply(claim, worst(errors), reason, _asked(*errors))

    def _release(self, claim: Claim) -> None:
        try:
            self._leases.release(claim)
        except LeaseLostError as error:
            _LOGGER.warning("%s", error)

    def _note(self, claim: Claim, error: Exception) -> None:
        decision = verdict(error)
        reason = str(error)
        if not isinstance(error, DeliveryError):
            reason = f"{type(error).__name__}: {error}"
        if decision is Verdict.PARK and not isinstance(error, RigbridgeError):
            _LOGGER.error("run %s met a mistake of ours", claim.id, exc_info=error)
        try:
            self._apply(claim, decision, reason, _asked(error))
        except LeaseLostError as lost:
            _LOGGER.warning("%s", lost)

    def _apply(
        self, claim: Claim, decision: Verdict, reason: str, asked: float | None
    ) -> None:
        if decision is Verdict.RETRY:
            wait = delay(claim.attempt, asked)
            self._leases.postpone(claim, wait=wait, asked=asked, reason=reason)
            _LOGGER.warning(
                "run %s is tried again in %.0f s: %s", claim.id, wait, reason
            )
        elif decision is Verdict.HOLD:
            self._leases.hold(claim, pause=HOLD_PAUSE, reason=reason)
            _LOGGER.error("nothing is sent until this is corrected: %s", reason)
        else:
            self._leases.park(claim, reason)
            _LOGGER.error(
                "run %s is parked until someone retries or drops it: %s",
                claim.id,
                reason,
            )


def _asked(*errors: BaseException) -> float | None:
    """Give the longest wait that a server asked for."""
    waits = [
        error.retry_after
        for error in errors
        if isinstance(error, DeliveryError) and error.retry_after is not None
    ]
    return max(waits, default=None)


class _Heartbeat:
    """
    Renews a lease while a delivery takes its time.

    One that goes on for hours is no longer taken for alive.
    """

    def __init__(self, leases: Leases, claim: Claim) -> None:
        self._leases = leases
        self._claim = claim
        self._over = threading.Event()
        self._thread = threading.Thread(
            target=self._beat, name="rigbridge-lease", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        hopeless = time.monotonic() + _LONGEST
        while not self._over.wait(LEASE / 3) and time.monotonic() < hopeless:
            try:
                self._leases.renew(self._claim)
            except LeaseLostError:
                return  # the delivery meets this at its next step
            except sqlite3.Error:
                _LOGGER.exception("the lease on run %s was not renewed", self._claim.id)
