"""
Properties of native reports: ``Prop`` elements, their subproperties and values.

Only explicit child paths are followed. A search of descendants would find templates
(``ArrayElementPrototype``) and metadata (``Attributes``), which hold no data.

A report has some twenty properties for each step, so these functions are written for
speed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from rigbridge.adapters import ConversionReport
from rigbridge.model import Scalar
from rigbridge_teststand.numbers import (
    has_decimal_comma,
    is_underflow,
    parse_plain,
    read_number,
    text_behind,
)
from rigbridge_teststand.xml.elements import (
    Element,
    record_coerced,
    record_omission,
)

__all__ = [
    "NAME",
    "OF_ARRAY_ELEMENT",
    "PROPERTY_ATTRIBUTES",
    "READ",
    "STRUCTURED",
    "TYPE",
    "Properties",
    "array_elements",
    "child_named",
    "children_of",
    "element_property",
    "properties_of",
    "read_member",
    "read_scalar",
    "record_spelling",
    "subproperties",
    "text_of",
    "value_text",
]

# As bytes, since lxml encodes a text at each call.
NAME = b"Name"
"""The attribute that holds the name of a property."""

TYPE = b"Type"
"""The attribute that holds the type of a property."""

PROPERTY_ATTRIBUTES = frozenset(
    {"Name", "Type", "TypeName", "Flags", "Class", "IsAlias"}
    | {"NumFmt", "Representation", "LBound", "HBound", "ElementType"}
)
"""The attributes that name a property and describe its type; none is a result."""

READ = "{urn:rigbridge}read"
"""The attribute that marks metadata that were read; no file has it."""

OF_ARRAY_ELEMENT = frozenset({"ID"})
"""The attribute of an array element: its index."""

STRUCTURED = frozenset({"Array", "Obj", "TEResult"})
"""The types of properties that hold others."""

_NO_ADDRESS = frozenset({"", "Nothing"})


class Properties:
    """
    The properties of one object, in document order.

    Args:
        texts: the value of each that has one, as `value_text` gives it.
    """

    __slots__ = ("_reader", "elements", "texts")

    def __init__(
        self,
        elements: dict[str, Element] | None = None,
        texts: dict[str, str] | None = None,
        reader: Callable[[Element], Properties] | None = None,
    ) -> None:
        self.elements: dict[str, Element] = {} if elements is None else elements
        self.texts: dict[str, str] = {} if texts is None else texts
        self._reader = reader

    def below(self, name: str) -> Properties:
        """Give the properties of one that is an object; none where there is none."""
        prop = self.elements.get(name)
        if prop is None:
            return Properties()
        return properties_of(prop) if self._reader is None else self._reader(prop)


def properties_of(
    prop: Element | None, reader: Callable[[Element], Properties] | None = None
) -> Properties:
    """Read the properties of an object; none where there is no object."""
    elements = subproperties(prop)
    texts = {
        name: text
        for name, child in elements.items()
        if (text := value_text(child)) is not None
    }
    return Properties(elements, texts, reader)


def children_of(prop: Element) -> list[Element]:
    """List what is right below a property; not for arrays, which may be long."""
    # A slice takes half the time of an iterator. The type hints of lxml lack it.
    inside: Any = prop
    found: list[Element] = inside[:]
    return found


def subproperties(prop: Element | None) -> dict[str, Element]:
    """
    Give the subproperties of an object by name, in document order.

    Of several of one name the later ones are numbered (``VCC #2``).
    """
    if prop is None:
        return {}
    # One pass over the children; names rarely repeat.
    children = children_of(prop)
    found: dict[Any, Element] = {child.get(NAME): child for child in children}
    if len(found) == len(children):
        nameless = found.get(None)
        if nameless is None:
            return found
        # Mostly a Comment, a template or metadata, which are no properties.
        if nameless.tag != "Prop":
            del found[None]
            return found
    return _numbered(prop)


def _numbered(prop: Element) -> dict[str, Element]:
    found: dict[str, Element] = {}
    for child in prop.iterchildren("Prop"):
        name = unique = child.get("Name", "")
        count = 1
        while unique in found:
            count += 1
            unique = f"{name} #{count}"
        found[unique] = child
    return found


def value_text(prop: Element | None) -> str | None:
    """Give the value of a scalar property; None where there is none."""
    # Several times faster than findtext.
    if prop is None or not len(prop) or prop.get(TYPE) in STRUCTURED:
        return None
    first = prop[0]
    # An empty Value is the empty text, a missing one is no value.
    return (first.text or "") if first.tag == "Value" else prop.findtext("Value")


def _content(prop: Element) -> str | None:
    first = prop[0]
    # An empty Value is the empty text, a missing one is no value.
    return (first.text or "") if first.tag == "Value" else prop.findtext("Value")


def text_of(props: dict[str, Element], name: str) -> str | None:
    """Give the value of a member; None where it is missing or blank."""
    found = value_text(props.get(name))
    return found.strip() or None if found else None


def child_named(prop: Element | None, name: str) -> Element | None:
    """Find the first property of a name right below another; None if there is none."""
    if prop is None:
        return None
    for child in prop.iterchildren("Prop"):
        if child.get(NAME) == name:
            return child
    return None


def element_property(value: Element) -> Element | None:
    """Find the property inside an array element."""
    for child in value:
        if child.tag == "Prop":
            return child
    return None


def array_elements(
    array: Element | None,
) -> Iterator[tuple[str, Element]]:
    """Give the elements of an array: the index as printed, and the ``Value``."""
    if array is not None:
        for value in array.iterchildren("Value"):
            yield value.get("ID", ""), value


_BOOLEANS = {
    "True": True,
    "False": False,
    "true": True,
    "1": True,
    "false": False,
    "0": False,
}


def read_scalar(prop: Element, report: ConversionReport) -> Scalar:
    """Read a String, Number or Boolean; None for a reference or a missing value."""
    kind = prop.get(TYPE)
    content = None if kind == "Array" or not len(prop) else _content(prop)
    if content is None:
        return None
    if kind == "Number":
        number = parse_plain(content)
        return _odd_number(content, prop, report) if number is None else number
    if kind == "Boolean":
        return _boolean(content, prop, report)
    if kind == "Reference":
        if content not in _NO_ADDRESS:
            rule = "an address in the memory of the engine"
            record_omission(report, prop, "reference", rule, content)
        return None
    return content


def read_member(props: Properties, name: str, report: ConversionReport) -> Scalar:
    """Read a property of an object as `read_scalar` does, mostly from its text."""
    prop, content = props.elements[name], props.texts.get(name)
    if content is not None:
        kind = prop.get(TYPE)
        if kind == "Number":
            number = parse_plain(content)
            if number is not None:
                return number
        elif kind == "Boolean":
            known = _BOOLEANS.get(content)
            if known is not None:
                return known
        elif kind != "Reference":
            return content
    return read_scalar(prop, report)


def _odd_number(content: str, prop: Element, report: ConversionReport) -> Scalar:
    number = read_number(content)
    if number is not None:
        record_spelling(report, prop, "value", content)
        return number
    if not content.strip():
        return None
    record_coerced(report, prop, "value", "no number, kept as text", content)
    return content


def record_spelling(
    report: ConversionReport,
    element: Element,
    item: str,
    content: str,
    *,
    at: str | None = None,
) -> None:
    """
    Record what is odd in the spelling of a number that could be read.

    Args:
        at: its index in an array.
    """
    shown = content if at is None else f"{at} {content}"
    if has_decimal_comma(content):
        record_coerced(report, element, item, "decimal comma read as point", shown)
    if read_number(content) == 0 and is_underflow(content):
        rule = "too small for a float, read as zero"
        record_coerced(report, element, item, rule, shown)
    if text_behind(content) is not None:
        rule = "only the number is read, not the text behind it"
        record_coerced(report, element, item, rule, shown)


def _boolean(content: str, prop: Element, report: ConversionReport) -> Scalar:
    known = _BOOLEANS.get(content.strip().lower())
    if known is None and content.strip():
        record_coerced(report, prop, "value", "no boolean, kept as text", content)
        return content
    return known
