"""The texts of a result: report text, error, comments, and its common results."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from rigbridge.adapters import ConversionReport
from rigbridge.model import JSONValue, LogLevel
from rigbridge_teststand.native.properties import read_scalar, subproperties, value_text
from rigbridge_teststand.numbers import is_finite, read_count
from rigbridge_teststand.vocabulary import clean_text
from rigbridge_teststand.xml.elements import (
    Element,
    record_dropped,
    record_omission,
)

__all__ = ["LoggedText", "drop_comments", "read_comment", "read_report_texts"]

LoggedText: TypeAlias = tuple[LogLevel, str]
"""A text of a step, and its level."""

# Code, Msg and Occurred of a step without an error.
_NO_ERROR = ["0", None, "False"]


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
        texts += _read_error(subproperties(error), kept)
    if texts:
        report.mapped("log", len(texts))
    common = data.get("Common")
    if common is not None and len(common):
        for name, prop in subproperties(common).items():
            _keep_common(name, prop, kept, report)
    return texts


def _read_error(
    error: dict[str, Element], kept: dict[str, JSONValue]
) -> Iterator[LoggedText]:
    message = clean_text(value_text(error.get("Msg")) or "")
    code = read_count(value_text(error.get("Code")))
    if code:
        kept["error_code"] = code
    # TestStand may keep the message of an error that was ignored or reset.
    if message or (value_text(error.get("Occurred")) or "").lower() == "true":
        shown = f"{message} (code {code})" if code else message
        yield LogLevel.ERROR, shown


def _keep_common(
    name: str, prop: Element, kept: dict[str, JSONValue], report: ConversionReport
) -> None:
    value = read_scalar(prop, report)
    if value is None or not is_finite(value):
        record_dropped(report, prop, "property", "structured common result")
    else:
        report.mapped("property")
        kept[f"common.{name}"] = value


def read_comment(result: Element, report: ConversionReport) -> str | None:
    """Read the comment of a step, by the author of the sequence."""
    comment = clean_text(result.findtext("Comment") or "").strip()
    if comment:
        report.mapped("comment")
    return comment or None


def drop_comments(
    element: Element, root: Element | None, report: ConversionReport
) -> None:
    """
    Record the comments of single properties; those of steps are kept.

    Args:
        element: what to look for them below.
        root: the root result, which is no step.
        report: where they are recorded.
    """
    for comment in element.iter("Comment"):
        owner = comment.getparent()
        is_kept = (
            owner is not None and owner is not root and owner.get("Type") == "TEResult"
        )
        # Templates of arrays repeat the comments of their members.
        is_template = next(comment.iterancestors("ArrayElementPrototype"), None)
        if (comment.text or "").strip() and not is_kept and is_template is None:
            record_omission(
                report,
                comment,
                "comment",
                "describes a property of the sequence, not a result",
                comment.text,
            )
