"""Runs as items: written with their files, as a Session or a caller hands them over."""

from __future__ import annotations

import contextlib
import hashlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs
import msgspec

from rigbridge.convert import from_document, to_document
from rigbridge.errors import FileUnreadableError, MalformedSourceError
from rigbridge.machine.folders import read_chunks
from rigbridge.model import (
    Attachment,
    FileOpener,
    JSONObject,
    Run,
    SettledFile,
)
from rigbridge.model.report import ConversionReport, Place
from rigbridge.outbox.incoming.draft import ItemDraft
from rigbridge.outbox.incoming.folder import IncomingFolder
from rigbridge.outbox.incoming.item import RUN_KIND, IncomingItem, ItemContent
from rigbridge.wire import encode

__all__ = ["decode_run", "encode_run", "read_run", "say_lost", "write_run"]


@attrs.frozen(kw_only=True)
class _Content:
    """A run, what its reading recorded, and the file of each attachment, or None."""

    run: dict[str, object]
    files: list[str | None]
    report: dict[str, object] | None = None


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
                raise FileUnreadableError(
                    f"cannot be read: {problem}",
                    source=attachment.name,
                    remedy="keep files in place until the run is handed over",
                )
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
    with opener() as stream:
        return draft.add_bytes(read_chunks(stream))


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
        return decode_run(item.given.content, item.file, report, durable=durable)
    except MalformedSourceError as error:
        error.source = str(item.folder)
        raise


def encode_run(
    run: Run, report: ConversionReport | None, files: Sequence[str | None]
) -> bytes:
    """
    Write a run as a document, for another process or another day.

    Args:
        files: the name of the file that holds each attachment; None for a reference.

    Raises:
        ModelError: a text that is no Unicode (a lone surrogate).
    """
    return encode(
        {
            "run": to_document(run),
            "files": files,
            "report": None if report is None else report.as_document(),
        }
    )


def decode_run(
    document: bytes,
    file: Callable[[str], Path | None],
    report: ConversionReport,
    *,
    durable: bool = True,
) -> Run:
    """
    Read a run that :func:`encode_run` wrote.

    Args:
        file: gives the file of a name, or None for one that there is not.
        report: takes what was recorded when it was written, and what has changed.
        durable: whether its files were synced when it was written.

    Raises:
        MalformedSourceError: it holds no run.
        RunProblemsError: fields that are missing or of the wrong kind.
        OSError: a file cannot be read.
    """
    try:
        content = msgspec.json.decode(document, type=_Content)
        if content.report is not None:
            report.merge(ConversionReport.from_document(content.report))
    except (msgspec.MsgspecError, KeyError, TypeError) as error:
        raise MalformedSourceError(f"holds no run: {error}") from error
    run = from_document(content.run)
    attachments = list(run.attachments)
    for index, name in enumerate(content.files[: len(attachments)]):
        if name is None:
            continue
        place = Place(path=f"$.attachments[{index}]")
        path = file(name)
        if path is None:
            # Somebody has removed it; the run itself must not wait for that.
            report.dropped(
                "attachment bytes",
                "its file is not where the hand-over put it",
                place=place,
                detail=attachments[index].name,
            )
            continue
        attachments[index] = _with_bytes(
            attachments[index], path, place, report, durable=durable
        )
    return attrs.evolve(run, attachments=tuple(attachments))


def _with_bytes(
    attachment: Attachment,
    path: Path,
    place: Place,
    report: ConversionReport,
    *,
    durable: bool,
) -> Attachment:
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        size = stream.tell()
    if attachment.sha256 not in (None, sha256):
        report.coerced(
            "attachment",
            "its bytes had changed since it was described",
            place=place,
            detail=attachment.name,
        )
    return attrs.evolve(
        attachment,
        sha256=sha256,
        size=size,
        # Those of an item that is durable were synced before it got its name.
        opener=SettledFile(path, sha256, synced=durable),
    )


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
