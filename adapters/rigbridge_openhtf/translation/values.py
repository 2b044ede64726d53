"""
Values of a record to what the run model can hold.

Each rule that changes a value is recorded as coerced under its own name; so is one
that made an object of a live record plain (:mod:`rigbridge_openhtf.packed_values`).
"""

from __future__ import annotations

import json
from typing import TypeAlias, cast

from rigbridge.convert.numbers import is_non_finite, spell
from rigbridge.model import JSONValue, Scalar
from rigbridge_openhtf.packed_values import (
    HIGHEST,
    LOWEST,
    MAX_DEPTH,
    NestedValue,
    ReplacedObject,
    UnreadableObject,
)
from rigbridge_openhtf.plain_objects import without_address
from rigbridge_openhtf.scope import Scope

__all__ = ["PlainValue", "clean", "free_form", "is_collection", "simplify", "text_of"]

PlainValue: TypeAlias = (
    float | int | str | bool | list[object] | dict[object, object] | None
)
"""What :func:`simplify` gives; the members of a list or a dict are still anything."""

_AS_THEY_ARE = frozenset({bool, int, float, type(None), list, dict})
_DEEP_RULE = f"nested deeper than {MAX_DEPTH} levels, spelled as text"


def clean(text: str, scope: Scope, item: str) -> str:
    """Replace what no encoding can write: halves of surrogate pairs."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        scope.coerced(item, "unpaired surrogates replaced")
        # Through UTF-16, which joins the two halves of a pair that stand together.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def text_of(value: object, scope: Scope, item: str) -> str | None:
    """
    Give a field that should be text as text, or None if it is null or blank.

    Numbers and the like are spelled; a list or an object is dropped.
    """
    # Nearly all fields take one of these two branches.
    if value is None:
        return None
    if type(value) is str and value.isascii():
        return value if value.strip() else None
    plain = simplify(value, scope, item)
    if plain is None:
        return None
    if isinstance(plain, (dict, list)):
        scope.dropped(item, "a list or an object where text belongs", plain)
        return None
    if not isinstance(plain, str):
        scope.coerced(item, "spelled as text", plain)
        plain = str(plain)
    text = clean(plain, scope, item)
    return text if text.strip() else None


def free_form(value: object, scope: Scope, item: str, depth: int = 0) -> JSONValue:
    """Make strict JSON of any value, non-finite numbers spelled as text."""
    plain = simplify(value, scope, item)
    if not isinstance(plain, (dict, list)):
        return _scalar(plain, scope, item)
    if depth >= MAX_DEPTH:
        scope.coerced(item, _DEEP_RULE)
        return clean(_spelled(plain, scope, item), scope, item)
    if isinstance(plain, list):
        return [free_form(member, scope, item, depth + 1) for member in plain]
    fields: dict[str, JSONValue] = {}
    for key, member in plain.items():
        name = _key(key, scope, item)
        # In Python 1 and "1" are two keys of one dict.
        while name in fields:
            scope.coerced(item, "keys that spell alike told apart", name)
            name += "'"
        fields[name] = free_form(member, scope, item, depth + 1)
    return fields


def _scalar(plain: Scalar, scope: Scope, item: str) -> JSONValue:
    if is_non_finite(plain):
        scope.coerced(item, "non-finite number spelled as text", plain)
        return str(spell(plain))
    if type(plain) is int and not LOWEST <= plain <= HIGHEST:
        scope.coerced(item, "integer beyond 64 bits written as text", plain)
        return str(plain)
    return plain


def _key(key: object, scope: Scope, item: str) -> str:
    if type(key) is str:
        return clean(key, scope, item)
    plain = simplify(key, scope, item)
    if not isinstance(plain, str):
        scope.coerced(item, "key spelled as text", plain)
        # As the json module spells such keys in OpenHTF's own output.
        keyword = plain is None or isinstance(plain, bool)
        plain = json.dumps(plain) if keyword else str(plain)
    return clean(plain, scope, item)


def simplify(value: object, scope: Scope, item: str) -> PlainValue:
    """
    Bring one value to None, bool, int, float, str, list or dict.

    The members of a list or dict stay as they are.

    Args:
        value: a value of JSON, or what unpacking one gave.
    """
    while True:
        kind = type(value)
        if kind in _AS_THEY_ARE:
            return cast("PlainValue", value)
        if kind is str:
            return clean(cast("str", value), scope, item)
        if isinstance(value, ReplacedObject):
            scope.coerced(item, value.rule, value.kind)
            value = value.value
        elif isinstance(value, UnreadableObject):
            scope.dropped(item, value.reason, value.detail)
            return None
        elif isinstance(value, NestedValue):
            scope.coerced(item, _DEEP_RULE)
            return clean(value.text, scope, item)
        else:
            return list(cast("tuple[object, ...]", value))


def is_collection(value: object) -> bool:
    """Whether a value is a list or an object, or stood in the record as one."""
    while isinstance(value, ReplacedObject):
        value = value.value
    return isinstance(value, (dict, list, tuple, NestedValue))


def _spelled(value: object, scope: Scope, item: str) -> str:
    try:
        return without_address(str(value))
    except Exception as error:  # noqa: BLE001 - an object of the test may do anything
        scope.dropped(item, "its object cannot be read", repr(error))
        return ""
