"""
The incomplete results of a large report that is read while it is parsed.

Its innermost result list or array has no end yet; all elements before are complete.
"""

from __future__ import annotations

from array import array

import attrs

from rigbridge_teststand.native.execution_data import (
    COMMON_PROPERTIES,
    CONTAINERS,
    RESULTS,
)
from rigbridge_teststand.native.properties import child_named
from rigbridge_teststand.numbers import parse_plain
from rigbridge_teststand.xml.elements import Element

__all__ = [
    "CUT_OFF",
    "NumberArray",
    "holds_result",
    "is_result",
    "partial_number_array",
    "partial_result_list",
]

CUT_OFF = "CutOff"
"""The attribute that marks a result whose end is missing in the file."""

_RESULT = "Prop[@Type='TEResult']"
_RESULT_BELOW = f".//Value/{_RESULT}"

# From a result to its list: TS, a container such as SequenceCall, ResultList.
_DEPTH = 3
# What a result holds that is no additional result.
_NOT_ADDITIONAL = COMMON_PROPERTIES | {
    "Limits",
    "RawLimits",
    "Measurement",
    "Numeric",
    "String",
    "PassFail",
}


def holds_result(element: Element) -> bool:
    """Tell whether an array below an element holds results."""
    return element.find(_RESULT_BELOW) is not None


def is_result(member: Element) -> bool:
    """Tell whether an array element holds a result, directly or further down."""
    return member.find(_RESULT) is not None or holds_result(member)


def partial_result_list(result: Element) -> tuple[str, Element] | None:
    """
    Find the result list of a partial result, if the parser is inside of it.

    Returns:
        The name of its container and the list, if the list is the last element that
        was parsed and has members.
    """
    path: list[str] = []
    below = result
    for _ in range(_DEPTH):
        if not len(below):
            return None
        parent, below = below, below[-1]
        name = below.get("Name")
        # Of several of one name only the first is read.
        if name is None or child_named(parent, name) is not below:
            return None
        path.append(name)
    engine, container, results = path
    if engine != "TS" or container not in CONTAINERS or results != RESULTS:
        return None
    return (container, below) if below.find("Value") is not None else None


def partial_number_array(result: Element) -> Element | None:
    """Find the array of numbers that the parser is inside of."""
    if not len(result) or result[-1].get("Name") in _NOT_ADDITIONAL:
        return None
    below = result
    while len(below):
        below = below[-1]
        if below.tag not in ("Prop", "Value"):
            return None
        if below.get("Type") == "Array" and below.get("ElementType") == "Number":
            return below
    return None


# Integers beyond this are not exact as doubles.
_EXACT = 2**53


@attrs.define
class NumberArray:
    """
    The numbers of an array, in nine bytes each.

    It takes the members of nearly all arrays: numbered from 0 without a gap, each a
    number in plain spelling.

    Attributes:
        integers: 1 for each integer, 0 for each float.
    """

    values: array[float] = attrs.field(factory=lambda: array("d"))
    integers: bytearray = attrs.field(factory=bytearray)

    def take(self, slot: Element) -> bool:
        """Add a member; False if it is of another kind, and must be read otherwise."""
        if slot.get("ID") != f"[{len(self.values)}]":
            return False
        # What else it holds would be gone with it.
        if len(slot) or slot.tail is not None or len(slot.keys()) != 1:
            return False
        number = parse_plain(slot.text or "")
        if number is None or (type(number) is int and abs(number) > _EXACT):
            return False
        self.values.append(number)
        self.integers.append(type(number) is int)
        return True

    def shorten(self, length: int) -> None:
        """Keep only the first numbers."""
        del self.values[length:]
        del self.integers[length:]

    def members(self) -> list[float | int]:
        """Give each number as spelled: an integer or a float."""
        return [
            int(value) if is_integer else value
            for value, is_integer in zip(self.values, self.integers, strict=True)
        ]

    def compact(self) -> array[float] | array[int]:
        """Give all numbers as one type: float if any of them is."""
        if 0 in self.integers:
            return self.values
        return array("q", map(int, self.values))
