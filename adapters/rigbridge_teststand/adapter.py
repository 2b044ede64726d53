"""The adapter ``teststand-xml``: native XML reports of NI TestStand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from rigbridge.adapters import Match, ReadContext, Source
from rigbridge.errors import (
    MalformedSourceError,
    ModelError,
    NoRunError,
    SourceUnreadableError,
    UnrecognizedSourceError,
)
from rigbridge.model import Run
from rigbridge_teststand.documents import parse_document, place_of
from rigbridge_teststand.element import Element
from rigbridge_teststand.reports import read_report
from rigbridge_teststand.settings import TestStandSettings

__all__ = ["TestStandXMLAdapter"]

_ROOT = re.compile(r"<(Reports|Report|TSReport)[\s/>]")
_BATCH = "Batch"
_FORMAT = "TestStand XML"


class TestStandXMLAdapter:
    """
    Reads native XML reports: ``Reports``, bare ``Report`` and ``TSReport`` documents.

    Every report of a unit is one run. A batch report is an index of others and makes
    no run; that is recorded.

    Args:
        settings: the site's settings for TestStand.
    """

    # pytest would take a class of this name for tests.
    __test__ = False

    name: ClassVar[str] = "teststand-xml"
    settings_type: ClassVar[type[TestStandSettings]] = TestStandSettings

    def __init__(self, settings: TestStandSettings | None = None) -> None:
        self._settings = TestStandSettings() if settings is None else settings

    def detect(self, head: bytes, name: str) -> Match | None:
        """Recognize the root element, in any encoding that keeps ASCII readable."""
        del name
        shown = head.replace(b"\x00", b"").decode("latin-1")
        root = _ROOT.search(shown)
        if root is None or "TestResults" in shown[: root.start()]:
            return None
        if root[1] == "TSReport":
            return Match(0.95, "root element TSReport of WATS")
        if "Type='" in shown or 'Type="' in shown:
            return Match(0.95, f"element {root[1]} with typed properties of TestStand")
        return Match(0.4, f"root element {root[1]}")

    def read(self, source: Source, context: ReadContext) -> Iterator[Run]:
        """Read every unit's report; see the contract for what is raised."""
        try:
            with source.open() as stream:
                content = stream.read()
        except (OSError, EOFError) as error:
            raise SourceUnreadableError(
                f"cannot be read: {error}",
                source=source.uri,
                remedy="the file may be cut off; copy it again",
            ) from error
        if not content.strip():
            raise NoRunError("the file is empty", source=source.uri)
        root = parse_document(content, source.uri, context.report)
        del content
        reports = self._reports(root, source)
        seen = 0
        for index, element in enumerate(reports):
            if element.get("Type") == _BATCH:
                context.report.dropped(
                    "batch report",
                    "is an index of unit reports, not a run",
                    place=place_of(element),
                )
                continue
            seen += 1
            try:
                yield self._run(element, index, source, context)
            except ModelError as error:
                context.failed(
                    MalformedSourceError(
                        f"the report makes no run: {error}",
                        source=source.uri,
                        place=str(place_of(element)),
                        remedy="report this file to the authors of rigbridge",
                    )
                )
            # What is done is given back before the next report is read.
            element.clear()
        if not seen:
            raise NoRunError("holds no report of a unit", source=source.uri)

    def _run(
        self,
        element: Element,
        index: int,
        source: Source,
        context: ReadContext,
    ) -> Run:
        provenance = context.provenance(source, index, format=_FORMAT)
        return read_report(element, provenance, self._settings, context)

    @staticmethod
    def _reports(root: Element, source: Source) -> list[Element]:
        if root.tag in ("Report", "TSReport"):
            return [root]
        if root.tag == "Reports":
            found: list[Element] = []
            for child in root:
                # Concatenated documents stand as Reports within Reports.
                inner = child if child.tag == "Reports" else (child,)
                found.extend(
                    item for item in inner if item.tag in ("Report", "TSReport")
                )
            return found
        raise UnrecognizedSourceError(
            f"is XML of another kind, its root is {root.tag}",
            source=source.uri,
            place=f"line {root.sourceline}",
            remedy="name another adapter",
        )
