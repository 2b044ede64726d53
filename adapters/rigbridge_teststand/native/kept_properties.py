"""Properties without a field of their own, kept as values by dotted names."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rigbridge.adapters import ConversionReport
from rigbridge.model import JSONValue
from rigbridge_teststand.native.properties import (
    READ,
    TYPE,
    array_elements,
    element_property,
    read_scalar,
    record_spelling,
    subproperties,
)
from rigbridge_teststand.numbers import is_finite, read_number
from rigbridge_teststand.xml.elements import Element

__all__ = ["array_member", "keep_properties", "keep_property", "read_attributes"]

_OBJECTS = frozenset({"Obj", "TEResult"})
_INDEX = re.compile(r"\[(\d+)\]")
_BOOLEANS: dict[str, bool] = {"true": True, "false": False}
_ATTRIBUTES = "Attributes"


def keep_property(
    key: str, prop: Element, kept: dict[str, JSONValue], report: ConversionReport
) -> None:
    """
    Keep a property of any kind: a scalar, an object or an array.

    Args:
        key: its key; those of properties below it follow, with dots.
    """
    pending = [(key, prop)]
    while pending:
        path, child = pending.pop()
        kind = child.get(TYPE)
        if len(child) > 1 or kind in _OBJECTS:
            for label, value in read_attributes(child, report).items():
                _put(_joined(_joined(path, _ATTRIBUTES), label), value, kept)
        if kind == "Array":
            pending += _keep_array(path, child, kept, report)[::-1]
            continue
        below = subproperties(child) if _holds_properties(child) else {}
        if below:
            named = [(_joined(path, name), inner) for name, inner in below.items()]
            pending += named[::-1]
            continue
        value = read_scalar(child, report)
        if value is not None and value != "":
            report.mapped("property")
            _put(path, value, kept)


def _holds_properties(prop: Element) -> bool:
    # To look at the first child is quicker than to search.
    if len(prop) == 1:
        return bool(prop[0].tag == "Prop")
    return prop.find("Prop") is not None


def keep_properties(
    props: Mapping[str, Element],
    prefix: str,
    kept: dict[str, JSONValue],
    report: ConversionReport,
) -> None:
    """
    Keep properties of any kind.

    Args:
        prefix: what their keys begin with; may be empty.
    """
    for name, prop in props.items():
        keep_property(_joined(prefix, name), prop, kept, report)


def read_attributes(prop: Element, report: ConversionReport) -> dict[str, JSONValue]:
    """
    Read the metadata tree of a property, by dotted names, and mark it as read.

    Trees without the mark in the end were read by nobody, and are recorded.
    """
    described = prop.find(_ATTRIBUTES)
    found: dict[str, JSONValue] = {}
    if described is not None:
        keep_properties(subproperties(described), "", found, report)
        described.set(READ, "")
    return found


def _keep_array(
    path: str, array: Element, kept: dict[str, JSONValue], report: ConversionReport
) -> list[tuple[str, Element]]:
    """Keep the scalars of an array, and give the properties in it."""
    objects: list[tuple[str, Element]] = []
    scalars: dict[str, JSONValue] = {}
    value: JSONValue
    for index, slot in array_elements(array):
        within = element_property(slot)
        if within is not None:
            name = within.get("Name")
            label = f"{path}{index}"
            objects.append((f"{label}.{name}" if name else label, within))
        elif (value := array_member(array, slot, report)) is not None:
            scalars[index] = value if is_finite(value) else str(value)
    if not scalars:
        return objects
    report.mapped("property", len(scalars))
    places = [_INDEX.fullmatch(index) for index in scalars]
    # A list only where no member is missing: filters of the report leave some out, and
    # those behind would move to other places.
    if [place and int(place[1]) for place in places] == list(range(len(scalars))):
        _put(path, list(scalars.values()), kept)
    else:
        for index, value in scalars.items():
            _put(f"{path}{index}", value, kept)
    return objects


def array_member(
    array: Element, slot: Element, report: ConversionReport
) -> bool | float | str | None:
    """
    Read an array element that is a scalar; None for an empty one.

    Args:
        report: takes an entry on a number that is spelled oddly, or is none.
    """
    # Blanks count in a text, and never in a number.
    content = slot.text or ""
    kind = array.get("ElementType")
    if kind == "Boolean":
        return _BOOLEANS.get(content.strip().lower(), content or None)
    if kind != "Number":
        return content or None
    number = read_number(content)
    if number is None:
        return content.strip() or None
    # Members before it may have been taken away, so that its place is the array's.
    record_spelling(report, array, "value", content, at=slot.get("ID"))
    return number


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path and name else path or name


def _put(key: str, value: JSONValue, kept: dict[str, JSONValue]) -> None:
    # Names are unique below one parent; keys are dotted, and a name may hold a dot.
    unique, count = key, 1
    while unique in kept:
        count += 1
        unique = f"{key} #{count}"
    kept[unique] = value if is_finite(value) else str(value)
