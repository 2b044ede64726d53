"""The adapter ``junit``: reports in JUnit XML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rigbridge.adapters import Match, ReadContext, Source, is_blank
from rigbridge.errors import NoRunError
from rigbridge.model import Run
from rigbridge_junit.settings import JUnitSettings

__all__ = ["JUnitAdapter"]

_FIRST = b"testrun", b"testsuite"


class JUnitAdapter:
    """Reads JUnit XML of pytest, Maven, JUnit 5, GoogleTest, CTest, Go and others."""

    name: ClassVar[str] = "junit"
    settings_type: ClassVar[type[JUnitSettings]] = JUnitSettings

    def __init__(self, settings: JUnitSettings | None = None) -> None:
        self._settings = JUnitSettings() if settings is None else settings

    def detect(self, head: bytes, name: str) -> Match | None:
        """Recognize the root element, in any encoding that keeps ASCII readable."""
        del name
        narrow = head.replace(b"\0", b"")
        if not any(word in narrow for word in _FIRST):
            return None
        # Imported here: most files that are looked at are no such reports.
        from rigbridge_junit.document import ROOTS, begin_of_root

        shown = narrow.decode("latin-1").lstrip("\xef\xbb\xbf\xff\xfe")
        root = begin_of_root(shown)
        if root is None or root[1] not in ROOTS:
            return None
        return Match(0.9, f"root element {root[1]} of JUnit XML")

    def read(self, source: Source, context: ReadContext) -> Iterator[Run]:
        """
        Read the runs of a report: one, or one for each suite as the settings say.

        Raises:
            MalformedSourceError: it is no well-formed XML; what was complete has been
                given, unless ``context.strict``.
            UnsafeSourceError: it has a DOCTYPE.
            UnrecognizedSourceError: it is another kind of document.
            NoRunError: it holds no test case.
        """
        if is_blank(source.head):
            raise NoRunError("the file is empty", source=source.uri)
        from rigbridge_junit.reports import read_report

        yield from read_report(source, context, self._settings)
