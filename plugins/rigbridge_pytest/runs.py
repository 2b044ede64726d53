"""From the reports of tests to runs: in the process that collects the reports."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import attrs
import pytest

from rigbridge.model import (
    Attachment,
    Instrument,
    JSONValue,
    LogEntry,
    LogLevel,
    Phase,
    PhaseOutcome,
    ProcedureRef,
    Run,
    RunOutcome,
    Unit,
)
from rigbridge.outbox.incoming import OngoingRuns
from rigbridge.session.judging import printable
from rigbridge_pytest.notes import read_notes

__all__ = ["NOTES", "RunsOfReports"]

NOTES = "rigbridge_notes"
"""The attribute of a report that holds the notes of its test."""


@attrs.define
class _UnitRecord:
    """What belongs to the run of one unit so far."""

    id: UUID
    phases: list[tuple[Phase, bool]] = attrs.field(factory=list[tuple[Phase, bool]])
    logs: list[LogEntry] = attrs.field(factory=list[LogEntry])
    attachments: list[Attachment] = attrs.field(factory=list[Attachment])


class RunsOfReports:
    """
    Collects reports and makes runs of them: one for each unit that was tested.

    Args:
        unit: the unit of tests that name none.
        station: where they are tested, or None.
        operator: who tests them, or None.
        ongoing: keeps what is known of each run, should the process be killed.

    Attributes:
        stopped: the notes of tests in which the session was ended, by their id.
    """

    def __init__(
        self,
        procedure: ProcedureRef,
        unit: Unit,
        *,
        station: str | None,
        operator: str | None,
        instruments: tuple[Instrument, ...],
        metadata: dict[str, JSONValue],
        ongoing: OngoingRuns,
    ) -> None:
        self._station = station
        self._operator = operator
        self._instruments = instruments
        self._procedure = procedure
        self._unit = unit
        self._metadata = metadata
        self._began = datetime.now(UTC)
        self._open: dict[str, list[pytest.TestReport]] = {}
        self._retries: dict[str, int] = {}
        self._ongoing = ongoing
        self._ids: dict[Unit, UUID] = {}
        self._noted: dict[str, Unit] = {}
        self._units: dict[Unit, _UnitRecord] = {}
        self._problems: list[LogEntry] = []
        self.stopped: dict[str, str] = {}

    def add(self, report: pytest.TestReport) -> None:
        """Take the report of a setup, a call or a teardown."""
        reports = self._open.setdefault(report.nodeid, [])
        if report.when == "setup" and reports:
            # A test that is tried again begins anew, mostly without a teardown.
            self._close(report.nodeid, is_retried=True)
            reports = self._open.setdefault(report.nodeid, [])
        reports.append(report)
        if report.when == "teardown":
            retried = any(str(each.outcome) == "rerun" for each in reports)
            self._close(report.nodeid, is_retried=retried)
        else:
            self._note(report.nodeid, *self._test(report.nodeid, reports))

    def note_going(self, nodeid: str, notes: str) -> None:
        """
        Note what a test that still goes on has brought.

        Args:
            nodeid: the test.
            notes: its notes.
        """
        # None in its setup: whatever goes wrong there is on the report of that.
        if reports := self._open.get(nodeid):
            self._note(nodeid, *self._test(nodeid, reports, notes))

    def add_problem(self, text: str) -> None:
        """Take an error outside of any test: a file that cannot be imported, say."""
        self._problems.append(
            LogEntry(
                level=LogLevel.ERROR, message=printable(text), time=datetime.now(UTC)
            )
        )

    def _close(self, nodeid: str, *, is_retried: bool) -> None:
        reports = self._open.pop(nodeid)
        unit, test = self._test(nodeid, reports)
        self._note(nodeid, unit, test)
        self._retries[nodeid] = self._retries.get(nodeid, 0) + 1
        record = self._units.setdefault(unit, _UnitRecord(self._id(unit)))
        # What is tried again is kept, and judges nothing: the last try does.
        record.phases.extend((phase, is_retried) for phase, _ in test.phases)
        record.logs.extend(test.logs)
        record.attachments.extend(test.attachments)

    def _id(self, unit: Unit) -> UUID:
        return self._ids.setdefault(unit, uuid4())

    def _note(self, nodeid: str, unit: Unit, test: _UnitRecord) -> None:
        before = self._noted.get(nodeid, unit)
        if before != unit and before not in self._units:
            # A test has found out whom it tests: no run of the first unit goes on.
            self._ongoing.end(self._id(before))
        self._noted[nodeid] = unit
        self._ongoing.note(self._run(unit, test, RunOutcome.ABORTED))

    def _test(
        self,
        nodeid: str,
        reports: list[pytest.TestReport],
        going: str | None = None,
    ) -> tuple[Unit, _UnitRecord]:
        """Tell whom a test is of, and what it adds to that unit's run."""
        # The last notes hold the most: those of the call lack what the teardown did.
        last = [getattr(each, NOTES) for each in reports if _has_notes(each)][-1:]
        text = going or self.stopped.get(nodeid) or next(iter(last), None)
        notes = None if text is None else read_notes(text)
        path, name = _names(nodeid)
        attributes: dict[str, JSONValue] = {"nodeid": printable(nodeid)}
        if retry := self._retries.get(nodeid, 0):
            attributes["retry"] = retry
        noted = None if notes is None else notes.phases[0]
        started = min(each.start for each in reports)
        ended = time.time() if going else max(each.stop for each in reports)
        phase = Phase(
            name=name,
            outcome=_outcome(reports, noted),
            path=path,
            started_at=datetime.fromtimestamp(started, UTC),
            ended_at=datetime.fromtimestamp(ended, UTC),
            docstring=None if noted is None else noted.docstring,
            measurements=() if noted is None else noted.measurements,
            attributes={**attributes, **(noted.attributes if noted else {})},
        )
        named = None if notes is None or notes.unit == Unit() else notes.unit
        unit = named or self._unit
        return unit, _UnitRecord(
            self._id(unit),
            phases=[(phase, False)],
            logs=[*(() if notes is None else notes.logs), *_failures(reports)],
            attachments=[] if notes is None else list(notes.attachments),
        )

    def runs(self, *, aborted: bool) -> list[Run]:
        """
        Make the runs, one for each unit; none where no test has run.

        Args:
            aborted: whether somebody ended the session before its end.
        """
        for nodeid in list(self._open):
            # No teardown came: the session was ended, or the process is gone.
            was_stopped = nodeid in self.stopped
            if not was_stopped:
                self.add_problem(f"{nodeid}: its process ended in the middle of it")
            self._close(nodeid, is_retried=was_stopped)
        return [
            self._run(unit, record, self._verdict(record, aborted), self._problems)
            for unit, record in self._units.items()
        ]

    def _verdict(self, record: _UnitRecord, aborted: bool) -> RunOutcome:
        verdicts = {
            phase.outcome for phase, is_retried in record.phases if not is_retried
        }
        if self._problems or PhaseOutcome.ERROR in verdicts:
            return RunOutcome.ERROR
        if aborted:
            return RunOutcome.ABORTED
        return RunOutcome.FAIL if PhaseOutcome.FAIL in verdicts else RunOutcome.PASS

    def _run(
        self,
        unit: Unit,
        record: _UnitRecord,
        outcome: RunOutcome,
        problems: Iterable[LogEntry] = (),
    ) -> Run:
        phases = sorted(
            (phase for phase, _ in record.phases),
            key=lambda phase: phase.started_at or self._began,
        )
        ends = [phase.ended_at for phase in phases if phase.ended_at is not None]
        return Run(
            id=record.id,
            outcome=outcome,
            unit=unit,
            procedure=self._procedure,
            station=self._station,
            operator=self._operator,
            instruments=self._instruments,
            started_at=min([self._began, *_starts(phases)]),
            ended_at=max([self._began, *ends]),
            phases=phases,
            logs=[*record.logs, *problems],
            attachments=record.attachments,
            metadata=self._metadata,
        )


