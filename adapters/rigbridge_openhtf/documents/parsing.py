"""
Bytes to JSON documents: one, a list of them, or several in a row.

msgspec reads strict JSON. What it refuses is tried again with the standard library,
which takes the ``NaN`` that older OpenHTF wrote, and says line and column of an error.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import cast

import attrs
import msgspec

from rigbridge.errors import MalformedSourceError, NoRunError, SourceError

__all__ = ["Parsed", "parse"]

_LONG_INTEGER = re.compile(rb"[\s:\[,]-?[0-9]{20,}\s*[,\]}]")
_MAX_DIGITS = 1200
_BLANKS = " \t\r\n"


@attrs.frozen(kw_only=True)
class Parsed:
    """
    One document of a source.

    Attributes:
        constants: how many NaN and infinities it held, which are no JSON.
        error: why it could not be read, or None.
    """

    path: str
    document: object = None
    constants: int = 0
    error: SourceError | None = None


def parse(content: bytes, source: str, *, uncounted: str | None = None) -> list[Parsed]:
    """
    Read the documents of a source.

    The documents before a damaged place come first, then the error.

    Args:
        content: the bytes.
        uncounted: what was taken out of the bytes before, so that columns in errors
            are smaller than those of the source.

    Raises:
        NoRunError: there is nothing in it.
        MalformedSourceError: it is damaged before the first document ends.
    """
    if not content.strip():
        raise NoRunError("the file is empty", source=source)
    # Windows editors put a mark in front, which neither parser takes.
    if content.startswith(codecs.BOM_UTF8):
        content = content.removeprefix(codecs.BOM_UTF8)
    try:
        # The quick parser makes floats of integers that are longer.
        if not _LONG_INTEGER.search(content):
            return _spread(msgspec.json.decode(content), "$", 0)
        return _parse_leniently(content, source, uncounted)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _parse_leniently(content, source, uncounted)


def _spread(document: object, path: str, constants: int) -> list[Parsed]:
    if not isinstance(document, list):
        return [Parsed(path=path, document=document, constants=constants)]
    return [
        Parsed(path=f"{path}[{index}]", document=member, constants=constants)
        for index, member in enumerate(cast("list[object]", document))
    ]


def _parse_leniently(
    content: bytes, source: str, uncounted: str | None
) -> list[Parsed]:
    text = _decoded(content, source)
    constants: list[str] = []

    def note(name: str) -> float:
        constants.append(name)
        return float(name)

    # Some loggers append one record after the other to a file: raw_decode reads one.
    decoder = json.JSONDecoder(parse_constant=note, parse_int=_integer)
    found: list[Parsed] = []
    position, number = _skip(text, 0), 0
    while position < len(text):
        number += 1
        constants.clear()
        path = "$" if number == 1 else f"document {number}: $"
        try:
            document, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            problem = _malformed(error, text, source, uncounted)
            # Records before the damage are good; without any, the file is no source.
            if not found:
                raise problem from error
            found.append(Parsed(path=path, error=problem))
            break
        found.extend(_spread(document, path, len(constants)))
        position = _skip(text, end)
    return found


def _integer(digits: str) -> int | float:
    # Longer ones take quadratic time, and Python refuses them.
    return int(digits) if len(digits) <= _MAX_DIGITS else float(digits)


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in _BLANKS:
        position += 1
    return position


def _decoded(content: bytes, source: str) -> str:
    encoding = json.detect_encoding(content)
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise MalformedSourceError(
            f"its bytes are no {encoding.upper()}: {error.reason}",
            source=source,
            place=f"line {line}",
            remedy="save it as UTF-8",
        ) from error


def _malformed(
    error: Exception, text: str, source: str, uncounted: str | None
) -> MalformedSourceError:
    if isinstance(error, json.JSONDecodeError):
        message = f"is no valid JSON: {error.msg.lower()}"
        if error.pos >= len(text.rstrip()):
            message = "ends in the middle of a record"
        without = "" if uncounted is None else f" ({uncounted} not counted)"
        return MalformedSourceError(
            message,
            source=source,
            place=f"line {error.lineno}, column {error.colno}{without}",
            remedy="write the record again, it may have been cut off or edited",
        )
    if isinstance(error, RecursionError):
        message = "is nested too deeply"
    else:
        message = f"is no valid JSON: {error}"
    return MalformedSourceError(
        message, source=source, place="$", remedy="look at the file"
    )
