"""
The parts that make a run, in every form: its fields, its verdict, its times.

Rows repeat the fields of the whole run. The first cell that is not blank counts. A
different one further down is kept with its row, with two exceptions: of the end of the
run the latest counts, and two different serial numbers or verdicts are an error.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, time

from rigbridge.adapters import ReadContext, Source
from rigbridge.adapters.text.dates import parse_time
from rigbridge.adapters.text.verdicts import RUN_OUTCOMES, worst_verdict
from rigbridge.errors import SourceError
from rigbridge.model import (
    LogEntry,
    LogLevel,
    Phase,
    ProcedureRef,
    Run,
    RunOutcome,
    Unit,
)
from rigbridge.model.report import ConversionReport, Place
from rigbridge_csv.forms.columns import RowColumns
from rigbridge_csv.forms.phases import PhaseRows
from rigbridge_csv.profiles.fields import Field
from rigbridge_csv.profiles.forms import LogForm
from rigbridge_csv.tables.cells import CellReader
from rigbridge_csv.tables.keys import FilledCell, KeyLines, keep_text

__all__ = ["RunAssembly"]

_FORMAT = "CSV"
# No test bench had a computer before; what is later is a slip of the pen.
_FIRST_YEAR, _LAST_YEAR = 1980, 2099
_DECLARED = "declared by the profile, not written in the log"


class RunAssembly:
    """
    Collects what is said of one run.

    Args:
        constants: the fields that are the same for the whole table.

    Attributes:
        report: what is recorded of the run: merged only if the run succeeds.
        keys_after: the line behind which the keys are those of this run alone; None
            where all runs of the table share them.
    """

    def __init__(
        self,
        cells: CellReader,
        context: ReadContext,
        source: Source,
        *,
        line: int,
        constants: Mapping[Field, FilledCell],
        keys: KeyLines | None = None,
    ) -> None:
        self.report = ConversionReport()
        self.line = line
        self._cells = cells
        self._context = context
        self._source = source
        self._constants = constants
        self._keys = keys
        self._fields: dict[Field, FilledCell] = {}
        self.metadata: dict[str, str] = {
            text.name: text.value
            for text in cells.profile.metadata
            if text.name is not None and text.value is not None
        }
        self.logs: list[LogEntry] = []
        self._timed_rows = cells.profile.form is LogForm.SERIES
        self._has_verdict_column = Field.RUN_OUTCOME in constants
        self._last: tuple[RowColumns, tuple[str, ...], tuple[str, ...]] | None = None
        self._content = hashlib.sha256()
        self._taken = False
        self._hashed: RowColumns | None = None
        self.keys_after: int | None = None

    def take_text(self, text: str) -> None:
        """Take a line as it stands into what tells the run apart."""
        self._taken = True
        self._content.update(f"{text}\x1e".encode("utf-8", "surrogateescape"))

    def take_row(self, row: list[str], columns: RowColumns) -> None:
        """Take a whole row into what tells the run apart in a log that grows."""
        if columns is not self._hashed:
            self._hashed, self._taken = columns, True
            self._content.update("\x1f".join(columns.header).encode() + b"\x1d")
        # Cells that a profile derives stand behind the others: a mended profile must
        # not make another run of the row.
        cells = row if len(row) == columns.width else row[: columns.width]
        self._content.update("\x1f".join(cells).encode() + b"\x1e")

    def content(self) -> str | None:
        """
        Give the digest of the run's rows, if they are those of no other run.

        That takes a unit, and a start with date and time of day that is said of this
        run alone: a unit may be tested twice a day with equal results.
        """
        start = self._of_this_run(Field.STARTED_AT)
        serial = self.cell(Field.SERIAL_NUMBER)
        if not self._taken or start is None or serial is None:
            return None
        # A name that the profile gives to every unit tells none apart.
        source = self._cells.profile.fields.get(Field.SERIAL_NUMBER)
        if source is not None and source.value is not None:
            return None
        for field, cell in ((Field.SERIAL_NUMBER, serial), (Field.STARTED_AT, start)):
            # What stands beside the rows is no part of them, so it is added.
            if field not in self._fields:
                self.take_text(cell.text)
        wall = parse_time(start.text, self._cells.profile.dates)
        if wall is None or wall.time() == time():
            return None
        # A clock that was never set begins anew with the bench, and shows the same.
        if not _FIRST_YEAR <= wall.year <= _LAST_YEAR:
            return None
        return self._content.hexdigest()

    def _of_this_run(self, field: Field) -> FilledCell | None:
        """Give the cell of a field that no other run shares."""
        own, key = self._fields.get(field), self._constants.get(field)
        if own is not None or key is None or self.keys_after is None:
            return own
        return key if key.line > self.keys_after else None

    def add_run_cells(
        self, line: int, row: list[str], columns: RowColumns
    ) -> dict[str, str]:
        """
        Take the cells of a row that say something of the run.

        Returns:
            What differs from the rows above, to be kept with the row.

        Raises:
            MalformedSourceError: two serial numbers or verdicts in one run.
        """
        kept: dict[str, str] = {}
        run_cells = (columns, columns.run(row), columns.metadata(row))
        # Almost every row repeats the one before it. A different cell is therefore
        # kept only with the first of the rows that have it.
        if run_cells == self._last:
            return kept
        self._last = run_cells
        self._has_verdict_column |= Field.RUN_OUTCOME in columns.positions
        for field, cell in zip(columns.run_fields, run_cells[1], strict=True):
            text = self._cells.text(cell)
            if text is not None:
                self.put(field, FilledCell(text, line, columns.label(field)), kept)
        for label, cell in zip(columns.metadata_labels, run_cells[2], strict=True):
            if cell and not cell.isspace():
                known_text = self.metadata.setdefault(label, cell)
                if known_text != cell:
                    self._keep_with_row(FilledCell(cell, line, label), kept)
        return kept

    def put(
        self, field: Field, found: FilledCell, kept: dict[str, str] | None = None
    ) -> None:
        """
        Set a field of the run.

        Args:
            kept: takes the text where the run has another one already.

        Raises:
            MalformedSourceError: another serial number or verdict than before.
        """
        known = self._fields.setdefault(field, found)
        if known.text != found.text:
            self._differs(field, known, found, self.metadata if kept is None else kept)

    def has(self, field: Field) -> bool:
        """Say whether a field is set."""
        return field in self._fields

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
        if field is Field.STARTED_AT and self._timed_rows:
            return
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
            remedy="declare runs so that they are told apart, and the verdicts of "
            "single measurements as outcome",
        )

    def _is_later(self, other: FilledCell, known: FilledCell) -> bool:
        # Only compared here; what is recorded of the zone is recorded at the end.
        unrecorded = ConversionReport()
        ends = [
            self._cells.time(cell, station=self.text(Field.STATION), report=unrecorded)
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

    def note(self, line: int, texts: Mapping[str, str]) -> None:
        """Keep what a row says of the run alone, as a line of its log."""
        if not texts:
            return
        message = ", ".join(f"{label}: {text}" for label, text in texts.items())
        self.logs.append(LogEntry(level=LogLevel.INFO, message=message, line=line))
        self.report.mapped("log")

    def cell(self, field: Field) -> FilledCell | None:
        """Give the cell of a field, or what is the same for the whole table."""
        return self._fields.get(field) or self._constants.get(field)

    def text(self, field: Field) -> str | None:
        """Give the text of a field, or None."""
        found = self.cell(field)
        if found is None:
            return None
        return self._cells.text(found.text)

    def build(
        self, index: int, phases: Sequence[PhaseRows], content: str | None = None
    ) -> Run:
        """
        Make the run.

        Args:
            index: its position in the log, counted from 0.
            content: what tells it apart wherever it stands, or None.

        Raises:
            MalformedSourceError: a cell that cannot be read; names line and column.
        """
        cells, report = self._cells, self.report
        station = self.text(Field.STATION)
        written = self._written_outcome()
        if len(phases) == 1:
            phases[0].sole = True
        made: list[Phase] = [
            phase.build(cells, run_outcome=written, station=station, report=report)
            for phase in phases
        ]
        started, ended = (
            None
            if (cell := self.cell(field)) is None or self.text(field) is None
            else self._time(field, cell, station)
            for field in (Field.STARTED_AT, Field.ENDED_AT)
        )
        if started is not None and ended is not None and ended < started:
            # A clock without a date has passed midnight, or one was set back.
            self._set_aside(Field.ENDED_AT, "before the start, so unknown")
            ended = None
        provenance = self._context.provenance(
            self._source,
            index,
            content=content,
            format=f"{_FORMAT}, profile {cells.profile.name}",
        )
        report.mapped("run")
        metadata = self._with_keys()
        if metadata:
            report.mapped("metadata", len(metadata))
        return Run(
            id=provenance.run_id,
            outcome=self._derived_outcome(phases) if written is None else written,
            procedure=ProcedureRef(
                id=self.text(Field.PROCEDURE_ID),
                name=self.text(Field.PROCEDURE),
                version=self.text(Field.PROCEDURE_VERSION),
            ),
            unit=Unit(
                serial_number=self.text(Field.SERIAL_NUMBER),
                part_number=self.text(Field.PART_NUMBER),
                part_name=self.text(Field.PART_NAME),
                revision=self.text(Field.REVISION),
                batch_number=self.text(Field.BATCH_NUMBER),
            ),
            started_at=started,
            ended_at=ended,
            operator=self.text(Field.OPERATOR),
            station=station,
            docstring=cells.profile.docstring,
            phases=made,
            logs=self.logs,
            metadata=metadata,
            source=provenance,
        )

    def _set_aside(self, field: Field, rule: str) -> None:
        """Keep the text of a time that can be none as a text of the run."""
        cell = self.cell(field)
        if cell is not None:
            keep_text(self.metadata, cell.column, cell.text)
            self.report.coerced(field.value, rule, place=cell.place, detail=cell.text)

    def _time(
        self, field: Field, cell: FilledCell, station: str | None
    ) -> datetime | None:
        if cell.line == 0 and cell.column == field.value:
            self.report.coerced(
                field.value, _DECLARED, place=Place(line=self.line), detail=cell.text
            )
        found = self._cells.time(cell, station=station, report=self.report)
        if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
            # 1970, 1904, 1899: where a clock or a field has never been set.
            self._set_aside(field, "a time that no clock shows, so unknown")
            return None
        return found

    def _with_keys(self) -> dict[str, str]:
        """Give the metadata of the rows with the keys that no field has taken."""
        fields = {cell.text.strip() for cell in self._fields.values()}
        metadata = {
            label: text
            for label, text in self.metadata.items()
            # The pattern of a field took the whole text.
            if label not in self._patterned or text.strip() not in fields
        }
        if self._keys is not None:
            taken = self._taken_keys
            for name, cell in self._keys.texts.items():
                if name not in taken:
                    keep_text(metadata, name, cell.text)
        return metadata

    @property
    def _patterned(self) -> set[str]:
        return {
            str(column)
            for source in self._cells.profile.fields.values()
            if source.pattern is not None
            for column in source.in_rows
        }

    @property
    def _taken_keys(self) -> set[str]:
        """Name the keys of which a field has the whole text."""
        return {
            name
            for field, source in self._cells.profile.fields.items()
            if source.pattern is None and field in self._constants
            for name in source.key
            if self._is_whole(name)
        }

    def _is_whole(self, name: str) -> bool:
        """Say whether a field that takes a key takes all of its cells."""
        first = None if self._keys is None else self._keys.find(name)
        whole = None if self._keys is None else self._keys.texts.get(name)
        if first is None or whole is None:
            return True
        return re.sub(r"\W", "", first.text) == re.sub(r"\W", "", whole.text)

    def _written_outcome(self) -> RunOutcome | None:
        cell = self.cell(Field.RUN_OUTCOME)
        if cell is None or self._cells.text(cell.text) is None:
            return None
        if cell.line == 0:
            self.report.coerced(
                "run outcome",
                _DECLARED,
                place=Place(line=self.line),
                detail=cell.text,
            )
        return RUN_OUTCOMES.get(self._cells.verdict(cell))

    def _derived_outcome(self, phases: Sequence[PhaseRows]) -> RunOutcome:
        place = Place(line=self.line)
        if self._has_verdict_column:
            # Logs with verdicts leave the cell blank where a test was not finished.
            outcome, rule = RunOutcome.ERROR, "its verdict cell holds none"
        else:
            judged = worst_verdict(
                verdict for phase in phases for verdict in phase.written(self._cells)
            )
            outcome = RunOutcome.ERROR if judged is None else RUN_OUTCOMES[judged]
            rule = (
                "no verdict anywhere in its rows"
                if judged is None
                else "none written: the worst of its phases and measurements"
            )
        self.report.coerced("run outcome", rule, place=place, detail=outcome)
        return outcome
