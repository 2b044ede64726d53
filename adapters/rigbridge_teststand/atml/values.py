"""
Data of ATML: ``Datum``, ``IndexedArray`` and ``Collection``.

The local part of ``xsi:type`` says the kind of value, whether in the common or in
TestStand's namespace (``c:double``, ``ts:TS_double``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import attrs

from rigbridge.adapters import ConversionReport
from rigbridge_teststand.arrays import Cells
from rigbridge_teststand.atml.names import (
    all_text,
    attribute,
    child,
    children,
    local,
    read_text,
)
from rigbridge_teststand.documents import place_of
from rigbridge_teststand.element import Element
from rigbridge_teststand.numbers import read_number

__all__ = [
    "Value",
    "flatten",
    "is_data",
    "kind_of",
    "read_cells",
    "read_datum",
    "spelled",
    "unescape",
]

_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_DATA = frozenset({"Datum", "IndexedArray", "Collection"})
_RADIX = {"octal": 8, "binary": 2, "hexadecimal": 16}
_WHOLE = frozenset({"integer", "long", "unsignedInteger", "unsignedLong", "int"})
_NUMERIC = _WHOLE | {"double", "float", "decimal"}
_PREFIX = re.compile(r"^([+-]?)0[xXbBcCoO]")
_INTEGER = re.compile(r"-?\d+")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}
_QUALITY = frozenset({"Resolution", "ErrorLimits", "Range", "Confidence"})


@attrs.frozen(kw_only=True)
class Value:
    """
    A datum.

    Attributes:
        value: a number, text, bool or None.
        unit: its unit as spelled, or None.
        attributes: what else the datum says, as strict JSON.
    """

    value: Any
    unit: str | None = None
    attributes: dict[str, Any] = attrs.field(factory=dict)


def kind_of(element: Element) -> str:
    """Give the type of a datum, array or collection without prefixes."""
    declared = element.get(_TYPE) or attribute(element, "type") or ""
    return declared.rpartition(":")[2].removeprefix("TS_")


def is_data(name: str) -> bool:
    """Whether an element of this local name holds data."""
    return name in _DATA


def unescape(text: str) -> str:
    r"""Undo the escapes of a text that is marked as escaped (``\r``, ``\\``)."""
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[0]), text)


def _unit(datum: Element) -> str | None:
    for name in ("unit", "nonStandardUnit", "standardUnit"):
        unit = attribute(datum, name)
        if unit is not None:
            return unit
    return None


def read_datum(datum: Element, report: ConversionReport) -> Value:
    """
    Read a ``Datum``.

    Args:
        datum: the element.
        report: where a value that does not fit its type is recorded.
    """
    kind = kind_of(datum)
    further = _quality(datum, report)
    special = _SPECIAL[kind](datum, further) if kind in _SPECIAL else None
    if special is not None:
        return Value(value=special, unit=_unit(datum), attributes=further)
    text = datum.get("value")
    if text is None:
        text = _inner(datum)
        if text is not None and attribute(datum, "isEscaped") in ("true", "1"):
            text = unescape(text)
    value = _typed(kind, text, datum, report)
    if kind in _RADIX and isinstance(value, int):
        further["spelled"] = text
    return Value(value=value, unit=_unit(datum), attributes=further)


def _quality(datum: Element, report: ConversionReport) -> dict[str, Any]:
    further: dict[str, Any] = {}
    if (given := attribute(datum, "unitQualifier")) is not None:
        further["unitQualifier"] = given
    if len(datum):
        for name, below in children(datum):
            if name in _QUALITY:
                flatten(below, name, further, report)
    return further


def _complex(datum: Element, further: dict[str, Any]) -> str:
    real, imaginary = attribute(datum, "real"), attribute(datum, "imaginary")
    further.update(real=real, imaginary=imaginary)
    sign = "" if (imaginary or "").startswith("-") else "+"
    return f"{real or 0}{sign}{imaginary or 0}i"


def _enumeration(datum: Element, further: dict[str, Any]) -> str | None:
    for key, name in (("enum_number", "NumericValue"), ("enum_valid", "IsValid")):
        if (given := attribute(child(datum, name), "value")) is not None:
            further[key] = given
    return read_text(child(datum, "EnumValue"))


_SPECIAL = {"complex": _complex, "enum": _enumeration}


def _inner(datum: Element) -> str | None:
    value = child(datum, "Value")
    if value is not None:
        return all_text(value)
    # Some producers write the text right inside.
    return None if len(datum) else read_text(datum)


def _typed(
    kind: str, text: str | None, place: Element, report: ConversionReport
) -> Any:
    """Turn the text of a value into a value of its kind."""
    if text is None:
        return None
    if kind in _NUMERIC or kind in _RADIX:
        stripped = text.strip()
        number = _number(kind, stripped)
        if number is None and stripped:
            report.coerced(
                "value",
                "no number, kept as text",
                place=place_of(place),
                detail=text,
            )
            return text
        return number
    if kind == "boolean":
        lower = text.strip().lower()
        return lower in ("true", "1") if lower in ("true", "false", "1", "0") else text
    return text


def _number(kind: str, text: str) -> float | int | None:
    base = _RADIX.get(kind)
    if base is not None:
        try:
            return int(_PREFIX.sub(r"\1", text), base)
        except ValueError:
            return None
    number = read_number(text)
    if kind == "double" and isinstance(number, int):
        return number
    if isinstance(number, float) and kind in _WHOLE and number.is_integer():
        return int(number)
    return number


def read_cells(array: Element, report: ConversionReport) -> Cells:
    """Read the members of an ``IndexedArray``, placed by their positions."""
    kind = kind_of(array).removesuffix("Array")
    dimensions = _INTEGER.findall(attribute(array, "dimensions") or "")
    members: dict[tuple[int, ...], Any] = {}
    listed = 0
    for name, element in children(array):
        if name != "Element":
            continue
        position = tuple(map(int, _INTEGER.findall(element.get("position") or "")))
        if not position:
            position = (listed,)
        listed += 1
        text = element.get("value")
        if text is None:
            text = _inner(element)
        if position in members:
            report.dropped(
                "array member", "repeats a position", place=place_of(element)
            )
            continue
        members[position] = _typed(kind, text, element, report)
    rank = max(map(len, members), default=len(dimensions) or 1)
    for position in [key for key in members if len(key) != rank]:
        report.dropped(
            "array member",
            "has a position of another shape",
            place=place_of(array),
            detail=str(position),
        )
        del members[position]
    _fill(array, members, rank, dimensions, report)
    return Cells(rank=rank, members=members)


def _fill(
    array: Element,
    members: dict[tuple[int, ...], Any],
    rank: int,
    dimensions: list[str],
    report: ConversionReport,
) -> None:
    """Give the members that are not listed the default that the array states."""
    default = child(array, "DefaultElementValue")
    if default is None or rank != 1 or len(dimensions) != 1:
        return
    text = default.get("value")
    if text is None:
        text = _inner(default)
    value = _typed(kind_of(array).removesuffix("Array"), text, default, report)
    # The stated size is the file's word alone; it is never trusted far.
    for index in range(min(int(dimensions[0]), 2 * len(members) + 64)):
        members.setdefault((index,), value)


def flatten(
    element: Element,
    prefix: str,
    into: dict[str, Any],
    report: ConversionReport,
) -> None:
    """
    Keep an element of no field of its own: its attributes, texts and data.

    Args:
        element: the element.
        prefix: what the keys begin with.
        into: takes the values by dotted key.
        report: where each is recorded.
    """
    pending = [(prefix, element)]
    while pending:
        path, node = pending.pop()
        name = local(node)
        if name == "Datum":
            found = read_datum(node, report)
            _put(into, path, found.value, report)
            if found.unit is not None:
                into[f"{path}.unit"] = found.unit
            continue
        if name == "IndexedArray":
            cells = read_cells(node, report)
            shown = {
                "".join(f"[{index}]" for index in position): spelled(value)
                for position, value in cells.members.items()
            }
            _put(into, path, shown, report)
            continue
        for key, value in node.attrib.items():
            short = str(key).rpartition("}")[2]
            if short not in ("type", "flags") and str(value).strip():
                _put(into, f"{path}.{short}", str(value), report)
        text = read_text(node)
        if text is not None:
            _put(into, path, text, report)
        pending.extend(reversed(list(_below(path, node))))


def _below(path: str, node: Element) -> Iterator[tuple[str, Element]]:
    for name, below in children(node):
        if is_data(name):
            yield path, below
        elif name == "Item":
            yield f"{path}.{attribute(below, 'name') or 'Item'}", below
        else:
            yield f"{path}.{name}", below


def _put(into: dict[str, Any], key: str, value: Any, report: ConversionReport) -> None:
    if value is None or value == "":
        return
    unique, count = key, 1
    while unique in into:
        count += 1
        unique = f"{key} #{count}"
    report.mapped("property")
    into[unique] = spelled(value)


def spelled(value: Any) -> Any:
    """Give a value that strict JSON holds: a non-finite number as its text."""
    if isinstance(value, float) and value - value != 0:
        return str(value)
    return value
