"""The parts of a drawing, in its own units, and the frame around them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from rigbridge_store.pages.charts.scales import Scale
from rigbridge_store.pages.formatting import format_number

__all__ = [
    "Bar",
    "Figure",
    "Frame",
    "Mark",
    "Rule",
    "Tick",
    "count_ticks",
    "level_rules",
    "path_of",
    "spread_labels",
    "value_ticks",
]

_Y_TICKS = 5
_X_TICKS = 8
_TICK_DIGITS = 5
_LINE_HEIGHT = 14


@attrs.frozen(kw_only=True)
class Tick:
    """A value written at an axis."""

    at: float
    label: str


@attrs.frozen(kw_only=True)
class Rule:
    """
    A line right across the drawing.

    Attributes:
        label: what is written at its end.
        kind: what it means (``limit``, ``control``, ``mean``).
        upright: whether it runs from top to bottom.
        label_at: where the label stands, so that none covers another.
    """

    at: float
    label: str
    kind: str
    upright: bool = False
    label_at: float = attrs.Factory(lambda self: self.at, takes_self=True)


@attrs.frozen(kw_only=True)
class Mark:
    """
    A point that can be pointed at.

    Attributes:
        kind: what it means (``pass``, ``fail``).
        href: where it leads, or None.
        series: which of several series it is of, from 0 on.
        is_odd: whether it lies where a process in control would not put it.
    """

    x: float
    y: float
    title: str
    kind: str
    href: str | None = None
    series: int = 0
    is_odd: bool = False


@attrs.frozen(kw_only=True)
class Bar:
    """A rectangle that can be pointed at."""

    x: float
    y: float
    width: float
    height: float
    title: str
    kind: str


@attrs.frozen(kw_only=True)
class Frame:
    """
    The frame of a drawing.

    Attributes:
        width, height: how large it is, axes included.
        left, right, top, bottom: where what is drawn begins and ends.
    """

    width: float = 880
    height: float = 300
    left: float = 66
    right: float = 864
    top: float = 18
    bottom: float = 250


@attrs.frozen(kw_only=True)
class Figure:
    """
    A chart.

    Attributes:
        summary: the same in words, for who cannot see it.
        x_label, y_label: what the axes stand for, with their units.
        paths: lines, as SVG writes them; one of each series.
        trend: a line that was fitted, likewise, or None.
        rules, bars, marks: what is drawn over them, in this order.
    """

    id: str
    title: str
    summary: str
    frame: Frame = Frame()
    x_label: str
    y_label: str
    x_ticks: Sequence[Tick] = ()
    y_ticks: Sequence[Tick] = ()
    paths: Sequence[str] = ()
    trend: str | None = None
    rules: Sequence[Rule] = ()
    bars: Sequence[Bar] = ()
    marks: Sequence[Mark] = ()


def value_ticks(scale: Scale, *, upright: bool) -> tuple[Tick, ...]:
    """Make the ticks of an axis of numbers."""
    return tuple(
        Tick(at=scale(value), label=format_number(value, _TICK_DIGITS))
        for value in scale.ticks(_Y_TICKS if upright else _X_TICKS)
    )


def count_ticks(scale: Scale) -> tuple[Tick, ...]:
    """Make the ticks of an upright axis of counts, at whole numbers only."""
    ticks = value_ticks(scale, upright=True)
    return tuple(tick for tick in ticks if "." not in tick.label)


def level_rules(
    levels: Iterable[tuple[str, str, float | None]],
    scale: Scale,
    *,
    digits: int,
    upright: bool = False,
) -> list[Rule]:
    """
    Draw limits and means as lines.

    Args:
        levels: the kind, the name and the value of each; one without a value is not
            drawn.
        digits: how many digits of the value are written.
        upright: whether the lines run from top to bottom.
    """
    return [
        Rule(
            at=scale(level),
            label=f"{name} {format_number(level, digits)}",
            kind=kind,
            upright=upright,
        )
        for kind, name, level in levels
        if level is not None
    ]


def spread_labels(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Move the labels of lines that are near each other apart, downwards."""
    found: list[Rule] = []
    # From the top down: only a label that has its place already moves another.
    for rule in sorted(rules, key=lambda rule: rule.at):
        free = found[-1].label_at + _LINE_HEIGHT if found else rule.at
        found.append(attrs.evolve(rule, label_at=max(rule.at, free)))
    return tuple(found)


def path_of(points: Iterable[tuple[float, float] | None]) -> str:
    """Write a path through points; None interrupts it."""
    parts: list[str] = []
    pen = "M"
    for point in points:
        if point is None:
            pen = "M"
            continue
        parts.append(f"{pen}{point[0]:g} {point[1]:g}")
        pen = "L"
    return "".join(parts)
