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

from rigbridge.destinations import MeasurementRow
from rigbridge.errors import ConfigurationError, DeliveryError
from rigbridge.kept import attachment_folder, encode_run
from rigbridge.kept.rows import COLUMNS, RunRows, measurement_rows
from rigbridge.machine.files import whole_file
from rigbridge.model import Attachment, Run

__all__ = [
    "ExportFormat",
    "ExportResult",
    "export_rows",
    "export_runs",
    "stream_rows",
]

# Rows of a row group; also what is held in memory.
_BATCH = 5000

_FORMULAS = frozenset("=+-@\t\r")
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


class _RowWriter(Protocol):
    def add(self, rows: RunRows) -> None:
        """Write the rows of a run."""
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
    if form is not ExportFormat.JSONL:
        rows = (tuple(measurement_rows(run)) for run in runs)
        return export_rows(rows, path, form=form, replace=replace, advance=advance)
    _require_free(path, replace=replace)
    count = 0
    # Contents are written before the file gets its name: a complete file has all.
    files = _AttachmentFiles(attachment_folder(path))
    with _complete(path) as partial, partial.open("wb") as stream:
        for run in runs:
            stream.write(encode_run(run))
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
        runs: the rows of each run.
        path: the file; it appears when it is complete.
        form: its format, CSV or PARQUET.
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
            made += len(rows)
            empty += not rows
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


class _CSVWriter:
    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        # The line ending is fixed, so that one export is the same on every system.
        self._writer = csv.writer(stream, lineterminator="\n")
        self._writer.writerow(COLUMNS)

    def add(self, rows: RunRows) -> None:
        lines: list[list[object]] = []
        known: MeasurementRow = ()
        of_run: list[object] = []
        shared: list[object] = []
        for row in rows:
            # The rows of a run begin alike, and those of a phase go on alike: what
            # they share is written once.
            if (start := row[:_OF_PHASE]) != known:
                if start[:_OF_RUN] != known[:_OF_RUN]:
                    of_run = [*map(_cell, start[:_OF_RUN])]
                shared = [*of_run, *map(_cell, start[_OF_RUN:])]
                known = start
            # Told apart here: a call for each cell would cost as much as all the rest.
            lines.append(
                shared
                + [
                    cell
                    if (kind := type(cell)) in _PLAIN
                    or (kind is str and cast("str", cell)[:1] not in _FORMULAS)
                    else _cell(cell)
                    for cell in row[_OF_PHASE:]
                ]
            )
        self._writer.writerows(lines)

    def finish(self) -> None:
        self._stream.flush()


_PLAIN = frozenset({float, int, type(None)})

_OF_RUN = list(COLUMNS).index("phase_index")
_OF_PHASE = list(COLUMNS).index("measurement")
"""How many cells a run has, and how many with those of its phase."""


def _cell(value: object) -> object:
    kind = type(value)
    if kind is str:
        text = cast("str", value)
        # A number may begin with a sign; anything else that does is shown as text.
        if text[:1] in _FORMULAS and not _is_number(text):
            return f"'{text}"
        return text
    if kind is datetime:
        return cast("datetime", value).isoformat()
    return str(value).lower() if kind is bool else value


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
        self._rows: list[MeasurementRow] = []

    def add(self, rows: RunRows) -> None:
        self._rows += rows
        # Each table becomes a row group: too small ones make the file large and slow.
        if len(self._rows) >= _BATCH:
            self.finish()

    def finish(self) -> None:
        if self._rows:
            schema = self._file.schema
            arrays = [
                self._arrow.array(column, field.type)
                for column, field in zip(
                    zip(*self._rows, strict=True), schema, strict=True
                )
            ]
            self._file.write_table(self._arrow.Table.from_arrays(arrays, schema=schema))
            self._rows.clear()


@contextmanager
def _csv(stream: IO[bytes]) -> Generator[_RowWriter]:
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
    try:
        yield _CSVWriter(text)
    finally:
        # Whoever opened the stream closes it.
        text.detach()


@contextmanager
def _parquet(stream: IO[bytes]) -> Generator[_RowWriter]:
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
    ExportFormat, Callable[[IO[bytes]], AbstractContextManager[_RowWriter]]
] = {
    ExportFormat.CSV: _csv,
    ExportFormat.PARQUET: _parquet,
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

    Args:
        runs: the rows of each run.
        form: the format, CSV or PARQUET.

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
