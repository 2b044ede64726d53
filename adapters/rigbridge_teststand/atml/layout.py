"""Where the results of units stand in a file."""

from __future__ import annotations

from rigbridge_teststand.atml.names import local
from rigbridge_teststand.xml.element import Element

__all__ = ["COLLECTION", "RESULTS", "WRAPPER", "is_of_a_unit"]

RESULTS = "TestResults"
"""The local name of the results of a unit."""

COLLECTION = "TestResultsCollection"
"""The local name of what holds the results of several."""

WRAPPER = "Reports"
"""What a document that was split at its declarations is wrapped into."""

_ROOTS = frozenset({COLLECTION, WRAPPER})
_BETWEEN = frozenset({COLLECTION, "Extension"})


def is_of_a_unit(results: Element) -> bool:
    """Tell whether results stand where those of units do."""
    around = [local(ancestor) for ancestor in results.iterancestors()]
    return not around or (around[-1] in _ROOTS and _BETWEEN.issuperset(around[:-1]))
