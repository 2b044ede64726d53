"""
Numbers that JSON cannot hold, spelled as the v1 contract has it.

A non-finite measured value travels as ``"NaN"``, ``"Infinity"`` or ``"-Infinity"``.
"""

from __future__ import annotations

import math
from typing import Any

__all__ = ["SPELLINGS", "is_non_finite", "read_number", "spell"]

SPELLINGS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
"""The text of each non-finite number."""


def is_non_finite(value: object) -> bool:
    """Whether a value is a float that JSON cannot hold."""
    return type(value) is float and not math.isfinite(value)


def spell(value: Any) -> Any:
    """Give the text of a non-finite number; anything else as it is."""
    if type(value) is not float or math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def read_number(value: Any) -> Any:
    """Give the number that a text spells; anything else as it is."""
    return SPELLINGS.get(value, value) if type(value) is str else value
