"""
Numbers and ranges as text, where the v1 contract has no number for them.

A non-finite measured value travels as ``"NaN"``, ``"Infinity"`` or ``"-Infinity"``, an
integer beyond 64 bits as its digits. v1
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
    "describe_range",
    "is_long",
    "is_non_finite",
    "read_number",
    "spell",
]

_T = TypeVar("_T")

# What the encoder writes and most readers take: signed 64 bits below, unsigned ones
# above.
_LOWEST, _HIGHEST = -(2**63), 2**64 - 1

SPELLINGS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
"""The text of each non-finite number."""


def is_non_finite(value: object) -> bool:
    """Whether a value is a float that JSON cannot hold."""
    return type(value) is float and not math.isfinite(value)


def is_long(value: object) -> bool:
    """Whether a value is an integer that JSON's readers do not keep exactly."""
    return type(value) is int and not _LOWEST <= value <= _HIGHEST


def describe_range(limit: Limit) -> str:
    """Say the range of a limit that has a bound."""
    if limit.lower is not None and limit.lower == limit.upper:
        return f"x == {limit.lower}"
    left = "<=" if limit.lower_inclusive else "<"
    right = "<=" if limit.upper_inclusive else "<"
    lower = "" if limit.lower is None else f"{limit.lower} {left} "
    upper = "" if limit.upper is None else f" {right} {limit.upper}"
    return f"{lower}x{upper}"


def spell(value: _T) -> _T | str:
    """
    Give the text of a number that JSON does not keep; anything else as it is.

    That is one that is not finite, or an integer beyond 64 bits.
    """
    if is_long(value):
        return str(value)
    # A float subclass, as NumPy has one, counts as a float.
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
