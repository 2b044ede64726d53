"""
The step tree to phases: flat, in document order, parents before their children.

``Test``, ``SessionAction`` and ``TestGroup`` stand mixed; whatever else stands between
them is no step. A loop's summary owns the iterations that follow it.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import attrs

from rigbridge.adapters import ConversionReport
from rigbridge.model import (
    Attachment,
    LogEntry,
    Measurement,
    MeasurementOutcome,
    Phase,
    PhaseOutcome,
)
from rigbridge_teststand.atml.events import read_events, report_text
from rigbridge_teststand.atml.names import attribute, child, children, local, read_text
from rigbridge_teststand.atml.results import DataReader, is_judged, is_single
from rigbridge_teststand.atml.statuses import Status, read_status
from rigbridge_teststand.atml.times import Clock
from rigbridge_teststand.atml.values import flatten, read_datum
from rigbridge_teststand.documents import place_of
from rigbridge_teststand.element import Element
from rigbridge_teststand.numbers import read_number
from rigbridge_teststand.statuses import MEASUREMENT_OUTCOMES, PHASE_OUTCOMES

__all__ = ["STEPS", "StepReader", "read_properties", "steps_of"]

STEPS = frozenset({"Test", "SessionAction", "TestGroup"})
"""The local names of what is a step."""

_TAKEN = STEPS | {
    "Outcome",
    "ActionOutcome",
    "Events",
    "Event",
    "TestResult",
    "Parameters",
    "Data",
    "Description",
}
_PROPERTIES = {
    "StepType": "step_type",
    "StepId": "step_id",
    "StepGroup": "group",
    "BlockLevel": "block_level",
    "Index": "index",
    "TotalTime": "total_time",
    "ModuleTime": "module_time",
    "StepCausedSequenceFailure": "caused_sequence_failure",
    "InteractiveExecutionId": "interactive_execution",
    "RemoteServerId": "server",
    "NumLoops": "num_loops",
    "NumPassed": "num_passed",
    "NumFailed": "num_failed",
    "EndingLoopIndex": "ending_loop_index",
    "LoopIndex": "loop_index",
}
_TEXTS = frozenset({"StepType", "StepId", "StepGroup", "RemoteServerId"})
_CALLER = re.compile(r"SequenceCallStepName\s*=\s*'([^']*)'")
_LEVEL = re.compile(r"\bbl\s*=\s*'(\d+)'")
_POST_ACTION = "_PostAction"
_REPORT_TEXT = "ReportText"
_UNNAMED = "(unnamed step)"
_RANKS = (
    PhaseOutcome.SKIP,
    PhaseOutcome.PASS,
    PhaseOutcome.FAIL,
    PhaseOutcome.ERROR,
)


def steps_of(element: Element) -> list[tuple[str, Element]]:
    """Give the steps right below an element, in document order."""
    return [(name, below) for name, below in children(element) if name in STEPS]


def _property(element: Element) -> Any:
    """Read ``@value``, else the datum inside, else the text."""
    given = attribute(element, "value")
    if given is None:
        given = attribute(child(element, "Datum"), "value") or read_text(element)
    if given is None or local(element) in _TEXTS:
        return given
    if given.lower() in ("true", "false"):
        return given.lower() == "true"
    number = read_number(given)
    if number is None or (isinstance(number, float) and number - number != 0):
        return given
    return number


def read_properties(step: Element, report: ConversionReport) -> dict[str, Any]:
    """Read TestStand's own properties of a step, and every other extension."""
    found: dict[str, Any] = {}
    for name, extension in children(step):
        if name != "Extension":
            continue
        for kind, block in children(extension):
            if kind != "TSStepProperties":
                flatten(block, f"extension.{kind}", found, report)
                continue
            pending = [below for _, below in children(block)]
            while pending:
                element = pending.pop(0)
                label = local(element)
                key = _PROPERTIES.get(label)
                if label == "LoopingProperties":
                    pending.extend(below for _, below in children(element))
                elif key is None:
                    flatten(element, label, found, report)
                elif (value := _property(element)) is not None:
                    report.mapped("property")
                    found[key] = value
    return found


