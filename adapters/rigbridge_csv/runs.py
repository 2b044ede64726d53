"""
The rows of one run, and the run that they make.

What is said of the whole run stands in every row. The first cell that is not blank
counts; another one further down is kept with the row that it stands in, except for the
end of the run, of which the latest counts, and for the serial number and the verdict,
where two different ones are an error.
"""

from __future__ import annotations

from rigbridge.adapters import ReadContext, Source
from rigbridge.errors import SourceError
from rigbridge.model import ProcedureRef, Run, RunOutcome, Unit
from rigbridge.model.report import ConversionReport, Place
from rigbridge_csv.attributes import keep
from rigbridge_csv.measurements import MeasurementReader
from rigbridge_csv.phases import PhaseSequence, Stated
from rigbridge_csv.profiles.fields import Field
from rigbridge_csv.profiles.header import Binding
from rigbridge_csv.tables.cells import CellReader
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
        self.report = ConversionReport()
        self._cells = cells
        self._context = context
        self._source = source
        self._line = line
        self._stated: dict[Field, Stated] = {}
        self._metadata: dict[str, str] = {}
        self._phases = PhaseSequence(cells)
        self._measuring = MeasurementReader(cells, self.report)
        self._judged_column = False
        self._last: tuple[Binding, tuple[str, ...], tuple[str, ...]] | None = None

    def add(self, line: int, row: list[str], binding: Binding) -> None:
        """
        Take a row.

        Raises:
            MalformedSourceError: a cell that cannot be read; names line and column.
        """
        attributes: dict[str, str] = {}
        said = (binding, binding.run(row), binding.metadata(row))
        # Almost every row repeats the one before it.
        if said != self._last:
            self._take_run(line, said, attributes)
            self._last = said
        if binding.others_labels:
            others = zip(binding.others_labels, binding.others(row), strict=True)
            for label, text in others:
                if text and not text.isspace():
                    keep(attributes, label, text)
        read = self._measuring.read(line, row, binding, attributes)
        if read is None:
            self._take_remark(line, row, binding, attributes)
        else:
            phase = self._phases.of(line, row, binding)
            phase.measurements.append(read[0])
            phase.verdicts.append(read[1])

    def _take_run(
        self,
        line: int,
        said: tuple[Binding, tuple[str, ...], tuple[str, ...]],
        attributes: dict[str, str],
    ) -> None:
        binding, fields, metadata = said
        self._judged_column |= Field.RUN_OUTCOME in binding.positions
        for field, cell in zip(binding.run_fields, fields, strict=True):
            text = self._cells.text(cell)
            if text is None:
                continue
            label = binding.label(field)
            known = self._stated.setdefault(field, (text, line, label))
            if known[0] != text:
                self._deviates(field, known, (text, line, label), attributes)
        for label, cell in zip(binding.metadata_labels, metadata, strict=True):
            if cell and not cell.isspace():
                known_text = self._metadata.setdefault(label, cell)
                if known_text != cell:
                    self._kept_with_row(label, cell, line, attributes)

    def _deviates(
        self, field: Field, known: Stated, other: Stated, attributes: dict[str, str]
    ) -> None:
        text, line, label = other
        if field is Field.RUN_OUTCOME:
            first = self._cells.verdict(known[0], line=known[1], column=known[2])
            if self._cells.verdict(text, line=line, column=label) is not first:
                raise self._contradiction(known, other)
            return
        if field is Field.SERIAL_NUMBER:
            raise self._contradiction(known, other)
        if field is Field.ENDED_AT and self._later(other, known):
            self._stated[field] = other
            self.report.coerced(
                "ended_at",
                "differs within the run, the latest taken",
                place=Place(line=line, path=label),
                detail=text,
            )
            return
        self._kept_with_row(label, text, line, attributes)

    def _contradiction(self, known: Stated, other: Stated) -> SourceError:
        text, line, label = other
        return self._cells.error(
            f"the run has {text!r} here and {known[0]!r} in line {known[1]}",
            line=line,
            column=label,
            remedy="declare a run_key that tells the runs apart, and the verdicts of "
            "single measurements as outcome",
        )

    def _later(self, other: Stated, known: Stated) -> bool:
        # Only compared here; what is recorded of the zone is recorded at the end.
        unrecorded = ConversionReport()
        ends = [
            self._cells.time(
                text,
                line=line,
                column=label,
                station=self._text(Field.STATION),
                report=unrecorded,
            )
            for text, line, label in (other, known)
        ]
        return ends[0] >= ends[1]

    def _kept_with_row(
        self, label: str, text: str, line: int, attributes: dict[str, str]
    ) -> None:
        keep(attributes, label, text)
        self.report.coerced(
            "run field",
            "differs within the run, kept with its row",
            place=Place(line=line, path=label),
            detail=text,
        )

    def _take_remark(
        self, line: int, row: list[str], binding: Binding, attributes: dict[str, str]
    ) -> None:
        """Take a row without a measurement: it speaks of its phase, or of the run."""
        outcome, docstring = self._measuring.remark(line, row, binding)
        if self._phases.names_one(row, binding):
            phase = self._phases.of(line, row, binding, outcome)
            phase.remark(
                outcome, docstring, attributes, cells=self._cells, report=self.report
            )
            return
        if outcome is not None:
            raise self._cells.error(
                "a verdict without a measurement or a phase",
                line=line,
                column=outcome[2],
                remedy="declare the column as run_outcome if it is the run's",
            )
        for label, text in attributes.items():
            keep(self._metadata, label, text)
        if docstring is not None:
            keep(self._metadata, docstring[2], docstring[0])

    def _text(self, field: Field) -> str | None:
        found = self._stated.get(field)
        return self._cells.profile.constants.get(field) if found is None else found[0]

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
            if (found := self._stated.get(field)) is None
            else cells.time(
                found[0], line=found[1], column=found[2], station=station, report=report
            )
            for field in (Field.STARTED_AT, Field.ENDED_AT)
        )
        provenance = self._context.provenance(
            self._source, index, format=f"{_FORMAT}, profile {cells.profile.name}"
        )
        report.mapped("run")
        self._measuring.account()
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
        stated = self._stated.get(Field.RUN_OUTCOME)
        if stated is None:
            return None
        text, line, column = stated
        return RUN.get(self._cells.verdict(text, line=line, column=column))

    def _derived_outcome(self) -> RunOutcome:
        place = Place(line=self._line)
        if self._judged_column:
            # Judged logs leave the cell blank where a test did not come to its end.
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
