"""
What still grows of a large report that is read while it is parsed.

The ends of its innermost list of steps, or of its innermost array, are missing; all
that stands before them is complete.
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
    "NumberArray",
    "holds_result",
    "is_result",
    "partial_number_array",
    "partial_result_list",
]

_RESULT = "Prop[@Type='TEResult']"
_RESULT_BELOW = f".//Value/{_RESULT}"

# From a result to its list: its engine's bookkeeping, a container, the list.
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
    """Tell whether results stand in an array below an element."""
    return element.find(_RESULT_BELOW) is not None


def is_result(member: Element) -> bool:
    """Tell whether a member of an array holds a result, or one stands below it."""
    return member.find(_RESULT) is not None or holds_result(member)


def partial_result_list(result: Element) -> tuple[str, Element] | None:
    """
    Find the list of a result that is still partial.

    Returns:
        The name of its container and the list, if that is the last that was read of
        the result and holds members already.
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
    """Find the array of numbers that a partial result ends with."""
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

    It takes what nearly all arrays are made of: members numbered from 0 on without a
    gap, each a number in plain spelling.

    Attributes:
        values: the numbers.
        integers: for each whether it is an integer.
    """

    values: array[float] = attrs.field(factory=lambda: array("d"))
    integers: bytearray = attrs.field(factory=bytearray)

    def take(self, slot: Element) -> bool:
        """Add a member, and tell whether it is one that can be added."""
        if slot.get("ID") != f"[{len(self.values)}]":
            return False
        number = parse_plain(slot.text or "")
        if number is None or (type(number) is int and abs(number) > _EXACT):
            return False
        self.values.append(number)
        self.integers.append(type(number) is int)
        return True

    def shorten(self, length: int) -> None:
        """Forget all but the first ones."""
        del self.values[length:]
        del self.integers[length:]

    def members(self) -> list[float | int]:
        """Give each number as it was spelled, with a point or without."""
        return [
            int(value) if is_integer else value
            for value, is_integer in zip(self.values, self.integers, strict=True)
        ]

    def compact(self) -> array[float] | array[int]:
        """Give all of one kind: integers among floats are floats as well."""
        if 0 in self.integers:
            return self.values
        return array("q", map(int, self.values))
