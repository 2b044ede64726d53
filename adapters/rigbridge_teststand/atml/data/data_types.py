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
from rigbridge_teststand.atml.local_names import (
    LOCAL_NAMES,
    all_text,
    child_elements,
    read_text,
)
from rigbridge_teststand.numbers import read_number
from rigbridge_teststand.xml.elements import Element

__all__ = [
    "DATA_TYPES",
    "RADIX",
    "TYPE",
    "data_type_of",
    "inner_text",
    "read_typed",
    "unescape",
]

TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
"""The attribute that names the type of a value."""

RADIX = {"octal": 8, "binary": 2, "hexadecimal": 16}
"""The base of the numbers that are spelled with another one than ten."""

_PREFIX = re.compile(r"^([+-]?)0[xXbBcCoO]")
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
    return DATA_TYPES[element.get(TYPE) or element.get("type") or ""]


def _whole(text: str) -> float | int | None:
    number = read_number(text)
    if isinstance(number, float) and number.is_integer():
        return int(number)
    return number


def _of_base(base: int) -> Callable[[str], int | None]:
    def read(text: str) -> int | None:
        try:
            return int(_PREFIX.sub(r"\1", text), base)
        except ValueError:
            return None

    return read


_NUMBERS: dict[str, Callable[[str], float | int | None]] = {
    **dict.fromkeys(("double", "float", "decimal"), read_number),
    **dict.fromkeys(
        ("integer", "long", "unsignedInteger", "unsignedLong", "int"), _whole
    ),
    **{kind: _of_base(base) for kind, base in RADIX.items()},
}


def read_typed(
    kind: str, text: str | None, element: Element, account: RunAccount
) -> Scalar:
    """
    Turn the text of a value into a value of its kind.

    Args:
        kind: the kind; texts of an unknown one stay as they are.
        text: the text, or None where there is none.
        element: the element that has it.
        account: takes an entry for a text that does not fit its kind.
    """
    read = _NUMBERS.get(kind)
    if read is None or text is None:
        return _boolean(text) if kind == "boolean" and text is not None else text
    number = read(text)
    if number is None and (stripped := text.strip()):
        number = read(stripped)
        if number is None:
            account.coerced("value", "no number, kept as text", element, text)
            return text
    if "," in text:
        account.coerced("value", "decimal comma read as point", element, text)
    return number


def _boolean(text: str) -> bool | str:
    lower = text.strip().lower()
    return True if lower in _TRUE else False if lower in _FALSE else text


def unescape(text: str) -> str:
    r"""Undo the escapes of a text that is marked as escaped (``\n``, ``\\``)."""
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[0]), text)


def inner_text(element: Element) -> str | None:
    """Give the text in ``Value``; None where there is none."""
    for below in child_elements(element):
        if LOCAL_NAMES[below.tag] == "Value":
            return all_text(below) if len(below) else below.text or ""
    # Some producers write the text right inside.
    return None if len(element) else read_text(element)
