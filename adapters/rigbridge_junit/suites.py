"""A test suite: what it says of itself, and what was found in it."""

from __future__ import annotations

from collections import Counter

import attrs

from rigbridge.adapters import ConversionReport, Place
from rigbridge.model import JSONValue, PhaseOutcome
from rigbridge_junit.cases import place_of
from rigbridge_junit.document import Element
from rigbridge_junit.values import clean

__all__ = ["Suite", "flat"]

_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"
_COUNTS = {
    "failures": PhaseOutcome.FAIL,
    "errors": PhaseOutcome.ERROR,
}


@attrs.define(eq=False)
class Suite:
    """
    A suite that has begun.

    Attributes:
        element: its element, which is not complete yet.
        name: its name, or None.
        path: the names of the suites around it and its own.
        host: the host that ran it, or that around it; None if unknown.
        attributes: its attributes as they are written.
        around: the suite around it, or None.
        found: how many test cases of each verdict it holds so far.
    """

    element: Element
    place: Place
    name: str | None
    path: tuple[str, ...]
    host: str | None
    attributes: dict[str, str]
    properties: dict[str, list[str]] = attrs.field(factory=dict[str, list[str]])
    found: Counter[PhaseOutcome] = attrs.field(factory=Counter[PhaseOutcome])
    around: Suite | None = None

    @classmethod
    def begin(cls, element: Element, parent: Suite | None) -> Suite:
        """Take the attributes of an element that begins."""
        name = clean(element.get("name"))
        path = () if parent is None else parent.path
        host = clean(element.get("hostname"))
        return cls(
            element,
            place_of(element),
            name,
            (*path, name) if name else path,
            host or (None if parent is None else parent.host),
            {
                str(key): str(value)
                for key, value in element.attrib.items()
                # Where the schema of a file lies says nothing of its tests.
                if clean(value) is not None and not str(key).startswith(_INSTANCE)
            },
            around=parent,
        )

    def count(self, outcome: PhaseOutcome) -> None:
        """Count a test case of it."""
        self.found[outcome] += 1

    def end(self, report: ConversionReport) -> None:
        """Compare what was found with the counts that it states."""
        # Counts of a suite include those of the suites within it.
        if self.around is not None:
            self.around.found.update(self.found)
        found = {name: self.found[verdict] for name, verdict in _COUNTS.items()}
        found["tests"] = self.found.total()
        for name, number in found.items():
            stated = self.attributes.get(name, "").strip()
            # Cut, since int() of a long text is slow, and no count has that many
            # digits.
            if stated.isdecimal() and int(stated[:18]) != number:
                report.coerced(
                    "count",
                    "differs from what the suite holds",
                    place=self.place,
                    detail=f"{name}={stated[:18]}, found {number}",
                )

    def described(self) -> dict[str, JSONValue]:
        """Give its attributes and properties, for the metadata."""
        found: dict[str, JSONValue] = dict(self.attributes)
        if self.properties:
            found["properties"] = flat(self.properties)
        return found


def flat(properties: dict[str, list[str]]) -> dict[str, JSONValue]:
    """Give each property as its text, or as its texts if it is said several times."""
    return {
        name: texts[0] if len(texts) == 1 else list(texts)
        for name, texts in properties.items()
    }
