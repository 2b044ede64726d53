"""
What no reader of a native report understands: recorded by name and place.

The readers follow the grammar of properties: ``Prop`` elements with a ``Value`` or with
properties below them. Every property of an object goes to a reader, and what has no
field of its own is kept by its name. What is left is everything that is not of that
grammar, and it is found here, by looking at every element once more.
"""

from __future__ import annotations

from typing import Any

from rigbridge.adapters import ConversionReport
from rigbridge_teststand.native.execution_data import CONTAINERS, RESULTS
from rigbridge_teststand.native.partial_results import CUT_OFF
from rigbridge_teststand.native.properties import (
    OF_ARRAY_ELEMENT,
    PROPERTY_ATTRIBUTES,
    READ,
    STRUCTURED,
    TYPE,
)
from rigbridge_teststand.xml.elements import (
    REMOVED,
    Element,
    record_dropped,
    record_omission,
)

__all__ = [
    "UNKNOWN",
    "record_comment",
    "record_stray_attributes",
    "record_stray_parts",
    "record_stray_text",
    "record_strays_of_member",
]

UNKNOWN = "no reader knows it"
"""The reason for dropping what is no part of the grammar."""

_COMMENT = "describes a property of the sequence, not a result"
_TEMPLATE = "template of an array's elements, holds no data"
_OF_PROPERTY = PROPERTY_ATTRIBUTES | {CUT_OFF, READ, REMOVED}
_NONE: frozenset[str] = frozenset()
_SHOWN = 400
"""How many characters of a text are shown."""


def record_stray_parts(top: Element, report: ConversionReport) -> None:
    """
    Record what is below a property and is no part of the grammar.

    The members of result lists are results of their own, and not looked at.

    Args:
        top: the property, mostly the result of a step that has been read.
        report: takes the entries.
    """
    _record_of_property(top, report)
    pending = [top]
    while pending:
        prop = pending.pop()
        # Written for speed: this looks at every element of a report once more.
        is_plain = prop.get(TYPE) != "Array"
        for child in prop:
            if child.tag != "Prop" or child.tail is not None:
                is_plain = False
                continue
            if child.text is not None or not _OF_PROPERTY.issuperset(child.keys()):
                _record_of_property(child, report)
            if len(child) == 1:
                value = child[0]
                # Nearly all properties are scalars, with a Value and nothing else.
                if value.tag == "Value" and not len(value) and value.tail is None:
                    if value.keys():
                        _record_attributes_of_value(child, value, report)
                    continue
            pending.append(child)
        if not is_plain:
            _Parts(prop, report, has_docstring=prop is top).look(pending)


def _record_of_property(prop: Element, report: ConversionReport) -> None:
    record_stray_attributes(prop, _OF_PROPERTY, report)
    if prop.text is not None:
        record_stray_text(prop, prop.text, report)


