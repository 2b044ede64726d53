"""Runs as items: written with their files, as a Session or a caller hands them over."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from rigbridge.errors import FileUnreadableError, MalformedSourceError
from rigbridge.kept import decode_with_files, encode_run
from rigbridge.machine.folders import read_chunks
from rigbridge.model import (
    Attachment,
    FileOpener,
    JSONObject,
    Run,
    SettledFile,
)
from rigbridge.model.report import ConversionReport
from rigbridge.outbox.incoming.draft import ItemDraft
from rigbridge.outbox.incoming.folder import IncomingFolder
from rigbridge.outbox.incoming.item import RUN_KIND, IncomingItem, ItemContent

__all__ = ["read_run", "say_lost", "write_run"]


def write_run(
    folder: IncomingFolder,
    run: Run,
    report: ConversionReport | None = None,
    *,
    destination: str | None = None,
    identity: JSONObject | None = None,
    attachments: bool = True,
) -> Path:
    """
    Hand a run over: document and files are on the disk when this returns.

    Args:
        run: the run. Files that nobody writes to any more are linked, others copied.
        destination: the name of the destination; None for the first that sends.
        identity: rules of identity of the program itself, as in a configuration.
        attachments: whether the bytes of its files are taken.

    Returns:
        The folder of the item.

    Raises:
        ModelError: a text that is no Unicode (a lone surrogate).
        FileUnreadableError: an attachment cannot be read.
        OSError: nothing can be written.
    """

    def fill(draft: ItemDraft) -> ItemContent:
        files = [_add(draft, item) if attachments else None for item in run.attachments]
        encoded = encode_run(run, report, files)
        for name, attachment in zip(files, run.attachments, strict=True):
            problem = None if name is None else draft.problem(name)
            if problem is not None:
                raise _unreadable(attachment.name, problem)
        return ItemContent(
            kind=RUN_KIND,
            content=encoded,
            destination=destination,
            serial_number=run.unit.serial_number,
            procedure=run.procedure.name or run.procedure.id,
            identity=identity,
        )

    return folder.write(run.id, fill)


def _add(draft: ItemDraft, attachment: Attachment) -> str | None:
    opener = attachment.opener
    if opener is None:
        return None
    if isinstance(opener, FileOpener):
        # Exactly: another class may open something else than its path.
        kind = type(opener)
        if kind is SettledFile:
            return draft.add_settled(opener.path)
        if kind is FileOpener:
            return draft.add_file(opener.path)
    return draft.add_bytes(_bytes_of(attachment.name, opener))


def _bytes_of(name: str, opener: Callable[[], IO[bytes]]) -> Iterator[bytes]:
    try:
        with opener() as stream:
            yield from read_chunks(stream)
    except MemoryError:
        raise
    # Whatever the code of a caller raises; it is told apart from our folder's errors.
    except Exception as error:
        raise _unreadable(name, error) from error


def _unreadable(name: str, problem: object) -> FileUnreadableError:
    return FileUnreadableError(
        f"cannot be read: {problem}",
        source=name,
        remedy="keep files in place until the run is handed over",
    )


def read_run(
    item: IncomingItem, report: ConversionReport, *, durable: bool = True
) -> Run:
    """
    Read the run of an item, its attachments with their bytes.

    Args:
        item: the item, of kind ``run``.
        report: takes what was recorded when it was written, and what has changed.
        durable: whether its files were synced when it was written.

    Raises:
        MalformedSourceError: it holds no run.
        RunProblemsError: fields that are missing or of the wrong kind.
        OSError: a file cannot be read.
    """
    try:
        return decode_with_files(item.given.content, item.file, report, durable=durable)
    except MalformedSourceError as error:
        error.source = str(item.folder)
        raise


def say_lost(serial_number: str | None, outcome: str | None, problem: str) -> None:
    """
    Say on stderr that a run could be kept nowhere, whatever the logging is.

    It is the one thing of ours that must reach a person, and the one that is printed.

    Args:
        serial_number: of its unit, or None.
        outcome: its verdict, or None.
    """
    # Under pythonw.exe, which has no console, sys.stderr is None.
    with contextlib.suppress(Exception):
        serial = serial_number or "a unit without a serial number"
        sys.stderr.write(
            f"rigbridge: the run of {serial} ({outcome}) could be kept nowhere,"
            f" it is lost: {problem}\n"
        )
