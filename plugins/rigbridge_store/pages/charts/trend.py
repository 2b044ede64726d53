"""One measurement over time and how it is spread, against its limits and itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from rigbridge_store.pages.charts.figure import (
    Bar,
    Figure,
    Frame,
    Mark,
    Tick,
    count_ticks,
    level_rules,
    path_of,
    spread_labels,
    value_ticks,
)
from rigbridge_store.pages.charts.scales import Scale, outline, scale_of
from rigbridge_store.pages.formatting import (
    format_moment,
    format_number,
    shorten,
)
from rigbridge_store.reading.conditions import DAY
from rigbridge_store.reading.statistics import Bin, Drift, Summary
from rigbridge_store.reading.trends import MeasurementTrend, PointSource
from rigbridge_store.tables.values import from_micros

__all__ = [
    "MAX_MARKS",
    "control_chart",
    "histogram_chart",
    "marked_points",
    "series_of_stations",
]

# Of all lines together: a line of many bends takes a browser long, too.
_STRETCHES = 400
_BENDS = 24
# Each mark is an element with a link: a few hundred are drawn without delay.
_ALL_MARKED = 600
_MARKED_STRETCHES = 150

MAX_MARKS = 200
"""How many points that failed are marked of many, and how many that are odd."""

# As many colours as can be told apart; the last one is of all further stations.
_MOST_SERIES = 6
_TIME_TICKS = 6
_SHORT = timedelta(days=2)
# Room on the right for the names of the levels.
_CONTROL_FRAME = Frame(height=330, bottom=280, right=735)
_HISTOGRAM_FRAME = Frame(height=260, bottom=210, top=34)
_GAP = 1.5
_NARROWEST = 3.0
_HEADROOM = 1.08


def marked_points(trend: MeasurementTrend, odd: Sequence[int] = ()) -> Sequence[int]:
    """
    Choose the points that can be pointed at: all that are drawn.

    Of few points those are all; of many the ones that give the line its outline, and
    those that failed or are odd.
    """
    count = len(trend.values)
    if count <= _ALL_MARKED:
        return range(count)
    failed = [index for index in range(count) if trend.failed[index]]
    drawn = {
        index for index in outline(trend.values, _MARKED_STRETCHES) if index is not None
    }
    return sorted(drawn.union(_some(failed), _some(odd)))


def _some(places: Sequence[int]) -> Sequence[int]:
    """Take as many as find room; the newest one among them."""
    if len(places) <= MAX_MARKS:
        return places
    step = len(places) / MAX_MARKS
    return [places[int((number + 1) * step) - 1] for number in range(MAX_MARKS)]


def series_of_stations(trend: MeasurementTrend) -> Mapping[int, int]:
    """Number the stations by their names, for their colours; by their rows."""
    ordered = sorted(
        set(trend.stations), key=lambda key: trend.station_names.get(key, "")
    )
    return {key: min(place, _MOST_SERIES - 1) for place, key in enumerate(ordered)}


def control_chart(
    trend: MeasurementTrend,
    summary: Summary,
    sources: Mapping[int, PointSource],
    *,
    name: str,
    odd: Sequence[int] = (),
    line: Drift | None = None,
) -> Figure:
    """
    Draw points in the order of their time.

    Args:
        sources: where the marked ones are from, by the runs' rows.
        odd: the places of those that a process in control would not give.
        line: the line through them over time, in days from the first, or None.
    """
    frame = _CONTROL_FRAME
    levels = [
        ("limit", "lower limit", trend.lower),
        ("limit", "upper limit", trend.upper),
        ("control", "lower control", summary.lower_control),
        ("control", "upper control", summary.upper_control),
        ("mean", "mean", summary.mean),
    ]
    drawn = [level for _, _, level in levels if level is not None]
    y_scale = scale_of(
        [summary.lowest, summary.highest, *drawn],
        frame.bottom,
        frame.top,
    )
    count = len(trend.values)
    # By number, not by time: a pause of a week would squeeze all the rest.
    x_scale = Scale(-0.5, count - 0.5, frame.left, frame.right)
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
        y_label=_labelled(name, trend.unit),
        x_ticks=_time_ticks(trend.moments, x_scale),
        y_ticks=value_ticks(y_scale, upright=True),
        paths=_lines(trend, x_scale, y_scale),
        trend=None if line is None else _fitted(trend, line, x_scale, y_scale),
        rules=spread_labels(level_rules(levels, y_scale, digits=4)),
        marks=_marks(trend, odd, x_scale, y_scale, sources),
    )


def _lines(trend: MeasurementTrend, x_scale: Scale, y_scale: Scale) -> list[str]:
    """Draw a line through the points of each station."""
    numbers = series_of_stations(trend)
    places: list[list[int]] = [[] for _ in range(max(numbers.values()) + 1)]
    for index, station in enumerate(trend.stations):
        places[numbers[station]].append(index)
    return [
        path_of(
            None
            if chosen is None
            else (x_scale(own[chosen]), y_scale(trend.values[own[chosen]]))
            for chosen in outline(
                [trend.values[index] for index in own], _STRETCHES // len(places)
            )
        )
        for own in places
    ]


def _fitted(
    trend: MeasurementTrend, line: Drift, x_scale: Scale, y_scale: Scale
) -> str:
    last = len(trend.values) - 1
    # Straight over time, hence bent where the points lie apart by their number.
    places = sorted({round(step * last / _BENDS) for step in range(_BENDS + 1)})
    first = trend.moments[0]
    return path_of(
        (x_scale(place), y_scale(line.at((trend.moments[place] - first) / DAY)))
        for place in places
    )


def _marks(
    trend: MeasurementTrend,
    odd: Sequence[int],
    x_scale: Scale,
    y_scale: Scale,
    sources: Mapping[int, PointSource],
) -> list[Mark]:
    numbers = series_of_stations(trend)
    known = frozenset(odd)
    return [
        Mark(
            x=x_scale(index),
            y=y_scale(trend.values[index]),
            title=_words(trend, index, source, is_odd=index in known),
            kind="fail" if trend.failed[index] else "pass",
            href=None if source is None else f"/runs/{source.run_id}",
            series=numbers[trend.stations[index]],
            is_odd=index in known,
        )
        for index in marked_points(trend, odd)
        for source in (sources.get(trend.run_keys[index]),)
    ]


def _labelled(name: str, unit: str | None) -> str:
    return f"{name} [{unit}]" if unit else name


def _words(
    trend: MeasurementTrend, index: int, source: PointSource | None, *, is_odd: bool
) -> str:
    """Say what a point is."""
    words = [
        "" if source is None else shorten(source.serial),
        f"{format_number(trend.values[index], 8)} {trend.unit or ''}".strip(),
        "failed" if trend.failed[index] else "",
        format_moment(trend.moments[index]),
        "" if source is None else shorten(source.station or ""),
        "out of control" if is_odd else "",
    ]
    return " · ".join(filter(None, words))


def _time_ticks(moments: Sequence[int], scale: Scale) -> list[Tick]:
    count = len(moments)
    places = sorted(
        {
            round(number * (count - 1) / (_TIME_TICKS - 1))
            for number in range(_TIME_TICKS)
        }
    )
    span = from_micros(moments[-1]) - from_micros(moments[0])
    # Within two days the date would be the same at most ticks.
    pattern = "%H:%M:%S" if span < _SHORT else "%Y-%m-%d"
    return [
        Tick(at=scale(place), label=format(from_micros(moments[place]), pattern))
        for place in places
    ]


def histogram_chart(
    bins: Sequence[Bin], trend: MeasurementTrend, summary: Summary, *, name: str
) -> Figure:
    """Draw the bars of a histogram, at least one, with limits and mean."""
    frame = _HISTOGRAM_FRAME
    levels = [
        ("limit", "lower", trend.lower),
        ("limit", "upper", trend.upper),
        ("mean", "mean", summary.mean),
    ]
    drawn = [level for _, _, level in levels if level is not None]
    x_scale = scale_of(
        [bins[0].low, bins[-1].high, *drawn],
        frame.left,
        frame.right,
    )
    tallest = max(item.count for item in bins)
    y_scale = Scale(0, tallest * _HEADROOM, frame.bottom, frame.top)
    return Figure(
        id="histogram",
        title=f"Distribution of {name}",
        summary=(
            f"{summary.count} values in {len(bins)} bars, the tallest with {tallest}"
        ),
        frame=frame,
        x_label=_labelled(name, trend.unit),
        y_label="points",
        x_ticks=value_ticks(x_scale, upright=False),
        y_ticks=count_ticks(y_scale),
        bars=[_bar(item, x_scale, y_scale) for item in bins if item.count],
        rules=level_rules(levels, x_scale, digits=5, upright=True),
    )


def _bar(item: Bin, x_scale: Scale, y_scale: Scale) -> Bar:
    left, right, top = x_scale(item.low), x_scale(item.high), y_scale(item.count)
    # A bar that is too thin could not be pointed at.
    width = max(_NARROWEST, right - left - _GAP)
    return Bar(
        x=round((left + right - width) / 2, 2),
        y=top,
        width=round(width, 2),
        height=round(y_scale(0) - top, 2),
        title=(
            f"{format_number(item.low)} to {format_number(item.high)}: {item.count}"
        ),
        kind="count",
    )
