"""The adapter ``teststand-atml``: ATML test results of TestStand and VeriStand."""

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
from rigbridge_teststand.atml.names import children, local, version_of
from rigbridge_teststand.atml.runs import read_run
from rigbridge_teststand.documents import parse_document, place_of
from rigbridge_teststand.element import Element
from rigbridge_teststand.salvage import salvage
from rigbridge_teststand.settings import TestStandSettings
from rigbridge_teststand.streaming import LARGE, stream_reports

__all__ = ["TestStandATMLAdapter"]

_ROOT = re.compile(r"<(?:[\w.-]+:)?(TestResultsCollection|TestResults)[\s/>]")
_MARK = re.compile(r"1636|1671|ATML", re.IGNORECASE)
_CONTENT = re.compile(r"<(?:[\w.-]+:)?(?:ResultSet|UUT)[\s/>]")
_EXTENSION = "www.ni.com/TestStand/ATML"
_FORMAT = "ATML"
_RESULTS = "TestResults"
_TAG = "{*}TestResults"
_COLLECTION = "TestResultsCollection"
_CONTAINERS = frozenset({_COLLECTION, _RESULTS, "ResultSet", "TestGroup"})
# What a document that was split at its declarations is wrapped into.
_WRAPPER = "Reports"


class TestStandATMLAdapter:
    """
    Reads ATML test results (IEEE 1636.1) of versions 2.02, 5.00 and 6.01.

    Every ``TestResults`` element is one run. A table of a batch is an index of other
    files and makes no run; that is recorded.

    Args:
        settings: the site's settings for TestStand.
    """

    # pytest would take a class of this name for tests.
    __test__ = False

    name: ClassVar[str] = "teststand-atml"
    settings_type: ClassVar[type[TestStandSettings]] = TestStandSettings

    def __init__(self, settings: TestStandSettings | None = None) -> None:
        self._settings = TestStandSettings() if settings is None else settings

    def detect(self, head: bytes, name: str) -> Match | None:
        """Recognize the root element and its namespaces."""
        del name
        shown = head.replace(b"\x00", b"").decode("latin-1")
        root = _ROOT.search(shown)
        if root is None:
            return None
        # The namespaces stand on the root, or on the results right below it.
        opening = shown[root.start() : root.start() + 4096]
        version = version_of(opening)
        if version is not None or _MARK.search(opening):
            writer = "TestStand" if _EXTENSION in opening else "no TestStand extension"
            said = "of an unknown version" if version is None else version
            return Match(0.95, f"root element {root[1]} of ATML {said}, {writer}")
        if _CONTENT.search(shown):
            return Match(0.6, f"root element {root[1]} with results of units")
        return None

    def read(self, source: Source, context: ReadContext) -> Iterator[Run]:
        """Read every unit's results; see the contract for what is raised."""
        try:
            with source.open() as stream:
                head = stream.read(LARGE + 1)
                if len(head) > LARGE:
                    yield from self._streamed(head, stream, source, context)
                    return
        except (OSError, EOFError) as error:
            raise _unreadable(error, source) from error
        yield from self._whole(head, source, context)

    def _streamed(
        self, head: bytes, stream: IO[bytes], source: Source, context: ReadContext
    ) -> Iterator[Run]:
        """Read a large file results by results; a damaged one as a whole instead."""
        index = 0
        root: Element | None = None
        damaged = False
        try:
            for element, is_results in stream_reports(
                _TAG, head, stream, source.uri, context.report
            ):
                if not is_results:
                    root = element
                    break
                yield from self._one(element, index, source, context)
                index += 1
        except etree.XMLSyntaxError:
            damaged = True
        del head
        if damaged or root is None:
            with source.open() as again:
                content = again.read()
            yield from self._whole(content, source, context, done=index)
        elif local(root) == _RESULTS:
            yield from self._one(root, index, source, context)
        else:
            self._results(root, source, context)
            if not index:
                raise NoRunError("holds no results of a unit", source=source.uri)

    def _whole(
        self, content: bytes, source: Source, context: ReadContext, *, done: int = 0
    ) -> Iterator[Run]:
        """Read a file as a whole, from the results on that are not read yet."""
        if not content.strip():
            raise NoRunError("the file is empty", source=source.uri)
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
        del content
        found = self._results(root, source, context)
        for index, element in enumerate(found):
            if index >= done:
                truncated = cut is not None and _holds(element, cut)
                yield from self._one(
                    element, index, source, context, truncated=truncated
                )
        if not found:
            raise NoRunError("holds no results of a unit", source=source.uri)

    def _one(
        self,
        element: Element,
        index: int,
        source: Source,
        context: ReadContext,
        *,
        truncated: bool = False,
    ) -> Iterator[Run]:
        """Read one run, and give back the memory of its elements."""
        try:
            yield self._run(element, index, source, context, truncated=truncated)
        except ModelError as error:
            context.failed(
                MalformedSourceError(
                    f"the results make no run: {error}",
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
        # The version stands in the namespaces of the results or of what is below.
        spaces = " ".join(str(uri) for uri in element.nsmap.values())
        below = next((child for _, child in children(element)), None)
        if below is not None:
            spaces += f" {below.tag}"
        version = version_of(spaces)
        if version is None:
            context.report.coerced(
                "version",
                "unknown namespace, read as the newest version",
                place=place_of(element),
            )
        provenance = context.provenance(
            source, index, format=_FORMAT, format_version=version
        )
        run = read_run(
            element, provenance, self._settings, context, truncated=truncated
        )
        del held
        return run

    def _results(
        self, root: Element, source: Source, context: ReadContext
    ) -> list[Element]:
        name = local(root)
        if name == _RESULTS:
            return [root]
        if name not in (_COLLECTION, _WRAPPER):
            raise UnrecognizedSourceError(
                f"is XML of another kind, its root is {name}",
                source=source.uri,
                place=f"line {root.sourceline}",
                remedy="name another adapter",
            )
        found: list[Element] = []
        pending = [below for _, below in children(root)][::-1]
        while pending:
            element = pending.pop()
            kind = local(element)
            if kind == _RESULTS:
                found.append(element)
            elif kind in {_COLLECTION, "Extension"}:
                pending.extend([below for _, below in children(element)][::-1])
            else:
                context.report.dropped(
                    "batch table" if kind == "TSBatchTable" else "property",
                    "is an index of unit reports, not a run"
                    if kind == "TSBatchTable"
                    else "stands beside the results of units",
                    place=place_of(element),
                    detail=kind,
                )
        return found


def _unreadable(error: Exception, source: Source) -> SourceUnreadableError:
    return SourceUnreadableError(
        f"cannot be read: {error}",
        source=source.uri,
        remedy="the file may be cut off; copy it again",
    )


def _keeps(element: Element) -> bool:
    return local(element) in _CONTAINERS


def _holds(element: Element, inner: Element) -> bool:
    return element is inner or any(
        ancestor is element for ancestor in inner.iterancestors()
    )
