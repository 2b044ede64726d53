"""One attempt to deliver a run, from its lease to the destination's answer."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Iterable
from typing import TypeAlias

import msgspec

from rigbridge.convert import from_document
from rigbridge.destinations import Claims, Consignment, Progress
from rigbridge.errors import PermanentError
from rigbridge.model import FileOpener, Run
from rigbridge.model.report import ConversionReport
from rigbridge.outbox.content import ContentFolder
from rigbridge.outbox.queue.leases import LeasedRun, Leases

__all__ = ["Attempt", "RunRules", "StoppedError", "restore", "restore_report"]

RunRules: TypeAlias = Callable[[Run, ConversionReport], tuple[Run, ConversionReport]]
"""Completes a run as a site wants it, and adds to its report what that changed."""


class StoppedError(Exception):
    """This process stops; the entry goes on later from where it is."""


def restore(document: bytes, digests: Iterable[str], contents: ContentFolder) -> Run:
    """
    Read the run of an entry, its attachments with their bytes.

    Args:
        digests: of the attachments that the entry holds; of the others only a
            reference was handed over.

    Raises:
        RunProblemsError: it is no document of a run.
    """
    values = msgspec.json.decode(document, type=dict[str, object])
    return from_document(
        values, {sha256: FileOpener(contents.path(sha256)) for sha256 in digests}
    )


def restore_report(document: bytes) -> ConversionReport:
    """
    Read the conversion report of an entry.

    One that the disk has damaged keeps nobody from sending the run, whose own document
    is checked; that it is lost is what it says then.
    """
    try:
        return ConversionReport.from_document(msgspec.json.decode(document))
    except (msgspec.MsgspecError, AttributeError, LookupError, TypeError, ValueError):
        report = ConversionReport()
        report.dropped("conversion report", "it was damaged on the disk")
        return report


class Attempt:
    """
    One attempt to deliver a run: its lease, and how far it has come.

    Args:
        stopping: is asked between two steps whether to end there.
        rules: complete the run; None leaves it as it was queued.
    """

    def __init__(
        self,
        leased: LeasedRun,
        leases: Leases,
        stopping: Callable[[], bool],
        rules: RunRules | None = None,
    ) -> None:
        self.leased = leased
        self.progress = leased.progress
        self.report = restore_report(leased.report)
        # Monotonic: a clock that is set meanwhile would give negative times.
        self.began = time.monotonic()
        self._leases = leases
        self._stopping = stopping
        self._rules = rules

    def keep(self, new: Progress) -> None:
        """Make the progress durable; ends the attempt where we are to stop."""
        # Durable before the step that it announces; also renews the lease.
        self._leases.keep(self.leased, new)
        self.progress = new
        # Never between announcing a create and sending it: whoever goes on later would
        # have to ask the store whether the run arrived.
        announced = new.sent and new.stored_id is None
        if not announced:
            self.end_if_stopping()

    def __call__(self, progress: Progress) -> None:
        """Make the progress durable, as :class:`ProgressKeeper` has it."""
        self.keep(progress)

    def claims(self, stored_ids: Collection[str], key: str) -> Claims:
        """Tell to whom stored runs belong, and whether other runs have that key."""
        return self._leases.claims(self.leased, stored_ids, key)

    def confirm(self) -> None:
        """
        Make sure that the lease is still ours, and prolong it.

        Raises:
            LeaseLostError: somebody else has taken the run over.
        """
        self._leases.renew(self.leased)

    def end_if_stopping(self) -> None:
        """
        End the attempt between two steps where we are to stop.

        Raises:
            StoppedError: we are.
        """
        if self._stopping():
            raise StoppedError

    def consignment(self, contents: ContentFolder) -> Consignment:
        """
        Give what the destination gets.

        Raises:
            StoppedError: we are to stop.
            PermanentError: the document is not the one that was queued.
            RunProblemsError: the queue holds no document of a run.
        """
        self.end_if_stopping()
        self._check_document()
        run = restore(self.leased.document, self.leased.contents, contents)
        if self._rules is not None:
            # At each attempt, to the run as it was queued: a mended rule then mends
            # what waits already.
            run, self.report = self._rules(run, self.report)
        return Consignment(
            run=run,
            progress=self.leased.progress,
            keep=self,
            report=self.report,
        )

    def _check_document(self) -> None:
        """Make sure that the disk gave back what was written."""
        # A flipped bit of a value is sound JSON, and would be stored as measured.
        if hashlib.sha256(self.leased.document).hexdigest() != self.leased.digest:
            raise PermanentError(
                "the document of the run is damaged: it is not the one that was queued",
                source=str(self.leased.id),
                remedy="check the disk; import the run anew where its source is kept, "
                "or drop it",
            )
