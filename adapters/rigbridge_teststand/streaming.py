"""
The reports of a large file one after the other, in the memory of one of them.

Small files are parsed as a whole, which is quicker.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import IO, Any, Literal, TypeAlias

from lxml import etree

from rigbridge.adapters import ConversionReport
from rigbridge_teststand.documents import PARSING, prepare_head, superset_of
from rigbridge_teststand.element import Element

__all__ = [
    "LARGE",
    "READ",
    "ROOT",
    "Event",
    "stream_events",
    "stream_reports",
]

LARGE = 8 << 20
"""Files of more bytes are streamed."""

READ = "Read"
"""The attribute that marks the shell of a report that was read already."""

ROOT = "root"
"""What is told at the end of a stream, with its root."""

Event: TypeAlias = Literal["start", "end"]
"""Where an element begins, or where it is complete."""

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
    ends: tuple[Event] = ("end",)
    events = stream_events(ends, (tag,), head, stream, uri=uri, report=report)
    for event, element in events:
        parent = element.getparent()
        if event == ROOT:
            yield element, False
        elif parent is not None:
            yield element, True
            element.clear()
            element.set(READ, "")


def stream_events(
    events: Collection[Event],
    tags: tuple[str, ...],
    head: bytes,
    stream: IO[bytes],
    *,
    uri: str,
    report: ConversionReport,
) -> Iterator[tuple[str, Element]]:
    """
    Parse a stream, and tell where elements begin and end.

    Args:
        events: ``start``, ``end`` or both.
        tags: the tags of the elements.
        head: what was read of the stream already, from its beginning.
        stream: the rest.
        uri: the file, for errors.
        report: where a repaired encoding is recorded.

    Returns:
        Each event with its element, and at last ``ROOT`` with the root.

    Raises:
        UnsafeSourceError: it has a DOCTYPE.
        lxml.etree.XMLSyntaxError: it is damaged; what was given before is complete.
    """
    head = prepare_head(head, uri)
    parser: Any = etree.XMLPullParser(
        events=events, tag=tags, **PARSING, encoding=superset_of(head, report)
    )
    for start in range(0, len(head), _CHUNK):
        parser.feed(head[start : start + _CHUNK])
        yield from parser.read_events()
    del head
    while chunk := stream.read(_CHUNK):
        parser.feed(chunk)
        yield from parser.read_events()
    root: Element = parser.close()
    yield from parser.read_events()
    yield ROOT, root
