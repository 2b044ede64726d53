"""The statistics of measured values: spread, capability and distribution."""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import attrs

__all__ = [
    "Bin",
    "Capability",
    "Drift",
    "Summary",
    "capability",
    "drift",
    "histogram",
    "out_of_control",
    "summarize",
]

# The constant d2 of control charts for ranges of two values.
_D2 = 1.128
"""What the mean moving range of two values is divided by to give their deviation."""

# Three sigma, as Shewhart's charts have it.
_CONTROL = 3
# More bars than that show noise.
_MAX_BINS = 60
_FEW_BINS = 5
# Fewer points show no trend; more on one side of the mean than that are no chance.
_FEWEST = 8
_ROW = 9


@attrs.frozen(kw_only=True)
class Summary:
    """
    A summary of values.

    Attributes:
        count: how many there are.
        deviation: their standard deviation over all of time (n - 1), or None for
            fewer than two.
        short_deviation: the deviation between neighbours in time, from their mean
            moving range, or None likewise.
    """

    count: int
    mean: float
    lowest: float
    highest: float
    deviation: float | None
    short_deviation: float | None

    @property
    def lower_control(self) -> float | None:
        """The lower control limit of an individuals chart."""
        if self.short_deviation is None:
            return None
        return self.mean - _CONTROL * self.short_deviation

    @property
    def upper_control(self) -> float | None:
        """The upper control limit of an individuals chart."""
        if self.short_deviation is None:
            return None
        return self.mean + _CONTROL * self.short_deviation


@attrs.frozen(kw_only=True)
class Capability:
    """
    How well a process keeps within its limits; None where that cannot be said.

    Attributes:
        cp: the width of the limits by that of the process, from the deviation
            between neighbours in time; needs both limits.
        cpk: likewise to the nearer limit.
        pp: as ``cp``, from the deviation over all of time.
        ppk: as ``cpk``, from the deviation over all of time.
    """

    cp: float | None = None
    cpk: float | None = None
    pp: float | None = None
    ppk: float | None = None


@attrs.frozen(kw_only=True)
class Drift:
    """
    A straight line through values, fitted by least squares.

    Attributes:
        start: where the line is at time 0.
        slope: by how much it rises in a unit of time.
        error: the standard error of the slope.
    """

    start: float
    slope: float
    error: float

    @property
    def is_real(self) -> bool:
        """Whether the line rises or falls by more than chance would have it."""
        return abs(self.slope) > _CONTROL * self.error

    def at(self, time: float) -> float:
        """Give where the line is at a time."""
        return self.start + self.slope * time


@attrs.frozen
class Bin:
    """
    A bar of a histogram.

    Attributes:
        high: where it ends; the last one includes it.
        count: how many values fall into it.
    """

    low: float
    high: float
    count: int


def summarize(values: Sequence[float]) -> Summary | None:
    """Describe finite values in the order of their time; None if there are none."""
    count = len(values)
    if not count:
        return None
    # Divided first, and by way of a distance, so that large values do not overflow.
    mean = math.fsum([value / count for value in values])
    deviation = short = None
    # math.dist scales its sum of squares, which would overflow for values beyond 1e154.
    if count > 1:
        deviation = math.dist(values, [mean] * count) / math.sqrt(count - 1)
        ranges = [abs(late - early) / (count - 1) for early, late in pairwise(values)]
        short = sum(ranges) / _D2
    return Summary(
        count=count,
        mean=mean,
        lowest=min(values),
        highest=max(values),
        deviation=deviation,
        short_deviation=short,
    )


def drift(times: Sequence[float], values: Sequence[float]) -> Drift | None:
    """Fit a line to finite values over their times; None for too few, or at once."""
    count = len(values)
    if count < _FEWEST:
        return None
    # fsum: a plain sum loses digits where values are large and near each other.
    middle, mean = math.fsum(times) / count, math.fsum(values) / count
    across = [time - middle for time in times]
    upwards = [value - mean for value in values]
    spread = math.fsum(map(operator.mul, across, across))
    together = math.fsum(map(operator.mul, across, upwards))
    if not spread or not math.isfinite(spread) or not math.isfinite(together):
        return None
    slope = together / spread
    start = mean - slope * middle
    rest = math.fsum(
        [(up - slope * time) ** 2 for time, up in zip(across, upwards, strict=True)]
    )
    # Two degrees of freedom are used up by the line.
    error = math.sqrt(rest / (count - 2) / spread) if math.isfinite(rest) else math.inf
    return Drift(start=start, slope=slope, error=error)


def out_of_control(values: Sequence[float], summary: Summary) -> list[int]:
    """
    Find the points that a process in control would not give.

    Those beyond a control limit, and those that end a row of nine or more on one side
    of the mean: the first and the second of Nelson's rules.

    Returns:
        Their places, in order.
    """
    lower, upper = summary.lower_control, summary.upper_control
    if lower is None or upper is None:
        return []
    found: list[int] = []
    row = side = 0
    for place, value in enumerate(values):
        above = (value > summary.mean) - (value < summary.mean)
        # A value on the mean ends a row on either side.
        row = row + 1 if above == side and above else 1
        side = above
        if not lower <= value <= upper or (side and row >= _ROW):
            found.append(place)
    return found


def capability(
    summary: Summary, lower: float | None, upper: float | None
) -> Capability:
    """Tell how well values keep within limits, of which either may be None."""
    cp, cpk = _indices(summary.mean, summary.short_deviation, lower, upper)
    pp, ppk = _indices(summary.mean, summary.deviation, lower, upper)
    return Capability(cp=cp, cpk=cpk, pp=pp, ppk=ppk)


def _indices(
    mean: float, deviation: float | None, lower: float | None, upper: float | None
) -> tuple[float | None, float | None]:
    if not deviation:
        return None, None
    # Of one limit only that side counts.
    sides = [
        room / (_CONTROL * deviation)
        for room in (
            None if lower is None else mean - lower,
            None if upper is None else upper - mean,
        )
        if room is not None
    ]
    both = None
    if lower is not None and upper is not None:
        both = (upper - lower) / (2 * _CONTROL * deviation)
    return both, min(sides, default=None)


def histogram(values: Sequence[float]) -> tuple[Bin, ...]:
    """Count finite values in bars of equal width, more of them for more values."""
    if not values:
        return ()
    low, high = min(values), max(values)
    if low == high or not math.isfinite(high - low):
        return (Bin(low, high, len(values)),)
    # The rule of Rice: twice the cube root of the count.
    number = min(_MAX_BINS, max(_FEW_BINS, math.ceil(2 * len(values) ** (1 / 3))))
    scale = number / (high - low)
    counts = [0] * number
    # The values are so near each other that the width of a bar is nothing.
    if not math.isfinite(scale):
        return (Bin(low, high, len(values)),)
    for place, count in Counter(
        [int((value - low) * scale) for value in values]
    ).items():
        # The largest value lies on the last edge, which belongs to the last bar.
        counts[min(number - 1, place)] += count
    width = (high - low) / number
    edges = [*(low + index * width for index in range(number)), high]
    return tuple(
        Bin(begin, end, count)
        for (begin, end), count in zip(pairwise(edges), counts, strict=True)
    )
