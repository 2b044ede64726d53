"""A run that is put together from the suites and test cases of a report."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta

from rigbridge.adapters import ConversionReport, Place, ReadContext, Source
from rigbridge.errors import MalformedSourceError, SourceError
from rigbridge.model import (
    JSONValue,
    LogLevel,
    Phase,
    PhaseOutcome,
    ProcedureRef,
    Run,
    RunOutcome,
    Unit,
)
from rigbridge_junit.cases import Case, Printed
from rigbridge_junit.document import Element, local_name
from rigbridge_junit.settings import JUnitSettings, same_name
from rigbridge_junit.suites import Suite, flat
from rigbridge_junit.values import clean, duration_of, moment_of

__all__ = ["RunBuilder"]

_SERIAL = "serial_number"
_SUITE_ERRORS = {"failure": PhaseOutcome.FAIL, "error": PhaseOutcome.ERROR}


class RunBuilder:
    """
    Collects what belongs to one run.

    Args:
        fields: the field of a run that each property fills, by its bare name.
        wrapper: the element around all suites, if there is one.

    Attributes:
        printed: what was printed, by suites and test cases.
        host: the first host that a suite names.
    """

    def __init__(
        self,
        source: Source,
        settings: JUnitSettings,
        fields: Mapping[str, str],
        wrapper: Suite | None,
    ) -> None:
        self._source = source
        self._settings = settings
        self._fields = fields
        self._wrapper = wrapper
        self._suites: list[Suite] = []
        self._phases: list[Phase] = []
        # What the properties say of each field, with the places.
        self._identity: dict[str, dict[str, Place]] = {}
        self.report = ConversionReport()
        self.printed = Printed()
        self.host = None if wrapper is None else wrapper.host
        if wrapper is not None and wrapper.properties:
            self.add_properties(wrapper.properties, wrapper.place)

    @property
    def has_cases(self) -> bool:
        """Whether there is anything that was tested."""
        return bool(self._phases)

    @contextmanager
    def account(self, context: ReadContext) -> Generator[None]:
        """Let what is recorded within stand in the account of this run."""
        common, context.report = context.report, self.report
        try:
            yield
        finally:
            context.report = common

    def add_suite(self, suite: Suite) -> None:
        """Add a suite that begins."""
        self._suites.append(suite)
        self.host = self.host or suite.host

    def add_properties(self, found: Mapping[str, list[str]], place: Place) -> None:
        """Take what properties say of the unit, the operator and their like."""
        for name, texts in found.items():
            field = self._fields.get(same_name(name))
            for text in texts:
                value = clean(text)
                if field is not None and value is not None:
                    # setdefault keeps the place at which a value stood first.
                    self._identity.setdefault(field, {}).setdefault(value, place)

    def add_case(self, case: Case, place: Place) -> None:
        """Add a test case."""
        self._phases.append(case.phase)
        self.printed.logs += case.printed.logs
        self.printed.attachments += case.printed.attachments
        self.add_properties(case.properties, place)

    def fail(self, suite: Suite, element: Element, report: ConversionReport) -> None:
        """Add a failure of a suite itself as a phase."""
        kind = local_name(element)
        message = clean(element.get("message"))
        text = "".join(element.itertext()).strip()
        place = suite.place
        report.mapped("phase")
        self.printed.add(
            "\n".join(filter(None, (message, text))), LogLevel.ERROR, report, place
        )
        self._phases.append(
            Phase(
                name=suite.name or kind,
                # The failure stands for the suite, so it lies where the suite lies.
                path=suite.path[:-1],
                outcome=_SUITE_ERRORS[kind],
                attributes={"kind": f"{kind} of a suite"}
                | ({} if message is None else {"message": message}),
            )
        )

    def make(self, context: ReadContext, index: int, damage: SourceError | None) -> Run:
        """
        Make the run.

        Args:
            index: the position of the run in the file.
            damage: the error that ended the file too soon, or None.

        Raises:
            MalformedSourceError: its properties name several units.
        """
        report = context.report
        place = self._suites[0].place if self._suites else Place(line=1)
        unit = Unit(
            serial_number=self._serial_number(),
            part_number=self._one("part_number", report),
            part_name=self._one("part_name", report),
            revision=self._one("revision", report),
            batch_number=self._one("batch_number", report),
        )
        started, ended = self._times(context)
        provenance = context.provenance(self._source, index, format="JUnit XML")
        metadata = self._metadata()
        if damage is not None:
            metadata["partial"] = True
            report.coerced(
                "run",
                "the file is damaged, read up to there",
                place=place,
                detail=damage.place,
            )
        outcome = self._outcome(is_partial=damage is not None)
        report.coerced("outcome", "the worst of its tests", place=place, detail=outcome)
        report.mapped("run")
        report.mapped("metadata", len(metadata))
        return Run(
            id=provenance.run_id,
            outcome=outcome,
            procedure=ProcedureRef(
                name=self._procedure(report, place),
                version=self._one("procedure_version", report),
            ),
            unit=unit,
            started_at=started,
            ended_at=ended,
            operator=self._one("operator", report),
            station=self._one("station", report) or self.host,
            phases=self._phases,
            logs=self.printed.logs,
            attachments=self.printed.attachments,
            metadata=metadata,
            source=provenance,
        )

    def _serial_number(self) -> str | None:
        found = self._identity.get(_SERIAL, {})
        if len(found) > 1:
            (first, place), (other, at) = list(found.items())[:2]
            many = "suite" if self._settings.run == "file" else "file of its own"
            # Both are named: which of them is meant only a person knows.
            raise MalformedSourceError(
                f"names several units: {first!r} ({place}) and {other!r} ({at})",
                source=self._source.uri,
                place=str(place),
                remedy=f"a run is of one unit; make each {many} a run"
                + (' by run = "suite"' if many == "suite" else ""),
            )
        return next(iter(found), None)

    def _one(self, field: str, report: ConversionReport) -> str | None:
        found = self._identity.get(field, {})
        for other, place in list(found.items())[1:]:
            report.coerced(
                field.replace("_", " "),
                "named several times, the first is taken",
                place=place,
                detail=other,
            )
        return next(iter(found), None)

    def _procedure(self, report: ConversionReport, place: Place) -> str | None:
        named = self._settings.procedure_name or self._one("procedure", report)
        if named is not None:
            return named
        if self._settings.run == "file" and self._wrapper is not None:
            named = self._wrapper.name
        outermost = [suite for suite in self._suites if len(suite.path) <= 1]
        if named is None and len(outermost) == 1:
            named = outermost[0].name
        if named is None:
            # Several suites, none of which stands for all: the file does.
            named = clean(self._source.name.partition(".xml")[0])
            report.coerced(
                "procedure", "that of the file name", place=place, detail=named
            )
        return named

    def _times(self, context: ReadContext) -> tuple[datetime | None, datetime | None]:
        """Give the first start and the last end that suites and tests state."""
        report = context.report
        starts: list[datetime] = []
        ends: list[datetime] = []
        suites = [*self._suites]
        if self._wrapper is not None and self._settings.run == "file":
            # The wrapper spans all suites; with a run for each suite its times are
            # those of others.
            suites.insert(0, self._wrapper)
        for suite in suites:
            started = moment_of(
                suite.attributes.get("timestamp"),
                context,
                suite.place,
                suite.host or self.host,
            )
            duration = duration_of(suite.attributes.get("time"), report, suite.place)
            if started is not None:
                starts.append(started)
                # A duration beyond what Python can add says nothing of the end.
                if duration is not None and duration < timedelta.max.total_seconds():
                    ends.append(_later(started, duration))
        for phase in self._phases:
            starts += [phase.started_at] if phase.started_at is not None else []
            ends += [phase.ended_at] if phase.ended_at is not None else []
        started = min(starts, default=None)
        return started, max(ends, default=None)

    def _outcome(self, *, is_partial: bool) -> RunOutcome:
        verdicts = {phase.outcome for phase in self._phases}
        if PhaseOutcome.ERROR in verdicts:
            return RunOutcome.ERROR
        if PhaseOutcome.FAIL in verdicts:
            return RunOutcome.FAIL
        # What the lost part would say nobody knows; skipped tests alone tested nothing.
        if is_partial or verdicts == {PhaseOutcome.SKIP}:
            return RunOutcome.ABORTED
        return RunOutcome.PASS

    def _metadata(self) -> dict[str, JSONValue]:
        found: dict[str, JSONValue] = {}
        if self._wrapper is not None:
            found |= flat(self._wrapper.properties)
            attributes = self._wrapper.attributes
            if attributes:
                found["testsuites"] = dict(attributes)
        if len(self._suites) == 1:
            found |= flat(self._suites[0].properties)
            if self._suites[0].attributes:
                found["testsuite"] = dict(self._suites[0].attributes)
        elif self._suites:
            found["suites"] = [suite.described() for suite in self._suites]
        return found


def _later(started: datetime, duration: float) -> datetime:
    try:
        return started + timedelta(seconds=duration)
    except OverflowError:
        return started
