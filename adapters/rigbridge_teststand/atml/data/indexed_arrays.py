"""The members of an ``IndexedArray`` by their positions."""

from __future__ import annotations

import re

from rigbridge.model import Scalar
from rigbridge_teststand.arrays import Cells, fill_gaps
from rigbridge_teststand.atml.account import RunAccount
from rigbridge_teststand.atml.data.data_types import (
    data_type_of,
    inner_text,
    read_typed,
)
from rigbridge_teststand.atml.local_names import LOCAL_NAMES, attribute
from rigbridge_teststand.xml.elements import Element

__all__ = ["IndexedArray"]

_INTEGER = re.compile(r"-?\d+")
_DIGITS = 18


class IndexedArray:
    """
    The members of an array.

    Args:
        array: the ``IndexedArray``.
        account: takes an entry for a member that does not fit.
    """

    def __init__(self, array: Element, account: RunAccount) -> None:
        self._array = array
        self._account = account
        self._kind = data_type_of(array).removesuffix("Array")
        self._default: Element | None = None
        self._members: list[tuple[str, str | None, Element]] = []
        for element in array:
            name = LOCAL_NAMES[element.tag]
            if name == "Element":
                text = element.get("value")
                if text is None:
                    text = inner_text(element)
                self._members.append((element.get("position") or "", text, element))
            elif name == "DefaultElementValue" and self._default is None:
                self._default = element

    def line(self) -> list[Scalar] | None:
        """Give the values of a list that is complete and in order; else None."""
        if self._default is not None or not self._members:
            return None
        for index, (position, _, _) in enumerate(self._members):
            if position != f"[{index}]":
                return None
        kind, account = self._kind, self._account
        return [
            read_typed(kind, text, item, account) for _, text, item in self._members
        ]

    def cells(self) -> Cells:
        """Place every member by its position."""
        dimensions = _INTEGER.findall(attribute(self._array, "dimensions") or "")
        placed: dict[tuple[int, ...], Scalar] = {}
        for listed, (spelled, text, element) in enumerate(self._members):
            position = self._position(spelled, element) or (listed,)
            if position in placed:
                self._account.dropped("array member", "repeats a position", element)
                continue
            placed[position] = read_typed(self._kind, text, element, self._account)
        # The declared dimensions may contradict the members, which count.
        rank = max(map(len, placed), default=len(dimensions) or 1)
        for position in [key for key in placed if len(key) != rank]:
            self._account.dropped(
                "array member",
                "has a position of another shape",
                self._array,
                str(position),
            )
            del placed[position]
        if self._default is not None and rank == 1 and len(dimensions) == 1:
            self._fill(self._default, int(dimensions[0][:_DIGITS]), placed)
        if rank == 1:
            placed = fill_gaps(placed)
        return Cells(rank=rank, members=placed)

    def _position(self, spelled: str, element: Element) -> tuple[int, ...]:
        try:
            return tuple(map(int, _INTEGER.findall(spelled)))
        except ValueError:  # more digits than Python takes for an integer
            self._account.coerced("array member", "no position, as listed", element)
            return ()

    def _fill(
        self, default: Element, size: int, placed: dict[tuple[int, ...], Scalar]
    ) -> None:
        """Give the members that are not listed the default that the array states."""
        text = default.get("value")
        if text is None:
            text = inner_text(default)
        value = read_typed(self._kind, text, default, self._account)
        # The stated size is the file's word alone; it is never trusted far.
        for index in range(min(size, 2 * len(placed) + 64)):
            placed.setdefault((index,), value)
