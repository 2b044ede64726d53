"""The adapter ``teststand-atml``: ATML test results of TestStand and VeriStand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import IO, ClassVar

from lxml import etree

from rigbridge.adapters import HEAD_SIZE, ConversionReport, Match, ReadContext, Source
from rigbridge.errors import MalformedSourceError
from rigbridge.model import Run
from rigbridge_teststand.atml.account import RunAccount
from rigbridge_teststand.atml.forms import Form, content_of, drop_text, record_unread
from rigbridge_teststand.atml.header import read_header
from rigbridge_teststand.atml.local_names import (
    COLLECTION,
    RESULT_SET,
    RESULTS,
    STEPS,
    WRAPPER,
    attributes_of,
    child_elements,
    children,
    is_of_a_unit,
    local_name,
    steps_of,
    version_of,
)
from rigbridge_teststand.atml.partial_runs import PartialRun
from rigbridge_teststand.atml.runs import read_run, version_of_results
from rigbridge_teststand.omissions import record_batch
from rigbridge_teststand.settings import TestStandSettings
from rigbridge_teststand.xml.beginnings import find_root
from rigbridge_teststand.xml.elements import Element, PlaceTracker, empty
from rigbridge_teststand.xml.report_files import ReportFile, wrong_root_error
from rigbridge_teststand.xml.streaming import Event, stream_events

__all__ = ["TestStandATMLAdapter", "stations_of"]

_ROOT = re.compile(r"<(?:[\w.-]+:)?(TestResultsCollection|TestResults)[\s/>]")
_MARK = re.compile(r"1636|1671|ATML", re.IGNORECASE)
_CONTENT = re.compile(r"<(?:[\w.-]+:)?(?:ResultSet|UUT)[\s/>]")
_EXTENSION = "www.ni.com/TestStand/ATML"
_FORMAT = "ATML"
_CONTAINERS = frozenset({COLLECTION, RESULTS, "ResultSet", "TestGroup"})


class TestStandATMLAdapter:
    """
    Reads ATML test results (IEEE 1636.1) of versions 2.02, 5.00 and 6.01.

    Every ``TestResults`` element is one run. A table of a batch is an index of other
    files and makes no run; that is recorded.
    """

    # pytest would take a class of this name for tests.
    __test__ = False

    name: ClassVar[str] = "teststand-atml"
    settings_type: ClassVar[type[TestStandSettings]] = TestStandSettings

    def __init__(self, settings: TestStandSettings | None = None) -> None:
        self._settings = TestStandSettings() if settings is None else settings

    def detect(self, head: bytes, name: str) -> Match | None:
        """Recognize the root element and its namespaces."""
        # Zeros are left out, so that UTF-16 can be searched as if it were ASCII.
        shown = head.replace(b"\x00", b"").decode("latin-1")
        root = find_root(shown, _ROOT, name)
        if root is None:
            return None
        # The namespaces are on the root, or on the results right below it.
        opening = shown[root.start() : root.start() + 4096]
        version = version_of(opening)
        if version is not None or _MARK.search(opening):
            writer = "TestStand" if _EXTENSION in opening else "no TestStand extension"
            shown_version = "of an unknown version" if version is None else version
            return Match(
                0.95, f"root element {root[1]} of ATML {shown_version}, {writer}"
            )
        if _CONTENT.search(shown):
            return Match(0.6, f"root element {root[1]} with results of units")
        return None

    def read(self, source: Source, context: ReadContext) -> Iterator[Run]:
        """Read every unit's results; see the contract for what is raised."""
        yield from _ATMLFile(source, context, self._settings).read()


def _is_inner(results: Element) -> bool:
    """Tell whether results are inside of others, which only damage does."""
    return next(results.iterancestors("{*}TestResults"), None) is not None


