"""The adapter ``teststand-xml``: native XML reports of NI TestStand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, ClassVar

from lxml import etree

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
from rigbridge_teststand.salvage import salvage
from rigbridge_teststand.settings import TestStandSettings
from rigbridge_teststand.steps import CUT_OFF
from rigbridge_teststand.streaming import LARGE, stream_reports

__all__ = ["TestStandXMLAdapter"]

_ROOT = re.compile(r"<(Reports|Report|TSReport)[\s/>]")
_PAGE = re.compile(
    rb"\s*(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)*<(?:!DOCTYPE\s+html|html[\s>])",
    re.IGNORECASE | re.DOTALL,
)
_HEAD = 4096
_REPORT = frozenset({"Report", "TSReport"})
_RESULT = ".//Value/Prop[@Type='TEResult']"
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
                head = stream.read(LARGE + 1)
                if len(head) > LARGE:
                    yield from self._streamed(head, stream, source, context)
                    return
        except (OSError, EOFError) as error:
            raise SourceUnreadableError(
                f"cannot be read: {error}",
                source=source.uri,
                remedy="the file may be cut off; copy it again",
            ) from error
        yield from self._whole(head, source, context)

    def _streamed(
        self, head: bytes, stream: IO[bytes], source: Source, context: ReadContext
    ) -> Iterator[Run]:
        """Read a large file report by report; a damaged one as a whole instead."""
        index = units = 0
        root: Element | None = None
        damaged = False
        _refuse_page(head, source)
        try:
            for element, is_report in stream_reports(
                "Report", head, stream, source.uri, context.report
            ):
                if not is_report:
                    root = element
                    break
                for run in self._one(element, index, source, context):
                    units += 1
                    yield run
                index += 1
        except etree.XMLSyntaxError:
            damaged = True
        del head
        if damaged or root is None:
            with source.open() as again:
                content = again.read()
            yield from self._whole(content, source, context, done=index)
        elif root.tag in _REPORT:
            yield from self._one(root, index, source, context)
        elif root.tag != "Reports":
            raise _of_another_kind(root, source)
        elif not units and not context.failures:
            raise NoRunError("holds no report of a unit", source=source.uri)

    def _whole(
        self, content: bytes, source: Source, context: ReadContext, *, done: int = 0
    ) -> Iterator[Run]:
        """Read a file as a whole, from the report on that is not read yet."""
        if not content.strip():
            raise NoRunError("the file is empty", source=source.uri)
        _refuse_page(content[:_HEAD], source)
        cut: Element | None = None
        try:
            root = parse_document(content, source.uri, context.report)
        except MalformedSourceError:
            if context.strict:
                raise
            salvaged = salvage(content, source.uri, context.report, _keeps)
            if salvaged is None:
                raise
            root, cut = salvaged
            _mark_unfinished(cut)
            if not self._reports(root, source):
                raise
        del content
        units = 0
        for index, element in enumerate(self._reports(root, source)):
            if index < done:
                continue
            truncated = cut is not None and _holds(element, cut)
            for run in self._one(element, index, source, context, truncated=truncated):
                units += 1
                yield run
        if not units and not done and not context.failures:
            raise NoRunError("holds no report of a unit", source=source.uri)

    def _one(
        self,
        element: Element,
        index: int,
        source: Source,
        context: ReadContext,
        *,
        truncated: bool = False,
    ) -> Iterator[Run]:
        """Read one report, and give back the memory of its elements."""
        if element.get("Type") == _BATCH:
            context.report.dropped(
                "batch report",
                "is an index of unit reports, not a run",
                place=place_of(element),
            )
            return
        try:
            yield self._run(element, index, source, context, truncated=truncated)
        except ModelError as error:
            context.failed(
                MalformedSourceError(
                    f"the report makes no run: {error}",
                    source=source.uri,
                    place=str(place_of(element)),
                    remedy="report this file to the authors of rigbridge",
                )
            )
        element.clear()

    def _run(
        self,
        element: Element,
        index: int,
        source: Source,
        context: ReadContext,
        *,
        truncated: bool,
    ) -> Run:
        # Elements that something holds need not be made anew at each look.
        held = list(element.iter("*"))
        provenance = context.provenance(source, index, format=_FORMAT)
        run = read_report(
            element, provenance, self._settings, context, truncated=truncated
        )
        del held
        return run

    @staticmethod
    def _reports(root: Element, source: Source) -> list[Element]:
        if root.tag in _REPORT:
            return [root]
        if root.tag == "Reports":
            found: list[Element] = []
            for child in root:
                # Concatenated documents stand as Reports within Reports.
                inner = child if child.tag == "Reports" else (child,)
                found.extend(item for item in inner if item.tag in _REPORT)
            return found
        raise _of_another_kind(root, source)


def _of_another_kind(root: Element, source: Source) -> UnrecognizedSourceError:
    return UnrecognizedSourceError(
        f"is XML of another kind, its root is {root.tag}",
        source=source.uri,
        place=f"line {root.sourceline}",
        remedy="name another adapter",
    )


def _refuse_page(head: bytes, source: Source) -> None:
    if _PAGE.match(head.replace(b"\x00", b"")):
        raise UnrecognizedSourceError(
            "is an HTML report, made for people to read",
            source=source.uri,
            remedy="let TestStand write the report as XML or ATML",
        )


def _keeps(element: Element) -> bool:
    """Whether an element stays although the file ends within it."""
    parent = element.getparent()
    return (
        element.tag == "Reports"
        or element.tag in _REPORT
        or (parent is not None and parent.tag in _REPORT)
        or element.find(_RESULT) is not None
    )


def _mark_unfinished(cut: Element) -> None:
    for element in (cut, *cut.iterancestors("Prop")):
        if element.get("Type") == "TEResult":
            element.set(CUT_OFF, "")


def _holds(element: Element, inner: Element) -> bool:
    return element is inner or any(
        ancestor is element for ancestor in inner.iterancestors()
    )
