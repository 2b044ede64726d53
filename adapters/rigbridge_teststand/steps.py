"""
One result of a report to a step, and the results below it.

A step is what its own element says, and nothing of what stands around it. Its place in
the run follows in :mod:`rigbridge_teststand.sequences`, once the report is complete: in
the file the steps of a call stand before its name, and the run's start behind them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from functools import partial
from typing import Any, TypeAlias

import attrs

from rigbridge.adapters import ConversionReport
from rigbridge.model import Attachment, LogLevel, Measurement, PhaseOutcome
from rigbridge_teststand.documents import line_of, place_of
from rigbridge_teststand.element import Element
from rigbridge_teststand.engine import (
    CONTAINERS,
    RESULTS,
    containers_of,
    read_bookkeeping,
    read_seconds,
)
from rigbridge_teststand.further import FurtherReader
from rigbridge_teststand.left_out import REPEATED, STALE, record_left_out
from rigbridge_teststand.measuring import BOOKKEEPING, read_measurements
from rigbridge_teststand.numbers import is_finite, read_count
from rigbridge_teststand.properties import child_named, inner, members, text
from rigbridge_teststand.scalars import read_scalar
from rigbridge_teststand.statuses import PHASE_OUTCOMES
from rigbridge_teststand.texts import clean_text

__all__ = [
    "CUT_OFF",
    "UNNAMED",
    "Role",
    "Said",
    "Step",
    "StepList",
    "StepReader",
    "drop_comments",
    "growing_list",
    "read_texts",
]

CUT_OFF = "CutOff"
"""The attribute that marks a result whose end is missing in the file."""

UNNAMED = "(unnamed step)"
"""The name of a step that has none."""

Said: TypeAlias = tuple[LogLevel, str]
"""What a step said, and how grave it is."""


class Role(Enum):
    """What a result is to a loop."""

    NONE = "none"
    SUMMARY = "summary"
    ITERATION = "iteration"


@attrs.define
class StepList:
    """
    The results that a container of a result holds.

    Attributes:
        container: its name (``SequenceCall``, ``PostAction``...).
        way: the XPath from the result to the list.
        steps: what was read of it so far.
        members: how many members of the array that were.
        last: the last of these, of a list that was read while it grew.
    """

    container: str
    way: str
    steps: list[Step] = attrs.field(factory=list)
    members: int = 0
    last: Element | None = None


@attrs.define
class Step:
    """
    A result.

    Attributes:
        name: its name.
        status: as printed.
        outcome: what it means.
        attributes: what the engine says of it, as a phase has it.
        start: the engine's seconds at its start, or None.
        total: how many seconds it took, or None.
        measurements: what it measured.
        said: its texts and errors.
        attachments: the files that it refers to.
        lists: the results below it.
        role: whether it is the summary of a loop or one of its iterations.
        key: what is the same for each turn of a step in a loop.
        member: its number among the members of its array, counted from 1.
        line: the line on which it begins.
        docstring: what the sequence's author noted of it.
    """

    name: str
    status: str
    outcome: PhaseOutcome
    attributes: dict[str, Any]
    start: float | None
    total: float | None
    measurements: tuple[Measurement, ...]
    said: list[Said]
    attachments: list[Attachment]
    lists: list[StepList]
    role: Role
    key: str
    member: int
    line: int | None
    docstring: str | None


_Props: TypeAlias = tuple[
    dict[str, Element], dict[str, Element], dict[str, dict[str, Element]]
]
"""What a result holds: its properties, its engine's, and those of each container."""


@attrs.define
class _Open:
    """A result with results below it that is being read."""

    result: Element
    props: _Props
    lists: list[StepList]
    pending: Iterator[tuple[StepList, Element]]


_NONE: dict[str, dict[str, Element]] = {}
# From a result to its list: its engine's bookkeeping, a container, the list.
_DEPTH = 3
# Code, message and whether one occurred, where none did.
_NO_ERROR = ["0", None, "False"]
# What a result holds beside further data.
_NOT_FURTHER = BOOKKEEPING | {
    "Limits",
    "RawLimits",
    "Measurement",
    "Numeric",
    "String",
    "PassFail",
}


