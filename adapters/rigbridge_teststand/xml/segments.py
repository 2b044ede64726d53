"""
Digests of the bytes of each report, by which a file that grows is known again.

A station may append to a file that was imported before. What follows from the bytes of
the whole file would then be another run; what follows from those of the report alone
stays. The bytes are looked at beside the parser, which tells no positions in them.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from typing import IO

__all__ = ["SegmentDigests", "WatchedStream"]

_LONGEST_TAG = 64
"""The bytes of an end tag, or of the name in a start tag, at most."""

_LONGEST_START = 1 << 16
"""The bytes of a start tag with its attributes, at most."""

_TAG = re.compile(rb"""<(?:[^<>"']|"[^"<]*"|'[^'<]*')*>""")
_COMMENT, _CDATA = b"!--", b"![CDATA["
_ENDS = {_COMMENT: b"-->", _CDATA: b"]]>"}


class SegmentDigests:
    """
    The SHA-256 of each outermost element of some names, from its first to its last tag.

    It depends on nothing outside of the element. Files in UTF-16 have none.

    Args:
        names: the local names of these elements, which all end with the first of them.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        tag = rf"(?:[\w.-]+:)?(?:{'|'.join(names)})".encode()
        self._start = re.compile(rb"<%s[\s/>]" % tag)
        self._end = re.compile(rb"</%s>$" % tag)
        # Bytes are looked for many times quicker than an expression.
        self._end_of_tag = f"{names[0]}>".encode()
        self._found: list[str] = []
        self._seen: Counter[str] = Counter()
        self._hash = hashlib.sha256()
        self._is_inside = False
        # What ends the comment or the section that the bytes seen so far end in.
        self._closing: bytes | None = None
        # The last bytes, where a tag may have begun.
        self._tail = b""

    def __len__(self) -> int:
        """Count the elements that are complete."""
        return len(self._found)

    def digest(self, index: int) -> str | None:
        """Give the digest of a complete element by its position, or None."""
        return self._found[index] if index < len(self._found) else None

    def see(self, chunk: bytes) -> None:
        """Take the next bytes of the file."""
        hashed = len(self._tail)
        data = self._tail + chunk if hashed else chunk
        kept, hashed = self._scan(data, hashed)
        if self._is_inside:
            self._hash.update(memoryview(data)[hashed:])
        self._tail = data[kept:]

    def _scan(self, data: bytes, hashed: int) -> tuple[int, int]:
        """Find the tags; return up to where all is clear, and what is hashed."""
        at, mark = 0, -1
        while True:
            if self._closing is not None:
                end = data.find(self._closing, at)
                if end < 0:
                    # It may be cut in two.
                    return max(at, len(data) - len(self._closing) + 1), hashed
                at, self._closing = end + len(self._closing), None
            if mark < at:
                mark = self._markup(data, at)
            if (tag := self._tag(data, at, mark)) is not None:
                begin, at = tag
                if at < 0:
                    return begin, hashed
                hashed = self._take(data, begin, at, hashed)
                continue
            if mark == len(data):
                return max(at, mark - _LONGEST_TAG), hashed
            opening = _opening(data, mark)
            if opening is None:
                # Whether it is one, the next bytes tell.
                return mark - 1, hashed
            at, self._closing = mark + len(opening), _ENDS[opening]

    def _take(self, data: bytes, begin: int, end: int, hashed: int) -> int:
        """Begin an element, or end it; return up to where its bytes are hashed."""
        if not self._is_inside:
            self._hash, hashed = hashlib.sha256(), begin
            if data[end - 2 : end] != b"/>":
                self._is_inside = True
                return hashed
        self._hash.update(memoryview(data)[hashed:end])
        self._complete(self._hash.hexdigest())
        self._is_inside = False
        return end

    def _tag(self, data: bytes, at: int, stop: int) -> tuple[int, int] | None:
        """
        Find the next start tag, or inside of an element its end tag.

        Returns:
            Where it begins and ends; the end is -1 where it is still to come.
        """
        if not self._is_inside:
            start = self._start.search(data, at, stop)
            if start is None:
                return None
            # It may close the element as well (`<Report/>`).
            whole = _TAG.match(data, start.start())
            if whole is not None:
                return whole.span()
            # What has no end for so long is damaged, and must not be kept in memory.
            is_cut = len(data) - start.start() < _LONGEST_START
            return start.start(), -1 if is_cut else start.end()
        found = at
        while (found := data.find(self._end_of_tag, found, stop)) >= 0:
            end = found + len(self._end_of_tag)
            begin = data.rfind(b"<", max(at, end - _LONGEST_TAG), end)
            if begin >= 0 and self._end.match(data, begin, end):
                return begin, end
            found = end
        return None

    def _markup(self, data: bytes, at: int) -> int:
        """Find the next comment or section; the end of the data where none begins."""
        # One rare byte is looked for many times quicker than two.
        while (at := data.find(b"!", at)) >= 0:
            cut = len(data) - at < len(_CDATA)
            if data[at - 1 : at] == b"<" and (cut or _opening(data, at)):
                return at
            at += 1
        return len(data)

    def _complete(self, digest: str) -> None:
        # A report that is written twice is two runs, as equal rows of a log are: in a
        # file that names no time they may be two tests.
        count = self._seen[digest]
        self._seen[digest] += 1
        if count:
            digest = hashlib.sha256(f"{digest}\n{count}".encode()).hexdigest()
        self._found.append(digest)


def _opening(data: bytes, at: int) -> bytes | None:
    for opening in _ENDS:
        if data.startswith(opening, at):
            return opening
    return None


class WatchedStream:
    """
    A stream of which also the digests see what is read.

    Args:
        stream: the stream.
        segments: takes its bytes.
    """

    def __init__(self, stream: IO[bytes], segments: SegmentDigests) -> None:
        self._stream = stream
        self._segments = segments

    def read(self, size: int = -1) -> bytes:
        """Read on."""
        chunk = self._stream.read(size)
        self._segments.see(chunk)
        return chunk
