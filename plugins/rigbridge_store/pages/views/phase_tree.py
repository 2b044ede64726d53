"""The phases of a run as the tree that they are, ready to be shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property

import attrs

from rigbridge.convert import MAX_NAME, PATH_SEPARATOR
from rigbridge.model import Axis, Measurement, MeasurementOutcome, Phase, Run, Series
from rigbridge_store.pages.charts.figure import Figure
from rigbridge_store.pages.charts.limit_bar import LimitBar, describe_limit, limit_bar
from rigbridge_store.pages.charts.series import series_chart
from rigbridge_store.pages.formatting import format_value

__all__ = [
    "MeasurementView",
    "PhaseNode",
    "SeriesTable",
    "build_tree",
    "choose_phases",
    "find_phase",
    "is_failed",
    "unfold",
]

# A run may hold hundreds of waveforms; a page of all of them would not load.
_MAX_FIGURES = 40
_MAX_ROWS = 25
# Of many phases only the failed ones are unfolded, and what the others hold comes when
# somebody asks for it.
_MANY_PHASES = 40
_LONG_TEXT = 300
_TIMELINE = 100.0
# A phase of a millisecond in a run of an hour must still be seen.
_THINNEST = 0.8


@attrs.frozen(kw_only=True)
class SeriesTable:
    """
    The first rows of a series.

    Attributes:
        headings: the names of the columns with their units.
        total: how many rows the series has.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    total: int


@attrs.frozen(kw_only=True)
class MeasurementView:
    """
    A measurement as a row of a table.

    What it shows is made when it is asked for: of a long run only what failed is.

    Attributes:
        phase: the stored name of its phase, by which its history is found.
        is_drawn: whether a series is plotted; a page holds only so many.
    """

    anchor: str
    measurement: Measurement
    phase: str
    is_drawn: bool

    @cached_property
    def series(self) -> Series | None:
        """Its value, if that is a series."""
        value = self.measurement.value
        return value if isinstance(value, Series) else None

    @cached_property
    def value(self) -> str | None:
        """The value as text; None for a series."""
        if self.series is not None:
            return None
        text = format_value(self.measurement.value)
        return text if len(text) <= _LONG_TEXT else f"{text[:_LONG_TEXT]}…"

    @cached_property
    def limits(self) -> str:
        """The range as text, blank if there is none."""
        limits = self.measurement.limits
        return "" if limits is None else describe_limit(limits)

    @cached_property
    def bar(self) -> LimitBar | None:
        """The value against the range, or None."""
        return limit_bar(self.measurement.value, self.measurement.limits)

    @cached_property
    def figure(self) -> Figure | None:
        """The plot of a series, or None."""
        if self.series is None or not self.is_drawn:
            return None
        return series_chart(self.measurement, self.series, f"plot-{self.anchor}")

    @cached_property
    def table(self) -> SeriesTable | None:
        """The rows of a series, or None."""
        return None if self.series is None else _table(self.series)

    @property
    def has_trend(self) -> bool:
        """Whether its history is worth a look."""
        return self.series is None and len(self.measurement.name) <= MAX_NAME


