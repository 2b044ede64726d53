"""The rows of one phase, and the phase that they make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs

from rigbridge.adapters.text.verdicts import (
    PHASE_OUTCOMES,
    LoggedVerdict,
    worst_verdict,
)
from rigbridge.model import Measurement, Phase, PhaseOutcome, RunOutcome
from rigbridge.model.report import ConversionReport, Place
from rigbridge_csv.forms.columns import LongColumns
from rigbridge_csv.profiles.fields import Field
from rigbridge_csv.tables.cells import CellReader
from rigbridge_csv.tables.keys import FilledCell, keep_text

__all__ = ["UNNAMED", "PhaseRows", "PhaseSequence"]

UNNAMED = "measurements"
"""The name of the phase that holds the measurements of a log without phases."""


@attrs.define(kw_only=True)
class PhaseRows:
    """
    What the consecutive rows of a phase say.

    Attributes:
        fields: the cells of the phase's fields that are not blank.
        verdicts: what was written in their verdict cells.
        attributes: what else the rows say of the phase.
        docstring: the author's explanation, or None.
        sole: whether the run has no other phase, so that its verdict is the phase's.
        texts: how many texts each label has by now.
    """

    line: int
    fields: dict[Field, FilledCell]
    measurements: list[Measurement] = attrs.field(factory=list[Measurement])
    verdicts: list[LoggedVerdict] = attrs.field(factory=list[LoggedVerdict])
    attributes: dict[str, str] = attrs.field(factory=dict[str, str])
    docstring: str | None = None
    sole: bool = False
    texts: dict[str, int] = attrs.field(factory=dict[str, int])

    def agrees(self, fields: dict[Field, FilledCell]) -> bool:
        """Say whether a row with these cells belongs to the phase."""
        mine = self.fields
        # A blank name after a named phase is no part of it: it may be another step.
        if (Field.PHASE in mine) != (Field.PHASE in fields):
            return False
        return all(
            field not in mine or mine[field].text == cell.text
            for field, cell in fields.items()
        )

    def written_verdict(self, cells: CellReader) -> LoggedVerdict | None:
        """Give the verdict in the phase's own cell, or None."""
        cell = self.fields.get(Field.PHASE_OUTCOME)
        return None if cell is None else cells.verdict(cell)

    def written(self, cells: CellReader) -> Iterator[LoggedVerdict]:
        """Go through every verdict that is written in the phase."""
        yield from self.verdicts
        verdict = self.written_verdict(cells)
        if verdict is not None:
            yield verdict

    def remark(
        self,
        outcome: FilledCell | None,
        docstring: FilledCell | None,
        attributes: dict[str, str],
        *,
        cells: CellReader,
        report: ConversionReport,
    ) -> None:
        """
        Add what a row without a measurement says.

        Args:
            outcome: the verdict in it, or None.
            docstring: the explanation in it, or None.

        Raises:
            MalformedSourceError: the verdict is a word that nobody declared.
        """
        texts = dict(attributes)
        if outcome is not None:
            if self.fields.get(Field.PHASE_OUTCOME, outcome).text == outcome.text:
                report.coerced(
                    "phase outcome",
                    "verdict of a row without a measurement, taken for its phase",
                    place=outcome.place,
                    detail=outcome.text,
                )
            else:
                # The phase has a cell of its own for it; this one counts for the run.
                self.verdicts.append(cells.verdict(outcome))
                texts[outcome.column] = outcome.text
        if docstring is not None:
            if self.docstring is None:
                self.docstring = docstring.text
            else:
                texts[docstring.column] = docstring.text
        for label, text in texts.items():
            keep_text(self.attributes, label, text, self.texts)

    def build(
        self,
        cells: CellReader,
        *,
        run_outcome: RunOutcome | None,
        station: str | None,
        report: ConversionReport,
    ) -> Phase:
        """
        Make the phase.

        Args:
            run_outcome: the verdict that the log states for the run, or None.

        Raises:
            MalformedSourceError: a cell that cannot be read.
        """
        place = Place(line=self.line)
        name = self.fields.get(Field.PHASE)
        if name is None:
            report.coerced(
                "phase",
                "made for measurements that stand in no phase",
                place=place,
                detail=UNNAMED,
            )
        started, ended = (
            None
            if (cell := self.fields.get(field)) is None
            else cells.time(cell, station=station, report=report)
            for field in (Field.PHASE_STARTED_AT, Field.PHASE_ENDED_AT)
        )
        report.mapped("phase")
        # Before attributes are counted: it may keep the log's own word among them.
        outcome = self._outcome(cells, run_outcome, report)
        if self.attributes:
            report.mapped("attribute", len(self.attributes))
        return Phase(
            name=UNNAMED if name is None else name.text,
            outcome=outcome,
            started_at=started,
            ended_at=ended,
            measurements=self.measurements,
            docstring=self.docstring,
            attributes=self.attributes,
        )

    def _outcome(
        self,
        cells: CellReader,
        run_outcome: RunOutcome | None,
        report: ConversionReport,
    ) -> PhaseOutcome:
        verdict = self.written_verdict(cells)
        if verdict is not None:
            if verdict in PHASE_OUTCOMES:
                return PHASE_OUTCOMES[verdict]
            cell = self.fields[Field.PHASE_OUTCOME]
            keep_text(self.attributes, cell.column, cell.text)
        outcome, rule = self._derived(verdict, run_outcome)
        report.coerced(
            "phase outcome", rule, place=Place(line=self.line), detail=outcome
        )
        return outcome

    def _derived(
        self, written: LoggedVerdict | None, run_outcome: RunOutcome | None
    ) -> tuple[PhaseOutcome, str]:
        if written in (LoggedVerdict.TIMEOUT, LoggedVerdict.ABORTED):
            return PhaseOutcome.ERROR, "a timeout or an abort is an error of the phase"
        judged = worst_verdict(self.verdicts)
        if judged is not None:
            return PHASE_OUTCOMES[judged], "none written: the worst of its measurements"
        # Logs list the tests of a skipped phase too, without a value.
        if self.measurements and all(
            measurement.value is None for measurement in self.measurements
        ):
            return PhaseOutcome.SKIP, "none written and nothing measured: not run"
        if run_outcome is RunOutcome.PASS:
            return PhaseOutcome.PASS, "none written: its run passed"
        if (
            self.sole
            and run_outcome is RunOutcome.FAIL
            and Field.PHASE not in self.fields
        ):
            return PhaseOutcome.FAIL, "none written: its run failed, and has no other"
        return PhaseOutcome.ERROR, "no verdict at all"


