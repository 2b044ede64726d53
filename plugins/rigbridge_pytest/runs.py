"""From the reports of tests to runs: in the process that collects the reports."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

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
from rigbridge.session.judging import printable
from rigbridge_pytest.notes import read_notes

__all__ = ["NOTES", "RunsOfReports"]

NOTES = "rigbridge_notes"
"""The attribute of a teardown's report that holds the notes of its test."""


@attrs.define
class _UnitRecord:
    """What belongs to the run of one unit so far."""

    phases: list[tuple[Phase, bool]] = attrs.field(factory=list[tuple[Phase, bool]])
    logs: list[LogEntry] = attrs.field(factory=list[LogEntry])
    attachments: list[Attachment] = attrs.field(factory=list[Attachment])


class RunsOfReports:
    """
    Collects reports and makes runs of them: one for each unit that was tested.

    Args:
        procedure: what the units are tested by.
        unit: the unit of tests that name none.
        station: where they are tested, or None.
        operator: who tests them, or None.
        instruments: what they are measured with.
        metadata: what else is known of the session.

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

    def add_problem(self, text: str) -> None:
        """Take an error outside of any test: a file that cannot be imported, say."""
        self._problems.append(
            LogEntry(
                level=LogLevel.ERROR, message=printable(text), time=datetime.now(UTC)
            )
        )

    def _close(self, nodeid: str, *, is_retried: bool) -> None:
        reports = self._open.pop(nodeid)
        retry = self._retries.get(nodeid, 0)
        self._retries[nodeid] = retry + 1
        # The last notes hold the most: those of the call lack what the teardown did.
        noted_last = [getattr(each, NOTES) for each in reports if _has_notes(each)][-1:]
        if nodeid in self.stopped:
            noted_last = [self.stopped[nodeid]]
        notes = read_notes(noted_last[0]) if noted_last else None
        path, name = _names(nodeid)
        attributes: dict[str, JSONValue] = {"nodeid": printable(nodeid)}
        if retry:
            attributes["retry"] = retry
        noted = None if notes is None else notes.phases[0]
        started = min(each.start for each in reports)
        ended = max(each.stop for each in reports)
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
        record = self._units.setdefault(named or self._unit, _UnitRecord())
        # What is tried again is kept, and judges nothing: the last try does.
        record.phases.append((phase, is_retried))
        if notes is not None:
            record.logs.extend(notes.logs)
            record.attachments.extend(notes.attachments)
        record.logs.extend(_failures(reports))

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
            self._run(unit, record, aborted) for unit, record in self._units.items()
        ]

    def _run(self, unit: Unit, record: _UnitRecord, aborted: bool) -> Run:
        verdicts = {
            phase.outcome for phase, is_retried in record.phases if not is_retried
        }
        if self._problems or PhaseOutcome.ERROR in verdicts:
            outcome = RunOutcome.ERROR
        elif aborted:
            outcome = RunOutcome.ABORTED
        elif PhaseOutcome.FAIL in verdicts:
            outcome = RunOutcome.FAIL
        else:
            outcome = RunOutcome.PASS
        phases = sorted(
            (phase for phase, _ in record.phases),
            key=lambda phase: phase.started_at or self._began,
        )
        ends = [phase.ended_at for phase in phases if phase.ended_at is not None]
        return Run(
            outcome=outcome,
            unit=unit,
            procedure=self._procedure,
            station=self._station,
            operator=self._operator,
            instruments=self._instruments,
            started_at=min([self._began, *_starts(phases)]),
            ended_at=max([self._began, *ends]),
            phases=phases,
            logs=[*record.logs, *self._problems],
            attachments=record.attachments,
            metadata=self._metadata,
        )


def _starts(phases: Iterable[Phase]) -> list[datetime]:
    return [phase.started_at for phase in phases if phase.started_at is not None]


def _has_notes(report: pytest.TestReport) -> bool:
    return isinstance(getattr(report, NOTES, None), str)


def _names(nodeid: str) -> tuple[tuple[str, ...], str]:
    """Split ``folder/test_x.py::TestY::test_z[a::b]`` into path and name."""
    head, bracket, parameters = nodeid.partition("[")
    *path, name = head.split("::")
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
