"""
The results of a report (``TEResult``) to step results, with those below them.

Only the element of a result is read here. Its place among the others follows in
:mod:`rigbridge_teststand.native.phases`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import attrs

from rigbridge.adapters import ConversionReport
from rigbridge.model import PhaseOutcome
from rigbridge_teststand.native.additional_results import AdditionalResultReader
from rigbridge_teststand.native.execution_data import (
    CONTAINERS,
    RESULTS,
    keep_unplaced,
    read_execution_data,
    read_seconds,
    states_times,
)
from rigbridge_teststand.native.measurements import read_measurements
from rigbridge_teststand.native.partial_results import (
    CUT_OFF,
    is_result,
    partial_number_array,
    partial_result_list,
)
from rigbridge_teststand.native.phases import ResultList, StepResult
from rigbridge_teststand.native.properties import (
    Properties,
    child_named,
    element_property,
    properties_of,
)
from rigbridge_teststand.native.report_text import read_comment, read_report_texts
from rigbridge_teststand.native.strays import (
    StrayParts,
    record_strays_of_member,
)
from rigbridge_teststand.omissions import LOOP_SUMMARY, STALE_VALUE, record_omitted
from rigbridge_teststand.vocabulary import (
    PHASE_OUTCOMES,
    UNKNOWN_STATUS,
    UNNAMED_STEP,
    LoopRole,
)
from rigbridge_teststand.xml.elements import (
    Element,
    empty,
    line_number,
    record_coerced,
    record_dropped,
)

__all__ = ["RootResult", "StepResultReader"]

_Props: TypeAlias = tuple[Properties, Properties, dict[str, Properties], StrayParts]
"""
The properties of a result, of its ``TS``, of each container in that, and the rest.
"""


@attrs.define
class RootResult:
    """
    The root result of a report.

    Attributes:
        engine: those of its ``TS``.
        calls: those of each container in that.
    """

    data: Properties = attrs.field(factory=Properties)
    engine: Properties = attrs.field(factory=Properties)
    calls: dict[str, Properties] = attrs.field(factory=dict[str, Properties])
    error: Properties = attrs.field(factory=Properties)
    lists: list[ResultList] = attrs.field(factory=list[ResultList])


@attrs.define
class _OpenResult:
    """A result that waits for the results below it to be read."""

    result: Element
    props: _Props
    lists: list[ResultList]
    pending: Iterator[tuple[ResultList, Element]]


_NONE: dict[str, Properties] = {}


class StepResultReader:
    """
    Reads the results of one report.

    Args:
        custom: the outcome of the site's own statuses, in lower case.
    """

    def __init__(
        self, custom: dict[str, PhaseOutcome], report: ConversionReport
    ) -> None:
        self._outcomes = {**PHASE_OUTCOMES, **custom}
        self._report = report
        self._additional = AdditionalResultReader(report)
        # Partial result lists by their elements.
        self._begun: dict[Element, ResultList] = {}
        # The lists among them whose results were read and removed.
        self._emptied: set[Element] = set()

    @property
    def report(self) -> ConversionReport:
        """The report that takes an entry for each element."""
        return self._report

    def read_root(self, root: Element, parts: StrayParts) -> RootResult:
        """Read the root result, which stands for the run, and every result below it."""
        data = parts.read(root)
        opened = self._open(root, data, data.below("TS"), parts)
        for owner, value in opened.pending:
            self._member(owner, value)
        _, engine, calls, _ = opened.props
        error = data.below("Error")
        return RootResult(data, engine, calls, error, opened.lists)

    def read_partial(self, root: Element) -> None:
        """Read the complete results below a partial root result, and empty them."""
        partial: Element | None = root
        while partial is not None:
            partial = self._read_partial_list(partial, root)

    def has_read_below(self, element: Element) -> bool:
        """Tell whether results below an element were read and emptied already."""
        return any(
            above is element
            for results in self._emptied
            for above in (results, *results.iterancestors())
        )

    def _read_partial_list(self, result: Element, root: Element) -> Element | None:
        """Read the complete members of a partial list, and give the partial one."""
        found = partial_result_list(result)
        if found is None:
            # The data of the root are metadata of the run, and read at the end.
            array = None if result is root else partial_number_array(result)
            if array is not None:
                self._additional.read_partial(array)
            return None
        name, results = found
        # The element is the key: the list is met again with the next chunk.
        if results not in self._begun:
            self._begun[results] = ResultList(name, "")
        begun = self._begun[results]
        *complete, value = _unread(results, begun)
        # Keep the last complete one: a summary looks at the member that follows it.
        for member in complete[:-1]:
            self._member(begun, member)
            if results not in self._emptied and is_result(member):
                self._emptied.add(results)
            empty(member)
            begun.last = member
        return element_property(value)

    def _member(self, owner: ResultList, value: Element) -> None:
        """Read one member of a list and all results below it, innermost first."""
        opened = self._entered(owner, value)
        if opened is None:
            return
        # A stack instead of recursion: sequences may call themselves deeply.
        stack = [(owner, owner.members, opened)]
        while stack:
            owner, member, opened = stack[-1]
            following = next(opened.pending, None)
            if following is None:
                stack.pop()
                step = self._step(member, opened.result, opened.props, opened.lists)
                owner.steps.append(step)
                continue
            child = self._entered(*following)
            if child is not None:
                stack.append((following[0], following[0].members, child))

    def _entered(self, owner: ResultList, value: Element) -> _OpenResult | None:
        """Begin a member; a result without others below it is read at once."""
        owner.members += 1
        result = element_property(value)
        record_strays_of_member(value, self._report)
        if result is None:
            text = (value.text or "").strip() or None
            record_dropped(self._report, value, "step", "holds no result", text)
            return None
        parts = StrayParts(result, self._report)
        data = parts.read(result)
        engine = data.below("TS")
        # Nearly all results have no container; they need no stack entry.
        if not CONTAINERS.isdisjoint(engine.elements):
            opened = self._open(result, data, engine, parts)
            if opened.lists:
                return opened
            props = opened.props
        else:
            props = data, engine, _NONE, parts
        owner.steps.append(self._step(owner.members, result, props, []))
        return None

    def _open(
        self,
        result: Element,
        data: Properties,
        engine: Properties,
        parts: StrayParts,
    ) -> _OpenResult:
        calls: dict[str, Properties] = {}
        found: list[tuple[ResultList, Element]] = []
        for name in engine.elements:
            if name not in CONTAINERS:
                continue
            calls[name] = call = engine.below(name)
            results = call.elements.get(RESULTS)
            if results is not None:
                steps = self._begun.pop(results, None) or ResultList(name, "")
                steps.path = _path_to_list(
                    (data, "TS"), (engine, name), (call, RESULTS)
                )
                found.append((steps, results))
        lists = [steps for steps, _ in found]
        pending = _pending(found)
        return _OpenResult(result, (data, engine, calls, parts), lists, pending)

    def _step(
        self,
        member: int,
        result: Element,
        props: _Props,
        lists: list[ResultList],
    ) -> StepResult:
        data, engine, calls, parts = props
        report = self._report
        raw = data.texts.get("Status", "").strip()
        status = raw.lower()
        name = engine.texts.get("StepName", "").strip()
        attributes = read_execution_data(engine, calls, report)
        key = str(attributes.get("step_id") or _key(engine))
        if not name:
            name = UNNAMED_STEP
            record_coerced(report, result, "phase name", "blank, named")
        attributes["raw_status"] = raw
        is_cut_off = result.get(CUT_OFF) is not None
        if is_cut_off:
            attributes["partial"] = True
        error = data.below("Error")
        texts = read_report_texts(data, error, attributes, report)
        outcome = self._outcomes.get(status)
        role = _role(engine)
        # Skipped steps keep the values of an earlier execution.
        reason = None
        if outcome is PhaseOutcome.SKIP:
            reason = STALE_VALUE
        elif role is LoopRole.SUMMARY and _is_followed(result, key):
            reason = LOOP_SUMMARY
        if reason is None:
            measurements = read_measurements(
                name, status, data, self._additional, report
            )
        else:
            measurements = []
            self._leave_out(name, status, data, reason, result)
        if outcome is None:
            judged = {PHASE_OUTCOMES.get(each.outcome.lower()) for each in measurements}
            outcome, rule = self._guessed(
                raw, error, lists, judged, is_cut_off=is_cut_off
            )
            record_coerced(report, result, "status", rule, raw or None)
        start = read_seconds(engine, "StartTime")
        total = read_seconds(engine, "TotalTime")
        is_placed = start is not None and total is not None and states_times(engine)
        if not is_placed or name is UNNAMED_STEP:
            keep_unplaced(engine, attributes, report)
        report.mapped("phase")
        # An element that is no property is a comment, a template or metadata.
        has_others = len(result) != len(data.elements)
        docstring = read_comment(result, report) if has_others else None
        parts.record()
        return StepResult(
            name,
            raw,
            outcome,
            attributes,
            start,
            total,
            tuple(measurements),
            texts,
            self._additional.take_attachments(),
            lists,
            role,
            key,
            member,
            line_number(result),
            docstring,
        )

    def _leave_out(
        self,
        name: str,
        status: str,
        data: Properties,
        reason: str,
        result: Element,
    ) -> None:
        # Read as usual, so that the report counts what is dropped.
        read = ConversionReport()
        additional = AdditionalResultReader(read, self._additional.partial_arrays)
        found = read_measurements(name, status, data, additional, read)
        record_omitted(found, read, reason, result, self._report)

    def _guessed(
        self,
        raw: str,
        error: Properties,
        lists: list[ResultList],
        judged: set[PhaseOutcome | None],
        *,
        is_cut_off: bool,
    ) -> tuple[PhaseOutcome, str]:
        """Give the outcome of a step without a known status, and the rule for it."""
        if raw:
            return PhaseOutcome.ERROR, UNKNOWN_STATUS
        if error.texts.get("Occurred", "").lower() == "true":
            return PhaseOutcome.ERROR, "blank with an error, read as error"
        if is_cut_off:
            return PhaseOutcome.ERROR, "cut off, read as error"
        # A step whose status was reset is judged by what is in it.
        found = judged | {step.outcome for steps in lists for step in steps.steps}
        for outcome in (PhaseOutcome.ERROR, PhaseOutcome.FAIL, PhaseOutcome.PASS):
            if outcome in found:
                return outcome, "blank, the worst of its values and steps taken"
        return PhaseOutcome.SKIP, "blank, read as skipped"


def _is_followed(result: Element, key: str) -> bool:
    """Tell whether a loop's summary is followed by an iteration of the same step."""
    member = result.getparent()
    following = () if member is None else member.itersiblings("Value")
    for value in following:
        iteration = element_property(value)
        if iteration is not None:
            engine = properties_of(child_named(iteration, "TS"))
            return _role(engine) is LoopRole.ITERATION and _key(engine) == key
    return False


