"""The answers by which our own store gives whole runs back."""

from __future__ import annotations

from typing import TypeAlias

import attrs

from rigbridge.model import JSONValue

__all__ = [
    "RowsOfPhase",
    "RowsOfRun",
    "RowsOfRuns",
    "SentCell",
    "WholeRun",
    "WholeRuns",
]

SentCell: TypeAlias = str | float | bool | None
"""A cell of a row as JSON."""


@attrs.frozen(kw_only=True)
class WholeRun:
    """
    One run as a document, or why it makes none.

    Attributes:
        id: its id in the store.
        run: its document, see :func:`rigbridge.convert.to_document`; None with a
            problem.
        contents: the ids of its attachments whose bytes the store has, by the digests
            of these.
        problem: why what was sent makes no run, or None.
    """

    id: str
    run: dict[str, JSONValue] | None = None
    # By digests, since the document names its attachments by these and not by ids.
    contents: dict[str, str] = attrs.field(factory=dict[str, str])
    problem: str | None = None


@attrs.frozen(kw_only=True)
class WholeRuns:
    """
    A page of runs.

    Attributes:
        runs: the runs, in the order stored.
        next: what to ask for the next page with, or None at the end.
    """

    runs: list[WholeRun]
    next: int | None = None


@attrs.frozen(kw_only=True)
class RowsOfPhase:
    """
    The measurements of one phase.

    Attributes:
        cells: what all its rows have in common, behind the cells of the run.
        measured: the further cells of each row.
    """

    # Once for all rows: most of a row is the same in the whole phase.
    cells: list[SentCell]
    measured: list[list[SentCell]]


@attrs.frozen(kw_only=True)
class RowsOfRun:
    """
    The measurements of one run, or why it makes none.

    The cells of run, phase and measurement make a row, in the order of
    :data:`rigbridge.export.COLUMNS`; times are ISO 8601, and a number that is not
    finite is spelled.

    Attributes:
        id: its id in the store.
        cells: what all its rows have in common; None with a problem.
        phases: its phases that have measurements.
        problem: why what was sent makes no run, or None.
    """

    id: str
    cells: list[SentCell] | None = None
    phases: list[RowsOfPhase] = attrs.field(factory=list[RowsOfPhase])
    problem: str | None = None


@attrs.frozen(kw_only=True)
class RowsOfRuns:
    """
    A page of measurements.

    Attributes:
        runs: the runs, in the order stored.
        next: what to ask for the next page with, or None at the end.
    """

    runs: list[RowsOfRun]
    next: int | None = None
