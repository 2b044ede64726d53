"""A measured series as a plot."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rigbridge.model import Axis, Measurement, Series
from rigbridge_store.pages.charts.figure import (
    Figure,
    Frame,
    level_rules,
    path_of,
    value_ticks,
)
from rigbridge_store.pages.charts.scales import outline, scale_of
from rigbridge_store.pages.formatting import format_number

__all__ = ["series_chart"]

_STRETCHES = 400
_FRAME = Frame(height=260, bottom=210)


def series_chart(measurement: Measurement, series: Series, id_: str) -> Figure | None:
    """
    Draw the measured axis of a series over its dimension.

    With no dimension, or several, it is drawn over the number of the point. None if
    it holds no numbers.
    """
    measured = _numbers(series.measured.values)
    if measured is None:
        return None
    across = None
    if len(series.dimensions) == 1:
        across = _numbers(series.dimensions[0].values)
    # A point without a place cannot be drawn over the axis.
    if across is not None and not all(map(math.isfinite, across)):
        across = None
    x_label = "point"
    if across is not None:
        x_label = _label(series.dimensions[0], "x")
    places: Sequence[float] = range(len(measured)) if across is None else across
    finite = [value for value in measured if math.isfinite(value)]
    if not finite:
        return None
    frame = _FRAME
    limits = measurement.limits
    levels = (
        [] if limits is None else [("lower", limits.lower), ("upper", limits.upper)]
    )
    y_scale = scale_of(
        [
            min(finite),
            max(finite),
            *(level for _, level in levels if level is not None),
        ],
        frame.bottom,
        frame.top,
    )
    x_scale = scale_of([min(places), max(places)], frame.left, frame.right, margin=0.0)
    line = path_of(
        None if index is None else (x_scale(places[index]), y_scale(measured[index]))
        for index in outline(measured, _STRETCHES)
    )
    name = _label(series.measured, measurement.name, measurement.unit)
    return Figure(
        id=id_,
        title=measurement.name,
        summary=(
            f"{len(measured)} points, from {format_number(min(finite))} to "
            f"{format_number(max(finite))}; {name} over {x_label}"
        ),
        frame=frame,
        x_label=x_label,
        y_label=name,
        x_ticks=value_ticks(x_scale, upright=False),
        y_ticks=value_ticks(y_scale, upright=True),
        paths=(line,),
        rules=level_rules(
            [("limit", f"{side} limit", level) for side, level in levels],
            y_scale,
            digits=6,
        ),
    )


def _numbers(values: Sequence[object]) -> list[float] | None:
    """Give values as floats; None where one is no number."""
    found: list[float] = []
    for value in values:
        if value is None:
            found.append(math.nan)
        elif isinstance(value, (int, float)):
            try:
                found.append(float(value))
            except OverflowError:
                return None
        else:
            return None
    return found


def _label(axis: Axis, fallback: str, unit: str | None = None) -> str:
    name = axis.name or fallback
    unit = axis.unit or unit
    return f"{name} [{unit}]" if unit else name