class PhaseSequence:
    """
    The phases of one run, in document order.

    A row belongs to the phase of the row before it as long as no cell of the phase's
    fields that is filled says otherwise: a name, a time or a verdict that differs
    begins another phase, so that two loops through one step stay two phases.

    Args:
        constants: the fields that are the same for the whole table.
    """

    def __init__(
        self, cells: CellReader, constants: Mapping[Field, FilledCell]
    ) -> None:
        self.rows: list[PhaseRows] = []
        self._cells = cells
        phase = constants.get(Field.PHASE)
        self._constant = None if phase is None else phase.text

    def names_one(self, row: list[str], columns: LongColumns) -> bool:
        """Say whether a row says anything of a phase."""
        return self._constant is not None or any(
            self._cells.text(cell) is not None for cell in columns.phase(row)
        )

    def of(
        self,
        line: int,
        row: list[str],
        columns: LongColumns,
        outcome: FilledCell | None = None,
    ) -> PhaseRows:
        """
        Give the phase that a row belongs to, a new one if need be.

        Args:
            outcome: the verdict in a row without a measurement, which is the phase's
                unless that has a cell of its own.
        """
        fields: dict[Field, FilledCell] = {}
        for field, cell in zip(columns.phase_fields, columns.phase(row), strict=True):
            text = self._cells.text(cell)
            if text is not None:
                fields[field] = FilledCell(text, line, columns.label(field))
        if self._constant is not None:
            fields[Field.PHASE] = FilledCell(self._constant, line, Field.PHASE.value)
        if outcome is not None:
            fields.setdefault(Field.PHASE_OUTCOME, outcome)
        if self.rows and self.rows[-1].agrees(fields):
            phase = self.rows[-1]
            # The first cell counts: errors name the line where a text came first.
            phase.fields = {**fields, **phase.fields}
            return phase
        phase = PhaseRows(line=line, fields=fields)
        self.rows.append(phase)
        return phase
