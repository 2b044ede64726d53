"""One measurement over time, against its limits and against itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from rigbridge_store.pages.charts.figure import (
    Figure,
    Frame,
    Mark,
    Rule,
    Tick,
    path_of,
    spaced,
    value_ticks,
)
from rigbridge_store.pages.charts.reduction import seen_points
from rigbridge_store.pages.charts.scales import Scale, spanning
from rigbridge_store.pages.formatting import (
    format_moment,
    format_number,
    from_micros,
)
from rigbridge_store.reading.statistics import Summary
from rigbridge_store.reading.trends import MeasurementTrend, PointSource

__all__ = ["control_chart", "marked_points"]

_STRETCHES = 400
_ALL_MARKED = 200
_MAX_MARKS = 300
_TIME_TICKS = 6
_FRAME = Frame(height=330, bottom=280, right=735)
_SHORT = timedelta(days=2)


def marked_points(trend: MeasurementTrend) -> Sequence[int]:
    """Choose the points that can be pointed at: all of few, of many the failed."""
    count = len(trend.values)
    if count <= _ALL_MARKED:
        return range(count)
    failed = [index for index in range(count) if trend.failed[index]]
    if len(failed) <= _MAX_MARKS:
        return failed
    # As many as find room; the newest one among them.
    step = len(failed) / _MAX_MARKS
    return [failed[int((number + 1) * step) - 1] for number in range(_MAX_MARKS)]


def control_chart(
    trend: MeasurementTrend,
    summary: Summary,
    sources: Mapping[int, PointSource],
    *,
    name: str,
) -> Figure:
    """
    Draw points in the order of their time.

    Args:
        trend: the points; at least one.
        summary: their statistics.
        sources: where the marked ones are from, by the runs' rows.
        name: what was measured.
    """
    frame = _FRAME
    levels = [
        ("limit", "lower limit", trend.lower),
        ("limit", "upper limit", trend.upper),
        ("control", "lower control", summary.lower_control),
        ("control", "upper control", summary.upper_control),
        ("mean", "mean", summary.mean),
    ]
    drawn = [(kind, text, level) for kind, text, level in levels if level is not None]
    y_scale = spanning(
        [summary.lowest, summary.highest, *(level for _, _, level in drawn)],
        frame.bottom,
        frame.top,
    )
    count = len(trend.values)
    x_scale = Scale(-0.5, count - 0.5, frame.left, frame.right)
    unit = f" [{trend.unit}]" if trend.unit else ""
    return Figure(
        id="control",
        title=f"{name} over time",
        summary=(
            f"{count} points in the order of their time, mean "
            f"{format_number(summary.mean)}, from {format_number(summary.lowest)} "
            f"to {format_number(summary.highest)}, {sum(trend.failed)} failed"
        ),
        frame=frame,
        x_label="run, in the order of time (UTC)",
        y_label=f"{name}{unit}",
        x_ticks=_time_ticks(trend.moments, x_scale),
        y_ticks=value_ticks(y_scale, upright=True),
        lines=(
            path_of(
                None
                if index is None
                else (x_scale(index), y_scale(trend.values[index]))
                for index in seen_points(trend.values, _STRETCHES)
            ),
        ),
        rules=spaced(
            [
                Rule(
                    at=y_scale(level),
                    label=f"{text} {format_number(level, 4)}",
                    kind=kind,
                )
                for kind, text, level in drawn
            ]
        ),
        marks=[
            _mark(trend, index, x_scale(index), y_scale(trend.values[index]), sources)
            for index in marked_points(trend)
        ],
    )


def _mark(
    trend: MeasurementTrend,
    index: int,
    x: float,
    y: float,
    sources: Mapping[int, PointSource],
) -> Mark:
    source = sources.get(trend.run_keys[index])
    failed = bool(trend.failed[index])
    text = f"{format_number(trend.values[index], 8)} {trend.unit or ''}".strip()
    words = [text, "failed" if failed else "", format_moment(trend.moments[index])]
    if source is not None:
        words.insert(0, source.serial)
    return Mark(
        x=x,
        y=y,
        title=" · ".join(filter(None, words)),
        kind="fail" if failed else "pass",
        href=None if source is None else f"/runs/{source.run_id}",
    )


def _time_ticks(moments: Sequence[int], scale: Scale) -> list[Tick]:
    count = len(moments)
    places = sorted(
        {
            round(number * (count - 1) / (_TIME_TICKS - 1))
            for number in range(_TIME_TICKS)
        }
    )
    span = from_micros(moments[-1]) - from_micros(moments[0])
    pattern = "%H:%M:%S" if span < _SHORT else "%Y-%m-%d"
    return [
        Tick(at=scale(place), label=format(from_micros(moments[place]), pattern))
        for place in places
    ]
