"""
ATML elements by local name.

The namespaces of ATML differ by version, and producers mix them up, so only the local
name of an element counts. The namespaces tell the version; a file of an unknown one is
read all the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import itemgetter
from typing import Any, TypeAlias

from rigbridge_teststand.xml.elements import Element

__all__ = [
    "COLLECTION",
    "LOCAL_NAMES",
    "NAME",
    "RESULTS",
    "RESULT_SET",
    "STATUS",
    "STEPS",
    "VALUE",
    "WRAPPER",
    "Step",
    "all_text",
    "attribute",
    "attributes_of",
    "child",
    "child_elements",
    "children",
    "is_of_a_unit",
    "local_name",
    "read_text",
    "result_set_of",
    "status_text",
    "steps_of",
    "version_of",
]

# The rest of the namespaces differs by producer.
# 5.00 and 6.01 are the schemas of IEEE 1636.1-2011 and -2013.
_VERSIONS = (
    ("2.02", re.compile(r"ATML/200[67]")),
    ("5.00", re.compile(r"1636\.1:2011")),
    ("6.01", re.compile(r"1636\.1:2013")),
)


class _LocalNames(dict[str, str]):
    """The local names of tags, each computed once."""

    def __missing__(self, tag: str) -> str:
        name = tag.rpartition("}")[2]
        if len(self) < 10_000:  # a file may invent names without end
            self[tag] = name
        return name


# element[:] gives a list in one call into C.
# The type hints of lxml lack slices of an element.
_ALL: Any = itemgetter(slice(None))

child_elements: Callable[[Element], list[Element]] = _ALL
"""Give the child elements, a third faster than iteration over an element."""

NAME = b"name"
"""An attribute as bytes, since lxml encodes a text at each call."""

VALUE = b"value"
"""Likewise."""

LOCAL_NAMES = _LocalNames()
"""The local name by tag; where many elements are read, quicker than `local_name`."""


def local_name(element: Element) -> str:
    """Give the name of an element without its namespace."""
    return LOCAL_NAMES[element.tag]


def children(element: Element | None) -> list[tuple[str, Element]]:
    """Give the child elements with their local names."""
    if element is None:
        return []
    return [(LOCAL_NAMES[below.tag], below) for below in child_elements(element)]


def child(element: Element | None, *names: str) -> Element | None:
    """Follow a path of local names; None where it ends."""
    for name in names:
        if element is None:
            return None
        # Not element.find(): namespaces differ by producer.
        for below in child_elements(element):
            if LOCAL_NAMES[below.tag] == name:
                element = below
                break
        else:
            return None
    return element


def attributes_of(element: Element) -> dict[str, str]:
    """Give all attributes; faster than to get more than six of them."""
    # lxml gives texts alone, whatever its type hints say.
    items: Any = element.items()
    return dict(items)


def attribute(element: Element | None, name: str) -> str | None:
    """Give an attribute, trimmed; None if blank or absent."""
    value = None if element is None else element.get(name)
    return value.strip() or None if value else None


def read_text(element: Element | None) -> str | None:
    """Give the text right inside an element, trimmed; None if blank or absent."""
    if element is None or element.text is None:
        return None
    return element.text.strip() or None


def status_text(outcome: Element) -> str | None:
    """Give the status in an outcome: its value, or its text, as some exporters do."""
    return attribute(outcome, "value") or read_text(outcome)


def all_text(element: Element) -> str:
    """Give all text below an element."""
    return "".join(map(str, element.itertext()))


def version_of(namespaces: str) -> str | None:
    """Find the version of ATML in a text with its namespaces."""
    for version, pattern in _VERSIONS:
        if pattern.search(namespaces):
            return version
    return None


RESULT_SET = "ResultSet"
"""The local name of what holds the steps of a unit."""

RESULTS = "TestResults"
"""The local name of the results of a unit."""

COLLECTION = "TestResultsCollection"
"""The local name of what holds the results of several."""

WRAPPER = "Reports"
"""The root that concatenated documents are wrapped into."""

STATUS = "status"
"""The attribute that some exporters write instead of an ``Outcome``."""

STEPS = frozenset({"Test", "SessionAction", "TestGroup", "ItemTest", "SubItemTest"})
"""The local names of what is a step; the last two are of exporters other than NI."""

Step: TypeAlias = tuple[str, Element]
"""The local name of a step, and its element."""

_ROOTS = frozenset({COLLECTION, WRAPPER})
_BETWEEN = frozenset({COLLECTION, "Extension"})


def is_of_a_unit(results: Element) -> bool:
    """Tell whether results are those of a unit, and not part of other data."""
    # Only collections and extensions may hold the results of units.
    around = [local_name(ancestor) for ancestor in results.iterancestors()]
    return not around or (around[-1] in _ROOTS and _BETWEEN.issuperset(around[:-1]))


def result_set_of(results: Element) -> Element | None:
    """
    Find the element that holds the steps of results.

    Some exporters write the steps without a ``ResultSet`` around them, or the result
    set without ``TestResults``; then the results themselves are it.
    """
    if LOCAL_NAMES[results.tag] == RESULT_SET:
        return results
    found = child(results, RESULT_SET)
    return results if found is None and steps_of(results) else found


def steps_of(element: Element) -> list[Step]:
    """Give the steps right below an element, in document order."""
    below = child_elements(element)
    return [(name, e) for e in below if (name := LOCAL_NAMES[e.tag]) in STEPS]
