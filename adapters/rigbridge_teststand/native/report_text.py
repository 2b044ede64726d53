"""The texts of a result: report text, error, comment, and its common results."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from rigbridge.adapters import ConversionReport
from rigbridge.model import JSONValue, LogLevel
from rigbridge_teststand.native.kept_properties import keep_properties, keep_property
from rigbridge_teststand.native.properties import (
    STRUCTURED,
    TYPE,
    subproperties,
    value_text,
)
from rigbridge_teststand.numbers import read_count
from rigbridge_teststand.vocabulary import clean_text
from rigbridge_teststand.xml.elements import Element

__all__ = ["LoggedText", "read_comment", "read_report_texts"]

LoggedText: TypeAlias = tuple[LogLevel, str]
"""A text of a step, and its level."""

# Code, Msg and Occurred of a step without an error.
_NO_ERROR = ["0", None, "False"]
_KNOWN_STATES = frozenset({"true", "false", ""})
_TEXTS = ("Status", "ReportText")


def read_report_texts(
    data: dict[str, Element], kept: dict[str, JSONValue], report: ConversionReport
) -> list[LoggedText]:
    """
    Read the report text and the error of a result.

    Args:
        data: the properties of the result.
        kept: takes the error's code and the ``Common`` results of the site.
        report: takes an entry for each.
    """
    texts: list[LoggedText] = []
    shown = value_text(data.get("ReportText"))
    if shown and (shown := clean_text(shown)):
        texts.append((LogLevel.INFO, shown))
    error = data.get("Error")
    # Nearly all steps have no error; one comparison finds that out.
    if error is not None and [fact[0].text for fact in error if len(fact)] != _NO_ERROR:
        texts += _read_error(error, kept, report)
    if texts:
        report.mapped("log", len(texts))
    common = data.get("Common")
    if common is not None and len(common):
        keep_property("common", common, kept, report)
    for name in _TEXTS:
        if (prop := data.get(name)) is not None and prop.get(TYPE) in STRUCTURED:
            keep_property(name, prop, kept, report)
    return texts


def _read_error(
    error: Element, kept: dict[str, JSONValue], report: ConversionReport
) -> Iterator[LoggedText]:
    facts = subproperties(error)
    if not facts:
        keep_property("error", error, kept, report)
        return
    message = clean_text(value_text(facts.get("Msg")) or "")
    code = read_count(value_text(facts.get("Code")))
    if code:
        kept["error_code"] = code
    occurred = (value_text(facts.get("Occurred")) or "").strip().lower()
    read = {"Msg": facts.get("Msg"), "Occurred": facts.get("Occurred")}
    read = {name: prop for name, prop in read.items() if value_text(prop) is not None}
    if code is not None:
        read["Code"] = facts.get("Code")
    if occurred not in _KNOWN_STATES:
        del read["Occurred"]
    rest = {name: prop for name, prop in facts.items() if name not in read}
    keep_properties(rest, "error", kept, report)
    # TestStand may keep the message of an error that was ignored or reset.
    if message or occurred == "true":
        if occurred == "false":
            kept["error_occurred"] = False
        shown = f"{message} (code {code})" if code else message
        yield LogLevel.ERROR, shown


def read_comment(result: Element, report: ConversionReport) -> str | None:
    """Read the comment of a step, by the author of the sequence."""
    comment = clean_text(result.findtext("Comment") or "").strip()
    if comment:
        report.mapped("comment")
    return comment or None