@attrs.define(kw_only=True)
class PhaseNode:
    """
    A phase with those within it.

    Attributes:
        phase: the phase itself; None where the source names it as an ancestor only.
        is_open: whether it is unfolded at first.
        is_loaded: whether the page holds what is in it, or only its row.
        offset, length: when it ran and how long, in percent of the run; None where
            that is unknown.
    """

    name: str
    anchor: str
    phase: Phase | None = None
    measurements: list[MeasurementView] = attrs.field(factory=list[MeasurementView])
    children: list[PhaseNode] = attrs.field(factory=list["PhaseNode"])
    is_open: bool = True
    is_loaded: bool = True
    offset: float | None = None
    length: float | None = None

    @property
    def duration(self) -> timedelta | None:
        """How long it took; None where unknown."""
        phase = self.phase
        if phase is None or phase.started_at is None or phase.ended_at is None:
            return None
        return phase.ended_at - phase.started_at

    @property
    def outcome(self) -> str | None:
        """Its verdict as text; None where the source gives none."""
        return None if self.phase is None else self.phase.outcome.value

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to unfold."""
        phase = self.phase
        return (
            not self.measurements
            and not self.children
            and (phase is None or not (phase.docstring or phase.attributes))
        )

    @property
    def has_failed(self) -> bool:
        """Whether it, something it measured or a phase within it failed."""
        return (
            self.outcome in ("FAIL", "ERROR")
            or any(is_failed(view) for view in self.measurements)
            or any(child.has_failed for child in self.children)
        )


def is_failed(view: MeasurementView) -> bool:
    """Whether a measurement failed."""
    return view.measurement.outcome is MeasurementOutcome.FAIL


def build_tree(run: Run) -> list[PhaseNode]:
    """
    Put the phases of a run, which are flat, into the tree that their paths tell.

    A phase belongs to the last one before it that has the name of its parent; one
    that is only named as an ancestor gets a place of its own.
    """
    return _Tree(run).roots


def find_phase(nodes: Sequence[PhaseNode], anchor: str) -> PhaseNode | None:
    """Find a phase by its place on the page."""
    for node in nodes:
        if node.anchor == anchor:
            return node
        found = find_phase(node.children, anchor)
        if found is not None:
            return found
    return None


def unfold(nodes: Sequence[PhaseNode]) -> None:
    """Let a page hold everything, and show it."""
    for node in nodes:
        node.is_open = node.is_loaded = True
        unfold(node.children)


def choose_phases(
    nodes: Sequence[PhaseNode], *, text: str, hides_skipped: bool
) -> list[PhaseNode]:
    """
    Leave out the phases that nobody asked for; the parents of others stay.

    Args:
        text: a fragment of the name of a phase or of a measurement; blank is all.
        hides_skipped: whether skipped phases are left out.
    """
    wanted = text.strip().casefold()
    kept: list[PhaseNode] = []
    for node in nodes:
        named = wanted in node.name.casefold()
        measured = [
            view
            for view in node.measurements
            if wanted in view.measurement.name.casefold()
        ]
        # Who asks for a phase by its name wants to see all that is in it.
        children = choose_phases(
            node.children, text="" if named else wanted, hides_skipped=hides_skipped
        )
        is_hidden = hides_skipped and node.outcome == "SKIP" and not children
        if is_hidden or not (named or measured or children):
            continue
        kept.append(
            attrs.evolve(
                node,
                children=children,
                measurements=node.measurements if named else measured,
                is_open=node.is_open or bool(wanted and (measured or children)),
                is_loaded=node.is_loaded or bool(wanted and measured),
            )
        )
    return kept


class _Tree:
    """Builds the tree of one run."""

    def __init__(self, run: Run) -> None:
        self.roots: list[PhaseNode] = []
        self.series = 0
        self.begin, self.span = _window(run)
        for index, phase in enumerate(run.phases):
            self.add(phase, index)
        if len(run.phases) > _MANY_PHASES:
            self.fold(self.roots)

    def add(self, phase: Phase, index: int) -> None:
        siblings = self.roots
        for depth, name in enumerate(phase.path):
            if not siblings or siblings[-1].name != name:
                anchor = f"phase-{index}-{depth}"
                siblings.append(PhaseNode(name=name, anchor=anchor))
            siblings = siblings[-1].children
        last = siblings[-1] if siblings else None
        if last is not None and last.phase is None and last.name == phase.name:
            # The source names a phase after those within it.
            last.phase = phase
            node = last
        else:
            node = PhaseNode(name=phase.name, anchor=f"phase-{index}", phase=phase)
            siblings.append(node)
        node.measurements.extend(
            self.view(phase, item, f"measurement-{index}-{number}")
            for number, item in enumerate(phase.measurements)
        )
        self.place(node, phase)

    def place(self, node: PhaseNode, phase: Phase) -> None:
        if self.begin is None or not self.span:
            return
        if phase.started_at is None or phase.ended_at is None:
            return
        offset = (phase.started_at - self.begin) / self.span * _TIMELINE
        length = (phase.ended_at - phase.started_at) / self.span * _TIMELINE
        node.offset = round(min(_TIMELINE - _THINNEST, max(0.0, offset)), 2)
        room = _TIMELINE - node.offset
        node.length = round(min(room, max(_THINNEST, length)), 2)

    def fold(self, nodes: Sequence[PhaseNode]) -> None:
        for node in nodes:
            node.is_open = node.has_failed or bool(node.children)
            # The names of phases are there always, since a page is read by them.
            node.is_loaded = node.has_failed
            self.fold(node.children)

    def view(self, phase: Phase, item: Measurement, anchor: str) -> MeasurementView:
        self.series += isinstance(item.value, Series)
        # The store knows phases by flat names, cut to what v1 allows.
        flat = PATH_SEPARATOR.join((*phase.path, phase.name))
        return MeasurementView(
            anchor=anchor,
            measurement=item,
            phase=flat[:MAX_NAME],
            is_drawn=self.series <= _MAX_FIGURES,
        )


# By the phases: the times of the run itself may be absent, or rounded.
def _window(run: Run) -> tuple[datetime | None, timedelta]:
    moments = [
        moment
        for phase in run.phases
        for moment in (phase.started_at, phase.ended_at)
        if moment is not None
    ]
    if not moments:
        return None, timedelta()
    begin = min(moments)
    return begin, max(moments) - begin


def _table(series: Series) -> SeriesTable:
    rows: list[list[str]] = []
    for row in series.rows():
        if len(rows) == _MAX_ROWS:
            break
        rows.append([format_value(cell) for cell in row])
    return SeriesTable(
        headings=[_heading(axis, index) for index, axis in enumerate(series.axes)],
        rows=rows,
        total=len(series),
    )


def _heading(axis: Axis, index: int) -> str:
    name = axis.name or f"column {index + 1}"
    return f"{name} [{axis.unit}]" if axis.unit else name
