"""What a result says in words: its report text, its error, its common results."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, TypeAlias

from rigbridge.adapters import ConversionReport
from rigbridge.model import LogLevel
from rigbridge_teststand.native.properties import members, text
from rigbridge_teststand.native.scalars import read_scalar
from rigbridge_teststand.numbers import is_finite, read_count
from rigbridge_teststand.texts import clean_text
from rigbridge_teststand.xml.documents import place_of
from rigbridge_teststand.xml.element import Element

__all__ = ["Said", "read_texts"]

Said: TypeAlias = tuple[LogLevel, str]
"""What a step said, and how grave it is."""

# Code, message and whether one occurred, where none did.
_NO_ERROR = ["0", None, "False"]


def read_texts(
    data: dict[str, Element], kept: dict[str, Any], report: ConversionReport
) -> list[Said]:
    """
    Read the report text and the error of a result.

    Args:
        data: the properties of the result.
        kept: takes the error's code and what all steps of a site have in common.
        report: where each is accounted for.
    """
    said: list[Said] = []
    shown = text(data.get("ReportText"))
    if shown and (shown := clean_text(shown)):
        said.append((LogLevel.INFO, shown))
    error = data.get("Error")
    # Nearly all steps say that there was none, and are asked by one look.
    if error is not None and [fact[0].text for fact in error if len(fact)] != _NO_ERROR:
        said += _read_error(members(error), kept)
    if said:
        report.mapped("log", len(said))
    common = data.get("Common")
    if common is not None and len(common):
        for name, prop in members(common).items():
            _keep_common(name, prop, kept, report)
    return said


def _read_error(error: dict[str, Element], kept: dict[str, Any]) -> Iterator[Said]:
    message = clean_text(text(error.get("Msg")) or "")
    code = read_count(text(error.get("Code")))
    if code:
        kept["error_code"] = code
    if message or (text(error.get("Occurred")) or "").lower() == "true":
        shown = f"{message} (code {code})" if code else message
        yield LogLevel.ERROR, shown


def _keep_common(
    name: str, prop: Element, kept: dict[str, Any], report: ConversionReport
) -> None:
    value = read_scalar(prop, report)
    if value is None or not is_finite(value):
        report.dropped(
            "property", "structured common result", place=partial(place_of, prop)
        )
    else:
        report.mapped("property")
        kept[f"common.{name}"] = value
