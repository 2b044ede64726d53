"""
The result tree to phases: flat, in document order, parents before their children.

The children of a result stand in the result lists of its sequence call, of its post
action and of the callbacks that ran for it. A loop's summary owns the iterations that
follow it among its siblings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import attrs

from rigbridge.adapters import ConversionReport
from rigbridge.model import (
    Attachment,
    LogEntry,
    LogLevel,
    Measurement,
    Phase,
    PhaseOutcome,
)
from rigbridge_teststand.documents import place_of
from rigbridge_teststand.element import Element
from rigbridge_teststand.further import FurtherReader
from rigbridge_teststand.left_out import REPEATED, STALE, record_left_out
from rigbridge_teststand.measuring import read_measurements
from rigbridge_teststand.numbers import read_count, read_number
from rigbridge_teststand.properties import elements, members, text
from rigbridge_teststand.scalars import read_scalar
from rigbridge_teststand.statuses import PHASE_OUTCOMES
from rigbridge_teststand.texts import clean_text

__all__ = ["CUT_OFF", "StepReader", "StepTimes"]

_CALL = "SequenceCall"
_CONTAINER_SUFFIXES = (
    "PreStep",
    "PostStep",
    "PreInteractive",
    "PostInteractive",
    "PostResultListEntry",
    "PostStepRuntimeError",
    "PostStepFailure",
)
_OWNERS = ("SequenceFile", "ProcessModel", "Station")
_CONTAINERS = frozenset(
    {_CALL, "PostAction"}
    | {owner + suffix for owner in _OWNERS for suffix in _CONTAINER_SUFFIXES}
)
_ATTRIBUTES = {
    "StepType": "step_type",
    "StepId": "step_id",
    "Id": "result_id",
    "StepGroup": "group",
    "Index": "index",
    "BlockLevel": "block_level",
    "ModuleTime": "module_time",
    "LoopIndex": "loop_index",
    "NumLoops": "num_loops",
    "NumPassed": "num_passed",
    "NumFailed": "num_failed",
    "EndingLoopIndex": "ending_loop_index",
    "StepCausedSequenceFailure": "caused_sequence_failure",
    "InteractiveExeNum": "interactive_execution",
    "Server": "server",
}
_PLACED = frozenset({"StepName", "StartTime", "TotalTime"})
_CALL_FACTS = {
    "SequenceFile": "sequence_file",
    "SequenceFileVersion": "sequence_file_version",
    "Sequence": "sequence",
    "Status": "sequence_status",
    "ThreadId": "thread_id",
}


@attrs.frozen(kw_only=True)
class StepTimes:
    """
    Turns the engine's seconds into times.

    Attributes:
        start: the run's start, or None.
        engine_start: the engine's seconds at that start, or None.
    """

    start: datetime | None
    engine_start: float | None

    @property
    def is_known(self) -> bool:
        """Whether there is anything to count from."""
        return self.start is not None and self.engine_start is not None

    def moment(self, seconds: float | None) -> datetime | None:
        """Give the time at which the engine's clock showed these seconds."""
        if self.start is None or self.engine_start is None or seconds is None:
            return None
        elapsed = seconds - self.engine_start
        # Only merged data has a step before the main sequence.
        if elapsed < 0:
            return None
        try:
            return self.start + timedelta(seconds=elapsed)
        except (OverflowError, ValueError):
            return None


CUT_OFF = "CutOff"
"""The attribute that marks a result whose end is missing in the file."""


_Facts: TypeAlias = tuple[Element, dict[str, Element], dict[str, Element]]


@attrs.frozen
class _Child:
    """
    A result below another one.

    It has its element and what it holds, its path, its turn, and whether it sums up
    iterations that follow it.
    """

    result: Element
    data: dict[str, Element]
    engine: dict[str, Element]
    path: tuple[str, ...]
    occurrence: int | None
    is_summary: bool = False


