"""The text of a cell as a number or as a time, and only where it surely is one."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from rigbridge.errors import ConfigurationError

__all__ = [
    "HEXADECIMAL",
    "NAMED_FORMATS",
    "NumberReader",
    "check_format",
    "number_reader",
    "parse_time",
]

Number: TypeAlias = float | int

NumberReader: TypeAlias = Callable[[str], Number | None]
"""Gives the number that a text spells, or None if it spells none."""

HEXADECIMAL = re.compile(r"[+-]?0[xX][0-9a-fA-F]+", re.ASCII)
"""A hexadecimal integer, as ``0x1F``."""

_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_DECIMAL = {
    separator: re.compile(
        rf"[+-]?(?:[0-9]+{mark}?[0-9]*|{mark}[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII
    )
    for separator, mark in ((".", r"\."), (",", ","))
}
# Spellings of C libraries, Visual C++ (1.#QNAN) and LabVIEW included.
_NON_FINITE = {
    "nan": math.nan,
    "1.#qnan": math.nan,
    "1.#snan": math.nan,
    "1.#ind": math.nan,
    "inf": math.inf,
    "infinity": math.inf,
    "1.#inf": math.inf,
}
# Below the 4300 digits that Python converts at most.
_MAX_DIGITS = 4000


def _special(text: str) -> Number | None:
    if HEXADECIMAL.fullmatch(text):
        return int(text, 16) if len(text) < _MAX_DIGITS else None
    sign = text[:1]
    bare = text[1:] if sign in {"+", "-"} else text
    found = _NON_FINITE.get(bare.replace(",", ".").casefold())
    return -found if found is not None and sign == "-" else found


def number_reader(separator: str) -> NumberReader:
    """
    Make a reader of numbers for a decimal separator.

    It takes integers, decimals with or without an exponent, ``0x`` integers, and the
    spellings of NaN and infinity that test programs print. It does not take digits
    of other scripts, thousands separators, nor a number too large to be held.

    Args:
        separator: ``.`` or ``,``.
    """
    decimal = _DECIMAL[separator]
    translate = separator != "."

    def read(text: str) -> Number | None:
        # float() alone would take 1_000, digits of other scripts and "infinity".
        if not decimal.fullmatch(text):
            return _special(text)
        if _INTEGER.fullmatch(text):
            return int(text) if len(text) < _MAX_DIGITS else None
        number = float(text.replace(separator, ".") if translate else text)
        # Finite in the log, so an overflow must not pass as infinity.
        return number if math.isfinite(number) else None

    return read


NAMED_FORMATS = ("iso", "unix", "unix-ms")
"""
The formats that are no pattern: ISO 8601, and seconds or milliseconds since 1970 UTC.
"""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Written and read again by a format to test it; every part of it is different.
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
