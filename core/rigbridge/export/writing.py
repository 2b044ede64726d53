"""Writes exported runs: the file is complete, or it is not there."""

from __future__ import annotations

import importlib
import io
import re
import shutil
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, Protocol, TypeAlias, cast

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
        path: the file; it appears when it is complete.
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


_Value: TypeAlias = tuple[float | None, str | None]


class _CSVWriter:
    """
    Writes lines as :mod:`csv` does, at a fourth of its time.

    The rows of a run begin alike, those of a phase go on alike, and most measurements
    end alike: each such part becomes text once.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._stream.write(",".join(COLUMNS) + _END)
        self._ends: dict[MeasurementRow, tuple[str, str]] = {}

    def add(self, rows: RunRows) -> None:
        lines: list[str] = []
        known: MeasurementRow = ()
        of_run = shared = ""
        for row in rows:
            if (start := row[:_OF_PHASE]) != known:
                if start[:_OF_RUN] != known[:_OF_RUN]:
                    of_run = _joined(start[:_OF_RUN])
                shared = f"{of_run},{_joined(start[_OF_RUN:])}"
                known = start
            number, value = cast("_Value", row[_VALUE:_OF_END])
            ends = row[_OF_PHASE:_VALUE] + row[_OF_END:]
            before, after = self._ends.get(ends) or self._around(ends)
            if number is None or value is None:
                spelled, text = _joined([number]), "" if value is None else _text(value)
            else:
                # What spells a number has no sign that means something else here.
                text = value
                # Spelled the same, but for a whole number and one with an exponent.
                same = "." in value and "e" not in value
                spelled = value if same else repr(number)
            lines.append(f"{shared},{before},{spelled},{text},{after}")
        if lines:
            self._stream.write(_END.join(lines) + _END)

    def _around(self, cells: MeasurementRow) -> tuple[str, str]:
        """Write what stands around the value of a measurement."""
        name, outcome, *end = cells
        around = _joined([name, outcome]), _joined(end)
        if _is_remembered(end, self._ends):
            self._ends[cells] = around
        return around

    def finish(self) -> None:
        self._stream.flush()


# The line ending is fixed, so that one export is the same on every system.
_END = "\n"
_QUOTED = re.compile(r'[",\r\n]')
_MOST_ENDS = 10_000

_OF_RUN = list(COLUMNS).index("phase_index")
_OF_PHASE = list(COLUMNS).index("measurement")
_VALUE = list(COLUMNS).index("number")
_OF_END = list(COLUMNS).index("unit")
"""How many cells a run has, how many with those of its phase, with name and value."""


_LOWER, _UPPER = (
    list(COLUMNS).index(name) - _OF_END for name in ("lower_limit", "upper_limit")
)
"""Where the limits stand in the end of a row."""


def _is_remembered(end: Sequence[Any], known: dict[MeasurementRow, Any]) -> bool:
    """Make room for the end of a row; not for one of which another may be a key."""
    if len(known) >= _MOST_ENDS:
        known.clear()
    # As keys, the zeros are equal; as texts, they are not. Nor is NaN equal to itself.
    return all(end[at] is None or abs(end[at]) > 0 for at in (_LOWER, _UPPER))


def _joined(cells: Sequence[object]) -> str:
    return ",".join([_SPELLED[type(cell)](cell) for cell in cells])


def _text(text: str) -> str:
    # A number may begin with a sign; anything else that does is shown as text.
    if text[:1] in _FORMULAS and not _is_number(text):
        text = f"'{text}"
    if _QUOTED.search(text) is None:
        return text
    return '"' + text.replace('"', '""') + '"'


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


_SPELLED: Mapping[type, Callable[[Any], str]] = {
    type(None): lambda _: "",
    # What all runs of a rig have in common is looked at once; serial numbers pass by.
    str: lru_cache(maxsize=1024)(_text),
    int: repr,
    float: repr,
    bool: lambda flag: "true" if flag else "false",
    datetime: datetime.isoformat,
}
"""How cells are written, by their kinds."""


class _Column:
    """Cells that repeat: each once, and at which rows."""

    def __init__(self) -> None:
        self.cells: list[MeasurementRow] = []
        self.places: list[int] = []


class _ParquetWriter:
    """
    Writes row groups.

    What the rows of a run, of a phase, or measurements of one kind have in common is
    given to the library once, with the rows where it stands.
    """

    def __init__(self, arrow: Any, file: Any) -> None:
        self._arrow = arrow
        self._file = file
        self._clear()

    def _clear(self) -> None:
        self._parts = (_Column(), _Column(), _Column())
        self._own: list[MeasurementRow] = []
        self._ends: dict[MeasurementRow, int] = {}

    def add(self, rows: RunRows) -> None:
        of_run, of_phase, of_end = self._parts
        known: MeasurementRow = ()
        for row in rows:
            if (start := row[:_OF_PHASE]) != known:
                if start[:_OF_RUN] != known[:_OF_RUN]:
                    of_run.cells.append(start[:_OF_RUN])
                of_phase.cells.append(start[_OF_RUN:])
                known = start
            end = row[_OF_END:]
            place = self._ends.get(end)
            if place is None:
                place = len(of_end.cells)
                of_end.cells.append(end)
                if _is_remembered(end, self._ends):
                    self._ends[end] = place
            of_run.places.append(len(of_run.cells) - 1)
            of_phase.places.append(len(of_phase.cells) - 1)
            of_end.places.append(place)
            self._own.append(row[_OF_PHASE:_OF_END])
        # Each table becomes a row group: too small ones make the file large and slow.
        if len(self._own) >= _BATCH:
            self.finish()

    def finish(self) -> None:
        if not self._own:
            return
        arrow, schema = self._arrow, self._file.schema
        fields = iter(schema)
        of_run, of_phase, of_end = self._parts
        arrays: list[Any] = []
        for part in (of_run, of_phase, None, of_end):
            cells = self._own if part is None else part.cells
            places = None if part is None else arrow.array(part.places, arrow.int32())
            for column in zip(*cells, strict=True):
                made = arrow.array(column, next(fields).type)
                arrays.append(made if places is None else made.take(places))
        self._file.write_table(arrow.Table.from_arrays(arrays, schema=schema))
        self._clear()


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
