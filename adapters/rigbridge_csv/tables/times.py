"""The text of a cell as a time, by the formats that the profile declares."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from rigbridge.errors import ConfigurationError

__all__ = ["NAMED_FORMATS", "check_format", "parse_time"]

NAMED_FORMATS = ("iso", "unix", "unix-ms")
"""
The formats that are no pattern: ISO 8601, and seconds or milliseconds since 1970 UTC.
"""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SAMPLE = datetime(2024, 10, 27, 14, 30, 15, tzinfo=UTC)


def check_format(form: str, place: str) -> None:
    """
    Refuse a format that could never read a time.

    Raises:
        ConfigurationError: neither a named format nor a pattern of ``strptime``.
    """
    if form in NAMED_FORMATS:
        return
    remedy = "use iso, unix, unix-ms or a pattern such as %d.%m.%Y %H:%M:%S"
    if "%" not in form:
        raise ConfigurationError(
            f"{form!r} is no date format", place=place, remedy=remedy
        )
    try:
        datetime.strptime(_SAMPLE.strftime(form), form)  # noqa: DTZ007 - form only
    except (ValueError, IndexError) as error:
        raise ConfigurationError(
            f"{form!r} is no date format: {error}", place=place, remedy=remedy
        ) from error


def parse_time(text: str, formats: Sequence[str]) -> datetime | None:
    """
    Give the time that a text states in the first format that fits, or None.

    The result is naive where the text has no offset; what zone is meant is the
    site's policy, not the format's.
    """
    for form in formats:
        try:
            if form == "iso":
                return datetime.fromisoformat(text)
            if form == "unix":
                return _EPOCH + timedelta(seconds=float(text))
            if form == "unix-ms":
                return _EPOCH + timedelta(milliseconds=float(text))
            return datetime.strptime(text, form)  # noqa: DTZ007 - see the docstring
        except (ValueError, OverflowError):
            continue
    return None
