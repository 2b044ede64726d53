"""
The step tree to phases: in document order, parents before their children.

The summary of a loop owns the iterations that follow it.
"""

from __future__ import annotations

import re

import attrs

from rigbridge.adapters import Place
from rigbridge.model import Phase
from rigbridge_teststand.atml.account import RunAccount
from rigbridge_teststand.atml.local_names import Step
from rigbridge_teststand.atml.steps import ATMLStepReader
from rigbridge_teststand.omissions import LOOP_SUMMARY
from rigbridge_teststand.vocabulary import LoopRole
from rigbridge_teststand.xml.elements import Element

__all__ = ["PhaseTree", "StepLevel", "path_below"]

_TURN = re.compile(r"\s*\(Loop Index:\s*-?\d+\)$")


@attrs.define
class StepLevel:
    """
    The steps right below one parent, as far as they were read.

    Attributes:
        loop: the identity of the step whose iterations may follow, or None.
        at: the index of its summary among the phases.
        place: the place of its summary in the file.
    """

    path: tuple[str, ...]
    loop: object = None
    name: str = ""
    at: int = -1
    place: Place | None = None


class PhaseTree:
    """
    The phases of one run.

    Args:
        account: takes an entry for each value of a loop's summary.
    """

    def __init__(self, reader: ATMLStepReader, account: RunAccount) -> None:
        self._reader = reader
        self._account = account
        self.phases: list[Phase] = []

    def read(self, steps: list[Step], level: StepLevel) -> None:
        """Read steps, and every step below them."""
        # A stack instead of recursion: sequences may call themselves deeply.
        # Reversed, since the last of a stack is taken first.
        pending = _waiting(steps, level)
        while pending:
            step, level = pending.pop()
            phase, looping, nested = self._reader.read(step, level.path)
            at = len(self.phases)
            self.phases.append(self.looped(phase, looping, level, at, step[1]))
            if nested:
                pending += _waiting(nested, StepLevel(path_below(self.phases[at])))

    def looped(
        self,
        phase: Phase,
        looping: LoopRole,
        level: StepLevel,
        at: int,
        element: Element,
    ) -> Phase:
        """
        Put the iterations of a loop below its summary.

        The summary repeats the values of the last iteration, so they are dropped.

        Args:
            at: its index among the phases.
        """
        if looping is LoopRole.NONE and level.loop is None:
            return phase
        # The names of iterations end in their index, that of the summary does not.
        loop = phase.attributes.get("step_id") or _TURN.sub("", phase.name)
        if looping is LoopRole.ITERATION and level.loop == loop:
            self._empty(level)
            return attrs.evolve(phase, path=(*level.path, level.name))
        # Any step in between ends the loop.
        level.loop = None
        if looping is LoopRole.SUMMARY:
            level.loop, level.name, level.at = loop, phase.name, at
            level.place = self._account.place(element) if phase.measurements else None
        return phase

    def repath(self, begin: int, length: int, path: tuple[str, ...]) -> None:
        """
        Correct the beginning of the last phases' paths.

        Args:
            begin: the index of the first of them.
            length: the number of names of each path that are replaced.
        """
        for at in range(begin, len(self.phases)):
            phase = self.phases[at]
            self.phases[at] = attrs.evolve(phase, path=(*path, *phase.path[length:]))

    def _empty(self, level: StepLevel) -> None:
        summary = self.phases[level.at]
        if not summary.measurements or level.place is None:
            return
        for measurement in summary.measurements:
            self._account.drop_measurement(measurement, LOOP_SUMMARY, level.place)
        self.phases[level.at] = attrs.evolve(summary, measurements=())


def _waiting(steps: list[Step], level: StepLevel) -> list[tuple[Step, StepLevel]]:
    return [(step, level) for step in reversed(steps)]


def path_below(phase: Phase) -> tuple[str, ...]:
    """Give the path of the steps below a phase."""
    if phase.attributes.get("post_action"):
        return (*phase.path, phase.name, "PostAction")
    return (*phase.path, phase.name)
