"""
The long form: a row a measurement, the rows of a run one below the other.

A run ends where its *key* changes: the cells of ``runs``, by default serial number and
start. The log is read twice, as a stream. The first pass collects the keys, because a
key may come again further down:

- With a start time in it, it is the same run, interrupted by rows of other runs. Its
  parts would look like whole runs with a verdict each. So that run is refused, the
  error names the lines, and its neighbours are read.
- Without one, it is a retest of the same unit if a name that was measured before is
  measured again: another run, recorded as coerced. With other names it is one run that
  was interrupted, and is refused likewise.
- With ``runs = "by key"`` the parts are joined.

Where the log writes no verdict for a run, it is derived from the verdicts that are
written (never from numbers and limits), and that is recorded as coerced:

- no verdict column for runs: the worst of the verdicts of its phases and measurements,
  ERROR if there is none;
- a verdict column whose cells are blank for this run: ERROR, the test was not finished;
- a phase without one: the worst of its measurements; SKIP if none has a value; PASS if
  the log says that the run passed; else ERROR.

A row that does not fit the header, holds NUL or undecodable bytes, or a quote that is
never closed, fails the run that its key names. Where its key is damaged, it fails the
runs before and after it. All other runs arrive.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import attrs

from rigbridge.errors import MalformedSourceError, NoRunError, SourceError
from rigbridge.model import Run
from rigbridge.model.report import ConversionReport, Place
from rigbridge_csv.forms.columns import LongColumns
from rigbridge_csv.forms.measurements import Shapes
from rigbridge_csv.forms.reading import LogReading
from rigbridge_csv.forms.rows import LongRun
from rigbridge_csv.profiles.fields import Field
from rigbridge_csv.tables.head import TableHead
from rigbridge_csv.tables.keys import KeyLines
from rigbridge_csv.tables.table import Table

__all__ = ["read_long"]


_Row: TypeAlias = tuple[
    int, list[str], LongColumns, tuple[str, ...] | None, bool, str | None
]
"""
A row with the key of its run: line, cells, columns, key, timed, problem.

