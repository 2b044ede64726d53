"""The signs of a log as text: between cells, around them, within numbers and times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, cast

import attrs

from rigbridge.adapters.text.dates import check_format
from rigbridge_csv.profiles.checks import (
    from_mapping,
    required_text,
    setting_error,
)

__all__ = [
    "BLANKS",
    "QuoteSign",
    "is_decimal",
    "is_encoding",
    "plain_sign",
    "quote_of",
    "sign_of",
    "time_formats",
]

BLANKS: Mapping[str, int] = {"blanks": 1, "wide blanks": 2}
"""Delimiters that are no sign: how many blanks stand between two cells at least."""

_Attribute: TypeAlias = "attrs.Attribute[Any]"


def plain_sign(delimiter: str) -> str:
    """Give the sign between the cells of a line, once it is read."""
    return {0: delimiter, 1: " ", 2: "\t"}[BLANKS.get(delimiter, 0)]


def sign_of(value: object, place: str) -> str | None:
    """
    Give the sign that a setting names.

    Raises:
        ConfigurationError: it is no single sign; names the key.
    """
    if value is None:
        return None
    if value == "tab":
        return "\t"
    if value in BLANKS and place == "delimiter":
        return cast("str", value)
    # What Python's csv module refuses, or takes and then misreads.
    if not isinstance(value, str) or len(value) != 1 or value in "\r\n\0\ufeff":
        raise setting_error(f"must be a single character, not {value!r}", place)
    return value


def _quote_sign(value: object) -> str | None:
    return sign_of(value or None, "sign")


@attrs.frozen(kw_only=True)
class QuoteSign:
    """
    The sign around cells that hold a delimiter.

    Attributes:
        sign: the sign, or an empty text where there is none.
        amid: cells go on after their closing quote: ``"A,1"(REAL)``.
    """

    sign: str | None = attrs.field(default='"', converter=_quote_sign)
    amid: bool = False


def quote_of(value: object) -> QuoteSign:
    """
    Make the quotes of a sign or a table.

    Raises:
        ConfigurationError: it is neither; names the key.
    """
    if isinstance(value, QuoteSign):
        return value
    if isinstance(value, Mapping):
        return from_mapping(QuoteSign, cast("Mapping[str, object]", value), "quote")
    return QuoteSign(sign=sign_of(value or None, "quote"))


def is_encoding(_instance: object, attribute: _Attribute, value: object) -> None:
    """Validate the name of a text encoding, or None."""
    if value is None:
        return
    required_text(_instance, attribute, value)
    try:
        # Four blanks are whole characters in every encoding. codecs.lookup would also
        # take codecs that give no text.
        b"    ".decode(str(value), "replace")
    except LookupError as error:
        raise setting_error(
            f"{value!r} is no known text encoding",
            "encoding",
            "use a name such as cp1252 or utf-16, or leave it out to have it found",
        ) from error


def is_decimal(_instance: object, attribute: _Attribute, value: object) -> None:
    """Validate a decimal separator."""
    if value not in (".", ","):
        raise setting_error(f"must be . or , and not {value!r}", attribute.name)


def time_formats(_instance: object, attribute: _Attribute, value: object) -> None:
    """Validate formats of times."""
    formats = cast("tuple[str, ...]", value)
    if not formats:
        raise setting_error("must name at least one format", attribute.name)
    if {"day-first", "month-first"} <= set(formats):
        raise setting_error(
            "cannot be both day-first and month-first: 03/04 is a day in either",
            attribute.name,
            "give each kind of file a profile of its own, by match",
        )
    for index, form in enumerate(formats):
        check_format(form, f"{attribute.name}[{index}]")
