"""
Data of ATML to values: ``Datum``, and elements without a field in the model.

Of the latter the attributes, texts and data are kept by dotted keys.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from rigbridge.model import JSONValue, Scalar
from rigbridge_teststand.atml.account import RunAccount
from rigbridge_teststand.atml.data.data_types import (
    DATA_TYPES,
    RADIX,
    TYPE,
    inner_text,
    read_typed,
    unescape,
)
from rigbridge_teststand.atml.data.indexed_arrays import IndexedArray
from rigbridge_teststand.atml.local_names import (
    LOCAL_NAMES,
    attribute,
    attributes_of,
    child,
    child_elements,
    read_text,
)
from rigbridge_teststand.xml.elements import Element

__all__ = ["DATA", "Value", "flatten", "read_datum", "spelled", "value_of"]

DATA = frozenset({"Datum", "IndexedArray", "Collection"})
"""The local names of data elements."""

Value: TypeAlias = tuple[Any, str | None, dict[str, JSONValue]]
"""A value, its unit or None, and the other content of the datum as strict JSON."""

_UNITS = ("unit", "nonStandardUnit", "standardUnit")
_QUALITY = frozenset({"Resolution", "ErrorLimits", "Range", "Confidence"})
_HIDDEN = frozenset({"type", "flags"})
_IS_ESCAPED = frozenset({"true", "1"})


def read_datum(datum: Element, account: RunAccount) -> Value:
    """
    Read a ``Datum``.

    Args:
        datum: the element.
        account: where a value that does not fit its type is recorded.
    """
    given = attributes_of(datum)
    kind = DATA_TYPES[given.get(TYPE) or given.get("type") or ""]
    return value_of(datum, kind, given, account)


def value_of(
    datum: Element, kind: str, given: dict[str, str], account: RunAccount
) -> Value:
    """
    Read a ``Datum`` whose attributes are known.

    Args:
        datum: the element.
        kind: the kind of its type.
        given: its attributes.
        account: where a value that does not fit its type is recorded.
    """
    details: dict[str, JSONValue] = {}
    if "unitQualifier" in given and (qualifier := given["unitQualifier"].strip()):
        details["unitQualifier"] = qualifier
    for below in child_elements(datum):
        name = LOCAL_NAMES[below.tag]
        if name in _QUALITY:
            flatten(below, name, details, account)
    value: Scalar = _SPECIAL[kind](datum, details) if kind in _SPECIAL else None
    if value is None:
        text = given.get("value")
        if text is None:
            text = inner_text(datum)
            if text is not None and given.get("isEscaped", "").strip() in _IS_ESCAPED:
                text = unescape(text)
        value = read_typed(kind, text, datum, account)
        # The digits tell more than the number, for instance of a bit mask.
        if kind in RADIX and isinstance(value, int):
            details["spelled"] = text
    for name in _UNITS:
        if name in given and (unit := given[name].strip()):
            # The first of the three attributes counts.
            return value, unit, details
    return value, None, details


def _complex(datum: Element, details: dict[str, JSONValue]) -> str:
    real, imaginary = attribute(datum, "real"), attribute(datum, "imaginary")
    details.update(real=real, imaginary=imaginary)
    sign = "" if (imaginary or "").startswith("-") else "+"
    return f"{real or 0}{sign}{imaginary or 0}i"


def _enumeration(datum: Element, details: dict[str, JSONValue]) -> str | None:
    for key, name in (("enum_number", "NumericValue"), ("enum_valid", "IsValid")):
        if (given := attribute(child(datum, name), "value")) is not None:
            details[key] = given
    return read_text(child(datum, "EnumValue"))


_SPECIAL: dict[str, Callable[[Element, dict[str, JSONValue]], str | None]] = {
    "complex": _complex,
    "enum": _enumeration,
}


def flatten(
    element: Element, prefix: str, into: dict[str, JSONValue], account: RunAccount
) -> None:
    """
    Keep an element without a field: its attributes, texts and data.

    Args:
        element: the element.
        prefix: what the keys begin with.
        into: takes the values by dotted key.
        account: takes an entry for each.
    """
    if LOCAL_NAMES[element.tag] == "Datum":
        _put_datum(into, prefix, element, account)
        return
    # A stack instead of recursion: extensions nest as deep as they like.
    pending = [(prefix, element)]
    while pending:
        path, node = pending.pop()
        name = LOCAL_NAMES[node.tag]
        if name == "Datum":
            _put_datum(into, path, node, account)
            continue
        if name == "IndexedArray":
            shown = {
                "".join(f"[{index}]" for index in position): spelled(value)
                for position, value in IndexedArray(node, account)
                .cells()
                .members.items()
            }
            _put(into, path, shown, account)
            continue
        for key, given in attributes_of(node).items():
            short = key.rpartition("}")[2]
            # The name of an item is part of the path already.
            is_in_path = short in _HIDDEN or (short == "name" and name == "Item")
            if not is_in_path and given.strip():
                _put(into, f"{path}.{short}", given, account)
        text = read_text(node)
        if text is not None:
            _put(into, path, text, account)
        if len(node):
            inner = child_elements(node)[::-1]
            pending += [(_path_of(below, path), below) for below in inner]


def _path_of(element: Element, path: str) -> str:
    """Give the path of an element below a path."""
    name = LOCAL_NAMES[element.tag]
    if name in DATA:
        return path
    if name == "Item":
        return f"{path}.{attribute(element, 'name') or 'Item'}"
    return f"{path}.{name}"


def _put_datum(
    into: dict[str, JSONValue], key: str, datum: Element, account: RunAccount
) -> None:
    value, unit, _ = read_datum(datum, account)
    _put(into, key, value, account)
    if unit is not None:
        into[f"{key}.unit"] = unit


def _put(into: dict[str, JSONValue], key: str, value: Any, account: RunAccount) -> None:
    if value is None or value == "":
        return
    if key in into:
        key = _numbered(key, into)
    account.mapped["property"] += 1
    into[key] = spelled(value)


def _numbered(key: str, into: dict[str, JSONValue]) -> str:
    """Number a key that is taken."""
    count = 2
    while (unique := f"{key} #{count}") in into:
        count += 1
    return unique


def spelled(value: Any) -> Any:
    """Give a value for strict JSON: a number that is not finite as text."""
    if isinstance(value, float) and value - value != 0:
        return str(value)
    return value
