"""
Limits and comparators of a row, as a range or as readable conditions.

The comparators are those of TestStand (``GELE``, ``EQ``, ``LTGT``...) and the usual
signs. Only what is a range becomes a :class:`~rigbridge.model.Limit`; "not equal",
"outside of" and comparisons with text become readable text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeAlias

import attrs

from rigbridge.model import Limit

__all__ = ["AS_TEXT", "Condition", "condition"]

AS_TEXT = "limits that are no range, kept as text"
"""The rule for limits that become readable text."""

Bound: TypeAlias = float | int | str | None
"""A number, a text that is none, or None where the cell is blank."""

# TestStand's codes and the usual signs.
# The inclusivity of the lower and the upper side; None: the side is not compared.
_RANGES: Mapping[str, tuple[bool | None, bool | None]] = {
    "GELE": (True, True),
    "GELT": (True, False),
    "GTLE": (False, True),
    "GTLT": (False, False),
    "GE": (True, None),
    "GT": (False, None),
    "LE": (None, True),
    "LT": (None, False),
    ">=": (True, None),
    ">": (False, None),
    "<=": (None, True),
    "<": (None, False),
    # A column for each side, each with its own sign.
    ">= <=": (True, True),
    ">= <": (True, False),
    "> <=": (False, True),
    "> <": (False, False),
}
_OUTSIDE: Mapping[str, tuple[str, str]] = {
    "LTGT": ("<", ">"),
    "LTGE": ("<", ">="),
    "LEGT": ("<=", ">"),
    "LEGE": ("<=", ">="),
}
# CIEQ compares texts without case.
_EQUAL = frozenset({"EQ", "EQT", "CIEQ", "==", "="})
_UNEQUAL = frozenset({"NE", "NET", "!=", "<>"})


@attrs.frozen(kw_only=True)
class Condition:
    """
    What a row says about its pass range.

    Attributes:
        limits: the range, or None.
        rules: what was changed on the way, for the report.
        problem: why the limits cannot be right, or None.
    """

    limits: Limit | None = None
    validators: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    problem: str | None = None


_NOTHING = Condition()


def _show(bound: Bound) -> str:
    return repr(bound) if isinstance(bound, str) else f"{bound}"


def _side(bound: float | None) -> float | int | None:
    return None if bound is None or not math.isfinite(bound) else bound


def _range(
    lower: float | None,
    upper: float | None,
    inclusive: tuple[bool | None, bool | None],
    comparator: str | None,
) -> Condition:
    # Logs write inf or nan where there is no limit on a side.
    finite = _side(lower), _side(upper)
    rules = ("non-finite: no limit on that side",) * (finite != (lower, upper))
    if finite == (None, None) and comparator is None:
        return Condition(rules=rules)
    if finite[0] is not None and finite[1] is not None and finite[1] < finite[0]:
        return Condition(
            problem=f"the upper limit {finite[1]} is below the lower {finite[0]}"
        )
    return Condition(
        limits=Limit(
            lower=finite[0],
            upper=finite[1],
            lower_inclusive=inclusive[0] is not False,
            upper_inclusive=inclusive[1] is not False,
            comparator=comparator,
        ),
        rules=rules,
    )


def _as_text(comparator: str | None, lower: Bound, upper: Bound) -> Condition:
    parts = [
        f"{word} {_show(bound)}"
        for word, bound in (("lower", lower), ("upper", upper))
        if bound is not None
    ]
    text = f"{comparator or 'limits'}: {', '.join(parts)}" if parts else comparator
    return Condition(
        validators=(text,) if text else (),
        rules=(AS_TEXT,),
    )


def _equality(code: str, comparator: str, bound: float | str) -> Condition:
    if code in _UNEQUAL:
        return Condition(validators=(f"x != {_show(bound)}",))
    # TestStand writes EQ for numbers too: then it is a range of one value.
    if not isinstance(bound, str) and math.isfinite(bound):
        return _range(bound, bound, (True, True), comparator)
    case = " ignoring case" if code == "CIEQ" else ""
    return Condition(validators=(f"x == {_show(bound)}{case}",))


def _compared(code: str, comparator: str, lower: Bound, upper: Bound) -> Condition:
    # A single bound stands in either column, or in both.
    given = {bound for bound in (lower, upper) if bound is not None}
    single = next(iter(given)) if len(given) == 1 else None
    if code in _EQUAL | _UNEQUAL and single is not None:
        return _equality(code, comparator, single)
    if isinstance(lower, str) or isinstance(upper, str):
        return _as_text(comparator, lower, upper)
    if code in _OUTSIDE and lower is not None and upper is not None:
        below, above = _OUTSIDE[code]
        return Condition(validators=(f"x {below} {lower} or x {above} {upper}",))
    sides = _RANGES.get(code)
    if sides is None or isinstance(single, str):
        return _as_text(comparator, lower, upper)
    if None in sides:
        # Two different bounds for a comparison with one: nobody knows which.
        if single is None:
            return _as_text(comparator, lower, upper)
        lower, upper = (None if side is None else single for side in sides)
    return _range(lower, upper, sides, comparator)


def condition(comparator: str | None, lower: Bound, upper: Bound) -> Condition:
    """
    Say what a row's limits and comparator mean.

    Without a comparator both limits belong to the range. A comparison that needs one
    bound takes it from whichever cell holds it. Whatever is no range, an unknown
    comparator included, is kept as readable text.

    Args:
        comparator: the comparison as the log spells it, or None.
        lower: the lower limit: a number, a text, or None.
        upper: the upper limit, likewise.
    """
    if lower is None and upper is None:
        return _NOTHING
    if comparator is not None:
        return _compared(comparator.strip().upper(), comparator, lower, upper)
    if isinstance(lower, str) or isinstance(upper, str):
        return _as_text(None, lower, upper)
    return _range(lower, upper, (True, True), None)
