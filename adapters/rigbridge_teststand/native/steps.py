"""
What a result of a report is, apart from its place in the run.

A step is what its own element says, and nothing of what stands around it. Its place in
the run follows in :mod:`rigbridge_teststand.native.sequences`, once the report is
complete: in the file the steps of a call stand before its name, and the run's start
behind them all.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import attrs

from rigbridge.model import Attachment, Measurement, PhaseOutcome
from rigbridge_teststand.native.said import Said
from rigbridge_teststand.xml.element import Element

__all__ = ["Role", "Step", "StepList"]


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
