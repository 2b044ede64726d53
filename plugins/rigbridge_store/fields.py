"""The checks on single fields of a body, each problem with its path."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TypeVar, cast

from msgspec import UnsetType

from rigbridge.convert.times import from_iso, from_iso_duration, from_millis
from rigbridge.errors import ModelError
from rigbridge_store.refusals import FieldIssue, invalid

__all__ = [
    "MAX_FILE_NAME",
    "MAX_NUMBER",
    "MAX_TEXT",
    "FieldChecks",
    "is_too_deep",
    "known",
    "text_or_none",
]

_T = TypeVar("_T")

MAX_TEXT = 255
"""How many characters serial numbers and identifiers may have."""

MAX_NUMBER = 60
"""How many characters v2 allows a part, revision, batch or unit that it creates."""

MAX_FILE_NAME = 1000
"""How many characters the name of an attachment may have."""

MAX_VERSION = 60
"""How many characters the version of a procedure may have."""

TOO_SMALL = "too small, at least 1 character is needed"
"""What is wrong with a blank text."""

_TAG = re.compile(r"[a-zA-Z0-9_.:+-]+")
_MAX_INTEGER = 2**63 - 1
_LAST_MILLIS = 253_402_300_799_000
"""The last second of the year 9999."""
_MAX_LEVELS = 65
_CONTAINERS = (list, dict)


def known(value: _T | UnsetType | None) -> _T | None:
    """Give a field that may be absent; absent and null are the same."""
    return None if isinstance(value, UnsetType) else value


def text_or_none(value: str | UnsetType | None) -> str | None:
    """Give a text that may be absent; blank counts as absent."""
    if isinstance(value, UnsetType) or value is None or not value.strip():
        return None
    return value


def is_too_deep(value: object) -> bool:
    """Whether a JSON value is nested deeper than a run can hold."""
    if not isinstance(value, _CONTAINERS):
        return False
    level: list[object] = [value]
    for _ in range(_MAX_LEVELS):
        level = [
            child
            for item in level
            for child in _children(item)
            if type(child) in _CONTAINERS
        ]
        if not level:
            return False
    return True


def _children(container: object) -> Iterable[object]:
    if isinstance(container, dict):
        return cast("dict[str, object]", container).values()
    return cast("list[object]", container)


class FieldChecks:
    """Gathers the problems of one body."""

    def __init__(self) -> None:
        self.issues: list[FieldIssue] = []

    def report(self, path: str, message: str) -> None:
        """Note a problem."""
        self.issues.append(FieldIssue(path, message))

    def refuse_any(self) -> None:
        """
        Refuse the body for all of its problems together.

        Raises:
            BadRequestError: there is a problem.
        """
        if self.issues:
            raise invalid(self.issues)

    def filled(self, value: str, path: str) -> None:
        """Check for a text that is not blank."""
        if not value or value.isspace():
            self.report(path, f"must not be blank: {TOO_SMALL}")

    def bounded(self, value: str | None, path: str, *, limit: int = MAX_TEXT) -> None:
        """Check the length of a text."""
        if value is not None and len(value) > limit:
            self.report(
                path, f"has {len(value)} characters, at most {limit} are allowed"
            )

    def version(self, value: str | None, path: str) -> None:
        """Check the version of a procedure."""
        self.bounded(value, path, limit=MAX_VERSION)
        self.tag(value, path)

    def tag(self, value: str | None, path: str) -> None:
        """Check for a text of the characters that versions and batches may have."""
        if value and not _TAG.fullmatch(value):
            self.report(path, "may hold letters, digits and _ . : + - only")

    def moment(self, value: str | None, path: str) -> datetime | None:
        """Read a timestamp."""
        if value is None:
            return None
        return self._read(lambda: from_iso(value, path=path), path)

    def span(
        self, value: str | None, path: str, *, start: datetime | None = None
    ) -> timedelta | None:
        """Read a duration, from a start by the calendar."""
        if value is None:
            return None
        span = self._read(
            lambda: from_iso_duration(value, path=path, start=start), path
        )
        if span is not None and span < timedelta():
            self.report(path, "must not be negative")
        return span

    def millis(self, value: float, path: str) -> None:
        """Check a time in epoch milliseconds."""
        if 0 <= value <= _LAST_MILLIS:
            return
        self._read(lambda: from_millis(value, path=path), path)

    def integer(self, value: int, path: str) -> None:
        """Check for a count that a column can hold."""
        if not 0 <= value <= _MAX_INTEGER:
            self.report(path, "must be at least 0 and below 2^63")

    def finite(self, value: object, path: str) -> None:
        """Check that a number is one that JSON can hold."""
        if type(value) is float and not math.isfinite(value):
            self.report(
                path,
                f'is {value}; write "NaN", "Infinity" or "-Infinity" for a value, '
                "leave a limit out",
            )

    def shallow(self, value: object, path: str) -> None:
        """Check that a value is not nested deeper than a run can hold."""
        if is_too_deep(value):
            self.report(path, f"is nested deeper than {_MAX_LEVELS} levels")

    def _read(self, read: Callable[[], _T], path: str) -> _T | None:
        try:
            return read()
        except ModelError as error:
            remedy = f" ({error.remedy})" if error.remedy else ""
            self.report(path, f"{error.message}{remedy}")
            return None
