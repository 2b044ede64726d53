"""
A delimited text as records with their lines, read as a stream.

Python's own reader splits the cells. This module adds what a damaged log needs: the
line in which each record begins, a reason for a record that cannot be used, and reading
on after it. So a quote that is never closed costs one record and not the rest of the
file. A byte order mark at the beginning of any line is no data: programs that append
write one before each part.
"""

from __future__ import annotations

import csv
import functools
import io
import re
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeAlias

import attrs

from rigbridge.adapters import Source
from rigbridge.errors import MalformedSourceError, SourceUnreadableError

__all__ = [
    "CSVRecords",
    "Record",
    "Records",
    "Signs",
    "blank",
    "csv_reader",
    "open_records",
    "readable",
    "squeezed_cells",
]

Record: TypeAlias = tuple[int, list[str], str | None]
"""The line in which a record begins, its cells, and what is wrong with it or None."""

MAX_LINE = 1 << 24
"""The longest line that is read, in characters; beyond it, it is no table."""

_BLANKS = " \t\r\n\x0b\x0c\x1a\ufeff\xa0"
_APART = re.compile(r" {2,}|\s*\t\s*")
# A mark in UTF-8 as a file of a Western code page shows it.
_MARKS = ("\ufeff", "ï»¿")


@attrs.frozen(kw_only=True)
class Signs:
    """
    The signs that make cells of a line.

    Attributes:
        quote: the sign around cells, or None.
        amid: whether a quoted cell may go on after its closing quote.
        comments: what begins a line that is no record.
        squeezed: cells stand as many blanks apart, or more, and no sign.
    """

    delimiter: str
    quote: str | None = '"'
    amid: bool = False
    comments: tuple[str, ...] = ()
    squeezed: int = 0


def squeezed_cells(line: str, least: int) -> str:
    """Put one sign between cells that stand blanks apart: a blank, or else a tab."""
    if least == 1:
        return " ".join(line.split()) + "\n"
    return "\t".join(_APART.split(line.strip())) + "\n"


class Records(Protocol):
    """The records of a file, one after the other."""

    @property
    def text(self) -> str:
        """The text of the last record, without its line end."""
        ...

    @property
    def several(self) -> bool:
        """Whether the last record has several lines."""
        ...

    @property
    def unended(self) -> bool:
        """Whether the last record has no line end: the file ends within or after it."""
        ...

    def __iter__(self) -> Iterator[Record]:
        """Go through the records; an empty line is none."""
        ...

    def swallowed_rows(self, width: int) -> bool:
        """Say whether each line of the last record looks like a row of its own."""
        ...

    def reread(self) -> None:
        """Read again from the second line of the last record."""
        ...


def blank(cells: list[str]) -> bool:
    """Say whether a record holds nothing; the end mark of DOS files is nothing."""
    # Nearly every row begins with a sign that is seen.
    if cells and "!" <= cells[0][:1] <= "~":
        return False
    return not any(cells) or not "".join(cells).strip(_BLANKS)


def csv_reader(
    lines: Iterable[str], signs: Signs, *, strict: bool = True
) -> Iterator[list[str]]:
    """Split lines into cells by Python's own reader."""
    strict = strict and not signs.amid
    if signs.quote is None:
        return csv.reader(
            lines, delimiter=signs.delimiter, quoting=csv.QUOTE_NONE, strict=strict
        )
    return csv.reader(
        lines, delimiter=signs.delimiter, quotechar=signs.quote, strict=strict
    )


