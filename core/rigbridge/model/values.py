"""
The types of values that the model carries, and the checks on them.

JSON values stay strict JSON: no NaN and no infinity. A reader that meets one in
free-form data spells it as text and records that as coerced.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

import attrs

from rigbridge.errors import ModelError

__all__ = [
    "Field",
    "JSONObject",
    "JSONScalar",
    "JSONValue",
    "Scalar",
    "are_texts",
    "as_path_text",
    "as_texts",
    "as_tuple",
    "aware_or_none",
    "by",
    "check_fields",
    "count_or_none",
    "empty_object",
    "fail",
    "is_",
    "is_aware",
    "is_finite",
    "is_flat_object",
    "is_text",
    "json_object",
    "json_problem",
    "optional_text",
    "same_value",
    "sha256_or_none",
    "text",
    "tuple_of",
    "word_of",
]

Scalar: TypeAlias = float | int | str | bool | None
"""One value of a measurement or of a series; floats may be non-finite."""

JSONScalar: TypeAlias = float | int | str | bool | None
"""One value of strict JSON; floats are finite."""

if TYPE_CHECKING:
    JSONValue: TypeAlias = (
        JSONScalar | Sequence["JSONValue"] | Mapping[str, "JSONValue"]
    )
else:
    # What resolves annotations at run time cannot follow the recursion.
    JSONValue: TypeAlias = Any
"""Any value of strict JSON: scalars, lists and objects with text keys."""

JSONObject: TypeAlias = Mapping[str, JSONValue]
"""An object of strict JSON."""

# A bare ``dict``, since ``dict[str, JSONValue]`` takes longer to call.
empty_object: Callable[[], JSONObject] = dict
"""Make an empty object; the default of fields that hold one."""

_SCALARS = frozenset({str, int, float, bool, type(None)})
_CHECK = "check"
_MAX_DEPTH = 64
_SHA256 = re.compile(r"[0-9a-f]{64}")

_Member = TypeVar("_Member")
Field: TypeAlias = "attrs.Attribute[Any]"
"""A field of a class, whatever it holds."""

_Check: TypeAlias = Callable[[object, Field, Any], None]


def fail(
    instance: object,
    attribute: Field,
    message: str,
    *,
    remedy: str | None = None,
) -> ModelError:
    """Make the error that names the class and the field."""
    path = f"{type(instance).__name__}.{attribute.name}"
    return ModelError(message, path=path, remedy=remedy)


def by(check: _Check) -> dict[str, _Check]:
    """
    Attach a check to a field without running it on every creation.

    For the classes that a report holds by the hundred: they ask one quick question
    in ``__attrs_post_init__`` and run :func:`check_fields` only where it fails.
    """
    return {_CHECK: check}


def check_fields(instance: attrs.AttrsInstance) -> None:
    """
    Run the checks of every field, in order.

    Raises:
        ModelError: a field of the wrong kind; the error names it.
    """
    for attribute in attrs.fields(type(instance)):
        attribute.metadata[_CHECK](
            instance, attribute, getattr(instance, attribute.name)
        )


def is_(*types: type) -> _Check:
    """Check that a field is an instance of one of the types."""
    expected = " or ".join("None" if t is type(None) else t.__name__ for t in types)

    def check(instance: object, attribute: Field, value: object) -> None:
        if not isinstance(value, types):
            found = type(value).__name__
            raise fail(instance, attribute, f"must be {expected}, not {found}")

    return check


def word_of(words: type[StrEnum]) -> _Check:
    """Check that a field is a member of an enumeration."""

    def check(instance: object, attribute: Field, value: object) -> None:
        if not isinstance(value, words):
            message = f"must be one of {', '.join(words)}, not {_shown(value)}"
            raise fail(instance, attribute, message)

    return check


def _shown(value: object) -> str:
    return repr(str(value)) if isinstance(value, str) else type(value).__name__


def is_text(value: object) -> bool:
    """Whether a value is a text with a character that is not a blank."""
    return type(value) is str and bool(value) and not value.isspace()


def is_finite(value: object) -> bool:
    """Whether a value is a finite number, and no bool."""
    return type(value) is int or (type(value) is float and math.isfinite(value))


def is_flat_object(value: JSONValue, levels: int = 1) -> bool:
    """
    Whether a value is a JSON object of scalars, as most are; quickly answered.

    Args:
        value: the value.
        levels: how deep further such objects may lie in it.
    """
    if not isinstance(value, dict):
        return False
    for key, item in value.items():
        kind = type(item)
        if type(key) is not str:
            return False
        if kind not in _SCALARS and not (levels and is_flat_object(item, levels - 1)):
            return False
        # A number less itself is zero, unless it is infinite or NaN.
        if isinstance(item, float) and item - item:
            return False
    return True


def are_texts(values: Iterable[object]) -> bool:
    """Whether all members are texts; they may be blank."""
    # A loop, since a set would be made of the members to compare it with another.
    for value in values:  # noqa: SIM110 - a generator costs twice as much
        if type(value) is not str:
            return False
    return True


def is_aware(value: object) -> bool:
    """Whether a value is a datetime that knows its time zone."""
    return isinstance(value, datetime) and value.tzinfo is not None


def as_tuple(members: Iterable[_Member]) -> tuple[_Member, ...]:
    """
    Hold members as a tuple; a tuple stays the same object.

    A single member may stand for itself. A text is one, never a list of letters.
    """
    if isinstance(members, tuple):
        return members
    return (cast("_Member", members),) if _is_single(members) else tuple(members)


def _is_single(members: object) -> bool:
    return isinstance(members, (str, bytes, Mapping)) or not isinstance(
        members, Iterable
    )


def as_texts(members: Iterable[str]) -> tuple[str, ...]:
    """Hold texts as a tuple likewise."""
    return members if isinstance(members, tuple) else as_tuple(members)


def as_path_text(path: str | os.PathLike[str] | None) -> str | None:
    """Hold a path as text."""
    return os.fspath(path) if isinstance(path, os.PathLike) else path


def tuple_of(member: type) -> _Check:
    """Check that a field is a tuple whose members are all of one type."""
    only = {member}

    def check(instance: object, attribute: Field, value: tuple[object, ...]) -> None:
        if not value or set(map(type, value)) == only:
            return
        if value == (None,):
            expected = f"a list of {member.__name__}, which may be empty"
            raise fail(instance, attribute, f"must be {expected}, not None")
        for index, item in enumerate(value):
            if not isinstance(item, member):
                message = (
                    f"member {index} must be {member.__name__}, "
                    f"not {type(item).__name__}"
                )
                raise fail(instance, attribute, message)

    return check


def text(instance: object, attribute: Field, value: object) -> None:
    """Check for a text with at least one character that is not a blank."""
    if type(value) is not str:
        found = type(value).__name__
        raise fail(instance, attribute, f"must be str, not {found}")
    if not is_text(value):
        raise fail(instance, attribute, "must not be blank")


def optional_text(instance: object, attribute: Field, value: object) -> None:
    """Check for None or a text that is not blank: unknown is None, never ''."""
    if value is not None:
        text(instance, attribute, value)


def aware_or_none(instance: object, attribute: Field, value: object) -> None:
    """Check for None or a datetime that knows its time zone."""
    if value is None:
        return
    if not isinstance(value, datetime):
        found = type(value).__name__
        raise fail(instance, attribute, f"must be datetime or None, not {found}")
    if value.tzinfo is None:
        message = f"{value.isoformat()} has no time zone"
        raise fail(instance, attribute, message, remedy="give it a tzinfo")


def sha256_or_none(instance: object, attribute: Field, value: object) -> None:
    """Check for None or a SHA-256 in lower-case hexadecimal."""
    if value is not None and not (isinstance(value, str) and _SHA256.fullmatch(value)):
        raise fail(instance, attribute, "must be a SHA-256 in 64 lower-case hex digits")


def count_or_none(instance: object, attribute: Field, value: object) -> None:
    """Check for None or an integer of at least 0."""
    if value is None:
        return
    if type(value) is not int or value < 0:
        raise fail(instance, attribute, "must be an integer of at least 0, or None")


def json_problem(value: JSONValue, path: str = "", depth: int = 0) -> str | None:
    """Say what keeps a value from being strict JSON, or None if nothing does."""
    kind = type(value)
    if kind in _SCALARS:
        if isinstance(value, float) and not math.isfinite(value):
            return f"{path or 'it'} is {value}, which JSON cannot hold"
        return None
    if depth > _MAX_DEPTH:
        return f"it is nested deeper than {_MAX_DEPTH} levels"
    members: Iterable[tuple[str | int, JSONValue]]
    if isinstance(value, Mapping):
        for key in value:
            if type(key) is not str:
                return f"{path or 'it'} has a key that is no text: {key!r}"
        members = value.items()
    elif isinstance(value, (list, tuple)):
        members = enumerate(value)
    else:
        return f"{path or 'it'} is a {kind.__name__}, which is not a JSON value"
    problems = (
        json_problem(item, f"{path}[{key!r}]", depth + 1) for key, item in members
    )
    return next(filter(None, problems), None)


def json_object(instance: object, attribute: Field, value: JSONValue) -> None:
    """Check for an object of strict JSON."""
    if not isinstance(value, Mapping):
        found = type(value).__name__
        raise fail(instance, attribute, f"must be a mapping, not {found}")
    if value and not is_flat_object(value) and (problem := json_problem(value)):
        raise fail(instance, attribute, problem)


def same_value(left: JSONValue, right: JSONValue) -> bool:
    """
    Compare two values, types included, so that NaN equals NaN and 1 is not True.

    Python's own ``==`` would call a NaN unequal to itself, and a round trip that
    turns ``True`` into ``1`` equal.
    """
    if type(left) is not type(right):
        return False
    if isinstance(left, float) and isinstance(right, float):
        return left == right or (math.isnan(left) and math.isnan(right))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(
            same_value(item, right[key]) for key, item in left.items()
        )
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(map(same_value, left, right))
    return bool(left == right)
