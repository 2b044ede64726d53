"""
The limits that nearly all are: a range of numbers, read in one go.

A report judges by the same few ranges again and again, so each is read once. Whatever
is no such range is left to :mod:`rigbridge_teststand.atml.data.limits`, which agrees
with this wherever it answers.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import attrs

from rigbridge.model import Limit
from rigbridge_teststand.atml.data.quick import quick_datum
from rigbridge_teststand.atml.names import LOCALS, elements_of
from rigbridge_teststand.comparisons import Comparison
from rigbridge_teststand.xml.element import Element

__all__ = ["Judged", "Ranges"]

_Bound: TypeAlias = tuple[str, Any, str | None]
"""Comparator, number and unit of a bound."""

_Words: TypeAlias = tuple[tuple[Any, ...], ...]
"""The attributes of each bound, and of the datum in it."""

_LOWER = {"GE": True, "GT": False}
_UPPER = {"LE": True, "LT": False}
_PAIR = ["Limit", "Limit"]
_MANY = 1_000
_NUMBERS = frozenset({int, float})


@attrs.frozen(kw_only=True)
class Judged:
    """
    What a result was judged by.

    Attributes:
        comparison: the limits and validators.
        attributes: what else the limits say, as strict JSON.
    """

    comparison: Comparison
    attributes: dict[str, Any]


class Ranges:
    """Reads the ranges of a run, and remembers them by the words that state them."""

    def __init__(self) -> None:
        self._known: dict[_Words, Judged | None] = {}

    def read(self, limits: Element) -> Judged | None:
        """Read the range that ``TestLimits`` state; None where it is anything else."""
        bounds = _bounds_of(limits)
        words = _words(bounds)
        if words is None:
            return None
        try:
            # To look twice would be to hash all the words twice.
            return self._known[words]
        except KeyError:
            judged = _judged([_bound(bound) for bound in bounds])
        if len(self._known) < _MANY:
            self._known[words] = judged
        return judged


def _bounds_of(limits: Element) -> list[Element]:
    """Give one bound or the two of a pair; nothing where there is any other shape."""
    if len(limits) != 1:
        return []
    inner = limits[0]
    if len(inner) != 1 or LOCALS[inner.tag] != "Limits":
        return []
    shape = inner[0]
    kind = LOCALS[shape.tag]
    if kind == "SingleLimit":
        return [shape]
    if kind == "LimitPair" and shape.get("operator", "AND") == "AND":
        bounds = elements_of(shape)
        if [LOCALS[bound.tag] for bound in bounds] == _PAIR:
            return bounds
    return []


def _words(bounds: list[Element]) -> _Words | None:
    """Give all that bounds say; None where there are none of a datum each."""
    words: list[tuple[Any, ...]] = []
    for bound in bounds:
        if len(bound) != 1:
            return None
        datum = bound[0]
        if len(datum) or LOCALS[datum.tag] != "Datum":
            return None
        words += tuple(bound.items()), tuple(datum.items())
    return tuple(words) or None


def _bound(element: Element) -> _Bound | None:
    comparator = element.get("comparator")
    found = quick_datum(element[0])
    if comparator is None or found is None:
        return None
    value, unit = found
    # An infinity less itself is no number.
    if type(value) not in _NUMBERS or value - value:
        return None
    return comparator, value, unit


def _judged(bounds: list[_Bound | None]) -> Judged | None:
    """Make the range of one bound or two."""
    lower = upper = None
    units: list[str] = []
    for bound in bounds:
        if bound is None:
            return None
        if bound[0] in _LOWER and lower is None:
            lower = bound
        elif bound[0] in _UPPER and upper is None:
            upper = bound
        else:
            return None
        if bound[2] is not None:
            units.append(bound[2])
    if lower is not None and upper is not None and lower[1] > upper[1]:
        return None
    limit = Limit(
        lower=None if lower is None else lower[1],
        upper=None if upper is None else upper[1],
        lower_inclusive=lower is None or _LOWER[lower[0]],
        upper_inclusive=upper is None or _UPPER[upper[0]],
        comparator="".join(side[0] for side in (lower, upper) if side is not None),
    )
    return Judged(
        comparison=Comparison(limits=limit),
        attributes={"limit_unit": units[0]} if units else {},
    )
