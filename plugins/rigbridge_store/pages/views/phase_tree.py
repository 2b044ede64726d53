"""The phases of a run as the tree that they are, ready to be shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

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
    "failed_measurements",
]

# A run may hold hundreds of waveforms; a page of all of them would not load.
_MAX_FIGURES = 40
_MAX_ROWS = 25
# Of many phases only the failed ones are unfolded.
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
        rows: the cells, as text.
        total: how many rows the series has.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    total: int


@attrs.frozen(kw_only=True)
class MeasurementView:
    """
    A measurement as a row of a table.

    Attributes:
        anchor: its place on the page.
        measurement: the measurement itself.
        phase: the stored name of its phase, by which its history is found.
        value: the value as text; None for a series.
        limits: the range as text, blank if there is none.
        bar: the value against the range, or None.
        figure: the plot of a series, or None.
        table: the rows of a series, or None.
        has_trend: whether its history is worth a look.
    """

    anchor: str
    measurement: Measurement
    phase: str
    value: str | None
    limits: str
    bar: LimitBar | None
    figure: Figure | None
    table: SeriesTable | None
    has_trend: bool


@attrs.define(kw_only=True)
class PhaseNode:
    """
    A phase with those within it.

    Attributes:
        name: its name.
        anchor: its place on the page.
        phase: the phase itself; None where the source names it as an ancestor only.
        measurements: what it measured.
        children: the phases within it.
        is_open: whether it is unfolded at first.
        offset, length: when it ran and how long, in percent of the run; None where
            that is unknown.
    """

    name: str
    anchor: str
    phase: Phase | None = None
    measurements: list[MeasurementView] = attrs.field(factory=list[MeasurementView])
    children: list[PhaseNode] = attrs.field(factory=list["PhaseNode"])
    is_open: bool = True
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
    def has_failed(self) -> bool:
        """Whether it, something it measured or a phase within it failed."""
        return (
            self.outcome in ("FAIL", "ERROR")
            or any(_is_failed(view) for view in self.measurements)
            or any(child.has_failed for child in self.children)
        )


def _is_failed(view: MeasurementView) -> bool:
    return view.measurement.outcome is MeasurementOutcome.FAIL


def build_tree(run: Run) -> list[PhaseNode]:
    """
    Put the phases of a run, which are flat, into the tree that their paths tell.

    A phase belongs to the last one before it that has the name of its parent; one
    that is only named as an ancestor gets a place of its own.
    """
    return _Tree(run).roots


def failed_measurements(nodes: Sequence[PhaseNode]) -> Iterator[MeasurementView]:
    """Go through everything that failed, in order."""
    for node in nodes:
        yield from filter(_is_failed, node.measurements)
        yield from failed_measurements(node.children)


class _Tree:
    """Builds the tree of one run."""

    def __init__(self, run: Run) -> None:
        self.roots: list[PhaseNode] = []
        self.figures = 0
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
            node.is_open = node.has_failed
            self.fold(node.children)

    def view(self, phase: Phase, item: Measurement, anchor: str) -> MeasurementView:
        series = item.value if isinstance(item.value, Series) else None
        figure = None
        if series is not None and self.figures < _MAX_FIGURES:
            figure = series_chart(item, series, f"plot-{anchor}")
            self.figures += figure is not None
        value = None if series is not None else format_value(item.value)
        if value is not None and len(value) > _LONG_TEXT:
            value = f"{value[:_LONG_TEXT]}…"
        # The store knows phases by flat names, cut to what v1 allows.
        flat = PATH_SEPARATOR.join((*phase.path, phase.name))
        return MeasurementView(
            anchor=anchor,
            measurement=item,
            phase=flat[:MAX_NAME],
            value=value,
            limits="" if item.limits is None else describe_limit(item.limits),
            bar=limit_bar(item.value, item.limits),
            figure=figure,
            table=None if series is None else _table(series),
            has_trend=series is None and len(item.name) <= MAX_NAME,
        )


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
