"""The members of an ``IndexedArray`` by their positions."""

from __future__ import annotations

import re
from array import array
from typing import Any

from rigbridge.model import JSONValue, Scalar
from rigbridge_teststand.arrays import Cells, fill_gaps
from rigbridge_teststand.atml.account import RunAccount
from rigbridge_teststand.atml.data.data_types import (
    QUALITY,
    TYPE_ATTRIBUTES,
    data_type_of,
    inner_text,
    read_typed,
)
from rigbridge_teststand.atml.data.units import UNIT_ATTRIBUTES, unit_of
from rigbridge_teststand.atml.forms import Form, record_unread
from rigbridge_teststand.atml.local_names import (
    LOCAL_NAMES,
    attribute,
    attributes_of,
    child_elements,
)
from rigbridge_teststand.numbers import parse_plain
from rigbridge_teststand.xml.elements import Element

__all__ = ["ARRAY", "IndexedArray", "is_of_collections", "read_early", "spelled"]

_INTEGER = re.compile(r"-?\d+")
# As many digits as a size can have; int() of thousands of digits takes long.
_DIGITS = 18
_INT64 = 1 << 63
# Nearly all members have just these, in this order.
_PLAIN = ["position", "value"]
_MEMBER = Form(
    attributes=frozenset({"position", "value", "real", "imaginary"})
    | UNIT_ATTRIBUTES
    | TYPE_ATTRIBUTES,
    children={"Value": Form(has_text=True), "Item": None},
    once=frozenset({"Value"}),
    has_text=True,
    unless=frozenset({"value", "Value"}),
)
ARRAY = Form(
    attributes=frozenset({"dimensions", "lowerBounds", "upperBounds"})
    | UNIT_ATTRIBUTES
    | TYPE_ATTRIBUTES,
    # The members are searched one by one, while they are read.
    children={**QUALITY, "Element": None, "DefaultElementValue": _MEMBER},
    once=frozenset({"DefaultElementValue"}),
)
"""What is read of an ``IndexedArray``."""

_NUMBERS = frozenset({"double", "float", "decimal"})
_COMPLEX = "complex"


def is_of_collections(element: Element) -> bool:
    """Tell whether the members of an array are collections, and no values."""
    return data_type_of(element) == "CollectionArray" or any(
        LOCAL_NAMES[below.tag] == "Item"
        for member in child_elements(element)[:1]
        for below in member
    )