class StepReader:
    """
    Reads the results of one report.

    Args:
        custom: the outcome of statuses that the site made up, in lower case.
        report: where everything is accounted for.
    """

    def __init__(
        self, custom: dict[str, PhaseOutcome], report: ConversionReport
    ) -> None:
        self._outcomes = {**PHASE_OUTCOMES, **custom}
        self._report = report
        self._further = FurtherReader(report)
        # What was read of lists that were not complete, by their elements.
        self._begun: dict[Element, StepList] = {}
        self.comments = ConversionReport()
        """The comments of properties in what was read while it grew."""

    @property
    def report(self) -> ConversionReport:
        """Where everything is accounted for."""
        return self._report

    def lists(self, root: Element) -> list[StepList]:
        """Read every result below the root result, which itself is the run."""
        data = members(root)
        opened = self._open(root, data, members(data.get("TS")))
        for owner, value in opened.pending:
            self._member(owner, value)
        return opened.lists

    def read_ahead(self, root: Element) -> None:
        """
        Read what is complete below a root result that is still growing, and empty it.

        Args:
            root: the root result.
        """
        growing: Element | None = root
        while growing is not None:
            growing = self._read_ahead(growing, root)

    def _read_ahead(self, result: Element, root: Element) -> Element | None:
        """Read the complete members of a growing list, and give the growing result."""
        grown = growing_list(result)
        if grown is None:
            array = growing_array(result)
            if array is not None:
                self._further.read_ahead(array)
            return None
        name, results = grown
        if results not in self._begun:
            self._begun[results] = StepList(name, "")
        begun = self._begun[results]
        *complete, value = _unread(results, begun)
        # The last complete one stays, since what follows the others must be complete.
        for member in complete[:-1]:
            self._member(begun, member)
            drop_comments(member, root, self.comments)
            member.clear()
            begun.last = member
        return inner(value)

    def _member(self, owner: StepList, value: Element) -> None:
        """Read one member of a list and all that is below it, innermost first."""
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

    def _entered(self, owner: StepList, value: Element) -> _Open | None:
        """Begin with a member; a result with none below is read at once."""
        owner.members += 1
        result = inner(value)
        if result is None:
            self._report.dropped(
                "step", "holds no result", place=partial(place_of, value)
            )
            return None
        data = members(result)
        engine = members(data.get("TS"))
        if not CONTAINERS.isdisjoint(engine):
            opened = self._open(result, data, engine)
            if opened.lists:
                return opened
            props = opened.props
        else:
            props = data, engine, _NONE
        owner.steps.append(self._step(owner.members, result, props, []))
        return None

    def _open(
        self, result: Element, data: dict[str, Element], engine: dict[str, Element]
    ) -> _Open:
        calls = containers_of(engine)
        found: list[tuple[StepList, Element]] = []
        for name, call in calls.items():
            results = call.get(RESULTS)
            if results is not None:
                steps = self._begun.pop(results, None) or StepList(name, "")
                steps.way = _way((data, "TS"), (engine, name), (call, RESULTS))
                found.append((steps, results))
        lists = [steps for steps, _ in found]
        pending = _pending(found)
        return _Open(result, (data, engine, calls), lists, pending)

    def _step(
        self,
        member: int,
        result: Element,
        props: _Props,
        lists: list[StepList],
    ) -> Step:
        data, engine, calls = props
        report = self._report
        raw = (text(data.get("Status")) or "").strip()
        status = raw.lower()
        name = (text(engine.get("StepName")) or "").strip()
        attributes = read_bookkeeping(engine, calls, report)
        key = attributes.get("step_id") or _key(engine)
        if not name:
            name = UNNAMED
            report.coerced(
                "phase name", "blank, named", place=partial(place_of, result)
            )
        attributes["raw_status"] = raw
        is_cut_off = result.get(CUT_OFF) is not None
        if is_cut_off:
            attributes["partial"] = True
        said = read_texts(data, attributes, report)
        outcome = self._outcomes.get(status)
        role = _role(engine)
        reason = None
        if outcome is PhaseOutcome.SKIP:
            reason = STALE
        elif role is Role.SUMMARY and _is_followed(result, key):
            reason = REPEATED
        if reason is None:
            measurements = read_measurements(name, status, data, self._further, report)
        else:
            measurements = []
            self._leave_out(name, status, data, reason, result)
        if outcome is None:
            outcome, rule = self._guessed(raw, data, lists, is_cut_off=is_cut_off)
            report.coerced(
                "status", rule, place=partial(place_of, result), detail=raw or None
            )
        report.mapped("phase")
        return Step(
            name,
            raw,
            outcome,
            attributes,
            read_seconds(engine.get("StartTime")),
            read_seconds(engine.get("TotalTime")),
            tuple(measurements),
            said,
            self._further.take_attachments(),
            lists,
            role,
            key,
            member,
            line_of(result),
            # Whatever is no property is a comment, or what XML says beside the data.
            None if len(result) == len(data) else _comment(result, report),
        )

    def _leave_out(
        self,
        name: str,
        status: str,
        data: dict[str, Element],
        reason: str,
        result: Element,
    ) -> None:
        read = ConversionReport()
        further = FurtherReader(read, self._further.lines)
        found = read_measurements(name, status, data, further, read)
        record_left_out(found, read, reason, result, self._report)

    def _guessed(
        self,
        raw: str,
        data: dict[str, Element],
        lists: list[StepList],
        *,
        is_cut_off: bool,
    ) -> tuple[PhaseOutcome, str]:
        """Give the outcome of a step whose status says none, and by which rule."""
        if raw:
            return PhaseOutcome.ERROR, "unknown, read as error"
        error = members(data.get("Error"))
        if (text(error.get("Occurred")) or "").lower() == "true":
            return PhaseOutcome.ERROR, "blank with an error, read as error"
        if is_cut_off:
            return PhaseOutcome.ERROR, "cut off, read as error"
        return self._worst(lists)

    def _worst(self, lists: list[StepList]) -> tuple[PhaseOutcome, str]:
        found = {
            self._outcomes.get(step.status.lower())
            for steps in lists
            for step in steps.steps
        }
        for outcome in (PhaseOutcome.ERROR, PhaseOutcome.FAIL, PhaseOutcome.PASS):
            if outcome in found:
                return outcome, "blank, the worst of its steps taken"
        return PhaseOutcome.SKIP, "blank, read as skipped"


