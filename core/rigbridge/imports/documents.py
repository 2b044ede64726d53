"""
Imports into any destination: runs travel as documents, and one process submits them.

A destination that takes prepared runs in groups, as the embedded store does, needs none
of this.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import attrs

from rigbridge.convert import dump
from rigbridge.destinations import (
    BatchDestination,
    BulkDestination,
    Consignment,
    Destination,
    PreparedItem,
    Preparer,
    Receipt,
    foreign_failures,
)
from rigbridge.errors import (
    DeliveryError,
    HeldError,
    NoAnswerError,
    NotFoundError,
    RetriableError,
    RigbridgeError,
    RunProblemsError,
)
from rigbridge.kept import decode_with_files, encode_run
from rigbridge.model import Attachment, FileOpener, Run
from rigbridge.model.report import ConversionReport

__all__ = ["DocumentDestination", "Stored", "stored_in"]

_PATIENCE = 60.0
"""Seconds that a store's wish to be left alone is followed."""

Stored = Receipt | DeliveryError | RunProblemsError
"""What came of one run."""


@attrs.frozen(kw_only=True)
class _RunDocument:
    """A run as text, and the folder of its attachments, or None."""

    content: bytes
    folder: Path | None


@attrs.frozen
class _DocumentPreparer:
    """
    Writes runs as documents.

    Attributes:
        folder: where the bytes of attachments are put until they are sent.
    """

    folder: Path

    def prepare(self, run: Run, report: ConversionReport) -> PreparedItem:
        """Write a run; its attachments are linked, or copied."""
        # What no store would take is said here, before anything is written.
        dump(run, ConversionReport())
        folder = None
        if any(attachment.embedded for attachment in run.attachments):
            folder = self.folder / uuid4().hex
        try:
            if folder is not None:
                folder.mkdir()
            files = [
                None if folder is None else _laid_aside(attachment, folder, str(number))
                for number, attachment in enumerate(run.attachments)
            ]
        except OSError as error:
            raise NoAnswerError(
                f"an attachment cannot be copied: {error.strerror or error}",
                source=str(self.folder),
                remedy="free the disk, then import again",
            ) from error
        content = encode_run(run, report, files)
        return PreparedItem(
            run_id=run.id,
            payload=_RunDocument(content=content, folder=folder),
            size=len(content),
            is_assembly=bool(run.sub_units),
        )


def _laid_aside(attachment: Attachment, folder: Path, name: str) -> str | None:
    opener = attachment.opener
    if opener is None:
        return None
    target = folder / name
    if isinstance(opener, FileOpener):
        # Spooled on the same disk by whoever read it; it vanishes once it has read.
        with suppress(OSError):
            os.link(opener.path, target)
            return name
    with opener() as stream, target.open("wb") as copy:
        # Not FileOpener: the bytes come from an archive member or from memory.
        shutil.copyfileobj(stream, copy)
    return name


class DocumentDestination:
    """
    Stores prepared runs in a destination that takes runs of the model.

    Args:
        folder: a folder for the bytes of attachments.
    """

    def __init__(self, destination: Destination, folder: Path) -> None:
        self._destination = destination
        self._folder = folder

    def preparer(self) -> Preparer:
        """Give what writes runs as documents."""
        return _DocumentPreparer(self._folder)

    def store_prepared(self, items: Sequence[PreparedItem]) -> Sequence[Stored]:
        """
        Submit runs, as many at a time as the destination likes.

        Returns:
            What came of each, in their order.
        """
        consignments: dict[int, Consignment] = {}
        found: dict[int, Stored] = {}
        # A document that cannot be read any more costs its run, not the group.
        for position, item in enumerate(items):
            try:
                consignments[position] = _consignment(item)
            except (RigbridgeError, OSError) as error:
                found[position] = _of_run(error)
        outages: list[Stored] = []

        def untried() -> Iterator[Consignment]:
            # The rest would only fail slowly.
            for consignment in consignments.values():
                if outages:
                    return
                yield consignment

        for position, outcome in self._submitted(consignments, untried()):
            found[position] = outcome
            if isinstance(outcome, (HeldError, NoAnswerError)):
                outages.append(outcome)
        outcomes = [
            found[position] if position in found else outages[0]
            for position in range(len(items))
        ]
        for item, outcome in zip(items, outcomes, strict=True):
            # An assembly that waits for its parts is sent once more.
            if not (item.is_assembly and isinstance(outcome, NotFoundError)):
                _forget(item)
        return outcomes

    def _submitted(
        self, consignments: dict[int, Consignment], untried: Iterator[Consignment]
    ) -> Iterator[tuple[int, Stored]]:
        destination = self._destination
        # By identity: two runs of a group may be equal.
        positions = {id(item): at for at, item in consignments.items()}
        if isinstance(destination, BatchDestination):
            for outcome in destination.submit_many(untried, patience=_PATIENCE):
                position = positions[id(outcome.consignment)]
                if outcome.receipt is not None:
                    yield position, outcome.receipt
                elif outcome.error is not None:
                    yield position, _of_run(outcome.error)
            return
        for item in untried:
            try:
                with foreign_failures(destination, "submit"):
                    receipt = destination.submit(item.run, item.report)
            except (DeliveryError, RunProblemsError) as error:
                yield positions[id(item)], error
            else:
                yield positions[id(item)], receipt


def _forget(item: PreparedItem) -> None:
    """Delete the bytes of its attachments."""
    if isinstance(item.payload, _RunDocument) and item.payload.folder is not None:
        shutil.rmtree(item.payload.folder, ignore_errors=True)


def _consignment(item: PreparedItem) -> Consignment:
    document = item.payload
    if not isinstance(document, _RunDocument):
        raise TypeError(f"no document: {document!r}")

    def file(name: str) -> Path | None:
        return None if document.folder is None else document.folder / name

    report = ConversionReport()
    # Not durable: what is lost in a crash is read again from its report.
    run = decode_with_files(document.content, file, report, durable=False)
    return Consignment(run=run, report=report)


def _of_run(error: Exception) -> DeliveryError | RunProblemsError:
    if isinstance(error, (DeliveryError, RunProblemsError)):
        return error
    if isinstance(error, (RigbridgeError, OSError)):
        return RetriableError(f"the run cannot be sent for now: {error}")
    # Anything else is a defect, and must not be told as a fault of the run.
    raise error


def stored_in(
    destination: Destination, folder: Path
) -> BulkDestination | DocumentDestination:
    """
    Give what stores prepared runs in a destination, whichever it is.

    Args:
        folder: a folder for the bytes of attachments until they are sent.
    """
    if isinstance(destination, BulkDestination):
        return destination
    return DocumentDestination(destination, folder)
