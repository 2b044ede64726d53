"""What may be shown of a file that a rig has sent, judged by its bytes alone."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from types import MappingProxyType

import attrs

__all__ = ["HEAD_BYTES", "Preview", "image_kind", "preview_text"]

HEAD_BYTES = 16 * 1024
"""How much of a file is looked at."""

_RASTERS: Mapping[bytes, str] = MappingProxyType(
    {
        b"\x89PNG\r\n\x1a\n": "image/png",
        b"\xff\xd8\xff": "image/jpeg",
        b"GIF87a": "image/gif",
        b"GIF89a": "image/gif",
        b"BM": "image/bmp",
    }
)
_WEBP = (b"RIFF", b"WEBP")
_PLAIN_CONTROLS = frozenset("\t\n\r\f")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@attrs.frozen(kw_only=True)
class Preview:
    """
    The beginning of a text.

    Attributes:
        text: as much as is shown.
        complete: whether that is all.
    """

    text: str
    complete: bool


def image_kind(head: bytes) -> str | None:
    """
    Tell the media type of an image made of pixels; None for anything else.

    What the sender calls it does not count. An SVG is a document that may hold
    scripts, so it is no image here.
    """
    if head[:4] == _WEBP[0] and head[8:12] == _WEBP[1]:
        return "image/webp"
    for magic, kind in _RASTERS.items():
        if head.startswith(magic):
            return kind
    return None


def preview_text(head: bytes, size: int) -> Preview | None:
    """Read the beginning of a file as text; None if it is none."""
    encoding = next((name for mark, name in _MARKS if head.startswith(mark)), "utf-8")
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        # The head may end in the middle of a character.
        text = decoder.decode(head, final=len(head) >= size)
    except UnicodeDecodeError:
        return None
    if any(char < " " and char not in _PLAIN_CONTROLS for char in text):
        return None
    return Preview(text=text, complete=len(head) >= size)
