"""
The tables of a file: each with its head, and its rows as a stream.

The header may be repeated, where a program was restarted or logs were joined. If its
columns have changed, the rows below it are read by the new names. Without a new header
a change in the number of columns makes every row a damaged one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeAlias, TypeVar

from rigbridge.errors import MalformedSourceError, NoRunError
from rigbridge.model.report import ConversionReport, Place
from rigbridge_csv.profiles.profile import CSVProfile
from rigbridge_csv.tables.derived import DerivedCells
from rigbridge_csv.tables.head import HeadReader, TableHead
from rigbridge_csv.tables.header import find_column, normal
from rigbridge_csv.tables.keys import KeyLines
from rigbridge_csv.text.records import Record, Records, blank

__all__ = ["Bound", "Table", "TableReader"]

_Columns = TypeVar("_Columns", bound="Bound")
_BLANK = "blank"
_POINT = re.compile(r"\s*(?:[-+]?[\d.,]+(?:[eE][-+]?\d+)?\s*)?")
# The line that begins a block: its number, cells, text, and the groups found in it.
_BlockLine: TypeAlias = tuple[int, list[str], str, dict[str, str | None]]


class Bound:
    """
    The columns of one header, as a form needs them.

    Attributes:
        width: how many cells a row has.
        least: how many it has without unnamed columns at the end.
        derived: what is added behind the cells of a row.
        mark: a cell that every repetition of the header has.
        declared: the names of the columns that fields are declared for.
    """

    line: int
    header: tuple[str, ...]
    width: int
    least: int
    derived: DerivedCells
    mark: str
    declared: tuple[str, ...]

    def bind(
        self, head: TableHead, derived: DerivedCells, positions: Iterable[int]
    ) -> None:
        """Take over what every form needs of a head."""
        names = [normal(cell) for cell in head.header]
        self.line = head.line
        self.header = tuple(names)
        self.width = len(names)
        self.least = max(
            (at + 1 for at, name in enumerate(names) if name), default=len(names)
        )
        self.derived = derived
        declared = {names[at] for at in positions if at < len(names)} - {""}
        self.declared = tuple(declared)
        # One that is declared, since others may change with the program's version.
        spelled = [cell for cell in head.header if normal(cell) in declared]
        self.mark = max(spelled or head.header, key=len, default="")


class Table(Generic[_Columns]):
    """
    One table of a file. Read its rows to their end before the next one.

    Args:
        first: the first row, where the table has no header.
    """

    def __init__(
        self,
        reader: TableReader[_Columns],
        head: TableHead,
        reading: HeadReader,
        first: Record | None,
    ) -> None:
        self.head = head
        self._reader = reader
        self._reading = reading
        self._first = first
        self._bound: _Columns | None = None

    @property
    def columns(self) -> _Columns:
        """The columns, which a repeated header may change."""
        if self._bound is None:
            self._bound = self._reader.bind(self.head)
        return self._bound

    def rows(self) -> Iterator[Record]:
        """
        Go through the rows, derived cells included; blank ones are passed over.

        Raises:
            MalformedSourceError: a header in mid-file cannot be bound.
        """
        return self._reader.rows(self, self._reading, self._first)

    def forget_columns(self) -> None:
        """Find the columns anew: the header or a row with a role has changed them."""
        self._bound = None


class TableReader(Generic[_Columns]):
    """
    The tables of one file.

    Args:
        footers: by the table's number, the keys that stand behind its rows.

    Attributes:
        behind: the keys that were found behind the rows of each table so far.
    """

    def __init__(
        self,
        records: Records,
        profile: CSVProfile,
        bind: Callable[[TableHead], _Columns],
        *,
        uri: str,
        delimiter: str,
        report: ConversionReport,
        footers: list[KeyLines] | None = None,
    ) -> None:
        self.bind = bind
        self._records = records
        # One iterator for header and rows: each goes on where the other stopped.
        self._iterator = iter(records)
        self._profile = profile
        self._uri = uri
        self._delimiter = delimiter
        self._report = report
        self._footers = footers
        self._common = KeyLines(profile, delimiter, report)
        self._begun: _BlockLine | None = None
        self._reading: HeadReader | None = None
        self._number = 0
        self._recorded: set[str] = set()
        # How many lines below the header the current one stands.
        self._below = 0
        self.behind: list[KeyLines] = []

    def on_comment(self, line: int, text: str) -> None:
        """Take a comment: a key, where keys are declared, or else recorded."""
        if self._reading is not None and self._reading.keys.take(line, [text], text):
            return
        if self._reading is None and self._common.take(line, [text], text):
            return
        self._report.omitted(
            "line",
            "a comment, as the profile declares",
            place=Place(line=line),
            detail=text[:200],
        )

    def tables(self) -> Iterator[Table[_Columns]]:
        """
        Go through the tables.

        Raises:
            MalformedSourceError: a header cannot be read.
            NoRunError: there is nothing in the file.
        """
        found = False
        while (table := self._next()) is not None:
            found = True
            yield table
            self._number += 1
            if len(self.behind) < self._number:
                self.behind.append(self._keys())
            if self._begun is None:
                return
        if not found:
            raise self._no_table()

    def _no_table(self) -> Exception:
        place = self._profile.header
        if self._common.texts or place.find is not None or self._profile.blocks:
            sought = (
                f"header.find {place.find.pattern!r} is found in no line"
                if place.find is not None
                else "no line holds the columns that the profile declares"
            )
            return MalformedSourceError(
                f"holds no table: {sought}",
                source=self._uri,
                remedy=f"correct header in profile {self._profile.name!r}",
            )
        return NoRunError("the file is empty", source=self._uri)

    def _next(
        self,
    ) -> Table[_Columns] | None:
        place = self._profile.header
        in_block = self._profile.blocks is None or self._begun is not None
        reading = self._begin_head()
        for line, cells, problem in self._iterator:
            if blank(cells):
                continue
            text = self._records.text
            groups = self._block_groups(text)
            if groups is not None:
                if not in_block:
                    # What came before belongs to every block.
                    self._common.copy_from(reading.keys)
                self._begun, in_block = (line, cells, text, groups), True
                reading = self._begin_head()
                if place.find is None or not place.find.search(text):
                    continue
            elif not in_block:
                if not reading.keys.take(line, cells, text):
                    self._record_outside(line, text)
                continue
            header = reading.take(line, cells, text)
            if header is not None:
                return self._table(reading, header, (line, cells, problem))
        if reading.keys.texts and not self._common.texts:
            self._common.copy_from(reading.keys)
        return None

    def _keys(self) -> KeyLines:
        return KeyLines(self._profile, self._delimiter, self._report)

    def _begin_head(self) -> HeadReader:
        """Begin the lines before a table, with the keys that every table has."""
        keys = self._keys()
        keys.copy_from(self._common)
        reading = self._reading = HeadReader(self._profile, keys, self._report)
        if self._begun is not None:
            line, cells, text, groups = self._begun
            reading.begin_block(line, groups)
            # The line itself may hold more of its own.
            if not reading.role_row(line, cells):
                reading.keys.take(line, cells, text)
            self._begun = None
        return reading

    def _block_groups(self, text: str) -> dict[str, str | None] | None:
        """Give the named groups of a line that begins a block; None for any other."""
        blocks = self._profile.blocks
        found = None if blocks is None else blocks.begin.search(text)
        return None if found is None else found.groupdict()

    def _table(
        self, reading: HeadReader, header: list[str], record: Record
    ) -> Table[_Columns]:
        line, _, problem = record
        if problem is not None and not self._profile.header.names:
            raise MalformedSourceError(
                f"the header cannot be read: it {problem}",
                source=self._uri,
                place=f"line {line}",
                remedy="repair the header",
            )
        if self._footers is not None and self._number < len(self._footers):
            reading.keys.copy_from(self._footers[self._number])
        head = TableHead(
            line=line,
            header=header,
            keys=reading.keys,
            roles=reading.roles,
            name=reading.name,
            number=self._number,
        )
        return Table(self, head, reading, None if reading.follows else record)

    def _record_outside(self, line: int, text: str) -> None:
        self._report.dropped(
            "line", "outside of the table", place=Place(line=line), detail=text[:200]
        )

    def rows(  # noqa: C901 - every row passes here: no call is made for nothing
        self, table: Table[_Columns], reading: HeadReader, first: Record | None
    ) -> Iterator[Record]:
        """Go through the rows of a table; see :meth:`Table.rows`."""
        profile = self._profile
        cuts = profile.data.columns is not None
        headless = bool(profile.header.names)
        has_roles = bool(profile.roles)
        # Bound at the first row that is data: rows with roles come before it.
        columns: _Columns | None = None
        width, mark, derives, serial = 0, "", False, None
        at, known = 0, frozenset[str]()
        self._below = 0
        for line, cells, problem in self._data_lines(first):
            if has_roles and problem is None and self._has_role(line, cells, reading):
                table.forget_columns()
                columns = None
                continue
            if columns is None:
                columns = table.columns
                reading.begin_rows()
                width, mark = columns.width, columns.mark
                # The column that is declared may have another name by now.
                known = frozenset(filter(None, table.head.header))
                longest = max(known - {mark}, key=len, default=mark)
                at = table.head.header.index(longest)
                derives = columns.derived.needed
                serial = None if columns.derived.members else columns.derived.serial
            if cuts:
                reading.take_side_cells(line, cells)
                cells = reading.cut(cells)  # noqa: PLW2901 - the data's own cells
            if problem is None:
                # A quick look first: a header has its longest name somewhere.
                if (
                    not headless
                    and (mark in cells or (at < len(cells) and cells[at] in known))
                    and _again(cells, table)
                ):
                    if cells != table.head.header:
                        table.head.line, table.head.header = line, cells
                        table.forget_columns()
                        columns = None
                    self._report.mapped("repeated header")
                    self._below = 0
                    continue
                if len(cells) != width or self._records.several:
                    problem = self._flaw(line, cells, columns, cuts=cuts)  # noqa: PLW2901 - its own
                    if problem == _BLANK:
                        continue
            # Where nothing is made of them, few serial numbers need a look.
            if (
                derives
                and len(cells) >= width
                and (
                    serial is None
                    or "+" in (text := cells[serial])
                    or not "$" <= text[:1] <= "~"
                    or not "0" <= text[-1:] <= "9"
                )
            ):
                if problem is None and blank(cells):
                    continue
                flaw = columns.derived.add_to(cells)
                problem = problem or flaw  # noqa: PLW2901 - its own flaw
            yield line, cells, problem

    def _data_lines(self, first: Record | None) -> Iterator[Record]:
        """Go through the lines of a table, without those that are no rows by text."""
        data = self._profile.data
        if first is None and not (self._profile.blocks or data.end or data.skip):
            return self._iterator
        return self._chosen_lines(first)

    def _chosen_lines(self, first: Record | None) -> Iterator[Record]:
        if first is not None:
            yield first
        for record in self._iterator:
            verdict = self._by_text(record[0], record[1])
            if verdict:
                return
            if verdict is None:
                yield record

    def _has_role(self, line: int, cells: list[str], reading: HeadReader) -> bool:
        if self._below < reading.deepest:
            self._below += 1
            if reading.role_at(self._below, line, cells):
                return True
        return reading.role_row(line, cells)

    def _flaw(
        self, line: int, cells: list[str], columns: _Columns, *, cuts: bool
    ) -> str | None:
        if len(cells) != columns.width:
            # A blank line between sections may have fewer cells.
            if blank(cells):
                return _BLANK
            problem = self._misfit(line, cells, columns)
        elif not cuts and self._records.swallowed_rows(columns.width):
            problem = "a quoted cell begins here and goes on over whole rows"
        else:
            return None
        if problem is not None:
            # A stray quote may have swallowed good rows.
            self._records.reread()
        return problem

    def _by_text(self, line: int, cells: list[str]) -> bool | None:
        """Say whether a line ends the table, is no row, or neither (None)."""
        text, profile = self._records.text, self._profile
        groups = self._block_groups(text)
        if groups is not None:
            self._begun = line, cells, text, groups
            return True
        end, skip = profile.data.end, profile.data.skip
        if end is not None and end.search(text):
            self._after_end(line, cells, text)
            return True
        if skip is not None and skip.search(text):
            self._report.omitted(
                "line",
                "skipped, as the profile asks",
                place=Place(line=line),
                detail=text[:200],
            )
            return False
        return None

    def _after_end(self, line: int, cells: list[str], text: str) -> None:
        """Go on to the next block; what stands between is kept as keys or recorded."""
        keys = self._keys()
        self._footer(keys, line, cells, text)
        for number, row, _ in self._iterator:
            shown = self._records.text
            groups = self._block_groups(shown)
            if groups is not None:
                self._begun = number, row, shown, groups
                break
            if not blank(row):
                self._footer(keys, number, row, shown)
        self.behind.append(keys)

    def _footer(self, keys: KeyLines, line: int, cells: list[str], text: str) -> None:
        # The points of another table are no keys, of which there may be thousands.
        points = len(cells) > 1 and all(map(_POINT.fullmatch, cells))
        if keys.declared and not points and keys.take(line, cells, text):
            return
        self._report.omitted(
            "line",
            "behind the end of the table",
            place=Place(line=line),
            detail=text[:200],
        )

    def _misfit(self, line: int, cells: list[str], columns: Bound) -> str | None:
        width = columns.width
        extra = len(cells) - width
        if extra > 0 and not any(cell.strip() for cell in cells[width:]):
            del cells[width:]
            self._coerce_once("blank cells behind the last column, left out", line)
            return None
        missing = -extra
        if missing > 0 and len(cells) >= columns.least:
            cells.extend([""] * missing)
            return None
        if missing > 0 and self._profile.data.short != "refuse":
            cells.extend([""] * missing)
            self._report.mapped("cell that a short row lacks", missing)
            return None
        where = f"where the header in line {columns.line} has {width}"
        cut = ", and no line end" if missing > 0 and self._records.unended else ""
        return f"has {len(cells)} cells {where}{cut}"

    def _coerce_once(self, rule: str, line: int) -> None:
        if rule not in self._recorded:
            self._recorded.add(rule)
            self._report.coerced("row", rule, place=Place(line=line))


def _again(cells: list[str], table: Table[_Columns]) -> bool:
    """Say whether a row is a header again, the same or one with other columns."""
    if cells == table.head.header:
        return True
    columns = table.columns
    shown = [normal(cell) for cell in cells]
    if shown == list(columns.header):
        return True
    # With a single declared column, a value of its name would look like a header.
    names = columns.declared
    if len(names) > 1 and all(find_column(shown, name) for name in names):
        return True
    # The same columns in another order, or some of them with another name.
    filled = [name for name in shown if name]
    known = set(columns.header)
    shared = sum(name in known for name in filled)
    return shared > 1 and shared > len(filled) / 2
