"""
Which text encoding a log is in.

A byte order mark decides, then the profile's declaration, then UTF-8 if the bytes are
UTF-8. Otherwise it is a guess, and recorded as one: Western code pages write ``°C`` and
``µA`` with a single high byte between plain ones; longer sequences of high bytes are
left to charset-normalizer.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable

import attrs

__all__ = ["Decoding", "decode_head", "find_decoding"]

_MARKS = (
    # The mark of UTF-32 begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What separates cells, in any encoding whose ASCII part is ASCII.
_SIGNS = re.compile(rb"[,;|\t\r\n\"]+")
_ADJACENT = re.compile(rb"[\x80-\xff]{2}")
# The code pages that test stations of some region write; more would only add errors.
_CANDIDATES = [
    "cp1250",
    "cp1251",
    "cp1252",
    "cp932",
    "cp949",
    "big5",
    "gb18030",
]
_SAMPLE = 4096


@attrs.frozen(kw_only=True)
class Decoding:
    """
    An encoding and why it was taken.

    Attributes:
        rule: the guess that the report must show, or None where nothing was guessed.
    """

    encoding: str
    rule: str | None = None


def _without_mark(head: bytes) -> Decoding | None:
    sample = head[:_SAMPLE]
    # Some programs write UTF-16 without a mark.
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    # Mostly ASCII in UTF-16: every second byte is zero, and no other one.
    if odd > len(sample) // 4 and even == 0:
        name = "utf-16-le"
    elif even > len(sample) // 4 and odd == 0:
        name = "utf-16-be"
    else:
        return None
    return Decoding(encoding=name, rule="encoding guessed without a byte order mark")


def _guess(sample: bytes) -> Decoding:
    name = "cp1252"
    if _ADJACENT.search(sample):
        # Imported here: it is seldom needed, and slow to import.
        from charset_normalizer import from_bytes

        # The plain cells around them would only blur what language it is.
        cells = [cell for cell in _SIGNS.split(sample) if not cell.isascii()]
        best = from_bytes(b" ".join(cells), cp_isolation=_CANDIDATES).best()
        name = name if best is None else best.encoding
    return Decoding(encoding=name, rule="encoding guessed from the bytes")


def _judge(sample: bytes) -> Decoding:
    """Tell damaged UTF-8 from another encoding, by what there is more of."""
    text = sample.decode("utf-8", "surrogateescape")
    foreign = [char for char in text if not char.isascii()]
    escaped = sum("\udc80" <= char <= "\udcff" for char in foreign)
    # A damaged byte is escaped; a sound character of several bytes counts as one.
    if len(foreign) > 2 * escaped:
        return Decoding(encoding="utf-8")
    return _guess(sample)


def find_decoding(
    declared: str | None, chunks: Iterable[bytes], *, whole: bool = True
) -> Decoding:
    """
    Find the encoding of a stream, reading no further than it must.

    Args:
        declared: the profile's encoding, or None to find it.
        whole: False if the chunks end before the stream does.
    """
    # Incremental: a chunk may end in the middle of a character.
    decoder = codecs.getincrementaldecoder("utf-8")()
    head = chunk = b""
    foreign = False
    try:
        for chunk in chunks:
            if not head:
                head = chunk
                if found := _decided(head, declared):
                    return found
            if foreign or not chunk.isascii():
                decoder.decode(chunk)
                foreign = True
        decoder.decode(b"", final=whole)
    except UnicodeDecodeError:
        return _judge(head if chunk is head else head + chunk)
    return Decoding(encoding="utf-8")


def _decided(head: bytes, declared: str | None) -> Decoding | None:
    # The mark counts more than the declaration: it is in the file itself.
    for mark, name in _MARKS:
        if head.startswith(mark):
            return _marked(name, declared)
    if declared is None:
        return _without_mark(head)
    return Decoding(encoding=declared)


def _marked(name: str, declared: str | None) -> Decoding:
    # Declared utf-16-le and a mark of UTF-16 agree.
    family = "utf-8" if name == "utf-8-sig" else name
    if declared is None or codecs.lookup(declared).name.startswith(family):
        return Decoding(encoding=name)
    return Decoding(
        encoding=name, rule="byte order mark followed against the declared encoding"
    )


def decode_head(declared: str | None, head: bytes) -> str:
    """Decode the beginning of a log as far as it goes; never raises."""
    decoding = find_decoding(declared, (head,), whole=False)
    decoder = codecs.getincrementaldecoder(decoding.encoding)("replace")
    try:
        return decoder.decode(head)
    except UnicodeError:
        # A codec may refuse even to replace (utf-16 without its mark).
        return ""
