"""
Data of ATML to values: ``Datum``, and elements without a field in the model.

Of the latter the attributes, texts and data are kept by dotted keys.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeAlias

from rigbridge.model import JSONValue, Scalar
from rigbridge_teststand.atml.account import RunAccount
from rigbridge_teststand.atml.data.data_types import (
    DATA_TYPES,
    QUALITY,
    RADIX,
    TYPE_ATTRIBUTES,
    inner_text,
    read_typed,
    unescape,
)
from rigbridge_teststand.atml.data.indexed_arrays import (
    ARRAY,
    IndexedArray,
    is_of_collections,
    spelled,
)
from rigbridge_teststand.atml.data.units import UNIT_ATTRIBUTES, unit_of
from rigbridge_teststand.atml.forms import SCHEMA_TYPE, Form, record_unread
from rigbridge_teststand.atml.local_names import (
    LOCAL_NAMES,
    all_text,
    attribute,
    attributes_of,
    child,
    child_elements,
    read_text,
)
from rigbridge_teststand.xml.elements import Element

__all__ = [
    "DATA",
    "DATUM",
    "Value",
    "flatten",
    "keep_rest",
    "put",
    "put_datum",
    "read_datum",
    "value_of",
]

DATA = frozenset({"Datum", "IndexedArray", "Collection"})
"""The local names of data elements."""

Value: TypeAlias = tuple[Any, str | None, dict[str, JSONValue]]
"""A value, its unit or None, and the other content of the datum as strict JSON."""

_TEXT = Form(has_text=True)
_STATED = Form(attributes=frozenset({"value", SCHEMA_TYPE}))
DATUM = Form(
    attributes=UNIT_ATTRIBUTES
    | TYPE_ATTRIBUTES
    | {"value", "isEscaped", "real", "imaginary"},
    children={
        **QUALITY,
        "Value": _TEXT,
        "EnumValue": _TEXT,
        "NumericValue": _STATED,
        "IsValid": _STATED,
    },
    once=frozenset({"Value", "EnumValue", "NumericValue", "IsValid"}),
    has_text=True,
    unless=frozenset({"value", "Value", "EnumValue", "real", "imaginary"}),
)
"""What is read of a ``Datum``."""

_HIDDEN = frozenset({SCHEMA_TYPE, "flags"})
_IS_ESCAPED = frozenset({"true", "1"})


def read_datum(datum: Element, account: RunAccount) -> Value:
    """
    Read a ``Datum``.

    Args:
        account: where a value that does not fit its type is recorded.
    """
    given = attributes_of(datum)
    kind = DATA_TYPES[given.get(SCHEMA_TYPE) or given.get("type") or ""]
    return value_of(datum, kind, given, account)


def value_of(
    datum: Element, kind: str, given: dict[str, str], account: RunAccount
) -> Value:
    """
    Read a ``Datum`` whose attributes are known.

    Args:
        account: where a value that does not fit its type is recorded.
    """
    details: dict[str, JSONValue] = {}
    for below in child_elements(datum):
        name = LOCAL_NAMES[below.tag]
        if name in QUALITY:
            flatten(below, name, details, account)
        elif name == "Value" and "value" in given:
            put(details, "value_text", all_text(below), account)
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
    return value, unit_of(given, details), details


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
    element: Element,
    prefix: str,
    into: dict[str, JSONValue],
    account: RunAccount,
    hidden: frozenset[str] = frozenset(),
) -> None:
    """
    Keep all of an element without a field: its attributes, texts and data.

    Args:
        hidden: attributes of the element itself that the reader has read already.
    """
    # A stack instead of recursion: extensions nest as deep as they like.
    pending = [(prefix, element)]
    while pending:
        path, node = pending.pop()
        name = LOCAL_NAMES[node.tag]
        if name == "Datum":
            put_datum(into, path, node, account)
            continue
        if name == "IndexedArray" and not is_of_collections(node):
            _put_array(into, path, node, account)
            continue
        _put_attributes(into, path, node, hidden, account)
        hidden = frozenset()
        if (text := read_text(node)) is not None:
            put(into, path, text, account)
        if not len(node) and text is None and node.keys() in ([], [_IN_PATH.get(name)]):
            # That it is there says something, too.
            into.setdefault(path, "")
        elif len(node):
            inner = child_elements(node)
            for below in inner:
                if below.tail and not below.tail.isspace():
                    put(into, path, below.tail.strip(), account)
            pending += [(_path_of(below, path), below) for below in inner[::-1]]


def _put_attributes(
    into: dict[str, JSONValue],
    path: str,
    node: Element,
    hidden: frozenset[str],
    account: RunAccount,
) -> None:
    # The name of an item is part of the path already, and so is a place.
    in_path = _IN_PATH.get(LOCAL_NAMES[node.tag])
    for key, given in attributes_of(node).items():
        if key not in _HIDDEN and key not in hidden and key != in_path:
            put(into, f"{path}.{key.rpartition('}')[2]}", given.strip(), account)


_IN_PATH = {"Item": "name", "Element": "position"}


def keep_rest(
    element: Element,
    prefix: str,
    into: dict[str, JSONValue],
    account: RunAccount,
    read: Collection[str | Element],
) -> None:
    """
    Keep whatever of an element its reader did not read.

    Args:
        read: the names of the attributes, and the children, that were read.
    """
    for key, given in attributes_of(element).items():
        if key not in read and key not in _HIDDEN and given.strip():
            put(into, f"{prefix}.{key.rpartition('}')[2]}", given, account)
    if (text := read_text(element)) is not None and "" not in read:
        put(into, prefix, text, account)
    inner = child_elements(element)
    texts = account.texts.get(element, {})
    for at, below in enumerate(inner):
        for text in texts.get(at, ()):
            put(into, prefix, text, account)
        if below.tail and not below.tail.isspace():
            put(into, prefix, below.tail.strip(), account)
        if below not in read:
            flatten(below, _path_of(below, prefix), into, account)
    for text in texts.get(len(inner), ()):
        put(into, prefix, text, account)


def _path_of(element: Element, path: str) -> str:
    """Give the path of an element below a path."""
    name = LOCAL_NAMES[element.tag]
    if name in DATA:
        return path
    if name == "Item":
        return f"{path}.{attribute(element, 'name') or 'Item'}"
    if name == "Element" and (position := attribute(element, "position")):
        return f"{path}{position}"
    return f"{path}.{name}"


def put_datum(
    into: dict[str, JSONValue], key: str, datum: Element, account: RunAccount
) -> None:
    """Keep a datum: its value, unit and details by keys that begin with its own."""
    value, unit, details = read_datum(datum, account)
    put(into, key, value, account)
    into.setdefault(key, value if value == "" else None)
    if unit is not None:
        put(into, f"{key}.unit", unit, account)
    for name, detail in details.items():
        into[f"{key}.{name}"] = detail
    record_unread(datum, DATUM, account)


def _put_array(
    into: dict[str, JSONValue], key: str, element: Element, account: RunAccount
) -> None:
    members = IndexedArray(element, account)
    shown = {
        "".join(f"[{index}]" for index in position): spelled(value)
        for position, value in members.cells().members.items()
    }
    put(into, key, shown, account)
    details = members.details
    if members.unit is not None:
        put(into, f"{key}.unit", members.unit, account)
    for below in child_elements(element):
        if LOCAL_NAMES[below.tag] in QUALITY:
            flatten(below, LOCAL_NAMES[below.tag], details, account)
    for name, detail in details.items():
        into[f"{key}.{name}"] = detail
    record_unread(element, ARRAY, account)


def put(into: dict[str, JSONValue], key: str, value: Any, account: RunAccount) -> None:
    """
    Keep a value without a field, unless it is blank.

    Args:
        into: takes it; a key that is taken gets a number.
    """
    if value is None or value in ("", {}):
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
