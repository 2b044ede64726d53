"""
What still grows of a large report that is read while it is parsed.

The ends of its innermost list of steps, or of its innermost array, are missing; all
that stands before them is complete.
"""

from __future__ import annotations

from rigbridge_teststand.native.engine import CONTAINERS, RESULTS
from rigbridge_teststand.native.measuring import BOOKKEEPING
from rigbridge_teststand.native.properties import child_named
from rigbridge_teststand.xml.element import Element

__all__ = ["growing_array", "growing_list", "holds_result", "is_result"]

_RESULT = "Prop[@Type='TEResult']"
_RESULT_BELOW = f".//Value/{_RESULT}"

# From a result to its list: its engine's bookkeeping, a container, the list.
_DEPTH = 3
# What a result holds beside further data.
_NOT_FURTHER = BOOKKEEPING | {
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


def growing_list(result: Element) -> tuple[str, Element] | None:
    """
    Find the list of a result that is still growing.

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


def growing_array(result: Element) -> Element | None:
    """Find the array of numbers that a growing result ends with."""
    if not len(result) or result[-1].get("Name") in _NOT_FURTHER:
        return None
    below = result
    while len(below):
        below = below[-1]
        if below.tag not in ("Prop", "Value"):
            return None
        if below.get("Type") == "Array" and below.get("ElementType") == "Number":
            return below
    return None
