"""The adapter ``teststand-xml``: native XML reports of NI TestStand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from rigbridge.adapters import ConversionReport, Match, ReadContext, Source
from rigbridge.errors import UnrecognizedSourceError
from rigbridge.model import Run
from rigbridge_teststand.native.partial_results import CUT_OFF, holds_result
from rigbridge_teststand.native.reports import read_report, result_of
from rigbridge_teststand.native.step_results import StepResultReader
from rigbridge_teststand.native.strays import (
    UNKNOWN,
    record_stray_attributes,
    record_stray_text,
)
from rigbridge_teststand.omissions import record_batch
from rigbridge_teststand.settings import TestStandSettings
from rigbridge_teststand.xml.beginnings import find_root
from rigbridge_teststand.xml.elements import Element, record_coerced, record_dropped
from rigbridge_teststand.xml.report_files import ReportFile, wrong_root_error

__all__ = ["TestStandXMLAdapter"]

_ROOT = re.compile(r"<(?:[\w.-]+:)?(Reports|Report|TSReport)[\s/>]")
_TYPED = re.compile(r"\sType\s*=")
_FOREIGN_ROOT = re.compile(r"\{[^}]*\}(?:Reports|Report|TSReport)$")
_PAGE = re.compile(
    rb"\s*(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)*<(?:!DOCTYPE\s+html|html[\s>])",
    re.IGNORECASE | re.DOTALL,
)
_HEAD = 4096
_REPORT = frozenset({"Report", "TSReport"})
_BATCH = "Batch"
_FORMAT = "TestStand XML"
_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"
# Where the schema of a file lies says nothing of its results.
_SCHEMA = frozenset({f"{_INSTANCE}noNamespaceSchemaLocation"})


class TestStandXMLAdapter:
    """
    Reads native XML reports: ``Reports``, bare ``Report`` and ``TSReport`` documents.

    Every report of a unit is one run. A batch report is an index of others and makes
    no run; that is recorded.
    """

    # pytest would take a class of this name for tests.
    __test__ = False

    name: ClassVar[str] = "teststand-xml"
    settings_type: ClassVar[type[TestStandSettings]] = TestStandSettings

    def __init__(self, settings: TestStandSettings | None = None) -> None:
        self._settings = TestStandSettings() if settings is None else settings

    def detect(self, head: bytes, name: str) -> Match | None:
        """Recognize the root element, in any encoding that keeps ASCII readable."""
        shown = head.replace(b"\x00", b"").decode("latin-1")
        root = find_root(shown, _ROOT, name)
        if root is None:
            return None
        if root[1] == "TSReport":
            return Match(0.95, "root element TSReport of WATS")
        if _TYPED.search(shown):
            return Match(0.95, f"element {root[1]} with typed properties of TestStand")
        return Match(0.4, f"root element {root[1]}")

    def read(self, source: Source, context: ReadContext) -> Iterator[Run]:
        """Read every unit's report; see the contract for what is raised."""
        yield from _NativeFile(source, context, self._settings).read()


def _is_inner(report: Element) -> bool:
    """Tell whether a report stands in another one, which makes no sense."""
    return next(report.iterancestors(*_REPORT), None) is not None


