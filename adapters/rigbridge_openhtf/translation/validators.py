"""
The validators of a measurement: ranges become limits, the rest readable text.

OpenHTF's JSON holds validators only as the text that they print. This module reads that
text, so that ``4.5 <= x <= 5`` is a limit again. Only a range becomes a limit;
everything else stays text. A validator that says more than its range (marginal bounds,
a percentage, "all values pass") is kept as text too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import attrs

from rigbridge.model import Limit
from rigbridge_openhtf.plain_objects import without_address
from rigbridge_openhtf.raw_record import RawValidator
from rigbridge_openhtf.scope import Scope
from rigbridge_openhtf.translation.numbers import NUMBER, parse_number
from rigbridge_openhtf.translation.values import clean

__all__ = ["Conditions", "Range", "read_conditions", "read_range"]

# What InRange prints; later releases put marginal bounds between the bound and x.
_CHAIN = re.compile(
    rf"(?:(?P<lower>{NUMBER}) *(?P<left><=?) *)?"
    rf"(?P<marginal_lower>Marginal:{NUMBER} *<= *)?"
    r"x"
    rf"(?P<marginal_upper> *<= *Marginal:{NUMBER})?"
    rf"(?: *(?P<right><=?) *(?P<upper>{NUMBER}))?",
    re.IGNORECASE,
)
# OpenHTF prints no > itself, but validators of authors may.
_REVERSED = re.compile(
    rf"(?:(?P<upper>{NUMBER}) *(?P<right>>=?) *)?x"
    rf"(?: *(?P<left>>=?) *(?P<lower>{NUMBER}))?",
    re.IGNORECASE,
)
# What InRange prints where its bounds are equal.
_EQUAL = re.compile(rf"x *== *({NUMBER})", re.IGNORECASE)
_PERCENT = re.compile(
    rf"'x' is within (?P<percent>{NUMBER})% of (?P<expected>{NUMBER})\."
    r"(?: Marginal: .*)?",
    re.IGNORECASE,
)
# The validator of dimensions puts this before the text of the one that it applies.
_EVERY = "All values pass: "
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
        validators: the text of those that are not, or not only, that range.
    """

    limits: Limit | None = None
    validators: tuple[str, ...] = ()


# A test has the same few limits again and again.
@lru_cache(maxsize=1024)
def read_range(text: str) -> Range | None:
    """Read the text of a validator as a range; None where it is none."""
    text = text.strip()
    if text.startswith(_EVERY):
        inner = read_range(text.removeprefix(_EVERY))
        return None if inner is None else attrs.evolve(inner, exact=False)
    if match := _EQUAL.fullmatch(text):
        number = parse_number(match[1])
        return Range(lower=number, upper=number, comparator="==")
    if match := _CHAIN.fullmatch(text) or _REVERSED.fullmatch(text):
        found = match.groupdict()
        # The patterns also match a bare "x".
        if found["lower"] is None and found["upper"] is None:
            return None
        return Range(
            lower=parse_number(found["lower"] or ""),
            upper=parse_number(found["upper"] or ""),
            lower_inclusive=found["left"] not in ("<", ">"),
            upper_inclusive=found["right"] not in ("<", ">"),
            exact=not (found.get("marginal_lower") or found.get("marginal_upper")),
        )
    if match := _PERCENT.fullmatch(text):
        return _percentage(match["expected"], match["percent"])
    return None


def _percentage(expected_text: str, percent_text: str) -> Range | None:
    expected, percent = parse_number(expected_text), parse_number(percent_text)
    if expected is None or percent is None:
        return None
    width = abs(expected * percent / 100.0)
    lower, upper = expected - width, expected + width
    # An infinite percentage of nothing is no number.
    if lower != lower or upper != upper:  # noqa: PLR0124 - the test for NaN
        return None
    return Range(lower=lower, upper=upper, exact=False)


def _applied(validator: RawValidator, printed: Range | None) -> Range | None:
    """Prefer the bounds that the object applies to those that it prints."""
    if validator.bounds is None:
        return printed
    try:
        lower, upper = (_bound(bound) for bound in validator.bounds)
    except Exception:  # noqa: BLE001 - an object of the test may do anything
        return printed
    if lower is None and upper is None:
        return printed
    if printed is not None and (printed.lower, printed.upper) == (lower, upper):
        return printed
    # A subclass of InRange that prints itself in words: the words are kept too.
    return Range(lower=lower, upper=upper, exact=False)


def _bound(bound: object) -> float | int | None:
    """
    Read a bound of a live validator.

    Raises:
        ValueError: it is no number.
    """
    if bound is None:
        return None
    # As OpenHTF prints it, so that its JSON gives the same bound.
    number = None if isinstance(bound, bool) else parse_number(f"{bound}")
    if number is None:
        raise ValueError("is no number")
    return number


def read_conditions(validators: Sequence[RawValidator], scope: Scope) -> Conditions:
    """
    Read the validators of a measurement.

    All of them must pass, so the limit is the intersection of their ranges. Where two
    bound the same side, their texts are kept as well.
    """
    kept: list[str] = []
    ranges: list[Range] = []
    for validator in validators:
        text = clean(without_address(validator.text), scope, "validator")
        found = _finite(_applied(validator, read_range(text)), scope)
        if found is not None:
            ranges.append(found)
        if found is None or not found.exact:
            scope.mapped("validator")
            kept.append(text)
    if not ranges:
        return Conditions(validators=tuple(kept))
    scope.mapped("limit")
    limits = ranges[0]
    for other in ranges[1:]:
        if _overlap(limits, other):
            scope.coerced("limit", "several ranges combined into the narrowest")
            kept = [clean(without_address(v.text), scope, "") for v in validators]
        limits = _intersection(limits, other)
    limit = Limit(
        lower=limits.lower,
        upper=limits.upper,
        lower_inclusive=limits.lower_inclusive,
        upper_inclusive=limits.upper_inclusive,
        comparator=limits.comparator,
    )
    return Conditions(limits=limit, validators=tuple(kept))


def _finite(found: Range | None, scope: Scope) -> Range | None:
    """Drop infinite bounds, and a range that no value passes."""
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
    """Give the range whose bound on a side lets less pass."""
    one, other = getattr(left, side), getattr(right, side)
    if one is None or other is None:
        return right if one is None else left
    if one == other:
        # Of equal bounds the exclusive one is narrower.
        inclusive = getattr(left, f"{side}_inclusive")
        return right if inclusive else left
    return left if (one > other) == (side == "lower") else right
