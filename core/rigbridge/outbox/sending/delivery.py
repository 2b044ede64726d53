"""Deliver leased entries to a destination, one by one or many at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rigbridge.destinations import (
    BatchDestination,
    Consignment,
    Destination,
    Progress,
    Receipt,
    ResumableDestination,
    delivery_failure,
    foreign_failures,
)
from rigbridge.outbox.content import ContentFolder
from rigbridge.outbox.queue.leases import LeasedRun, LeaseLostError, Leases
from rigbridge.outbox.sending.attempt import Attempt, RunRules, StoppedError
from rigbridge.outbox.sending.heartbeat import LeaseHeartbeat
from rigbridge.outbox.sending.results import ResultRecorder

__all__ = ["Delivery"]

# An attempt ends at our own wish, when the destination has its progress kept.
_ENDS = (LeaseLostError, StoppedError)


class Delivery:
    """
    Delivers leased entries.

    Args:
        rules: complete each run before it is sent; or None.
    """

    def __init__(
        self,
        leases: Leases,
        contents: ContentFolder,
        results: ResultRecorder,
        rules: RunRules | None = None,
    ) -> None:
        self._leases = leases
        self._contents = contents
        self._results = results
        self._rules = rules

    def deliver_all(
        self,
        take: Callable[[], LeasedRun | None],
        destination: Destination,
        stopping: Callable[[], bool],
    ) -> bool:
        """
        Deliver entries until there is none; what comes of each is noted, not raised.

        Args:
            take: takes a lease on the next entry, or gives None.
            destination: where they go; many at a time where it can take many.
            stopping: is asked before each step whether to end there; may take its time.

        Returns:
            Whether there was any.
        """
        if isinstance(destination, BatchDestination):
            return self._deliver_many(take, destination, stopping)
        leased = take()
        if leased is None:
            return False
        with LeaseHeartbeat(self._leases) as heartbeat:
            attempt = Attempt(leased, self._leases, stopping, self._rules)
            heartbeat.add(leased)
            try:
                receipt = self._send(attempt, destination)
            except Exception as error:  # noqa: BLE001 - any error is noted, by its type
                self._results.note(attempt, error)
            # An interrupt: the entry is free at once, not when its lease runs out.
            except BaseException:
                self._results.release(leased)
                raise
            else:
                self._results.note(attempt, receipt)
        return True

    def _deliver_many(
        self,
        take: Callable[[], LeasedRun | None],
        destination: BatchDestination,
        stopping: Callable[[], bool],
    ) -> bool:
        # By identity, since consignments of equal runs are equal. The consignment is
        # held as well: another one could otherwise get the identity of a freed one.
        attempts: dict[int, tuple[Consignment, Attempt]] = {}
        found = False

        with LeaseHeartbeat(self._leases) as heartbeat:

            def consignments() -> Iterator[Consignment]:
                nonlocal found
                while (leased := take()) is not None:
                    found = True
                    attempt = Attempt(leased, self._leases, stopping, self._rules)
                    try:
                        consignment = attempt.consignment(self._contents)
                    except Exception as error:  # noqa: BLE001 - noted by its type
                        self._results.note(attempt, error)
                        continue
                    heartbeat.add(leased)
                    attempts[id(consignment)] = (consignment, attempt)
                    yield consignment

            # No patience: what has to wait goes back to the queue, for any process.
            outcomes = destination.submit_many(consignments(), patience=0.0)
            try:
                for outcome in outcomes:
                    _, attempt = attempts.pop(id(outcome.consignment))
                    result = outcome.receipt if outcome.error is None else outcome.error
                    if result is None:
                        result = TypeError(
                            "the destination did not say what came of it"
                        )
                    if isinstance(result, Exception) and not isinstance(result, _ENDS):
                        result = delivery_failure(destination, "submit_many", result)
                    self._results.note(attempt, result)
                    # After the result is noted: until then the lease must not run out.
                    heartbeat.remove(attempt.leased)
            finally:
                # After an interrupt: deliveries that have begun come to their next
                # step, and their entries are put back to go on from there later.
                outcomes.close()
                for _, attempt in attempts.values():
                    self._results.release(attempt.leased)
        return found

    def _send(self, attempt: Attempt, destination: Destination) -> Receipt:
        consignment = attempt.consignment(self._contents)
        run, report = consignment.run, consignment.report
        if isinstance(destination, ResumableDestination):
            with foreign_failures(destination, "resume", ours=_ENDS):
                return destination.resume(run, consignment.progress, attempt, report)
        # Not resumable: after a crash it is submitted again, and stored once.
        with foreign_failures(destination, "submit"):
            receipt = destination.submit(run, report)
            attempt.progress = Progress(
                stored_id=receipt.stored_id, url=receipt.url, warnings=receipt.warnings
            )
        self._leases.keep(attempt.leased, attempt.progress)
        return receipt
