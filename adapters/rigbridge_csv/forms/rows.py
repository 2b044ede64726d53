"""The rows of one run in long form."""

from __future__ import annotations

from rigbridge_csv.forms.columns import LongColumns
from rigbridge_csv.forms.measurements import MeasurementReader, Shapes
from rigbridge_csv.forms.phases import PhaseRows, PhaseSequence
from rigbridge_csv.forms.reading import LogReading
from rigbridge_csv.tables.keys import KeyLines, keep_text

__all__ = ["LongRun"]


class LongRun:
    """Collects the rows of one run."""

    def __init__(
        self,
        reading: LogReading,
        columns: LongColumns,
        keys: KeyLines,
        *,
        line: int,
        shapes: Shapes,
    ) -> None:
        self.assembly = reading.assemble(line, columns.constants, keys)
        self._cells = reading.cells
        # What the last row with a measurement says beside it.
        self._beside: tuple[LongColumns, tuple[str, ...]] | None = None
        self._others: dict[str, str] = {}
        self._phases = PhaseSequence(reading.cells, columns.constants)
        self._measurements = MeasurementReader(
            reading.cells, self.assembly.report, shapes
        )

    def add(self, line: int, row: list[str], columns: LongColumns) -> None:
        """
        Take a row.

        Raises:
            MalformedSourceError: a cell that cannot be read; names line and column.
        """
        self.assembly.take_row(row, columns)
        beside = (columns, columns.beside(row))
        # Almost every row says the same of run and phase as the row before it. What
        # differs within the run was kept with the first of them.
        if beside == self._beside:
            read = self._measurements.read(line, row, columns, self._others)
            if read is not None:
                phase = self._phases.rows[-1]
                phase.measurements.append(read[0])
                phase.verdicts.append(read[1])
                return
        self._beside = None
        attributes = self.assembly.add_run_cells(line, row, columns)
        others: dict[str, str] = {}
        for label, text in zip(columns.others_labels, columns.others(row), strict=True):
            if text and not text.isspace():
                keep_text(others, label, text)
                keep_text(attributes, label, text)
        read = self._measurements.read(line, row, columns, attributes)
        if read is None:
            self._add_remark(line, row, columns, attributes)
            return
        # Read first: a row that cannot be read must not begin a phase.
        phase = self._phases.of(line, row, columns)
        phase.measurements.append(read[0])
        phase.verdicts.append(read[1])
        self._beside, self._others = beside, others

    def _add_remark(
        self,
        line: int,
        row: list[str],
        columns: LongColumns,
        attributes: dict[str, str],
    ) -> None:
        """Add a row without a measurement: it belongs to its phase, or to the run."""
        outcome, docstring = self._measurements.remark(line, row, columns)
        if self._phases.names_one(row, columns):
            phase = self._phases.of(line, row, columns, outcome)
            phase.remark(
                outcome,
                docstring,
                attributes,
                cells=self._cells,
                report=self.assembly.report,
            )
            return
        if outcome is not None:
            raise self._cells.error(
                "a verdict without a measurement or a phase",
                line=line,
                column=outcome.column,
                remedy="declare the column as run_outcome if it is the run's",
            )
        texts = dict(attributes)
        if docstring is not None:
            keep_text(texts, docstring.column, docstring.text)
        self.assembly.note(line, texts)

    def finish(self) -> list[PhaseRows]:
        """Give the phases, and record how much was read."""
        self._measurements.account()
        return self._phases.rows
