"""Writes exported runs: the file is complete, or it is not there."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any, cast

import attrs

from rigbridge.destinations import RunRows
from rigbridge.errors import ConfigurationError, DeliveryError
from rigbridge.export.csv_rows import csv_writer
from rigbridge.export.formats import ExportFormat, FormatWriter
from rigbridge.export.parquet_rows import parquet_writer
from rigbridge.kept import attachment_folder, encode_run
from rigbridge.kept.rows import measurement_rows
from rigbridge.machine.files import whole_file
from rigbridge.model import Attachment, Run

__all__ = [
    "ExportResult",
    "export_rows",
    "export_runs",
    "stream_rows",
]


@attrs.frozen(kw_only=True)
class ExportResult:
    """
    What was written.

    Attributes:
        runs: how many runs.
        rows: how many rows; in JSONL one a run.
        empty: how many runs have no measurement, and thus no row.
        contents: how many contents of attachments stand beside the file.
        references: how many attachments are only named, as their source did.
        missing: the names of attachments whose content could not be read.
    """

    runs: int
    rows: int
    empty: int = 0
    contents: int = 0
    references: int = 0
    missing: tuple[str, ...] = ()


def export_runs(
    runs: Iterable[Run],
    path: Path,
    *,
    form: ExportFormat,
    replace: bool = False,
    advance: Callable[[], None] = lambda: None,
) -> ExportResult:
    """
    Write runs to a file, one after the other.

    Args:
        path: the file; it appears when it is complete.
        replace: whether a file of that name may be overwritten.
        advance: called after each run.

    Raises:
        ConfigurationError: the file exists or cannot be written, or the library for
            its format is not installed.
    """
    if form is not ExportFormat.JSONL:
        rows = map(measurement_rows, runs)
        return export_rows(rows, path, form=form, replace=replace, advance=advance)
    _require_free(path, replace=replace)
    count = 0
    # Contents are written before the file gets its name: a complete file has all.
    files = _AttachmentFiles(attachment_folder(path))
    with _complete(path) as partial, partial.open("wb") as stream:
        for run in runs:
            stream.write(encode_run(run) + b"\n")
            for attachment in run.attachments:
                files.write(attachment)
            count += 1
            advance()
    return ExportResult(
        runs=count,
        rows=count,
        contents=len(files.written),
        references=files.references,
        missing=tuple(files.missing),
    )


def export_rows(
    runs: Iterable[RunRows],
    path: Path,
    *,
    form: ExportFormat,
    replace: bool = False,
    advance: Callable[[], None] = lambda: None,
) -> ExportResult:
    """
    Write the measurements of runs to a file, a row each.

    Args:
        path: the file; it appears when it is complete.
        replace: whether a file of that name may be overwritten.
        advance: called after each run.

    Raises:
        ConfigurationError: the file exists or cannot be written, or the library for
            its format is not installed.
    """
    _require_free(path, replace=replace)
    count = made = empty = 0
    with (
        _complete(path) as partial,
        partial.open("wb") as stream,
        _WRITERS[form](stream) as writer,
    ):
        for rows in runs:
            writer.add(rows)
            count += 1
            made += (added := len(rows))
            empty += not added
            advance()
        writer.finish()
    return ExportResult(runs=count, rows=made, empty=empty)


def _require_free(path: Path, *, replace: bool) -> None:
    if path.exists() and not path.is_file():
        raise ConfigurationError(
            "is no regular file, and is not replaced",
            source=str(path),
            remedy="choose another name",
        )
    if path.exists() and not replace:
        raise ConfigurationError(
            "the file exists already",
            source=str(path),
            remedy="choose another name, or use --overwrite",
        )


@contextmanager
def _complete(path: Path) -> Generator[Path]:
    """Give a name to write to, which becomes the file's when all went well."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not synced: an export that a power cut takes away is made again.
        with whole_file(path, durable=False, shared=False) as partial:
            yield partial
    except OSError as error:
        raise ConfigurationError(
            f"the file cannot be written: {error.strerror or error}",
            source=str(path),
            remedy="choose another place, or free the disk",
        ) from error


class _AttachmentFiles:
    """The folder of attachments beside a file; each content is there once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.written: set[str] = set()
        self.references = 0
        self.missing: list[str] = []

    def write(self, attachment: Attachment) -> None:
        """Write a content, unless it is there; one that cannot be opened is noted."""
        digest = attachment.sha256
        if attachment.opener is None or digest is None:
            self.references += 1
            return
        if digest in self.written:
            return
        try:
            stream = attachment.opener()
        # One lost content must not cost the export of years of runs.
        except (OSError, DeliveryError) as error:
            self.missing.append(f"{attachment.name}: {error}")
            return
        target = self._folder / digest
        with stream, _complete(target) as partial, partial.open("wb") as copy:
            shutil.copyfileobj(stream, copy)
        self.written.add(digest)


_WRITERS: Mapping[
    ExportFormat, Callable[[IO[bytes]], AbstractContextManager[FormatWriter]]
] = {
    ExportFormat.CSV: csv_writer,
    ExportFormat.PARQUET: parquet_writer,
}


class _Pieces(io.RawIOBase):
    """A stream that hands on what is written to it."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, content: Any, /) -> int:
        # A copy: the writer uses its buffer again.
        piece = bytes(content)
        self._waiting.append(piece)
        self._written += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._written

    def take(self) -> bytes:
        """Give what was written since the last time."""
        taken = b"".join(self._waiting)
        self._waiting.clear()
        return taken


def stream_rows(runs: Iterable[RunRows], form: ExportFormat) -> Iterator[bytes]:
    """
    Write the measurements of runs piece by piece, as :func:`export_rows` does.

    Yields:
        The bytes, as they come.

    Raises:
        ConfigurationError: the library for the format is not installed.
    """
    pieces = _Pieces()
    with _WRITERS[form](cast("IO[bytes]", pieces)) as writer:
        for rows in runs:
            writer.add(rows)
            if piece := pieces.take():
                yield piece
        writer.finish()
    yield pieces.take()
