"""Limits out of validators: from their text and from their objects."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from rigbridge.adapters import ConversionReport, Disposition, Spool
from rigbridge.model import Limit
from rigbridge_openhtf import OpenHTFSettings
from rigbridge_openhtf.raw_record import RawValidator
from rigbridge_openhtf.scope import Scope
from rigbridge_openhtf.translation.numbers import parse_number
from rigbridge_openhtf.translation.validators import (
    Conditions,
    read_conditions,
    read_range,
)

validators = pytest.importorskip("openhtf.util.validators")

FINITE = st.floats(allow_nan=False, allow_infinity=False) | st.integers(
    -(2**63), 2**63 - 1
)


def _scope() -> Scope:
    return Scope(report=ConversionReport(), spool=Spool(), settings=OpenHTFSettings())


def _read(*texts: str) -> Conditions:
    return read_conditions([RawValidator(text=text) for text in texts], _scope())


class TestTextOfRanges:
    """The forms that OpenHTF prints, read back."""

    @pytest.mark.parametrize(
        ("text", "lower", "upper"),
        [
            ("4.5 <= x <= 5", 4.5, 5),
            ("x <= 1.5", None, 1.5),
            ("95 <= x", 95, None),
            ("-1e-09 <= x <= 1e+16", -1e-09, 1e16),
            ("x >= 3", 3, None),
            ("5 >= x >= 1", 1, 5),
        ],
    )
    def test_inclusive(
        self, text: str, lower: float | None, upper: float | None
    ) -> None:
        """A plain range is a limit, and nothing is left to say as text."""
        expected = Conditions(limits=Limit(lower=lower, upper=upper))
        assert _read(text) == expected

    def test_equality(self) -> None:
        """An exact number is a range of one point, spelled as an equality."""
        limits = Limit(lower=5, upper=5, comparator="==")
        assert _read("x == 5") == Conditions(limits=limits)

    def test_exclusive(self) -> None:
        """A validator of the author's own with strict bounds keeps them strict."""
        limits = Limit(lower=0, upper=1, lower_inclusive=False, upper_inclusive=True)
        assert _read("0 < x <= 1") == Conditions(limits=limits)

    @pytest.mark.parametrize(
        ("text", "lower", "upper"),
        [
            ("1 <= Marginal:2 <= x <= Marginal:4 <= 5", 1, 5),
            ("1 <= Marginal:2 <= x", 1, None),
            ("x <= Marginal:4 <= 5", None, 5),
            ("1 <= Marginal:2 <= x <= 5", 1, 5),
        ],
    )
    def test_marginal(
        self, text: str, lower: float | None, upper: float | None
    ) -> None:
        """Marginal bounds leave the outer range, and the text says the rest."""
        limits = Limit(lower=lower, upper=upper)
        assert _read(text) == Conditions(limits=limits, validators=(text,))

    @pytest.mark.parametrize(
        ("text", "lower", "upper"),
        [
            ("'x' is within 5% of 100.", 95.0, 105.0),
            ("'x' is within 5% of 100.0. Marginal: 3% of 100.0", 95.0, 105.0),
            ("'x' is within 2.5% of -40.", -41.0, -39.0),
        ],
    )
    def test_percentage(self, text: str, lower: float, upper: float) -> None:
        """A percentage is the range it stands for, and stays as text."""
        limits = Limit(lower=lower, upper=upper)
        assert _read(text) == Conditions(limits=limits, validators=(text,))

    def test_every_point(self) -> None:
        """A range for every point of a series is its limit, and stays as text."""
        text = "All values pass: 0 <= x <= 5"
        limits = Limit(lower=0, upper=5)
        assert _read(text) == Conditions(limits=limits, validators=(text,))

    @pytest.mark.parametrize(
        "text",
        [
            "x == True",
            "'x' is equal to 'True'",
            "'x' matches /^1\\.4\\.3$/",
            "'x' matches /1 <= x <= 5/",
            "Once pass, rest must also pass: 0 <= x",
            "x != 5",
            "x",
            "",
            "low <= x <= high",
            "nan <= x <= 5",
            "1 <= y <= 5",
        ],
    )
    def test_anything_else(self, text: str) -> None:
        """What is no range stays text and is never bent into one."""
        assert _read(text) == Conditions(validators=(text,))

    def test_infinite_bound(self) -> None:
        """An infinite bound is no bound on that side, recorded as coerced."""
        scope = _scope()
        conditions = read_conditions([RawValidator(text="-inf <= x <= 5")], scope)
        assert conditions == Conditions(limits=Limit(upper=5))
        assert scope.report.count(Disposition.COERCED, "limit") == 1

    def test_impossible_bound(self) -> None:
        """A range that nothing can pass has no finite bounds to show."""
        assert _read("inf <= x") == Conditions(validators=("inf <= x",))

    def test_addresses(self) -> None:
        """The address of a function in memory is left out of its text."""
        text = "<function even at 0x7f85ecdc1c90>"
        assert _read(text).validators == ("<function even>",)


