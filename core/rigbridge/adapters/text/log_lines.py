"""The lines of a text log, read as a stream, each with its number."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from functools import partial

import attrs

from rigbridge.adapters.source import Source
from rigbridge.adapters.text.decoding import find_decoding
from rigbridge.errors import ConfigurationError, MalformedSourceError
from rigbridge.machine.folders import read_chunks
from rigbridge.model.report import ConversionReport, Place

__all__ = ["SourceLine", "read_lines"]

_LONGEST = 1 << 24
"""The longest line that is read, in characters."""


@attrs.frozen
class SourceLine:
    r"""
    A line of a log.

    Attributes:
        number: counted from 1.
        raw: the text without its line end. A byte that is no text in the encoding
            stands in it as Python's ``surrogateescape`` spells it, so that a damaged
            line can still be told from others.
        source: what the log is called in errors.
        encoding: the encoding that it was read in.
    """

    number: int
    raw: str
    source: str
    encoding: str

    @property
    def text(self) -> str:
        """
        The text, every byte of which is sound.

        Ask for it where the error costs one run and not the whole log.

        Raises:
            MalformedSourceError: a byte is no text in the encoding; names the line.
        """
        # Decoding escaped what is no text, and only that cannot be encoded.
        try:
            self.raw.encode()
        except UnicodeEncodeError as error:
            byte = ord(self.raw[error.start]) & 0xFF
            raise MalformedSourceError(
                f"the byte 0x{byte:02X} is no text in {self.encoding}",
                source=self.source,
                place=f"line {self.number}",
                remedy="set the encoding that the log is written in",
            ) from error
        return self.raw


def read_lines(
    source: Source, report: ConversionReport, *, encoding: str | None = None
) -> Iterator[SourceLine]:
    r"""
    Read the lines of a source, however long it is.

    A byte order mark decides the encoding, then ``encoding``, then UTF-8 if the bytes
    are UTF-8. Otherwise it is guessed, and the report says so. Lines end as Python has
    it for text files: with ``\n``, ``\r\n`` or ``\r``.

    Args:
        encoding: what the log is written in, where that is known.

    Raises:
        ConfigurationError: ``encoding`` is no name of an encoding.
        MalformedSourceError: a line is longer than 16 million characters, or the bytes
            break off within a character of UTF-16.
        SourceUnreadableError: the source cannot be read.
    """
    try:
        codecs.lookup(encoding or "utf-8")
    except LookupError as error:
        raise ConfigurationError(
            f"{encoding!r} is no encoding",
            place="encoding",
            remedy="use a name such as utf-8 or cp1252",
        ) from error
    with source.open() as stream:
        decoding = find_decoding(encoding, read_chunks(stream))
    if decoding.rule is not None:
        report.coerced(
            "encoding", decoding.rule, place=Place(line=1), detail=decoding.encoding
        )
    with (
        source.open() as stream,
        io.TextIOWrapper(
            stream, encoding=decoding.encoding, errors="surrogateescape"
        ) as text,
    ):
        number = 0
        try:
            # Bounded: a file without line ends must not fill the memory.
            for line in iter(partial(text.readline, _LONGEST), ""):
                number += 1
                if len(line) == _LONGEST:
                    raise MalformedSourceError(
                        f"is longer than {_LONGEST} characters; this is no log",
                        source=source.uri,
                        place=f"line {number}",
                    )
                yield SourceLine(
                    number, line.rstrip("\n"), source.uri, decoding.encoding
                )
        # The codecs of UTF-16 and UTF-32 cannot escape half a character.
        except UnicodeDecodeError as error:
            raise MalformedSourceError(
                f"is not {error.encoding} text: {error.reason}",
                source=source.uri,
                place=f"line {number + 1}",
                remedy="set the encoding that the log is written in",
            ) from error
