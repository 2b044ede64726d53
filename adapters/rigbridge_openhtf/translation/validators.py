"""
The conditions of a measurement: ranges out of validators, the rest as readable text.

OpenHTF's JSON holds validators only as the text that they print. What that text says is
recovered here, so that ``4.5 <= x <= 5`` is a limit again. Only what *is* a range
becomes one; everything else stays text, and a validator that says more than its range
(marginal bounds, a percentage, "all values pass") is kept as text beside it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import attrs

from rigbridge.model import Limit
from rigbridge_openhtf.raw_record import RawValidator
from rigbridge_openhtf.scope import Scope
from rigbridge_openhtf.translation.values import clean, without_address

__all__ = [
    "Conditions",
    "Range",
    "read_conditions",
    "read_number",
    "read_range",
]

_NUMBER = r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|inf|infinity)"
_WHOLE = re.compile(_NUMBER, re.IGNORECASE)
_INTEGER = re.compile(r"[-+]?\d+")
_CHAIN = re.compile(
    rf"(?:(?P<lower>{_NUMBER}) *(?P<left><=?) *)?"
    rf"(?P<marginal_lower>Marginal:{_NUMBER} *<= *)?"
    r"x"
    rf"(?P<marginal_upper> *<= *Marginal:{_NUMBER})?"
    rf"(?: *(?P<right><=?) *(?P<upper>{_NUMBER}))?",
    re.IGNORECASE,
)
_REVERSED = re.compile(
    rf"(?:(?P<upper>{_NUMBER}) *(?P<right>>=?) *)?x"
    rf"(?: *(?P<left>>=?) *(?P<lower>{_NUMBER}))?",
    re.IGNORECASE,
)
_EQUAL = re.compile(rf"x *== *({_NUMBER})", re.IGNORECASE)
_PERCENT = re.compile(
    rf"'x' is within (?P<percent>{_NUMBER})% of (?P<expected>{_NUMBER})\."
    r"(?: Marginal: .*)?",
    re.IGNORECASE,
)
_EVERY = "All values pass: "
_MAX_DIGITS = 24
_INFINITY = float("inf")


@attrs.frozen(kw_only=True)
class Range:
    """
    What a validator says as a range.

    Attributes:
        lower: the lower bound, or None; may be infinite.
        upper: the upper bound, likewise.
        lower_inclusive: whether the lower bound itself passes.
        upper_inclusive: whether the upper bound itself passes.
        exact: whether the validator says nothing more than this range.
        comparator: the comparison as spelled, where it is no plain range.
    """

    lower: float | int | None = None
    upper: float | int | None = None
    lower_inclusive: bool = True
    upper_inclusive: bool = True
    exact: bool = True
    comparator: str | None = None


@attrs.frozen(kw_only=True)
class Conditions:
    """
    The conditions of a measurement as the run model has them.

    Attributes:
        limits: the range, or None.
        validators: what is not, or not only, that range, as text.
    """

    limits: Limit | None = None
    validators: tuple[str, ...] = ()


# A test has the same few limits again and again.
@lru_cache(maxsize=1024)
def read_number(text: str) -> int | float | None:
    """Read a number as Python prints it, integers exactly; None for anything else."""
    text = text.strip()
    if not _WHOLE.fullmatch(text):
        return None
    if not _INTEGER.fullmatch(text) or len(text) > _MAX_DIGITS:
        return float(text)
    number = int(text)
    # What JSON's readers take as an integer.
    return number if -(2**63) <= number < 2**64 else float(text)


@lru_cache(maxsize=1024)
def read_range(text: str) -> Range | None:
    """Read the text of a validator as a range; None where it is none."""
    text = text.strip()
    if text.startswith(_EVERY):
        inner = read_range(text.removeprefix(_EVERY))
        return None if inner is None else attrs.evolve(inner, exact=False)
    if match := _EQUAL.fullmatch(text):
        number = read_number(match[1])
        return Range(lower=number, upper=number, comparator="==")
    if match := _CHAIN.fullmatch(text) or _REVERSED.fullmatch(text):
        found = match.groupdict()
        if found["lower"] is None and found["upper"] is None:
            return None
        return Range(
            lower=read_number(found["lower"] or ""),
            upper=read_number(found["upper"] or ""),
            lower_inclusive=found["left"] not in ("<", ">"),
            upper_inclusive=found["right"] not in ("<", ">"),
            exact=not (found.get("marginal_lower") or found.get("marginal_upper")),
        )
    if match := _PERCENT.fullmatch(text):
        return _percentage(match["expected"], match["percent"])
    return None


def _percentage(expected_text: str, percent_text: str) -> Range | None:
    expected, percent = read_number(expected_text), read_number(percent_text)
    if expected is None or percent is None:
        return None
    width = abs(expected * percent / 100.0)
    lower, upper = expected - width, expected + width
    # An infinite percentage of nothing is no number.
    if lower != lower or upper != upper:  # noqa: PLR0124 - the test for NaN
        return None
    return Range(lower=lower, upper=upper, exact=False)


def _from_bounds(validator: RawValidator, printed: Range | None) -> Range | None:
    """Take the bounds that the object applies over those that it prints."""
    if validator.bounds is None:
        return printed
    lower, upper = (_bound(bound) for bound in validator.bounds)
    if lower is _UNUSABLE or upper is _UNUSABLE or (lower is None and upper is None):
        return printed
    if printed is not None and (printed.lower, printed.upper) == (lower, upper):
        return printed
    return Range(lower=lower, upper=upper, exact=False)


_UNUSABLE: Any = object()


def _bound(bound: Any) -> Any:
    if bound is None:
        return None
    if isinstance(bound, bool):
        return _UNUSABLE
    # As OpenHTF prints it, so that the same bound comes out of its JSON.
    try:
        number = read_number(f"{bound}")
    except Exception:  # noqa: BLE001 - an object of the test may do anything
        return _UNUSABLE
    return _UNUSABLE if number is None else number


def read_conditions(validators: Sequence[RawValidator], scope: Scope) -> Conditions:
    """
    Read the validators of a measurement.

    Several ranges hold together, so their intersection is the limit; where two bound
    the same side, their texts are kept as well.
    """
    kept: list[str] = []
    ranges: list[tuple[Range, str]] = []
    for validator in validators:
        text = clean(without_address(validator.text), scope, "validator")
        found = _finite(_from_bounds(validator, read_range(text)), scope)
        if found is not None:
            ranges.append((found, text))
        if found is None or not found.exact:
            scope.mapped("validator")
            kept.append(text)
    if not ranges:
        return Conditions(validators=tuple(kept))
    scope.mapped("limit")
    limits = ranges[0][0]
    for other, _ in ranges[1:]:
        if _overlap(limits, other):
            scope.coerced("limit", "several ranges combined into the narrowest")
            kept = [clean(without_address(v.text), scope, "") for v in validators]
        limits = _intersection(limits, other)
    return Conditions(limits=_limit(limits), validators=tuple(kept))


def _limit(found: Range) -> Limit:
    return Limit(
        lower=found.lower,
        upper=found.upper,
        lower_inclusive=found.lower_inclusive,
        upper_inclusive=found.upper_inclusive,
        comparator=found.comparator,
    )


def _finite(found: Range | None, scope: Scope) -> Range | None:
    """Make no bound of an infinite one, and no range of one that nothing passes."""
    if found is None or found.lower == _INFINITY or found.upper == -_INFINITY:
        return None
    rule = "infinite bound means none on that side"
    if found.lower == -_INFINITY:
        scope.coerced("limit", rule, found.lower)
        found = attrs.evolve(found, lower=None)
    if found.upper == _INFINITY:
        scope.coerced("limit", rule, found.upper)
        found = attrs.evolve(found, upper=None)
    return None if found.lower is None and found.upper is None else found


def _overlap(left: Range, right: Range) -> bool:
    return (left.lower is not None and right.lower is not None) or (
        left.upper is not None and right.upper is not None
    )


def _intersection(left: Range, right: Range) -> Range:
    lower = _narrower(left, right, "lower")
    upper = _narrower(left, right, "upper")
    return Range(
        lower=lower.lower,
        upper=upper.upper,
        lower_inclusive=lower.lower_inclusive,
        upper_inclusive=upper.upper_inclusive,
    )


def _narrower(left: Range, right: Range, side: Literal["lower", "upper"]) -> Range:
    one, other = getattr(left, side), getattr(right, side)
    if one is None or other is None:
        return right if one is None else left
    if one == other:
        inclusive = getattr(left, f"{side}_inclusive")
        return right if inclusive else left
    return left if (one > other) == (side == "lower") else right
