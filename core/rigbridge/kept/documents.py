"""
The format in which a run is written with its files, and read back.

A run is ``{"rigbridge_run": 1, ...}`` with the fields of
:func:`rigbridge.convert.to_document` and, where one was given, the conversion report
under ``report``. It finds the bytes of its attachments in one of two ways. An export
has a run a line, and the folder ``FILE.attachments``, each file named by its SHA-256;
the adapter ``rigbridge-runs`` reads it. A run that goes from one process to another
names a file for each attachment under ``files``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import attrs
import msgspec

from rigbridge.convert import from_document, to_document
from rigbridge.errors import MalformedSourceError
from rigbridge.model import (
    Attachment,
    FileOpener,
    JSONObject,
    JSONValue,
    Run,
    SettledFile,
)
from rigbridge.model.report import ConversionReport, Place
from rigbridge.wire import encode

__all__ = [
    "RUN_MARK",
    "KeptRun",
    "attachment_folder",
    "decode_run",
    "decode_with_files",
    "encode_run",
    "run_line",
    "saved_attachment",
]

RUN_MARK = "rigbridge_run"
"""The first key of a line; its value is the version of the format."""

_VERSION = 1
_REPORT = "report"
_FILES = "files"


@attrs.frozen(kw_only=True)
class KeptRun:
    """
    A run as it was read back.

    Attributes:
        report: what its conversion recorded, or None if that was not written.
        files: the name of the file that holds each attachment; None for a reference.
    """

    run: Run
    report: ConversionReport | None = None
    files: Sequence[str | None] = ()


def encode_run(
    run: Run,
    report: ConversionReport | None = None,
    files: Sequence[str | None] | None = None,
) -> bytes:
    """
    Write a run as one line of JSON, without its end.

    Args:
        report: what its conversion recorded.
        files: the name of the file that holds each attachment; None for a reference.

    Raises:
        ModelError: a text that is no Unicode (a lone surrogate).
    """
    line = run_line(run, report)
    return encode(line if files is None else {**line, _FILES: files})


def run_line(run: Run, report: ConversionReport | None = None) -> dict[str, object]:
    """Give the document of a line, as :func:`encode_run` writes it."""
    # The mark comes first: detection looks at the beginning of a file only.
    line: dict[str, object] = {RUN_MARK: _VERSION, **to_document(run)}
    if report is not None:
        line[_REPORT] = report.as_document()
    return line


def decode_run(line: bytes) -> KeptRun:
    """
    Read a line, with or without its end; attachments come without their bytes.

    Raises:
        ValueError: no JSON, or no line of this format and version.
        RunProblemsError: fields that are missing or of the wrong kind.
    """
    document: JSONValue = msgspec.json.decode(line)
    if not isinstance(document, dict) or document.pop(RUN_MARK, None) != _VERSION:
        raise ValueError("is no line of an exported run of this version")
    recorded = cast("JSONObject | None", document.pop(_REPORT, None))
    try:
        report = ConversionReport.from_document(recorded) if recorded else None
    except (KeyError, TypeError) as error:
        raise ValueError(f"holds no conversion report: {error!r}") from error
    files = msgspec.convert(document.pop(_FILES, []), list[str | None])
    return KeptRun(run=from_document(document), report=report, files=files)


def decode_with_files(
    line: bytes,
    file: Callable[[str], Path | None],
    report: ConversionReport,
    *,
    durable: bool = True,
) -> Run:
    """
    Read a run that was written with the names of its files, which it gets back.

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
        kept = decode_run(line)
    except ValueError as error:
        raise MalformedSourceError(f"holds no run: {error}") from error
    if kept.report is not None:
        report.merge(kept.report)
    attachments = list(kept.run.attachments)
    # Somebody may have edited it: names that no attachment goes with are passed over.
    for index, name in enumerate(kept.files[: len(attachments)]):
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
    return attrs.evolve(kept.run, attachments=tuple(attachments))


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


def attachment_folder(path: Path) -> Path:
    """Name the folder for the bytes of attachments of the runs in a file."""
    name = path.name.removesuffix(".gz")
    # Without .gz: packing a file later does not part it from its folder.
    return path.with_name(f"{name}.attachments")


def saved_attachment(attachment: Attachment, folder: Path) -> Attachment | None:
    """Give an attachment with its bytes from a folder; None if they are not there."""
    if attachment.sha256 is None:
        return None
    # Named by its digest, so that names from reports never become paths.
    path = folder / attachment.sha256
    if not path.is_file():
        return None
    return attrs.evolve(attachment, opener=FileOpener(path))
