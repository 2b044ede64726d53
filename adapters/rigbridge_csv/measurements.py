"""The measurement of a row."""

from __future__ import annotations

from rigbridge.errors import MalformedSourceError
from rigbridge.model import Limit, Measurement, MeasurementOutcome
from rigbridge.model.report import ConversionReport, Place
from rigbridge_csv.attributes import keep
from rigbridge_csv.phases import Stated
from rigbridge_csv.profiles.fields import MEASUREMENT_FIELDS, Field
from rigbridge_csv.profiles.header import Binding
from rigbridge_csv.tables.cells import CellReader
from rigbridge_csv.verdicts import MEASUREMENT, LoggedVerdict

__all__ = ["MeasurementReader"]

_VALUE = MEASUREMENT_FIELDS.index(Field.VALUE)
# Without a name these say nothing; a verdict and a docstring may be of the phase.
_OF_A_MEASUREMENT = (
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
        self._counts = dict.fromkeys(("measurement", "limit", "attribute"), 0)

    def read(
        self, line: int, row: list[str], binding: Binding, attributes: dict[str, str]
    ) -> tuple[Measurement, LoggedVerdict] | None:
        """
        Read the measurement of a row.

        Args:
            line: the row's line.
            row: its cells.
            binding: where they stand.
            attributes: what else the row says; added to, and taken over.

        Returns:
            The measurement and the verdict that was written for it, or None where
            the row names none.

        Raises:
            MalformedSourceError: a cell that cannot be read; names line and column.
        """
        picked = binding.measurement([*row, *binding.tail])
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
            keep(attributes, binding.label(Field.COMPARATOR), comparator)
        verdict = LoggedVerdict.UNSET
        if outcome is not None:
            column = binding.label(Field.OUTCOME)
            verdict = self._cells.verdict(outcome, line=line, column=column)
            if verdict not in MEASUREMENT:
                self._no_verdict(outcome, line, column, attributes)
        counts["attribute"] += len(attributes)
        measurement = Measurement(
            name=name,
            outcome=MEASUREMENT.get(verdict, MeasurementOutcome.UNSET),
            value=None
            if value is None
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

    def _no_verdict(
        self, outcome: str, line: int, column: str, attributes: dict[str, str]
    ) -> None:
        keep(attributes, column, outcome)
        self._report.coerced(
            "measurement outcome",
            "no verdict on a value, so unset; the word is kept",
            place=Place(line=line, path=column),
            detail=outcome,
        )

    def remark(
        self, line: int, row: list[str], binding: Binding
    ) -> tuple[Stated | None, Stated | None]:
        """
        Read the verdict and the docstring of a row that names no measurement.

        Raises:
            MalformedSourceError: the row holds a value or limits without a name.
        """
        for field in _OF_A_MEASUREMENT:
            at = binding.positions.get(field)
            if at is not None and self._cells.text(row[at]) is not None:
                raise self._nameless(line, field, binding)
        outcome, docstring = (
            None
            if (at := binding.positions.get(field)) is None
            or (text := self._cells.text(row[at])) is None
            else (text, line, binding.label(field))
            for field in (Field.OUTCOME, Field.DOCSTRING)
        )
        return outcome, docstring

    def _nameless(
        self, line: int, field: Field, binding: Binding
    ) -> MalformedSourceError:
        name = binding.label(Field.MEASUREMENT)
        return self._cells.error(
            f"a {field.value} without the name of a measurement",
            line=line,
            column=binding.label(field),
            remedy=f"fill the column {name!r}, or correct which columns are declared",
        )
