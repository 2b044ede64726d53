"""
The data types of ATML, and their texts to values.

The local part of ``xsi:type`` is the data type, in the common namespace or in that of
TestStand (``c:double``, ``ts:TS_double``).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from rigbridge.model import Scalar
from rigbridge_teststand.atml.account import RunAccount
from rigbridge_teststand.atml.forms import SCHEMA_TYPE, Form
from rigbridge_teststand.atml.local_names import (
    LOCAL_NAMES,
    all_text,
    child_elements,
    read_text,
)
from rigbridge_teststand.numbers import (
    has_decimal_comma,
    is_underflow,
    parse_plain,
    read_number,
    text_behind,
)
from rigbridge_teststand.xml.elements import Element

__all__ = [
    "DATA_TYPES",
    "KNOWN_TYPES",
    "QUALITY",
    "RADIX",
    "TYPE_ATTRIBUTES",
    "data_type_of",
    "inner_text",
    "read_typed",
    "unescape",
]

TYPE_ATTRIBUTES = frozenset({SCHEMA_TYPE, "type", "flags"})
"""The attributes that say how a value is held; TestStand's flags are for display."""

QUALITY: dict[str, Form | None] = dict.fromkeys(
    ("Resolution", "ErrorLimits", "Range", "Confidence")
)
"""The children that say how exact a value is; all of them is read."""

RADIX = {"octal": 8, "binary": 2, "hexadecimal": 16}
"""The base of the numbers that are spelled with another one than ten."""

# 0x, 0b, 0o and 0c: prefixes that producers write although the type says the base.
# TestStand's prefix of octal numbers is 0c. Another prefix than that of the kind is
# none: 0C17 and 0B1 are hexadecimal digits, too.
_DIGITS = {
    "octal": re.compile(r"([+-]?)(?:0[cCoO])?([0-7]+)"),
    "binary": re.compile(r"([+-]?)(?:0[bB])?([01]+)"),
    "hexadecimal": re.compile(r"([+-]?)(?:0[xX])?([0-9a-fA-F]+)"),
}
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
# A carriage return is only the first half of a line's end.
_ESCAPED = {"n": "\n", "r": "", "t": "\t", '"': '"', "'": "'", "\\": "\\"}
_TRUE = frozenset({"true", "1"})
_FALSE = frozenset({"false", "0"})
_MANY = 1_000


class _DataTypes(dict[str, str]):
    """The kind of value by its type as spelled."""

    def __missing__(self, declared: str) -> str:
        kind = declared.strip().rpartition(":")[2].removeprefix("TS_")
        if len(self) < _MANY:  # a file may invent types without end
            self[declared] = kind
        return kind


DATA_TYPES = _DataTypes()
"""The kind of a value (``double``) by its type as spelled (``ts:TS_double``)."""


def data_type_of(element: Element) -> str:
    """Give the type of a datum, array or collection without prefixes."""
    return DATA_TYPES[element.get(SCHEMA_TYPE) or element.get("type") or ""]


def _of_base(digits: re.Pattern[str], base: int) -> Callable[[str], int | None]:
    def read(text: str) -> int | None:
        found = digits.fullmatch(text)
        return None if found is None else int(found[1] + found[2], base)

    return read


_FLOATS = frozenset({"double", "float", "decimal"})
_INTEGERS = frozenset(
    {"integer", "long", "unsignedInteger", "unsignedLong"}
    # Those of XML Schema, which exporters other than NI write.
    | {"int", "short", "byte", "unsignedInt", "unsignedShort", "unsignedByte"}
    | {"nonNegativeInteger", "positiveInteger"}
)
_OF_BASES = {kind: _of_base(_DIGITS[kind], base) for kind, base in RADIX.items()}
KNOWN_TYPES = frozenset(
    {*_FLOATS, *_INTEGERS, *RADIX, "boolean", "string", "dateTime", "complex", "enum"}
)
"""The kinds that have a meaning of their own; a site may have others."""


def read_typed(
    kind: str, text: str | None, element: Element, account: RunAccount
) -> Scalar:
    """
    Turn the text of a value into a value of its kind.

    Args:
        kind: the kind; texts of an unknown one stay as they are.
        text: the text, or None where there is none.
        account: takes an entry for a text that does not fit its kind.
    """
    if text is None:
        return None
    if kind in _FLOATS or kind in _INTEGERS:
        number: Scalar = parse_plain(text)
        if number is None:
            number = _unusual(text, element, account)
        # Producers write 5.0 for an integer.
        if kind in _INTEGERS and isinstance(number, float) and number.is_integer():
            return int(number)
        return number
    if kind in _OF_BASES:
        return _of_digits(_OF_BASES[kind], text, element, account)
    return _boolean(text, element, account) if kind == "boolean" else text


def _unusual(
    text: str, element: Element, account: RunAccount
) -> float | int | str | None:
    """Read a number in an unusual spelling, and record what of it is not read."""
    number = read_number(text)
    if number is None:
        if not text.strip():
            return None
        account.coerced("value", "no number, kept as text", element, text)
        return text
    if has_decimal_comma(text):
        account.coerced("value", "decimal comma read as point", element, text)
    if number == 0 and is_underflow(text):
        account.coerced("value", "too small for a float, read as zero", element, text)
    if text_behind(text):
        account.coerced("value", "text behind a number left out", element, text)
    return number


def _of_digits(
    read: Callable[[str], int | None],
    text: str,
    element: Element,
    account: RunAccount,
) -> Scalar:
    """Read a number of another base than ten."""
    number = read(text.strip())
    if number is None and text.strip():
        account.coerced("value", "no number, kept as text", element, text)
        return text
    return number


def _boolean(text: str, element: Element, account: RunAccount) -> bool | str:
    lower = text.strip().lower()
    if lower in _TRUE or lower in _FALSE:
        return lower in _TRUE
    account.coerced("value", "no boolean, kept as text", element, text)
    return text


def unescape(text: str) -> str:
    r"""Undo the escapes of a text that is marked as escaped (``\n``, ``\\``)."""
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[0]), text)


def inner_text(element: Element) -> str | None:
    """Give the text in ``Value``; None where there is none."""
    for below in child_elements(element):
        if LOCAL_NAMES[below.tag] == "Value":
            return all_text(below) if len(below) else below.text or ""
    # Some producers write the text right inside.
    return read_text(element)
