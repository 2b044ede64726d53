"""
What a file is that is no delimited text, told by its first bytes.

Detection asks this first, so that a report of another format costs no further module
of this adapter. A log that is called ``.csv`` and is something else is told by name.
"""

from __future__ import annotations

import re

__all__ = ["TABULAR_NAMES", "foreign_format", "is_text_table", "is_workbook"]

TABULAR_NAMES = (
    ".csv",
    ".tsv",
    ".tab",
    ".txt",
    ".log",
    ".dat",
    ".lvm",
    ".xlsx",
    ".ods",
)
"""Names under which a file of another format is told by its right name."""

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MARKS: tuple[tuple[bytes, str], ...] = (
    (_OLE, "an old Excel workbook (.xls)"),
    (b"FAR:A", "an ATDF file"),
    (b"TDSm", "an NI TDMS file"),
    (b"TDSh", "the index of an NI TDMS file"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"MATLAB 5.0 MAT-file", "a MATLAB file"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"PAR1", "a Parquet file"),
    (b"%PDF-", "a PDF document"),
    (b"{\\rtf", "an RTF document"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"PK\x05\x06", "an empty zip archive"),
)
_STDF = re.compile(rb"(?:\x00\x02|\x02\x00)\x00\x0a")
_JSON = re.compile(rb'(?:\[\s*)?\{\s*"[^"\r\n]*"\s*:')
_QDAS = re.compile(rb"K0\d{3}(?:/\d+)?[ \t]")
# What stands before the root, or the root, whose name is the group.
_XML_PART = re.compile(
    rb"<!--.*?-->|<[?!][^>]*>|<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)", re.DOTALL
)
_XML = {
    b"testsuites": "a JUnit XML report",
    b"testsuite": "a JUnit XML report",
    b"robot": "a Robot Framework report",
    b"html": "an HTML page",
    b"Workbook": "an Excel XML spreadsheet",
}
_SKIPPED = b"\xef\xbb\xbf \t\r\n"


def is_workbook(head: bytes) -> bool:
    """Say whether a file begins as an Excel workbook (``.xlsx``) does."""
    return head.startswith(b"PK\x03\x04") and (
        b"xl/" in head or b"[Content_Types].xml" in head
    )


def foreign_format(head: bytes) -> str | None:
    """Name what a file is if it is surely no delimited text, or give None."""
    if head.startswith(b"PK\x03\x04"):
        return _packed(head)
    if head.startswith(_OLE) and _ENCRYPTED in head:
        return "an Excel workbook with a password"
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    # The first record of STDF has two bytes of length, in either byte order.
    if _STDF.match(head):
        return "an STDF file"
    return _other_text(head.lstrip(_SKIPPED))


def _other_text(start: bytes) -> str | None:
    if _QDAS.match(start):
        return "a Q-DAS file (.dfq)"
    if _JSON.match(start):
        return "JSON, which has no columns"
    if start.startswith(b"<"):
        # Part by part: most of a report lies behind its root.
        names = (part[1] for part in _XML_PART.finditer(start))
        return _XML.get(next(filter(None, names), b""))
    return None


def _packed(head: bytes) -> str:
    if is_workbook(head):
        return "an Excel workbook (PK, xl/)"
    if b"opendocument.spreadsheet" in head[:200]:
        return "an OpenDocument spreadsheet (.ods)"
    return "a zip archive"


def is_text_table(head: bytes) -> bool:
    """
    Say whether a file may be delimited text, by its first bytes alone.

    XML and JSON have their own adapters. ``{@`` is how in-circuit testers begin.
    """
    if foreign_format(head) is not None:
        return False
    start = head.lstrip(_SKIPPED)
    if start.startswith((b"<", b"[{", b"[[", b'["')):
        return False
    return not start.startswith(b"{") or start.startswith(b"{@")
