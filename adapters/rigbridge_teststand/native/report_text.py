"""The texts of a result: report text, error, comment, and its common results."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from rigbridge.adapters import ConversionReport
from rigbridge.model import JSONValue, LogLevel
from rigbridge_teststand.native.kept_properties import keep_properties, keep_property
from rigbridge_teststand.native.properties import Properties
from rigbridge_teststand.numbers import read_count, text_behind
from rigbridge_teststand.vocabulary import clean_text
from rigbridge_teststand.xml.elements import Element

__all__ = ["LoggedText", "read_comment", "read_report_texts"]

LoggedText: TypeAlias = tuple[LogLevel, str]
"""A text of a step, and its level."""

_NO_ERROR = {"Code": "0", "Msg": "", "Occurred": "False"}
"""The error of a step that has none, as nearly all."""

_KNOWN_STATES = frozenset({"true", "false", ""})
_TEXTS = ("Status", "ReportText")


def read_report_texts(
    data: Properties,
    error: Properties,
    kept: dict[str, JSONValue],
    report: ConversionReport,
) -> list[LoggedText]:
    """
    Read the report text and the error of a result.

    Args:
        kept: takes the error's code and the ``Common`` results of the site.
    """
    texts: list[LoggedText] = []
    shown = data.texts.get("ReportText")
    if shown and (shown := clean_text(shown)):
        texts.append((LogLevel.INFO, shown))
    if "Error" in data.elements and (
        error.texts != _NO_ERROR or len(error.elements) > len(_NO_ERROR)
    ):
        texts += _read_error(data.elements["Error"], error, kept, report)
    if texts:
        report.mapped("log", len(texts))
    common = data.elements.get("Common")
    if common is not None and len(common):
        keep_property("common", common, kept, report)
    # A site's type may make a container of what should be a text.
    for name in _TEXTS:
        if name not in data.texts and name in data.elements:
            keep_property(name, data.elements[name], kept, report)
    return texts


def _read_error(
    error: Element,
    facts: Properties,
    kept: dict[str, JSONValue],
    report: ConversionReport,
) -> Iterator[LoggedText]:
    if not facts.elements:
        keep_property("error", error, kept, report)
        return
    # Codes are signed: drivers' errors are below zero, as -17500.
    message = clean_text(facts.texts.get("Msg", ""))
    code = read_count(facts.texts.get("Code"))
    if code:
        kept["error_code"] = code
    occurred = facts.texts.get("Occurred", "").strip().lower()
    read = {"Msg", "Occurred"} & facts.texts.keys()
    if code is not None and text_behind(facts.texts["Code"]) is None:
        read.add("Code")
    # Else the word would be read as "no error", and forgotten.
    if occurred not in _KNOWN_STATES:
        read.discard("Occurred")
    rest = {name: prop for name, prop in facts.elements.items() if name not in read}
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