class CSVRecords:
    """
    The records of a text.

    Args:
        on_comment: takes the line and the text of each comment.
        on_mark: takes the line of each byte order mark amid the text.
    """

    def __init__(
        self,
        stream: io.TextIOBase,
        signs: Signs,
        *,
        uri: str,
        on_comment: Callable[[int, str], None],
        on_mark: Callable[[int], None],
    ) -> None:
        self._signs = signs
        self._uri = uri
        self._on_comment = on_comment
        self._on_mark = on_mark
        # A bounded readline: a file without line ends must not fill the memory.
        self._fresh = iter(functools.partial(stream.readline, MAX_LINE), "")
        self._again: deque[str] = deque()
        # The lines of the current record: Python's reader does not tell them.
        self._record: list[str] = []
        self._line = 0
        self._comments_before = 0
        self._flaw: str | None = None
        self._reader = csv_reader(self._lines(), signs)

    @property
    def text(self) -> str:
        """The text of the last record, without its line end."""
        return "".join(self._record).rstrip("\r\n")

    @property
    def several(self) -> bool:
        """Whether the last record has several lines."""
        return len(self._record) > 1

    @property
    def unended(self) -> bool:
        """Whether the last record has no line end: the file ends within or after it."""
        return not self._record[-1].endswith(("\n", "\r"))

    def _lines(self) -> Iterator[str]:
        record, again, fresh = self._record, self._again, self._fresh
        comments, squeezed = self._signs.comments, self._signs.squeezed
        while True:
            if again:
                line = again.popleft()
            else:
                try:
                    line = next(fresh, "")
                except UnicodeDecodeError as error:
                    raise self._undecodable(error) from error
                if not line:
                    return
                if len(line) >= MAX_LINE:
                    raise MalformedSourceError(
                        f"is longer than {MAX_LINE} characters; this is no table",
                        source=self._uri,
                        place=f"line {self._line + 1}",
                    )
            self._line += 1
            # isascii() is quick; only other lines are looked at closely.
            if not line.isascii() or "\0" in line:
                if line.startswith(_MARKS):
                    line = self._without_marks(line)
                self._flaw = self._flaw or _flaw(line)
            # Within a quoted cell there are no comments.
            if comments and not record and line.lstrip(" \t").startswith(comments):
                self._comments_before += 1
                self._on_comment(self._line, line.rstrip("\r\n"))
                continue
            record.append(line)
            yield squeezed_cells(line, squeezed) if squeezed else line

    def _undecodable(self, error: UnicodeDecodeError) -> MalformedSourceError:
        return MalformedSourceError(
            f"is not {error.encoding} text: {error.reason}",
            source=self._uri,
            place=f"line {self._line + 1}",
            remedy="declare the encoding in the profile",
        )

    def _without_marks(self, line: str) -> str:
        while line.startswith(_MARKS):
            line = line.removeprefix(_MARKS[0]).removeprefix(_MARKS[1])
        # The mark at the very beginning is the file's own.
        if self._line > 1:
            self._on_mark(self._line)
        return line

    def __iter__(self) -> Iterator[Record]:
        record = self._record
        while True:
            record.clear()
            self._flaw = None
            self._comments_before = 0
            start = self._line + 1
            try:
                cells = next(self._reader, None)
            except csv.Error as error:
                # Python's reader cannot go on after an error: the lines after the first
                # are read again by a new one.
                problem = _explain(error, len(record))
                cells = self._before_quote(record[0])
                start += self._comments_before
                self.reread()
                yield start, cells, problem
                continue
            if cells is None:
                return
            # An empty list is an empty line.
            if cells:
                yield start + self._comments_before, cells, self._flaw

    def _before_quote(self, line: str) -> list[str]:
        """Give the cells of a badly quoted line that are sure: they tell its run."""
        # Not by Python's reader, which refuses a cell that is too long.
        sure = line.partition(self._signs.quote or "\0")[0]
        return sure.split(self._signs.delimiter)[:-1]

    def swallowed_rows(self, width: int) -> bool:
        """
        Say whether each line of the last record looks like a row of its own.

        Two stray quotes, rows apart, make one record of all the rows between them.
        """
        record, delimiter = self._record, self._signs.delimiter
        # In a table of one column every line looks like a row.
        if len(record) == 1 or width == 1:
            return False
        return all(line.count(delimiter) == width - 1 for line in record)

    def reread(self) -> None:
        """Read again from the second line of the last record."""
        later = self._record[1:]
        self._again.extendleft(reversed(later))
        self._line -= len(later)
        del self._record[1:]
        # The old reader may be amid a quoted cell.
        self._reader = csv_reader(self._lines(), self._signs)


def _flaw(line: str) -> str | None:
    if "\0" in line:
        return "holds NUL characters, as a file does after a loss of power"
    # Text is decoded with surrogateescape: a damaged byte cannot be encoded.
    try:
        line.encode()
    except UnicodeEncodeError as error:
        byte = ord(line[error.start]) & 0xFF
        return f"holds the byte 0x{byte:02X}, which is no text in this encoding"
    return None


def _explain(error: csv.Error, lines: int) -> str:
    words = str(error)
    if "unexpected end" in words or (lines > 1 and "limit" in words):
        return "a quoted cell begins here and is never closed"
    if "limit" in words:
        return f"a cell is longer than {csv.field_size_limit()} characters"
    return f"a quoted cell is not closed before its delimiter ({words})"


@contextmanager
def readable(source: Source) -> Generator[None]:
    """
    Name the source in errors of reading it.

    Raises:
        SourceUnreadableError: its bytes cannot be read.
    """
    try:
        yield
    except OSError as error:
        raise SourceUnreadableError(
            f"cannot be read to its end: {error.strerror or error}",
            source=source.uri,
            remedy="check the disk or the network",
        ) from error


@contextmanager
def open_records(
    source: Source,
    *,
    encoding: str,
    signs: Signs,
    on_comment: Callable[[int, str], None],
    on_mark: Callable[[int], None],
) -> Generator[CSVRecords]:
    """
    Open the content of a source as records.

    Raises:
        SourceUnreadableError: its bytes cannot be read.
        MalformedSourceError: it is not text in that encoding.
    """
    with (
        readable(source),
        source.open() as stream,
        # Undecodable bytes stand out in their records and cost only these.
        io.TextIOWrapper(
            stream, encoding=encoding, errors="surrogateescape", newline=""
        ) as text,
    ):
        yield CSVRecords(
            text, signs, uri=source.uri, on_comment=on_comment, on_mark=on_mark
        )
