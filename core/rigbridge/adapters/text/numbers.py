"""Reads the text of a cell as a number, but only where there is no doubt."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from math import isfinite
from typing import TypeAlias

__all__ = [
    "ENGINEERING_SUFFIXES",
    "GROUPED",
    "HEXADECIMAL",
    "Number",
    "NumberReader",
    "number_reader",
]

Number: TypeAlias = float | int
"""A number as the model holds it."""

NumberReader: TypeAlias = Callable[[str], Number | None]
"""Gives the number that a text spells, or None if it spells none."""

ENGINEERING_SUFFIXES: Mapping[str, int] = {
    "T": 12,
    "G": 9,
    "M": 6,
    "k": 3,
    "K": 3,
    "m": -3,
    "u": -6,
    "\N{MICRO SIGN}": -6,
    "\N{GREEK SMALL LETTER MU}": -6,
    "n": -9,
    "p": -12,
    "f": -15,
    # In-circuit testers write capital letters alone; M is their mega.
    "U": -6,
    "N": -9,
    "P": -12,
}
"""The powers of ten that a letter behind a number means, as in ``4.7k``."""

HEXADECIMAL = re.compile(r"[+-]?0[xX][0-9a-fA-F]+", re.ASCII)
"""A hexadecimal integer, as ``0x1F``."""

GROUPED = re.compile(
    r"[+-]?[0-9]{1,3}"
    r"(?P<sign>[.,'\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE} ])[0-9]{3}"
    r"(?:(?P=sign)[0-9]{3})*(?P<rest>[.,][0-9]*)?",
    re.ASCII,
)
"""Digits in groups of three, with the sign of thousands and perhaps decimals."""

_BLANKS = re.compile("[\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]")
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
    # Oscilloscopes, for what is beyond the range.
    "\N{INFINITY}": math.inf,
}
# Below the 4300 digits that Python converts at most.
_MAX_DIGITS = 4000


def _special(text: str, read: NumberReader) -> Number | None:
    # Recorders write the sign in a place of its own: "+   25.1".
    if text[1:2] == " " and text[0] in "+-":
        return read(text[0] + text[1:].lstrip(" "))
    if HEXADECIMAL.fullmatch(text):
        return int(text, 16) if len(text) < _MAX_DIGITS else None
    sign = text[:1]
    bare = text[1:] if sign in {"+", "-"} else text
    found = _NON_FINITE.get(bare.replace(",", ".").casefold())
    return -found if found is not None and sign == "-" else found


def number_reader(
    separator: str,
    *,
    thousands: str | None = None,
    suffixes: Mapping[str, int] | None = None,
) -> NumberReader:
    """
    Make a reader of numbers for a decimal separator.

    It takes integers, decimals with or without an exponent, ``0x`` integers, blanks
    behind the sign, and the spellings of NaN and infinity that test programs print. It
    does not take digits of other scripts nor a number too large to be held. Thousands
    separators and suffixes it takes only where they are declared: ``1,234`` may be
    1.234, and ``5m`` may be 5 metres.

    Args:
        separator: ``.`` or ``,``.
        thousands: the sign between groups of three digits, another than the separator;
            a blank stands for those that do not break a line, too.
        suffixes: the power of ten by suffix, such as ``ENGINEERING_SUFFIXES``.
    """
    plain = _plain_reader(separator)
    if thousands is None and not suffixes:
        return plain
    return _declared_reader(separator, plain, thousands, suffixes or {})


def _declared_reader(
    separator: str,
    plain: NumberReader,
    thousands: str | None,
    suffixes: Mapping[str, int],
) -> NumberReader:
    if thousands == separator:
        raise ValueError("the sign of thousands is that of decimals")
    sign = re.escape(thousands or "")
    grouped = re.compile(
        rf"[+-]?[0-9]{{1,3}}(?:{sign}[0-9]{{3}})+(?:{re.escape(separator)}[0-9]*)?",
        re.ASCII,
    )

    def read(text: str) -> Number | None:
        if thousands == " ":
            text = _BLANKS.sub(" ", text)
        found = plain(text)
        if found is not None:
            return found
        if thousands and grouped.fullmatch(text):
            return plain(text.replace(thousands, ""))
        power = suffixes.get(text[-1:])
        digits = text[:-1]
        if power is None or not digits[-1:].isdigit() or "e" in digits.lower():
            return None
        # As the exponent of its text: 4.7 times 1000 is not the nearest to 4700.
        return plain(f"{digits}e{power}")

    return read


def _plain_reader(separator: str) -> NumberReader:
    decimal = _DECIMAL[separator]
    translate = separator != "."

    def read(text: str) -> Number | None:
        # float() alone would take 1_000, digits of other scripts and "infinity".
        if not decimal.fullmatch(text):
            return _special(text, read)
        if _INTEGER.fullmatch(text):
            if len(text) >= _MAX_DIGITS:
                return None
            # No integer has the sign of -0.
            return int(text) or (-0.0 if text[0] == "-" else 0)
        number = float(text.replace(separator, ".") if translate else text)
        # Finite in the log, so an overflow must not pass as infinity.
        return number if isfinite(number) else None

    if translate:
        return read

    def read_point(text: str) -> Number | None:
        # Half the time of the whole test; every cell of a log passes here.
        if "." in text and "_" not in text and text.isascii():
            try:
                number = float(text)
            except ValueError:
                return read(text)
            if isfinite(number):
                return number
        return read(text)

    return read_point
