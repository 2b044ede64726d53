"""
The rows of one run, and the run that they make.

Every row repeats the fields of the whole run. The first cell that is not blank counts.
A different one further down is kept with its row, with two exceptions: of the end of
the run the latest counts, and two different serial numbers or verdicts are an error.
"""

from __future__ import annotations

from rigbridge.adapters import ReadContext, Source
from rigbridge.errors import SourceError
from rigbridge.model import ProcedureRef, Run, RunOutcome, Unit
from rigbridge.model.report import ConversionReport, Place
from rigbridge_csv.cells import CellReader, FilledCell, keep_text
from rigbridge_csv.measurements import MeasurementReader
from rigbridge_csv.phases import PhaseSequence
from rigbridge_csv.profiles.fields import Field
from rigbridge_csv.profiles.header import ColumnMap
from rigbridge_csv.verdicts import RUN, worst

__all__ = ["RunBuilder"]

_FORMAT = "CSV"


class RunBuilder:
    """
    Collects the rows of one run.

    Args:
        cells: reads single cells.
        context: gives the run its provenance.
        source: the log.
        line: the run's first line.
    """

    def __init__(
        self, cells: CellReader, context: ReadContext, source: Source, *, line: int
    ) -> None:
        # A report of its own: merged into that of the log only if the run succeeds.
        self.report = ConversionReport()
        self._cells = cells
        self._context = context
        self._source = source
        self._line = line
        self._fields: dict[Field, FilledCell] = {}
        self._metadata: dict[str, str] = {}
        self._phases = PhaseSequence(cells)
        self._measurements = MeasurementReader(cells, self.report)
        self._has_verdict_column = False
        self._last: tuple[ColumnMap, tuple[str, ...], tuple[str, ...]] | None = None

    def add(self, line: int, row: list[str], columns: ColumnMap) -> None:
        """
        Take a row.

        Raises:
            MalformedSourceError: a cell that cannot be read; names line and column.
        """
        attributes: dict[str, str] = {}
        run_cells = (columns, columns.run(row), columns.metadata(row))
        # Almost every row repeats the one before it. A different cell is therefore
        # kept only with the first of the rows that have it.
        if run_cells != self._last:
            self._add_run_cells(line, run_cells, attributes)
            self._last = run_cells
        if columns.others_labels:
            others = zip(columns.others_labels, columns.others(row), strict=True)
            for label, text in others:
                if text and not text.isspace():
                    keep_text(attributes, label, text)
        read = self._measurements.read(line, row, columns, attributes)
        if read is None:
            self._add_remark(line, row, columns, attributes)
        else:
            # Read first: a row that cannot be read must not begin a phase.
            phase = self._phases.of(line, row, columns)
            phase.measurements.append(read[0])
            phase.verdicts.append(read[1])

    def _add_run_cells(
        self,
        line: int,
        run_cells: tuple[ColumnMap, tuple[str, ...], tuple[str, ...]],
        attributes: dict[str, str],
    ) -> None:
        columns, fields, metadata = run_cells
        self._has_verdict_column |= Field.RUN_OUTCOME in columns.positions
        for field, cell in zip(columns.run_fields, fields, strict=True):
            text = self._cells.text(cell)
            if text is None:
                continue
            found = FilledCell(text, line, columns.label(field))
            known = self._fields.setdefault(field, found)
            if known.text != text:
                self._differs(field, known, found, attributes)
        for label, cell in zip(columns.metadata_labels, metadata, strict=True):
            if cell and not cell.isspace():
                known_text = self._metadata.setdefault(label, cell)
                if known_text != cell:
                    self._keep_with_row(FilledCell(cell, line, label), attributes)

    def _differs(
        self,
        field: Field,
        known: FilledCell,
        other: FilledCell,
        attributes: dict[str, str],
    ) -> None:
        """Handle a cell that says something else than the one above it."""
        if field is Field.RUN_OUTCOME:
            # Two spellings of one verdict do not contradict each other.
            first = self._cells.verdict(known)
            if self._cells.verdict(other) is not first:
                raise self._contradiction(known, other)
            return
        if field is Field.SERIAL_NUMBER:
            raise self._contradiction(known, other)
        # Some logs write the time of each row there.
        if field is Field.ENDED_AT and self._is_later(other, known):
            self._fields[field] = other
            self.report.coerced(
                "ended_at",
                "differs within the run, the latest taken",
                place=other.place,
                detail=other.text,
            )
            return
        self._keep_with_row(other, attributes)

    def _contradiction(self, known: FilledCell, other: FilledCell) -> SourceError:
        return self._cells.error(
            f"the run has {other.text!r} here and {known.text!r} in line {known.line}",
            line=other.line,
            column=other.column,
            remedy="declare a run_key that tells the runs apart, and the verdicts of "
            "single measurements as outcome",
        )

    def _is_later(self, other: FilledCell, known: FilledCell) -> bool:
        # Only compared here; what is recorded of the zone is recorded at the end.
        unrecorded = ConversionReport()
        ends = [
            self._cells.time(cell, station=self._text(Field.STATION), report=unrecorded)
            for cell in (other, known)
        ]
        return ends[0] >= ends[1]

    def _keep_with_row(self, cell: FilledCell, attributes: dict[str, str]) -> None:
        keep_text(attributes, cell.column, cell.text)
        self.report.coerced(
            "run field",
            "differs within the run, kept with its row",
            place=cell.place,
            detail=cell.text,
        )

    def _add_remark(
        self, line: int, row: list[str], columns: ColumnMap, attributes: dict[str, str]
    ) -> None:
        """Add a row without a measurement: it belongs to its phase, or to the run."""
        outcome, docstring = self._measurements.remark(line, row, columns)
        if self._phases.names_one(row, columns):
            phase = self._phases.of(line, row, columns, outcome)
            phase.remark(
                outcome, docstring, attributes, cells=self._cells, report=self.report
            )
            return
        if outcome is not None:
            raise self._cells.error(
                "a verdict without a measurement or a phase",
                line=line,
                column=outcome.column,
                remedy="declare the column as run_outcome if it is the run's",
            )
        for label, text in attributes.items():
            keep_text(self._metadata, label, text)
        if docstring is not None:
            keep_text(self._metadata, docstring.column, docstring.text)

    def _text(self, field: Field) -> str | None:
        found = self._fields.get(field)
        return self._cells.profile.constants.get(field) if found is None else found.text

    def build(self, index: int) -> Run:
        """
        Make the run.

        Args:
            index: its position in the log, counted from 0.

        Raises:
            MalformedSourceError: a cell that cannot be read; names line and column.
        """
        cells, report = self._cells, self.report
        station = self._text(Field.STATION)
        written = self._written_outcome()
        phases = [
            phase.build(cells, run_outcome=written, station=station, report=report)
            for phase in self._phases.rows
        ]
        started, ended = (
            None
            if (cell := self._fields.get(field)) is None
            else cells.time(cell, station=station, report=report)
            for field in (Field.STARTED_AT, Field.ENDED_AT)
        )
        provenance = self._context.provenance(
            self._source, index, format=f"{_FORMAT}, profile {cells.profile.name}"
        )
        report.mapped("run")
        self._measurements.account()
        if self._metadata:
            report.mapped("metadata", len(self._metadata))
        return Run(
            id=provenance.run_id,
            outcome=self._derived_outcome() if written is None else written,
            procedure=ProcedureRef(
                id=self._text(Field.PROCEDURE_ID),
                name=self._text(Field.PROCEDURE),
                version=self._text(Field.PROCEDURE_VERSION),
            ),
            unit=Unit(
                serial_number=self._text(Field.SERIAL_NUMBER),
                part_number=self._text(Field.PART_NUMBER),
                part_name=self._text(Field.PART_NAME),
                revision=self._text(Field.REVISION),
                batch_number=self._text(Field.BATCH_NUMBER),
            ),
            started_at=started,
            ended_at=ended,
            operator=self._text(Field.OPERATOR),
            station=station,
            phases=phases,
            metadata=self._metadata,
            source=provenance,
        )

    def _written_outcome(self) -> RunOutcome | None:
        cell = self._fields.get(Field.RUN_OUTCOME)
        return None if cell is None else RUN.get(self._cells.verdict(cell))

    def _derived_outcome(self) -> RunOutcome:
        place = Place(line=self._line)
        if self._has_verdict_column:
            # Logs with verdicts leave the cell blank where a test was not finished.
            outcome, rule = RunOutcome.ERROR, "its verdict cell holds none"
        else:
            judged = worst(self._phases.written_verdicts())
            outcome = RunOutcome.ERROR if judged is None else RUN[judged]
            rule = (
                "no verdict anywhere in its rows"
                if judged is None
                else "none written: the worst of its phases and measurements"
            )
        self.report.coerced("run outcome", rule, place=place, detail=outcome)
        return outcome
