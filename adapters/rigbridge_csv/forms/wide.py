"""
The wide form: a row a run, a column a measurement.

A blank cell is a measurement that was not made: it is counted and none of the run's.
Limits stand in rows with a role, in the names of the columns, in columns of their own,
or in the profile. What repeats from row to row is made once and shared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import compress
from math import isfinite
from typing import cast

import attrs

from rigbridge.adapters.text.verdicts import MEASUREMENT_OUTCOMES, LoggedVerdict
from rigbridge.errors import NoRunError, SourceError
from rigbridge.model import (
    Measurement,
    MeasurementOutcome,
    Run,
    Scalar,
)
from rigbridge.model.report import ConversionReport
from rigbridge_csv.forms.phases import PhaseRows
from rigbridge_csv.forms.reading import LogReading
from rigbridge_csv.forms.shapes import judged
from rigbridge_csv.forms.value_columns import ValueColumn
from rigbridge_csv.forms.wide_columns import ColumnGroup, MeasuredColumn, WideColumns
from rigbridge_csv.limits import Condition
from rigbridge_csv.profiles.fields import Field
from rigbridge_csv.tables.head import TableHead
from rigbridge_csv.tables.keys import FilledCell, KeyLines, keep_text
from rigbridge_csv.tables.table import Table

__all__ = ["read_wide"]


def read_wide(reading: LogReading) -> Iterator[Run]:
    """Read the runs of a log, a row each."""

    def bind(head: TableHead, report: ConversionReport) -> WideColumns:
        return WideColumns(head, reading.cells, report)

    empty = True
    footers = reading.find_footers(bind)
    with reading.tables(bind, reading.context.report, footers) as reader:
        for table in reader.tables():
            for run in _table_runs(reading, table):
                empty = False
                if run is not None:
                    yield run
    if empty:
        raise NoRunError("holds a header but no rows", source=reading.source.uri)


def _table_runs(reading: LogReading, table: Table[WideColumns]) -> Iterator[Run | None]:
    """Give the runs of a table; None for a row that is no run of its own."""
    joined = reading.profile.runs is not None
    rows: _WideRun | None = None
    last: tuple[str, ...] | None = None
    for line, cells, problem in table.rows():
        yield None
        columns = table.columns
        key = None if problem is not None else columns.key(cells)
        if rows is not None and not (joined and key is not None and key == last):
            yield from _end(reading, rows)
            rows = None
        last = key
        if problem is not None:
            reading.fail(reading.damaged(line, problem))
            continue
        if rows is None:
            rows = _WideRun(reading, columns, table.head.keys, line)
        rows.take(line, cells, columns)
    if rows is not None:
        yield from _end(reading, rows)
        table.columns.record_unfilled(table.head)


_COMPARED = ("lower", "upper", "equal")
_BOOLEANS = {"true": True, "false": False}


def _as_boolean(
    value: Scalar, condition: Condition, wanted: str | None
) -> tuple[Scalar, Condition]:
    """Take a value that has to be true or false as such."""
    if wanted is None or not isinstance(value, str):
        return value, condition
    expected = _BOOLEANS.get(wanted.casefold())
    found = _BOOLEANS.get(value.strip().casefold())
    if expected is None or found is None:
        return value, condition
    return found, Condition(validators=(f"x == {expected}",))


def _end(reading: LogReading, rows: _WideRun) -> Iterator[Run]:
    if rows.error is not None:
        reading.fail(rows.error)
    else:
        yield from reading.finish(rows.assembly, rows.finish)


class _WideRun:
    """The row, or rows of one key, of one run."""

    def __init__(
        self, reading: LogReading, columns: WideColumns, keys: KeyLines, line: int
    ) -> None:
        self.reading = reading
        self.cells = reading.cells
        self.judges = reading.profile.verdict == "limits"
        self.assembly = reading.assemble(line, columns.constants, keys)
        self.rows: list[PhaseRows] = []
        self.error: SourceError | None = None

    def take(self, line: int, row: list[str], columns: WideColumns) -> None:
        """Take a row; the first that cannot be read fails the run."""
        if self.error is None:
            try:
                self._add(line, row, columns)
            except SourceError as error:
                self.error = error

    def _add(self, line: int, row: list[str], columns: WideColumns) -> None:
        self.assembly.take_row(row, columns)
        kept = self.assembly.add_run_cells(line, row, columns)
        cells = self.cells
        for at, label in columns.others:
            if (text := row[at]) and not text.isspace():
                keep_text(self.assembly.metadata, label, text)
        for label, other in kept.items():
            keep_text(self.assembly.metadata, label, other)
        fields = {
            field: FilledCell(given, line, columns.label(field))
            for field in columns.phases
            if (given := cells.text(row[columns.positions[field]])) is not None
        }
        phase = columns.constants.get(Field.PHASE)
        if phase is not None:
            fields.setdefault(Field.PHASE, phase)
        self._add_cells(line, row, columns, fields)

    def _phase(
        self,
        name: str | None,
        line: int,
        fields: dict[Field, FilledCell],
        targets: Iterable[MeasuredColumn] = (),
    ) -> PhaseRows:
        own = dict(fields)
        if name is not None:
            own[Field.PHASE] = FilledCell(name, line, "phase")
        if self.rows and self.rows[-1].agrees(own):
            last = self.rows[-1]
            # A row that measures the same again is another phase, as a loop is.
            measured = {measurement.name for measurement in last.measurements}
            if measured.isdisjoint(target.column.parts.name for target in targets):
                return last
        made = PhaseRows(line=line, fields=own)
        self.rows.append(made)
        return made

    def _add_cells(
        self,
        line: int,
        row: list[str],
        columns: WideColumns,
        fields: dict[Field, FilledCell],
    ) -> None:
        report = self.assembly.report
        blank = limited = measured = 0
        units: dict[int, str] = {}
        if self.reading.profile.units:
            row = list(row)
            units = self._part_units(line, row, columns)
        for group in columns.groups:
            values, filled = self._values(line, group.pick(row), group)
            blank += len(group.targets) - len(values)
            if not values:
                continue
            measured_now = compress(group.targets, filled)
            phase = self._phase(group.phase, line, fields, measured_now)
            measured += len(values)
            if group.unfilled:
                group.unfilled[:] = [at for at in group.unfilled if not filled[at]]
            whole = len(values) == len(group.targets)
            if group.plain and not self.judges:
                made = group.row.make(values, None if whole else filled)
                limited += sum(
                    group.limits if whole else compress(group.limits, filled)
                )
            else:
                targets = compress(group.targets, filled)
                pairs = [
                    self._judged(line, row, target, value)
                    for target, value in zip(targets, values, strict=True)
                ]
                made = [measurement for measurement, _ in pairs]
                limited += sum(measurement.limits is not None for measurement in made)
                phase.verdicts.extend(verdict for _, verdict in pairs)
            if units:
                made = [
                    attrs.evolve(measurement, unit=units.get(at, measurement.unit))
                    for measurement, at in zip(
                        made,
                        [
                            target.column.at
                            for target in compress(group.targets, filled)
                        ],
                        strict=True,
                    )
                ]
            phase.measurements.extend(made)
        if not measured and fields:
            self._phase(None, line, fields)
        for item, count in (
            ("measurement", measured),
            ("limit", limited),
            ("cell that is blank: not run", blank),
        ):
            if count:
                report.mapped(item, count)

    def _part_units(
        self, line: int, row: list[str], columns: WideColumns
    ) -> dict[int, str]:
        """Leave the numbers in a row, and give the units that stood behind them."""
        found: dict[int, str] = {}
        for target in columns.targets:
            own = [
                target.column.at,
                *(target.beside[n] for n in _COMPARED if n in target.beside),
            ]
            said: list[str | None] = []
            for at in own:
                parts = self.cells.split_unit(row[at].strip())
                if parts is not None:
                    row[at], unit = parts
                    said.append(unit)
            if said:
                found[target.column.at] = self.cells.same_unit(
                    [target.column.unit, *said], line, target.column.header
                )
        return found

    def _values(
        self, line: int, texts: tuple[str, ...], group: ColumnGroup
    ) -> tuple[list[Scalar], list[bool]]:
        """Give the values of the cells that are filled, and which these are."""
        cells = self.cells
        if cells.plain_decimals and group.numeric:
            joined = "".join(texts)
            # Nearly every row is of plain decimals: read them by a loop of C.
            if (
                joined.isascii()
                and "_" not in joined
                # One a number: a text with two is none, and float() refuses it.
                and joined.count(".") == len(texts)
            ):
                try:
                    numbers = list(map(float, texts))
                except ValueError:
                    numbers = []
                if numbers and all(map(isfinite, numbers)):
                    return cast("list[Scalar]", numbers), [True] * len(numbers)
        missing, read, value = cells.missing, cells.number, cells.value
        values: list[Scalar] = []
        filled: list[bool] = []
        for cell, target in zip(texts, group.targets, strict=True):
            text = cell.strip()
            if text in missing:
                filled.append(False)
                continue
            number: Scalar = cell if target.is_text else read(text)
            if type(number) is not float and not target.is_text:
                number = value(
                    cell,
                    limited=target.limited,
                    line=line,
                    name=target.column.header,
                    report=self.assembly.report,
                )
            filled.append(True)
            values.append(number)
        return values, filled

    def _judged(
        self, line: int, row: list[str], target: MeasuredColumn, value: Scalar
    ) -> tuple[Measurement, LoggedVerdict]:
        """Make a measurement with its own columns, or judged by its limits."""
        if target.beside:
            return self._with_own_columns(line, row, target, value)
        verdict = LoggedVerdict.UNSET
        if self.judges:
            limits, name = target.template.limits, target.column.header
            verdict = judged(value, limits, self.assembly.report, line, name)
        outcome = MEASUREMENT_OUTCOMES.get(verdict, MeasurementOutcome.UNSET)
        return attrs.evolve(target.template, value=value, outcome=outcome), verdict

    def _with_own_columns(
        self, line: int, row: list[str], target: MeasuredColumn, number: Scalar
    ) -> tuple[Measurement, LoggedVerdict]:
        """Make a measurement that has columns of its own for limits or verdict."""
        cells, column, beside = self.cells, target.column, target.beside
        texts = {
            what: text
            for what, at in beside.items()
            if (text := cells.text(row[at])) is not None
        }
        condition = self._condition(line, column, texts)
        verdict = LoggedVerdict.UNSET
        if (word := texts.get("outcome")) is not None:
            verdict = cells.verdict(FilledCell(word, line, target.judge))
        elif self.judges:
            verdict = judged(
                number, condition.limits, self.assembly.report, line, column.header
            )
        number, condition = _as_boolean(number, condition, texts.get("equal"))
        attributes = dict(column.attributes)
        if word is not None and verdict not in MEASUREMENT_OUTCOMES:
            attributes["outcome"] = word
        return Measurement(
            name=column.parts.name,
            outcome=MEASUREMENT_OUTCOMES.get(verdict, MeasurementOutcome.UNSET),
            value=number,
            unit=texts.get("unit") or column.unit,
            limits=condition.limits,
            validators=condition.validators,
            attributes=attributes,
        ), verdict

    def _condition(
        self, line: int, column: ValueColumn, texts: dict[str, str]
    ) -> Condition:
        lower, upper = texts.get("lower"), texts.get("upper")
        rule = self.reading.profile.measurements
        comparator: str | None
        if "equal" in texts:
            comparator, lower, upper = "==", texts["equal"], None
        elif lower is None and upper is None:
            return column.condition
        else:
            signs = [
                sign
                for text, template in ((lower, rule.lower), (upper, rule.upper))
                if text is not None and (sign := rule.sign(template)) is not None
            ]
            comparator = " ".join(signs) or None
        found = self.cells.condition(comparator, lower, upper, None)
        if found.problem is not None:
            raise self.cells.error(
                found.problem,
                line=line,
                column=column.header,
                remedy="correct the log, or declare lower and upper the other way",
            )
        return found

    def finish(self) -> list[PhaseRows]:
        """Give the phases."""
        return self.rows
