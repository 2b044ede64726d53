"""Elements of a report, and their places in its file."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any, TypeAlias

from lxml import etree

from rigbridge.adapters import ConversionReport, Place

__all__ = [
    "REMOVED",
    "Element",
    "PlaceTracker",
    "empty",
    "line_number",
    "mark_removed",
    "place_of",
    "record_coerced",
    "record_dropped",
    "record_omission",
]

REMOVED = "{rigbridge:reading}removed"
"""
The attribute that counts the first children that were removed from an element.

Its namespace is ours, so that no attribute of a file is taken for it.
"""

Element: TypeAlias = etree._Element  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
"""An element of a parsed report."""


def line_number(element: Element) -> int | None:
    """Give the line on which an element begins."""
    # The type hints of lxml leave it open.
    line: object = element.sourceline
    return line if isinstance(line, int) else None


def empty(element: Element) -> None:
    """
    Take away all that is in an element, which must be complete.

    Text behind it stays: it belongs to the parent, and the parser may still add to it.
    """
    # libxml2 remembers the length and the memory of the last text it wrote. Where the
    # last text of an open element is another one than it wrote, it writes beyond the
    # memory of that. So no text in a tree is written, and none freed that may be last.
    # The type hints of lxml lack the argument.
    inside: Any = element
    inside.clear(keep_tail=True)


def mark_removed(parent: Element, count: int) -> None:
    """
    Note that further first children of an element were removed.

    All children of the element have one name.
    """
    parent.set(REMOVED, str(int(parent.get(REMOVED, "0")) + count))


def place_of(element: Element) -> Place:
    """
    Give the place of an element. It is slow, so it is called for reported entries only.

    Each step of the path below the root has a number, also the only one of its name:
    while a report is being parsed, another one may still follow.
    """
    _, root, *steps = element.getroottree().getpath(element).split("/")
    numbered = [step if step[-1] == "]" else f"{step}[1]" for step in steps]
    for depth, above in enumerate(element.iterancestors(), 1):
        removed = above.get(REMOVED)
        if removed is not None:
            numbered[-depth] = _counted_on(numbered[-depth], int(removed))
    return Place(line=line_number(element), path="/".join(("", root, *numbered)))


def _counted_on(step: str, count: int) -> str:
    """Add to the number of a step of a path."""
    name, _, number = step.rstrip("]").partition("[")
    return f"{name}[{int(number) + count}]"


def record_coerced(
    report: ConversionReport,
    element: Element,
    item: str,
    rule: str,
    detail: str | None = None,
) -> None:
    """Record that an element was carried over with a change."""
    # To find a place is slow, so the report does it only for the entries it keeps.
    report.coerced(item, rule, place=partial(place_of, element), detail=detail)


def record_omission(
    report: ConversionReport,
    element: Element,
    item: str,
    rule: str,
    detail: str | None = None,
) -> None:
    """Record that an element was left out by a stated rule."""
    report.omitted(item, rule, place=partial(place_of, element), detail=detail)


def record_dropped(
    report: ConversionReport,
    element: Element,
    item: str,
    reason: str,
    detail: str | None = None,
) -> None:
    """Record that an element is lost."""
    report.dropped(item, reason, place=partial(place_of, element), detail=detail)


class PlaceTracker:
    """
    Removes elements from a tree, and still gives right places for the others.

    An XPath counts the siblings before an element, so the number of removed siblings is
    kept for each parent.
    """

    def __init__(self) -> None:
        self._taken: dict[Element, Counter[str]] = {}

    def take(self, element: Element, *, is_parent_complete: bool = False) -> str:
        """
        Remove an element from its tree, and count it.

        Args:
            element: it is complete, and unless its parent is complete too, another
                element stands behind it. Then the parser adds to no text near it.
            is_parent_complete: whether the end of its parent was parsed.

        Returns:
            The text behind the element, which goes with it. It is its parent's.

        Raises:
            RuntimeError: the parser may still add to that text.
        """
        self.forget(element)
        parent = element.getparent()
        if parent is None:
            return ""
        if not is_parent_complete and element.getnext() is None:
            raise RuntimeError("the last element of an open one is not to be removed")
        taken = self._taken.get(parent)
        if taken is None:
            taken = self._taken[parent] = Counter()
        taken[element.tag] += 1
        tail = element.tail or ""
        # lxml mends the namespaces of all that is below a removed element, in quadratic
        # time; of an empty one it has nothing to mend.
        empty(element)
        parent.remove(element)
        return tail

    def take_first(self, parent: Element, tag: str, count: int) -> None:
        """
        Remove the first children of an element.

        They have one tag, and no text behind them; another child must follow them.
        """
        self._taken.setdefault(parent, Counter())[tag] += count
        # The type hints of lxml lack slices of an element.
        inside: Any = parent
        del inside[:count]

    def forget(self, element: Element) -> None:
        """Forget what was removed from an element that is complete."""
        # A reference to an element keeps its whole tree in memory.
        self._taken.pop(element, None)

    def place(self, element: Element) -> Place:
        """Give the place of an element in the file."""
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
        # libxml2 writes "*" for a default namespace, and counts all siblings then.
        name = step.partition("[")[0]
        before = taken.total() if name == "*" else taken[node.tag]
        return _counted_on(step, before) if before else step
