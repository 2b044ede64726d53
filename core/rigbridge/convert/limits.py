"""
Limits as text: what the two numbers of a v1 measurement cannot say.

v1 reads both limits as inclusive. A bound that itself fails is sent as a number and,
so that nobody is misled, as a readable validator as well.
"""

from __future__ import annotations

from rigbridge.model import Limit

__all__ = ["describe_exclusive"]


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
