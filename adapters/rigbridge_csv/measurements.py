"""The measurement of a row."""

from __future__ import annotations

from rigbridge.model import Limit, Measurement, MeasurementOutcome
from rigbridge.model.report import ConversionReport, Place
from rigbridge_csv.cells import CellReader, FilledCell, keep_text
from rigbridge_csv.profiles.fields import MEASUREMENT_FIELDS, Field
from rigbridge_csv.profiles.header import ColumnMap
from rigbridge_csv.verdicts import MEASUREMENT, LoggedVerdict

__all__ = ["MeasurementReader"]

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
    """

    def __init__(self, cells: CellReader, report: ConversionReport) -> None:
        self._cells = cells
        self._report = report
        # Recorded once a run: every row passes here.
        self._counts = dict.fromkeys(("measurement", "limit", "attribute"), 0)

    def read(
        self, line: int, row: list[str], columns: ColumnMap, attributes: dict[str, str]
    ) -> tuple[Measurement, LoggedVerdict] | None:
        """
        Read the measurement of a row.

        Args:
            line: the row's line.
            row: its cells.
            columns: where its fields are.
            attributes: what else the row says; added to, and used without a copy.

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
        limits: Limit | None = None
        validators: tuple[str, ...] = ()
        if lower is not None or upper is not None or both is not None:
            found = self._cells.condition(comparator, lower, upper, both)
            limits, validators = found.limits, found.validators
            counts["limit"] += 1
            for rule in found.rules:
                self._report.coerced(
                    "limit", rule, place=Place(line=line, path=name), detail=both
                )
        elif comparator is not None:
            # Nothing to compare with, but the log wrote it.
            keep_text(attributes, columns.label(Field.COMPARATOR), comparator)
        verdict = LoggedVerdict.UNSET
        if outcome is not None:
            verdict = self._verdict(
                FilledCell(outcome, line, columns.label(Field.OUTCOME)), attributes
            )
        counts["attribute"] += len(attributes)
        measurement = Measurement(
            name=name,
            outcome=MEASUREMENT.get(verdict, MeasurementOutcome.UNSET),
            value=None
            if value is None
            # The cell itself: a text keeps the blanks around it.
            else self._cells.value(
                picked[_VALUE],
                limited=limits is not None,
                line=line,
                name=name,
                report=self._report,
            ),
            unit=unit,
            limits=limits,
            validators=validators,
            docstring=docstring,
            attributes=attributes,
        )
        return measurement, verdict

    def account(self) -> None:
        """Record how much was read."""
        for item, count in self._counts.items():
            if count:
                self._report.mapped(item, count)

    def _verdict(self, cell: FilledCell, attributes: dict[str, str]) -> LoggedVerdict:
        verdict = self._cells.verdict(cell)
        if verdict not in MEASUREMENT:
            keep_text(attributes, cell.column, cell.text)
            self._report.coerced(
                "measurement outcome",
                "no verdict on a value, so unset; the word is kept",
                place=cell.place,
                detail=cell.text,
            )
        return verdict

    def remark(
        self, line: int, row: list[str], columns: ColumnMap
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
        self, field: Field, line: int, row: list[str], columns: ColumnMap
    ) -> FilledCell | None:
        at = columns.positions.get(field)
        text = None if at is None else self._cells.text(row[at])
        return None if text is None else FilledCell(text, line, columns.label(field))
