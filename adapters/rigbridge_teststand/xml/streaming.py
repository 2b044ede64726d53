"""
The reports of a large file one after the other, in the memory of one of them.

Small files are parsed as a whole. What grows beyond that even as a single report is
handed over while it grows, so that its reader can take out what is complete.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import IO, Any, Literal, TypeAlias

from lxml import etree

from rigbridge.adapters import ConversionReport
from rigbridge_teststand.xml.documents import (
    PARSING,
    LatinStream,
    prepare_head,
    refuse_declared,
)
from rigbridge_teststand.xml.elements import Element

__all__ = [
    "CHUNK_SIZE",
    "END_TOLERANCE",
    "PARTIAL_SIZE",
    "ROOT",
    "STREAMED_ABOVE",
    "Event",
    "follow",
    "parse_cut_off",
    "stream_events",
    "stream_reports",
]

STREAMED_ABOVE = 8 << 20
"""Files of more bytes are streamed."""

PARTIAL_SIZE = 1 << 17
"""
A report of more bytes is handed over while it grows, each time that more has come.

So it is read while its elements are still in the processor's cache; a fifth of the
time is saved by that. Smaller ones are read quicker at once, when they are complete.
"""

CHUNK_SIZE = 1 << 16
"""So many bytes are parsed at a time; with far more the parser gets slower."""

END_TOLERANCE = 32
"""How many bytes before the end may be what the end left of a character or a name."""

ROOT = "root"
"""What is told at the end of a stream, with its root."""

Event: TypeAlias = Literal["start", "end"]
"""Where an element begins, or where it is complete."""


class _PartialReport:
    """Hands a large report over each time that more of it has come."""

    def __init__(self, grown: Callable[[Element], None]) -> None:
        self._grown = grown
        self._size = 0
        self.element: Element | None = None

    def begin(self, element: Element | None) -> None:
        """Watch a report, or none."""
        self.element, self._size = element, 0

    def fed(self, count: int) -> None:
        """Count bytes that were parsed."""
        self._size += count
        if self.element is not None and self._size >= PARTIAL_SIZE:
            self._grown(self.element)


def stream_reports(
    tag: str | tuple[str, ...],
    head: bytes,
    stream: IO[bytes],
    uri: str,
    report: ConversionReport,
    *,
    grown: Callable[[Element], None],
) -> Iterator[tuple[Element, bool]]:
    """
    Parse a stream, and give each report's element as soon as it is complete.

    An element is emptied when the next one is asked for. It stays in its tree, so that
    the places of those behind it are right.

    Args:
        tag: the tag of the elements, or several.
        head: what was read of the stream already, from its beginning.
        stream: the rest.
        uri: the file, for errors.
        report: where a repaired encoding is recorded.
        grown: takes an element that is not complete. It may empty what is below it,
            except for what is last at any depth: that is what grows.

    Returns:
        Each element with True, and at last with False the root, which holds their
        shells and what stands beside them.

    Raises:
        UnsafeSourceError: it has a DOCTYPE.
        lxml.etree.XMLSyntaxError: it is damaged; what was given before is complete.
    """
    tags = (tag,) if isinstance(tag, str) else tag
    both: tuple[Event, Event] = ("start", "end")
    growth = _PartialReport(grown)
    for event, element in stream_events(
        both, tags, head, stream, uri=uri, report=report, fed=growth.fed
    ):
        if event == ROOT:
            yield element, False
        elif event == "start":
            # A report in a report makes no sense, and is none.
            if growth.element is None:
                growth.begin(element)
        elif element is growth.element:
            growth.begin(None)
            if element.getparent() is not None:
                yield element, True
                element.clear()


def parse_cut_off(
    tag: str | tuple[str, ...],
    head: bytes,
    stream: IO[bytes],
    uri: str,
    *,
    grown: Callable[[Element], None],
) -> list[Element]:
    """
    Parse a stream that is known to end too soon, in the memory of one report's part.

    It costs a look at every element, which nobody spends on a file that is whole.

    Args:
        tag: the tag of the reports, or several.
        head: what was read of the stream already, from its beginning.
        stream: the rest.
        uri: the file, for errors.
        grown: takes a report that is not complete, as with `stream_reports`. Those that
            are complete are emptied.

    Returns:
        The elements whose end is missing, outermost first; nothing where something
        else is wrong with the file than its end.
    """
    names = {
        name.rpartition("}")[2] for name in ((tag,) if isinstance(tag, str) else tag)
    }
    head = prepare_head(head, uri)
    latin = LatinStream(head, ConversionReport())
    parser: Any = etree.XMLPullParser(
        events=("start", "end"), **PARSING, encoding=latin.encoding
    )
    growth = _PartialReport(grown)
    unfinished: list[Element] = []
    end = _FileEnd()
    try:
        for chunk in _chunks(head, stream):
            parser.feed(chunk)
            for event, element in parser.read_events():
                if event == "start":
                    unfinished.append(element)
                    is_report = str(element.tag).rpartition("}")[2] in names
                    if is_report and growth.element is None:
                        growth.begin(element)
                    continue
                complete = unfinished.pop()
                if complete is growth.element and unfinished:
                    growth.begin(None)
                    complete.clear()
            growth.fed(len(chunk))
            end.move(chunk)
    except etree.XMLSyntaxError:
        return []
    try:
        # What the parser still held back for what might have followed.
        parser.close()
    except etree.XMLSyntaxError as error:
        follow(parser, unfinished)
        return unfinished if end.is_at(error) else []
    return []


def follow(parser: Any, unfinished: list[Element]) -> None:
    """
    Keep up which elements have begun and not ended.

    Args:
        parser: a pull parser that tells both.
        unfinished: these elements, outermost first; it is changed.
    """
    for event, element in parser.read_events():
        if event == "start":
            unfinished.append(element)
        else:
            unfinished.pop()


class _FileEnd:
    """Where a file ends."""

    def __init__(self) -> None:
        self._line = 1
        self._column = 0

    def move(self, chunk: bytes) -> None:
        """Go on behind more of the file."""
        self._line += chunk.count(b"\n")
        after = len(chunk) - chunk.rfind(b"\n") - 1
        self._column = after if b"\n" in chunk else self._column + after

    def is_at(self, error: etree.XMLSyntaxError) -> bool:
        """Tell whether the end itself is what is wrong."""
        line, column = error.position
        return line == self._line and self._column - column < END_TOLERANCE


def stream_events(
    events: Collection[Event],
    tags: tuple[str, ...],
    head: bytes,
    stream: IO[bytes],
    *,
    uri: str,
    report: ConversionReport,
    fed: Callable[[int], None] | None = None,
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
        fed: is told after the events of each piece how many bytes that had.

    Returns:
        Each event with its element, and at last ``ROOT`` with the root.

    Raises:
        UnsafeSourceError: it has a DOCTYPE.
        lxml.etree.XMLSyntaxError: it is damaged; what was given before is complete.
    """
    head = prepare_head(head, uri)
    latin = LatinStream(head, report)
    parser: Any = etree.XMLPullParser(
        events=events, tag=tags, **PARSING, encoding=latin.encoding
    )
    is_checked = False
    for chunk in _chunks(head, stream):
        latin.see(chunk)
        parser.feed(chunk)
        for event, element in parser.read_events():
            if not is_checked:
                # A DOCTYPE may stand behind what was looked at beforehand.
                refuse_declared(element, uri)
                is_checked = True
            yield event, element
        if fed is not None:
            fed(len(chunk))
    root: Element = parser.close()
    refuse_declared(root, uri)
    yield from parser.read_events()
    yield ROOT, root


def _chunks(head: bytes, stream: IO[bytes]) -> Iterator[bytes]:
    for start in range(0, len(head), CHUNK_SIZE):
        yield head[start : start + CHUNK_SIZE]
    del head
    while chunk := stream.read(CHUNK_SIZE):
        yield chunk
