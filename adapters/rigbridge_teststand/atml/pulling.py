"""
The steps of a run one by one, while its file is being parsed.

What is complete is read and taken out of the tree at once, so that a run takes the
memory of its phases and not that of its elements. A step's phase stands before those
of the steps below it although it is read after them, since only its end completes it.
"""

from __future__ import annotations

from typing import Any

import attrs

from rigbridge.adapters import ReadContext
from rigbridge.errors import ModelError
from rigbridge.model import Phase, PhaseOutcome, Provenance, Run
from rigbridge_teststand.atml.account import Account
from rigbridge_teststand.atml.header import read_header
from rigbridge_teststand.atml.names import attributes_of, child, local
from rigbridge_teststand.atml.places import Places
from rigbridge_teststand.atml.runs import OLDEST, RunReader, version_of_results
from rigbridge_teststand.atml.sequence import Level, path_below
from rigbridge_teststand.atml.steps import name_of
from rigbridge_teststand.element import Element
from rigbridge_teststand.settings import TestStandSettings

__all__ = ["PulledRun"]

_GROUP = "TestGroup"
_UNREAD = Phase(name="(not yet read)", outcome=PhaseOutcome.ERROR)


@attrs.define(eq=False)
class _Open:
    """
    A step whose end has not come yet.

    Attributes:
        element: the step.
        level: the steps beside it.
        below: the steps below it, under the path that it will probably have.
        at: where its phase will stand.
        logs: where its log entries will stand.
        files: where its attachments will stand.
        outcomes: the outcomes that the steps below it stated.
    """

    element: Element
    level: Level
    below: Level
    at: int
    logs: int
    files: int
    outcomes: set[PhaseOutcome] = attrs.field(factory=set)


class PulledRun:
    """
    A run whose steps are read while its file is being parsed.

    Args:
        results: the ``TestResults`` element, which has only begun.
        settings: the site's settings for TestStand.
        context: the surroundings of the reading.
        station: the station, whose time zone may be its own, or None.
        places: takes the steps out of the tree.
    """

    def __init__(
        self,
        results: Element,
        settings: TestStandSettings,
        context: ReadContext,
        station: str | None,
        places: Places,
    ) -> None:
        self.results = results
        self._context = context
        self._places = places
        self._account = Account(place=places.place)
        self._reader = RunReader(settings, context, self._account, station)
        self._top = Level(())
        self._open: list[_Open] = []
        self._result_set: Element | None = None
        # In the oldest version, the group that stands for the run as far as is known.
        self._root: _Open | None = None
        self._error: ModelError | None = None

    def enter(self, element: Element) -> None:
        """Take note that a step begins; what is no step of the run is left alone."""
        level = self._level(element)
        if level is None or self._error is not None:
            return
        phases = self._reader.sequence.phases
        kind = local(element)
        is_first = not self._open and not phases and self._root is None
        if not self._open and self._root is not None:
            self._read_root(self._root)
        step = _Open(
            element=element,
            level=level,
            below=Level(()),
            at=len(phases),
            logs=len(self._reader.steps.logs),
            files=len(self._reader.steps.data.attachments),
        )
        if is_first and kind == _GROUP and version_of_results(self.results) == OLDEST:
            self._root = step
        else:
            name = name_of(kind, attributes_of(element))
            step.below.path = (*level.path, name)
            phases.append(_UNREAD)
        self._open.append(step)

    def _level(self, element: Element) -> Level | None:
        """Give the steps that a step stands among; None where it is no step."""
        holder = element.getparent()
        if holder is None:
            return None
        if self._open:
            return self._open[-1].below if holder is self._open[-1].element else None
        if self._result_set is None:
            self._result_set = child(self.results, "ResultSet")
        return self._top if holder is self._result_set else None

    def leave(self, element: Element) -> None:
        """Read a step that is complete, and take it out of the tree."""
        if not self._open or self._open[-1].element is not element:
            return
        step = self._open.pop()
        if step is self._root:
            return
        try:
            self._read(step)
        except ModelError as error:
            self._error = error
            self._open.clear()
        self._places.take(element)

    def _read(self, step: _Open) -> None:
        sequence, reader = self._reader.sequence, self._reader.steps
        logs, files = len(reader.logs), len(reader.data.attachments)
        kind = local(step.element)
        phase, looping, _ = reader.read(
            (kind, step.element), step.level.path, step.outcomes
        )
        phase = sequence.looped(phase, looping, step.level, step.at, step.element)
        sequence.phases[step.at] = phase
        _move(reader.logs, logs, step.logs)
        _move(reader.data.attachments, files, step.files)
        if (path := path_below(phase)) != step.below.path:
            sequence.repath(step.at + 1, len(step.below.path), path)
        status = phase.attributes.get("raw_status")
        if self._open and status is not None:
            self._open[-1].outcomes.add(phase.outcome if status else PhaseOutcome.ERROR)

    def _read_root(self, step: _Open) -> None:
        """Read the group that was taken for the run, since another step follows."""
        self._root = None
        self._reader.sequence.phases.insert(0, _UNREAD)
        self._read(step)
        self._places.take(step.element)

    def finish(self, source: Provenance) -> Run:
        """
        Make the run, once its element is complete.

        Args:
            source: where it stands.

        Raises:
            ModelError: it makes no run.
        """
        if self._error is not None:
            raise self._error
        try:
            header = read_header(self.results, self._account)
            result_set = child(self.results, "ResultSet")
            root = result_set if self._root is None else self._root.element
            return self._reader.finish(
                self.results, (result_set, root), header, source, truncated=False
            )
        finally:
            self._account.settle()
            self._context.report.merge(self._account.report)


def _move(entries: list[Any], begin: int, to: int) -> None:
    """Move the entries of a step before those of the steps below it."""
    if to < begin < len(entries):
        own = entries[begin:]
        del entries[begin:]
        entries[to:to] = own
