"""
Step results to the phases of a run.

A step result holds only what its own element states. The path, the times and the place
in a loop are added here, when the report is complete: in the file the steps of a call
precede its name, and the start of the run follows all steps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias

import attrs

from rigbridge.adapters import ConversionReport, Place
from rigbridge.model import (
    Attachment,
    JSONValue,
    LogEntry,
    Measurement,
    Phase,
    PhaseOutcome,
)
from rigbridge_teststand.native.execution_data import CALL
from rigbridge_teststand.native.report_text import LoggedText
from rigbridge_teststand.vocabulary import LOG_ATTRIBUTES, LoopRole
from rigbridge_teststand.xml.elements import Element, place_of

__all__ = ["PhaseBuilder", "ResultList", "StepResult", "StepTimes"]


@attrs.define
class StepResult:
    """
    One ``TEResult``.

    Attributes:
        outcome: the outcome of its status.
        attributes: its execution data, as the attributes of the phase.
        start: the engine's seconds at its start, or None.
        total: its duration in seconds, or None.
        attachments: the files that it refers to.
        key: the identity of its step, the same in each iteration of a loop.
        member: its number among the elements of its array, counted from 1.
        line: the line on which it begins.
        docstring: the comment of the sequence's author.
    """

    name: str
    status: str
    outcome: PhaseOutcome
    attributes: dict[str, JSONValue]
    start: float | None
    total: float | None
    measurements: tuple[Measurement, ...]
    texts: list[LoggedText]
    attachments: list[Attachment]
    lists: list[ResultList]
    role: LoopRole
    key: str
    member: int
    line: int | None
    docstring: str | None


@attrs.define
class ResultList:
    """
    The results that a container of a result holds.

    Attributes:
        container: its name (``SequenceCall``, ``PostAction``...).
        path: the XPath from the result to the list.
        steps: the results that were read so far.
        members: the number of array elements that were read.
        last: the last of these, if the list was read while it was parsed.
    """

    container: str
    path: str
    steps: list[StepResult] = attrs.field(factory=list[StepResult])
    members: int = 0
    last: Element | None = None


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
        """Whether both the start and the engine's time at it are known."""
        return self.start is not None and self.engine_start is not None

    def moment(self, seconds: float) -> datetime | None:
        """Turn seconds of the engine's clock into a time."""
        if self.start is None or self.engine_start is None:
            return None
        # The engine counts seconds from its own start; no clock correction changes it.
        elapsed = seconds - self.engine_start
        # Only merged data has a step before the main sequence.
        if elapsed < 0:
            return None
        try:
            return self.start + timedelta(seconds=elapsed)
        except (OverflowError, ValueError):
            return None


_Position: TypeAlias = tuple["_Position | None", ResultList, int]
"""The place of a step: that of its parent, its list, its number in the list."""


class PhaseBuilder:
    """
    Makes the phases of a run from its step results.

    Attributes:
        logs: the texts of the steps, likewise.
        attachments: the files that they refer to, likewise.
    """

    def __init__(
        self, root: Element, times: StepTimes, report: ConversionReport
    ) -> None:
        self._root = root
        self._times = times
        self._report = report
        self.phases: list[Phase] = []
        self.logs: list[LogEntry] = []
        self.attachments: list[Attachment] = []

    def add(self, lists: list[ResultList]) -> None:
        """Make the phases of all steps, and free the step results."""
        pending = [self._placed(lists, (), None)]
        # A stack instead of recursion: sequences may call themselves deeply.
        while pending:
            below = next(pending[-1], None)
            if below is None:
                pending.pop()
            else:
                pending.append(self._placed(*below))

    def _placed(
        self, lists: list[ResultList], path: tuple[str, ...], above: _Position | None
    ) -> Iterator[tuple[list[ResultList], tuple[str, ...], _Position]]:
        """Add the steps of lists; yield the lists below a step before the next one."""
        for steps in lists:
            # A callback is a level of its own in the path, a called sequence is not.
            name = steps.container
            below = path if name == CALL else (*path, name)
            for step, place in self._list(steps, below):
                trail = (above, steps, step.member)
                self._add(step, place, trail)
                if step.lists:
                    yield step.lists, (*place, step.name), trail

    def _list(
        self, steps: ResultList, below: tuple[str, ...]
    ) -> Iterator[tuple[StepResult, tuple[str, ...]]]:
        """Give the steps of a list; a summary owns the iterations that follow it."""
        # Reversed, so that pop() frees each step result once its phase is made.
        following = steps.steps[::-1]
        steps.steps.clear()
        # The loop summary and its iterations have a LoopIndex; count only the others.
        seen = Counter([step.key for step in following if step.role is LoopRole.NONE])
        repeats = len(seen) < seen.total()
        passed: Counter[str] = Counter()
        summary: str | None = None
        while following:
            step = following.pop()
            # The summary comes first, and its iterations are its siblings.
            key, role = step.key, step.role
            path = below
            if role is LoopRole.SUMMARY:
                summary = key
            elif role is LoopRole.ITERATION and key == summary:
                path = (*below, step.name)
            else:
                summary = None
            if repeats and role is LoopRole.NONE and seen[key] > 1:
                # Iterations of NI_Flow_For and the like have no LoopIndex.
                step.attributes["occurrence"] = passed[key]
                passed[key] += 1
            yield step, path

    def _add(self, step: StepResult, path: tuple[str, ...], trail: _Position) -> None:
        start, total = step.start, step.total
        started = ended = None
        if start is not None:
            started = self._times.moment(start)
            if started is None and self._times.is_known:
                self._report.coerced(
                    "phase time",
                    "before the main sequence, taken as unknown",
                    place=partial(self._place, step, trail),
                )
            if total is not None:
                ended = self._times.moment(start + total)
        # Without a known start the engine's own seconds are all there is.
        if started is None and start is not None:
            step.attributes["engine_time"] = start
        if ended is None and total is not None:
            step.attributes["total_time"] = total
        for level, message in step.texts:
            time = ended or started
            self.logs.append(LogEntry(level=level, message=message, time=time))
            step.attributes[LOG_ATTRIBUTES[level]] = message
        self.attachments += step.attachments
        self.phases.append(
            Phase(
                name=step.name,
                outcome=step.outcome,
                started_at=started,
                ended_at=ended,
                path=path,
                measurements=step.measurements,
                docstring=step.docstring,
                attributes=step.attributes,
            )
        )

    def _place(self, step: StepResult, trail: _Position) -> Place:
        """Give the place of a step, whose element may be gone."""
        above: _Position | None = trail
        parts: list[str] = []
        while above is not None:
            above, steps, member = above
            parts.append(f"{steps.path}/Value[{member}]/Prop[1]")
        root = place_of(self._root).path or ""
        return Place(line=step.line, path=root + "".join(reversed(parts)))
