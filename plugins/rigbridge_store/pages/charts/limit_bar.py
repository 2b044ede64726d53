"""A value against its limits, as a bar small enough for the cell of a table."""

from __future__ import annotations

import math

import attrs

from rigbridge.model import Limit
from rigbridge_store.pages.formatting import format_number

__all__ = ["LimitBar", "describe_limit", "limit_bar"]

WIDTH = 120
_BAND_START, _BAND_END = 20.0, 100.0
_EDGE = 5.0


@attrs.frozen(kw_only=True)
class LimitBar:
    """
    Where a value stands.

    Attributes:
        lower, upper: where the limits stand, each or None.
        marker: where the value stands; at the edge if it is far off.
        beyond: -1 or 1 if it is farther off than can be drawn, else 0.
        inside: whether it stands within the band.
    """

    width: float = WIDTH
    band_start: float
    band_end: float
    lower: float | None
    upper: float | None
    marker: float
    beyond: int
    inside: bool
    text: str


def describe_limit(limit: Limit) -> str:
    """Write a range: ``3 ≤ x < 3.6``, ``≥ 3``."""
    lower = None if limit.lower is None else format_number(limit.lower, 8)
    upper = None if limit.upper is None else format_number(limit.upper, 8)
    below = "≤" if limit.lower_inclusive else "<"
    above = "≤" if limit.upper_inclusive else "<"
    if lower is not None and upper is not None:
        if limit.lower == limit.upper:
            return f"= {lower}"
        return f"{lower} {below} x {above} {upper}"
    if lower is not None:
        return f"{'≥' if limit.lower_inclusive else '>'} {lower}"
    return f"{above} {upper}" if upper is not None else ""


def limit_bar(value: object, limit: Limit | None) -> LimitBar | None:
    """Place a value against its limits; None where either is lacking."""
    if limit is None or isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
        low = None if limit.lower is None else float(limit.lower)
        high = None if limit.upper is None else float(limit.upper)
    except OverflowError:
        return None
    if not math.isfinite(number) or (low is None and high is None):
        return None
    place = _placed(number, low, high)
    if math.isnan(place):
        # So large that their difference cannot be told.
        return None
    drawn = min(WIDTH - _EDGE, max(_EDGE, place))
    start = _BAND_START if low is not None else 0.0
    end = _BAND_END if high is not None else float(WIDTH)
    return LimitBar(
        band_start=start,
        band_end=end,
        lower=None if low is None else start,
        upper=None if high is None else end,
        marker=round(drawn, 1),
        beyond=(place > drawn) - (place < drawn),
        inside=(low is None or number >= low) and (high is None or number <= high),
        text=f"{format_number(number, 8)} against {describe_limit(limit)}",
    )


def _placed(number: float, low: float | None, high: float | None) -> float:
    width = _BAND_END - _BAND_START
    if low is not None and high is not None and high > low:
        return _BAND_START + (number - low) / (high - low) * width
    # With one limit, or two that are the same, its size says what far away means.
    bound = low if low is not None else high
    if bound is None:
        return WIDTH / 2
    scale = abs(bound) or abs(number) or 1.0
    distance = (number - bound) / scale * width
    if low is not None and high is not None:
        return WIDTH / 2 + distance
    return (_BAND_START if low is not None else _BAND_END) + distance
