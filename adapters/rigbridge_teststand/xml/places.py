"""Where elements stand in a file although those before them were taken out."""

from __future__ import annotations

from collections import Counter

from rigbridge.adapters import Place
from rigbridge_teststand.xml.documents import place_of
from rigbridge_teststand.xml.element import Element

__all__ = ["Places"]


class Places:
    """
    Takes elements out of a tree, and says where the others stand nevertheless.

    The path of an element counts its siblings before it; those that were taken out
    are remembered by their number.
    """

    def __init__(self) -> None:
        self._taken: dict[Element, Counter[str]] = {}

    def take(self, element: Element) -> None:
        """Take an element out of its tree."""
        self.forget(element)
        parent = element.getparent()
        if parent is None:
            return
        taken = self._taken.get(parent)
        if taken is None:
            taken = self._taken[parent] = Counter()
        taken[element.tag] += 1
        parent.remove(element)

    def forget(self, element: Element) -> None:
        """Forget what was taken out of an element in which no place is looked for."""
        # To remember an element is to keep it, with its whole tree.
        self._taken.pop(element, None)

    def place(self, element: Element) -> Place:
        """Say where an element stands in the file."""
        place = place_of(element)
        if not self._taken or place.path is None:
            return place
        _, *steps = place.path.split("/")
        nodes = [element, *element.iterancestors()][::-1]
        return Place(place.line, "/" + "/".join(map(self._counted, steps, nodes)))

    def _counted(self, step: str, node: Element) -> str:
        parent = node.getparent()
        taken = None if parent is None else self._taken.get(parent)
        if not taken:
            return step
        name, _, number = step.rstrip("]").partition("[")
        # Of elements without a prefix the path counts all, of others those alike.
        before = taken.total() if name == "*" else taken[node.tag]
        return f"{name}[{int(number or 1) + before}]" if before else step