def _starts(phases: Iterable[Phase]) -> list[datetime]:
    return [phase.started_at for phase in phases if phase.started_at is not None]


def _has_notes(report: pytest.TestReport) -> bool:
    return isinstance(getattr(report, NOTES, None), str)


_ESCAPED = re.compile(r"(?<!\\)\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U000[0-9a-f]{5})")


def _names(nodeid: str) -> tuple[tuple[str, ...], str]:
    """Split ``folder/test_x.py::TestY::test_z[a::b]`` into path and name."""
    head, bracket, parameters = nodeid.partition("[")
    *path, name = head.split("::")
    # pytest spells what is beyond ASCII in the names of parameters as escapes.
    parameters = _ESCAPED.sub(lambda part: chr(int(part[1][1:], 16)), parameters)
    return tuple(map(printable, path)), printable(f"{name}{bracket}{parameters}")


def _outcome(reports: list[pytest.TestReport], noted: Phase | None) -> PhaseOutcome:
    failed = [each for each in reports if str(each.outcome) in ("failed", "rerun")]
    if any(each.when != "call" for each in failed):
        return PhaseOutcome.ERROR
    if failed:
        # The process that ran the test knows the exception; the report has its text.
        known = noted is not None and noted.outcome is PhaseOutcome.ERROR
        return PhaseOutcome.ERROR if known else PhaseOutcome.FAIL
    if any(each.skipped for each in reports):
        return PhaseOutcome.SKIP
    # A setup alone: the process is gone.
    if not any(each.when == "call" for each in reports):
        return PhaseOutcome.ERROR
    return PhaseOutcome.PASS


def _failures(reports: list[pytest.TestReport]) -> list[LogEntry]:
    entries: list[LogEntry] = []
    for report in reports:
        level = LogLevel.INFO if report.skipped else LogLevel.ERROR
        text = _reason(report) if report.skipped else report.longreprtext
        if text:
            entries.append(
                LogEntry(
                    level=level,
                    message=printable(f"{report.nodeid} ({report.when}): {text}"),
                    time=datetime.fromtimestamp(report.stop, UTC),
                )
            )
    return entries


def _reason(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2])
    return str(getattr(report, "wasxfail", "") or "skipped")
