"""Spread, capability and distribution of measured values."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigbridge_store.reading.statistics import capability, histogram, summarize

_VALUES = st.lists(
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e6, max_value=1e6),
    min_size=2,
    max_size=200,
)


@given(_VALUES)
def test_a_summary_agrees_with_the_standard_library(values: list[float]) -> None:
    """Mean and standard deviation are those of Python's own statistics."""
    summary = summarize(values)
    assert summary is not None
    assert summary.mean == pytest.approx(statistics.fmean(values), abs=1e-6)
    assert summary.deviation == pytest.approx(statistics.stdev(values), abs=1e-6)


@given(_VALUES)
def test_a_histogram_counts_every_value_once(values: list[float]) -> None:
    """The bars together hold all values, and follow each other without a gap."""
    bins = histogram(values)
    assert sum(item.count for item in bins) == len(values)
    assert bins[0].low == min(values)
    assert bins[-1].high == max(values)


def test_capability_by_hand() -> None:
    """Cpk counts to the nearer limit, and one limit alone gives no Cp."""
    summary = summarize([9.0, 10.0, 11.0, 10.0])
    assert summary is not None
    sigma = 1 / 1.128
    both = capability(summary, 4, 13)
    assert both.cp == pytest.approx(9 / (6 * sigma))
    assert both.cpk == pytest.approx(3 / (3 * sigma))
    assert capability(summary, None, 13).cp is None


def test_nothing_varies_in_a_constant() -> None:
    """Values that are all the same have no capability, and one bar."""
    summary = summarize([2.0, 2.0, 2.0])
    assert summary is not None
    assert capability(summary, 1, 3).cpk is None
    assert len(histogram([2.0, 2.0, 2.0])) == 1
