"""
Bounds of a value to a range, or to conditions as text.

The comparator of a bound tells whether it is the lower one; their order does not. A
pair under ``OR`` is an outside range, and becomes a validator.
"""

from __future__ import annotations

from functools import partial
from typing import TypeGuard

import attrs

from rigbridge.model import JSONValue, Scalar
from rigbridge_teststand.atml.account import RunAccount
from rigbridge_teststand.atml.data.indexed_arrays import spelled
from rigbridge_teststand.atml.local_names import all_text, version_of
from rigbridge_teststand.comparisons import Comparison, compare_numbers
from rigbridge_teststand.numbers import read_number
from rigbridge_teststand.xml.elements import Element

__all__ = ["LOWER", "BoundComparer", "LimitBound", "is_number", "number_in", "text_in"]

LOWER = frozenset({"GT", "GE"})
"""The comparators of a lower bound."""

_UPPER = frozenset({"LT", "LE"})
# The order of the two bounds of an outside range: below the low one, then above.
_OPPOSITE_FIRST = {"LT": 0, "LE": 0, "GT": 1, "GE": 1}
_TEXTS = {
    "EQ": "x == {}",
    "NE": "x != {}",
    "CIEQ": "x == {}, ignoring case",
    "CINE": "x != {}, ignoring case",
    "REGULAREXPRESSIONCASESENSITIVE": "x matches {}",
    "REGULAREXPRESSIONIGNORECASE": "x matches {}, ignoring case",
}
_OPERATORS = {"GT": ">", "GE": ">=", "LT": "<", "LE": "<="}


@attrs.frozen(kw_only=True)
class LimitBound:
    """
    A value to compare with.

    Attributes:
        comparator: how, as the report spells it; may be empty.
        value: the value, or None where none is stated.
    """

    comparator: str
    value: Scalar


class BoundComparer:
    """Makes comparisons of bounds."""

    def __init__(self, attributes: dict[str, JSONValue], account: RunAccount) -> None:
        self._attributes = attributes
        self._account = account

    def pair(
        self, element: Element, operator: str, bounds: list[LimitBound]
    ) -> Comparison:
        """Read a pair of plain bounds."""
        if not bounds or any(bound.value is None for bound in bounds):
            return self._without_bounds(element)
        if not all(is_number(bound.value) for bound in bounds):
            return self._as_text(element, bounds)
        if operator == "OR":
            return self._outside(element, bounds)
        return self._inside(element, bounds)

    def single(self, element: Element, bound: LimitBound) -> Comparison:
        """Read one bound, on the side that its comparator says."""
        comp = bound.comparator.upper()
        if bound.value is None:
            return self._without_bounds(element)
        # TestStand writes no comparator if the step was forced to pass or fail.
        if not comp:
            return self._unjudged(element, [bound])
        if comp.startswith("REGULAREXPRESSION") or not is_number(bound.value):
            return self._as_text(element, [bound])
        self._account.mapped["limit"] += 1
        return compare_numbers(
            # CIEQ compares texts without case; of numbers that is plain equality.
            "NE" if comp == "CINE" else "EQ" if comp == "CIEQ" else bound.comparator,
            number_in(bound.value),
            None,
            report=self._account.report,
            place=partial(self._account.place, element),
        )

    def _as_text(self, element: Element, bounds: list[LimitBound]) -> Comparison:
        validators: list[str] = []
        for bound in bounds:
            comp = bound.comparator.upper()
            shown = repr(bound.value)
            if comp.startswith("REGULAREXPRESSION"):
                shown = f"/{bound.value}/"
            if comp in _TEXTS:
                doubt = self._doubt(element) if isinstance(bound.value, str) else ""
                validators.append(_TEXTS[comp].format(shown) + doubt)
            elif comp in _OPERATORS:
                validators.append(f"x {_OPERATORS[comp]} {shown}")
            elif comp:
                self._account.coerced(
                    "comparator",
                    "unknown, kept as text",
                    element,
                    bound.comparator,
                )
                validators.append(f"{bound.comparator} {shown}")
            else:
                return self._unjudged(element, bounds)
        self._account.mapped["limit"] += 1
        return Comparison(validators=tuple(validators))

    def _doubt(self, element: Element) -> str:
        """Note the doubt about case that is in the oldest version."""
        if version_of(element.tag) != "2.02":
            return ""
        rule = "ATML 2.02 does not say whether case counts"
        self._account.coerced("comparator", rule, element)
        return ", perhaps ignoring case"

    def _unjudged(self, element: Element, bounds: list[LimitBound]) -> Comparison:
        """Keep the bounds of a step that was forced to its verdict."""
        self._account.mapped["limit"] += 1
        self._account.coerced(
            "limit",
            "no comparator, bounds kept as attributes",
            element,
        )
        self._attributes["unused_limits"] = [spelled(bound.value) for bound in bounds]
        return Comparison()

    def _inside(self, element: Element, bounds: list[LimitBound]) -> Comparison:
        lower = [bound for bound in bounds if bound.comparator.upper() in LOWER]
        upper = [bound for bound in bounds if bound.comparator.upper() in _UPPER]
        # Two lower bounds make no range: both are kept as text.
        if len(lower) + len(upper) != len(bounds) or len(lower) > 1 or len(upper) > 1:
            return self._as_text(element, bounds)
        comp = "".join(bound.comparator.upper() for bound in (*lower, *upper))
        if not comp:
            return Comparison()
        self._account.mapped["limit"] += 1
        if not lower:
            return compare_numbers(
                comp,
                number_in(upper[0].value),
                None,
                report=self._account.report,
                place=partial(self._account.place, element),
            )
        return compare_numbers(
            comp,
            number_in(lower[0].value),
            number_in(upper[0].value) if upper else None,
            report=self._account.report,
            place=partial(self._account.place, element),
        )

    def _outside(self, element: Element, bounds: list[LimitBound]) -> Comparison:
        ordered = sorted(
            bounds,
            key=lambda bound: _OPPOSITE_FIRST.get(bound.comparator.upper(), 2),
        )
        comps = [bound.comparator.upper() for bound in ordered]
        if [_OPPOSITE_FIRST.get(comp) for comp in comps] != [0, 1]:
            # Two bounds that are no outside range.
            return self.joined_by("or", element, bounds)
        self._account.mapped["limit"] += 1
        return compare_numbers(
            "".join(comps),
            number_in(ordered[0].value),
            number_in(ordered[1].value),
            report=self._account.report,
            place=partial(self._account.place, element),
        )

    def joined_by(
        self, word: str, element: Element, bounds: list[LimitBound]
    ) -> Comparison:
        """Keep bounds that make no range as one text."""
        shown = self._as_text(element, bounds)
        return Comparison(validators=(f" {word} ".join(shown.validators),))

    def _without_bounds(self, element: Element) -> Comparison:
        """Record limits without a value to compare with."""
        self._account.dropped(
            "limit", "holds no bound", element, text_in(element) or None
        )
        return Comparison()


def number_in(value: Scalar) -> float | None:
    """Give a value as a number; None where it is none."""
    if isinstance(value, str):
        return read_number(value)
    return value if is_number(value) else None


def is_number(value: object) -> TypeGuard[float]:
    """Tell whether a value is a number, and no boolean."""
    # A truth value is an int in Python.
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def text_in(element: Element) -> str:
    """Give all text in an element, with single blanks."""
    return " ".join(all_text(element).split())
