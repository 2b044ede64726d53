"""
The property grammar of native reports: ``Prop`` elements step by step.

Only explicit child paths are followed. A search below would find templates
(``ArrayElementPrototype``) and metadata (``Attributes``), which hold no data.
"""

from __future__ import annotations

from collections.abc import Iterator

from rigbridge_teststand.element import Element

__all__ = ["below", "elements", "members", "text", "text_at"]


def members(prop: Element | None) -> dict[str, Element]:
    """
    Give the named properties of an object, by name, in document order.

    Of several of one name the later ones are numbered (``VCC #2``).
    """
    if prop is None:
        return {}
    found = {child.get("Name", ""): child for child in prop.iterchildren("Prop")}
    return found if len(found) >= len(prop) else _numbered(prop)


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


def below(prop: Element | None, *names: str) -> Element | None:
    """Follow a path of names; None where it ends."""
    for name in names:
        if prop is None:
            return None
        for child in prop.iterchildren("Prop"):
            if child.get("Name") == name:
                prop = child
                break
        else:
            return None
    return prop


def text_at(prop: Element | None, *names: str) -> str | None:
    """Give the value at a path of names; None where it ends or is blank."""
    found = text(below(prop, *names))
    return found.strip() or None if found else None


def elements(
    array: Element | None,
) -> Iterator[tuple[str, Element]]:
    """Go through the members of an array: the index as printed, and the ``Value``."""
    if array is not None:
        for value in array.iterchildren("Value"):
            yield value.get("ID", ""), value
