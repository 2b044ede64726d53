"""The complete part of a document that is cut off or damaged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
from lxml import etree

from rigbridge.adapters import ConversionReport
from rigbridge_teststand.xml.beginnings import without_leading_text
from rigbridge_teststand.xml.documents import (
    PARSING,
    encoding_of,
    prepare_head,
    wrap_documents,
)
from rigbridge_teststand.xml.elements import Element
from rigbridge_teststand.xml.streaming import END_TOLERANCE, follow

__all__ = ["Damage", "SalvagedDocument", "remove_unfinished", "salvage"]

_CHUNK = 1 << 20
_CODES = etree.ErrorTypes
# The parser reports the begin of an item that the end of the file cut off.
_ENDS = frozenset(
    {
        _CODES.ERR_TAG_NOT_FINISHED,
        _CODES.ERR_CDATA_NOT_FINISHED,
        _CODES.ERR_COMMENT_NOT_FINISHED,
        _CODES.ERR_PI_NOT_FINISHED,
        _CODES.ERR_ATTRIBUTE_NOT_FINISHED,
        _CODES.ERR_GT_REQUIRED,
    }
)


@attrs.frozen
class Damage:
    """
    A place where a document is not well-formed, with more of it behind.

    Attributes:
        line: the line, counted from 1.
    """

    line: int
    words: str


@attrs.frozen
class SalvagedDocument:
    """
    The complete part of a document.

    Attributes:
        innermost: the innermost element that is kept although its end is missing.
        damage: where it is damaged; None where it merely ends too soon.
    """

    root: Element
    innermost: Element
    damage: Damage | None


def salvage(
    content: bytes,
    uri: str,
    report: ConversionReport,
    keeps: Callable[[Element], bool],
) -> SalvagedDocument | None:
    """
    Parse a document up to where it is cut off or damaged.

    Elements without an end are removed, unless they hold complete steps.

    Args:
        content: the bytes of the file.
        keeps: tells whether an element is kept although its end is missing.

    Returns:
        What is complete; None where nothing of a report can be read.

    Raises:
        UnsafeSourceError: it has a DOCTYPE.
    """
    content = prepare_head(without_leading_text(content, report), uri)
    encoding = encoding_of(content, report)
    unfinished, damage = _unfinished(content, encoding)
    if not unfinished:
        # A complete document may stand before the one that is cut off.
        wrapped = wrap_documents(content, closed=False)
        unfinished, damage = _unfinished(wrapped, encoding)
    remove_unfinished(unfinished, keeps)
    return (
        SalvagedDocument(unfinished[0], unfinished[-1], damage) if unfinished else None
    )


def remove_unfinished(
    unfinished: list[Element], keeps: Callable[[Element], bool]
) -> None:
    """
    Remove elements whose end is missing, up to one that is kept.

    Args:
        unfinished: the elements, outermost first; removed ones leave the list.
        keeps: tells whether an element is kept.
    """
    # Innermost first: an outer element may be kept only for a complete child.
    while unfinished and not keeps(unfinished[-1]):
        last = unfinished.pop()
        parent = last.getparent()
        if parent is not None:
            parent.remove(last)


def _unfinished(
    content: bytes, encoding: str | None
) -> tuple[list[Element], Damage | None]:
    """Parse as far as it goes, and give the elements whose end is missing."""
    parser: Any = etree.XMLPullParser(
        events=("start", "end"),
        **PARSING,
        encoding=encoding,
    )
    damage: Damage | None = None
    try:
        for start in range(0, len(content), _CHUNK):
            parser.feed(content[start : start + _CHUNK])
    except etree.XMLSyntaxError as error:
        damage = _damage(content, error)
    unfinished: list[Element] = []
    follow(parser, unfinished)
    if unfinished and damage is None:
        try:
            # What the parser still held back for what might have followed.
            parser.close()
        except etree.XMLSyntaxError as error:
            damage = _damage(content, error)
        follow(parser, unfinished)
    return unfinished, damage


def _damage(content: bytes, error: etree.XMLSyntaxError) -> Damage | None:
    """Tell damage from a mere end: an error at the end of the file is the end."""
    line, column = error.position
    rest = content.split(b"\n", max(0, line - 1))[-1]
    # The type hints of lxml lack the error's code.
    code: object = getattr(error, "code", None)
    if code in _ENDS or len(rest) - column < END_TOLERANCE:
        return None
    # libxml2 appends its own line and column to the message.
    words = str(error.msg).rpartition(", line ")[0] or str(error.msg)
    return Damage(line, words)
