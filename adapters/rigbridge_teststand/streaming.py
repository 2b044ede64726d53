"""
The reports of a large file one after the other, in the memory of one of them.

Small files are parsed as a whole, which is quicker.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

from lxml import etree

from rigbridge.adapters import ConversionReport
from rigbridge_teststand.documents import PARSING, prepare_head, superset_of
from rigbridge_teststand.element import Element

__all__ = ["LARGE", "READ", "stream_reports"]

LARGE = 8 << 20
"""Files of more bytes are streamed."""

READ = "Read"
"""The attribute that marks the shell of a report that was read already."""

_CHUNK = 1 << 16


def stream_reports(
    tag: str, head: bytes, stream: IO[bytes], uri: str, report: ConversionReport
) -> Iterator[tuple[Element, bool]]:
    """
    Parse a stream, and give each report's element as soon as it is complete.

    An element is emptied and marked with ``READ`` when the next one is asked for. Its
    shell stays, so that the paths of those behind it count it.

    Args:
        tag: the tag of the elements.
        head: what was read of the stream already, from its beginning.
        stream: the rest.
        uri: the file, for errors.
        report: where a repaired encoding is recorded.

    Returns:
        Each element with True, and at last with False the root, which holds their
        shells and what stands beside them.

    Raises:
        UnsafeSourceError: it has a DOCTYPE.
        lxml.etree.XMLSyntaxError: it is damaged; what was given before is complete.
    """
    head = prepare_head(head, uri)
    parser: Any = etree.XMLPullParser(
        events=("end",),
        tag=tag,
        **PARSING,
        encoding=superset_of(head, report),
    )
    for start in range(0, len(head), _CHUNK):
        parser.feed(head[start : start + _CHUNK])
        yield from _complete(parser)
    del head
    while chunk := stream.read(_CHUNK):
        parser.feed(chunk)
        yield from _complete(parser)
    root: Element = parser.close()
    yield from _complete(parser)
    yield root, False


def _complete(parser: Any) -> Iterator[tuple[Element, bool]]:
    for _, element in parser.read_events():
        parent = element.getparent()
        if parent is None:
            continue
        yield element, True
        element.clear()
        element.set(READ, "")
