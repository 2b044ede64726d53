"""Numbers as TestStand spells them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigbridge_teststand.numbers import is_underflow, read_count, read_number


class TestNumbers:
    """Every spelling of a number."""

    @pytest.mark.parametrize(
        ("text", "number"),
        [
            ("2.75e-05", 2.75e-05),
            ("3.15e-005", 3.15e-05),
            ("1E+006", 1e6),
            ("9223372036854775807", 9223372036854775807),
            ("0x1F", 31),
            ("0b101", 5),
            ("0c17", 15),
            ("12.5 V", 12.5),
            ("-INF", -math.inf),
            ("1.#INF", math.inf),
            ("-1.#INF00", -math.inf),
            ("1.#INF00e+000", math.inf),
            ("1.#J", None),
            ("1.$", None),
            ("", None),
            ("3,25", 3.25),
            ("abc", None),
            ("-0", -0.0),
            ("1_000", None),
            ("1e400", None),
            ("-1e400", None),
            ("0x", None),
            ("0x1.8p3", None),
            ("1/2", None),
            ("12:30", None),
            ("5-10", None),
            ("1d3", None),
            ("5%", 5),
            ("1e-400", 0.0),
            ("-0.03e-400", -0.0),
        ],
    )
    def test_spellings(self, text: str, number: float | None) -> None:
        """A spelling is read exactly, or not at all."""
        assert read_number(text) == number
        assert repr(read_number(text)) == repr(number)
        assert type(read_number(text)) is type(number)

    @pytest.mark.parametrize(
        "text",
        ["NAN", "NaN", "-NAN", "IND", "-1.#IND", "-1.#IND00", "1.#QNAN0", "1.#R"],
    )
    def test_not_a_number(self, text: str) -> None:
        """All spellings of NaN are one."""
        number = read_number(text)
        assert number is not None
        assert math.isnan(number)

    @pytest.mark.parametrize(
        ("text", "said"), [("1e-400", True), ("-0.0e5", False), ("0", False)]
    )
    def test_a_number_too_small_is_told_from_zero(self, text: str, said: bool) -> None:
        """Both are read as zero; only one of them is recorded."""
        assert read_number(text) == 0
        assert is_underflow(text) is said

    @given(st.floats(allow_nan=False))
    def test_any_float_is_read_back(self, number: float) -> None:
        """What Python prints is read exactly."""
        assert read_number(repr(number)) == number

    @pytest.mark.parametrize(("text", "count"), [("4294967295", -1), ("7", 7)])
    def test_counts_are_signed(self, text: str, count: int) -> None:
        """An unsigned radix hides the sign."""
        assert read_count(text) == count