class StepReader:
    """
    Reads the results below the main sequence of one run.

    Args:
        times: gives the steps their times.
        custom: the outcome of statuses that the site made up, in lower case.
        report: where everything is accounted for.
    """

    def __init__(
        self,
        times: StepTimes,
        custom: dict[str, PhaseOutcome],
        report: ConversionReport,
    ) -> None:
        self._times = times
        self._custom = custom
        self._report = report
        self._further = FurtherReader(report)
        self.logs: list[LogEntry] = []

    @property
    def attachments(self) -> list[Attachment]:
        """The files that the results refer to, in order."""
        return self._further.attachments

    def phases(self, root: Element) -> list[Phase]:
        """Read every result below the root result, which itself is the run."""
        phases: list[Phase] = []
        pending = [iter(self._children(members(below_ts(root)), ()))]
        # A stack instead of recursion: sequences may call themselves deeply.
        while pending:
            try:
                child = next(pending[-1])
            except StopIteration:
                pending.pop()
                continue
            phase, children = self._phase(child)
            phases.append(phase)
            pending.append(iter(children))
        return phases

    def _children(
        self, engine: dict[str, Element], path: tuple[str, ...]
    ) -> list[_Child]:
        found: list[_Child] = []
        for name, container in engine.items():
            if name not in _CONTAINERS:
                continue
            below = path if name == _CALL else (*path, name)
            found.extend(self._results(members(container).get("ResultList"), below))
        return found

    def _results(
        self, results: Element | None, below: tuple[str, ...]
    ) -> Iterator[_Child]:
        """Go through a result list; a summary owns the iterations that follow it."""
        steps: list[tuple[_Facts, str, str, str]] = []
        for _, value in elements(results):
            result = value.find("Prop")
            if result is None:
                self._report.dropped("step", "holds no result", place=place_of(value))
                continue
            data = members(result)
            facts = members(data.get("TS"))
            role = (
                "summary"
                if "NumLoops" in facts
                else "iteration"
                if "LoopIndex" in facts
                else ""
            )
            label = (text(facts.get("StepName")) or "").strip()
            step = text(facts.get("StepId")) or (
                f"{text(facts.get('Index'))} {text(facts.get('StepGroup'))} {label}"
            )
            steps.append(((result, data, facts), role, step, label))
        seen = Counter(step for _, role, step, _ in steps if not role)
        passed: Counter[str] = Counter()
        summary: str | None = None
        following = [(role, step) for _, role, step, _ in steps[1:]]
        for place, (found, role, step, label) in enumerate(steps):
            occurrence = None
            if not role and seen[step] > 1:
                # A loop of flow control tells its turns by nothing else.
                occurrence = passed[step]
                passed[step] += 1
            if role == "iteration" and step == summary:
                yield _Child(*found, (*below, label or _UNNAMED), occurrence)
                continue
            summary = step if role == "summary" else None
            is_followed = following[place : place + 1] == [("iteration", summary)]
            yield _Child(*found, below, occurrence, is_followed)

    def _phase(self, step: _Child) -> tuple[Phase, list[_Child]]:
        report = self._report
        result, path = step.result, step.path
        data, engine = step.data, step.engine
        raw = (text(data.get("Status")) or "").strip()
        name = self._name(result, engine)
        attributes = self.attributes(engine)
        attributes["raw_status"] = raw
        if step.occurrence is not None:
            attributes["occurrence"] = step.occurrence
        if result.get(CUT_OFF) is not None:
            attributes["partial"] = True
        children = self._children(engine, (*path, name))
        start = _seconds(engine.get("StartTime"))
        total = _seconds(engine.get("TotalTime"))
        started = self._times.moment(start)
        ended = (
            None
            if start is None or total is None
            else self._times.moment(start + total)
        )
        # Without a known start the engine's own seconds are all there is.
        if started is None and start is not None:
            attributes["engine_time"] = start
        if ended is None and total is not None:
            attributes["total_time"] = total
        if started is None and start is not None and self._times.is_known:
            report.coerced(
                "phase time",
                "before the main sequence, taken as unknown",
                place=place_of(result),
            )
        self.read_texts(data, ended or started, attributes.__setitem__)
        measurements = self._measurements(name, raw.lower(), step)
        report.mapped("phase")
        phase = Phase(
            name=name,
            outcome=self._outcome(raw, data, result, children),
            started_at=started,
            ended_at=ended,
            path=path,
            measurements=tuple(measurements),
            # Whatever is no property is a comment, or what XML says beside the data.
            docstring=None if len(result) == len(data) else _comment(result, report),
            attributes=attributes,
        )
        return phase, children

    def _measurements(self, name: str, status: str, step: _Child) -> list[Measurement]:
        reason = None
        known = self._custom.get(status) or PHASE_OUTCOMES.get(status)
        if known is PhaseOutcome.SKIP:
            reason = STALE
        elif step.is_summary:
            reason = REPEATED
        if reason is None:
            return read_measurements(
                name, status, step.data, self._further, self._report
            )
        read = ConversionReport()
        found = read_measurements(name, status, step.data, FurtherReader(read), read)
        record_left_out(found, read, reason, step.result, self._report)
        return []

    def _name(self, result: Element, engine: dict[str, Element]) -> str:
        name = (text(engine.get("StepName")) or "").strip()
        if name:
            return name
        self._report.coerced("phase name", "blank, named", place=place_of(result))
        return _UNNAMED

    def _outcome(
        self,
        raw: str,
        data: dict[str, Element],
        result: Element,
        children: list[_Child],
    ) -> PhaseOutcome:
        status = raw.lower()
        known = self._custom.get(status) or PHASE_OUTCOMES.get(status)
        if known is not None:
            return known
        if status:
            outcome, rule = PhaseOutcome.ERROR, "unknown, read as error"
        elif (text(members(data.get("Error")).get("Occurred")) or "").lower() == "true":
            outcome, rule = PhaseOutcome.ERROR, "blank with an error, read as error"
        elif result.get(CUT_OFF) is not None:
            outcome, rule = PhaseOutcome.ERROR, "cut off, read as error"
        else:
            outcome, rule = self._worst(children)
        self._report.coerced("status", rule, place=place_of(result), detail=raw or None)
        return outcome

    def _worst(self, children: list[_Child]) -> tuple[PhaseOutcome, str]:
        found: set[PhaseOutcome] = set()
        for child in children:
            status = (text(child.data.get("Status")) or "").strip().lower()
            known = self._custom.get(status) or PHASE_OUTCOMES.get(status)
            if known is not None:
                found.add(known)
        for outcome in (PhaseOutcome.ERROR, PhaseOutcome.FAIL, PhaseOutcome.PASS):
            if outcome in found:
                return outcome, "blank, the worst of its steps taken"
        return PhaseOutcome.SKIP, "blank, read as skipped"

    def attributes(self, engine: dict[str, Element]) -> dict[str, Any]:
        """Read what the engine noted of a result, names and times apart."""
        attributes: dict[str, Any] = {}
        for name, prop in engine.items():
            key = _ATTRIBUTES.get(name)
            if key is not None:
                self._keep(attributes, key, prop)
            elif name in _CONTAINERS:
                prefix = "" if name == _CALL else f"{name}."
                for fact, child in members(prop).items():
                    if fact in _CALL_FACTS:
                        self._keep(attributes, prefix + _CALL_FACTS[fact], child)
                    elif fact != "ResultList":
                        self._keep(attributes, f"{prefix}{fact}", child)
            elif name not in _PLACED:
                self._keep(attributes, name, prop)
        kind = attributes.get("step_type")
        if isinstance(kind, str) and kind.startswith("NI_Flow_"):
            attributes["kind"] = "flow"
        return attributes

    def _keep(self, attributes: dict[str, Any], key: str, prop: Element) -> None:
        value = read_scalar(prop, self._report)
        if isinstance(value, float) and not _is_json(value):
            value = str(value)
        if value is None:
            if len(prop) and prop.get("Type") != "Reference":
                self._report.dropped(
                    "property", "structured engine property", place=place_of(prop)
                )
            return
        self._report.mapped("property")
        attributes[key] = value

    def read_texts(
        self,
        data: dict[str, Element],
        time: datetime | None,
        keep: Callable[[str, Any], None],
    ) -> None:
        """Read the report text and the error of a result into log entries."""
        said = clean_text(text(data.get("ReportText")) or "")
        if said:
            self._report.mapped("log")
            self.logs.append(LogEntry(level=LogLevel.INFO, message=said, time=time))
        error = members(data.get("Error"))
        message = clean_text(text(error.get("Msg")) or "")
        code = read_count(text(error.get("Code")))
        if code:
            keep("error_code", code)
        if message or (text(error.get("Occurred")) or "").lower() == "true":
            self._report.mapped("log")
            shown = f"{message} (code {code})" if code else message
            self.logs.append(LogEntry(level=LogLevel.ERROR, message=shown, time=time))
        common = data.get("Common")
        for name, prop in members(common).items():
            value = read_scalar(prop, self._report)
            if value is None or not _is_json(value):
                self._report.dropped(
                    "property", "structured common result", place=place_of(prop)
                )
            else:
                self._report.mapped("property")
                keep(f"common.{name}", value)


_UNNAMED = "(unnamed step)"
# No engine runs for longer than thirty years, in seconds.
_LONGEST = 1e9


def below_ts(result: Element) -> Element | None:
    """Find the engine's bookkeeping of a result."""
    return next(
        (child for child in result.iterchildren("Prop") if child.get("Name") == "TS"),
        None,
    )


def _comment(result: Element, report: ConversionReport) -> str | None:
    """Read what the sequence's author noted of a step."""
    said = clean_text(result.findtext("Comment") or "").strip()
    if said:
        report.mapped("comment")
    return said or None


def _seconds(prop: Element | None) -> float | None:
    content = text(prop)
    number = None if content is None else read_number(content)
    if number is None or not _is_json(number) or abs(number) > _LONGEST:
        return None
    return float(number)


def _is_json(value: Any) -> bool:
    return not isinstance(value, float) or value - value == 0
