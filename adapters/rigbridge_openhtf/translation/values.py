"""
Python values of any kind to what the run model can hold, by rule.

A live record holds whatever the author of the test put into it. Each rule that changes
a value is recorded as coerced under its own name. The rules are those of OpenHTF's own
JSON wherever that has one, so that a live record and its JSON give the same.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from fractions import Fraction
from typing import Any, TypeAlias, cast

import attrs

from rigbridge.convert.numbers import is_non_finite, spell
from rigbridge.model import JSONValue
from rigbridge_openhtf.scope import Scope

__all__ = ["PlainValue", "clean", "free_form", "simplify", "text_of", "without_address"]

PlainValue: TypeAlias = (
    float | int | str | bool | list[object] | dict[object, object] | None
)
"""What :func:`simplify` gives; the members of a list or a dict are still anything."""

_AS_THEY_ARE = frozenset({bool, float, type(None), list, dict})
# An object may give another object as its plain form, and that again, without end.
_MAX_STEPS = 8
# The model takes 64 levels; a list may also hold itself.
_MAX_DEPTH = 40
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_LOWEST, _HIGHEST = -(2**63), 2**64 - 1
_FIELDS_RULE = "object turned into its fields"
_ARRAY_RULE = "array or number of an array library turned into plain numbers"


def without_address(text: str) -> str:
    """Remove memory addresses from the text of an object: they differ in each run."""
    return _ADDRESS.sub("", text)


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
    if isinstance(plain, float):
        if is_non_finite(plain):
            scope.coerced(item, "non-finite number spelled as text", plain)
            return str(spell(plain))
        return plain
    if not isinstance(plain, (dict, list)):
        return plain
    if depth >= _MAX_DEPTH:
        rule = f"nested deeper than {_MAX_DEPTH} levels, spelled as text"
        scope.coerced(item, rule)
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
    """
    for _ in range(_MAX_STEPS):
        kind = type(value)
        # Exact types: a subclass (numpy.float64, a str Enum) needs a rule.
        if kind in _AS_THEY_ARE:
            return cast("PlainValue", value)
        if kind is str:
            return clean(cast("str", value), scope, item)
        if kind is int:
            return _bounded(cast("int", value), scope, item)
        if kind is tuple:
            return list(cast("tuple[object, ...]", value))
        try:
            rule, value = _apply_rule(value)
        except Exception as error:  # noqa: BLE001 - an object of the test may do anything
            detail = f"{kind.__name__}: {error!r}"
            scope.dropped(item, "its object cannot be read", detail)
            return None
        if rule is not None:
            scope.coerced(item, rule, f"{kind.__module__}.{kind.__qualname__}")
    scope.dropped(item, "its object never turns into a plain value")
    return None


def _bounded(value: int, scope: Scope, item: str) -> int | float | str:
    if _LOWEST <= value <= _HIGHEST:
        return value
    try:
        rounded = float(value)
    except OverflowError:
        scope.coerced(item, "integer beyond any float, spelled as text")
        # Python refuses to print more than 4300 decimal digits, but not in hexadecimal.
        return hex(value)
    scope.coerced(item, "integer beyond 64 bits kept as float", value)
    return rounded


_Result: TypeAlias = tuple[str | None, object]
"""The name of the rule, or None where nothing changes for a reader; and the result."""


def _apply_rule(value: object) -> _Result:
    # Before the form of its own: only an enumeration's value or name says what it is.
    if isinstance(value, Enum):
        return _enumeration(value)
    plain = _own_form(value)
    if plain is not None:
        return plain
    for kind, rule, convert in _RULES:
        if isinstance(value, kind):
            return rule, convert(value)
    names: list[str] | None = None
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
    elif attrs.has(kind := type(value)):
        names = [field.name for field in attrs.fields(kind)]
    if names is None:
        return "object spelled as text", without_address(str(value))
    return _FIELDS_RULE, {name: getattr(value, name) for name in names}


def _own_form(value: object) -> _Result | None:
    """Ask an object that knows its plain form for it, as OpenHTF's JSON does."""
    # A class has these methods too, but they need an instance.
    if isinstance(value, type):
        return None
    if convert := getattr(value, "as_base_types", None):
        return None, convert()
    if convert := getattr(value, "_asdict", None):
        return None, dict(convert())
    # NumPy's arrays and scalars, and those of libraries that copy its interface.
    if callable(convert := getattr(value, "tolist", None)):
        return _ARRAY_RULE, convert()
    return None


def _enumeration(value: Enum) -> _Result:
    convert = getattr(value, "as_base_types", None)
    if convert is not None:
        return "member of an enumeration by its value", convert()
    if isinstance(value, StrEnum):
        return "member of an enumeration by its value", value.value
    return "member of an enumeration by its name", value.name


def _bytes(value: bytes | bytearray | memoryview) -> str:
    content = bytes(value)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return content.hex()
    return text if text.isprintable() else content.hex()


# The converters take Any: each is called only with a value of the types beside it.
_Rule: TypeAlias = tuple[type | tuple[type, ...], str | None, Callable[[Any], object]]
_RULES: tuple[_Rule, ...] = (
    (str, "text of a class of its own turned into plain text", "".join),
    (int, "number of a class of its own turned into a plain number", int),
    (float, "number of a class of its own turned into a plain number", float),
    (Decimal, "decimal number turned into a float", float),
    (Fraction, "fraction turned into a float", float),
    ((datetime, date, time), "time written as ISO 8601", lambda v: v.isoformat()),
    (timedelta, "duration turned into seconds", timedelta.total_seconds),
    (
        (bytes, bytearray, memoryview),
        "bytes written as text, or in hexadecimal where they are none",
        _bytes,
    ),
    (Mapping, None, dict),
    ((list, tuple), None, list),
    # Sets have no order: sorted, two readings of one record are the same.
    ((set, frozenset), "set turned into a sorted list", lambda v: sorted(v, key=repr)),
)


def _spelled(value: object, scope: Scope, item: str) -> str:
    try:
        return without_address(str(value))
    except Exception as error:  # noqa: BLE001 - an object of the test may do anything
        scope.dropped(item, "its object cannot be read", repr(error))
        return ""
