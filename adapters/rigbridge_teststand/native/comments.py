"""The comments that the author of a sequence wrote into its steps and properties."""

from __future__ import annotations

from functools import partial

from rigbridge.adapters import ConversionReport
from rigbridge_teststand.texts import clean_text
from rigbridge_teststand.xml.documents import place_of
from rigbridge_teststand.xml.element import Element

__all__ = ["drop_comments", "read_comment"]


def read_comment(result: Element, report: ConversionReport) -> str | None:
    """Read what the sequence's author noted of a step."""
    said = clean_text(result.findtext("Comment") or "").strip()
    if said:
        report.mapped("comment")
    return said or None


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
        is_template = next(comment.iterancestors("ArrayElementPrototype"), None)
        if (comment.text or "").strip() and not is_kept and is_template is None:
            report.dropped(
                "comment",
                "describes a property of the sequence, not a result",
                place=partial(place_of, comment),
                detail=comment.text,
            )
