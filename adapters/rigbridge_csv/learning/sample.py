"""The beginning of an example: its encoding, its signs, its rows."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence

import attrs

from rigbridge.adapters import Source
from rigbridge.adapters.text.decoding import find_decoding
from rigbridge.adapters.text.numbers import number_reader
from rigbridge_csv.profiles.signs import BLANKS, plain_sign
from rigbridge_csv.text.foreign import is_workbook
from rigbridge_csv.text.records import Signs, csv_reader, squeezed_cells
from rigbridge_csv.text.workbook import workbook_head

__all__ = [
    "ExampleRow",
    "LogExample",
    "are_names",
    "is_number",
    "is_ruled",
    "read_example",
    "typed_share",
]

_CHUNK = 1 << 16
_MOST = 1 << 20
_MOST_ROWS = 3000
_UNSURE = 0.2
_DELIMITERS = ("\t", ";", ",", "|")
_COMMENTS = ("#", "!", "//", "%", "'", "; ")
_NUMBERS = {sign: number_reader(sign) for sign in ".,"}
_MOST_LINES = 4
# A quote that begins a cell and is not closed; one that closes a cell.
_OPEN = re.compile(r'(?:^|[,;\t|])\s*"[^"]*$')
_CLOSED = re.compile(r'[^"]*"\s*(?:$|[,;\t|])')
_RULED = re.compile(r"[-=_*+|~: ]+")
_MOMENT = re.compile(r"\W?\d{4}[-/.]\d\d?[-/.]\d\d?[ T]+\d\d?:\d\d")
_VALUE = re.compile(
    r"\(?[-+<>=]*\s*\d[\d.,' ]*(?:[eE][-+]?\d+)?\s*(?:[^\W\d]{0,4}|%)\)?|[<>][LU]L"
    r"|0x[0-9a-fA-F]+|\d+[kKMmRunp]\d+"
)
_TWO_BLANKS = re.compile(r"\S(?:\t| {2,})\S")


def is_number(text: str, decimal: str = ".") -> bool:
    """Say whether a text is a number."""
    return _NUMBERS[decimal](text.strip()) is not None


@attrs.frozen
class ExampleRow:
    """A row that is filled: its line, its cells, and its text."""

    line: int
    cells: list[str]
    text: str

    @property
    def width(self) -> int:
        """How many cells it has, without blank ones at the end."""
        filled = (at + 1 for at, cell in enumerate(self.cells) if cell.strip())
        return max(filled, default=0)


def typed_share(cells: Sequence[str], *, widely: bool = False) -> float:
    """
    Give the share of the filled cells that hold digits first, as values do.

    Args:
        widely: whether ``1.2k``, ``1,234.5`` and ``12.0 V`` are values; a header may
            have ``5V``.
    """
    filled = [cell.strip() for cell in cells if cell.strip()]
    values = [
        cell
        for cell in filled
        if is_number(cell)
        or is_number(cell, ",")
        or re.match(r"\d+[-/.:]\d+", cell)
        or (widely and _VALUE.fullmatch(cell))
    ]
    return len(values) / max(1, len(filled))


def are_names(row: ExampleRow) -> bool:
    """Say whether a row may be a header: texts that differ, hardly a number."""
    filled = [cell.strip() for cell in row.cells if cell.strip()]
    return (
        len(filled) > 1
        and not is_ruled(row)
        and not _MOMENT.match(filled[0])  # a line of a log
        and typed_share(row.cells) < 0.35  # channel names may be numbers
        and (len(set(filled)) > len(filled) / 2 or _by_turns(filled))
    )


def _by_turns(cells: Sequence[str]) -> bool:
    """Say whether the same two names come again: tables side by side."""
    first = list(cells[:2])
    return len(set(first)) > 1 and first * (len(cells) // 2) == list(cells)


def is_ruled(row: ExampleRow) -> bool:
    """Say whether a row is a line that is drawn: dashes, pipes."""
    return _RULED.fullmatch(row.text.strip()) is not None


@attrs.frozen(kw_only=True)
class LogExample:
    """
    What is seen of an example.

    Attributes:
        encoding_rule: why, where that is a guess; else None.
        amid: whether cells go on after their closing quote.
        comment: the sign that begins comments, or None.
        rows: its rows, without comments.
        reasons: what was decided, and by what.
    """

    name: str
    encoding: str
    encoding_rule: str | None
    delimiter: str
    amid: bool
    comment: str | None
    comments: list[str]
    rows: list[ExampleRow]
    reasons: list[str]


def read_example(source: Source) -> LogExample:
    """
    Read the beginning of an example.

    Raises:
        SourceUnreadableError: its bytes cannot be read.
    """
    rule: str | None = None
    encoding = "utf-8"
    if is_workbook(source.head):
        text = workbook_head(source).decode()
    else:
        with source.open() as stream:
            chunks = iter(lambda: stream.read(_CHUNK), b"")
            decoding = find_decoding(None, chunks)
        encoding, rule = decoding.encoding, decoding.rule
        with source.open() as stream:
            text = stream.read(_MOST).decode(encoding, "replace")
    # Loggers fill their files up with NUL.
    whole = text.replace("\ufeff", "").rstrip("\0\x1a")
    lines = _joined(re.split(r"\r\n|\n|\r", whole)[:_MOST_ROWS])
    if lines and lines[0].lower().startswith("sep="):
        lines[0] = ""
    comment = _comment(lines)
    comments = [line for line in lines if comment and _begins(line, comment)]
    plain = ["" if comment and _begins(line, comment) else line for line in lines]
    delimiter, why = _delimiter([line for line in plain if line.strip()])
    rows, amid = _rows(plain, delimiter)
    # A log that is still being written, or whose beginning was read alone.
    unended = whole and whole[-1] not in "\r\n"
    # A header and a row stay.
    if unended and len(rows) > 2 and len(rows[-1].cells) < len(rows[-2].cells):
        rows.pop()
    return LogExample(
        name=source.content_name,
        encoding=encoding,
        encoding_rule=rule,
        delimiter=delimiter,
        amid=amid,
        comment=comment,
        comments=comments,
        rows=rows,
        reasons=[why],
    )


def _joined(lines: list[str]) -> list[str]:
    """Join lines that are one row, since a quoted cell goes on in the next."""
    for at, line in enumerate(lines):
        if '"' not in line or not _OPEN.search(line):
            continue
        for last in range(at + 1, min(at + _MOST_LINES, len(lines))):
            if '"' in lines[last]:
                if _CLOSED.match(lines[last]):
                    lines[at] = "\n".join(lines[at : last + 1])
                    lines[at + 1 : last + 1] = [""] * (last - at)
                break
    return lines


def _begins(line: str, sign: str) -> bool:
    return line.lstrip().startswith(sign)


def _comment(lines: Sequence[str]) -> str | None:
    """Find the sign of comments: one that begins lines, but not most of them."""
    filled = [line for line in lines if line.strip()]
    # Of cells apart by semicolons the first may be blank.
    semicolons = any(line.lstrip("; ").count(";") > 1 for line in filled)
    most: dict[str, int] = {}
    for sign in _COMMENTS[: len(_COMMENTS) - semicolons]:
        # "#1,..." is a row that is numbered so, "#<tab>" the unit of a count.
        found = sum(
            _begins(line, sign) and not re.match(r"\s*#\d*[,;\t]", line)
            for line in filled
        )
        if found and found < len(filled) * 0.9:
            most[sign] = found
    return max(most, key=most.__getitem__, default=None)


def _split(line: str, delimiter: str) -> list[str]:
    if delimiter in BLANKS:
        line = squeezed_cells(line, BLANKS[delimiter])
        return line.rstrip("\n").split(plain_sign(delimiter))
    try:
        signs = Signs(delimiter=delimiter, amid=True)
        return next(csv_reader(io.StringIO(line), signs), None) or []
    except csv.Error:
        return line.split(delimiter)


def _delimiter(lines: Sequence[str]) -> tuple[str, str]:
    """Choose the sign whose cells make the most rows of one width with numbers."""
    best = (0.0, ",")
    for sign in _DELIMITERS:
        rows = [_split(line, sign) for line in lines[:400]]
        widths = Counter(len(row) for row in rows if len(row) > 1)
        if not widths:
            continue
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
        table = [row for row in rows if len(row) == width]
        cells = [cell.strip() for row in table for cell in row if cell.strip()]
        typed = sum(is_number(cell) or is_number(cell, ",") for cell in cells)
        share = 0.3 + typed / max(1, len(cells))
        # A decimal comma makes a comma look like a delimiter of few cells.
        score = count / len(rows) * share * min(width, 6) ** 0.5
        score *= 1.0 if sign != "," else 0.9
        if score > best[0]:
            best = (score, sign)
    if best[0] == 0.0 or (best[0] < _UNSURE and _squeezed(lines)):
        if _squeezed(lines):
            return _kind_of_blanks(lines)
        if _single_blanks(lines):
            return "blanks", "delimiter: a blank between numbers"
        return ",", "delimiter: none was found"
    if best[1] == "\t" and _blanks_above(lines):
        return "blanks", "delimiter: blanks between the names, tabs between the cells"
    shown = "tab" if best[1] == "\t" else best[1]
    return best[1], f"delimiter {shown!r}: the most rows of one width with numbers"


def _blanks_above(lines: Sequence[str]) -> bool:
    """Say whether names stand blanks apart above rows whose cells stand tabs apart."""
    rows = [line.strip().split("\t") for line in lines if "\t" in line.strip()]
    width = len(rows[0]) if rows else 0
    # Fewer are words of a title.
    if width < 3 or any(" " in cell.strip() for row in rows for cell in row):
        return False
    plain = (line.split() for line in lines if "\t" not in line.strip())
    return any(len(names) == width for names in plain)


def _kind_of_blanks(lines: Sequence[str]) -> tuple[str, str]:
    """Say whether single blanks are within cells: then nearly all rows are as wide."""
    widths, wide = (
        Counter(len(_split(line, kind)) for line in lines) for kind in BLANKS
    )
    (common, rows), *_ = wide.most_common(1)
    if common > 1 and rows >= len(lines) * 0.8 and rows > max(widths.values()):
        return "wide blanks", "delimiter: cells stand two or more blanks apart"
    return "blanks", "delimiter: cells stand any number of blanks apart"


def _single_blanks(lines: Sequence[str]) -> bool:
    """Say whether most lines are numbers, as many in each, with a blank between."""
    rows = [line.split() for line in lines]
    numbers = [row for row in rows if len(row) > 2 and typed_share(row) > 0.5]
    widths = Counter(map(len, numbers))
    return sum(count for _, count in widths.most_common(1)) >= len(lines) * 0.3


def _squeezed(lines: Sequence[str]) -> bool:
    apart = sum(_TWO_BLANKS.search(line.strip()) is not None for line in lines)
    return apart > len(lines) / 2


def _rows(lines: Sequence[str], delimiter: str) -> tuple[list[ExampleRow], bool]:
    rows: list[ExampleRow] = []
    amid = False
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        cells = _split(line, delimiter)
        if delimiter not in BLANKS and '"' in line:
            try:
                signs = Signs(delimiter=delimiter)
                next(csv_reader(io.StringIO(line), signs), None)
            except csv.Error as error:
                amid = amid or "expected after" in str(error)
        if any(cell.strip() for cell in cells):
            rows.append(ExampleRow(number, cells, line))
    return rows, amid
