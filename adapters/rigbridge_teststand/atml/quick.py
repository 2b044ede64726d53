"""
The data that nearly every value of a report is spelled as, read in one go.

To read an attribute costs as much as some lines of Python, to call a function likewise,
and a report has thousands of data. So this looks at all attributes of a datum at once,
knows the few sets of them that occur, and answers only for what needs nothing else: a
number, a text or a boolean without a unit, as TestStand writes it. For all else it
gives `OTHER`, and :mod:`rigbridge_teststand.atml.values` reads it properly; the two
agree wherever both answer.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from rigbridge_teststand.atml.kinds import KINDS, TYPE
from rigbridge_teststand.atml.names import LOCALS
from rigbridge_teststand.element import Element

__all__ = ["OTHER", "quick_number", "quick_value"]


class _Other(Enum):
    OTHER = 0


OTHER = _Other.OTHER
"""What is no quick answer."""

_VALUE = "value"
_FLAGS = "flags"
_BOOLEANS = {"true": True, "false": False}

# Where type and value stand, by the names of all attributes; -1 where no value does.
_LAYOUTS: dict[tuple[str, ...], tuple[int, int]] = {
    names: (names.index(TYPE), names.index(_VALUE) if _VALUE in names else -1)
    for names in (
        (_VALUE, TYPE, _FLAGS),
        (TYPE, _VALUE, _FLAGS),
        (TYPE, _FLAGS, _VALUE),
        (TYPE, _VALUE),
        (_VALUE, TYPE),
        (TYPE, _FLAGS),
        (_FLAGS, TYPE),
        (TYPE,),
    )
}


def quick_value(datum: Element) -> Any:
    """Give the value of a datum that says nothing else, or `OTHER`."""
    # lxml gives texts alone, whatever its type hints say.
    names: Any = datum.keys()
    layout = _LAYOUTS.get(tuple(names))
    if layout is None:
        return OTHER
    given: Any = datum.values()
    kind = KINDS[given[layout[0]]]
    if layout[1] < 0:
        return _inner(datum) if kind == "string" else OTHER
    if len(datum):
        return OTHER
    text: str = given[layout[1]]
    if kind == "double":
        return quick_number(text)
    return _BOOLEANS.get(text, OTHER) if kind == "boolean" else OTHER


def _inner(datum: Element) -> Any:
    """Give the text of a datum that holds a ``Value`` and nothing else."""
    if len(datum) != 1:
        return OTHER
    value = datum[0]
    return (
        (value.text or "") if LOCALS[value.tag] == "Value" and not len(value) else OTHER
    )


def quick_number(text: str) -> Any:
    """Give a number that is spelled as most are, or `OTHER`."""
    try:
        if "." in text:
            return float(text)
        return int(text) if text.isdecimal() else OTHER
    except ValueError:
        return OTHER
