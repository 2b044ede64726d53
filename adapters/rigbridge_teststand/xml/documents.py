"""
Parsing of a report's bytes to an element tree, safely.

Every DOCTYPE is refused before the parser sees it, and nothing else is loaded. Known
faults of TestStand and of other producers are repaired: a stylesheet instruction with a
colon, blanks before the declaration, several roots in a file, text in windows-1252 or
UTF-8 under another declaration, and entities of HTML. Each repair is recorded.
"""

from __future__ import annotations

import codecs
import re
from html.entities import name2codepoint
from typing import Any

import attrs
from lxml import etree

from rigbridge.adapters import ConversionReport, Place
from rigbridge.errors import MalformedSourceError, UnsafeSourceError
from rigbridge_teststand.xml.beginnings import without_leading_text
from rigbridge_teststand.xml.elements import Element

__all__ = [
    "PARSING",
    "SEVERAL_DOCUMENTS",
    "LatinStream",
    "encoding_of",
    "is_utf_8",
    "parse_document",
    "prepare_head",
    "refuse_declared",
    "wrap_documents",
]

PARSING: dict[str, Any] = {
    # Indentation would be a text node for each element.
    "remove_blank_text": True,
    "remove_comments": True,
    "remove_pis": True,
    # Entities need a DOCTYPE, which is refused. These options are a second lock.
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    # Nothing looks an element up by an ID.
    "collect_ids": False,
    # Sequences nest deeper than 256, and texts may exceed 10 MB.
    "huge_tree": True,
}
"""The options of every parser: elements and texts only, nothing external."""

_COLON = b"<?xml:stylesheet"
# Seen in real files, although a colon is no part of an instruction's name.
_COLON_INSTRUCTION = re.compile(rb"<\?xml:stylesheet\b")
# With a byte order mark before it, where files were appended to one another.
_DECLARATION = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml\s[^>]*?\?>")
_ENCODING = re.compile(rb"""<\?xml\s[^>]*?encoding\s*=\s*["']([\w.:-]+)["']""")
_NO_MARKUP = re.compile(rb"[^<]+|<!--.*?-->|<\?.*?\?>", re.DOTALL)
# Forbidden as bytes and as character references; tab and new lines are allowed.
_CONTROLS = re.compile(
    rb"[\x00-\x08\x0b\x0c\x0e-\x1f]"
    rb"|&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01])|[xX]0*(?:[0-8bcefBCEF]|1[0-9a-fA-F]));"
)
# The codes of these errors differ by release of libxml2.
_WRONG_BYTES = ("not proper UTF-8", "Invalid bytes", "nsupported encoding")
_CONTROL_BYTES = re.compile(rb"[\x80-\x9f]")
# UTF-16: its byte order marks, or "<" without one.
_WIDE = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")
_OF_WIDE = ("utf-16", "utf-32", "ucs-")
_UTF_8 = frozenset({"", "utf-8", "utf8"})
_CONTRADICTED = "bytes contradict the declared encoding, {} assumed"
# In a CDATA section the same letters are a text.
_ENTITY = re.compile(rb"<!\[CDATA\[.*?\]\]>|&([A-Za-z][A-Za-z0-9]*);", re.DOTALL)
_OF_XML = frozenset({"amp", "lt", "gt", "quot", "apos"})
_NOT_ASCII = re.compile(rb"[\x80-\xff]+")
_LONGEST_RUN = 4_096
SEVERAL_DOCUMENTS = "documents"
"""The kind of the repair that reads concatenated documents."""

_SHOWN = 80
"""How many characters of a text that is left out are shown."""
# TestStand on Windows declares latin-1 and writes the code page of Windows.
_LATIN = {"iso-8859-1", "iso8859-1", "latin-1", "latin1"}
_SINGLE_BYTE = _LATIN | {"us-ascii", "ascii", "iso-8859-15", "windows-1252", "cp1252"}
_SUPERSET = "windows-1252"
_AS_SUPERSET = "iso-8859-1 read as windows-1252"
_SUPERSETS = {"gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932"}
"""What a declared encoding is really, where its own characters do not suffice."""


