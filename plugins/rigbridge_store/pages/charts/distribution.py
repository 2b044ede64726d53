"""How measured values are spread, as a histogram against their limits."""

from __future__ import annotations

from collections.abc import Sequence

from rigbridge_store.pages.charts.figure import (
    Bar,
    Figure,
    Frame,
    Rule,
    value_ticks,
)
from rigbridge_store.pages.charts.scales import Scale, spanning
from rigbridge_store.pages.formatting import format_number
from rigbridge_store.reading.statistics import Bin, Summary
from rigbridge_store.reading.trends import MeasurementTrend

__all__ = ["histogram_chart"]

_GAP = 1.5
_NARROWEST = 3.0
_FRAME = Frame(height=260, bottom=210, top=34)


def histogram_chart(
    bins: Sequence[Bin], trend: MeasurementTrend, summary: Summary, *, name: str
) -> Figure:
    """Draw the bars of a histogram, at least one, with limits and mean."""
    frame = _FRAME
    unit = f" [{trend.unit}]" if trend.unit else ""
    levels = [
        ("limit", "lower", trend.lower),
        ("limit", "upper", trend.upper),
        ("mean", "mean", summary.mean),
    ]
    drawn = [(kind, text, level) for kind, text, level in levels if level is not None]
    x_scale = spanning(
        [bins[0].low, bins[-1].high, *(level for _, _, level in drawn)],
        frame.left,
        frame.right,
    )
    tallest = max(item.count for item in bins)
    y_scale = Scale(0, tallest * 1.08, frame.bottom, frame.top)
    return Figure(
        id="histogram",
        title=f"Distribution of {name}",
        summary=(
            f"{summary.count} values in {len(bins)} bars, the tallest with {tallest}"
        ),
        frame=frame,
        x_label=f"{name}{unit}",
        y_label="points",
        x_ticks=value_ticks(x_scale, upright=False),
        y_ticks=[
            tick for tick in value_ticks(y_scale, upright=True) if "." not in tick.label
        ],
        bars=[_bar(item, x_scale, y_scale) for item in bins if item.count],
        rules=[
            Rule(
                at=x_scale(level),
                label=f"{text} {format_number(level, 5)}",
                kind=kind,
                upright=True,
            )
            for kind, text, level in drawn
        ],
    )


def _bar(item: Bin, x_scale: Scale, y_scale: Scale) -> Bar:
    left, right, top = x_scale(item.low), x_scale(item.high), y_scale(item.count)
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
