"""A part that is being tested, and the run that it becomes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import attrs

from rigbridge.adapters import ConversionReport, Place, ReadContext, Source
from rigbridge.errors import MalformedSourceError, SourceError
from rigbridge.model import (
    JSONValue,
    LogEntry,
    LogLevel,
    Measurement,
    MeasurementOutcome,
    Phase,
    PhaseOutcome,
    ProcedureRef,
    Run,
    RunOutcome,
    Unit,
)
from rigbridge_stdf.parts.lot import Lot
from rigbridge_stdf.parts.serial_numbers import serial_number
from rigbridge_stdf.parts.texts import clean_text, json_number, note_text
from rigbridge_stdf.records.decoding import BEYOND
from rigbridge_stdf.records.record import Fields, Record
from rigbridge_stdf.settings import STDFSettings

__all__ = ["Part"]

# PART_FLG of PRR (V4): bits 0 and 1 a retest, 2 an abnormal end, 3 failed, 4 no
# verdict.
_SAME_ID, _SAME_PLACE, _ABNORMAL, _FAILED, _NO_VERDICT = 1, 2, 4, 8, 16
# What PRR holds where it has no software bin or no coordinate.
_NO_BIN, _NO_COORDINATE = 0xFFFF, -0x8000
_OUTSIDE = "Tests"
"""The name of the phase of tests that stand in no section of the program."""


@attrs.define
class Part:
    """
    A part between its PIR and its PRR.

    Attributes:
        damage: the first error in them; the part then makes no run.
        results: how many measurements and texts it has.
        size: the bytes of their records.
    """

    head: int
    site: int
    place: Place
    report: ConversionReport = attrs.field(factory=ConversionReport)
    damage: SourceError | None = None
    results: int = 0
    size: int = 0
    _sections: list[tuple[tuple[str, ...], list[Measurement]]] = attrs.field(
        factory=list[tuple[tuple[str, ...], list[Measurement]]]
    )
    _logs: list[LogEntry] = attrs.field(factory=list[LogEntry])
    _data: list[JSONValue] = attrs.field(factory=list[JSONValue])

    def add(
        self, measurement: Measurement, section: tuple[str, ...], size: int
    ) -> None:
        """Add a result of a record of some bytes, in the section that runs."""
        if not self._sections or self._sections[-1][0] != section:
            self._sections.append((section, []))
        self._sections[-1][1].append(measurement)
        self.results += 1
        self.size += size

    def add_text(self, record: Record, fields: Fields) -> None:
        """Add what a DTR or a GDR says."""
        self.results += 1
        self.size += len(record.content)
        if record.name == "DTR":
            text = (fields.get("TEXT_DAT") or "").rstrip("\0")
            note_text(text, self.report, record.place)
            self._logs.append(LogEntry(level=LogLevel.INFO, message=text))
            return
        values = [value for value in fields.get("GEN_DATA", []) if value is not None]
        for value in values:
            note_text(
                value if isinstance(value, str) else None, self.report, record.place
            )
        self._data.append(json_number(values))

    def unfinished(self, source: str, why: str) -> MalformedSourceError:
        """Say that the part has no end, so that nobody knows which part it is."""
        return MalformedSourceError(
            f"the part at head {self.head}, site {self.site} has no PRR: {why}; its "
            f"{self.results} results have no serial number and no verdict",
            source=source,
            place=str(self.place),
            remedy="copy the file again, or let the tester finish it",
        )

    def finish(
        self,
        record: Record,
        fields: Fields,
        *,
        lot: Lot,
        settings: STDFSettings,
        context: ReadContext,
        source: Source,
        index: int,
        form: str,
    ) -> Run:
        """
        Make the run, as PRR ends the part.

        Args:
            index: the position of the run in it.
        """
        report = self.report
        report.merge(lot.account)
        if BEYOND in fields:
            report.dropped("bytes", "behind the last field", place=record.place)
        outcome = self._outcome(record, fields, lot)
        started = lot.started_at(self.head, self.site, report)
        # TEST_T is a duration in milliseconds; 0 stands for unknown.
        duration = fields.get("TEST_T", 0)
        ended = None
        if started is not None and duration:
            ended = started + timedelta(milliseconds=duration)
            report.coerced("end", "start and TEST_T", place=record.place)
        provenance = context.provenance(source, index, format=form, format_version="4")
        phases = tuple(self._phases(outcome, record.place))
        metadata = lot.metadata(self.head, self.site) | self._metadata(
            record, fields, lot
        )
        procedure = lot.text("JOB_NAM")
        if procedure is None and settings.procedure is not None:
            procedure = settings.procedure
            report.coerced("procedure", "that of the settings", place=record.place)
        run = Run(
            id=provenance.run_id,
            outcome=outcome,
            procedure=ProcedureRef(name=procedure, version=lot.text("JOB_REV")),
            unit=Unit(
                serial_number=serial_number(
                    settings.serial_number,
                    {
                        **lot.information,
                        **fields,
                        "WAFER_ID": lot.wafer(self.head, self.site),
                    },
                    report,
                    record.place,
                ),
                part_number=lot.text("PART_TYP"),
                revision=lot.text("DSGN_REV"),
                batch_number=lot.text("LOT_ID"),
            ),
            started_at=started,
            ended_at=ended,
            operator=lot.text("OPER_NAM"),
            station=lot.station,
            phases=phases,
            logs=self._logs,
            metadata=metadata,
            source=provenance,
        )
        self._count(run)
        return run

    def _count(self, run: Run) -> None:
        report = self.report
        report.mapped("run")
        report.mapped("phase", len(run.phases))
        for phase in run.phases:
            report.mapped("measurement", len(phase.measurements))
            limits = sum(m.limits is not None for m in phase.measurements)
            report.mapped("limit", limits)
        report.mapped("log", len(run.logs))

    def _outcome(self, record: Record, fields: Fields, lot: Lot) -> RunOutcome:
        # A PRR that ends before PART_FLG gives no verdict.
        flags = fields.get("PART_FLG", _NO_VERDICT)
        # Before the verdict: a part whose test broke off was not tested to its end,
        # whatever the flag says.
        if flags & _ABNORMAL:
            return RunOutcome.ABORTED
        if not flags & _NO_VERDICT:
            return RunOutcome.FAIL if flags & _FAILED else RunOutcome.PASS
        passes = lot.summary.hard_bin(fields.get("HARD_BIN", _NO_BIN)).passes
        if passes is None:
            self.report.coerced(
                "outcome", "PRR gives none, taken as an error", place=record.place
            )
            return RunOutcome.ERROR
        self.report.coerced(
            "outcome", "PRR gives none, that of its hardware bin", place=record.place
        )
        return RunOutcome.PASS if passes else RunOutcome.FAIL

    def _metadata(
        self, record: Record, fields: Fields, lot: Lot
    ) -> dict[str, JSONValue]:
        flags = fields.get("PART_FLG", 0)
        hard, soft = fields.get("HARD_BIN"), fields.get("SOFT_BIN", _NO_BIN)
        texts = {
            name: clean_text(fields.get(field))
            for name, field in (
                ("part_id", "PART_ID"),
                ("part_text", "PART_TXT"),
                ("part_fix", "PART_FIX"),
            )
        }
        for text in texts.values():
            note_text(text, self.report, record.place)
        found: dict[str, Any] = {
            "head": self.head,
            "site": self.site,
            **texts,
            "test_count": fields.get("NUM_TEST"),
            "hard_bin": hard,
            "soft_bin": None if soft == _NO_BIN else soft,
            "x": _coordinate(fields.get("X_COORD")),
            "y": _coordinate(fields.get("Y_COORD")),
            "GDR": self._data or None,
        }
        if hard is not None:
            found["hard_bin_name"] = lot.summary.hard_bin(hard).name
        found["soft_bin_name"] = lot.summary.soft_bin(soft).name
        if flags & (_SAME_ID | _SAME_PLACE):
            found["retest"] = "PART_ID" if flags & _SAME_ID else "X_COORD, Y_COORD"
        if flags & _ABNORMAL:
            found["abnormal_end"] = True
            if not flags & _NO_VERDICT:
                found["passed"] = not flags & _FAILED
        kept = {name: value for name, value in found.items() if value is not None}
        self.report.mapped("metadata", len(kept))
        return kept

    def _phases(self, outcome: RunOutcome, place: Place) -> Iterable[Phase]:
        for section, measurements in self._sections:
            verdict, rule = _judged(measurements, outcome)
            self.report.coerced("phase outcome", rule, place=place, detail=verdict)
            yield Phase(
                name=section[-1] if section else _OUTSIDE,
                path=section[:-1],
                outcome=verdict,
                measurements=tuple(measurements),
            )


def _coordinate(value: int | None) -> int | None:
    return None if value == _NO_COORDINATE else value


def _judged(
    measurements: list[Measurement], outcome: RunOutcome
) -> tuple[PhaseOutcome, str]:
    """Give the verdict of a section: the format has verdicts of tests and parts."""
    verdicts = {measurement.outcome for measurement in measurements}
    if MeasurementOutcome.FAIL in verdicts:
        return PhaseOutcome.FAIL, "the worst of its tests"
    if MeasurementOutcome.PASS in verdicts:
        return PhaseOutcome.PASS, "the worst of its tests"
    if all(measurement.value is None for measurement in measurements):
        return PhaseOutcome.SKIP, "nothing judged and nothing measured: not run"
    if outcome is RunOutcome.PASS:
        return PhaseOutcome.PASS, "no test judged: its part passed"
    return PhaseOutcome.ERROR, "no test judged"