class _Parts:
    """
    The parts of a property that is no plain scalar.

    Args:
        prop: the property.
        report: takes the entries.
        has_docstring: whether its first comment was read, as that of a step.
    """

    def __init__(
        self, prop: Element, report: ConversionReport, *, has_docstring: bool
    ) -> None:
        self._prop = prop
        self._report = report
        self._is_array = prop.get(TYPE) == "Array"
        self._is_result_list = prop.get("Name") == RESULTS and _is_in_container(prop)
        self._has_docstring = has_docstring and prop.get(TYPE) == "TEResult"
        self._values = 0
        self._properties = 0

    def look(self, pending: list[Element]) -> None:
        """Look at each part but properties, and give those within array elements."""
        for child in self._prop:
            # The tag of a comment is no text, whatever the type hints say.
            tag: Any = child.tag
            if tag == "Prop":
                self._properties += 1
                if child.tail is not None:
                    # Only those without text behind them were looked at.
                    _record_of_property(child, self._report)
                    pending.append(child)
            elif tag == "Value":
                self._value(child, pending)
            elif isinstance(tag, str):
                self._other(tag, child, pending)
            if child.tail is not None:
                record_stray_text(child, child.tail, self._report)
        if self._values and self._properties:
            reason = "holds values beside properties, only one kind is read"
            record_dropped(self._report, self._prop, "property", reason)
        elif self._properties and self._is_array:
            reason = "properties right below an array"
            record_dropped(self._report, self._prop, "property", reason)

    def _value(self, value: Element, pending: list[Element]) -> None:
        self._values += 1
        if self._is_result_list:
            return
        if self._is_array:
            record_strays_of_member(value, self._report, pending)
        elif self._values > 1:
            reason = "another value of one property"
            record_dropped(self._report, value, "value", reason, value.text)
        else:
            _record_attributes_of_value(self._prop, value, self._report)
            for below in value:
                record_dropped(self._report, below, "element", "within a plain value")

    def _comment(self, comment: Element) -> None:
        if self._has_docstring:
            self._has_docstring = False
            record_stray_attributes(comment, _NONE, self._report)
            for below in comment:
                record_dropped(self._report, below, "element", UNKNOWN)
        else:
            record_comment(comment, self._report)

    def _other(self, tag: str, child: Element, pending: list[Element]) -> None:
        if tag == "ArrayElementPrototype":
            record_stray_attributes(child, _OF_PROPERTY, self._report)
            if len(child) or child.text:
                record_omission(self._report, child, "template", _TEMPLATE)
        elif tag == "Comment":
            self._comment(child)
        elif tag == "Attributes" and child.get(READ) is not None:
            _record_of_property(child, self._report)
            pending.append(child)
        elif tag == "Attributes":
            reason = "metadata that no reader takes"
            record_dropped(self._report, child, "property", reason)
        else:
            record_dropped(self._report, child, "element", UNKNOWN, tag)


def _is_in_container(prop: Element) -> bool:
    container = prop.getparent()
    return container is not None and container.get("Name") in CONTAINERS


def record_strays_of_member(
    member: Element, report: ConversionReport, pending: list[Element] | None = None
) -> None:
    """
    Record what an array element holds beside its text or its one property.

    Args:
        member: the ``Value``.
        report: takes the entries.
        pending: takes the property, to be looked into.
    """
    if not OF_ARRAY_ELEMENT.issuperset(member.keys()):
        record_stray_attributes(member, OF_ARRAY_ELEMENT, report)
    if not len(member):
        return
    if member.text is not None:
        record_stray_text(member, member.text, report)
    found = False
    for child in member:
        tag: Any = child.tag
        if tag == "Prop" and not found:
            found = True
            if pending is not None:
                _record_of_property(child, report)
                pending.append(child)
        elif isinstance(tag, str):
            record_dropped(report, child, "element", UNKNOWN, tag)
        if child.tail is not None:
            record_stray_text(child, child.tail, report)


def record_stray_attributes(
    element: Element, known: frozenset[str], report: ConversionReport
) -> None:
    """
    Record the attributes of an element that are not understood.

    Args:
        element: the element.
        known: the attributes that are.
        report: takes the entries.
    """
    for name, value in element.items():
        if name not in known:
            record_dropped(report, element, "attribute", UNKNOWN, f"{name!s}={value!s}")


def _record_attributes_of_value(
    prop: Element, value: Element, report: ConversionReport
) -> None:
    known = OF_ARRAY_ELEMENT if prop.get(TYPE) in STRUCTURED else _NONE
    record_stray_attributes(value, known, report)


def record_stray_text(element: Element, text: str, report: ConversionReport) -> None:
    """Record a text that stands beside elements, unless it is blank."""
    if not text.isspace():
        shown = text.strip()[:_SHOWN]
        record_dropped(report, element, "text", "stands beside elements", shown)


def record_comment(comment: Element, report: ConversionReport) -> None:
    """Record a comment that is no step's; those describe the sequence."""
    if (comment.text or "").strip() or len(comment) or comment.keys():
        record_omission(report, comment, "comment", _COMMENT, comment.text)
