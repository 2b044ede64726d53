"""
Numbers in TestStand's spellings.

The report option ``NumericFormat`` applies to every ``Number`` property, counters
included, so one tolerant function reads them all: decimals with any exponent, NaN and
infinities of the C runtime, hexadecimal, binary and octal (``0c17``), text behind the
number, and the decimal comma of other producers. Digit grouping is ambiguous and makes
no number.
"""

from __future__ import annotations

import math
import re

__all__ = [
    "has_decimal_comma",
    "is_finite",
    "is_underflow",
    "parse_plain",
    "read_count",
    "read_number",
    "text_behind",
]

_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
# A single comma and no point is a decimal comma; anything more is ambiguous.
_COMMA = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?(?![\d.,])(?!\s*\d)")
# Behind the digits: groups of thousands, fractions, times, dates, ranges, "1d3", "0x",
# and what the C runtime makes of a value that is not finite ("1.#J").
_GROUPED = re.compile(r",|(?<=1\.)[#$]|['\s]+\d|\.\d|[_/:dD+-][+-]?\d|[xX]")
_RADIX = re.compile(
    r"([+-]?)0(?:[xX]([0-9a-fA-F]+)|[bB]([01]+)|[cCoO]([0-7]+))(?![\w.])"
)
# A digit that is not zero, before any exponent.
_UNDERFLOW = re.compile(r"\s*[+-]?[0.,]*[1-9]")
_SPECIAL = {
    "NAN": math.nan,
    # The C runtime of Visual Studio 2015 and later.
    "NAN(IND)": math.nan,
    "NAN(SNAN)": math.nan,
    "IND": math.nan,
    "INF": math.inf,
    "INFINITY": math.inf,
}
# The C runtime before that pads with zeros to the precision asked for ("1.#IND00"), and
# rounds what is too long: "1.#J" may be an infinity as well as no number.
_OLD_SPECIAL = re.compile(r"1\.#(INF|IND|[QS]NAN|[QS]NB|[QS]O|[RT])0*(?:E[+-]?\d+)?")
# Numbers of fewer digits are below 2**31, so they cannot mean a negative one.
_SHORT = 9
_SIGNED_32 = 1 << 31
_SIGNED_64 = 1 << 63


def read_number(text: str) -> float | int | None:
    """
    Read a number; integers stay integers.

    Returns:
        The number, or None where the text begins with none.
    """
    number = parse_plain(text)
    return _unusual_number(text.strip()) if number is None else number


def parse_plain(text: str) -> float | int | None:
    """
    Read a number in Python's own spelling, as nearly all are.

    Returns:
        The number, or None where it is spelled otherwise.
    """
    number: float | int | None
    try:
        number = float(text) if "." in text else int(text)
    except ValueError:
        # A float without a point: "1E+006", "INF".
        number = _exponent(text)
    # Python also takes "1_000", and reads "1e400" as infinite.
    if number is None or "_" in text or (number - number != 0 and _has_digit(text)):
        return None
    if number:
        return number
    # Of a number that is too small for a float nothing is left but its sign.
    if is_underflow(text):
        return None
    # An integer has no negative zero.
    return -0.0 if text.lstrip().startswith("-") else number


def is_underflow(text: str) -> bool:
    """Tell whether a text that is read as zero means a number too small for a float."""
    return _UNDERFLOW.match(text) is not None


def _exponent(text: str) -> float | None:
    # More digits than Python takes for an integer are no number of a rig.
    if text.strip().lstrip("+-").isdecimal():
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _has_digit(text: str) -> bool:
    return any(map(str.isdecimal, text))


def is_finite(value: object) -> bool:
    """Tell whether a value is anything but an infinity or NaN."""
    # Infinity and NaN minus themselves are NaN.
    return not isinstance(value, float) or value - value == 0


def _special(text: str) -> float | None:
    """Read a value that is not finite, whatever its sign; None where it is none."""
    upper = text.lstrip("+-").upper()
    if old := _OLD_SPECIAL.fullmatch(upper):
        return math.inf if old[1] == "INF" else math.nan
    return _SPECIAL.get(upper)


def _unusual_number(text: str) -> float | int | None:
    sign = -1 if text.startswith("-") else 1
    # Before the radix and decimal patterns: "1.#IND" begins like a decimal.
    special = _special(text)
    if special is not None:
        return sign * special
    if radix := _RADIX.match(text):
        digits = radix[2] or radix[3] or radix[4]
        # TestStand's prefix of octal numbers is 0c.
        base = 16 if radix[2] else 2 if radix[3] else 8
        return sign * int(digits, base)
    comma = _COMMA.match(text)
    if comma is not None:
        return float(comma[0].replace(",", "."))
    decimal = _DECIMAL.match(text)
    # A unit may follow the number, but not what may be more of it.
    if decimal is None or _GROUPED.match(text, decimal.end()):
        return None
    found = decimal[0]
    try:
        # 64-bit integers are not exact as floats.
        number = int(found) if found.lstrip("+-").isdecimal() else float(found)
    except ValueError:
        # More digits than Python takes for an integer are no number of a rig.
        return None
    return number if is_finite(number) else None


def read_count(text: str | None) -> int | None:
    """
    Read an index or a counter.

    An unsigned radix spells -1 as ``0xFFFFFFFF``; that is read as -1.

    Returns:
        The integer, or None where the text is none.
    """
    if text is None:
        return None
    if text.isdecimal() and len(text) < _SHORT:
        return int(text)
    number = read_number(text)
    if isinstance(number, float):
        if not number.is_integer():
            return None
        number = int(number)
    # Beyond 64 bits it is no counter of TestStand.
    if number is None or abs(number) >= 2 * _SIGNED_64:
        return None
    count = number
    if count >= _SIGNED_64:
        return count - 2 * _SIGNED_64
    return count - 2 * _SIGNED_32 if _SIGNED_32 <= count < 2 * _SIGNED_32 else count


def has_decimal_comma(text: str) -> bool:
    """Tell whether a text is read as a number with a decimal comma."""
    return "," in text and _COMMA.match(text.strip()) is not None


def text_behind(text: str) -> str | None:
    """Give what follows the number that a text is read as; None where nothing does."""
    stripped = text.strip()
    if parse_plain(stripped) is not None or _special(stripped) is not None:
        return None
    for pattern in (_RADIX, _COMMA, _DECIMAL):
        if found := pattern.match(stripped):
            return stripped[found.end() :].strip() or None
    return None
