"""
The series form: a column of points a measurement, all rows of a table one run.

A column is taken over ``x``, and where that is not in the rows, over ``start`` and
``step``. Columns of ``by`` (step, cycle) divide the rows into phases.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from rigbridge.adapters.text.verdicts import LoggedVerdict
from rigbridge.errors import MalformedSourceError, NoRunError, SourceError
from rigbridge.model import (
    Axis,
    Measurement,
    MeasurementOutcome,
    Run,
    Series,
)
from rigbridge.model.report import ConversionReport, Place
from rigbridge_csv.forms.phases import PhaseRows
from rigbridge_csv.forms.points import Points
from rigbridge_csv.forms.reading import LogReading
from rigbridge_csv.forms.series_columns import JOINED, NO_X, SeriesColumns
from rigbridge_csv.forms.value_columns import ValueColumn
from rigbridge_csv.profiles.fields import Field, FieldSource
from rigbridge_csv.profiles.place import BlockMeaning
from rigbridge_csv.tables.head import TableHead
from rigbridge_csv.tables.keys import FilledCell, KeyLines, keep_text
from rigbridge_csv.tables.table import Table

__all__ = ["read_series"]

_COUNTS = (
    "record length",
    "samples",
    "number of data points",
    "points",
    "memory length",
)


@attrs.define
class _Section:
    """The points of one phase."""

    line: int
    columns: SeriesColumns
    points: dict[int, Points]
    by: tuple[str, ...]
    name: str | None
    last: int = 0
    rows: int = 0


def read_series(reading: LogReading) -> Iterator[Run]:
    """Read the runs of a log, a table each."""

    def bind(head: TableHead, report: ConversionReport) -> SeriesColumns:
        return SeriesColumns(head, reading.cells, report)

    profile = reading.profile
    as_phases = profile.blocks is not None and profile.blocks.is_ is BlockMeaning.PHASE
    whole: _SeriesRun | None = None
    last = 0
    empty = True
    footers = reading.find_footers(bind)
    with reading.tables(bind, reading.context.report, footers) as reader:
        for table in reader.tables():
            if whole is None or not as_phases:
                if whole is not None:
                    last = whole.last_line
                    yield from whole.end()
                whole = None
            for made in _table_runs(reading, table, whole, last):
                if isinstance(made, _SeriesRun):
                    whole = made
                else:
                    yield made
            empty = False
    if whole is not None:
        yield from whole.end()
    if empty:
        raise NoRunError("holds no table", source=reading.source.uri)


def _table_runs(
    reading: LogReading,
    table: Table[SeriesColumns],
    whole: _SeriesRun | None,
    last: int,
) -> Iterator[Run | _SeriesRun]:
    """Give the runs of a table that have ended, and at last the one that is open."""
    in_blocks = reading.profile.blocks is not None and whole is None
    divided = reading.profile.runs is not None and not reading.profile.runs.whole
    run = whole
    if run is not None:
        run.begin_table()
    key: tuple[str, ...] | None = None
    for line, cells, problem in table.rows():
        columns = table.columns
        if divided and problem is None:
            found = columns.key(cells)
            if run is not None and key is not None and found != key:
                yield from run.end()
                run = None
            key = found
        if run is None:
            run = _SeriesRun(reading, columns, table.head.keys, line)
            run.is_one_of_several = divided or in_blocks
            if in_blocks and not divided:
                # The keys of a block are its own; those above the first are of all.
                run.assembly.keys_after = last
        run.add(line, cells, problem, columns, table.head)
    if run is None:
        run = _SeriesRun(reading, table.columns, table.head.keys, table.head.line)
        run.error = NoRunError("holds a header but no rows", source=reading.source.uri)
    run.check_count(table.head.keys)
    yield run


class _SeriesRun:
    """The points of one run."""

    def __init__(
        self, reading: LogReading, columns: SeriesColumns, keys: KeyLines, line: int
    ) -> None:
        self.reading = reading
        self.cells = reading.cells
        self.error: SourceError | None = None
        self.assembly = reading.assemble(line, columns.constants, keys)
        self._sections: list[_Section] = []
        self._open: _Section | None = None
        # Of a file that is one run, nobody knows whether it has come to its end.
        self.is_one_of_several = False
        self._joins = reading.profile.series.join
        self._found: dict[tuple[str, ...], _Section] = {}
        self._keys: KeyLines = keys
        self._phase_keys: list[KeyLines | None] = []

    @property
    def last_line(self) -> int:
        """The line of its last row."""
        return max((section.last for section in self._sections), default=0)

    def begin_table(self) -> None:
        """Begin the points of another block."""
        self._open = None
        self._found.clear()

    def add(
        self,
        line: int,
        row: list[str],
        problem: str | None,
        columns: SeriesColumns,
        head: TableHead,
    ) -> None:
        """Take a row; the first that cannot be used fails the run."""
        if self.error is not None:
            return
        if problem is not None:
            self.error = self.reading.damaged(line, problem)
            return
        try:
            self._add(line, row, columns, head)
        except SourceError as error:
            self.error = error

    def _add(
        self, line: int, row: list[str], columns: SeriesColumns, head: TableHead
    ) -> None:
        if self.is_one_of_several:
            self.assembly.take_row(row, columns)
        kept = self.assembly.add_run_cells(line, row, columns)
        for label, text in kept.items():
            # The times of the rows are a series of their own.
            if label not in columns.clocks:
                self.assembly.note(line, {label: text})
        by = tuple([row[at].strip() for at, _ in columns.by])
        section = self._open
        if section is None or section.by != by or section.columns is not columns:
            section = self._found.get(by) if self._joins else None
            if section is None or section.columns is not columns:
                section = self._section(line, by, columns, head)
            self._open = self._found[by] = section
        section.rows += 1
        section.last = line
        for at, points in section.points.items():
            text = columns.joined_x(row) if at == JOINED else row[at]
            beside = columns.unit_at.get(at)
            if beside is not None:
                text = self._with_unit(text, self.cells.text(row[beside]), line, points)
            points.add(text, line)

    def _with_unit(self, text: str, unit: str | None, line: int, points: Points) -> str:
        """Give the cell of a value whose unit has a column of its own."""
        if self.cells.number(text.strip()) is not None:
            points.take_unit(unit, line)
        elif unit is not None and self.cells.text(text) is None:
            place = Place(line=line)
            self.assembly.report.omitted(
                "unit", "of a cell without a value", place=place, detail=unit
            )
        elif unit not in (None, points.unit):
            # An overload may have another unit than the numbers: OL MOhm.
            return f"{text.strip()} {unit}"
        return text

    def _section(
        self,
        line: int,
        by: tuple[str, ...],
        columns: SeriesColumns,
        head: TableHead,
    ) -> _Section:
        positions = dict.fromkeys(
            [*columns.x, *(column.at for column in columns.values)]
        )
        points = {
            at: Points(
                self.cells,
                columns.x[at].header,
                counts=True,
                durations=columns.profile.series.durations,
            )
            if at in columns.x
            else Points(self.cells, name, is_text=self.cells.is_text(name))
            for at in positions
            for name in ["" if at == JOINED else columns.names.label(at)]
        }
        section = _Section(line, columns, points, by, head.name)
        self._sections.append(section)
        self._phase_keys.append(None if head.keys is self._keys else head.keys)
        return section

    def check_count(self, keys: KeyLines) -> None:
        """Record where the log says another number of points than it has."""
        if not self._sections:
            return
        found = sum(section.rows for section in self._sections)
        last = self._sections[-1].rows
        for name in _COUNTS:
            cell = keys.find(name)
            number = None if cell is None else self.cells.number(cell.text)
            if cell is not None and number is not None and number not in (found, last):
                self.assembly.report.coerced(
                    "series",
                    f"the log says {number:g} points and has {found}",
                    place=cell.place,
                    detail=cell.text,
                )

    def end(self) -> Iterator[Run]:
        """Make the run, or report why it cannot be made."""
        if self.error is not None:
            self.reading.fail(self.error)
        else:
            yield from self.reading.finish(self.assembly, self._phases)

    def _phases(self) -> list[PhaseRows]:
        return [
            self._phase(section, keys)
            for section, keys in zip(self._sections, self._phase_keys, strict=True)
        ]

    def _phase(self, section: _Section, keys: KeyLines | None) -> PhaseRows:
        columns = section.columns
        fields: dict[Field, FilledCell] = {}
        named = [
            f"{name} {text}"
            for (_, name), text in zip(columns.by, section.by, strict=True)
            if text
        ]
        name = ", ".join(named) or section.name
        phase = columns.constants.get(Field.PHASE)
        if name:
            fields[Field.PHASE] = FilledCell(name, section.line, "phase")
        elif phase is not None:
            fields[Field.PHASE] = phase
        made = PhaseRows(line=section.line, fields=fields)
        for (_, label), text in zip(columns.by, section.by, strict=True):
            if text:
                keep_text(made.attributes, label, text)
        if keys is not None:
            for label, cell in keys.texts.items():
                keep_text(made.attributes, label, cell.text)
        axes: dict[int | None, Axis] = {}
        for column in columns.values:
            measurement = self._measurement(section, column, axes)
            if measurement is not None:
                made.measurements.append(measurement)
                made.verdicts.append(LoggedVerdict.UNSET)
        self.assembly.report.mapped("measurement", len(made.measurements))
        self.assembly.report.mapped("row", section.rows)
        return made

    def _measurement(
        self,
        section: _Section,
        column: ValueColumn,
        axes: dict[int | None, Axis],
    ) -> Measurement | None:
        points = section.points[column.at]
        columns = section.columns
        if not points.filled:
            # Scopes write the start and the step of the x into the row of units.
            if column.unit is not None:
                keep_text(self.assembly.metadata, column.header, column.unit)
            # A column without a header and without cells is a delimiter at the end.
            if columns.header[column.at]:
                self.assembly.report.coerced(
                    "measurement",
                    "a column without any value in these rows, left out",
                    place=Place(line=section.line, path=column.header),
                )
            return None
        rule = self.reading.profile.series
        at_x = columns.over[column.at]
        values: Sequence[object] = points.values()
        unit = column.unit or columns.stated(rule.unit)
        if points.unit is not None:
            unit = self.cells.same_unit(
                [unit, points.unit], section.line, column.header
            )
        measured = Axis(name=column.parts.name, unit=unit, values=values)
        x = self._x(section, column, at_x, axes)
        return Measurement(
            name=column.parts.name,
            outcome=MeasurementOutcome.UNSET,
            value=Series(axes=(measured,) if x is None else (x, measured)),
            limits=column.condition.limits,
            validators=column.condition.validators,
            attributes=column.attributes,
        )

    def _x(
        self,
        section: _Section,
        column: ValueColumn,
        at: int | None,
        axes: dict[int | None, Axis],
    ) -> Axis | None:
        columns = section.columns
        rule = self.reading.profile.series
        if at is not None and section.points[at].filled:
            if at not in axes:
                described = columns.x[at]
                axes[at] = Axis(
                    name=described.parts.name,
                    unit=section.points[at].unit
                    # The unit in the name of a duration tells how it is written.
                    or ("s" if rule.durations else described.unit)
                    or columns.stated(rule.x_unit),
                    values=section.points[at].values(),
                )
            return axes[at]
        start = self._number(column.start, rule.start, columns)
        step = self._number(column.step, rule.step, columns)
        if start is None or step is None:
            return None
        # Rows of the phases before it count.
        before = 0
        for other in self._sections:
            if other is section:
                break
            if other.columns is columns:
                before += other.rows
        return Axis(
            name=rule.x_name or NO_X,
            unit=columns.stated(rule.x_unit),
            values=[start + step * (before + at) for at in range(section.rows)],
        )

    def _number(
        self,
        role: str | None,
        source: FieldSource | None,
        columns: SeriesColumns,
    ) -> float | None:
        text = columns.stated(source) if role is None else role
        if text is None:
            return None
        number = self.cells.number(text.strip())
        if number is None:
            raise MalformedSourceError(
                f"{text!r} is no number, and series.start and series.step need one",
                source=self.reading.source.uri,
                place=f"line {columns.line}",
                remedy=f"correct profile {self.reading.profile.name!r}",
            )
        return number
