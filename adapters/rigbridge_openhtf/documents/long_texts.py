"""
Long attachments are taken out of a JSON record before it is parsed.

OpenHTF writes an attachment as one string of base64, ``"data": "..."``. No JSON parser
gives a string piece by piece, so the bytes of a file pass through here first: a long
string of that kind goes to a temporary file, and a short mark takes its place. The rest
is parsed as usual; of a record with large attachments it is a small part.

The pattern needs no parser to be exact: inside a string a quote has a backslash before
it, so ``"data" : "`` can only be the end of a key and the beginning of its value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import IO, TypeAlias, cast
from uuid import uuid4

import attrs

__all__ = ["LongText", "LongTexts"]

# Shorter strings do not pay for the detour.
_LONG = 64 * 1024
_CHUNK = 1 << 20
_OPENING = re.compile(rb'"data"[ \t\r\n]*:[ \t\r\n]*"')
_MOST_OPENING = 64
"""How many bytes are kept back, since an opening may continue in the next chunk."""

# Encoders may escape "/", and old ones broke base64 into lines.
_STOP = re.compile(rb'["\\]')
_ESCAPE = re.compile(rb"\\([nrt/])")
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"/": b"/"}


@attrs.frozen
class LongText:
    """
    A string in the temporary file.

    Attributes:
        offset: where the string begins in it.
        length: its bytes, as JSON spells them.
        escaped: whether there are escapes among them.
    """

    file: IO[bytes] = attrs.field(repr=False)
    offset: int
    length: int
    escaped: bool

    def pieces(self) -> Iterator[bytes]:
        """Give the text piece by piece; only escapes that base64 may have are read."""
        held = b""
        for raw in self._raw():
            if not self.escaped:
                yield raw
                continue
            piece = held + raw
            # Never cut an escape in two: an odd backslash waits for the next piece.
            backslashes = len(piece) - len(piece.rstrip(b"\\"))
            cut = len(piece) - backslashes % 2
            held = piece[cut:]
            yield _ESCAPE.sub(lambda found: _ESCAPED[found[1]], piece[:cut])

    def text(self) -> str:
        """Give the text as a whole."""
        return cast("str", json.loads(b'"%s"' % b"".join(self._raw()), strict=False))

    def _raw(self) -> Iterator[bytes]:
        position, end = self.offset, self.offset + self.length
        while position < end:
            self.file.seek(position)
            piece = self.file.read(min(_CHUNK, end - position))
            if not piece:
                raise EOFError("the temporary file was cut off")
            position += len(piece)
            yield piece


class LongTexts:
    """
    Takes long texts out of one source, and puts them back where they belong.

    Args:
        file: takes the texts; it must stay open as long as they are needed.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        # Random, so that no text of the source can be taken for a mark.
        self._mark = f"long text {uuid4().hex} "
        self._texts: list[LongText] = []

    def __len__(self) -> int:
        return len(self._texts)

    def take_out(self, chunks: Iterable[bytes]) -> bytes:
        """
        Give the bytes with marks in place of long texts.

        Raises:
            OSError: the file cannot be written.
        """
        kept: list[bytes] = []
        pending = b""
        text: _Text | None = None
        for chunk in chunks:
            pending += chunk
            while pending:
                if text is None:
                    found = _OPENING.search(pending)
                    # The end of the chunk may be the beginning of an opening.
                    cut = max(0, len(pending) - _MOST_OPENING)
                    if found is not None:
                        cut, text = found.end(), _Text(self._file)
                    kept.append(pending[:cut])
                    pending = pending[cut:]
                    if found is None:
                        break
                else:
                    pending = text.take(pending)
                    if not text.complete:
                        break
                    kept.append(self._placed(text))
                    text = None
        if text is not None:
            # The source is cut off: the parser is to see that, and say where.
            kept.append(text.inline)
        kept.append(pending)
        return b"".join(kept)

    def _placed(self, text: _Text) -> bytes:
        if text.offset is None:
            return text.inline
        self._texts.append(LongText(self._file, text.offset, text.length, text.escaped))
        return f"{self._mark}{len(self._texts) - 1}".encode()

    def put_back(self, document: object) -> object:
        """
        Replace the marks in a decoded document.

        The data of attachments become :class:`LongText`, all others text again.
        """
        if not self._texts:
            return document
        root: dict[object, object] = {"": document}
        # A list of containers instead of recursion: the file sets the depth.
        waiting: list[tuple[_Container, _Place]] = [(root, _Place.ANY)]
        while waiting:
            holder, holder_is = waiting.pop()
            items = holder.items() if isinstance(holder, dict) else enumerate(holder)
            for key, value in items:
                if isinstance(value, (dict, list)):
                    inner = cast("_Container", value)
                    waiting.append((inner, _place(holder_is, key)))
                elif isinstance(value, str) and value.startswith(self._mark):
                    found = self._texts[int(value.removeprefix(self._mark))]
                    # Only attachments are read as a stream; other keys may be "data".
                    streamed = holder_is is _Place.ATTACHMENT
                    # Replacing the value of a key is allowed while iterating.
                    cast("dict[object, object]", holder)[key] = (
                        found if streamed else found.text()
                    )
        return root[""]


_Container: TypeAlias = dict[object, object] | list[object]


class _Place(Enum):
    """Where in a record a value is, as far as it matters here."""

    ANY = "any"
    ATTACHMENTS = "attachments"
    ATTACHMENT = "attachment"


def _place(holder_is: _Place, key: object) -> _Place:
    if holder_is is _Place.ATTACHMENTS:
        return _Place.ATTACHMENT
    return _Place.ATTACHMENTS if key == "attachments" else _Place.ANY


class _Text:
    """A string that is being read; once it is long it goes to the file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._parts: list[bytes] = []
        self.length = 0
        self.offset: int | None = None
        self.escaped = False
        self.complete = False

    @property
    def inline(self) -> bytes:
        """What is not in the file."""
        return b"".join(self._parts)

    def take(self, pending: bytes) -> bytes:
        """Take what belongs to the text; give the rest, its closing quote first."""
        position = 0
        while (found := _STOP.search(pending, position)) is not None:
            if found[0] == b'"':
                self.complete = True
                self._add(pending[: found.start()])
                return pending[found.start() :]
            self.escaped = True
            position = found.end() + 1
            if position > len(pending):
                # The escape goes on in the next piece.
                self._add(pending[: found.start()])
                return pending[found.start() :]
        self._add(pending)
        return b""

    def _add(self, part: bytes) -> None:
        self._parts.append(part)
        self.length += len(part)
        if self.offset is None and self.length > _LONG:
            self.offset = self._file.seek(0, 2)
        if self.offset is not None:
            self._file.writelines(self._parts)
            self._parts.clear()
