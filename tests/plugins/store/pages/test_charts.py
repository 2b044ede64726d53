"""The geometry of charts."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from rigbridge.model import Limit
from rigbridge_store.pages.charts.limit_bar import limit_bar
from rigbridge_store.pages.charts.scales import outline, scale_of

_SANE = st.floats(min_value=-1e100, max_value=1e100)
_FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.floats(allow_infinity=False), max_size=300))
def test_no_peak_is_lost(values: list[float]) -> None:
    """However few points are drawn, the lowest and the highest are among them."""
    drawn = [values[index] for index in outline(values, 10) if index is not None]
    finite = [value for value in values if math.isfinite(value)]
    assert len(drawn) <= 20
    if finite:
        assert (min(drawn), max(drawn)) == (min(finite), max(finite))
    else:
        assert drawn == []


@given(st.lists(_FINITE, min_size=1, max_size=9))
def test_every_value_has_a_place(values: list[float]) -> None:
    """A scale has room for all of its values and writes some ticks."""
    scale = scale_of(values, 0, 100)
    assert all(math.isfinite(scale(value)) for value in values)
    assert len(scale.ticks(5)) <= 14


@given(_SANE, st.none() | _SANE, st.none() | _SANE)
def test_a_bar_tells_inside_from_outside(
    value: float, lower: float | None, upper: float | None
) -> None:
    """The marker stays on the drawing and its verdict is that of the numbers."""
    bar = limit_bar(value, Limit(lower=lower, upper=upper))
    if lower is None and upper is None:
        assert bar is None
        return
    assert bar is not None
    assert 0 <= bar.marker <= bar.width
    expected = (lower is None or value >= lower) and (upper is None or value <= upper)
    assert bar.inside is expected
