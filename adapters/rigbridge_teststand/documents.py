"""
The bytes of a report to an element tree, safely.

Refuses every DOCTYPE before the parser sees it, loads nothing from elsewhere, and
repairs what TestStand and its neighbours are known to write: a stylesheet instruction
with a colon, blanks before the declaration, several roots in a file, and text in
windows-1252 under another declaration. Each repair is recorded.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from rigbridge.adapters import ConversionReport, Place
from rigbridge.errors import MalformedSourceError, UnsafeSourceError
from rigbridge_teststand.element import Element

__all__ = [
    "line_of",
    "parse_document",
    "place_of",
    "prepare_head",
    "superset_of",
]

_COLON_INSTRUCTION = re.compile(rb"<\?xml:stylesheet\b")
_DECLARATION = re.compile(rb"<\?xml\s[^>]*?\?>")
_ENCODING = re.compile(rb"""<\?xml\s[^>]*?encoding\s*=\s*["']([\w.:-]+)["']""")
_NOT_MARKUP = re.compile(rb"<!--.*?-->|<\?.*?\?>", re.DOTALL)
_ELEMENT = re.compile(rb"<[A-Za-z_]")
_CONTROL_BYTES = re.compile(rb"[\x80-\x9f]")
_WIDE = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")
_LATIN = {"iso-8859-1", "iso8859-1", "latin-1", "latin1"}
_SUPERSET = "windows-1252"
_SUPERSETS = {"gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932"}
"""What a declared encoding is really, where its own characters do not suffice."""


def line_of(element: Element) -> int | None:
    """Give the line on which an element begins."""
    line: Any = element.sourceline
    return line if isinstance(line, int) else None


def place_of(element: Element) -> Place:
    """Say where an element stands; only worth its cost where something is reported."""
    path = element.getroottree().getpath(element)
    return Place(line=line_of(element), path=path)


def parse_document(content: bytes, uri: str, report: ConversionReport) -> Element:
    """
    Parse a whole document; blank text between elements is left out.

    Args:
        content: the bytes of the file.
        uri: the file, for errors.
        report: where repairs are recorded.

    Raises:
        UnsafeSourceError: it has a DOCTYPE.
        MalformedSourceError: it is no well-formed XML; names the line.
    """
    content = prepare_head(content, uri)
    encoding = superset_of(content, report)
    try:
        return _parse(content, encoding)
    except etree.XMLSyntaxError as error:
        return _second_try(content, encoding, error, uri, report)


def prepare_head(content: bytes, uri: str) -> bytes:
    """
    Make the beginning of a document such that the parser takes it.

    Args:
        content: the document, or at least what stands before its root.
        uri: the file, for errors.

    Raises:
        UnsafeSourceError: it has a DOCTYPE.
    """
    _refuse_doctype(content, uri)
    return _COLON_INSTRUCTION.sub(b"<?xml-stylesheet", content.lstrip(b" \t\r\n"))


def _refuse_doctype(content: bytes, uri: str) -> None:
    narrow = content
    if content[:2] in _WIDE:
        narrow = content.replace(b"\x00", b"")
    at = narrow.find(b"<!DOCTYPE")
    if at < 0:
        return
    # In the text of an element the letters are harmless; before the root they are not.
    if _ELEMENT.search(_NOT_MARKUP.sub(b"", narrow[:at])):
        return
    line = narrow.count(b"\n", 0, at) + 1
    raise UnsafeSourceError(
        "has a DOCTYPE, which TestStand never writes",
        source=uri,
        place=f"line {line}",
        remedy="remove the DOCTYPE if the file can be trusted",
    )


def superset_of(content: bytes, report: ConversionReport) -> str | None:
    """
    Tell what a declared latin-1 really is; None where it is what it says.

    Args:
        content: the bytes to judge by.
        report: where the repair is recorded.
    """
    declared = _ENCODING.match(content)
    if declared is None or declared[1].decode("ascii").lower() not in _LATIN:
        return None
    stray = _CONTROL_BYTES.search(content)
    if stray is None:
        return None
    report.coerced(
        "encoding",
        "iso-8859-1 read as windows-1252",
        place=Place(line=content.count(b"\n", 0, stray.start()) + 1),
    )
    return _SUPERSET


def _parse(content: bytes, encoding: str | None) -> Element:
    parser = etree.XMLParser(
        remove_blank_text=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        encoding=encoding,
    )
    return etree.fromstring(content, parser)


def _second_try(
    content: bytes,
    encoding: str | None,
    error: etree.XMLSyntaxError,
    uri: str,
    report: ConversionReport,
) -> Element:
    # The type hints of lxml lack the error's code.
    code: Any = getattr(error, "code", None)
    codes = etree.ErrorTypes
    if code in (codes.ERR_DOCUMENT_END, codes.ERR_RESERVED_XML_NAME):
        declared = _DECLARATION.match(content)
        head = declared[0] if declared else b""
        joined = head + b"<Reports>" + _DECLARATION.sub(b"", content) + b"</Reports>"
        repaired, rule = joined, "several documents in one file read one by one"
    elif code in (codes.ERR_INVALID_CHAR, codes.ERR_INVALID_ENCODING) or (
        "not proper UTF-8" in str(error) or "Invalid bytes" in str(error)
    ):
        declared_name = _ENCODING.match(content)
        name = "" if declared_name is None else declared_name[1].decode("ascii").lower()
        repaired, encoding = content, _SUPERSETS.get(name, _SUPERSET)
        rule = f"bytes contradict the declared encoding, {encoding} assumed"
    else:
        raise _malformed(error, uri) from error
    try:
        root = _parse(repaired, encoding)
    except etree.XMLSyntaxError:
        raise _malformed(error, uri) from error
    report.coerced("encoding", rule, place=Place(line=error.lineno))
    return root


def _malformed(error: etree.XMLSyntaxError, uri: str) -> MalformedSourceError:
    words = str(error.msg).rpartition(", line ")[0] or str(error.msg)
    return MalformedSourceError(
        f"is no well-formed XML: {words}",
        source=uri,
        place=f"line {error.lineno}",
        remedy="the file may be cut off; export or copy it again",
    )