def _key(engine: Properties) -> str:
    """Give the identity of a step, the same in each iteration of a loop."""
    # A file may lack StepId.
    texts = engine.texts
    name = texts.get("StepName", "").strip()
    unnamed = f"{texts.get('Index')} {texts.get('StepGroup')} {name}"
    return texts.get("StepId") or unnamed


def _role(engine: Properties) -> LoopRole:
    if "NumLoops" in engine.elements:
        return LoopRole.SUMMARY
    return LoopRole.ITERATION if "LoopIndex" in engine.elements else LoopRole.NONE


def _pending(
    lists: list[tuple[ResultList, Element]],
) -> Iterator[tuple[ResultList, Element]]:
    for steps, results in lists:
        for value in _unread(results, steps):
            yield steps, value
        # A reference to an element keeps its document in memory.
        steps.last = None


def _unread(results: Element, steps: ResultList) -> Iterator[Element]:
    """Go through the members of a list that are not read yet."""
    if steps.last is None:
        return results.iterchildren("Value")
    return steps.last.itersiblings("Value")


def _path_to_list(*path: tuple[Properties, str]) -> str:
    """Spell an XPath down members, as libxml2 does."""
    return "".join(
        f"/Prop[{list(props.elements).index(name) + 1}]" for props, name in path
    )
