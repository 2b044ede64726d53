"""
The bytes of a report to its elements, safely and as a stream.

A DOCTYPE is refused before the parser sees it, nothing else is loaded. Test runners
copy what programs print into their reports: bytes of another encoding, and control
characters that XML forbids, are repaired on the way and recorded.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import IO, Any, TypeAlias

from lxml import etree

from rigbridge.adapters import ConversionReport, Place, Source
from rigbridge.errors import (
    MalformedSourceError,
    UnrecognizedSourceError,
    UnsafeSourceError,
)

__all__ = ["ROOTS", "Document", "Element", "begin_of_root", "forget", "local_name"]

Element: TypeAlias = Any
"""An element of lxml, which has no types of its own."""

ROOTS = ("testsuites", "testsuite", "testrun")
"""The elements that a report begins with; the last is that of some IDEs."""

_CHUNK = 1 << 16
_LONGEST_PROLOG = 1 << 20
_PROLOG = re.compile(r"(?:\s|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
_ROOT = re.compile(r"<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)[\s/>]")
_DOCTYPE = "<!DOCTYPE"
_DECLARED = re.compile(
    r"<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>(?:\s|<!--.*?-->)*", re.DOTALL | re.IGNORECASE
)
_ENCODING = re.compile(rb"""<\?xml\s[^>]*?encoding\s*=\s*["']([\w.:-]+)["']""")
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_FORBIDDEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REFERENCE = re.compile(
    "&#(?:0*(?:[0-8]|1[124-9]|2[0-9]|3[01])|[xX]0*(?:[0-8bcefBCEF]|1[0-9a-fA-F]));"
)
_LONGEST_MARK = 12
_LITERAL_BEGIN, _LITERAL_END = "<![CDATA[", "]]>"
_LITERAL = re.compile(r"(<!\[CDATA\[|\]\]>)")
_INSTEAD = "\ufffd"
_NESTED_DEEP = "xcessive depth"


def begin_of_root(text: str) -> re.Match[str] | None:
    """Find the first element of a document; a DOCTYPE before it is refused later."""
    return _ROOT.match(text, _end(_DECLARED, text, _end(_PROLOG, text, 0)))


def _end(pattern: re.Pattern[str], text: str, begin: int) -> int:
    found = pattern.match(text, begin)
    return begin if found is None else found.end()


def local_name(element: Element) -> str:
    """Give the name of an element without its namespace; empty for no element."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def forget(element: Element) -> None:
    """Give back the memory of an element that was read, and of those before it."""
    parent = element.getparent()
    element.clear()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]


def _cut(text: str) -> int:
    """Find where a text can be cut so that no reference and no mark is in two."""
    end = max(0, len(text) - _LONGEST_MARK)
    begin = max(0, end - _LONGEST_MARK)
    marks = [text.find(mark, begin, end) for mark in "&<]"]
    return min((at for at in marks if at >= 0), default=end)


def _ends_literal(text: str, *, is_literal: bool) -> bool:
    """Tell whether a text ends within CDATA."""
    begin, end = text.rfind(_LITERAL_BEGIN), text.rfind(_LITERAL_END)
    return is_literal if begin == end else begin > end


def _fed(parser: Any, text: str | None) -> etree.XMLSyntaxError | None:
    """Give a parser more text, or the end for None; give the error if there is one."""
    try:
        if text is None:
            parser.close()
        else:
            parser.feed(text.encode())
    except etree.XMLSyntaxError as error:
        return error
    return None


class Document:
    """
    A report that is read once, from its beginning to its end.

    Attributes:
        is_cut_off: whether reading ended in an error because the file does.
    """

    def __init__(self, source: Source, report: ConversionReport) -> None:
        self._source = source
        self._report = report
        self._line = 1
        self._repaired: dict[str, tuple[int, int]] = {}
        self._is_literal = False
        self.is_cut_off = False

    def events(self) -> Iterator[tuple[str, Element]]:
        """
        Give the beginning and the end of each element.

        Raises:
            UnsafeSourceError: it has a DOCTYPE, or is nested as no report is.
            UnrecognizedSourceError: it is another kind of document.
            MalformedSourceError: it is no well-formed XML; names the line.
        """
        parser: Any = etree.XMLPullParser(
            events=("start", "end"),
            encoding="utf-8",
            remove_comments=True,
            remove_pis=True,
            # Entities need a DOCTYPE, which is refused. These are a second lock.
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            collect_ids=False,
            # The output of a program may exceed 10 MB.
            huge_tree=True,
        )
        is_checked = False
        try:
            with self._source.open() as stream:
                for text in self._document(stream):
                    error = _fed(parser, text)
                    # What was complete before an error is still given.
                    for event, element in parser.read_events():
                        if not is_checked:
                            self._check_root(element)
                            is_checked = True
                        yield event, element
                    if error is not None:
                        raise self._malformed(error) from error
            self.is_cut_off = True
            error = _fed(parser, None)
            yield from parser.read_events()
            if error is not None:
                raise self._malformed(error) from error
        finally:
            self._record_repairs()

    def _document(self, stream: IO[bytes]) -> Iterator[str]:
        """Give the text of the document; its prolog is replaced by its lines."""
        prolog = ""
        texts = self._texts(stream)
        for text in texts:
            prolog += text
            end = self._end_of_prolog(prolog)
            if end is not None:
                # What the declaration says of the encoding is not true any more.
                yield "\n" * prolog.count("\n", 0, end) + prolog[end:]
                break
        else:
            self.is_cut_off = True
            raise self._no_document()
        yield from texts

    def _end_of_prolog(self, text: str) -> int | None:
        end = _end(_PROLOG, text, 0)
        rest = text[end : end + len(_DOCTYPE)]
        if rest.upper() == _DOCTYPE:
            raise UnsafeSourceError(
                "has a DOCTYPE, which no JUnit report needs",
                source=self._source.uri,
                place=f"line {1 + text.count(chr(10), 0, end)}",
                remedy="remove it",
            )
        if _ROOT.match(text, end):
            return end
        is_open = not rest or _DOCTYPE.startswith(rest.upper()) or rest[0] == "<"
        if not is_open or len(text) > _LONGEST_PROLOG:
            raise self._no_document()
        return None

    def _no_document(self) -> MalformedSourceError:
        return MalformedSourceError(
            "is no XML document",
            source=self._source.uri,
            place="line 1",
            remedy="look at what the file is; a report begins with <testsuites>",
        )

    def _texts(self, stream: IO[bytes]) -> Iterator[str]:
        """Decode the bytes, and repair what XML forbids."""
        encoding = self._encoding()
        decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
        held = ""
        is_end = False
        while not is_end:
            content = stream.read(_CHUNK)
            is_end = not content
            try:
                text = held + decoder.decode(content, is_end)
            except UnicodeDecodeError as error:
                raise MalformedSourceError(
                    f"is no text in {encoding}: {error.reason}",
                    source=self._source.uri,
                    place=f"line {self._line}",
                    remedy="copy the file again",
                ) from error
            cut = len(text) if is_end else _cut(text)
            text, held = text[:cut], text[cut:]
            if _FORBIDDEN.search(text):
                text = self._replaced(_FORBIDDEN, text)
            if "&#" in text:
                text = self._without_references(text)
            self._is_literal = _ends_literal(text, is_literal=self._is_literal)
            if text:
                yield text
            self._line += text.count("\n")

    def _without_references(self, text: str) -> str:
        """Replace references to forbidden characters; in CDATA they are none."""
        parts = _LITERAL.split(text)
        is_literal = self._is_literal
        for index, part in enumerate(parts):
            if part == _LITERAL_BEGIN:
                is_literal = True
            elif part == _LITERAL_END:
                is_literal = False
            elif not is_literal:
                parts[index] = self._replaced(_REFERENCE, part)
        return "".join(parts)

    def _encoding(self) -> str:
        head = self._source.head
        for mark, encoding in _MARKS:
            if head.startswith(mark):
                return encoding
        declared = _ENCODING.match(head.lstrip())
        if declared is None:
            return "utf-8"
        name = declared[1].decode()
        try:
            b"".decode(name)
            codecs.getincrementaldecoder(name)
        except LookupError:
            self._report.coerced(
                "encoding", "unknown, UTF-8 assumed", place=Place(line=1), detail=name
            )
            return "utf-8"
        # A document whose declaration can be read byte by byte is not wide.
        return "utf-8" if name.lower().startswith(("utf-16", "utf-32", "ucs")) else name

    def _replaced(self, pattern: re.Pattern[str], text: str) -> str:
        def instead(found: re.Match[str]) -> str:
            character = found[0]
            is_byte = "\udc80" <= character[0] <= "\udcff"
            rule = _WRONG_BYTE if is_byte else _CONTROL
            line = self._line + text.count("\n", 0, found.start())
            first, count = self._repaired.get(rule, (line, 0))
            self._repaired[rule] = first, count + 1
            if is_byte:
                byte = bytes([ord(character) - 0xDC00])
                return byte.decode("cp1252", "replace")
            return _INSTEAD

        return pattern.sub(instead, text)

    def _record_repairs(self) -> None:
        for rule, (line, count) in self._repaired.items():
            self._report.coerced(
                "text", rule, place=Place(line=line), detail=f"{count} from here on"
            )
        self._repaired.clear()

    def _check_root(self, element: Element) -> None:
        name = local_name(element)
        if name not in ROOTS:
            raise UnrecognizedSourceError(
                f"has the root element {name!r}, which is no JUnit report",
                source=self._source.uri,
                place=f"line {element.sourceline}",
                remedy=f"its root is one of {', '.join(ROOTS)}",
            )

    def _malformed(self, error: etree.XMLSyntaxError) -> Exception:
        place = f"line {error.lineno}"
        if _NESTED_DEEP in str(error):
            return UnsafeSourceError(
                "is nested more than 2,000 elements deep, as no report is",
                source=self._source.uri,
                place=place,
                remedy="look at what wrote it",
            )
        words = str(error.msg).rpartition(", line ")[0] or str(error.msg)
        return MalformedSourceError(
            f"is no well-formed XML: {words}",
            source=self._source.uri,
            place=place,
            remedy="the file may be cut off; export or copy it again",
        )


_WRONG_BYTE = "bytes that contradict the encoding, read as windows-1252"
_CONTROL = "control characters that XML forbids, replaced"
