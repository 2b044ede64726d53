"""
Numbers and times of a record, also where they are spelled as text.

Times are milliseconds since 1970, where 0 and null mean unknown.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache

from rigbridge.convert.times import from_millis
from rigbridge.errors import ModelError
from rigbridge_openhtf.scope import Scope
from rigbridge_openhtf.translation.values import simplify

__all__ = ["NUMBER", "parse_number", "read_integer", "read_time"]

NUMBER = r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|inf|infinity)"
"""The pattern of a number as Python prints it, case ignored."""

_WHOLE = re.compile(NUMBER, re.IGNORECASE)
_INTEGER = re.compile(r"[-+]?\d+")
# int() takes quadratic time on long digits.
_MAX_DIGITS = 1200


# A test has the same few limits again and again.
@lru_cache(maxsize=1024)
def parse_number(text: str) -> int | float | None:
    """Read a number as Python prints it, integers exactly; None for anything else."""
    text = text.strip()
    if not _WHOLE.fullmatch(text):
        return None
    if not _INTEGER.fullmatch(text) or len(text) > _MAX_DIGITS:
        return float(text)
    return int(text)


def _number(value: object, scope: Scope, item: str) -> int | float | None:
    plain = simplify(value, scope, item)
    if plain is None:
        return None
    if isinstance(plain, str):
        # In early 2016 OpenHTF wrote every number of a record as text.
        number = parse_number(plain)
        if number is not None:
            scope.coerced(item, "number spelled as text", plain)
            return number
    elif isinstance(plain, (int, float)) and not isinstance(plain, bool):
        return plain
    scope.dropped(item, "is no number", plain)
    return None


def read_integer(value: object, scope: Scope, item: str) -> int | None:
    """Read a whole number, also one that is spelled as text."""
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


def read_time(value: object, scope: Scope, item: str) -> datetime | None:
    """Read a time; None where the record does not know it."""
    number = _number(value, scope, item)
    # OpenHTF writes 0 for a phase that never started.
    if not number:
        return None
    try:
        moment = from_millis(number)
    except (ModelError, ValueError, OverflowError):
        scope.dropped(item, "is no time in milliseconds since 1970", number)
        return None
    scope.mapped(item)
    return moment