class IndexedArray:
    """
    The members of an array.

    Attributes:
        unit: the unit of the members; None where they have none, or differ in it.
        details: what else is said of them: further units, the units of single members.
        is_complex: whether each has a real and an imaginary part.

    Args:
        element: the ``IndexedArray``.
        account: takes an entry for a member that does not fit.
    """

    def __init__(self, element: Element, account: RunAccount) -> None:
        self._array = element
        self._account = account
        self._kind = data_type_of(element).removesuffix("Array")
        self.is_complex = self._kind == _COMPLEX
        self._default: Element | None = None
        self._members: list[tuple[str, str | None, Element]] = []
        # Numbers that were read while the file was parsed come before the members that
        # are left.
        self._early = account.numbers.pop(element, None)
        self.details: dict[str, JSONValue] = {}
        self.unit = unit_of(attributes_of(element), self.details)
        units: dict[str, JSONValue] = {}
        for below in child_elements(element):
            name = LOCAL_NAMES[below.tag]
            if name == "Element":
                if _is_plain(below):
                    position, text = below.values()
                    self._members.append((str(position), str(text), below))
                else:
                    self._members.append(self._unusual(below, units))
            elif name == "DefaultElementValue" and self._default is None:
                self._default = below
        if units:
            self._keep_units(units)

    def _unusual(
        self, member: Element, units: dict[str, JSONValue]
    ) -> tuple[str, str | None, Element]:
        """Read a member with more than its position and value."""
        record_unread(member, _MEMBER, self._account)
        given = attributes_of(member)
        text = given.get("value")
        if text is None:
            text = inner_text(member)
        position = given.get("position", "")
        more: dict[str, JSONValue] = {}
        if (unit := unit_of(given, more)) is not None:
            units[position] = unit
        for name, detail in more.items():
            self.details[f"{name}{position}"] = detail
        return position, text, member

    def _keep_units(self, units: dict[str, JSONValue]) -> None:
        """Take the unit of the members where all have the same; else keep each."""
        stated = {str(unit) for unit in units.values()}
        of_all = len(units) == len(self._members) and not self._early
        if len(stated) == 1 and of_all and not self.unit:
            self.unit = stated.pop()
        else:
            self.details["member_units"] = units

    def line(self) -> list[Scalar] | None:
        """Give the values of a list that is complete and in order; else None."""
        if self._default is not None or self.is_complex:
            return None
        begin = 0 if self._early is None else len(self._early)
        if not self._members and not begin:
            return None
        for index, (position, _, _) in enumerate(self._members, begin):
            if position != f"[{index}]":
                # Out of order, or with gaps: placed one by one instead.
                return None
        kind, account = self._kind, self._account
        early: list[Scalar] = [] if self._early is None else list(self._early)
        return early + [
            read_typed(kind, text, item, account) for _, text, item in self._members
        ]

    def cells(self, part: str | None = None) -> Cells:
        """
        Place every member by its position.

        Args:
            part: the part of complex numbers, an attribute; else None.
        """
        dimensions = _INTEGER.findall(attribute(self._array, "dimensions") or "")
        placed: dict[tuple[int, ...], Scalar] = {}
        for index, number in enumerate(self._early or ()):
            placed[index,] = number
        for listed, (spelled, text, element) in enumerate(self._members, len(placed)):
            # Without a position a member stands where it is listed.
            position = self._position(spelled, element) or (listed,)
            if position in placed:
                self._account.dropped(
                    "array member", "repeats a position", element, text
                )
                continue
            placed[position] = self._value(text, element, part)
        # The declared dimensions may contradict the members, which count.
        rank = max(map(len, placed), default=len(dimensions) or 1)
        for position in [key for key in placed if len(key) != rank]:
            self._account.dropped(
                "array member",
                "has a position of another shape",
                self._array,
                f"{position} = {placed[position]!r}",
            )
            del placed[position]
        if self._default is not None:
            self._fill(self._default, list(map(_size, dimensions)), rank, placed, part)
        if rank == 1:
            placed = fill_gaps(placed)
        return Cells(rank=rank, members=placed)

    def _value(self, text: str | None, element: Element, part: str | None) -> Scalar:
        if part is not None:
            return read_typed("double", element.get(part), element, self._account)
        if self.is_complex:
            real = attribute(element, "real") or "0"
            imaginary = attribute(element, "imaginary") or "0"
            sign = "" if imaginary.startswith("-") else "+"
            return f"{real}{sign}{imaginary}i"
        return read_typed(self._kind, text, element, self._account)

    def _position(self, spelled: str, element: Element) -> tuple[int, ...]:
        try:
            return tuple(map(int, _INTEGER.findall(spelled)))
        except ValueError:  # more digits than Python takes for an integer
            self._account.coerced("array member", "no position, as listed", element)
            return ()

    def _fill(
        self,
        default: Element,
        sizes: list[int],
        rank: int,
        placed: dict[tuple[int, ...], Scalar],
        part: str | None,
    ) -> None:
        """Give the members that are not listed the default that the array states."""
        text = default.get("value")
        if text is None:
            text = inner_text(default)
        value = self._value(text, default, part)
        # The stated size is the file's word alone; it is never trusted far.
        most = 2 * len(placed) + 64
        total = 1
        for size in sizes:
            total *= size
        if len(sizes) != rank or total > most:
            self.details["default"] = spelled(value)
        if len(sizes) != rank or (rank > 1 and total > most):
            return
        for number in range(min(total, most)):
            rest = number
            position: tuple[int, ...] = ()
            for size in sizes[::-1]:
                rest, index = divmod(rest, size)
                position = (index, *position)
            placed.setdefault(position, value)


def spelled(value: Any) -> Any:
    """Give a value for strict JSON: a number that is not finite as text."""
    if isinstance(value, float) and value - value != 0:
        return str(value)
    return value


def _size(text: str) -> int:
    return abs(int(text[:_DIGITS]))


def _is_plain(member: Element) -> bool:
    """Tell whether a member has a position and a value, and nothing else."""
    return (
        member.keys() == _PLAIN
        and not len(member)
        and not (member.text or member.tail)
        and LOCAL_NAMES[member.tag] == "Element"
    )


def read_early(element: Element, account: RunAccount) -> int:
    """
    Read the plain numbers at the beginning of an array that is still being parsed.

    The caller removes them, so that an array of any size takes the memory of its
    numbers. What is no plain number stays, and is read when the array is complete.

    Args:
        element: the ``IndexedArray``, whose last child may not be complete.

    Returns:
        How many of its first children were read. All of them have one tag.
    """
    if data_type_of(element).removesuffix("Array") not in _NUMBERS:
        return 0
    members = child_elements(element)[:-1]
    before = account.numbers.get(element)
    numbers: Any = array("q") if before is None else before
    done = 0
    for member in members:
        if not _is_plain(member) or member.tag != members[0].tag:
            break
        position, text = map(str, member.values())
        number = parse_plain(text) if position == f"[{len(numbers)}]" else None
        if number is None or (type(number) is int and abs(number) >= _INT64):
            break
        # The first fraction turns the whole array into doubles.
        if type(number) is float and numbers.typecode == "q":
            numbers = array("d", numbers)
        numbers.append(number)
        done += 1
    if done:
        account.numbers[element] = numbers
    return done
