"""The range that a measured value had to fall into, as the source stated it."""

from __future__ import annotations

import math
from typing import Any

import attrs

from rigbridge.model.values import (
    Field,
    by,
    check_fields,
    fail,
    is_,
    is_finite,
    is_text,
    optional_text,
)

__all__ = ["Limit"]

_BOOLS = {bool}


def _bound(instance: object, attribute: Field, value: Any) -> None:
    if value is None:
        return
    if type(value) not in (int, float):
        found = type(value).__name__
        raise fail(instance, attribute, f"must be a number or None, not {found}")
    # Any integer is finite, also one beyond every float.
    if type(value) is not int and not math.isfinite(value):
        raise fail(instance, attribute, f"is {value}; a side without a limit is None")


@attrs.frozen(kw_only=True)
class Limit:
    """
    A pass range: a bound and its inclusivity for each side.

    Only comparisons that *are* a range belong here. "Not equal", "outside of" and
    comparisons of text are a measurement's ``validators``, never bent into a range.

    Attributes:
        lower: the lower bound in the measurement's unit, or None if there is none.
        upper: the upper bound, likewise. A lower above the upper is kept as given.
        lower_inclusive: whether the lower bound itself passes.
        upper_inclusive: whether the upper bound itself passes.
        comparator: the comparison as the source spelled it (``GELE``, ``EQT``).

    Raises:
        ModelError: a bound that is no finite number; the error names the field.
    """

    lower: float | int | None = attrs.field(default=None, metadata=by(_bound))
    upper: float | int | None = attrs.field(default=None, metadata=by(_bound))
    lower_inclusive: bool = attrs.field(default=True, metadata=by(is_(bool)))
    upper_inclusive: bool = attrs.field(default=True, metadata=by(is_(bool)))
    comparator: str | None = attrs.field(default=None, metadata=by(optional_text))

    def __attrs_post_init__(self) -> None:
        if not (
            (self.lower is None or is_finite(self.lower))
            and (self.upper is None or is_finite(self.upper))
            and {type(self.lower_inclusive), type(self.upper_inclusive)} == _BOOLS
            and (self.comparator is None or is_text(self.comparator))
        ):
            check_fields(self)
