"""Writing exported runs: a file that is there whole, or not at all."""

from __future__ import annotations

import csv
import importlib
import io
import shutil
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, Protocol, cast

import attrs

from rigbridge.errors import ConfigurationError, DeliveryError
from rigbridge.export.rows import COLUMNS, Cell, Row, measurement_rows
from rigbridge.kept import attachment_folder, encode_run
from rigbridge.machine.files import whole_file
from rigbridge.model import Attachment, Run

__all__ = [
    "ExportFormat",
    "ExportResult",
    "export_runs",
    "stream_runs",
]

# Rows of a row group; also what is held in memory.
_BATCH = 5000

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula, which it runs."""


class ExportFormat(StrEnum):
    """
    What an exported file is.

    CSV and PARQUET have one row a measurement; JSONL has whole runs, one a line, and
    the contents of their attachments in a folder beside.
    """

    CSV = "csv"
    PARQUET = "parquet"
    JSONL = "jsonl"

    @classmethod
    def of(cls, path: Path) -> ExportFormat:
        """
        Tell the format by a file's name.

        Raises:
            ConfigurationError: the name ends with none of them.
        """
        try:
            return cls(path.suffix.lower().removeprefix("."))
        except ValueError as error:
            known = ", ".join(f".{item}" for item in cls)
            raise ConfigurationError(
                "the file's name does not tell the format",
                source=str(path),
                remedy=f"let it end with one of {known}, or use --format",
            ) from error


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


class _RunWriter(Protocol):
    def add(self, run: Run) -> int:
        """Write a run, and say how many rows it made."""
        ...

    def finish(self) -> None:
        """Write what is still held back."""
        ...


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
        runs: the runs.
        path: the file; it appears when it is complete.
        form: its format.
        replace: whether a file of that name may be overwritten.
        advance: called after each run.

    Raises:
        ConfigurationError: the file exists or cannot be written, or the library for
            its format is not installed.
    """
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
    count = rows = empty = 0
    # Contents are written before the file gets its name: a complete file has all.
    files = _AttachmentFiles(attachment_folder(path))
    with (
        _complete(path) as partial,
        partial.open("wb") as stream,
        _WRITERS[form](stream) as writer,
    ):
        for run in runs:
            made = writer.add(run)
            if form is ExportFormat.JSONL:
                for attachment in run.attachments:
                    files.write(attachment)
            count += 1
            rows += made
            empty += not made
            advance()
        writer.finish()
    return ExportResult(
        runs=count,
        rows=rows,
        empty=empty,
        contents=len(files.written),
        references=files.references,
        missing=tuple(files.missing),
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


class _LinesWriter:
    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def add(self, run: Run) -> int:
        self._stream.write(encode_run(run))
        return 1

    def finish(self) -> None:
        self._stream.flush()


class _CSVWriter:
    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        # The line ending is fixed, so that one export is the same on every system.
        self._writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        self._writer.writeheader()

    def add(self, run: Run) -> int:
        count = 0
        for row in measurement_rows(run):
            self._writer.writerow({key: _cell(value) for key, value in row.items()})
            count += 1
        return count

    def finish(self) -> None:
        self._stream.flush()


def _cell(value: Cell) -> Cell:
    if isinstance(value, datetime):
        return value.isoformat()
    # A number may begin with a sign; anything else that does is shown as text.
    if isinstance(value, str) and value.startswith(_FORMULAS) and not _is_number(value):
        return f"'{value}"
    return str(value).lower() if isinstance(value, bool) else value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


class _ParquetWriter:
    def __init__(self, arrow: Any, file: Any) -> None:
        self._arrow = arrow
        self._file = file
        self._rows: list[Row] = []

    def add(self, run: Run) -> int:
        before = len(self._rows)
        self._rows.extend(measurement_rows(run))
        made = len(self._rows) - before
        # Each table becomes a row group: too small ones make the file large and slow.
        if len(self._rows) >= _BATCH:
            self.finish()
        return made

    def finish(self) -> None:
        if self._rows:
            table = self._arrow.Table.from_pylist(self._rows, schema=self._file.schema)
            self._file.write_table(table)
            self._rows.clear()


@contextmanager
def _lines(stream: IO[bytes]) -> Generator[_RunWriter]:
    yield _LinesWriter(stream)


@contextmanager
def _csv(stream: IO[bytes]) -> Generator[_RunWriter]:
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
    try:
        yield _CSVWriter(text)
    finally:
        # Whoever opened the stream closes it.
        text.detach()


@contextmanager
def _parquet(stream: IO[bytes]) -> Generator[_RunWriter]:
    try:
        # An extra brings it, and only this format needs it; it has no type hints.
        arrow = importlib.import_module("pyarrow")
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise ConfigurationError(
            "Parquet needs a library that is not installed",
            remedy="pip install 'rigbridge[parquet]'",
        ) from error
    kinds = {
        str: arrow.string(),
        int: arrow.int64(),
        float: arrow.float64(),
        bool: arrow.bool_(),
        datetime: arrow.timestamp("us", tz="UTC"),
    }
    # Fixed: a schema taken from the first rows would fail where a column is empty.
    schema = arrow.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])
    with parquet.ParquetWriter(stream, schema, compression="zstd") as file:
        yield _ParquetWriter(arrow, file)


_WRITERS: Mapping[
    ExportFormat, Callable[[IO[bytes]], AbstractContextManager[_RunWriter]]
] = {
    ExportFormat.CSV: _csv,
    ExportFormat.PARQUET: _parquet,
    ExportFormat.JSONL: _lines,
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


def stream_runs(runs: Iterable[Run], form: ExportFormat) -> Iterator[bytes]:
    """
    Write runs piece by piece, as the file that :func:`export_runs` makes.

    The contents of attachments are left out.

    Args:
        runs: the runs.
        form: the format.

    Yields:
        The bytes, as they come.

    Raises:
        ConfigurationError: the library for the format is not installed.
    """
    pieces = _Pieces()
    with _WRITERS[form](cast("IO[bytes]", pieces)) as writer:
        for run in runs:
            writer.add(run)
            if piece := pieces.take():
                yield piece
        writer.finish()
    yield pieces.take()
