"""
Values of any kind as plain JSON, and back to what a translation needs of them.

A live record holds whatever the author of the test put into it. It is written down
before it is translated, so each value is packed: what JSON can say stands as it is,
anything else in an object whose key ``~packed`` names its kind:

=============== ====================================================================
``float``       a number that is not finite
``int``         an integer beyond 64 bits, in hexadecimal
``text``        a text with lone surrogates, as bytes in hexadecimal
``pairs``       a dict with keys that are no text
``object``      an object: the rule that made it plain, its class, the plain value
``unreadable``  an object that gave no plain value, and why
``nested``      a list or dict nested too deeply, or in itself, as text
=============== ====================================================================
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any, cast

import attrs
import msgspec

from rigbridge_openhtf.guarded import ask, told_error
from rigbridge_openhtf.plain_objects import apply_rule, without_address

__all__ = [
    "HIGHEST",
    "LOWEST",
    "MAX_BITS",
    "MAX_DEPTH",
    "NestedValue",
    "ReplacedObject",
    "UnreadableObject",
    "encode_packed",
    "pack",
    "unpack",
]

LOWEST, HIGHEST = -(2**63), 2**64 - 1
"""The integers that every JSON parser here keeps exactly."""

MAX_DEPTH = 40
"""Levels of lists and dicts; the model takes 64, and a list may hold itself."""

MAX_BITS = 4096
"""Up to here an integer keeps its digits as a number."""

_TAG, _VALUE = "~packed", "value"
# An object may give another object as its plain form, and that again, without end.
_MAX_STEPS = 8
_LONG_RULE = f"integer of more than {MAX_BITS} bits, spelled as text"
_KEY_RULE = "keys of one plain form told apart"
_WORDS = frozenset({str, bool, type(None)})
_NUMBERS = frozenset({int, float})
_LEAVES = _WORDS | _NUMBERS
_ROWS = frozenset({list, tuple})
_CONTAINERS = _ROWS | {dict}
# Typed so that a comparison does not narrow Any to a list of unknown members.
_kind_of: Callable[[object], type[object]] = type


@attrs.frozen(eq=False)
class ReplacedObject:
    """A plain value that stood in a record as an object."""

    rule: str
    kind: str
    value: object

    def __str__(self) -> str:
        return str(self.value)


@attrs.frozen(eq=False)
class UnreadableObject:
    """
    An object that gave no plain value.

    Attributes:
        detail: its class and its error, or None.
    """

    reason: str
    detail: str | None = None


@attrs.frozen(eq=False)
class NestedValue:
    """A list or dict that was nested too deeply, as text."""

    text: str


def pack(value: Any) -> object:
    """Make a value plain, whatever it is; no error of an object gets through."""
    # Asked here already, since by far the most are one of these.
    kind = _kind_of(value)
    if kind in _WORDS or (kind in _NUMBERS and LOWEST <= value <= HIGHEST):
        return value
    return _pack(value, 0, set(), _MAX_STEPS)


def _pack(value: Any, depth: int, around: set[int], steps: int) -> object:
    # Exact types: a subclass (numpy.float64, a str Enum) needs a rule.
    kind = _kind_of(value)
    if kind in _WORDS:
        return value
    if kind is float:
        return value if math.isfinite(value) else _tagged("float", repr(value))
    if kind is int:
        return value if LOWEST <= value <= HIGHEST else _pack_long(value)
    if kind in _CONTAINERS:
        return _pack_container(value, depth, around)
    return _pack_object(value, depth, around, steps)


def _pack_object(value: object, depth: int, around: set[int], steps: int) -> object:
    kind = type(value)
    if not steps:
        reason = "its object never turns into a plain value"
        return _tagged("unreadable", [reason, None])
    try:
        rule, result = ask(apply_rule, value)
    except Exception as error:  # noqa: BLE001 - an object of the test may do anything
        return _unreadable(kind, error)
    packed = _pack(result, depth, around, steps - 1)
    if rule is None:
        return packed
    return _tagged("object", [rule, f"{kind.__module__}.{kind.__qualname__}", packed])


def _pack_long(value: int) -> object:
    digits = hex(value)
    if value.bit_length() <= MAX_BITS:
        return _tagged("int", digits)
    # Python refuses to print more than 4300 decimal digits, but not hexadecimal.
    return _tagged("object", [_LONG_RULE, "builtins.int", digits])


def _tagged(tag: str, value: object) -> dict[str, object]:
    return {_TAG: tag, _VALUE: value}


def _unreadable(kind: type, error: Exception) -> dict[str, object]:
    detail = f"{kind.__name__}: {told_error(error)}"
    return _tagged("unreadable", ["its object cannot be read", detail])


def _pack_container(value: Any, depth: int, around: set[int]) -> object:
    kind = _kind_of(value)
    is_dict = kind is dict
    keys_fit = not is_dict or (set(map(type, value)) <= {str} and _TAG not in value)
    # By far the most are plain already, and are taken as they are.
    if (
        keys_fit
        and depth < MAX_DEPTH - 1
        and _is_plain(value.values() if is_dict else value)
    ):
        return value
    if depth >= MAX_DEPTH or id(value) in around:
        try:
            return _tagged("nested", without_address(ask(str, value)))
        except Exception as error:  # noqa: BLE001 - a member may do anything
            return _unreadable(kind, error)
    around.add(id(value))
    try:
        if is_dict:
            return _pack_dict(value, depth, around, keys_fit=keys_fit)
        return [_pack(each, depth + 1, around, _MAX_STEPS) for each in value]
    finally:
        around.discard(id(value))


def _pack_dict(
    value: dict[Any, Any], depth: int, around: set[int], *, keys_fit: bool
) -> object:
    if keys_fit:
        return {
            key: _pack(each, depth + 1, around, _MAX_STEPS)
            for key, each in value.items()
        }
    pairs = [
        [
            _pack(key, depth, around, _MAX_STEPS),
            _pack(each, depth + 1, around, _MAX_STEPS),
        ]
        for key, each in value.items()
    ]
    return _tagged("pairs", pairs)


def _is_plain(members: Iterable[Any]) -> bool:
    """Whether all can be written as they are; asks in few steps of the interpreter."""
    kinds = set(map(type, members))
    if kinds <= _WORDS:
        return True
    if kinds <= _LEAVES:
        if kinds == {float}:
            # Quicker than asking each; a sum that overflows only costs the quickness.
            return math.isfinite(sum(members))
        for each in members:
            # NaN fails this comparison, too; a bool is an int and never fails.
            if isinstance(each, (int, float)) and not LOWEST <= each <= HIGHEST:
                return False
        return True
    # The rows of a measurement with dimensions.
    if not kinds <= _ROWS:
        return False
    cells = list(chain.from_iterable(members))
    return set(map(type, cells)) <= _LEAVES and _is_plain(cells)


def encode_packed(document: object) -> bytes:
    """Write a document of packed values as JSON."""
    try:
        return msgspec.json.encode(document)
    except UnicodeEncodeError:
        # Looked for only now: hardly any text has half a surrogate pair.
        return msgspec.json.encode(_without_surrogates(document))


def _without_surrogates(value: Any) -> object:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return _tagged("text", value.encode("utf-8", "surrogatepass").hex())
        return value
    if isinstance(value, (list, tuple)):
        members = cast("Sequence[object]", value)
        return [_without_surrogates(each) for each in members]
    if not isinstance(value, dict):
        return value
    fields = cast("dict[object, object]", value)
    pairs = [
        (_without_surrogates(key), _without_surrogates(each))
        for key, each in fields.items()
    ]
    if all(type(key) is str for key, _ in pairs):
        return dict(pairs)
    return _tagged("pairs", pairs)


def unpack(value: Any) -> Any:
    """
    Give back a packed value as a translation is to see it.

    Objects come as :class:`ReplacedObject`, :class:`UnreadableObject` or
    :class:`NestedValue`.
    """
    kind = _kind_of(value)
    if kind is list:
        if set(map(type, value)) <= _LEAVES:
            return value
        return [unpack(each) for each in value]
    if kind is not dict:
        return value
    tag = value.get(_TAG)
    if tag is None:
        return {key: unpack(each) for key, each in value.items()}
    content = value.get(_VALUE)
    unpacker = _UNPACKERS.get(tag)
    if unpacker is None:
        raise ValueError(f"holds a value of an unknown kind: {tag!r}")
    return unpacker(content)


def _unpack_pairs(pairs: Any) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for given, each in pairs:
        key = _hashable(unpack(given))
        if key in found:
            # Two objects that have the same plain form were two keys.
            key = ReplacedObject(_KEY_RULE, "key", key)
        found[key] = unpack(each)
    return found


def _hashable(key: Any) -> Any:
    if not isinstance(key, list):
        return key
    parts = cast("list[object]", key)
    return tuple(map(_hashable, parts))


_UNPACKERS: dict[object, Callable[[Any], object]] = {
    "float": float,
    "int": lambda digits: int(digits, 16),
    "text": lambda digits: bytes.fromhex(digits).decode("utf-8", "surrogatepass"),
    "pairs": _unpack_pairs,
    "object": lambda parts: ReplacedObject(parts[0], parts[1], unpack(parts[2])),
    "unreadable": lambda parts: UnreadableObject(*parts),
    "nested": lambda text: NestedValue(unpack(text)),
}
