"""Scalar properties: String, Number and Boolean."""

from __future__ import annotations

from functools import partial
from typing import Any

from rigbridge.adapters import ConversionReport
from rigbridge_teststand.native.properties import TYPE, text
from rigbridge_teststand.numbers import has_decimal_comma, read_number, read_plain
from rigbridge_teststand.xml.documents import place_of
from rigbridge_teststand.xml.element import Element

__all__ = ["read_scalar"]

_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def read_scalar(prop: Element, report: ConversionReport) -> Any:
    """Read a String, Number or Boolean property; absent and references are None."""
    content = text(prop)
    if content is None:
        return None
    kind = prop.get(TYPE)
    if kind == "Number":
        number = read_plain(content)
        if number is not None:
            return number
        number = read_number(content)
        if number is None and content.strip():
            report.coerced(
                "value",
                "no number, kept as text",
                place=partial(place_of, prop),
                detail=content,
            )
            return content
        if has_decimal_comma(content):
            report.coerced(
                "value",
                "decimal comma read as point",
                place=partial(place_of, prop),
                detail=content,
            )
        return number
    if kind == "Boolean":
        return _boolean(content, prop, report)
    return None if kind == "Reference" else content


def _boolean(content: str, prop: Element, report: ConversionReport) -> Any:
    said = _BOOLEANS.get(content.strip().lower())
    if said is None and content.strip():
        report.coerced(
            "value",
            "no boolean, kept as text",
            place=partial(place_of, prop),
            detail=content,
        )
        return content
    return said
