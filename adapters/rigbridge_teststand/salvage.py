"""What is complete of a document that is cut off or damaged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lxml import etree

from rigbridge.adapters import ConversionReport
from rigbridge_teststand.documents import prepare_head, superset_of, wrap_documents
from rigbridge_teststand.element import Element

__all__ = ["salvage"]

_CHUNK = 1 << 20


def salvage(
    content: bytes,
    uri: str,
    report: ConversionReport,
    keeps: Callable[[Element], bool],
) -> tuple[Element, Element] | None:
    """
    Parse a document up to where it is cut off.

    What the cut left unfinished is taken out, unless complete steps stand in it.

    Args:
        content: the bytes of the file.
        uri: the file, for errors.
        report: where a repaired encoding is recorded.
        keeps: whether an element stays although its end is missing.

    Returns:
        The root, and the innermost element that stayed although its end is missing;
        None where nothing of a report can be read, or nothing is cut off.

    Raises:
        UnsafeSourceError: it has a DOCTYPE.
    """
    content = prepare_head(content, uri)
    encoding = superset_of(content, report)
    unfinished = _unfinished(content, encoding)
    if not unfinished:
        # A complete document may stand before the one that is cut off.
        unfinished = _unfinished(wrap_documents(content), encoding)
    while unfinished and not keeps(unfinished[-1]):
        last = unfinished.pop()
        parent = last.getparent()
        if parent is not None:
            parent.remove(last)
    return (unfinished[0], unfinished[-1]) if unfinished else None


def _unfinished(content: bytes, encoding: str | None) -> list[Element]:
    """Parse as far as it goes, and give the elements whose end is missing."""
    parser: Any = etree.XMLPullParser(
        events=("start", "end"),
        remove_blank_text=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        encoding=encoding,
    )
    try:
        for start in range(0, len(content), _CHUNK):
            parser.feed(content[start : start + _CHUNK])
    except etree.XMLSyntaxError:
        # The events below say what was complete before the cut.
        pass
    unfinished: list[Element] = []
    for event, element in parser.read_events():
        if event == "start":
            unfinished.append(element)
        else:
            unfinished.pop()
    return unfinished
