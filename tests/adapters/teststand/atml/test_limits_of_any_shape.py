"""Limits of any structure: a range only where it is one, and no bound is lost."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rigbridge.adapters import Source
from rigbridge.convert.document import to_document
from rigbridge.testing import read_all
from rigbridge_teststand.atml.adapter import TestStandATMLAdapter

LOWER, UPPER = ("GE", "GT"), ("LE", "LT")
NUMBERS = st.integers(-999, 999).map(lambda number: number + 0.125)
BOUNDS = st.tuples(st.sampled_from((*LOWER, *UPPER, "EQ", "")), NUMBERS)
PAIRS = st.lists(BOUNDS, min_size=2, max_size=2)


def is_range(version: str, operator: str, pair: Any, nominal: float | None) -> bool:
    """Tell by the structure alone whether a pair is a range."""
    sides = dict(pair)
    low = [sides[name] for name in LOWER if name in sides]
    high = [sides[name] for name in UPPER if name in sides]
    if operator != "AND" or len(low) != 1 or len(high) != 1:
        return False
    if nominal is None:
        return True
    return version != "2.02" and low[0] <= nominal <= high[0]


@pytest.mark.parametrize("version", ["2.02", "6.01"])
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    pair=PAIRS,
    operator=st.sampled_from(["AND", "OR", "XOR"]),
    nominal=st.none() | NUMBERS,
)
def test_pairs(
    write: Any, version: str, pair: Any, operator: str, nominal: float | None
) -> None:
    """Bounds of a range are its sides; every other number is told all the same."""
    inner = [write.limit(comparator, value) for comparator, value in pair]
    if nominal is not None:
        inner.append(f"<c:Nominal>{write.datum('c:double', nominal)}</c:Nominal>")
    result = write.result(
        "Numeric", write.datum("c:double", 1), limits=write.pair(operator, *inner)
    )
    content = write.file(write.results(write.step("s", result), version=version))
    reading = read_all(TestStandATMLAdapter(), Source.from_bytes(content, "a.xml"))
    (found,) = reading.runs[0].phases[0].measurements
    limits = found.limits
    if is_range(version, operator, pair, nominal):
        assert limits is not None
        sides = dict(pair)
        assert limits.lower in [sides.get(name) for name in LOWER]
        assert limits.upper in [sides.get(name) for name in UPPER]
    elif nominal is not None or operator != "AND":
        assert limits is None
    told = repr((to_document(reading.runs[0]), reading.report.entries))
    stated = [value for _, value in pair] + ([] if nominal is None else [nominal])
    assert [value for value in stated if str(value) not in told] == []