def parse_document(content: bytes, uri: str, report: ConversionReport) -> Element:
    """
    Parse a whole document; blank text between elements is left out.

    Args:
        content: the bytes of the file.

    Raises:
        UnsafeSourceError: it has a DOCTYPE.
        MalformedSourceError: it is no well-formed XML; names the line.
    """
    content = prepare_head(without_leading_text(content, report), uri)
    encoding = encoding_of(content, report)
    first: etree.XMLSyntaxError | None = None
    repairs: list[tuple[str, str, int | None]] = []
    # Each kind of repair is tried once, so the loop ends.
    while True:
        try:
            root = _parse(content, encoding)
        except etree.XMLSyntaxError as error:
            first = first or error
            repair = _repair(content, encoding, error)
            if repair is None or repair.kind in {kind for kind, _, _ in repairs}:
                # The first error names the fault of the file, later ones a repair's.
                raise _malformed(first, uri) from first
            content, encoding = repair.content, repair.encoding
            repairs.append((repair.kind, repair.rule, error.lineno))
        else:
            for kind, rule, line in repairs:
                # Text behind the root looks to the parser like a second document.
                if kind == SEVERAL_DOCUMENTS and len(root) == 1:
                    root = _without_trailer(root, report, line)
                else:
                    report.coerced(kind, rule, place=Place(line=line))
            return root


def _without_trailer(
    wrapped: Element, report: ConversionReport, line: int | None
) -> Element:
    """Take a single document out of its wrapper; only text followed it."""
    root = wrapped[0]
    report.dropped(
        "text",
        "stands behind the end of the document",
        place=Place(line=line),
        detail=(root.tail or "").strip()[:_SHOWN] or None,
    )
    wrapped.remove(root)
    return root


def prepare_head(content: bytes, uri: str) -> bytes:
    """
    Repair the beginning of a document, so that the parser accepts it.

    Args:
        content: the document, or at least all that precedes its root.

    Raises:
        UnsafeSourceError: it has a DOCTYPE.
    """
    _refuse_doctype(content, uri)
    # A blank before the declaration is an error for the parser.
    content = content.lstrip(b" \t\r\n")
    # Looking for bytes is many times quicker than for an expression.
    if _COLON not in content:
        return content
    return _COLON_INSTRUCTION.sub(b"<?xml-stylesheet", content)


def _refuse_doctype(content: bytes, uri: str) -> None:
    narrow = content
    if content[:2] in _WIDE:
        # Enough to find an ASCII word in UTF-16.
        narrow = content.replace(b"\x00", b"")
    # Behind the root's beginning, or in a comment, the letters are harmless.
    at = _end_of_prolog(narrow)
    if not narrow.startswith(b"<!DOCTYPE", at):
        return
    raise _declared(uri, narrow.count(b"\n", 0, at) + 1)


def refuse_declared(element: Element, uri: str) -> None:
    """
    Refuse a document in which the parser found a DOCTYPE.

    Raises:
        UnsafeSourceError: it has a DOCTYPE.
    """
    # The type hints of lxml lack a document without one.
    declared: Any = element.getroottree().docinfo.internalDTD
    if declared is not None:
        raise _declared(uri, None)


def _declared(uri: str, line: int | None) -> UnsafeSourceError:
    return UnsafeSourceError(
        "has a DOCTYPE, which TestStand never writes",
        source=uri,
        place=None if line is None else f"line {line}",
        remedy="remove the DOCTYPE if the file can be trusted",
    )


def _end_of_prolog(content: bytes) -> int:
    """Find the end of the leading blanks, comments and instructions."""
    at = 0
    while match := _NO_MARKUP.match(content, at):
        at = match.end()
    return at


