"""The short way for plain measurements gives what the rules give."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigbridge.adapters import ConversionReport, Spool
from rigbridge_openhtf.settings import OpenHTFSettings
from rigbridge_openhtf.translation.measurements import read_measurement
from rigbridge_openhtf.translation.plain import read_plain
from rigbridge_openhtf.translation.raw import (
    ABSENT,
    RawMeasurement,
    RawUnit,
    RawValidator,
)
from rigbridge_openhtf.translation.scope import Scope

_VOLT = RawUnit(name="volt", code="VLT", suffix="V")
_TEXTS = st.one_of(
    st.none(), st.sampled_from(["", " ", "x", " x ", "größer", "\ud800", "volt"])
)
_NUMBERS = st.one_of(st.integers(), st.floats())
_VALUES = st.one_of(
    st.just(ABSENT), st.none(), st.booleans(), _NUMBERS, _TEXTS, st.just([1])
)
_UNITS = st.one_of(
    st.none(),
    st.just(_VOLT),
    st.just(RawUnit(name="None")),
    st.just(RawUnit(name="No dimension", code="NDL")),
    st.builds(RawUnit, name=_TEXTS, code=_TEXTS, suffix=_TEXTS),
)
_VALIDATORS = st.builds(
    RawValidator,
    text=st.sampled_from(
        ["4 <= x <= 5", "4.0 <= x", "x == 3", "x <= inf", "x is odd", "x <= Marginal:4"]
    ),
    bounds=st.one_of(
        st.none(), st.sampled_from([(4, 5), (4.0, None), (3, 3), (None, float("inf"))])
    ),
)
_MEASUREMENTS = st.builds(
    RawMeasurement,
    name=st.one_of(_TEXTS, st.just("voltage"), st.just(7)),
    outcome=st.sampled_from(["PASS", "FAIL", "UNSET", "PARTIALLY_SET", "pass", None]),
    value=_VALUES,
    unit=_UNITS,
    validators=st.lists(_VALIDATORS, max_size=2),
    docstring=_TEXTS,
    set_millis=st.one_of(st.none(), st.just(1_700_000_000_000)),
    rest=st.one_of(st.just({}), st.just({"marginal": True})),
)


def _scope(*, timed: bool) -> Scope:
    settings = OpenHTFSettings(measurement_times=timed)
    return Scope(report=ConversionReport(), spool=Spool(), settings=settings)


@given(raw=_MEASUREMENTS, timed=st.booleans())
def test_both_ways_give_the_same(raw: RawMeasurement, *, timed: bool) -> None:
    """What takes the short way has the values and the account of the long one."""
    short, long = _scope(timed=timed), _scope(timed=timed)
    found = read_plain(raw, short.report, timed=timed)
    if found is None:
        assert short.report.as_document() == ConversionReport().as_document()
        return
    assert found == read_measurement(raw, 1, long)
    assert short.report.as_document() == long.report.as_document()


@pytest.mark.parametrize(
    "value", [4.5, 4, True, "text", None, ABSENT, float("nan"), float("inf")]
)
def test_nearly_all_are_plain(value: Any) -> None:
    """Numbers, verdicts and texts with a range and a unit take the short way."""
    raw = RawMeasurement(
        name="voltage",
        outcome="PASS",
        value=value,
        unit=_VOLT,
        validators=[RawValidator(text="4 <= x <= 5", bounds=(4, 5))],
        docstring="At the connector.",
    )
    assert read_plain(raw, ConversionReport(), timed=False) is not None


def test_attributes_are_nobody_elses() -> None:
    """Two measurements of one unit do not share what a reader might change."""
    raw = RawMeasurement(name="voltage", outcome="PASS", value=1, unit=_VOLT)
    one, other = (read_plain(raw, ConversionReport(), timed=False) for _ in range(2))
    assert one is not None
    assert other is not None
    assert one.attributes["units"] is not other.attributes["units"]


@pytest.mark.parametrize("word", [["x"], {"a": 1}, 7, True])
def test_a_unit_that_is_no_text_takes_the_long_way(word: object) -> None:
    """A foreign record may hold anything there; nobody fails on it."""
    raw = RawMeasurement(
        name="voltage",
        outcome="PASS",
        value=4.5,
        unit=RawUnit(name=word, code="VLT", suffix="V"),
    )
    assert read_plain(raw, ConversionReport(), timed=False) is None
