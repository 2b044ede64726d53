"""The measurement of a row."""

from __future__ import annotations

from typing import TypeAlias

from rigbridge.adapters.text.verdicts import MEASUREMENT_OUTCOMES, LoggedVerdict
from rigbridge.model import (
    Measurement,
    MeasurementOutcome,
    MeasurementStamp,
    Scalar,
)
from rigbridge.model.report import ConversionReport, Place
from rigbridge_csv.forms.columns import LongColumns
from rigbridge_csv.forms.shapes import MeasurementShape, judged, name_parts
from rigbridge_csv.profiles.fields import Field
from rigbridge_csv.tables.cells import CellReader
from rigbridge_csv.tables.keys import FilledCell, keep_text

__all__ = ["MeasurementReader", "Shapes"]

_MOST_SHAPES = 10_000
_UNSET = MeasurementOutcome.UNSET

Shapes: TypeAlias = dict[tuple[str, ...], MeasurementShape]
"""What repeats from row to row, by the cells of all fields but the value."""

# These mean nothing without a name; a verdict and a docstring may belong to the phase.
_NEED_A_NAME = (
    Field.VALUE,
    Field.UNIT,
    Field.LOWER_LIMIT,
    Field.UPPER_LIMIT,
    Field.LIMITS,
    Field.COMPARATOR,
)


