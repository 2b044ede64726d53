"""One delivery of one entry: bring it to the destination, and note what came of it."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import msgspec

from rigbridge.convert import from_document
from rigbridge.destinations import (
    BatchDestination,
    Consignment,
    Destination,
    Progress,
    Receipt,
    ResumableDestination,
)
from rigbridge.errors import DeliveryError, NotFoundError, RigbridgeError
from rigbridge.model import FileOpener, Run
from rigbridge.model.report import ConversionReport
from rigbridge.outbox.content import ContentFolder
from rigbridge.outbox.entries import DeliveryEnd, DeliveryResult
from rigbridge.outbox.leases import LEASE, Claim, LeaseLostError, Leases
from rigbridge.outbox.policy import (
    HOLD_PAUSE,
    MAX_MISSING,
    Verdict,
    delay,
    is_down,
    verdict,
    worst,
)
from rigbridge.wire import encode

__all__ = ["Delivery", "restore"]

_LOGGER = logging.getLogger("rigbridge.outbox")
_LONGEST = 6 * 3600.0

_ENDS = {
    Verdict.RETRY: DeliveryEnd.RETRY,
    Verdict.HOLD: DeliveryEnd.HELD,
    Verdict.PARK: DeliveryEnd.PARKED,
}


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
    Delivers entries that are claimed.

    Args:
        leases: notes what came of it.
        contents: holds the attachments.
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

    def deliver_all(
        self,
        claim: Callable[[], Claim | None],
        destination: Destination,
        stopping: Callable[[], bool],
    ) -> bool:
        """
        Deliver entries until there is none; what comes of each is noted, not raised.

        Args:
            claim: takes the next entry, or gives None.
            destination: where they go; many at a time where it can take many.
            stopping: is asked before each step whether to end there; may take its time.

        Returns:
            Whether there was any.
        """
        if isinstance(destination, BatchDestination):
            return self._deliver_many(claim, destination, stopping)
        taken = claim()
        if taken is None:
            return False
        with _Heartbeat(self._leases) as heartbeat:
            under_way = _UnderWay(taken, self._leases, stopping)
            heartbeat.add(taken)
            try:
                receipt = self._send(under_way, destination)
            except Exception as error:  # noqa: BLE001 - any error is noted, by its type
                self._note(under_way, error)
            except BaseException:
                self._release(taken)
                raise
            else:
                self._note(under_way, receipt)
        return True

    def _deliver_many(
        self,
        claim: Callable[[], Claim | None],
        destination: BatchDestination,
        stopping: Callable[[], bool],
    ) -> bool:
        under_way: dict[int, tuple[Consignment, _UnderWay]] = {}
        found = False

        with _Heartbeat(self._leases) as heartbeat:

            def consignments() -> Iterator[Consignment]:
                nonlocal found
                while (taken := claim()) is not None:
                    found = True
                    one = _UnderWay(taken, self._leases, stopping)
                    try:
                        consignment = self._consignment(one)
                    except Exception as error:  # noqa: BLE001 - noted by its type
                        self._note(one, error)
                        continue
                    heartbeat.add(taken)
                    under_way[id(consignment)] = (consignment, one)
                    yield consignment

            outcomes = destination.submit_many(consignments(), patience=0.0)
            try:
                for outcome in outcomes:
                    _, one = under_way.pop(id(outcome.consignment))
                    result = outcome.receipt if outcome.error is None else outcome.error
                    if result is None:
                        result = TypeError(
                            "the destination did not say what came of it"
                        )
                    self._note(one, result)
                    heartbeat.remove(one.claim)
            finally:
                # An interrupt: what is under way comes to its end, and goes on later.
                outcomes.close()
                for _, one in under_way.values():
                    self._release(one.claim)
        return found

    def _consignment(self, under_way: _UnderWay) -> Consignment:
        under_way.end_if_stopping()
        claim = under_way.claim
        return Consignment(
            run=restore(claim.document, claim.contents, self._contents),
            progress=claim.progress,
            keep=under_way.keep,
            report=under_way.report,
        )

    def _send(self, under_way: _UnderWay, destination: Destination) -> Receipt:
        consignment = self._consignment(under_way)
        run, report = consignment.run, consignment.report
        if isinstance(destination, ResumableDestination):
            return destination.resume(run, consignment.progress, under_way.keep, report)
        receipt = destination.submit(run, report)
        under_way.progress = Progress(
            stored_id=receipt.stored_id, url=receipt.url, warnings=receipt.warnings
        )
        self._leases.keep(under_way.claim, under_way.progress)
        return receipt

    def _note(self, under_way: _UnderWay, result: Receipt | Exception) -> None:
        claim = under_way.claim
        try:
            if isinstance(result, Receipt):
                self._note_receipt(under_way, result)
            elif isinstance(result, LeaseLostError):
                _LOGGER.warning("%s", result)
            elif isinstance(result, _StoppedError):
                self._release(claim)
            else:
                self._note_error(under_way, result)
        except LeaseLostError as lost:
            _LOGGER.warning("%s", lost)

    def _note_receipt(self, under_way: _UnderWay, receipt: Receipt) -> None:
        claim = under_way.claim
        for warning in receipt.warnings:
            _LOGGER.warning("run %s: the store remarks: %s", claim.id, warning)
        if receipt.failures:
            self._note_failures(under_way, receipt)
            return
        size = len(claim.document) + self._contents.size(claim.contents)
        contents = self._leases.finish(
            claim, under_way.progress, encode(under_way.report.as_document())
        )
        _LOGGER.info("run %s is delivered as %s", claim.id, receipt.stored_id)
        self._tell(under_way, DeliveryEnd.SENT, size)
        if contents:
            self._discard(contents)

    def _note_failures(self, under_way: _UnderWay, receipt: Receipt) -> None:
        errors = [failure.error for failure in receipt.failures]
        words = "; ".join(
            f"{failure.name}: {failure.error}" for failure in receipt.failures
        )
        reason = (
            f"the run is stored as {receipt.stored_id}, but not its attachments {words}"
        )
        self._apply(under_way, worst(errors), reason, errors)

    def _release(self, claim: Claim) -> None:
        try:
            self._leases.release(claim)
        except LeaseLostError as error:
            _LOGGER.warning("%s", error)

    def _note_error(self, under_way: _UnderWay, error: Exception) -> None:
        claim = under_way.claim
        decision = verdict(error)
        reason = str(error)
        if not isinstance(error, DeliveryError):
            reason = f"{type(error).__name__}: {error}"
        if decision is Verdict.PARK and not isinstance(error, RigbridgeError):
            _LOGGER.error("run %s met a mistake of ours", claim.id, exc_info=error)
        if isinstance(error, NotFoundError) and _names_parts(claim):
            missing = claim.missing < MAX_MISSING
            decision = Verdict.RETRY if missing else Verdict.PARK
        self._apply(under_way, decision, reason, [error])

    def _apply(
        self,
        under_way: _UnderWay,
        decision: Verdict,
        reason: str,
        errors: Sequence[BaseException],
    ) -> None:
        claim = under_way.claim
        if decision is Verdict.RETRY:
            asked = _asked(*errors)
            wait = delay(claim.attempt, asked)
            self._leases.postpone(
                claim,
                wait=wait,
                asked=asked,
                reason=reason,
                down=any(map(is_down, errors)),
                missing=any(isinstance(error, NotFoundError) for error in errors),
            )
            _LOGGER.warning(
                "run %s is tried again in %.0f s: %s", claim.id, wait, reason
            )
        elif decision is Verdict.HOLD:
            self._leases.hold(claim, pause=HOLD_PAUSE, reason=reason)
            _LOGGER.error("nothing is sent for %.0f s: %s", HOLD_PAUSE, reason)
        else:
            self._leases.park(claim, reason)
            _LOGGER.error(
                "run %s is parked until someone retries or drops it: %s",
                claim.id,
                reason,
            )
        self._tell(under_way, _ENDS[decision])

    def _tell(self, under_way: _UnderWay, end: DeliveryEnd, size: int = 0) -> None:
        if self._observe is not None:
            self._observe(
                DeliveryResult(
                    id=under_way.claim.id,
                    end=end,
                    seconds=time.monotonic() - under_way.began,
                    size=size,
                )
            )


class _UnderWay:
    """One delivery: its lease, and how far it has come."""

    def __init__(
        self, claim: Claim, leases: Leases, stopping: Callable[[], bool]
    ) -> None:
        self.claim = claim
        self.progress = claim.progress
        self.report = ConversionReport.from_document(msgspec.json.decode(claim.report))
        self.began = time.monotonic()
        self._leases = leases
        self._stopping = stopping

    def keep(self, new: Progress) -> None:
        """Make the progress durable; ends the delivery where we are to stop."""
        self._leases.keep(self.claim, new)
        self.progress = new
        # Once a create is announced it is also made: stopping between the two
        # would leave a doubt that costs time later.
        announced = new.sent and new.stored_id is None
        if not announced:
            self.end_if_stopping()

    def end_if_stopping(self) -> None:
        """
        End the delivery between two steps where we are to stop.

        Raises:
            _StoppedError: we are.
        """
        if self._stopping():
            raise _StoppedError


def _names_parts(claim: Claim) -> bool:
    """Whether a run names parts of its unit, which must exist before it."""
    document: dict[str, Any] = msgspec.json.decode(claim.document)
    return bool(document.get("sub_units"))


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
    Renews leases while deliveries take their time.

    One that goes on for hours is no longer taken for alive.
    """

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self._ends: dict[str, tuple[Claim, float]] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(
            target=self._beat, name="rigbridge-lease", daemon=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()

    def add(self, claim: Claim) -> None:
        """Renew the lease of a claim from now on."""
        with self._lock:
            self._ends[claim.owner] = (claim, time.monotonic() + _LONGEST)
            if self._thread.ident is None:
                # An interpreter that ends gives no thread any more: what is flushed
                # then goes on without, for as long as a lease lasts by itself.
                with suppress(RuntimeError):
                    self._thread.start()

    def remove(self, claim: Claim) -> None:
        """Leave a claim alone, which is done with."""
        with self._lock:
            self._ends.pop(claim.owner, None)

    def _beat(self) -> None:
        while not self._over.wait(LEASE / 3):
            with self._lock:
                now = time.monotonic()
                claims = [claim for claim, end in self._ends.values() if now < end]
            for claim in claims:
                self._renew(claim)

    def _renew(self, claim: Claim) -> None:
        try:
            self._leases.renew(claim)
        except LeaseLostError:
            self.remove(claim)  # the delivery meets this at its next step
        except sqlite3.Error:
            _LOGGER.exception("the lease on run %s was not renewed", claim.id)
