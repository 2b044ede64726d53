"""Arrays of numbers that stand one after the other, however many they are."""

from __future__ import annotations

from array import array

import attrs

from rigbridge_teststand.numbers import read_plain
from rigbridge_teststand.xml.element import Element

__all__ = ["Line"]

# Integers beyond this are not exact as doubles.
_EXACT = 2**53


@attrs.define
class Line:
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
        number = read_plain(slot.text or "")
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