def _is_followed(result: Element, key: str) -> bool:
    """Tell whether a loop's summary is followed by an iteration of the same step."""
    member = result.getparent()
    following = () if member is None else member.itersiblings("Value")
    for value in following:
        iteration = inner(value)
        if iteration is not None:
            engine = members(child_named(iteration, "TS"))
            return _role(engine) is Role.ITERATION and _key(engine) == key
    return False


def _key(engine: dict[str, Element]) -> str:
    """Tell a step from the others of its list; each turn of a loop has the same."""
    name = (text(engine.get("StepName")) or "").strip()
    return text(engine.get("StepId")) or (
        f"{text(engine.get('Index'))} {text(engine.get('StepGroup'))} {name}"
    )


def _comment(result: Element, report: ConversionReport) -> str | None:
    """Read what the sequence's author noted of a step."""
    said = clean_text(result.findtext("Comment") or "").strip()
    if said:
        report.mapped("comment")
    return said or None


def drop_comments(
    element: Element, root: Element | None, report: ConversionReport
) -> None:
    """
    Record the comments of single properties; those of steps are kept.

    Args:
        element: what to look for them below.
        root: the root result, which is no step.
        report: where they are recorded.
    """
    for comment in element.iter("Comment"):
        owner = comment.getparent()
        is_kept = (
            owner is not None and owner is not root and owner.get("Type") == "TEResult"
        )
        is_template = next(comment.iterancestors("ArrayElementPrototype"), None)
        if (comment.text or "").strip() and not is_kept and is_template is None:
            report.dropped(
                "comment",
                "describes a property of the sequence, not a result",
                place=partial(place_of, comment),
                detail=comment.text,
            )