class _ATMLFile(ReportFile):
    """A file of ATML results that is being read."""

    tag = "{*}TestResults"
    names = ("TestResults",)

    def __init__(
        self, source: Source, context: ReadContext, settings: TestStandSettings
    ) -> None:
        super().__init__(source, context)
        self._settings = settings
        self._places = PlaceTracker()
        # The results that are read while they are parsed.
        self._partial: PartialRun | None = None
        self._completed = 0
        self._stations: list[str | None] | None = None

    def is_index(self, element: Element) -> bool:
        """Return False: the table of a batch is no ``TestResults``."""
        del element
        return False

    def run(
        self, element: Element, index: int, content: str | None, *, truncated: bool
    ) -> Run:
        """Read the results of one unit."""
        version = version_of_results(element)
        if version is None:
            self.context.report.coerced(
                "version",
                "unknown namespace, read as the newest version",
                place=partial(self._places.place, element),
            )
        provenance = self.context.provenance(
            self.source,
            index,
            content=content,
            format=_FORMAT,
            format_version=version,
        )
        # Read while it was parsed; by now most of its steps are gone from the tree.
        if self._partial is not None and self._partial.results is element:
            return self._partial.finish(provenance, truncated=truncated)
        return read_run(
            element,
            provenance,
            self._settings,
            self.context,
            self._places.place,
            truncated=truncated,
        )

    def complete(
        self, head: bytes, stream: IO[bytes]
    ) -> Iterator[tuple[Element, bool]]:
        """Give the results of the units, and remove each after it was read."""
        read: Element | None = None
        # Of its own: a file that turns out to be damaged is read again.
        account = RunAccount(place=self._places.place)
        for element, is_report in super().complete(head, stream):
            # Results within other data are no run of their own.
            if is_report and not is_of_a_unit(element):
                continue
            # Only now is the text behind the one before complete.
            if read is not None:
                self._remove(read, account)
                read = None
            if not is_report:
                self.context.report.merge(account.report)
                yield element, False
                continue
            yield element, True
            self._partial = None
            self._completed += 1
            for below in child_elements(element):
                self._places.forget(below)
            read = element

    def _remove(self, element: Element, account: RunAccount) -> None:
        """Remove the results of a unit, and record the text behind them."""
        parent = element.getparent()
        # The end of what stands behind it was parsed: of a sibling, or of its parent.
        tail = self._places.take(element, is_parent_complete=True)
        if parent is not None:
            drop_text(parent, tail, account)

    def restart(self) -> None:
        """Forget the steps that were read."""
        super().restart()
        # Line numbers and positions of a reading that was given up say nothing of the
        # next one.
        self._places = PlaceTracker()
        self._partial = None
        self._completed = 0

    def read_partial(self, element: Element) -> None:
        """Read the steps that are complete."""
        if not is_of_a_unit(element):
            return
        if self._partial is None or self._partial.results is not element:
            self._partial = PartialRun(
                element, self._settings, self.context, self._station(), self._places
            )
        self._partial.advance()

    def _station(self) -> str | None:
        """Find the station of partial results, which they name at their end."""
        # It needs a second pass over the file, so only if time zones depend on it.
        if not self.context.time_zone.stations:
            return None
        if self._stations is None:
            self._stations = stations_of(self.source)
        # What is behind a damage is not found.
        after = self._stations[self._completed :]
        return after[0] if after else None

    def refuse(self, head: bytes) -> None:
        """Refuse nothing: the parser tells what is no XML."""
        del head

    def mark_unfinished(self, innermost: Element) -> None:
        """Mark nothing: an unfinished step has no outcome."""
        del innermost

    def keeps(self, element: Element) -> bool:
        """Keep containers of steps, and a step that holds complete steps."""
        kind = local_name(element)
        if kind in _CONTAINERS:
            return True
        if kind in STEPS and (
            steps_of(element)
            or (self._partial is not None and self._partial.has_read_below(element))
        ):
            return True
        return next(element.iter("{*}TestResults"), None) is not None

    def reports(self, root: Element) -> list[Element]:
        """Find the results, and record their siblings as dropped."""
        name = local_name(root)
        if name == RESULTS:
            return [root]
        if name not in (COLLECTION, WRAPPER):
            raise wrong_root_error(name, root, self.source)
        found: list[Element] = []
        others: list[str] = []
        account = RunAccount(self.context.report, self._places.place)
        _record_container(root, account)
        # A stack in the order of the document, so that runs come as the file has them.
        pending = [below for _, below in children(root)][::-1]
        while pending:
            element = pending.pop()
            kind = local_name(element)
            if kind == RESULTS:
                found.append(element)
            elif kind == RESULT_SET:
                account.coerced(
                    "result set", "without TestResults around it, read", element
                )
                found.append(element)
            elif kind in {COLLECTION, "Extension"}:
                _record_container(element, account)
                pending.extend([below for _, below in children(element)][::-1])
            elif kind == "TSBatchTable":
                named = element.iter("{*}UUTHref", "{*}UUThref")
                record_batch(element, named, self.context.report, self._places.place)
            elif inner := list(element.iter("{*}TestResults")):
                # Damage may have put something around results.
                found.extend(item for item in inner if not _is_inner(item))
            else:
                self.context.report.dropped(
                    "property",
                    "stands beside the results of units",
                    place=self._places.place(element),
                    detail=content_of(element),
                )
                others.append(kind)
        if others and not found and not self._completed:
            raise MalformedSourceError(
                f"holds {', '.join(sorted(set(others)))} where ATML has TestResults",
                source=self.source.uri,
                place=f"line {root.sourceline}",
                remedy="no run of it is read; export it as ATML 5.00 or 6.01 writes it",
            )
        return found

    def is_unread(self, element: Element, root: Element) -> bool:
        """Return True: results that were read are removed from the tree."""
        del element, root
        return True

    def is_streamed(self, element: Element) -> bool:
        """Tell results from a result set that stands alone."""
        return local_name(element) == RESULTS


def _record_container(element: Element, account: RunAccount) -> None:
    """Record the texts of a container; its attributes are metadata of each run."""
    is_read = local_name(element) in (COLLECTION, WRAPPER)
    attributes = frozenset(attributes_of(element)) if is_read else frozenset[str]()
    record_unread(element, Form(attributes=attributes, others=True), account)


# Elements that are emptied as soon as they are complete.
_EMPTIED = ("{*}Test", "{*}SessionAction", "{*}TestGroup", "{*}TestResults")
_MEMBER = "{*}Element"


def _remove_before(member: Element) -> None:
    """Remove the member of an array that stands before one that is complete."""
    parent, before = member.getparent(), member.getprevious()
    if parent is not None and before is not None:
        parent.remove(before)


def stations_of(source: Source) -> list[str | None]:
    """
    Find the station of each unit's results, in their order.

    TestStand writes the station after the steps. Behind a damage none is found.

    Raises:
        UnsafeSourceError: it has a DOCTYPE.
    """
    found: list[str | None] = []
    # The main pass records the repairs.
    report = ConversionReport()
    # "end" alone: nothing is built for elements that are only begun.
    ends: tuple[Event] = ("end",)
    with source.open() as stream, suppress(etree.XMLSyntaxError):
        head = stream.read(HEAD_SIZE)
        for _, element in stream_events(
            ends, (*_EMPTIED, _MEMBER), head, stream, uri=source.uri, report=report
        ):
            if local_name(element) == "Element":
                # An array would otherwise grow until its step ends.
                _remove_before(element)
            if local_name(element) == RESULTS and is_of_a_unit(element):
                found.append(read_header(element, RunAccount()).station)
            empty(element)
    return found
