"""
A large run that is read while its file is parsed.

After each chunk the complete steps are read and removed from the tree, so that the run
takes the memory of its phases and not of its elements. The last element at any depth is
an open step: its phase comes before those of the steps below it, but is read later.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import attrs

from rigbridge.adapters import ReadContext
from rigbridge.model import Phase, PhaseOutcome, Provenance, Run
from rigbridge_teststand.atml.account import RunAccount
from rigbridge_teststand.atml.data.indexed_arrays import read_early
from rigbridge_teststand.atml.header import read_header
from rigbridge_teststand.atml.local_names import (
    STEPS,
    attributes_of,
    child_elements,
    local_name,
    result_set_of,
)
from rigbridge_teststand.atml.phases import StepLevel, path_below
from rigbridge_teststand.atml.runs import OLDEST, ATMLRunReader, version_of_results
from rigbridge_teststand.atml.step_parts import name_of
from rigbridge_teststand.settings import TestStandSettings
from rigbridge_teststand.xml.elements import Element, PlaceTracker

__all__ = ["PartialRun"]

_T = TypeVar("_T")
_GROUP = "TestGroup"
_ARRAY = "IndexedArray"
# Keeps the place of an open step, whose phase comes before those of the steps below it.
_UNREAD = Phase(name="(not yet read)", outcome=PhaseOutcome.ERROR)


@attrs.define(eq=False)
class _OpenStep:
    """
    A step whose end is not parsed yet.

    Attributes:
        below: the steps below it, with the path that it will probably have.
        at: the index that its phase will have.
        logs: the index that its log entries will have.
        files: the index that its attachments will have.
        outcomes: the stated outcomes of the steps below it.
    """

    element: Element
    level: StepLevel
    below: StepLevel
    at: int
    logs: int
    files: int
    outcomes: set[PhaseOutcome] = attrs.field(factory=set[PhaseOutcome])


class PartialRun:
    """
    A run whose steps are read while its file is being parsed.

    Args:
        results: the ``TestResults`` element, which is not complete.
        context: the settings of the reading, and its conversion report.
        station: the station, which may have a time zone of its own, or None.
    """

    def __init__(
        self,
        results: Element,
        settings: TestStandSettings,
        context: ReadContext,
        station: str | None,
        places: PlaceTracker,
    ) -> None:
        self.results = results
        self._context = context
        self._places = places
        # A report of its own: a damaged file is read again, and must count once.
        self._account = RunAccount(place=places.place)
        self._reader = ATMLRunReader(settings, context, self._account, station)
        self._top = StepLevel(())
        self._holder: Element | None = None
        # Those that were read in part.
        self._arrays: set[Element] = set()
        # Each is a child of the one before it.
        self._open: list[_OpenStep] = []
        # In 2.02 the first group stands for the run, unless another step follows it.
        self._root: _OpenStep | None = None

    def advance(self) -> None:
        """
        Read the steps that are complete.

        Raises:
            ModelError: the run makes no run.
        """
        holder = self._result_set()
        if holder is None:
            return
        partial = 0
        for step in self._open:
            # Only the last element at each depth can still grow.
            if holder[-1] is not step.element:
                break
            partial += 1
            holder = step.element
        self._close(partial, is_parent_complete=False)
        level = self._open[-1].below if self._open else self._top
        while below := child_elements(holder):
            # All but the last one are complete: the parser has gone on behind them.
            self._read_complete(below[:-1], level, is_parent_complete=False)
            holder = below[-1]
            if local_name(holder) not in STEPS:
                self._read_array(holder)
                break
            level = self._enter(holder, level).below

    def _result_set(self) -> Element | None:
        # Once steps were removed, results without a result set look like a header.
        if self._holder is None:
            self._holder = result_set_of(self.results)
        return self._holder

    def _read_array(self, element: Element) -> None:
        """Read the beginning of an array that is being parsed, and remove it."""
        while local_name(element) != _ARRAY:
            if not child_elements(element):
                return
            element = element[-1]
        count = read_early(element, self._account)
        if count:
            self._places.take_first(element, element[0].tag, count)
            self._arrays.add(element)

    def _forget_arrays(self) -> None:
        """Forget what was removed from arrays that were read to their end."""
        for element in self._arrays - self._account.numbers.keys():
            self._places.forget(element)
            self._arrays.discard(element)

    def has_read_below(self, element: Element) -> bool:
        """Tell whether steps below an open step were read and removed already."""
        phases = self._reader.sequence.phases
        return any(
            phase is not _UNREAD
            for step in self._open
            if step.element is element
            for phase in phases[step.at + 1 :]
        )

    def _enter(self, element: Element, level: StepLevel) -> _OpenStep:
        """Open a step, whose phase is read when it is complete."""
        phases = self._reader.sequence.phases
        if self._root is not None and level is self._top:
            self._read_root(self._root)
        step = _OpenStep(
            element=element,
            level=level,
            below=StepLevel(()),
            at=len(phases),
            logs=len(self._reader.steps.logs),
            files=len(self._reader.steps.data.attachments),
        )
        if self._may_be_root(element):
            self._root = step
        else:
            name = name_of(local_name(element), attributes_of(element))
            step.below.path = (*level.path, name)
            phases.append(_UNREAD)
        self._open.append(step)
        return step

    def _may_be_root(self, element: Element) -> bool:
        is_first = not self._open and not self._reader.sequence.phases
        return (
            is_first
            and self._root is None
            and local_name(element) == _GROUP
            and version_of_results(self.results) == OLDEST
        )

    def _read_complete(
        self,
        elements: Iterable[Element],
        level: StepLevel,
        *,
        is_parent_complete: bool,
    ) -> None:
        """Read the steps among complete elements, and remove them."""
        sequence = self._reader.sequence
        for element in elements:
            kind = local_name(element)
            if kind not in STEPS or self._is_root(element):
                continue
            if self._may_be_root(element):
                self._enter(element, level)
                self._close(0, is_parent_complete=is_parent_complete)
                continue
            if self._root is not None and level is self._top:
                self._read_root(self._root)
            at = len(sequence.phases)
            sequence.read([(kind, element)], level)
            self._state(sequence.phases[at])
            self._take(element, is_parent_complete=is_parent_complete)
            self._forget_arrays()

    def _take(self, element: Element, *, is_parent_complete: bool) -> None:
        """Remove a step that was read, and keep the text behind it for its parent."""
        texts = self._account.texts
        texts.pop(element, None)
        parent, tail = element.getparent(), (element.tail or "").strip()
        if parent is not None and tail:
            at = parent.index(element)
            texts.setdefault(parent, {}).setdefault(at, []).append(tail)
        self._places.take(element, is_parent_complete=is_parent_complete)

    def _is_root(self, element: Element) -> bool:
        return self._root is not None and self._root.element is element

    def _close(self, partial: int, *, is_parent_complete: bool) -> None:
        """
        Read the open steps that are complete, which are all but the first ones.

        Args:
            partial: how many are not complete.
            is_parent_complete: whether what holds the outermost of them is complete.
        """
        while len(self._open) > partial:
            inner = self._open[-1]
            below = child_elements(inner.element)
            # From the inside out: a step is read after all that is in it.
            self._read_complete(below, inner.below, is_parent_complete=True)
            self._open.pop()
            if inner is not self._root:
                self._read(inner)
                is_inside = len(self._open) > partial
                self._take(
                    inner.element, is_parent_complete=is_inside or is_parent_complete
                )

    def _read(self, step: _OpenStep) -> None:
        """Read the phase of a step whose steps below are read already."""
        sequence, reader = self._reader.sequence, self._reader.steps
        logs, files = len(reader.logs), len(reader.data.attachments)
        kind = local_name(step.element)
        phase, looping, _ = reader.read(
            (kind, step.element), step.level.path, step.outcomes
        )
        phase = sequence.looped(phase, looping, step.level, step.at, step.element)
        sequence.phases[step.at] = phase
        _move(reader.logs, logs, step.logs)
        _move(reader.data.attachments, files, step.files)
        if (path := path_below(phase)) != step.below.path:
            sequence.repath(step.at + 1, len(step.below.path), path)
        self._state(phase)
        self._forget_arrays()

    def _state(self, phase: Phase) -> None:
        """Add the outcome of a step to those of its parent."""
        is_blank = phase.attributes.get("raw_status") == ""
        if self._open:
            outcome = PhaseOutcome.ERROR if is_blank else phase.outcome
            self._open[-1].outcomes.add(outcome)

    def _read_root(self, step: _OpenStep) -> None:
        """Read the group that stood for the run as a step, since another follows."""
        self._root = None
        self._reader.sequence.phases.insert(0, _UNREAD)
        self._read(step)
        # The other one stands behind it.
        self._take(step.element, is_parent_complete=False)

    def _forget_cut_off(self) -> None:
        """Forget open steps that the reading of a cut-off file removed."""
        while self._open and self._open[-1].element.getparent() is None:
            step = self._open.pop()
            del self._reader.sequence.phases[step.at]

    def finish(self, source: Provenance, *, truncated: bool = False) -> Run:
        """
        Make the run, once its element is complete.

        Args:
            truncated: whether the file ends within this run.

        Raises:
            ModelError: it makes no run.
        """
        try:
            if truncated:
                self._forget_cut_off()
            self._close(0, is_parent_complete=True)
            result_set = self._result_set()
            is_set = result_set is self.results
            header = read_header(self.results, self._account, is_set=is_set)
            if result_set is not None:
                below = child_elements(result_set)
                self._read_complete(below, self._top, is_parent_complete=True)
            root = result_set if self._root is None else self._root.element
            return self._reader.finish(
                self.results, (result_set, root), header, source, truncated=truncated
            )
        finally:
            if self._root is not None:
                self._places.forget(self._root.element)
            self._account.settle()
            self._context.report.merge(self._account.report)


def _move(entries: list[_T], begin: int, to: int) -> None:
    """Move the entries of a step before those of the steps below it."""
    if to < begin < len(entries):
        own = entries[begin:]
        del entries[begin:]
        entries[to:to] = own
