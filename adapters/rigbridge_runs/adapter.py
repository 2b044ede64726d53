"""The reader of exported runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, cast

import attrs
import msgspec

from rigbridge.adapters import ConversionReport, Match, Place, ReadContext, Source
from rigbridge.convert import to_document
from rigbridge.errors import (
    MalformedSourceError,
    NoRunError,
    RunProblemsError,
    SourceUnreadableError,
)
from rigbridge.kept import (
    RUN_MARK,
    attachment_folder,
    decode_run,
    saved_attachment,
)
from rigbridge.model import Attachment, Run
from rigbridge.outbox.incoming import ITEM_FILE, RUN_KIND, decode_item, read_run

__all__ = ["RunLinesAdapter", "RunLinesSettings"]

_MARK = b'{"' + RUN_MARK.encode() + b'":'
_ITEM_MARK = b'{"rigbridge_item":'


@attrs.frozen(kw_only=True)
class RunLinesSettings:
    """There is nothing to be set."""


class RunLinesAdapter:
    """
    Reads the JSON lines that ``rigbridge runs export`` writes, one run a line.

    Also the ``item.json`` of a run in quarantine, and of one that was handed over.

    Unlike other adapters it gives runs back that were read before: each keeps its id
    and its provenance, so that a run that the store has already is not stored twice.
    The bytes of attachments are looked for in the folder beside the file, if it is one
    of this machine; of an upload they stay references.
    """

    name: ClassVar[str] = "rigbridge-runs"
    settings_type: ClassVar[type[RunLinesSettings]] = RunLinesSettings

    def __init__(self, settings: RunLinesSettings | None = None) -> None:
        del settings

    def detect(self, head: bytes, name: str) -> Match | None:
        """Recognize the key that each line begins with."""
        del name
        # The mark is always the first key: other JSON lines are not taken for runs.
        if head.lstrip().startswith(_MARK):
            return Match(0.99, "a line of an exported run")
        if head.startswith(_ITEM_MARK):
            return Match(0.99, "a run in quarantine, or one that was handed over")
        return None

    def read(self, source: Source, context: ReadContext) -> Iterator[Run]:
        """Read a run from each line; a wrong line costs only its own run."""
        if source.head.startswith(_ITEM_MARK):
            yield _read_item(source, context)
            return
        seen = 0
        # Never by the name of an upload: its sender could reach any folder with it.
        folder = None if source.path is None else attachment_folder(source.path)
        try:
            with source.open() as stream:
                for number, line in enumerate(stream, start=1):
                    if not line.strip():
                        continue
                    seen += 1
                    try:
                        run = _read_line(line, number, context.report)
                    except (ValueError, RunProblemsError) as error:
                        context.failed(_wrong(error, source, number))
                        continue
                    _account(run, context.report)
                    yield _with_files(run, folder, number, context.report)
        # A compressed file that is cut off raises EOFError.
        except (OSError, EOFError) as error:
            raise SourceUnreadableError(
                f"cannot be read: {error}",
                source=source.uri,
                remedy="the file may be cut off; export it again",
            ) from error
        if not seen:
            raise NoRunError("the file is empty", source=source.uri)


def _read_item(source: Source, context: ReadContext) -> Run:
    """Read the run of an item, with the files in its folder."""
    if source.path is None or source.path.name != ITEM_FILE:
        raise MalformedSourceError(
            "is one file of a folder, and means nothing without the others",
            source=source.uri,
            remedy=f"import {ITEM_FILE} in its own folder",
        )
    item = decode_item(source.path.absolute().parent)
    if item.given.kind != RUN_KIND:
        raise MalformedSourceError(
            f"is a record that only adapter {item.given.kind!r} translates",
            source=source.uri,
            remedy="'rigbridge outbox flush' sends it from its data folder",
        )
    # Not known to be synced: those in quarantine are not.
    run = read_run(item, context.report, durable=False)
    _account(run, context.report)
    return run


def _read_line(line: bytes, number: int, report: ConversionReport) -> Run:
    """
    Read a run, and record what stands in its line beside it.

    Raises:
        ValueError: no JSON, no exported run, or one without an id.
    """
    document = msgspec.json.decode(line)
    run = decode_run(line).run
    # A new id at each reading would store the run again and again.
    if "id" not in document:
        raise ValueError("has no id")
    known = {RUN_MARK: None, "report": None, **to_document(run)}
    for path in _unread(document, known, "$"):
        report.dropped("key", "unknown", place=Place(line=number, path=path))
    return run


def _unread(given: object, known: object, path: str) -> Iterator[str]:
    """Find the keys that the model does not have."""
    if isinstance(given, dict) and isinstance(known, dict):
        # What JSON holds has texts for keys, and anything for values.
        names = cast("dict[str, object]", known)
        for key, value in cast("dict[str, object]", given).items():
            inner = f"{path}.{key}"
            if key in names:
                yield from _unread(value, names[key], inner)
            else:
                yield inner
    elif isinstance(given, list) and isinstance(known, list):
        pairs = zip(
            cast("list[object]", given), cast("list[object]", known), strict=False
        )
        for index, (one, other) in enumerate(pairs):
            yield from _unread(one, other, f"{path}[{index}]")


def _wrong(error: Exception, source: Source, number: int) -> MalformedSourceError:
    return MalformedSourceError(
        f"the line is no run: {error}",
        source=source.uri,
        place=f"line {number}",
        remedy="export the run again",
    )


def _account(run: Run, report: ConversionReport) -> None:
    report.mapped("run")
    for _ in run.instruments:
        report.mapped("instrument")
    for phase in run.phases:
        report.mapped("phase")
        for _ in phase.measurements:
            report.mapped("measurement")
    for _ in run.logs:
        report.mapped("log")


def _with_files(
    run: Run, folder: Path | None, number: int, report: ConversionReport
) -> Run:
    """Give a run the bytes of its attachments, as far as the folder holds them."""
    found: list[Attachment] = []
    for attachment in run.attachments:
        saved = None if folder is None else saved_attachment(attachment, folder)
        if saved is not None:
            report.mapped("attachment")
        # Without a size it had no bytes when it was exported either.
        elif attachment.size is not None:
            report.coerced(
                "attachment",
                "its content is not beside the file, kept by reference",
                place=Place(line=number),
                detail=attachment.name,
            )
        found.append(saved or attachment)
    return attrs.evolve(run, attachments=tuple(found))
