"""
Reports of a large file, read one after the other in the memory of one of them.

Small files are parsed as a whole. A report that is large by itself is a partial report
while it is parsed: its reader gets it after each chunk and removes what is complete.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import IO, Any, Literal, TypeAlias

from lxml import etree

from rigbridge.adapters import ConversionReport
from rigbridge_teststand.xml.beginnings import without_leading_text
from rigbridge_teststand.xml.documents import (
    PARSING,
    LatinStream,
    prepare_head,
    refuse_declared,
)
from rigbridge_teststand.xml.elements import Element, empty

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
A report of more bytes is handed over in parts, after each chunk.

Its elements are then still in the processor's cache, which saves a fifth of the time.
Smaller reports are read faster at once, when they are complete.
"""

CHUNK_SIZE = 1 << 16
"""The bytes that are parsed at a time. With 4 MiB the parser is 40 % slower."""

END_TOLERANCE = 32
"""
An error so few bytes before the end of a file is the end itself.

A file may end within a character or a name, where the parser points to its beginning.
"""

ROOT = "root"
"""The last event of a stream. Its element is the root."""

Event: TypeAlias = Literal["start", "end"]
"""An element begins, or it is complete."""


class _PartialReport:
    """Counts the bytes of a report, and hands a large one over in parts."""

    def __init__(self, on_partial: Callable[[Element], None]) -> None:
        self._on_partial = on_partial
        self._size = 0
        self.element: Element | None = None

    def begin(self, element: Element | None) -> None:
        """Begin to count a report; None between reports."""
        self.element, self._size = element, 0

    def count_bytes(self, count: int) -> None:
        """Count parsed bytes, and hand over a report that is large."""
        self._size += count
        if self.element is not None and self._size >= PARTIAL_SIZE:
            self._on_partial(self.element)


def stream_reports(
    tag: str | tuple[str, ...],
    head: bytes,
    stream: IO[bytes],
    uri: str,
    report: ConversionReport,
    *,
    on_partial: Callable[[Element], None],
) -> Iterator[tuple[Element, bool]]:
    """
    Parse a stream, and give each report's element as soon as it is complete.

    An element is emptied when the next one is asked for. The empty element and the text
    behind it stay in their tree, so that the XPaths of later elements are right. The
    caller may remove it when the next one is given, since the text is complete then.

    Args:
        tag: the tag of the elements, or several.
        head: what was read of the stream already, from its beginning.
        on_partial: takes an element that is not complete. It may empty its descendants,
            but not the last child at any depth: the parser still adds to that.

    Returns:
        Each element with True. At last the root with False, which holds the empty
        elements and their siblings.

    Raises:
        UnsafeSourceError: it has a DOCTYPE.
        lxml.etree.XMLSyntaxError: it is damaged; what was given before is complete.
    """
    tags = (tag,) if isinstance(tag, str) else tag
    both: tuple[Event, Event] = ("start", "end")
    growing = _PartialReport(on_partial)
    for event, element in stream_events(
        both, tags, head, stream, uri=uri, report=report, on_chunk=growing.count_bytes
    ):
        if event == ROOT:
            yield element, False
        elif event == "start":
            # Only damage puts a report into a report; the outermost one counts.
            if growing.element is None:
                growing.begin(element)
        elif element is growing.element:
            growing.begin(None)
            # A root that is a report itself is given at the end, as the root.
            if element.getparent() is not None:
                yield element, True
                empty(element)


def parse_cut_off(
    tag: str | tuple[str, ...],
    head: bytes,
    stream: IO[bytes],
    uri: str,
    *,
    on_partial: Callable[[Element], None],
) -> list[Element]:
    """
    Parse a stream that is known to end too soon, in the memory of a partial report.

    It needs an event for every element, which is too slow for files that are whole.

    Args:
        tag: the tag of the reports, or several.
        head: what was read of the stream already, from its beginning.
        on_partial: takes a report that is not complete, as with `stream_reports`.
            Complete reports are emptied.

    Returns:
        The elements whose end is missing, outermost first; nothing where something
        else is wrong with the file than its end.
    """
    # All events are asked for, so the reports are found by their local names.
    names = {
        name.rpartition("}")[2] for name in ((tag,) if isinstance(tag, str) else tag)
    }
    head = prepare_head(without_leading_text(head, ConversionReport()), uri)
    # The first pass recorded the repair of the encoding already.
    latin = LatinStream(head, ConversionReport())
    parser: Any = etree.XMLPullParser(
        events=("start", "end"), **PARSING, encoding=latin.encoding
    )
    partial = _PartialReport(on_partial)
    unfinished: list[Element] = []
    end = _FileEnd()
    try:
        for chunk in _chunks(head, stream):
            parser.feed(chunk)
            for event, element in parser.read_events():
                if event == "start":
                    unfinished.append(element)
                    is_report = str(element.tag).rpartition("}")[2] in names
                    if is_report and partial.element is None:
                        partial.begin(element)
                    continue
                complete = unfinished.pop()
                if complete is partial.element and unfinished:
                    partial.begin(None)
                    # The first pass read it, before it met the end of the file.
                    empty(complete)
            partial.count_bytes(len(chunk))
            end.move(chunk)
    # An error before the end is damage, which the whole file is needed for.
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
    Update the list of the elements that have begun and not ended.

    Args:
        unfinished: these elements, outermost first; it is changed.
    """
    for event, element in parser.read_events():
        if event == "start":
            unfinished.append(element)
        else:
            unfinished.pop()


class _FileEnd:
    """The position of the end of a file."""

    def __init__(self) -> None:
        self._line = 1
        self._column = 0

    def move(self, chunk: bytes) -> None:
        """Move behind the next chunk."""
        self._line += chunk.count(b"\n")
        after = len(chunk) - chunk.rfind(b"\n") - 1
        self._column = after if b"\n" in chunk else self._column + after

    def is_at(self, error: etree.XMLSyntaxError) -> bool:
        """Tell whether an error is only the end of the file."""
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
    on_chunk: Callable[[int], None] | None = None,
) -> Iterator[tuple[str, Element]]:
    """
    Parse a stream, and give the events of its elements.

    Args:
        events: ``start``, ``end`` or both.
        head: what was read of the stream already, from its beginning.
        on_chunk: takes the size of each chunk after its events.

    Returns:
        Each event with its element, and at last ``ROOT`` with the root.

    Raises:
        UnsafeSourceError: it has a DOCTYPE.
        lxml.etree.XMLSyntaxError: it is damaged; what was given before is complete.
    """
    head = prepare_head(without_leading_text(head, report), uri)
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
        if on_chunk is not None:
            on_chunk(len(chunk))
    # close() raises when the document ends too soon.
    root: Element = parser.close()
    refuse_declared(root, uri)
    yield from parser.read_events()
    yield ROOT, root


def _chunks(head: bytes, stream: IO[bytes]) -> Iterator[bytes]:
    for start in range(0, len(head), CHUNK_SIZE):
        yield head[start : start + CHUNK_SIZE]
    # The caller keeps no reference either: the head may be 8 MB.
    del head
    while chunk := stream.read(CHUNK_SIZE):
        yield chunk
