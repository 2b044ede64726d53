"""The measurement of a row."""

from __future__ import annotations

from typing import TypeAlias

from rigbridge.adapters.text.verdicts import MEASUREMENT_OUTCOMES, LoggedVerdict
from rigbridge.model import Measurement, MeasurementOutcome, Scalar
from rigbridge.model.report import ConversionReport, Place
from rigbridge_csv.forms.columns import LongColumns
from rigbridge_csv.forms.shapes import MeasurementShape, judged, name_parts
from rigbridge_csv.profiles.fields import MEASUREMENT_FIELDS, Field
from rigbridge_csv.tables.cells import CellReader
from rigbridge_csv.tables.keys import FilledCell, keep_text

__all__ = ["MeasurementReader", "Shapes"]

_MOST_SHAPES = 10_000
_Text: TypeAlias = str | None
_Given: TypeAlias = tuple[str, _Text, _Text, _Text, _Text, _Text, _Text]

Shapes: TypeAlias = dict[_Given, MeasurementShape]
"""What repeats from row to row, by the texts of name, unit, limits and docstring."""

_VALUE = MEASUREMENT_FIELDS.index(Field.VALUE)
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
        cells: reads single cells.
        report: where changes are recorded.
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
        self._counts = dict.fromkeys(("measurement", "limit", "attribute"), 0)

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
            line: the row's line.
            row: its cells.
            columns: where its fields are.
            attributes: what else the row says; used without a copy, and not changed.

        Returns:
            The measurement and the verdict that was written for it, or None where
            the row names none.

        Raises:
            MalformedSourceError: a cell that cannot be read; names line and column.
        """
        picked = columns.measurement([*row, *columns.tail])
        name, value, unit, lower, upper, both, comparator, outcome, docstring = (
            self._cells.texts(picked)
        )
        if name is None:
            return None
        counts = self._counts
        counts["measurement"] += 1
        given = (name, unit, lower, upper, both, comparator, docstring)
        shape = self._shapes.get(given)
        if shape is None:
            shape = self._shape(given, line, columns)
        if shape.limited:
            counts["limit"] += 1
            for rule in shape.rules:
                self._report.coerced(
                    "limit", rule, place=Place(line=line, path=name), detail=both
                )
        elif comparator is not None:
            # Nothing to compare with, but the log wrote it.
            attributes = dict(attributes)
            keep_text(attributes, columns.label(Field.COMPARATOR), comparator)
        known = LoggedVerdict.UNSET if outcome is None else self._cells.word(outcome)
        if outcome is not None and known not in MEASUREMENT_OUTCOMES:
            attributes = dict(attributes)
            known = self._kept_verdict(outcome, line, columns, attributes)
        verdict = known or LoggedVerdict.UNSET
        number: Scalar = None if value is None else self._cells.number(value)
        # Most values are decimals, of which no more is to be asked.
        if value is not None and type(number) is not float:
            # The cell itself: a text keeps the blanks around it.
            number = self._cells.value(
                picked[_VALUE],
                limited=shape.limits is not None,
                line=line,
                name=name,
                report=self._report,
            )
        if outcome is None and self._judges:
            verdict = judged(number, shape.limits, self._report, line, name)
        judgement = MEASUREMENT_OUTCOMES.get(verdict, MeasurementOutcome.UNSET)
        if attributes or shape.attributes:
            counts["attribute"] += len(attributes)
            texts = (
                {**shape.attributes, **attributes} if shape.attributes else attributes
            )
            return shape.stamp.make(number, judgement, texts), verdict
        return shape.stamp.make(number, judgement), verdict

    def _shape(
        self, given: _Given, line: int, columns: LongColumns
    ) -> MeasurementShape:
        name, unit, lower, upper, both, comparator, docstring = given
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
        shape = MeasurementShape.of(
            parts,
            unit,
            found,
            docstring,
            limited=any((lower, upper, both, parts.lower, parts.upper, parts.equal)),
        )
        if len(self._shapes) < _MOST_SHAPES:
            self._shapes[given] = shape
        return shape

    def account(self) -> None:
        """Record how much was read."""
        for item, count in self._counts.items():
            if count:
                self._report.mapped(item, count)

    def _kept_verdict(
        self, text: str, line: int, columns: LongColumns, attributes: dict[str, str]
    ) -> LoggedVerdict:
        """Give a verdict that no measurement has; its word is kept."""
        cell = FilledCell(text, line, columns.label(Field.OUTCOME))
        verdict = self._cells.verdict(cell)
        keep_text(attributes, cell.column, cell.text)
        self._report.coerced(
            "measurement outcome",
            "no verdict on a value, so unset; the word is kept",
            place=cell.place,
            detail=cell.text,
        )
        return verdict

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