def encoding_of(content: bytes, report: ConversionReport) -> str | None:
    """
    Find the encoding that overrules the declared one; None where none does.

    Args:
        content: the bytes to judge by.
    """
    # Far quicker than the search below, and true of most files.
    if content.isascii():
        return None
    declared = _ENCODING.match(content)
    name = "" if declared is None else declared[1].decode("ascii").lower()
    if name in _SINGLE_BYTE and is_utf_8(content):
        first = _NOT_ASCII.search(content)
        at = 0 if first is None else first.start()
        report.coerced(
            "encoding",
            _CONTRADICTED.format("utf-8"),
            place=Place(line=content.count(b"\n", 0, at) + 1),
        )
        return "utf-8"
    if name not in _LATIN:
        return None
    # latin-1 has only controls there, windows-1252 the euro sign and quotes.
    stray = _CONTROL_BYTES.search(content)
    if stray is None:
        return None
    # The place is the first such character.
    report.coerced(
        "encoding",
        _AS_SUPERSET,
        place=Place(line=content.count(b"\n", 0, stray.start()) + 1),
    )
    return _SUPERSET


def is_utf_8(content: bytes) -> bool:
    """
    Tell whether bytes beyond ASCII are UTF-8 throughout.

    No text of another encoding is so by accident: each such byte would have to be one
    of a row of rare letters.

    Args:
        content: the bytes; at their end a character may be cut.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(content)
    except UnicodeDecodeError:
        return False
    return not content.isascii()


class LatinStream:
    """
    The encoding of a stream that may declare latin-1 and use another one.

    Attributes:
        encoding: how to read it: as UTF-8 where all its first special characters are of
            that, else as windows-1252, which is latin-1 but for controls; None where
            something else is declared.
    """

    def __init__(self, head: bytes, report: ConversionReport) -> None:
        declared = _ENCODING.match(head)
        name = "" if declared is None else declared[1].decode("ascii").lower()
        self.encoding = _SUPERSET if name in _LATIN else None
        if name in _SINGLE_BYTE and is_utf_8(head):
            self.encoding = encoding_of(head, report)
            name = ""
        self._report = report
        self._line = 1
        self._is_watching = name in _LATIN

    def see(self, chunk: bytes) -> None:
        """Look for characters of windows-1252 in the next chunk."""
        if not self._is_watching:
            return
        stray = None if chunk.isascii() else _CONTROL_BYTES.search(chunk)
        if stray is None:
            self._line += chunk.count(b"\n")
            return
        line = self._line + chunk.count(b"\n", 0, stray.start())
        self._report.coerced("encoding", _AS_SUPERSET, place=Place(line=line))
        self._is_watching = False


def _parse(content: bytes, encoding: str | None) -> Element:
    return etree.fromstring(content, etree.XMLParser(**PARSING, encoding=encoding))


def wrap_documents(content: bytes, *, closed: bool = True) -> bytes:
    """
    Put the concatenated documents of a file below one root.

    Args:
        content: the bytes of the file.
        closed: whether the root has an end; it has none where the file is cut off.
    """
    declared = _DECLARATION.match(content)
    head = declared[0] if declared else b""
    # The wrapper is a root that both readers know.
    end = b"</Reports>" if closed else b""
    return head + b"<Reports>" + _DECLARATION.sub(b"", content) + end


@attrs.frozen(kw_only=True)
class _Repair:
    kind: str
    rule: str
    content: bytes
    encoding: str | None


def _repair(
    content: bytes, encoding: str | None, error: etree.XMLSyntaxError
) -> _Repair | None:
    """Find the repair for a parser error; None where none is known."""
    # The type hints of lxml lack the error's code.
    code: object = getattr(error, "code", None)
    codes = etree.ErrorTypes
    wide = content[:2] in _WIDE
    if code in (codes.ERR_DOCUMENT_END, codes.ERR_RESERVED_XML_NAME):
        narrow = _narrow(content) if wide else content
        return _Repair(
            kind=SEVERAL_DOCUMENTS,
            rule="several documents in one file read one by one",
            content=wrap_documents(narrow),
            encoding="utf-8" if wide else encoding,
        )
    invalid = code in (codes.ERR_INVALID_CHAR, codes.ERR_INVALID_CHARREF)
    if invalid and not wide and _CONTROLS.search(content):
        return _Repair(
            kind="characters",
            rule="control characters that XML forbids are left out",
            content=_CONTROLS.sub(b"", content),
            encoding=encoding,
        )
    if code in (codes.ERR_UNDECLARED_ENTITY, codes.WAR_UNDECLARED_ENTITY):
        return _Repair(
            kind="entities",
            rule="entities of HTML read as their characters",
            content=_ENTITY.sub(_character, content),
            encoding=encoding,
        )
    declared = _ENCODING.match(content)
    name = "" if declared is None else declared[1].decode("ascii").lower()
    if (
        code in (codes.ERR_UNSUPPORTED_ENCODING, codes.ERR_UNKNOWN_ENCODING)
        or code in (codes.ERR_INVALID_CHAR, codes.ERR_INVALID_ENCODING)
        or any(words in str(error) for words in _WRONG_BYTES)
        or name.startswith(_OF_WIDE)
    ) and not wide:
        return _decoded(content, name)
    return None


def _narrow(content: bytes) -> bytes:
    """Spell UTF-16 as UTF-8, so that tags can be put around it."""
    is_big = content[:2] in (b"\xfe\xff", b"\x00<")
    text = content.decode("utf-16-be" if is_big else "utf-16-le", "replace")
    return text.removeprefix("\ufeff").encode()


def _character(entity: re.Match[bytes]) -> bytes:
    """Spell an entity of HTML as a number, which XML knows; leave all others."""
    name = (entity[1] or b"").decode("ascii")
    number = None if name in _OF_XML else name2codepoint.get(name)
    return entity[0] if number is None else b"&#%d;" % number


def _decoded(content: bytes, declared: str) -> _Repair:
    """Find the encoding of bytes that contradict their declaration."""
    # UTF-8 with some bytes of windows-1252: repair the bytes, not the encoding.
    if declared in _UTF_8:
        return _Repair(
            kind="encoding",
            rule=_CONTRADICTED.format(_SUPERSET),
            content=_NOT_ASCII.sub(_mended, content),
            encoding="utf-8",
        )
    assumed = "iso-8859-1"
    # UTF-8 first: its decoder accepts no other encoding by accident.
    for name in ("utf-8", _SUPERSETS.get(declared, _SUPERSET), _SUPERSET):
        try:
            content.decode(name)
        except UnicodeDecodeError:
            continue
        assumed = name
        break
    return _Repair(
        kind="encoding",
        rule=_CONTRADICTED.format(assumed),
        content=content,
        encoding=assumed,
    )


def _mended(run: re.Match[bytes]) -> bytes:
    """Read bytes that are no UTF-8 as windows-1252, and leave the others."""
    content = run[0]
    parts: list[str] = []
    while len(content) <= _LONGEST_RUN:
        try:
            parts.append(content.decode())
        except UnicodeDecodeError as error:
            parts.append(content[: error.start].decode())
            wrong = content[error.start : error.end]
            parts.append(wrong.decode(_SUPERSET, "replace"))
            content = content[error.end :]
        else:
            return "".join(parts).encode()
    # So many of them in a row never were UTF-8.
    return content.decode(_SUPERSET, "replace").encode()


def _malformed(
    error: etree.XMLSyntaxError, uri: str
) -> MalformedSourceError | UnsafeSourceError:
    # The parser's own limit, which no option lifts.
    if "xcessive depth" in str(error):
        return UnsafeSourceError(
            "is nested more than 2,000 elements deep, as no report is",
            source=uri,
            place=f"line {error.lineno}",
            remedy="split the sequence calls into several reports",
        )
    words = str(error.msg).rpartition(", line ")[0] or str(error.msg)
    return MalformedSourceError(
        f"is no well-formed XML: {words}",
        source=uri,
        place=f"line {error.lineno}",
        remedy="the file may be cut off; export or copy it again",
    )
