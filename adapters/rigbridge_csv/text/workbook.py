"""
The first sheet of an Excel workbook as the records of a table.

Read by openpyxl, row by row. A cell gives the text that the program wrote, so that the
same profiles fit; whole numbers lose the ``.0`` that a workbook never shows.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from itertools import islice
from zipfile import BadZipFile

from rigbridge.adapters import Source
from rigbridge.errors import MalformedSourceError, SourceUnreadableError
from rigbridge_csv.text.records import Record, readable

__all__ = [
    "WorkbookRecords",
    "can_read_workbooks",
    "open_workbook",
    "workbook_head",
]

_HEAD_ROWS = 400

_ZEROS = re.compile(r"0+")
_EXACT = 2**53


def can_read_workbooks() -> bool:
    """Say whether the library that reads workbooks is installed."""
    from importlib.util import find_spec  # noqa: PLC0415 - asked only for a workbook

    return find_spec("openpyxl") is not None


def _shown(value: object, form: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        return _number(value, form)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value.total_seconds())
    return str(value)


def _number(value: float, form: str) -> str:
    whole = value == value // 1 and abs(value) < _EXACT
    # A number that is shown with leading zeros, as serial numbers are.
    if whole and _ZEROS.fullmatch(form):
        return f"{int(value):0{len(form)}d}"
    return str(int(value)) if whole else repr(value)


class WorkbookRecords:
    """
    The rows of a sheet.

    Args:
        rows: the row's number, and the value of each cell with its number format.
    """

    def __init__(self, rows: Iterator[tuple[int, list[tuple[object, str]]]]) -> None:
        self._rows = rows
        self._cells: list[str] = []

    @property
    def text(self) -> str:
        """The text of the last row, a comma between its cells."""
        return ",".join(self._cells).rstrip(",")

    @property
    def several(self) -> bool:
        """Say that no row has several lines."""
        return False

    @property
    def unended(self) -> bool:
        """Say that rows have no line ends."""
        return False

    def __iter__(self) -> Iterator[Record]:
        for number, values in self._rows:
            self._cells = cells = [_shown(value, form) for value, form in values]
            if any(cells):
                yield number, cells, None

    def swallowed_rows(self, width: int) -> bool:
        """Say that no cell goes on over several rows."""
        del width
        return False

    def reread(self) -> None:
        """Do nothing: no row is read together with another."""


@contextmanager
def open_workbook(source: Source) -> Generator[WorkbookRecords]:
    """
    Open the first sheet of a workbook that holds anything.

    Raises:
        SourceUnreadableError: its bytes cannot be read.
        MalformedSourceError: it is damaged.
    """
    from openpyxl import load_workbook  # noqa: PLC0415 - slow, and an extra

    with readable(source), source.open() as stream:
        try:
            book = load_workbook(stream, read_only=True, data_only=True)
        except (BadZipFile, KeyError, ValueError) as error:
            raise MalformedSourceError(
                f"the workbook is damaged: {error}",
                source=source.uri,
                remedy="open it in Excel and save it again",
            ) from error
        except EOFError as error:
            raise SourceUnreadableError(str(error), source=source.uri) from error
        try:
            sheet = next(iter(book.worksheets), None)
            rows = iter(()) if sheet is None else sheet.iter_rows()
            yield WorkbookRecords(
                (
                    number,
                    [(cell.value, getattr(cell, "number_format", "")) for cell in row],
                )
                for number, row in enumerate(rows, start=1)
            )
        finally:
            book.close()


def workbook_head(source: Source) -> bytes:
    """
    Give the first rows of a workbook as delimited text, to choose a profile by.

    Raises:
        SourceUnreadableError: its bytes cannot be read.
        MalformedSourceError: it is damaged.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    with open_workbook(source) as rows:
        for _, cells, _ in islice(rows, _HEAD_ROWS):
            writer.writerow(cells)
    return text.getvalue().encode()
