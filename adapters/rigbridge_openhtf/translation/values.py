"""
Python values of any kind to what the run model can hold, by rule.

A live record holds whatever the author of the test put into it. Each rule that changes
a value is recorded as coerced under its own name; the rules are those of OpenHTF's own
JSON wherever that has one, so that a live record and its JSON say the same.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from fractions import Fraction
from typing import Any, cast

import attrs

from rigbridge.convert.numbers import is_non_finite, spell
from rigbridge_openhtf.scope import Scope

__all__ = ["clean", "free_form", "simplify", "text_of", "without_address"]

_AS_THEY_ARE = frozenset({bool, float, type(None), list, dict})
_MAX_STEPS = 8
_MAX_DEPTH = 40
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_LOWEST, _HIGHEST = -(2**63), 2**64 - 1
_FIELDS_RULE = "object turned into its fields"
_ARRAY_RULE = "array or number of an array library turned into plain numbers"
_KEYWORDS = {True: "true", False: "false", None: "null"}


def without_address(text: str) -> str:
    """Leave the memory addresses out of an object's text; they say nothing later."""
    return _ADDRESS.sub("", text)


def clean(text: str, scope: Scope, item: str) -> str:
    """Replace what no encoding can write: halves of surrogate pairs."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        scope.coerced(item, "unpaired surrogates replaced")
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def text_of(value: Any, scope: Scope, item: str) -> str | None:
    """
    Give a field that should be text as text, or None if it is null or blank.

    Numbers and the like are spelled; a list or an object is left out, recorded.
    """
    if type(value) is str:
        if value.isascii():  # nearly all are
            return value if value.strip() else None
    elif value is None:
        return None
    else:
        value = simplify(value, scope, item)
        if value is None:
            return None
        if isinstance(value, (dict, list)):
            scope.dropped(item, "a list or an object where text belongs", value)
            return None
        if not isinstance(value, str):
            scope.coerced(item, "spelled as text", value)
            value = str(value)
    text = clean(value, scope, item)
    return text if text.strip() else None


def free_form(value: Any, scope: Scope, item: str, depth: int = 0) -> Any:
    """Make strict JSON of any value, non-finite numbers spelled as text."""
    value = simplify(value, scope, item)
    if isinstance(value, float):
        if is_non_finite(value):
            scope.coerced(item, "non-finite number spelled as text", value)
            return spell(value)
        return value
    if not isinstance(value, (dict, list)):
        return value
    if depth >= _MAX_DEPTH:
        rule = f"nested deeper than {_MAX_DEPTH} levels, spelled as text"
        scope.coerced(item, rule)
        return clean(_spelled(cast("object", value), scope, item), scope, item)
    if isinstance(value, list):
        members: list[Any] = value
        return [free_form(member, scope, item, depth + 1) for member in members]
    fields: dict[Any, Any] = value
    plain: dict[str, Any] = {}
    for key, member in fields.items():
        name = _key(key, scope, item)
        while name in plain:
            scope.coerced(item, "keys that spell alike told apart", name)
            name += "'"
        plain[name] = free_form(member, scope, item, depth + 1)
    return plain


def _key(key: Any, scope: Scope, item: str) -> str:
    if type(key) is not str:
        plain = simplify(key, scope, item)
        if not isinstance(plain, str):
            scope.coerced(item, "key spelled as text", plain)
            # As JSON spells them.
            keyword = isinstance(plain, bool) or plain is None
            plain = _KEYWORDS[plain] if keyword else str(plain)
        key = plain
    return clean(cast("str", key), scope, item)


def simplify(value: Any, scope: Scope, item: str) -> Any:
    """
    Bring one value to None, bool, int, float, str, list or dict.

    The members of a list or dict are left as they are.
    """
    kind = type(value)
    if kind in _AS_THEY_ARE or (kind is str and value.isascii()):
        return value  # as nearly all are
    for _ in range(_MAX_STEPS):
        done, value = _step(value, scope, item)
        if done:
            return value
    scope.dropped(item, "its object never turns into a plain value")
    return None


def _step(value: Any, scope: Scope, item: str) -> tuple[bool, Any]:
    """Apply one rule; say whether a plain value is reached."""
    kind: type[Any] = type(value)
    if kind is str:
        return True, clean(value, scope, item)
    if kind is int:
        return True, _bounded(value, scope, item)
    if kind in _AS_THEY_ARE:
        return True, value
    if kind is tuple:
        return True, list(value)
    try:
        rule, plain = _apply_rule(value)
    except Exception as error:  # noqa: BLE001 - an object of the test may do anything
        scope.dropped(item, "its object cannot be read", f"{kind.__name__}: {error!r}")
        return True, None
    if rule is not None:
        scope.coerced(item, rule, f"{kind.__module__}.{kind.__qualname__}")
    return False, plain


def _bounded(value: int, scope: Scope, item: str) -> int | float | str:
    if _LOWEST <= value <= _HIGHEST:
        return value
    try:
        rounded = float(value)
    except OverflowError:
        scope.coerced(item, "integer beyond any float, spelled as text")
        return hex(value)
    scope.coerced(item, "integer beyond 64 bits kept as float", value)
    return rounded


_Rule = tuple[str | None, Any]


def _apply_rule(value: Any) -> _Rule:
    """Name the rule for a value, or None where the change is none; and apply it."""
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
    elif attrs.has(type(value)):
        names = [field.name for field in attrs.fields(type(value))]
    if names is None:
        return "object spelled as text", without_address(str(value))
    return _FIELDS_RULE, {name: getattr(value, name) for name in names}


def _own_form(value: Any) -> _Rule | None:
    """Let an object that knows its plain form give it."""
    if isinstance(value, type):
        return None
    if hasattr(value, "as_base_types"):
        return None, value.as_base_types()
    if hasattr(value, "_asdict"):
        return None, dict(value._asdict())
    if callable(getattr(value, "tolist", None)):
        return _ARRAY_RULE, value.tolist()
    return None


def _enumeration(value: Enum) -> _Rule:
    if hasattr(value, "as_base_types"):
        return "member of an enumeration by its value", cast(
            "Any", value
        ).as_base_types()
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


def _members(value: set[Any] | frozenset[Any]) -> list[Any]:
    return sorted(value, key=repr)


def _plain_text(value: str) -> str:
    return "".join(value)


_RULES: tuple[tuple[type | tuple[type, ...], str | None, Callable[[Any], Any]], ...] = (
    (str, "text of a class of its own turned into plain text", _plain_text),
    (int, "number of a class of its own turned into a plain number", int),
    (float, "number of a class of its own turned into a plain number", float),
    (Decimal, "decimal number turned into a float", float),
    (Fraction, "fraction turned into a float", float),
    ((datetime, date, time), "time written as ISO 8601", lambda v: v.isoformat()),
    (timedelta, "duration turned into seconds", lambda v: v.total_seconds()),
    (
        (bytes, bytearray, memoryview),
        "bytes written as text, or in hexadecimal where they are none",
        _bytes,
    ),
    (Mapping, None, dict),
    ((list, tuple), None, list),
    ((set, frozenset), "set turned into a sorted list", _members),
)


def _spelled(value: object, scope: Scope, item: str) -> str:
    try:
        return without_address(str(value))
    except Exception as error:  # noqa: BLE001 - an object of the test may do anything
        scope.dropped(item, "its object cannot be read", repr(error))
        return ""
