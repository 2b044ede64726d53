"""
Objects of any kind to plain values, by rule.

The rules are those of OpenHTF's own JSON wherever that has one, so that a live record
and its JSON give the same.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from fractions import Fraction
from typing import Any, TypeAlias

import attrs

__all__ = ["apply_rule", "without_address"]

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_FIELDS_RULE = "object turned into its fields"
_ARRAY_RULE = "array or number of an array library turned into plain numbers"

_Result: TypeAlias = tuple[str | None, object]


def without_address(text: str) -> str:
    """Remove memory addresses from the text of an object: they differ in each run."""
    return _ADDRESS.sub("", text)


def apply_rule(value: object) -> _Result:
    """
    Bring an object one step nearer to a plain value.

    Returns:
        The name of the rule, or None where nothing changes for a reader; and what it
        gave, which may be an object again.

    Raises:
        Exception: the object's own code failed.
    """
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
    ((datetime, date, time), "time written as OpenHTF's JSON spells it", str),
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
