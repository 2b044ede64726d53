"""
What no reader of a native report understands: recorded by name and place.

The readers follow the grammar of properties: ``Prop`` elements with a ``Value`` or with
properties below them. Every property of an object goes to a reader, and what has no
field of its own is kept by its name. What is left is everything that is not of that
grammar, and it is found here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rigbridge.adapters import ConversionReport
from rigbridge_teststand.native.execution_data import CONTAINERS, RESULTS
from rigbridge_teststand.native.partial_results import CUT_OFF
from rigbridge_teststand.native.properties import (
    NAME,
    OF_ARRAY_ELEMENT,
    PROPERTY_ATTRIBUTES,
    READ,
    STRUCTURED,
    TYPE,
    Properties,
    children_of,
    properties_of,
    value_text,
)
from rigbridge_teststand.xml.elements import (
    REMOVED,
    Element,
    record_dropped,
    record_omission,
)

__all__ = [
    "UNKNOWN",
    "StrayParts",
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
# Lists are compared in less time than their members are looked up. Older releases
# write no flags.
_USUAL = (["Name", "Type", "Flags"], ["Name", "Type"])
_OF_MEMBER = [*OF_ARRAY_ELEMENT]
_NONE: frozenset[str] = frozenset()
_SHOWN = 400
"""How many characters of a text are shown."""


def record_stray_parts(top: Element, report: ConversionReport) -> None:
    """
    Record what is below a property that has been read and is no part of the grammar.
    """
    parts = StrayParts(top, report)
    parts.read(top)
    parts.record()


class StrayParts:
    """
    The parts of a property's tree that are no part of the grammar.

    An object is read and looked at in one pass, since to reach an element costs more
    than all that is done with it. The members of result lists are results of their own,
    and not looked at.
    """

    __slots__ = ("_odd", "_pending", "_report", "_top")

    def __init__(self, top: Element, report: ConversionReport) -> None:
        self._top = top
        self._report = report
        # What was not looked at yet, and what holds more than properties.
        self._pending: list[Element] = []
        self._odd: list[Element] = []
        _record_of_property(top, top.keys(), report)

    def read(self, prop: Element) -> Properties:
        """Read the properties of an object, and look at each."""
        elements: dict[Any, Element] = {}
        texts: dict[Any, str] = {}
        children = children_of(prop)
        for child in children:
            if child.tag != "Prop" or child.tail is not None:
                continue
            name = child.get(NAME)
            elements[name] = child
            names = child.keys()
            if names not in _USUAL or child.text is not None:
                _record_of_property(child, names, self._report)
            value = child[0] if len(child) == 1 else None
            # Nearly all properties are scalars, with a Value and nothing else.
            if (
                value is not None
                and value.tag == "Value"
                and value.tail is None
                and not len(value)
                and not value.keys()
            ):
                texts[name] = value.text or ""
            elif len(child):
                self._pending.append(child)
                if (text := value_text(child)) is not None:
                    texts[name] = text
        if len(elements) == len(children) and None not in elements:
            return Properties(elements, texts, self._below)
        # Of several of one name, and of what stands beside properties.
        self._odd.append(prop)
        return properties_of(prop, self._below)

    def _below(self, prop: Element) -> Properties:
        if prop not in self._pending or prop.get(TYPE) == "Array":
            # It was read before, or is no plain object and looked at in the end.
            return properties_of(prop, self._below)
        self._pending.remove(prop)
        return self.read(prop)

    def record(self) -> None:
        """Record what is in all parts that were not read with the others."""
        while self._odd or self._pending:
            while self._odd:
                prop = self._odd.pop()
                has_docstring = prop is self._top
                parts = _Parts(prop, self._report, has_docstring=has_docstring)
                parts.look(self._pending)
            if self._pending:
                prop = self._pending.pop()
                if prop.get(TYPE) == "Array":
                    self._odd.append(prop)
                else:
                    self.read(prop)


def _record_of_property(
    prop: Element, names: Sequence[str | bytes], report: ConversionReport
) -> None:
    if not _OF_PROPERTY.issuperset(names):
        record_stray_attributes(prop, _OF_PROPERTY, report)
    if prop.text is not None:
        record_stray_text(prop, prop.text, report)


class _Parts:
    """
    The parts of a property that is no plain scalar.

    Args:
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
                if child.tail is not None or self._is_array:
                    # The others were looked at already.
                    _record_of_property(child, child.keys(), self._report)
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
            _record_of_property(child, child.keys(), self._report)
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
    """
    if member.keys() != _OF_MEMBER:
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
                _record_of_property(child, child.keys(), report)
                pending.append(child)
        elif isinstance(tag, str):
            record_dropped(report, child, "element", UNKNOWN, tag)
        if child.tail is not None:
            record_stray_text(child, child.tail, report)


def record_stray_attributes(
    element: Element, known: frozenset[str], report: ConversionReport
) -> None:
    """Record the attributes of an element that are not understood."""
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
