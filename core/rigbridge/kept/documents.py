"""
The format of runs in a file: one JSON object a line, attachments in a folder beside.

A line is ``{"rigbridge_run": 1, ...}`` with the fields of
:func:`rigbridge.convert.to_document` and, where one was given, the conversion report
under ``report``. The bytes of attachments lie in the folder ``FILE.attachments``, each
file named by its SHA-256. The adapter ``rigbridge-runs`` reads such files.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import attrs
import msgspec

from rigbridge.convert import Openers, from_document, to_document
from rigbridge.model import Attachment, FileOpener, JSONObject, JSONValue, Run
from rigbridge.model.report import ConversionReport
from rigbridge.wire import encode

__all__ = [
    "RUN_MARK",
    "KeptRun",
    "attachment_folder",
    "decode_run",
    "encode_run",
    "run_line",
    "saved_attachment",
]

RUN_MARK = "rigbridge_run"
"""The first key of a line; its value is the version of the format."""

_VERSION = 1
_REPORT = "report"


@attrs.frozen(kw_only=True)
class KeptRun:
    """
    A run as it was read back.

    Attributes:
        report: what its conversion recorded, or None if that was not written.
    """

    run: Run
    report: ConversionReport | None = None


def encode_run(run: Run, report: ConversionReport | None = None) -> bytes:
    """
    Write a run, and what its conversion recorded, as one line of JSON.

    Raises:
        ModelError: a text that is no Unicode (a lone surrogate).
    """
    return encode(run_line(run, report)) + b"\n"


def run_line(run: Run, report: ConversionReport | None = None) -> dict[str, object]:
    """Give the document of a line, as :func:`encode_run` writes it."""
    # The mark comes first: detection looks at the beginning of a file only.
    line: dict[str, object] = {RUN_MARK: _VERSION, **to_document(run)}
    if report is not None:
        line[_REPORT] = report.as_document()
    return line


def decode_run(line: bytes, openers: Openers | None = None) -> KeptRun:
    """
    Read a line.

    Args:
        line: the line, with or without its end.
        openers: how to open the attachments' bytes, by their SHA-256.

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
    return KeptRun(run=from_document(document, openers), report=report)


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