def _role(engine: dict[str, Element]) -> Role:
    if "NumLoops" in engine:
        return Role.SUMMARY
    return Role.ITERATION if "LoopIndex" in engine else Role.NONE


def _pending(
    lists: list[tuple[StepList, Element]],
) -> Iterator[tuple[StepList, Element]]:
    for steps, results in lists:
        for value in _unread(results, steps):
            yield steps, value
        # An element keeps its whole document in memory.
        steps.last = None


def _unread(results: Element, steps: StepList) -> Iterator[Element]:
    """Go through the members of a list that are not read yet."""
    if steps.last is None:
        return results.iterchildren("Value")
    return steps.last.itersiblings("Value")


def growing_list(result: Element) -> tuple[str, Element] | None:
    """
    Find the list of a result that is still growing.

    Returns:
        The name of its container and the list, if that is the last that was read of
        the result and holds members already.
    """
    path: list[str] = []
    below = result
    for _ in range(_DEPTH):
        if not len(below):
            return None
        parent, below = below, below[-1]
        name = below.get("Name")
        # Of several of one name only the first is read.
        if name is None or child_named(parent, name) is not below:
            return None
        path.append(name)
    engine, container, results = path
    if engine != "TS" or container not in CONTAINERS or results != RESULTS:
        return None
    return (container, below) if below.find("Value") is not None else None


def growing_array(result: Element) -> Element | None:
    """Find the array of numbers that a growing result ends with."""
    if not len(result) or result[-1].get("Name") in _NOT_FURTHER:
        return None
    below = result
    while len(below):
        below = below[-1]
        if below.tag not in ("Prop", "Value"):
            return None
        if below.get("Type") == "Array" and below.get("ElementType") == "Number":
            return below
    return None


def _way(*path: tuple[dict[str, Element], str]) -> str:
    """Spell an XPath down members, as libxml2 does."""
    return "".join(f"/Prop[{list(props).index(name) + 1}]" for props, name in path)


def read_texts(
    data: dict[str, Element], kept: dict[str, Any], report: ConversionReport
) -> list[Said]:
    """
    Read the report text and the error of a result.

    Args:
        data: the properties of the result.
        kept: takes the error's code and what all steps of a site have in common.
        report: where each is accounted for.
    """
    said: list[Said] = []
    shown = text(data.get("ReportText"))
    if shown and (shown := clean_text(shown)):
        said.append((LogLevel.INFO, shown))
    error = data.get("Error")
    # Nearly all steps say that there was none, and are asked by one look.
    if error is not None and [fact[0].text for fact in error if len(fact)] != _NO_ERROR:
        said += _read_error(members(error), kept)
    if said:
        report.mapped("log", len(said))
    common = data.get("Common")
    if common is not None and len(common):
        for name, prop in members(common).items():
            _keep_common(name, prop, kept, report)
    return said


def _read_error(error: dict[str, Element], kept: dict[str, Any]) -> Iterator[Said]:
    message = clean_text(text(error.get("Msg")) or "")
    code = read_count(text(error.get("Code")))
    if code:
        kept["error_code"] = code
    if message or (text(error.get("Occurred")) or "").lower() == "true":
        shown = f"{message} (code {code})" if code else message
        yield LogLevel.ERROR, shown


def _keep_common(
    name: str, prop: Element, kept: dict[str, Any], report: ConversionReport
) -> None:
    value = read_scalar(prop, report)
    if value is None or not is_finite(value):
        report.dropped(
            "property", "structured common result", place=partial(place_of, prop)
        )
    else:
        report.mapped("property")
        kept[f"common.{name}"] = value
