"""Elements of a report, and where they stand in its file."""

from __future__ import annotations

from collections import Counter
from typing import TypeAlias

from lxml import etree

from rigbridge.adapters import Place

__all__ = ["Element", "PlaceTracker", "line_number", "place_of"]


def line_number(element: Element) -> int | None:
    """Give the line on which an element begins."""
    # The type hints of lxml give it no type.
    line: object = element.sourceline
    return line if isinstance(line, int) else None


def place_of(element: Element) -> Place:
    """
    Say where an element stands; only worth its cost where something is reported.

    Each step of the path below the root is numbered, also where nothing of its kind
    stands beside it: of a report that is still growing nobody knows that.
    """
    _, root, *steps = element.getroottree().getpath(element).split("/")
    numbered = [step if step.endswith("]") else f"{step}[1]" for step in steps]
    return Place(line=line_number(element), path="/".join(("", root, *numbered)))


class PlaceTracker:
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


Element: TypeAlias = etree._Element  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
"""An element of a parsed report."""
