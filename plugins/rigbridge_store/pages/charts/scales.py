"""Values to places on a drawing, and round values to write beside them."""

from __future__ import annotations

import math
from collections.abc import Iterable

import attrs

__all__ = ["Scale", "spanning"]

_STEPS = (1, 2, 5, 10)
_MARGIN = 0.06
_HUGE = 1e300
_EXACT_POWER = 5
_DIGITS = 12


@attrs.frozen
class Scale:
    """
    A linear scale.

    Attributes:
        low: the value at the beginning.
        high: the value at the end, above ``low``.
        start: where the beginning is on the drawing.
        end: where the end is.
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Tell where a value is on the drawing."""
        # What is larger than a scale can be stands at its end.
        value = max(self.low, min(self.high, value))
        part = (value - self.low) / (self.high - self.low)
        return round(self.start + part * (self.end - self.start), 2)

    def ticks(self, about: int) -> list[float]:
        """Give about so many round values within the scale."""
        step = _round_step((self.high - self.low) / max(1, about))
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round_off(index * step, step) for index in range(first, last + 1)]


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in _STEPS if step * power >= rough * (1 - 1e-9))


def round_off(value: float, step: float) -> float:
    """Take away what the multiplication of a step has added."""
    places = max(0, -math.floor(math.log10(step)))
    return round(value, places) if places < _DIGITS * 20 else value


def spanning(
    values: Iterable[float], start: float, end: float, *, margin: float = _MARGIN
) -> Scale:
    """
    Make a scale that holds some finite values, of which there must be one.

    Args:
        values: what it has to hold.
        start: where it begins on the drawing.
        end: where it ends.
        margin: how much room to leave at both ends, as a part of the values' range.
    """
    given = [max(-_HUGE, min(_HUGE, value)) for value in values]
    low, high = min(given), max(given)
    room = (high - low) * margin
    if not room > abs(high) * 1e-12:
        # All the same, or as good as: a range around it, so that it stands midway.
        room = abs(high) * 0.05 or 1.0
        if not margin and high > low:
            room = 0.0
    return Scale(low - room, high + room, start, end)
