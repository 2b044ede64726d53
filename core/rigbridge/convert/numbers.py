"""
Numbers and ranges as text, where the v1 contract has no number for them.

A non-finite measured value travels as ``"NaN"``, ``"Infinity"`` or ``"-Infinity"``. v1
reads both limits as inclusive: a bound that itself fails is sent as a number and, so
that nobody is misled, as a readable validator as well.
"""

from __future__ import annotations

import math
from typing import TypeVar

from rigbridge.model import Limit

__all__ = [
    "SPELLINGS",
    "describe_exclusive",
    "is_non_finite",
    "read_number",
    "spell",
]

_T = TypeVar("_T")

SPELLINGS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
"""The text of each non-finite number."""


def is_non_finite(value: object) -> bool:
    """Whether a value is a float that JSON cannot hold."""
    return type(value) is float and not math.isfinite(value)


def spell(value: _T) -> _T | str:
    """Give the text of a non-finite number; anything else as it is."""
    if not isinstance(value, float) or math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def read_number(value: _T) -> _T | float:
    """Give the number that a text spells; anything else as it is."""
    return SPELLINGS.get(value, value) if isinstance(value, str) else value


def describe_exclusive(limit: Limit) -> str | None:
    """Say the range of a limit with an exclusive side, or None if it has none."""
    lower = limit.lower is not None
    upper = limit.upper is not None
    if not (
        (lower and not limit.lower_inclusive) or (upper and not limit.upper_inclusive)
    ):
        return None
    if lower and upper:
        left = "<=" if limit.lower_inclusive else "<"
        right = "<=" if limit.upper_inclusive else "<"
        return f"{limit.lower} {left} x {right} {limit.upper}"
    return f"x > {limit.lower}" if lower else f"x < {limit.upper}"
