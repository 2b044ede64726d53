"""Handing over a run: its attachments and its document are on the disk afterwards."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from rigbridge.convert import encode_document
from rigbridge.errors import DiskFullError
from rigbridge.model import Run
from rigbridge.model.report import ConversionReport
from rigbridge.outbox.content import ContentFolder
from rigbridge.outbox.disk_space import explaining_full_disk, require_space
from rigbridge.outbox.queue.entry_queue import EntryQueue, KnownRun, NewEntry
from rigbridge.wire import encode

__all__ = ["RunIntake"]

_LOGGER = logging.getLogger("rigbridge.outbox")
_TRIES = 5


class RunIntake:
    """Takes runs into the queue."""

    def __init__(
        self,
        folder: Path,
        queue: EntryQueue,
        contents: ContentFolder,
    ) -> None:
        self._folder = folder
        self._queue = queue
        self._contents = contents

    def submit(
        self,
        run: Run,
        report: ConversionReport,
        patience: float | None,
        *,
        destination: str | None = None,
    ) -> bool:
        """
        Take a run, unless it was handed over before.

        Args:
            patience: seconds to wait for others; as long as usual by default.
            destination: the name of where it goes; None leaves that to who sends it.

        Returns:
            Whether it is queued now.

        Raises:
            OutboxBusyError: the patience was not enough.
            DiskFullError: there is no room for it.
            SourceUnreadableError: an attachment cannot be read.
            OSError: the folder cannot be written.
        """
        # Asked before files are read: repeated hand-overs of large runs are cheap.
        known = self._queue.find(run.id, patience)
        if known is not None:
            self._compare(run, known, destination)
            return False
        needed = self._contents.room_for(run)
        # Beforehand, since a full disk in between also stops the sending.
        try:
            require_space(self._folder, needed)
        except DiskFullError:
            # The database's log may take what is missing.
            self._queue.write_back()
            require_space(self._folder, needed)
        for _ in range(_TRIES):
            # A copy for each try: what is recorded of the files is recorded once.
            recorded = ConversionReport()
            recorded.merge(report)
            with explaining_full_disk(self._folder, needed):
                added = self._add(run, recorded, patience, destination)
            if added:
                return True
            # Another process has just delivered the last run that shared a file with
            # this one, and removed the file: it is kept anew.
        raise OSError(f"the attachments of run {run.id} do not stay in {self._folder}")

    def _compare(self, run: Run, known: KnownRun, destination: str | None) -> None:
        """Log where a run that was handed over before is another one now."""
        if destination is not None and known.destination not in (None, destination):
            _LOGGER.warning(
                "run %s was handed over before for %s, and does not go to %s",
                run.id,
                known.destination,
                destination,
            )
        # A forgotten run left only its id, so there is nothing to compare.
        if known.digest is None:
            return
        if known.digest != _digest(encode_document(self._contents.describe(run))):
            _LOGGER.warning(
                "run %s was handed over before with other content, which stays", run.id
            )

    def _add(
        self,
        run: Run,
        report: ConversionReport,
        patience: float | None,
        destination: str | None,
    ) -> bool:
        # Files first: an entry that is committed must find all of its attachments. What
        # an interruption leaves without an entry is swept at the next opening.
        kept = self._contents.keep(run, report)
        document = encode_document(kept)
        contents = frozenset(
            item.sha256 for item in kept.attachments if item.opener and item.sha256
        )
        entry = NewEntry(
            id=run.id,
            digest=_digest(document),
            document=document,
            report=encode(report.as_document()),
            serial_number=run.unit.serial_number,
            procedure=run.procedure.name or run.procedure.id,
            contents=contents,
            parts=frozenset(part.serial_number for part in run.sub_units),
            destination=destination,
        )

        # Asked within the transaction, when no sender can remove a shared file.
        def complete() -> bool:
            return all(self._contents.path(sha256).is_file() for sha256 in contents)

        return self._queue.add(entry, complete, patience)


def _digest(document: bytes) -> str:
    return hashlib.sha256(document).hexdigest()
