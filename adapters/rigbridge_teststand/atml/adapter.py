"""The adapter ``teststand-atml``: ATML test results of TestStand and VeriStand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from rigbridge.adapters import Match, ReadContext, Source
from rigbridge.model import Run
from rigbridge_teststand.atml.names import children, local, version_of
from rigbridge_teststand.atml.runs import read_run
from rigbridge_teststand.batches import record_batch
from rigbridge_teststand.documents import place_of
from rigbridge_teststand.element import Element
from rigbridge_teststand.report_files import ReportFile, of_another_kind
from rigbridge_teststand.settings import TestStandSettings

__all__ = ["TestStandATMLAdapter"]

_ROOT = re.compile(r"<(?:[\w.-]+:)?(TestResultsCollection|TestResults)[\s/>]")
_MARK = re.compile(r"1636|1671|ATML", re.IGNORECASE)
_CONTENT = re.compile(r"<(?:[\w.-]+:)?(?:ResultSet|UUT)[\s/>]")
_EXTENSION = "www.ni.com/TestStand/ATML"
_FORMAT = "ATML"
_RESULTS = "TestResults"
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
        yield from _ATMLFile(source, context, self._settings).read()


class _ATMLFile(ReportFile):
    """A file of ATML results that is being read."""

    tag = "{*}TestResults"
    looks_again = False

    def __init__(
        self, source: Source, context: ReadContext, settings: TestStandSettings
    ) -> None:
        super().__init__(source, context)
        self._settings = settings

    def is_index(self, element: Element) -> bool:
        """Tell that no results are an index; tables of a batch stand beside them."""
        del element
        return False

    def run(self, element: Element, index: int, *, truncated: bool) -> Run:
        """Read the results of one unit."""
        # The version stands in the namespaces of the results or of what is below.
        spaces = " ".join(str(uri) for uri in element.nsmap.values())
        if len(element):
            spaces += f" {element[0].tag}"
        version = version_of(spaces)
        if version is None:
            self.context.report.coerced(
                "version",
                "unknown namespace, read as the newest version",
                place=place_of(element),
            )
        provenance = self.context.provenance(
            self.source, index, format=_FORMAT, format_version=version
        )
        return read_run(
            element, provenance, self._settings, self.context, truncated=truncated
        )

    def refuse(self, head: bytes) -> None:
        """Refuse nothing beforehand: the parser tells what is no XML."""
        del head

    def mark_unfinished(self, innermost: Element) -> None:
        """Mark nothing: a step without an outcome says that it is unfinished."""
        del innermost

    def keeps(self, element: Element) -> bool:
        """Keep what complete steps may stand in."""
        return local(element) in _CONTAINERS

    def reports(self, root: Element) -> list[Element]:
        """Find the results; what stands beside them is recorded as dropped."""
        name = local(root)
        if name == _RESULTS:
            return [root]
        if name not in (_COLLECTION, _WRAPPER):
            raise of_another_kind(name, root, self.source)
        found: list[Element] = []
        pending = [below for _, below in children(root)][::-1]
        while pending:
            element = pending.pop()
            kind = local(element)
            if kind == _RESULTS:
                found.append(element)
            elif kind in {_COLLECTION, "Extension"}:
                pending.extend([below for _, below in children(element)][::-1])
            elif kind == "TSBatchTable":
                named = element.iter("{*}UUTHref", "{*}UUThref")
                record_batch(element, named, self.context.report)
            else:
                self.context.report.dropped(
                    "property",
                    "stands beside the results of units",
                    place=place_of(element),
                    detail=kind,
                )
        return found
