"""
The rows of a table with a header: checked, and each with the key of its run.

The header may be repeated, where a program was restarted or logs were joined. If its
columns have changed, the rows below it are read by the new names. Without a new header
a change in the number of columns makes every row a damaged one.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from rigbridge.errors import MalformedSourceError, NoRunError
from rigbridge.model.report import ConversionReport
from rigbridge_csv.profiles.fields import Field
from rigbridge_csv.profiles.header import ColumnMap, find_column, map_columns, normal
from rigbridge_csv.profiles.matching import separator_line
from rigbridge_csv.profiles.profile import CSVProfile
from rigbridge_csv.tables.table import CSVTable, Record, blank

__all__ = ["Row", "read_rows"]


@attrs.define
class Row:
    """
    A row.

    Attributes:
        line: the line in which it begins.
        cells: its cells.
        columns: what they are.
        key: the cells that tell its run, without blanks around them; None where the
            row is damaged so that nobody can tell.
        timed: whether the key holds the start of the run.
        problem: why the row cannot be used, or None.
    """

    line: int
    cells: list[str]
    columns: ColumnMap
    key: tuple[str, ...] | None
    timed: bool
    problem: str | None


def _header(records: Iterator[Record], uri: str) -> tuple[int, list[str]]:
    for line, cells, problem in records:
        if problem is not None:
            raise MalformedSourceError(
                f"the header cannot be read: it {problem}",
                source=uri,
                place=f"line {line}",
                remedy="repair the header",
            )
        if not blank(cells) and not separator_line(cells):
            return line, cells
    raise NoRunError("the file is empty", source=uri)


def _again(cells: list[str], header: list[str], columns: ColumnMap) -> bool:
    """Say whether a row is a header again, the same or one with other columns."""
    if cells == header:
        return True
    # With a single declared column, a value of its name would look like a header.
    names = {columns.header[at] for at in columns.positions.values()} - {""}
    shown = [normal(cell) for cell in cells]
    return shown == list(columns.header) or (
        len(names) > 1 and all(find_column(shown, name) for name in names)
    )


def _misfit(table: CSVTable, cells: list[str], columns: ColumnMap) -> str | None:
    width = columns.width
    if len(cells) != width:
        line = columns.line
        return f"has {len(cells)} cells where the header in line {line} has {width}"
    if table.swallowed_rows(width):
        return "a quoted cell begins here and goes on over whole rows"
    return None


def read_rows(
    table: CSVTable, profile: CSVProfile, *, uri: str, report: ConversionReport
) -> Iterator[Row]:
    """
    Go through the rows below the header; blank ones are passed over.

    Args:
        table: the table.
        profile: what the columns are.
        uri: the source's name in errors.
        report: where columns are recorded.

    Raises:
        MalformedSourceError: the header cannot be read or bound.
        NoRunError: there is nothing in the table.
    """
    # One iterator for header and rows: each goes on where the other stopped.
    records = iter(table)
    line, header = _header(records, uri)
    columns = map_columns(header, profile, line=line, uri=uri, report=report)
    mark = header[columns.positions[Field.MEASUREMENT]]
    start = _start(columns)
    width, pick = columns.width, columns.key
    for line, cells, problem in records:
        if problem is None:
            # A quick look first: a header names the measurement column somewhere.
            if mark in cells and _again(cells, header, columns):
                if cells != header:
                    header = cells
                    columns = map_columns(
                        cells, profile, line=line, uri=uri, report=report
                    )
                    mark = header[columns.positions[Field.MEASUREMENT]]
                    start = _start(columns)
                    width, pick = columns.width, columns.key
                report.mapped("repeated header")
                continue
            # A blank line between sections may have fewer cells.
            if len(cells) != width and blank(cells):
                continue
            problem = _misfit(table, cells, columns)  # noqa: PLW2901 - its own flaw
            if problem is not None:
                # A stray quote may have swallowed good rows.
                table.reread()
        if len(cells) < columns.key_width or not cells:
            yield Row(line, cells, columns, None, False, problem)
            continue
        key = tuple([cell.strip() for cell in pick(cells)])
        # In a damaged row the key may be damaged too.
        if problem is not None and not all(map(str.isprintable, key)):
            yield Row(line, cells, columns, None, False, problem)
            continue
        if not any(key) and problem is None and blank(cells):
            continue
        # Without its start a run cannot be told from a retest of the same unit.
        timed = start is not None and bool(key[start])
        yield Row(line, cells, columns, key, timed, problem)


def _start(columns: ColumnMap) -> int | None:
    at = columns.positions.get(Field.STARTED_AT)
    return columns.key_positions.index(at) if at in columns.key_positions else None
