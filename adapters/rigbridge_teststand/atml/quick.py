"""
The data and limits that nearly all of a report are spelled as, read in one go.

To read an attribute costs as much as some lines of Python, to call a function likewise,
and a report has thousands of data. So this looks at all attributes of a datum at once,
knows the sets of them that occur, and answers only for what needs nothing else: a
number, a text or a boolean with its unit, and ranges of such numbers. For all else it
gives None; then :mod:`rigbridge_teststand.atml.values` and
:mod:`rigbridge_teststand.atml.limits` read it properly. They agree with this wherever
it answers.
"""

from __future__ import annotations

from sys import intern
from typing import Any, TypeAlias

from rigbridge.model import Limit
from rigbridge_teststand.atml.kinds import KINDS, TYPE
from rigbridge_teststand.atml.names import LOCALS
from rigbridge_teststand.element import Element

__all__ = ["quick_datum", "quick_limit"]

_Layout: TypeAlias = tuple[int, int, int] | None
"""Where type, value and unit stand among the attributes; -1 for none."""

_UNITS = ("unit", "nonStandardUnit", "standardUnit")
_PLAIN = frozenset({TYPE, "value", "flags", *_UNITS})
_BOOLEANS = {"true": True, "false": False}
_LOWER = {"GE": True, "GT": False}
_UPPER = {"LE": True, "LT": False}
_MANY = 1_000
_SHORT = 64
_TWO = 2
_NUMBERS = frozenset({int, float})


class _Layouts(dict[tuple[str, ...], _Layout]):
    """The layout by the names of all attributes; None where there is more to them."""

    def __missing__(self, names: tuple[str, ...]) -> _Layout:
        layout: _Layout = None
        units = [at for at, name in enumerate(names) if name in _UNITS]
        if TYPE in names and _PLAIN.issuperset(names) and len(units) <= 1:
            value = names.index("value") if "value" in names else -1
            layout = (names.index(TYPE), value, units[0] if units else -1)
        if len(self) < _MANY:  # a file may invent names without end
            self[names] = layout
        return layout


_LAYOUTS = _Layouts()


def quick_datum(datum: Element) -> tuple[Any, str | None] | None:
    """Give the value and unit of a datum that says nothing else."""
    # lxml gives texts alone, whatever its type hints say.
    names: Any = datum.keys()
    layout = _LAYOUTS[tuple(names)]
    if layout is None:
        return None
    given: Any = datum.values()
    type_at, value_at, unit_at = layout
    kind = KINDS[given[type_at]]
    unit = (given[unit_at].strip() or None) if unit_at >= 0 else None
    if value_at < 0:
        return _text(datum, unit) if kind == "string" else None
    text: str = given[value_at]
    if len(datum):
        return None
    if kind == "double":
        return _number(text, unit)
    if kind == "boolean" and text in _BOOLEANS:
        return _BOOLEANS[text], unit
    return None


def _text(datum: Element, unit: str | None) -> tuple[Any, str | None] | None:
    """Give the text of a datum that holds a ``Value`` and nothing else."""
    if len(datum) != 1:
        return None
    value = datum[0]
    if LOCALS[value.tag] != "Value" or len(value):
        return None
    text = value.text or ""
    return (intern(text) if len(text) < _SHORT else text), unit


def _number(text: str, unit: str | None) -> tuple[Any, str | None] | None:
    try:
        if "." in text:
            return float(text), unit
        return (int(text), unit) if text.isdecimal() else None
    except ValueError:
        return None


def quick_limit(limits: Element) -> tuple[Limit, str | None] | None:
    """Give the range that ``TestLimits`` state, and its unit."""
    if len(limits) != 1 or LOCALS[limits[0].tag] != "Limits" or len(limits[0]) != 1:
        return None
    shape = limits[0][0]
    kind = LOCALS[shape.tag]
    if kind == "SingleLimit":
        return _single(shape)
    return _pair(shape) if kind == "LimitPair" else None


def _single(shape: Element) -> tuple[Limit, str | None] | None:
    bound = _bound(shape)
    if bound is None:
        return None
    comparator, value, unit = bound
    if comparator in _LOWER:
        inclusive = _LOWER[comparator]
        limit = Limit(lower=value, lower_inclusive=inclusive, comparator=comparator)
        return limit, unit
    if comparator in _UPPER:
        inclusive = _UPPER[comparator]
        limit = Limit(upper=value, upper_inclusive=inclusive, comparator=comparator)
        return limit, unit
    return None


def _pair(shape: Element) -> tuple[Limit, str | None] | None:
    if len(shape) != _TWO or shape.get("operator", "AND") != "AND":
        return None
    if LOCALS[shape[0].tag] != "Limit" or LOCALS[shape[1].tag] != "Limit":
        return None
    lower, upper = _bound(shape[0]), _bound(shape[1])
    if lower is None or upper is None:
        return None
    unit = lower[2] if lower[2] is not None else upper[2]
    if lower[0] in _UPPER:
        lower, upper = upper, lower
    if lower[0] not in _LOWER or upper[0] not in _UPPER or lower[1] > upper[1]:
        return None
    limit = Limit(
        lower=lower[1],
        upper=upper[1],
        lower_inclusive=_LOWER[lower[0]],
        upper_inclusive=_UPPER[upper[0]],
        comparator=lower[0] + upper[0],
    )
    return limit, unit


def _bound(element: Element) -> tuple[str, Any, str | None] | None:
    """Give comparator, number and unit of a bound."""
    comparator = element.get("comparator")
    if comparator is None or len(element) != 1 or LOCALS[element[0].tag] != "Datum":
        return None
    found = quick_datum(element[0])
    if found is None or type(found[0]) not in _NUMBERS or found[0] - found[0]:
        return None
    return comparator, found[0], found[1]