class TestSeveral:
    """All the validators of a measurement hold together."""

    def test_two_sides(self) -> None:
        """Bounds on different sides make one range."""
        expected = Conditions(limits=Limit(lower=1, upper=5))
        assert _read("1 <= x", "x <= 5") == expected

    def test_overlap(self) -> None:
        """Overlapping ranges give the narrowest; their texts are kept."""
        texts = ("0 <= x <= 10", "'x' matches /.*/", "2 <= x <= 20")
        expected = Conditions(limits=Limit(lower=2, upper=10), validators=texts)
        assert _read(*texts) == expected

    def test_strict_bound_is_narrower(self) -> None:
        """Of two equal bounds the strict one counts."""
        limits = _read("1 <= x", "1 < x").limits
        assert limits == Limit(lower=1, lower_inclusive=False)


class TestObjects:
    """OpenHTF's own validators, by what they print and what they apply."""

    @given(FINITE, FINITE)
    @example(0.1, 0.30000000000000004)
    def test_range_survives_its_text(self, one: float, other: float) -> None:
        """The limits of a range are recovered exactly from its text alone."""
        lower, upper = sorted((one, other))
        text = str(validators.in_range(lower, upper))
        limits = _read(text).limits
        assert limits is not None
        assert (limits.lower, limits.upper) == (lower, upper)

    @given(FINITE, st.booleans())
    def test_one_sided_range_survives_its_text(self, bound: float, below: bool) -> None:
        """A range with one bound is recovered exactly from its text alone."""
        validator = (
            validators.in_range(maximum=bound)
            if below
            else validators.in_range(minimum=bound)
        )
        expected = Limit(upper=bound) if below else Limit(lower=bound)
        assert _read(str(validator)) == Conditions(limits=expected)

    @given(st.lists(st.integers(-100, 100), min_size=4, max_size=4, unique=True))
    def test_marginal_range_survives_its_text(self, bounds: list[int]) -> None:
        """The outer bounds are recovered whatever the marginal ones are."""
        low, near_low, near_high, high = sorted(bounds)
        text = str(validators.in_range(low, high, near_low, near_high))
        assert _read(text).limits == Limit(lower=low, upper=high)

    @given(
        st.floats(-1e12, 1e12, allow_nan=False),
        st.floats(0, 1e6, allow_nan=False),
    )
    def test_percentage_is_what_openhtf_applies(
        self, expected: float, percent: float
    ) -> None:
        """The bounds of a percentage equal those of the object."""
        validator = validators.within_percent(expected, percent)
        limits = _read(str(validator)).limits
        assert limits is not None
        assert (limits.lower, limits.upper) == (validator.minimum, validator.maximum)

    @given(st.text(max_size=20))
    def test_any_text(self, text: str) -> None:
        """No text makes the reader fail, and none is lost."""
        assume(read_range(text) is None)
        # An unpaired surrogate cannot be written and is replaced.
        assume(text.isprintable() and " at 0x" not in text)
        assert _read(text).validators == (text,)

    def test_bounds_of_an_object_count(self) -> None:
        """Where text and object differ, the bounds that were applied are taken."""
        validator = RawValidator(text="0.5 <= x <= 1.5", bounds=(0, 1))
        conditions = read_conditions([validator], _scope())
        assert conditions.limits == Limit(lower=0, upper=1)
        assert conditions.validators == ("0.5 <= x <= 1.5",)

    def test_boolean_bounds_are_no_range(self) -> None:
        """A comparison with True has bounds in OpenHTF, but is no range."""
        validator = RawValidator(text="x == True", bounds=(True, True))
        conditions = read_conditions([validator], _scope())
        assert conditions == Conditions(validators=("x == True",))


class TestNumbers:
    """Numbers as Python prints them."""

    @given(st.floats(allow_nan=False) | st.integers(-(2**63), 2**64 - 1))
    def test_round_trip(self, number: float) -> None:
        """A number comes back from its text as itself, in its kind."""
        found = parse_number(str(number))
        assert found == number
        assert type(found) is type(number)

    @pytest.mark.parametrize("text", ["", "1_000", "0x10", "nan", "True", "1,5", "1 2"])
    def test_no_number(self, text: str) -> None:
        """What Python would not print as a number is none."""
        assert parse_number(text) is None

    def test_beyond_64_bits(self) -> None:
        """An integer keeps its digits; one of absurd length is what a float says."""
        assert parse_number("1" * 30) == int("1" * 30)
        assert parse_number("9" * 4000) == math.inf