class _NativeFile(ReportFile):
    """A file of native reports that is being read."""

    tag = names = ("Report", "TSReport")

    def __init__(
        self, source: Source, context: ReadContext, settings: TestStandSettings
    ) -> None:
        super().__init__(source, context)
        self._settings = settings
        self._partial: tuple[Element, StepResultReader] | None = None
        self._renamed: set[Element] = set()

    def is_unread(self, element: Element, root: Element) -> bool:
        """Tell whether a report is the root, or was not known by its name."""
        return element is root or not self.is_streamed(element)

    def is_streamed(self, element: Element) -> bool:
        """Tell a report from one whose name had a namespace."""
        return element not in self._renamed

    def refuse(self, head: bytes) -> None:
        """Refuse the page that TestStand may write instead."""
        if _PAGE.match(head[:_HEAD].replace(b"\x00", b"")):
            raise UnrecognizedSourceError(
                "is an HTML report, made for people to read",
                source=self.source.uri,
                remedy="let TestStand write the report as XML or ATML",
            )

    def reports(self, root: Element) -> list[Element]:
        """Find the reports; concatenated documents stand as Reports within Reports."""
        self._take_namespaces(root)
        if root.tag in _REPORT:
            return [root]
        if root.tag != "Reports":
            raise wrong_root_error(root.tag, root, self.source)
        return self._below(root)

    def _take_namespaces(self, root: Element) -> None:
        """Read elements by their local names; TestStand writes no namespace."""
        tops = [str(element.tag) for element in (root, *root)]
        spaces = {tag.rpartition("}")[0] for tag in tops if _FOREIGN_ROOT.match(tag)}
        for space in spaces:
            # The reports of WATS and of others have no properties.
            if root.find(f".//{space}}}Prop") is None:
                continue
            for element in root.iter(f"{space}}}*"):
                element.tag = element.tag.rpartition("}")[2]
                if element.tag in _REPORT:
                    self._renamed.add(element)
            rule = "of a namespace, as TestStand writes none; read by local names"
            record_coerced(self.context.report, root, "element", rule, space[1:])

    def _below(self, wrapper: Element) -> list[Element]:
        """Find the reports below a root, and record what else it holds."""
        account = self.context.report
        record_stray_attributes(wrapper, _SCHEMA, account)
        record_stray_text(wrapper, wrapper.text or " ", account)
        found: list[Element] = []
        for child in wrapper:
            if child.tag in _REPORT:
                found.append(child)
            elif child.tag == wrapper.tag:
                found += self._below(child)
            else:
                # Damage may have put something around a report.
                inner = [
                    element
                    for element in child.iter(*_REPORT)
                    if not _is_inner(element)
                ]
                found += inner
                if not inner:
                    record_dropped(account, child, "element", UNKNOWN, child.tag)
            record_stray_text(child, child.tail or " ", account)
        return found

    def is_index(self, element: Element) -> bool:
        """Tell a batch report from that of a unit."""
        if element.get("Type") != _BATCH:
            return False
        record_batch(element, element.iter("UUThref"), self.context.report)
        return True

    def run(
        self, element: Element, index: int, content: str | None, *, truncated: bool
    ) -> Run:
        """Read one report."""
        provenance = self.context.provenance(
            self.source, index, content=content, format=_FORMAT
        )
        reader, self._partial = self._reader(element, self.context.report), None
        return read_report(
            element,
            provenance,
            self._settings,
            self.context,
            reader,
            truncated=truncated,
        )

    def restart(self) -> None:
        """Forget the steps that were read."""
        super().restart()
        self._partial = None

    def read_partial(self, element: Element) -> None:
        """Read the steps that are complete."""
        root = result_of(element)
        if root is not None:
            # What of it belongs to a damaged report must not be accounted for twice.
            reader = self._reader(element, ConversionReport())
            self._partial = (element, reader)
            reader.read_partial(root)

    def _reader(self, element: Element, report: ConversionReport) -> StepResultReader:
        """Give what has read a part of a report already, or a new reader."""
        if self._partial is not None and self._partial[0] is element:
            return self._partial[1]
        return StepResultReader(self._settings.phase_outcomes(), report)

    def keeps(self, element: Element) -> bool:
        """Keep what is right below a report, and what holds a complete result."""
        parent = element.getparent()
        return (
            element.tag == "Reports"
            or element.tag in _REPORT
            or (parent is not None and parent.tag in _REPORT)
            or holds_result(element)
            or (self._partial is not None and self._partial[1].has_read_below(element))
        )

    def mark_unfinished(self, innermost: Element) -> None:
        """Mark the results whose end is missing."""
        for element in (innermost, *innermost.iterancestors("Prop")):
            if element.get("Type") == "TEResult":
                element.set(CUT_OFF, "")