class MeasurementReader:
    """
    Reads the measurements of one run's rows.

    Args:
        shapes: what repeats from row to row, shared by the runs of a log.
    """

    def __init__(
        self, cells: CellReader, report: ConversionReport, shapes: Shapes
    ) -> None:
        self._cells = cells
        self._report = report
        self._shapes = shapes
        self._judges = cells.profile.verdict == "limits"
        # Recorded once a run: every row passes here.
        self._measured = self._limited = self._attributes = 0

    def read(
        self,
        line: int,
        row: list[str],
        columns: LongColumns,
        attributes: dict[str, str],
    ) -> tuple[Measurement, LoggedVerdict] | None:
        """
        Read the measurement of a row.

        Args:
            attributes: what else the row says; used without a copy, and not changed.

        Returns:
            The measurement and the verdict that was written for it, or None where
            the row names none.

        Raises:
            MalformedSourceError: a cell that cannot be read; names line and column.
        """
        full = [*row, *columns.tail]
        if self._cells.profile.units:
            self._part_units(line, full, columns)
        given = columns.measurement(full)
        shape = self._shapes.get(given) or self._shape(given, line, columns)
        if shape is None:
            return None
        self._measured += 1
        if shape.limited:
            self._limited += 1
        if not shape.plain:
            attributes = self._noted(shape, line, columns, attributes)
        cells = self._cells
        cell = full[columns.value]
        text = cell.strip()
        number: Scalar = None
        if text not in cells.missing:
            number = cell if shape.is_text else cells.number(text)
            # Most values are decimals, of which no more is to be asked.
            if type(number) is not float and not shape.is_text:
                # The cell itself: a text keeps the blanks around it.
                number = cells.value(
                    cell,
                    limited=shape.limits is not None,
                    line=line,
                    name=shape.name,
                    report=self._report,
                )
        verdict, judgement = shape.verdict, shape.judgement
        if shape.outcome is None and self._judges:
            verdict = judged(number, shape.limits, self._report, line, shape.name)
            judgement = MEASUREMENT_OUTCOMES[verdict]
        if not attributes:
            return shape.stamp.make(number, judgement or _UNSET), verdict
        self._attributes += len(attributes)
        if shape.attributes:
            attributes = {**shape.attributes, **attributes}
        return shape.stamp.make(number, judgement or _UNSET, attributes), verdict

    def _part_units(self, line: int, full: list[str], columns: LongColumns) -> None:
        """Put the unit that stands behind the numbers of a row where a unit stands."""
        said: list[str | None] = [self._cells.text(full[columns.unit])]
        for at in (columns.value, *columns.bounds):
            parts = self._cells.split_unit(full[at].strip())
            if parts is not None:
                full[at], unit = parts
                said.append(unit)
        if len(said) > 1:
            label = columns.label(Field.VALUE)
            full[columns.unit] = self._cells.same_unit(said, line, label)

    def _noted(
        self,
        shape: MeasurementShape,
        line: int,
        columns: LongColumns,
        attributes: dict[str, str],
    ) -> dict[str, str]:
        """Record what was changed; give the attributes with what is kept beside."""
        for rule in shape.rules:
            self._report.coerced(
                "limit",
                rule,
                place=Place(line=line, path=shape.name),
                detail=shape.both,
            )
        attributes = dict(attributes)
        if shape.comparator is not None:
            keep_text(attributes, columns.label(Field.COMPARATOR), shape.comparator)
        if shape.judgement is None and shape.outcome is not None:
            # No measurement has such a verdict: its word is kept.
            cell = FilledCell(shape.outcome, line, columns.label(Field.OUTCOME))
            keep_text(attributes, cell.column, cell.text)
            self._report.coerced(
                "measurement outcome",
                "no verdict on a value, so unset; the word is kept",
                place=cell.place,
                detail=cell.text,
            )
        return attributes

    def _shape(
        self, given: tuple[str, ...], line: int, columns: LongColumns
    ) -> MeasurementShape | None:
        """Find what the cells of a row say; None where they name no measurement."""
        name, unit, lower, upper, both, comparator, outcome, docstring = (
            self._cells.texts(given)
        )
        if name is None:
            return None
        parts = name_parts(self._cells.profile.names, name)
        found = self._cells.condition(
            comparator or parts.comparator or ("==" if parts.equal else None),
            lower or parts.lower or parts.equal,
            upper or parts.upper,
            both,
        )
        if found.problem is not None:
            raise self._cells.error(
                found.problem,
                line=line,
                column=columns.label(
                    Field.UPPER_LIMIT if lower is not None else Field.LOWER_LIMIT
                ),
                remedy="correct the log, or declare the columns of the limits the "
                "other way round",
            )
        verdict = LoggedVerdict.UNSET
        if outcome is not None:
            cell = FilledCell(outcome, line, columns.label(Field.OUTCOME))
            verdict = self._cells.verdict(cell)
        template = Measurement(
            name=parts.name,
            unit=unit or parts.unit,
            limits=found.limits,
            validators=found.validators,
            docstring=docstring,
            attributes=dict(parts.attributes),
        )
        limited = any((lower, upper, both, parts.lower, parts.upper, parts.equal))
        rules = found.rules if limited else ()
        # Nothing to compare with, but the log wrote it.
        lone = None if limited else comparator
        judgement = MEASUREMENT_OUTCOMES.get(verdict)
        shape = MeasurementShape(
            name=name,
            stamp=MeasurementStamp(template),
            limits=found.limits,
            limited=limited,
            rules=rules,
            both=both,
            attributes=parts.attributes,
            comparator=lone,
            outcome=outcome,
            verdict=verdict,
            judgement=judgement,
            plain=not (rules or lone or judgement is None),
            is_text=self._cells.is_text(parts.name),
        )
        if len(self._shapes) < _MOST_SHAPES:
            self._shapes[given] = shape
        return shape

    def account(self) -> None:
        """Record how much was read."""
        for item, count in (
            ("measurement", self._measured),
            ("limit", self._limited),
            ("attribute", self._attributes),
        ):
            if count:
                self._report.mapped(item, count)

    def remark(
        self, line: int, row: list[str], columns: LongColumns
    ) -> tuple[FilledCell | None, FilledCell | None]:
        """
        Read the verdict and the docstring of a row that names no measurement.

        Raises:
            MalformedSourceError: the row holds a value or limits without a name.
        """
        for field in _NEED_A_NAME:
            if self._filled(field, line, row, columns) is not None:
                raise self._cells.error(
                    f"a {field.value} without the name of a measurement",
                    line=line,
                    column=columns.label(field),
                    remedy=f"fill the column {columns.label(Field.MEASUREMENT)!r}, "
                    "or correct which columns are declared",
                )
        return (
            self._filled(Field.OUTCOME, line, row, columns),
            self._filled(Field.DOCSTRING, line, row, columns),
        )

    def _filled(
        self, field: Field, line: int, row: list[str], columns: LongColumns
    ) -> FilledCell | None:
        at = columns.positions.get(field)
        text = None if at is None else self._cells.text(row[at])
        return None if text is None else FilledCell(text, line, columns.label(field))
