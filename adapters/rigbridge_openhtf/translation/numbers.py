"""Times of a record: milliseconds since 1970, where 0 and null mean unknown."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rigbridge.convert.times import from_millis
from rigbridge.errors import ModelError
from rigbridge_openhtf.scope import Scope
from rigbridge_openhtf.translation.validators import read_number
from rigbridge_openhtf.translation.values import simplify

__all__ = ["read_integer", "read_time"]


def _number(value: Any, scope: Scope, item: str) -> int | float | None:
    plain = simplify(value, scope, item)
    if plain is None:
        return None
    if isinstance(plain, str):
        number = read_number(plain)
        if number is not None:
            scope.coerced(item, "number spelled as text", plain)
            return number
    elif isinstance(plain, (int, float)) and not isinstance(plain, bool):
        return plain
    scope.dropped(item, "is no number", plain)
    return None


def read_integer(value: Any, scope: Scope, item: str) -> int | None:
    """Read a whole number, spelled as text in the oldest records."""
    number = _number(value, scope, item)
    if number is None:
        return None
    try:
        whole = int(number)
    except (ValueError, OverflowError):
        scope.dropped(item, "is no number", number)
        return None
    if whole != number:
        scope.coerced(item, "fraction cut off", number)
    return whole


def read_time(value: Any, scope: Scope, item: str) -> datetime | None:
    """Read a time; None where the record does not know it."""
    number = _number(value, scope, item)
    if not number:
        return None
    try:
        moment = from_millis(number)
    except (ModelError, ValueError, OverflowError):
        scope.dropped(item, "is no time in milliseconds since 1970", number)
        return None
    scope.mapped(item)
    return moment
