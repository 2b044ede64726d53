"""
A sheet of an Excel workbook as the records of a table.

Read by openpyxl, row by row. A cell gives the text that the program wrote, so that the
same profiles fit; whole numbers lose the ``.0`` that a workbook never shows. What the
library passes over in silence is looked up in the sheet itself: a formula whose result
was never stored, and cells that are merged with those below them.
"""

from __future__ import annotations

import csv
import fnmatch
import io
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any
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
_CHUNK = 1 << 16
_MERGED = re.compile(rb'<mergeCell\s[^>]*?ref="([A-Z]{1,3})(\d+):([A-Z]{1,3})(\d+)"')
# A formula without the value that is stored beside it.
_NO_RESULT = "holds a formula whose result the workbook does not have"


def can_read_workbooks() -> bool:
    """Say whether the library that reads workbooks is installed."""
    from importlib.util import find_spec  # asked only for a workbook

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
        sheet: the sheet, read with the results of its formulas.
        formulas: the same sheet with the formulas, where it has any; else None.
        merged: by the number of a row, the columns that are merged with rows below it,
            and the last of these rows.

    Attributes:
        others: the names of further sheets that hold anything.
        merges: how many cells are merged with those below them.
    """

    def __init__(
        self,
        sheet: Any,
        *,
        formulas: Any = None,
        merged: dict[int, list[tuple[int, int]]] | None = None,
        others: tuple[str, ...] = (),
    ) -> None:
        self.name: str = sheet.title
        self.others = others
        self._sheet, self._formulas = sheet, formulas
        self._merged = merged or {}
        self.merges = sum(map(len, self._merged.values()))
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
        spelled = None if self._formulas is None else self._formulas.iter_rows()
        # What is merged is shown once, beside all of its rows.
        below: dict[int, tuple[str, int]] = {}
        for number, row in enumerate(self._sheet.iter_rows(), start=1):
            cells = [_shown(c.value, getattr(c, "number_format", "")) for c in row]
            flaw = self._unknown(cells, spelled)
            for at, (text, last) in list(below.items()):
                if number > last:
                    del below[at]
                elif at < len(cells):
                    cells[at] = cells[at] or text
            for at, last in self._merged.get(number, ()):
                if at < len(cells):
                    below[at] = cells[at], last
            self._cells = cells
            if any(cells) or flaw:
                yield number, cells, flaw

    def _unknown(self, cells: list[str], spelled: Iterator[Any] | None) -> str | None:
        """Say whether a row has a formula without a result; never a blank cell."""
        if spelled is None:
            return None
        for text, cell in zip(cells, next(spelled, ()), strict=False):
            if not text and cell.data_type == "f":
                return _NO_RESULT
        return None

    def swallowed_rows(self, width: int) -> bool:
        """Say that no cell goes on over several rows."""
        del width
        return False

    def reread(self) -> None:
        """Do nothing: no row is read together with another."""


@contextmanager
def open_workbook(
    source: Source, wanted: str | None = None
) -> Generator[WorkbookRecords]:
    """
    Open a sheet of a workbook.

    Args:
        wanted: a pattern of the sheet's name, or its number counted from 1; None for
            the first that holds anything, of those that are not hidden if there is one.

    Raises:
        SourceUnreadableError: its bytes cannot be read.
        MalformedSourceError: it is damaged, or has no such sheet.
    """
    with readable(source), source.open() as stream, _book(source, stream, True) as book:
        sheets = [sheet for sheet in book.worksheets if _filled(sheet)]
        sheet = _chosen(sheets, book.worksheets, wanted, source)
        others = tuple(each.title for each in sheets if each is not sheet)
        formulas, merged = _peculiar(book, sheet)
        if not formulas:
            yield WorkbookRecords(sheet, merged=merged, others=others)
            return
        with source.open() as again, _book(source, again, False) as spelled:
            yield WorkbookRecords(
                sheet, formulas=spelled[sheet.title], merged=merged, others=others
            )


@contextmanager
def _book(source: Source, stream: Any, results: bool) -> Generator[Any]:
    from openpyxl import load_workbook  # slow, and an extra

    try:
        book = load_workbook(stream, read_only=True, data_only=results)
    except (BadZipFile, KeyError, ValueError) as error:
        raise MalformedSourceError(
            f"the workbook is damaged: {error}",
            source=source.uri,
            remedy="open it in Excel and save it again",
        ) from error
    except EOFError as error:
        raise SourceUnreadableError(str(error), source=source.uri) from error
    try:
        yield book
    finally:
        book.close()


def _filled(sheet: Any) -> bool:
    rows = sheet.iter_rows(values_only=True)
    return any(any(value is not None for value in row) for row in rows)


def _chosen(sheets: list[Any], known: Any, wanted: str | None, source: Source) -> Any:
    if wanted is None:
        shown = [sheet for sheet in sheets if sheet.sheet_state == "visible"]
        return next(iter(shown or sheets or known))
    for number, sheet in enumerate(known, start=1):
        if wanted == str(number) or fnmatch.fnmatch(sheet.title, wanted):
            return sheet
    raise MalformedSourceError(
        f"the workbook has no sheet {wanted!r}",
        source=source.uri,
        remedy=f"it has {', '.join(repr(sheet.title) for sheet in known)}: correct "
        "sheet in the profile",
    )


def _peculiar(book: Any, sheet: Any) -> tuple[bool, dict[int, list[tuple[int, int]]]]:
    """Say whether a sheet has formulas, and which of its cells are merged downwards."""
    from openpyxl.utils import column_index_from_string  # an extra

    formulas, tail = False, b""
    merged: dict[int, list[tuple[int, int]]] = {}
    # Neither is to be had of a sheet that is read row by row: it stands in the file
    # behind the rows, or beside them.
    with book._archive.open(sheet._worksheet_path) as stream:  # noqa: SLF001 - see above
        while chunk := stream.read(_CHUNK):
            part = tail + chunk
            formulas = formulas or b"<f>" in part or b"<f " in part
            cut = part.rfind(b">") + 1
            for first, top, last, bottom in _MERGED.findall(part[:cut]):
                if int(bottom) > int(top):
                    start, end = (
                        column_index_from_string(name.decode())
                        for name in (first, last)
                    )
                    columns = merged.setdefault(int(top), [])
                    columns += [(at - 1, int(bottom)) for at in range(start, end + 1)]
            tail = part[cut:]
    return formulas, merged


def workbook_head(source: Source, wanted: str | None = None) -> bytes:
    """
    Give the first rows of a sheet as delimited text, to choose a profile by.

    Args:
        wanted: which sheet, as :func:`open_workbook` takes it.

    Raises:
        SourceUnreadableError: its bytes cannot be read.
        MalformedSourceError: it is damaged, or has no such sheet.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    with open_workbook(source, wanted) as rows:
        for _, cells, _ in islice(rows, _HEAD_ROWS):
            writer.writerow(cells)
    return text.getvalue().encode()
