"""
The record form: rows of several kinds, each with fields at its own positions.

What a kind is, its profile says. A unit begins a run and ends the one before. A phase
lasts until the next one, or where records are nested until its record ends. Limits
belong to the measurement before them. A record that no kind fits is kept as a line of
the run's log, dropped or refused, as the profile says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs

from rigbridge.adapters.text.verdicts import MEASUREMENT_OUTCOMES, LoggedVerdict
from rigbridge.errors import MalformedSourceError, NoRunError, SourceError
from rigbridge.model import LogEntry, LogLevel, Measurement, MeasurementOutcome, Run
from rigbridge.model.report import Place
from rigbridge_csv.forms.phases import PhaseRows
from rigbridge_csv.forms.reading import LogReading
from rigbridge_csv.forms.shapes import judged, name_parts
from rigbridge_csv.profiles.fields import PHASE_FIELDS, RUN_FIELDS, Field, FieldSource
from rigbridge_csv.profiles.forms import RecordKind, RecordMeaning
from rigbridge_csv.profiles.profile import Undeclared
from rigbridge_csv.profiles.signs import plain_sign
from rigbridge_csv.tables.head import constant_fields
from rigbridge_csv.tables.keys import FilledCell, KeyLines, keep_text
from rigbridge_csv.tables.splitting import KindRecord, kind_records

__all__ = ["read_records"]


@attrs.define
class _Measured:
    """A measurement whose limits may still follow."""

    line: int
    name: str
    fields: dict[Field, FilledCell]
    attributes: dict[str, str]


def read_records(reading: LogReading) -> Iterator[Run]:
    """Read the runs of a log."""
    reader = _RecordReader(reading)
    yield from reader.runs()


class _RecordReader:
    def __init__(self, reading: LogReading) -> None:
        self.reading = reading
        self.rules = reading.profile.record_rules
        self.keys = KeyLines(reading.profile, reading.delimiter, reading.context.report)
        self.constants = constant_fields(
            reading.profile, self.keys, reading.cells.file_name
        )
        self.batch: dict[Field, FilledCell] = {}
        self.batch_texts: dict[str, str] = {}
        self.batch_text = ""
        self.run: _RecordRun | None = None
        self.depth = 0

    def runs(self) -> Iterator[Run]:
        reading = self.reading
        found = False
        with reading.records(self._on_comment, reading.context.report) as records:
            for record in kind_records(
                records,
                self.rules,
                plain_sign(reading.delimiter),
            ):
                nested = self.rules.end is not None
                if nested and record.cells:
                    self.depth += 1
                if record.cells:
                    for run in self._take(record):
                        found = True
                        yield run
                if nested and record.ended:
                    self.depth -= record.ended
                    if self.run is not None:
                        self.run.close_phase(self.depth)
            if self.run is not None:
                found = True
                yield from self._end()
        if not found and not reading.context.failures:
            raise NoRunError("holds no record of a unit", source=reading.source.uri)

    def _on_comment(self, line: int, text: str) -> None:
        if self.keys.take(line, [text], text):
            return
        self.reading.context.report.omitted(
            "line",
            "a comment, as the profile declares",
            place=Place(line=line),
            detail=text[:200],
        )

    def _take(self, record: KindRecord) -> Iterator[Run]:
        kind = self.rules.find(record.kind)
        if kind is None or kind.is_ is RecordMeaning.DROP:
            # A mended profile may read them: the run is the same for all that.
            if self.run is not None:
                self.run.assembly.take_text(record.text)
            if kind is None:
                self._unknown(record)
            else:
                self._drop(record, "dropped, as the profile asks")
            return
        meaning = kind.is_
        fields, attributes = self._fields(kind, record)
        if meaning is RecordMeaning.BATCH:
            yield from self._end()
            self.batch = fields
            self.batch_texts = attributes
            self.batch_text = record.text
            return
        if meaning is RecordMeaning.UNIT:
            yield from self._end()
            self.run = _RecordRun(self, record.line)
        else:
            yield from self._begin_with(record, fields)
        if self.run is None:
            self._outside(record)
            return
        self.run.assembly.take_text(record.text)
        if record.problem is not None:
            self.run.fail(self.reading.damaged(record.line, record.problem))
        self.run.take(meaning, record, fields, attributes, self.depth)
        if meaning is RecordMeaning.END:
            yield from self._end()

    def _begin_with(
        self, record: KindRecord, fields: dict[Field, FilledCell]
    ) -> Iterator[Run]:
        """Begin a run where no record of a unit does, but each names its unit."""
        key = tuple(
            fields[Field(name)].text
            for name in self.reading.profile.run_rule.key
            if name in set(Field) and name in fields
        )
        begun = None if self.run is None else self.run.key
        if key and (self.run is None or begun not in (None, key)):
            yield from self._end()
            self.run = _RecordRun(self, record.line, key)

    def _drop(self, record: KindRecord, reason: str) -> None:
        self.reading.context.report.omitted(
            "record",
            reason,
            place=Place(line=record.line),
            detail=record.text[:200],
        )

    def _end(self) -> Iterator[Run]:
        run, self.run = self.run, None
        if run is None:
            return
        if run.error is not None:
            self.reading.fail(run.error)
        else:
            yield from self.reading.finish(run.assembly, run.finish)

    def _outside(self, record: KindRecord) -> None:
        """Report a record of a run before any unit: its values must not vanish."""
        self.reading.fail(
            MalformedSourceError(
                f"a record {record.kind!r} stands outside of a run",
                source=self.reading.source.uri,
                place=f"line {record.line}",
                remedy="declare which record is the unit, that begins a run",
            )
        )

    def _unknown(self, record: KindRecord) -> None:
        profile = self.reading.profile
        if profile.undeclared is Undeclared.DROP:
            self._drop(record, "not declared, as the profile asks")
            return
        error = MalformedSourceError(
            f"the record {record.kind!r} is of no kind that is declared",
            source=self.reading.source.uri,
            place=f"line {record.line}",
            remedy=f"declare it in records.kinds of profile {profile.name!r}",
        )
        if profile.undeclared is Undeclared.ERROR:
            if self.run is None:
                self.reading.fail(error)
            else:
                self.run.fail(error)
        elif self.run is not None:
            self.run.note(record.line, record.text)
        else:
            keep_text(self.batch_texts, record.kind or "line", record.text)

    def _fields(
        self, kind: RecordKind, record: KindRecord
    ) -> tuple[dict[Field, FilledCell], dict[str, str]]:
        cells = self.reading.cells
        used: set[int] = set()
        if isinstance(self.rules.kind, int):
            used.add(self.rules.kind - 1)
        fields, attributes = self._groups(kind, record)
        # A pattern speaks for the whole line, unless positions are declared as well.
        by_position = kind.attributes or any(
            source.in_rows for source in kind.fields.values()
        )
        if self.rules.kind == "pattern" and not by_position:
            used.update(range(len(record.cells)))
        for field, source in kind.fields.items():
            for made, text in self._texts(field, source, record, used):
                fields[made] = FilledCell(text, record.line, f"{record.kind} {made}")
        labels = {position - 1: label for position, label in kind.attributes.items()}
        # No position is left out without a word.
        for at, cell in enumerate(record.cells):
            if at in used or cells.text(cell) is None:
                continue
            unnamed = f"{record.kind} {at + 1}" if record.kind else f"cell {at + 1}"
            keep_text(attributes, labels.get(at, unnamed), cell.strip())
        return fields, attributes

    def _groups(
        self, kind: RecordKind, record: KindRecord
    ) -> tuple[dict[Field, FilledCell], dict[str, str]]:
        """Give the named groups of the pattern of a kind: fields, and others."""
        fields: dict[Field, FilledCell] = {}
        attributes: dict[str, str] = {}
        found = None if kind.pattern is None else kind.pattern.search(record.text)
        for name, given in ({} if found is None else found.groupdict()).items():
            text = None if given is None else self.reading.cells.text(given)
            if text is None:
                continue
            if name in set(Field):
                fields[Field(name)] = FilledCell(text, record.line, name)
            else:
                attributes[name] = text
        if self.rules.kind == "pattern" and found is not None:
            before, after = record.text[: found.start()], record.text[found.end() :]
            rest = f"{before.strip()} {after.strip()}".strip()
            if rest and not kind.fields and not kind.attributes:
                keep_text(attributes, record.kind, rest)
        return fields, attributes

    def _texts(
        self, field: Field, source: FieldSource, record: KindRecord, used: set[int]
    ) -> Iterator[tuple[Field, str]]:
        """Give the text of a field, and the unit that stands behind a value."""
        cells = self.reading.cells
        at = [int(position) - 1 for position in source.in_rows]
        taken = [position for position in at if position < len(record.cells)]
        parts = [cells.text(record.cells[position]) for position in taken]
        text = " ".join(part for part in parts if part is not None)
        if source.value is not None or source.file is not None:
            text = source.value or cells.file_name
        found = source.extract(text) if text else None
        if found is not None or not text or field is Field.VALUE:
            # What a pattern does not fit stays with the record, or is the value.
            used.update(taken)
            if text:
                yield field, text if found is None else found
        if found is not None and source.has_unit and source.pattern is not None:
            unit = cells.text((source.pattern.search(text) or {"unit": ""})["unit"])
            if unit is not None:
                yield Field.UNIT, unit


class _RecordRun:
    """The records of one run."""

    def __init__(
        self, reader: _RecordReader, line: int, key: tuple[str, ...] | None = None
    ) -> None:
        self.reader = reader
        # What tells its records from those of the next run, if no record begins it.
        self.key = key
        self.cells = reader.reading.cells
        self.error: SourceError | None = None
        self.assembly = reader.reading.assemble(
            line, {**reader.constants, **reader.batch}, reader.keys
        )
        self.assembly.metadata.update(reader.batch_texts)
        # The run has its batch's fields, and is not the same in another one.
        self.assembly.take_text(reader.batch_text)
        self.phases: list[PhaseRows] = []
        self._depth: int | None = None
        # Behind the end of a phase a measurement belongs to none.
        self._outside = False
        self._open: _Measured | None = None

    def fail(self, error: SourceError) -> None:
        """Remember the first error."""
        self.error = self.error or error

    def note(self, line: int, text: str) -> None:
        """Keep a line as a log entry."""
        self.assembly.logs.append(
            LogEntry(level=LogLevel.INFO, message=text, line=line)
        )
        self.assembly.report.mapped("log")

    def take(
        self,
        meaning: RecordMeaning,
        record: KindRecord,
        fields: dict[Field, FilledCell],
        attributes: dict[str, str],
        depth: int,
    ) -> None:
        """Take a record; the first that cannot be used fails the run."""
        if self.error is not None:
            return
        try:
            self._take(meaning, record, fields, attributes, depth)
        except SourceError as error:
            self.error = error

    def _take(
        self,
        meaning: RecordMeaning,
        record: KindRecord,
        fields: dict[Field, FilledCell],
        attributes: dict[str, str],
        depth: int,
    ) -> None:
        if meaning is RecordMeaning.LIMITS:
            self._limits(record, fields, attributes)
            return
        self._close_measurement()
        self._run_fields(fields)
        if meaning is RecordMeaning.PHASE:
            self._begin_phase(record.line, fields, attributes)
            self._depth = depth
        elif meaning is RecordMeaning.MEASUREMENT:
            if any(field in fields for field in PHASE_FIELDS):
                self._begin_phase(record.line, fields, {}, again=True)
            name = fields.get(Field.MEASUREMENT)
            self._open = _Measured(
                record.line,
                record.kind if name is None else name.text,
                fields,
                attributes,
            )
        elif meaning is RecordMeaning.NOTE:
            shown = fields.get(Field.DOCSTRING)
            self.note(record.line, record.text if shown is None else shown.text)
        else:
            for label, text in attributes.items():
                keep_text(self.assembly.metadata, label, text)

    def _run_fields(self, fields: Mapping[Field, FilledCell]) -> None:
        for field in RUN_FIELDS:
            if field in fields:
                self.assembly.put(field, fields[field])

    def _begin_phase(
        self,
        line: int,
        fields: dict[Field, FilledCell],
        attributes: dict[str, str],
        *,
        again: bool = False,
    ) -> PhaseRows:
        own = {field: fields[field] for field in PHASE_FIELDS if field in fields}
        if again and self.phases and self.phases[-1].agrees(own):
            return self.phases[-1]
        phase = PhaseRows(line=line, fields=own, attributes=dict(attributes))
        if Field.DOCSTRING in fields and not again:
            phase.docstring = fields[Field.DOCSTRING].text
        self.phases.append(phase)
        self._outside = False
        return phase

    def close_phase(self, depth: int) -> None:
        """End the phase whose record has ended."""
        if self._depth is not None and depth < self._depth:
            self._finish_measurement()
            self._depth = None
            self._outside = True

    def _finish_measurement(self) -> None:
        if self.error is None:
            try:
                self._close_measurement()
            except SourceError as error:
                self.error = error

    def _limits(
        self,
        record: KindRecord,
        fields: dict[Field, FilledCell],
        attributes: dict[str, str],
    ) -> None:
        if self._open is None:
            raise self.cells.error(
                "limits without a measurement before them",
                line=record.line,
                column=record.kind,
                remedy="correct which records are measurements",
            )
        for field, cell in fields.items():
            self._open.fields.setdefault(field, cell)
        for label, text in attributes.items():
            keep_text(self._open.attributes, label, text)

    def _close_measurement(self) -> None:
        open_measurement, self._open = self._open, None
        if open_measurement is None:
            return
        if not self.phases or self._outside:
            self._begin_phase(open_measurement.line, {}, {})
        phase = self.phases[-1]
        measurement, verdict = self._measurement(open_measurement)
        phase.measurements.append(measurement)
        phase.verdicts.append(verdict)

    def _measurement(self, given: _Measured) -> tuple[Measurement, LoggedVerdict]:
        cells, report = self.cells, self.assembly.report
        texts = {field: cell.text for field, cell in given.fields.items()}
        parts = name_parts(self.reader.reading.profile.names, given.name)
        condition = cells.condition(
            texts.get(Field.COMPARATOR) or parts.comparator,
            texts.get(Field.LOWER_LIMIT) or parts.lower,
            texts.get(Field.UPPER_LIMIT) or parts.upper,
            texts.get(Field.LIMITS),
        )
        if condition.problem is not None:
            raise cells.error(
                condition.problem,
                line=given.line,
                column=given.name,
                remedy="correct the positions of the limits",
            )
        for rule in condition.rules:
            report.coerced("limit", rule, place=Place(line=given.line, path=given.name))
        attributes: dict[str, str] = {**parts.attributes, **given.attributes}
        value = texts.get(Field.VALUE)
        number = (
            value
            if value is None or cells.is_text(parts.name)
            else cells.value(
                value,
                limited=condition.limits is not None,
                line=given.line,
                name=given.name,
                report=report,
            )
        )
        verdict = LoggedVerdict.UNSET
        if (cell := given.fields.get(Field.OUTCOME)) is not None:
            verdict = cells.verdict(cell)
            if verdict not in MEASUREMENT_OUTCOMES:
                keep_text(attributes, "outcome", cell.text)
        elif self.reader.reading.profile.verdict == "limits":
            verdict = judged(number, condition.limits, report, given.line, given.name)
        report.mapped("measurement")
        if condition.limits is not None or condition.validators:
            report.mapped("limit")
        return Measurement(
            name=parts.name,
            outcome=MEASUREMENT_OUTCOMES.get(verdict, MeasurementOutcome.UNSET),
            value=number,
            unit=texts.get(Field.UNIT) or parts.unit,
            limits=condition.limits,
            validators=condition.validators,
            docstring=texts.get(Field.DOCSTRING),
            attributes=attributes,
        ), verdict

    def finish(self) -> list[PhaseRows]:
        """Give the phases."""
        self._close_measurement()
        return self.phases
