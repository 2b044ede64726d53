"""
The property grammar of native reports: ``Prop`` elements step by step.

Only explicit child paths are followed. A search below would find templates
(``ArrayElementPrototype``) and metadata (``Attributes``), which hold no data.

A report has some twenty properties a step, and each is looked at by the functions
here; they are written for speed and nothing else is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rigbridge.adapters import ConversionReport
from rigbridge.model import Scalar
from rigbridge_teststand.numbers import has_decimal_comma, parse_plain, read_number
from rigbridge_teststand.xml.elements import Element, record_coerced

__all__ = [
    "TYPE",
    "child_named",
    "elements",
    "inner",
    "members",
    "read_scalar",
    "text",
    "text_of",
]

# As bytes, since lxml would encode a text anew at each look.
_NAME = b"Name"

TYPE = b"Type"
"""The attribute that says of what type a property is."""


def members(prop: Element | None) -> dict[str, Element]:
    """
    Give the named properties of an object, by name, in document order.

    Of several of one name the later ones are numbered (``VCC #2``).
    """
    if prop is None:
        return {}
    found: dict[Any, Element] = {child.get(_NAME): child for child in prop}
    if len(found) == len(prop):
        nameless = found.get(None)
        if nameless is None:
            return found
        # Mostly a comment, a template or metadata, which are no properties.
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


def text(prop: Element | None) -> str | None:
    """Give the value of a scalar property; None where there is none."""
    # Several times quicker than findtext, and asked for each property.
    if prop is None or not len(prop):
        return None
    first = prop[0]
    return (first.text or "") if first.tag == "Value" else prop.findtext("Value")


def text_of(props: dict[str, Element], name: str) -> str | None:
    """Give the value of a member; None where it is missing or blank."""
    found = text(props.get(name))
    return found.strip() or None if found else None


def child_named(prop: Element | None, name: str) -> Element | None:
    """Find the first property of a name right below another; None if there is none."""
    if prop is None:
        return None
    for child in prop.iterchildren("Prop"):
        if child.get(_NAME) == name:
            return child
    return None


def inner(value: Element) -> Element | None:
    """Find the property that a member of an array holds."""
    for child in value:
        if child.tag == "Prop":
            return child
    return None


def elements(
    array: Element | None,
) -> Iterator[tuple[str, Element]]:
    """Go through the members of an array: the index as printed, and the ``Value``."""
    if array is not None:
        for value in array.iterchildren("Value"):
            yield value.get("ID", ""), value


_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def read_scalar(prop: Element, report: ConversionReport) -> Scalar:
    """Read a String, Number or Boolean property; absent and references are None."""
    content = text(prop)
    if content is None:
        return None
    kind = prop.get(TYPE)
    if kind == "Number":
        number = parse_plain(content)
        if number is not None:
            return number
        number = read_number(content)
        if number is None and content.strip():
            record_coerced(report, prop, "value", "no number, kept as text", content)
            return content
        if has_decimal_comma(content):
            record_coerced(
                report, prop, "value", "decimal comma read as point", content
            )
        return number
    if kind == "Boolean":
        return _boolean(content, prop, report)
    return None if kind == "Reference" else content


def _boolean(content: str, prop: Element, report: ConversionReport) -> Scalar:
    known = _BOOLEANS.get(content.strip().lower())
    if known is None and content.strip():
        record_coerced(report, prop, "value", "no boolean, kept as text", content)
        return content
    return known