@attrs.frozen(kw_only=True)
class _Pending:
    """A step that waits to be read, with the names of its ancestors."""

    kind: str
    element: Element
    path: tuple[str, ...]
    is_summary: bool = False


class StepReader:
    """
    Reads the steps of one run.

    Args:
        clock: reads their times.
        custom: the outcome of statuses that the site made up, in lower case.
        report: where everything is accounted for.
    """

    def __init__(
        self,
        clock: Clock,
        custom: dict[str, PhaseOutcome],
        report: ConversionReport,
    ) -> None:
        self._clock = clock
        self._custom = custom
        self._report = report
        self.logs: list[LogEntry] = []
        self.attachments: list[Attachment] = []

    def phases(self, root: Element) -> list[Phase]:
        """Read every step below a result set or the group that stands for it."""
        phases: list[Phase] = []
        # A stack instead of recursion: sequences may call themselves deeply.
        pending = self._ordered(root, ())[::-1]
        while pending:
            step = pending.pop()
            phase, path = self._phase(step)
            phases.append(phase)
            pending.extend(self._ordered(step.element, path)[::-1])
        return phases

    def _ordered(self, parent: Element, path: tuple[str, ...]) -> list[_Pending]:
        """Put the iterations of a loop below its summary."""
        found: list[_Pending] = []
        summary: tuple[str | None, str] | None = None
        position = -1
        for kind, element in steps_of(parent):
            looping = child(
                element, "Extension", "TSStepProperties", "LoopingProperties"
            )
            if looping is None:
                summary = None
                found.append(_Pending(kind=kind, element=element, path=path))
                continue
            identity = (
                attribute(element, "testReferenceID"),
                _name(kind, element),
            )
            if child(looping, "LoopIndex") is None:
                summary, position = identity, len(found)
                found.append(_Pending(kind=kind, element=element, path=path))
            elif summary == identity:
                found[position] = attrs.evolve(found[position], is_summary=True)
                below = (*path, identity[1] or _UNNAMED)
                found.append(_Pending(kind=kind, element=element, path=below))
            else:
                summary = None
                found.append(_Pending(kind=kind, element=element, path=path))
        return found

    def _phase(self, step: _Pending) -> tuple[Phase, tuple[str, ...]]:
        report, element = self._report, step.element
        name = _name(step.kind, element)
        if not name:
            report.coerced("phase name", "blank, named", place=place_of(element))
            name = _UNNAMED
        attributes = self._attributes(step.kind, element)
        started = self._clock.read(element, "startDateTime")
        ended = self._ended(element, started, attributes)
        errors = read_events(element, ended or started, report)
        self.logs.extend(errors.logs)
        if errors.code:
            attributes["error_code"] = errors.code
        status = read_status(element)
        if status is not None:
            attributes.update(status.attributes())
        outcome = self._outcome(element, status, failed=bool(errors.code))
        measurements = self._measurements(
            step, name, status, ended or started, attributes
        )
        report.mapped("phase")
        phase = Phase(
            name=name,
            outcome=outcome,
            started_at=started,
            ended_at=ended,
            path=step.path,
            measurements=tuple(self._kept(step, outcome, measurements)),
            docstring=read_text(child(element, "Description")),
            attributes=attributes,
        )
        below = (*step.path, name)
        if attributes.get("post_action"):
            below = (*below, "PostAction")
        return phase, below

    def _ended(
        self,
        element: Element,
        started: datetime | None,
        attributes: dict[str, Any],
    ) -> datetime | None:
        ended = self._clock.read(element, "endDateTime")
        total = attributes.get("total_time")
        if ended is None and started is not None and isinstance(total, (int, float)):
            try:
                ended = started + timedelta(seconds=total)
            except (OverflowError, ValueError):
                return None
            self._report.coerced(
                "phase time",
                "end computed from the total time",
                place=place_of(element),
            )
        if ended is not None and started is not None and ended < started:
            self._report.coerced(
                "phase time",
                "end before start, taken as unknown",
                place=place_of(element),
                detail=attribute(element, "endDateTime"),
            )
            return None
        return ended

    def _attributes(self, kind: str, element: Element) -> dict[str, Any]:
        attributes = read_properties(element, self._report)
        attributes["element"] = kind
        for key, label in (
            ("step_id", "testReferenceID"),
            ("result_id", "ID"),
            ("user_defined_type", "userDefinedType"),
        ):
            given = attribute(element, label)
            if given is not None:
                self._report.mapped("property")
                attributes[key] = given
        if attributes.get("result_id", "").endswith(_POST_ACTION):
            attributes["post_action"] = True
        level = _LEVEL.search(attributes.get("user_defined_type", ""))
        if level is not None:
            attributes.setdefault("block_level", int(level[1]))
        if kind == "TestGroup":
            attributes.update(_called(element))
        if str(attributes.get("step_type", "")).startswith("NI_Flow_"):
            attributes["kind"] = "flow"
        for name, below in children(element):
            if name not in _TAKEN and name != "Extension":
                flatten(below, name, attributes, self._report)
        return attributes

    def _outcome(
        self, element: Element, status: Status | None, *, failed: bool
    ) -> PhaseOutcome:
        if status is not None:
            known = status.mapped(self._custom, PHASE_OUTCOMES)
            if known is not None:
                return known
            if status.raw:
                self._report.coerced(
                    "status",
                    "unknown, read as error",
                    place=place_of(element),
                    detail=status.raw,
                )
                return PhaseOutcome.ERROR
        self._report.coerced(
            "status",
            "missing, taken from the error, else the worst step below, else skipped",
            place=place_of(element),
        )
        if failed:
            return PhaseOutcome.ERROR
        below = [
            stated.mapped(self._custom, PHASE_OUTCOMES) or PhaseOutcome.ERROR
            for _, step in steps_of(element)
            if (stated := read_status(step)) is not None
        ]
        return max(below, key=_RANKS.index, default=PhaseOutcome.SKIP)

    def _measurements(
        self,
        step: _Pending,
        name: str,
        status: Status | None,
        time: datetime | None,
        attributes: dict[str, Any],
    ) -> list[Measurement]:
        element = step.element
        reader = DataReader(name, self._report)
        results = [below for kind, below in children(element) if kind == "TestResult"]
        judged = [result for result in results if is_judged(result)]
        if not judged and step.kind == "Test":
            # Step types of a site's own keep their value under the standard name.
            judged = [result for result in results if is_single(result)]
        inherited = self._inherited(status, alone=len(judged) == 1)
        found: list[Measurement] = []
        for kind, below in children(element):
            if kind == "TestResult":
                if below in judged:
                    found.extend(reader.judged(below, inherited))
                elif not self._said(below, time):
                    found.extend(reader.additional(below))
            elif kind == "Parameters":
                found.extend(self._parameters(reader, below))
            elif kind == "Data":
                found.extend(self._data(reader, name, below, time))
        self.attachments.extend(reader.attachments)
        if step.kind == "Test" and not judged:
            found.extend(self._derived(name, status, attributes))
        return found

    def _inherited(self, status: Status | None, *, alone: bool) -> MeasurementOutcome:
        """Give the outcome of a measurement that states none of its own."""
        verdict = MEASUREMENT_OUTCOMES.get(
            "" if status is None else status.verdict, MeasurementOutcome.UNSET
        )
        # Which of several failed is not said, and never guessed.
        if verdict is MeasurementOutcome.FAIL and not alone:
            return MeasurementOutcome.UNSET
        return verdict

    def take_text(self, name: str, element: Element, time: datetime | None) -> bool:
        """Take a result that is a report text into the logs; say whether it is one."""
        return name == "TestResult" and self._said(element, time)

    def _said(self, result: Element, time: datetime | None) -> bool:
        """Take a report text into the logs."""
        name = attribute(result, "name") or attribute(result, "ID")
        if name != _REPORT_TEXT:
            return False
        datum = child(result, "TestData", "Datum")
        if datum is not None:
            self._log(datum, time)
        return True

    def _log(self, datum: Element, time: datetime | None) -> None:
        value = read_datum(datum, self._report).value
        entry = None if value is None else report_text(str(value), time)
        if entry is not None:
            self._report.mapped("log")
            self.logs.append(entry)

    def _parameters(self, reader: DataReader, parameters: Element) -> list[Measurement]:
        found: list[Measurement] = []
        for kind, parameter in children(parameters):
            if kind != "Parameter":
                self._report.dropped(
                    "property", "no parameter", place=place_of(parameter)
                )
                continue
            name = attribute(parameter, "name") or attribute(parameter, "ID")
            shown = f"{name or 'parameter'} [In]"
            read = list(reader.data(shown, child(parameter, "Data"), direction="in"))
            if not read:
                more: dict[str, Any] = {}
                for _, inner in children(parameter):
                    flatten(inner, shown, more, self._report)
                read = [
                    Measurement(
                        name=key,
                        value=value,
                        attributes={"kind": "additional", "direction": "in"},
                    )
                    for key, value in more.items()
                ]
            found.extend(read)
        return found

    def _data(
        self,
        reader: DataReader,
        name: str,
        data: Element,
        time: datetime | None,
    ) -> list[Measurement]:
        """Read the data of an action: its report text, and further values."""
        found: list[Measurement] = []
        for kind, element in children(data):
            if kind != "Collection":
                found.extend(reader.data(name, data))
                break
            for item in [below for _, below in children(element)]:
                datum = child(item, "Datum")
                if attribute(item, "name") == _REPORT_TEXT and datum is not None:
                    self._log(datum, time)
                    element.remove(item)
            found.extend(reader.items(element))
        return found

    def _derived(
        self, name: str, status: Status | None, attributes: dict[str, Any]
    ) -> list[Measurement]:
        """Make the verdict of a pass/fail test a measurement of its own."""
        kind = str(attributes.get("step_type", ""))
        verdict = "" if status is None else status.verdict
        if verdict not in MEASUREMENT_OUTCOMES or not (
            not kind or "PassFail" in kind or kind.endswith("_PFT")
        ):
            return []
        return [
            Measurement(
                name=name,
                outcome=MEASUREMENT_OUTCOMES[verdict],
                value=verdict == "passed",
                attributes={"derived": True},
            )
        ]

    def _kept(
        self, step: _Pending, outcome: PhaseOutcome, found: list[Measurement]
    ) -> list[Measurement]:
        """Leave out what is stale, and what the iterations of a loop say again."""
        reason = None
        if outcome is PhaseOutcome.SKIP:
            reason = "stale value of a skipped step"
        elif step.is_summary:
            reason = "summary of a loop, its iterations have the values"
        if reason is None:
            return found
        for measurement in found:
            self._report.dropped(
                "measurement",
                reason,
                place=place_of(step.element),
                detail=measurement.name,
            )
        return []


def _called(group: Element) -> dict[str, Any]:
    """Say which sequence a group called."""
    file, _, sequence = (attribute(group, "name") or "").partition("#")
    if sequence:
        return {"sequence_file": file, "sequence": sequence}
    return {"sequence": file} if file and file != _name("TestGroup", group) else {}


def _name(kind: str, element: Element) -> str:
    """Give the name of a step: for a sequence call that of the calling step."""
    name = attribute(element, "name") or ""
    if kind != "TestGroup":
        return name
    caller = attribute(element, "callerName")
    if caller is None:
        match = _CALLER.search(attribute(element, "userDefinedType") or "")
        caller = match[1].strip() if match else None
    return caller or name.partition("#")[2].partition("#")[0] or name
