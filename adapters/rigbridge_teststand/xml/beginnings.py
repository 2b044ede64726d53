"""What stands before the root of a report, and what makes it a report at all."""

from __future__ import annotations

import re

from rigbridge.adapters import ConversionReport, Place

__all__ = ["find_root", "without_leading_text"]

# Marks of the byte order, as latin-1 shows them, and all that XML allows there.
_PROLOG = re.compile(
    r"(?:[\s\xff\xfe\xef\xbb\xbf]|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>[]*(?:\[.*?\]\s*)?>)*",
    re.DOTALL,
)
_DECLARATION = "<?xml"
_LONGEST = 256
"""How many bytes of something else may stand before the declaration."""

_WRITTEN_ABOUT = (".md", ".rst", ".adoc")
_FENCE = "```"
_ZIP = b"PK\x03"
_WIDE = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")
_BLANKS = b" \t\r\n\xef\xbb\xbf"


def find_root(shown: str, root: re.Pattern[str], name: str) -> re.Match[str] | None:
    """
    Find the root of a report; a text that only mentions one has none.

    Args:
        shown: the beginning of the file, decoded as latin-1.
    """
    found = root.match(shown, _end_of_prolog(shown, 0))
    if found is not None:
        return found
    # A line of a terminal or of a mail may have slipped in before the declaration.
    begin = shown.find(_DECLARATION, 0, _LONGEST)
    leading = shown[: max(begin, 0)]
    if (
        not leading
        or leading.startswith(_ZIP.decode())
        or "<" in leading
        or _FENCE in leading
        or name.lower().endswith(_WRITTEN_ABOUT)
    ):
        return None
    return root.match(shown, _end_of_prolog(shown, begin))


def _end_of_prolog(shown: str, begin: int) -> int:
    found = _PROLOG.match(shown, begin)
    return begin if found is None else found.end()


def without_leading_text(content: bytes, report: ConversionReport) -> bytes:
    """Take away what stands before the declaration, and record it."""
    begin = content.find(_DECLARATION.encode(), 0, _LONGEST + len(_DECLARATION))
    leading = content[: max(begin, 0)]
    if not leading.strip(_BLANKS) or b"<" in leading:
        return content
    # Bytes of other forms, which the parser reads or refuses itself.
    if content[:2] in _WIDE or content.startswith(_ZIP):
        return content
    report.dropped(
        "text",
        "stands before the declaration of the document",
        place=Place(line=1),
        detail=leading.decode("latin-1").strip(),
    )
    return content[begin:]
