"""Values to places on a drawing, round values to write there, and what can be seen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import attrs

__all__ = ["Scale", "outline", "scale_of"]

_STEPS = (1, 2, 5, 10)
# Room, so that no point lies on the frame.
_MARGIN = 0.06
# Larger values would overflow in the arithmetic of a scale.
_HUGE = 1e300
_MAX_PLACES = 240


@attrs.frozen
class Scale:
    """
    A linear scale.

    Attributes:
        high: the value at the end, above ``low``.
        start: where the beginning is on the drawing.
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
        return [_round_off(index * step, step) for index in range(first, last + 1)]


def _round_step(rough: float) -> float:
    # A little less than one, since a power of ten is not always hit exactly.
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in _STEPS if step * power >= rough * (1 - 1e-9))


def _round_off(value: float, step: float) -> float:
    """Take away what the multiplication of a step has added."""
    places = max(0, -math.floor(math.log10(step)))
    return round(value, places) if places < _MAX_PLACES else value


def scale_of(
    values: Iterable[float], start: float, end: float, *, margin: float = _MARGIN
) -> Scale:
    """
    Make a scale that holds some finite values, of which there must be one.

    Args:
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


def outline(values: Sequence[float], stretches: int) -> Iterator[int | None]:
    """
    Choose the points that give a line its outline.

    Of each stretch the lowest and the highest point are chosen, in their order, so
    that no peak is lost, however narrow. What is not finite interrupts the line.

    Args:
        stretches: how many stretches there are; few points are all chosen.

    Yields:
        Indices in ascending order, and None where the line is interrupted.
    """
    count = len(values)
    if count <= 2 * stretches:
        for index, value in enumerate(values):
            yield index if math.isfinite(value) else None
        return
    for stretch in range(stretches):
        begin = stretch * count // stretches
        end = (stretch + 1) * count // stretches
        finite = [value for value in values[begin:end] if math.isfinite(value)]
        if not finite:
            yield None
            continue
        lowest = values.index(min(finite), begin, end)
        highest = values.index(max(finite), begin, end)
        yield from sorted({lowest, highest})
        if len(finite) < end - begin:
            # Where within the stretch is finer than what can be seen.
            yield None
