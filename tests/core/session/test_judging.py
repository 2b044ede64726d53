"""What a measured value becomes, and when it passes."""

from __future__ import annotations

import enum
import math
from array import array
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigbridge.errors import ModelError
from rigbridge.model import Limit, Measurement, Series
from rigbridge.session.judging import judged, printable


def measured(
    value: object,
    *,
    unit: str | None = "V",
    limits: Limit | None = None,
    equal: str | float | bool | None = None,
    outcome: str | None = None,
) -> Measurement:
    """Judge a value under a name."""
    return judged(
        "vcc",
        value,
        unit=unit,
        limits=limits,
        equal=equal,
        outcome=outcome,
        docstring=None,
    )


class TestVerdict:
    """PASS, FAIL and UNSET."""

    @pytest.mark.parametrize(
        ("value", "verdict"),
        [(3.1, "PASS"), (3.5, "PASS"), (3.09, "FAIL"), (3.51, "FAIL"), (3, "FAIL")],
    )
    def test_bounds_are_inclusive(self, value: float, verdict: str) -> None:
        """A value on a bound passes."""
        assert measured(value, limits=Limit(lower=3.1, upper=3.5)).outcome == verdict

    def test_exclusive_bounds_are_those_of_a_limit(self) -> None:
        """A value on an exclusive bound fails."""
        limits = Limit(lower=3.1, lower_inclusive=False)
        assert measured(3.1, limits=limits).outcome == "FAIL"
        limits = Limit(upper=3.1, upper_inclusive=False)
        assert measured(3.1, limits=limits).outcome == "FAIL"

    @pytest.mark.parametrize("value", [None, math.nan])
    def test_nothing_measured_fails(self, value: float | None) -> None:
        """No value, and what is no number, cannot lie within limits."""
        assert measured(value, limits=Limit(lower=0)).outcome == "FAIL"

    def test_infinity_lies_above_every_bound(self) -> None:
        """It passes a lower bound and fails an upper one."""
        assert measured(math.inf, limits=Limit(lower=0)).outcome == "PASS"
        assert measured(math.inf, limits=Limit(upper=1e300)).outcome == "FAIL"

    def test_without_limits_nothing_is_judged(self) -> None:
        """The verdict is UNSET, also for no value."""
        assert measured(3.3).outcome == "UNSET"
        assert measured(None).outcome == "UNSET"

    @pytest.mark.parametrize(
        ("value", "equal", "verdict"),
        [
            ("1.2", "1.2", "PASS"),
            ("1.2", "1.3", "FAIL"),
            (True, True, "PASS"),
            (1, True, "FAIL"),
            (True, 1, "FAIL"),
            (5, 5.0, "PASS"),
            (None, "x", "FAIL"),
        ],
    )
    def test_equal_compares_like_with_like(
        self, value: object, equal: str | float | bool, verdict: str
    ) -> None:
        """A flag is no number; the condition is kept as text."""
        measurement = measured(value, equal=equal)
        assert measurement.outcome == verdict
        assert measurement.validators == (f"x == {equal!r}",)

    def test_the_program_may_judge_by_itself(self) -> None:
        """Its verdict counts, whatever the limits say."""
        assert measured(9, limits=Limit(upper=1), outcome="PASS").outcome == "PASS"

    def test_each_point_of_a_series_must_pass(self) -> None:
        """One point outside fails the measurement."""
        assert measured([1, 2], limits=Limit(upper=2)).outcome == "PASS"
        assert measured([1, 3], limits=Limit(upper=2)).outcome == "FAIL"

    @given(
        st.floats(allow_nan=True),
        st.floats(allow_nan=False, allow_infinity=False),
        st.floats(allow_nan=False, allow_infinity=False),
    )
    def test_it_is_what_python_compares(
        self, value: float, one: float, other: float
    ) -> None:
        """For all numbers."""
        lower, upper = sorted((one, other))
        found = measured(value, limits=Limit(lower=lower, upper=upper)).outcome
        assert found == ("PASS" if lower <= value <= upper else "FAIL")


class TestRefusals:
    """Calls that cannot be meant so."""

    @pytest.mark.parametrize("value", ["3.3", True, {"a": 1}])
    def test_limits_want_a_number(self, value: object) -> None:
        """The error names the measurement and what to use instead."""
        with pytest.raises(ModelError, match=r"vcc.*has limits.*equal="):
            measured(value, limits=Limit(lower=1))

    def test_a_lower_limit_above_the_upper(self) -> None:
        """Swapped arguments are not silently a FAIL."""
        with pytest.raises(ModelError, match="above the upper"):
            measured(1, limits=Limit(lower=2, upper=1))

    def test_a_value_that_no_run_can_hold(self) -> None:
        """Bytes are none."""
        with pytest.raises(ModelError, match="bytes"):
            measured(b"\x00")


class _Mode(enum.StrEnum):
    FAST = "fast"


class TestValues:
    """Values as programs have them."""

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (Decimal("1.5"), 1.5),
            (_Mode.FAST, "fast"),
            ({"a": [1]}, {"a": [1]}),
            (10**30, 10**30),
            (SimpleNamespace(tolist=lambda: 2.5), 2.5),
        ],
    )
    def test_scalars(self, value: object, expected: object) -> None:
        """They become plain ones."""
        found = measured(value).value
        assert found == expected
        assert type(found) is type(expected)

    @pytest.mark.parametrize(
        "points",
        [
            [1.0, 2.0],
            (1.0, 2.0),
            array("d", [1.0, 2.0]),
            SimpleNamespace(tolist=lambda: [1.0, 2.0]),
            [SimpleNamespace(tolist=lambda: 1.0), 2.0],
        ],
    )
    def test_points_become_a_series(self, points: object) -> None:
        """With the unit on its axis."""
        measurement = measured(points)
        assert isinstance(measurement.value, Series)
        (axis,) = measurement.value.axes
        assert (list(axis.values), axis.unit) == ([1.0, 2.0], "V")
        assert measurement.unit is None

    def test_points_of_several_dimensions_stay_as_they_are(self) -> None:
        """As lists."""
        assert measured([(1, 2), (3, 4)]).value == [[1, 2], [3, 4]]

    def test_texts_that_no_encoding_can_write_are_mended(self) -> None:
        """Half a surrogate pair must not cost the run."""
        assert measured("a\ud800b").value == "a\ufffdb"

    @given(st.text(st.characters(codec=None)))
    def test_every_text_can_be_written_afterwards(self, text: str) -> None:
        """And is unchanged where it could be before."""
        mended = printable(text)
        mended.encode()
        if not any(0xD800 <= ord(letter) < 0xE000 for letter in text):
            assert mended == text
