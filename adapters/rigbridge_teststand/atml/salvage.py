"""What is complete of a document that is cut off."""

from __future__ import annotations

from typing import Any

from lxml import etree

from rigbridge_teststand.atml.names import local
from rigbridge_teststand.element import Element

__all__ = ["salvage"]

_CHUNK = 1 << 20
_CONTAINERS = frozenset(
    {"TestResultsCollection", "TestResults", "ResultSet", "TestGroup"}
)


def salvage(content: bytes) -> tuple[Element, Element] | None:
    """
    Parse a document up to where it is cut off.

    What the cut left unfinished is taken out, unless complete steps stand in it.

    Args:
        content: the bytes of a file that was found to have no DOCTYPE.

    Returns:
        The root, and the innermost element that stayed although its end is missing;
        None where nothing of a report can be read, or nothing is cut off.
    """
    parser: Any = etree.XMLPullParser(
        events=("start", "end"),
        remove_blank_text=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
    )
    content = content.lstrip(b" \t\r\n")
    try:
        for start in range(0, len(content), _CHUNK):
            parser.feed(content[start : start + _CHUNK])
    except etree.XMLSyntaxError:
        # The events below say what was complete before the cut.
        pass
    unfinished: list[Element] = []
    for event, element in parser.read_events():
        if event == "start":
            unfinished.append(element)
        else:
            unfinished.pop()
    while unfinished and local(unfinished[-1]) not in _CONTAINERS:
        last = unfinished.pop()
        parent = last.getparent()
        if parent is not None:
            parent.remove(last)
    return (unfinished[0], unfinished[-1]) if unfinished else None