The key is None where the row is damaged so that nobody can tell; ``timed`` says whether
the key holds the start of the run. A tuple: every row is one, in both passes.
"""


@attrs.define
class _Repeated:
    """A key whose rows are not all together, and whether names come again with it."""

    line: int
    last: int
    retested: bool


@attrs.define
class _OpenRun:
    """
    The rows of one run, while they are read.

    ``refused`` marks another part of a run that was refused already: it is no run of
    its own, neither in the count nor among the failures.
    """

    key: tuple[str, ...]
    rows: LongRun
    error: SourceError | None = None
    refused: bool = False

    def fail(self, error: SourceError) -> None:
        """Remember the first of its errors; the rest usually follows from it."""
        self.error = self.error or error


class _KeyOrder:
    """
    Which keys come again behind other rows, and what is measured again with them.

    Hashes only, so that a log of a million runs does not keep its keys in memory; of 64
    bits, so that two keys of one hash do not happen within a log. Names are held once
    for all runs that measure the same.

    Attributes:
        repeated: by its hash, each key that came again.
        last: the key of the last row.
        again: whether it came again.
    """

    def __init__(self) -> None:
        self.repeated: dict[int, _Repeated] = {}
        self._seen: dict[int, frozenset[int]] = {}
        self._known: dict[frozenset[int], frozenset[int]] = {}
        self.last: tuple[str, ...] | None = None
        self.again = False
        self._digest = 0
        self._names: set[int] = set()
        self._before: frozenset[int] | None = None

    def take(self, row: _Row, *, appended: bool, named: bool) -> None:
        """
        Take a row whose key is known.

        Args:
            appended: whether it begins a part of another time.
            named: whether it matters what the row measures.
        """
        line, cells, columns, key, _, problem = row
        if key != self.last:
            self._begin(key, line, appended=appended)
        found = self.repeated[self._digest] if self.again else None
        if found is not None:
            found.last = line
        at = columns.positions.get(Field.MEASUREMENT)
        if at is None or problem is not None or not named:
            return
        name = hash(cells[at])
        if found is not None and self._before is not None and name in self._before:
            found.retested = True
        self._names.add(name)

    def _begin(self, key: tuple[str, ...] | None, line: int, *, appended: bool) -> None:
        if self.last is not None:
            held = frozenset(self._names)
            self._seen[self._digest] = self._known.setdefault(held, held)
        self.last, self._digest = key, hash(key)
        self._before = self._seen.get(self._digest)
        self._names = set(self._before or ())
        self.again = self._before is not None
        if self.again:
            found = self.repeated.setdefault(self._digest, _Repeated(line, line, False))
            # A part that was appended is no part of a run before it.
            found.retested |= appended


def read_long(reading: LogReading) -> Iterator[Run]:
    """Read the runs of a log."""
    reader = _LongReader(reading)
    yield from reader.runs()


class _LongReader:
    def __init__(self, reading: LogReading) -> None:
        self.reading = reading
        self.profile = reading.profile
        self.joins = reading.profile.run_rule.join
        self.shapes: Shapes = {}

    def bind(self, head: TableHead, report: ConversionReport) -> LongColumns:
        return LongColumns(head, self.reading.cells, report)

    def rows(self, table: Table[LongColumns]) -> Iterator[_Row]:
        columns = table.columns
        start, pick = _start(columns), columns.key
        # Almost every row has the key of the row before it.
        picked: tuple[str, ...] | None = None
        key: tuple[str, ...] = ()
        told = timed = False
        for line, cells, problem in table.rows():
            if table.columns is not columns:
                columns = table.columns
                start, pick, picked = _start(columns), columns.key, None
            if len(cells) < columns.key_width or not cells:
                yield line, cells, columns, None, False, problem
                continue
            if len(cells) < columns.width and columns.derived.members:
                # The derived cells, the key among them, cannot be told.
                yield line, cells, columns, None, False, problem
                continue
            found = pick(cells)
            if found != picked:
                picked = found
                key = tuple([cell.strip() for cell in found])
                told = any(key)
                # Without its start a run cannot be told from a retest of the unit.
                timed = start is not None and bool(key[start])
            # In a damaged row the key may be damaged too.
            if problem is not None and not all(map(str.isprintable, key)):
                yield line, cells, columns, None, False, problem
                continue
            if not told and problem is None and not any(map(str.strip, cells)):
                continue
            yield line, cells, columns, key, timed, problem

    def find_repeated_keys(self) -> tuple[dict[int, _Repeated], list[KeyLines] | None]:
        """
        Find the keys whose rows are not all together, and the keys behind the rows.

        Returns:
            By the hash of such a key, the line in which it comes again.
        """
        order = _KeyOrder()
        # The report is thrown away: the second pass records the same columns.
        with self.reading.tables(self.bind, ConversionReport()) as reader:
            for table in reader.tables():
                for row in self.rows(table):
                    line, _, _, key, timed, _ = row
                    if key is None:
                        continue
                    # Names tell a retest only where no start does. Where none are
                    # asked for, one row of a run is as good as all.
                    named = not (timed or self.joins)
                    if named or order.again or key is not order.last:
                        appended = line == self.reading.last_mark
                        order.take(row, appended=appended, named=named)
            footers = reader.behind if self.profile.data.end is not None else None
        return order.repeated, footers

    def runs(self) -> Iterator[Run]:
        """Go through the runs, reporting those that cannot be read."""
        repeated, footers = self.find_repeated_keys()
        empty = True
        with self.reading.tables(
            self.bind, self.reading.context.report, footers
        ) as reader:
            for table in reader.tables():
                for run in self._table(table, repeated):
                    empty = False
                    yield run
        if empty and not self.reading.context.failures:
            raise NoRunError(
                "holds a header but no rows", source=self.reading.source.uri
            )

    def _table(  # noqa: C901 - one row after the other, a case each
        self, table: Table[LongColumns], repeated: dict[int, _Repeated]
    ) -> Iterator[Run]:
        open_run: _OpenRun | None = None
        # A damaged row whose run is unknown also fails the run that begins after it.
        orphan: SourceError | None = None
        # Only repeated keys are kept: seldom any.
        known: set[tuple[str, ...]] = set()
        waiting: dict[tuple[str, ...], _OpenRun] = {}
        # Too short to be a row of any run, so they are lines of their own.
        strays: list[tuple[list[str], SourceError]] = []
        before: list[str] = []
        for row in self.rows(table):
            line, cells, _, key, _, _ = row
            if key is None:
                orphan = self._unplaced(row, before, open_run, strays) or orphan
                continue
            before = cells
            orphan = self._left_between(strays, open_run, row) or orphan
            if open_run is None or key != open_run.key:
                if open_run is not None:
                    yield from self._leave(open_run, waiting, repeated, line)
                open_run = waiting.get(key)
                if open_run is None:
                    open_run = self._begin(row, repeated, known, table.head.keys)
                    if self.joins and hash(key) in repeated:
                        waiting[key] = open_run
                if orphan is not None:
                    open_run.fail(orphan)
            orphan = None
            self._add(open_run, row)
        if open_run is not None:
            waiting.setdefault(open_run.key, open_run)
        elif orphan is not None:
            self.reading.fail(orphan)
        for left in waiting.values():
            yield from self._finish(left)
        for _, error in strays:
            self.reading.context.failed(error)

    def _unplaced(
        self,
        row: _Row,
        before: list[str],
        open_run: _OpenRun | None,
        strays: list[tuple[list[str], SourceError]],
    ) -> SourceError | None:
        """
        Take a row whose run nobody can tell; it fails the run that is open.

        Returns:
            Its error, which also fails the next run; None where it is a stray line.
        """
        line, cells, columns, _, _, problem = row
        error = self.reading.damaged(line, problem)
        if _is_stray(cells, columns, before):
            strays.append((cells, error))
            return None
        if open_run is not None:
            open_run.fail(error)
        return error

    def _left_between(
        self,
        strays: list[tuple[list[str], SourceError]],
        open_run: _OpenRun | None,
        row: _Row,
    ) -> SourceError | None:
        """
        Report lines that are no rows, by the row that follows them.

        Within a run they fail it: something of it may be missing there.

        Returns:
            The error of one that may be the beginning of that row, or None.
        """
        _, following, columns, key, _, _ = row
        begun: SourceError | None = None
        for cells, error in strays:
            if open_run is not None and key == open_run.key:
                open_run.fail(error)
            elif _is_cut_from(cells, following, columns):
                begun = error
            else:
                self.reading.context.failed(error)
        strays.clear()
        return begun

    def _leave(
        self,
        open_run: _OpenRun,
        waiting: dict[tuple[str, ...], _OpenRun],
        repeated: dict[int, _Repeated],
        line: int,
    ) -> Iterator[Run]:
        """End a run, unless further rows of it come behind a line."""
        if open_run.key in waiting:
            if repeated[hash(open_run.key)].last > line:
                return
            del waiting[open_run.key]
        yield from self._finish(open_run)

    def _begin(
        self,
        row: _Row,
        repeated: dict[int, _Repeated],
        known: set[tuple[str, ...]],
        keys: KeyLines,
    ) -> _OpenRun:
        line, _, columns, own, timed, _ = row
        key = own or ()
        rows = LongRun(self.reading, columns, keys, line=line, shapes=self.shapes)
        open_run = _OpenRun(key, rows)
        found = repeated.get(hash(key)) if key else None
        if found is None or self.joins:
            return open_run
        if timed or not found.retested:
            open_run.refused = key in known
            open_run.fail(
                MalformedSourceError(
                    f"the rows of the run of {' '.join(filter(None, key))} do not "
                    f"stand together: other runs come before line {found.line}",
                    source=self.reading.source.uri,
                    place=f"line {line}",
                    remedy='declare runs = "by key" to join them, or sort the log by '
                    "run",
                )
            )
        elif key in known:
            rows.assembly.report.coerced(
                "run",
                "the same key again, read as another run of the unit",
                place=Place(line=line),
                detail=" ".join(filter(None, key)) or None,
            )
        known.add(key)
        return open_run

    def _add(self, open_run: _OpenRun, row: _Row) -> None:
        line, cells, columns, _, _, problem = row
        if problem is not None:
            open_run.fail(self.reading.damaged(line, problem))
        if open_run.error is None:
            try:
                open_run.rows.add(line, cells, columns)
            except SourceError as error:
                open_run.fail(error)

    def _finish(self, open_run: _OpenRun) -> Iterator[Run]:
        if open_run.error is None:
            yield from self.reading.finish(open_run.rows.assembly, open_run.rows.finish)
        elif not open_run.refused:
            self.reading.fail(open_run.error)


def _is_stray(cells: list[str], columns: LongColumns, before: list[str]) -> bool:
    """Tell whether a row that is too short for its key is no row of the one before."""
    if not min(columns.key_positions) < len(cells) < columns.key_width:
        return False
    if not all(map(str.isprintable, cells)):
        return False
    return not _is_cut_from(cells, before, columns)


def _is_cut_from(cells: list[str], row: list[str], columns: LongColumns) -> bool:
    """Tell whether what a short row has of its key is the beginning of a row's key."""
    stated = [at for at in columns.key_positions if at < len(cells)]
    return bool(row) and all(row[at].startswith(cells[at].strip()) for at in stated)


def _start(columns: LongColumns) -> int | None:
    at = columns.positions.get(Field.STARTED_AT)
    return columns.key_positions.index(at) if at in columns.key_positions else None
