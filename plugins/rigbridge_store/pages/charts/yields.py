"""What passed and what failed, over time: as a chart, and as a line of a table."""

from __future__ import annotations

import math
from collections.abc import Sequence

import attrs

from rigbridge_store.pages.charts.figure import Bar, Figure, Frame, Tick, count_ticks
from rigbridge_store.pages.charts.scales import Scale
from rigbridge_store.pages.formatting import format_day, format_percent
from rigbridge_store.reading.conditions import DAY
from rigbridge_store.reading.yields import Bucket

__all__ = ["Sparkline", "sparkline", "yield_chart"]

_FRAME = Frame(height=240, bottom=195)
_SPARK_WIDTH, _SPARK_HEIGHT = 132.0, 26.0
_WIDEST = 26.0
_SPARK_WIDEST = 9.0
_GAP = 0.82
_TICKS = 6
_HEADROOM = 1.08


@attrs.frozen(kw_only=True)
class Sparkline:
    """A chart of the size of a word."""

    width: float = _SPARK_WIDTH
    height: float = _SPARK_HEIGHT
    bars: Sequence[Bar]
    text: str


def _title(bucket: Bucket) -> str:
    days = f"{format_day(bucket.begin)}"
    if bucket.width > DAY:
        days += f" to {format_day(bucket.begin + bucket.width - DAY)}"
    share = format_percent(bucket.passed / bucket.runs)
    return f"{days}: {bucket.passed} of {bucket.runs} passed ({share})"


def _stacked(
    buckets: Sequence[Bucket], x_scale: Scale, y_scale: Scale, widest: float
) -> list[Bar]:
    bars: list[Bar] = []
    for bucket in buckets:
        middle = x_scale(bucket.begin + bucket.width / 2)
        # Few days would give bars as wide as the page.
        slot = x_scale(bucket.begin + bucket.width) - x_scale(bucket.begin)
        width = max(1.0, min(widest, slot * _GAP))
        top, seam, floor = y_scale(bucket.runs), y_scale(bucket.passed), y_scale(0)
        # Failures on top, where a few of many can still be seen.
        for kind, upper, lower in (("fail", top, seam), ("pass", seam, floor)):
            if lower > upper:
                bars.append(
                    Bar(
                        x=round(middle - width / 2, 2),
                        y=upper,
                        width=round(width, 2),
                        height=round(lower - upper, 2),
                        title=_title(bucket),
                        kind=kind,
                    )
                )
    return bars


def _times(buckets: Sequence[Bucket], start: float, end: float) -> Scale:
    last = buckets[-1]
    return Scale(buckets[0].begin, last.begin + last.width, start, end)


def yield_chart(buckets: Sequence[Bucket]) -> Figure:
    """Draw how many runs passed and failed, over time; needs a bucket."""
    frame = _FRAME
    x_scale = _times(buckets, frame.left, frame.right)
    tallest = max(bucket.runs for bucket in buckets)
    y_scale = Scale(0, tallest * _HEADROOM, frame.bottom, frame.top)
    width = buckets[0].width
    # As many buckets from each label to the next.
    stride = max(1, math.ceil((x_scale.high - x_scale.low) / width / _TICKS))
    places = range(int(x_scale.low), int(x_scale.high), int(stride * width))
    passed = sum(bucket.passed for bucket in buckets)
    total = sum(bucket.runs for bucket in buckets)
    days = width // DAY
    return Figure(
        id="course",
        title="Runs over time",
        summary=f"{passed} of {total} runs passed ({format_percent(passed / total)})",
        frame=frame,
        x_label="day (UTC)" if days == 1 else f"{days} days each (UTC)",
        y_label="runs",
        x_ticks=[Tick(at=x_scale(place), label=format_day(place)) for place in places],
        y_ticks=count_ticks(y_scale),
        bars=_stacked(buckets, x_scale, y_scale, _WIDEST),
    )


def sparkline(buckets: Sequence[Bucket]) -> Sparkline | None:
    """Draw the same as small as a word; None without a bucket."""
    if not buckets:
        return None
    tallest = max(bucket.runs for bucket in buckets)
    x_scale = _times(buckets, 0, _SPARK_WIDTH)
    y_scale = Scale(0, tallest, _SPARK_HEIGHT, 0)
    passed = sum(bucket.passed for bucket in buckets)
    total = sum(bucket.runs for bucket in buckets)
    return Sparkline(
        bars=_stacked(buckets, x_scale, y_scale, _SPARK_WIDEST),
        text=f"{passed} of {total} runs passed over time",
    )
