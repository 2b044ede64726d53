"""
The reading of a report file, the same for both kinds of report.

Small files are parsed as a whole, large ones report by report. Of a file that is cut
off or damaged all is read that is complete; what follows a damage is recorded as lost.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import IO, ClassVar, cast

from lxml import etree

from rigbridge.adapters import ConversionReport, ReadContext, Source, is_blank
from rigbridge.errors import (
    MalformedSourceError,
    ModelError,
    NoRunError,
    SourceUnreadableError,
    UnrecognizedSourceError,
)
from rigbridge.model import Run
from rigbridge.model.report import Disposition, ReportEntry
from rigbridge_teststand.xml.documents import SEVERAL_DOCUMENTS, parse_document
from rigbridge_teststand.xml.elements import Element, line_number, place_of
from rigbridge_teststand.xml.salvage import SalvagedDocument, remove_unfinished, salvage
from rigbridge_teststand.xml.segments import SegmentDigests, WatchedStream
from rigbridge_teststand.xml.streaming import (
    STREAMED_ABOVE,
    parse_cut_off,
    stream_reports,
)

__all__ = ["ReportFile", "wrong_root_error"]


class ReportFile(ABC):
    """
    One report file that is being read; each kind of report has a subclass.

    Attributes:
        tag: the tag of a report's element, as lxml matches it, or several.
        names: its local names, which all end with the first of them.

    Args:
        context: the settings of the reading, and its conversion report.
    """

    tag: ClassVar[str | tuple[str, ...]]
    names: ClassVar[tuple[str, ...]]

    def __init__(self, source: Source, context: ReadContext) -> None:
        self.source = source
        self.context = context
        self._run_count = 0
        self._broken: tuple[Element, ModelError] | None = None
        self._segments = SegmentDigests(self.names)
        # How many elements with the name of a report the stream has given.
        self._given = 0

    @abstractmethod
    def reports(self, root: Element) -> list[Element]:
        """
        Find the reports below a root, in their order.

        Raises:
            UnrecognizedSourceError: it is the root of something else.
        """

    def is_unread(self, element: Element, root: Element) -> bool:
        """Tell whether a report is still unread at the end of a large file."""
        return element is root

    def is_streamed(self, element: Element) -> bool:
        """Tell whether a report bears a name by which a stream finds it."""
        del element
        return True

    @abstractmethod
    def is_index(self, element: Element) -> bool:
        """Tell whether a report is only an index of others; if so, record that."""

    @abstractmethod
    def run(
        self, element: Element, index: int, content: str | None, *, truncated: bool
    ) -> Run:
        """
        Read one report.

        Args:
            element: the report.
            index: its position in the file.
            content: the digest of its bytes, which stays when the file grows, or None.
            truncated: whether the file ends within it.

        Raises:
            ModelError: it makes no run.
        """

    def read_partial(self, element: Element) -> None:
        """
        Read what is complete of a large report that is still being parsed.

        By default nothing is read. Descendants may be emptied, but not the last child
        at any depth.
        """
        del element

    def restart(self) -> None:
        """Forget all partial results before the file is read again."""
        self._broken = None

    @abstractmethod
    def keeps(self, element: Element) -> bool:
        """Tell whether an element is kept although its end is missing in the file."""

    @abstractmethod
    def mark_unfinished(self, innermost: Element) -> None:
        """Mark the elements that are kept although their end is missing."""

    @abstractmethod
    def refuse(self, head: bytes) -> None:
        """
        Refuse a file by its beginning, before it is parsed.

        Raises:
            UnrecognizedSourceError: it is something else.
        """

    def complete(
        self, head: bytes, stream: IO[bytes]
    ) -> Iterator[tuple[Element, bool]]:
        """Give the reports of a large file; see `stream_reports`."""
        for element, is_report in stream_reports(
            self.tag,
            head,
            stream,
            self.source.uri,
            self.context.report,
            on_partial=self._read_partial,
        ):
            self._given += is_report
            yield element, is_report

    def read(self) -> Iterator[Run]:
        """
        Read every run of the file.

        Raises:
            SourceUnreadableError: its bytes cannot be read.
            MalformedSourceError: nothing of it can be read, or in strict mode not all.
            UnsafeSourceError: it has a DOCTYPE, or is nested too deep.
            UnrecognizedSourceError: it is something else.
            NoRunError: it holds no run.
        """
        try:
            with self.source.open() as stream:
                # One byte more than the threshold tells a small file from a large one.
                head = stream.read(STREAMED_ABOVE + 1)
                self.refuse(head)
                self._segments.see(head)
                if len(head) > STREAMED_ABOVE:
                    yield from self._streamed(head, stream)
                    return
        except (OSError, EOFError) as error:
            raise SourceUnreadableError(
                f"cannot be read: {error}",
                source=self.source.uri,
                remedy="the file may be cut off; copy it again",
            ) from error
        yield from self._whole(head)

    def _streamed(self, head: bytes, stream: IO[bytes]) -> Iterator[Run]:
        """Read report by report; from a damage on, read the file as a whole."""
        index = 0
        root: Element | None = None
        is_cut_off = False
        try:
            watched = cast("IO[bytes]", WatchedStream(stream, self._segments))
            for element, is_report in self.complete(head, watched):
                if not is_report:
                    root = element
                    break
                content = self._segments.digest(self._given - 1)
                yield from self._read_report(element, index, content)
                index += 1
        except etree.XMLSyntaxError:
            root = None
            # The parser reads to the end of a file that is only cut off.
            is_cut_off = not stream.read(1)
        # Free up to 8 MB before the file is read once more.
        del head
        # In strict mode the whole-file parser refuses a file that is cut off.
        if is_cut_off and not self.context.strict:
            unfinished = self._unfinished()
            reports = self.reports(unfinished[0]) if unfinished else []
            if reports:
                yield from self._last(reports, unfinished, index)
                return
        if root is None:
            # Damage in the middle needs the repairs of the whole-file parser.
            with self.source.open() as again:
                found = again.read()
            self._segments = SegmentDigests(self.names)
            self._segments.see(found)
            yield from self._whole(found, done=index)
            return
        # Mostly a root that is a report itself; the others are read by now.
        unread = [each for each in self.reports(root) if self.is_unread(each, root)]
        is_clear = self._given + len(unread) == len(self._segments)
        for at, element in enumerate(unread, self._given):
            content = self._segments.digest(at) if is_clear else None
            yield from self._read_report(element, index, content)
            index += 1
        self._require_a_run()

    def _unfinished(self) -> list[Element]:
        """Read a cut-off file again, and give the elements that have no end."""
        self.restart()
        with self.source.open() as stream:
            head = stream.read(STREAMED_ABOVE + 1)
            unfinished = parse_cut_off(
                self.tag, head, stream, self.source.uri, on_partial=self._read_partial
            )
        remove_unfinished(unfinished, self.keeps)
        return unfinished

    def _last(
        self, reports: list[Element], unfinished: list[Element], index: int
    ) -> Iterator[Run]:
        """Read what is complete of the report in which a file is cut off."""
        self.mark_unfinished(unfinished[-1])
        within = False
        for element in reports:
            if any(element is item for item in unfinished):
                within = True
                yield from self._read_report(element, index, None, truncated=True)
            elif not self.is_streamed(element):
                yield from self._read_report(element, index, None)
                index += 1
        if not within:
            self._say_cut_off(unfinished[-1])
        self._require_a_run()

    def _say_cut_off(self, innermost: Element) -> None:
        """Record that a file ends between two reports, since more may be missing."""
        self.context.report.coerced(
            "file",
            "cut off behind a report, whatever followed is missing",
            place=place_of(innermost),
        )

    def _whole(self, content: bytes, *, done: int = 0) -> Iterator[Run]:
        """Read the file as a whole, from the first report on that is not read yet."""
        if is_blank(content):
            raise NoRunError("the file is empty", source=self.source.uri)
        saved: SalvagedDocument | None = None
        mended = ConversionReport()
        try:
            root = parse_document(content, self.source.uri, mended)
            reports = self.reports(root)
        except MalformedSourceError:
            mended = ConversionReport()
            if self.context.strict:
                raise
            saved = salvage(content, self.source.uri, self.context.report, self.keeps)
            if saved is None:
                raise
            self.mark_unfinished(saved.innermost)
            reports = self.reports(saved.root)
            if not reports:
                raise
        # The tree needs more than ten times the memory of the bytes; keep one of them.
        del content
        # Else it is not clear which bytes are those of which report: one has another
        # name, or no end tag. Behind a damage there may be more of them.
        is_clear = saved is not None or len(reports) == len(self._segments)
        within = False
        repairs = list(mended.entries)
        for index, element in enumerate(reports):
            self._say_mended(repairs, index, reports[index + 1 : index + 2])
            truncated = saved is not None and _holds(element, saved.innermost)
            # At most one report holds the place where the file was cut off.
            within |= truncated
            if index >= done:
                digest = self._segments.digest(index) if is_clear else None
                yield from self._read_report(
                    element, index, None if truncated else digest, truncated=truncated
                )
        # Of a file without a report.
        self._say_mended(repairs, 0, [])
        if saved is not None and saved.damage is None and not within:
            self._say_cut_off(saved.innermost)
        if saved is not None and saved.damage is not None:
            # The runs before the damage are given, and the loss of the rest is told.
            self.context.failed(
                MalformedSourceError(
                    f"is damaged here: {saved.damage.words}; what follows is not read",
                    source=self.source.uri,
                    place=f"line {saved.damage.line}",
                    remedy="export the report again, or mend the line",
                )
            )
        self._require_a_run()

    def _say_mended(
        self, repairs: list[ReportEntry], index: int, following: list[Element]
    ) -> None:
        """
        Record with a report what was repaired before the next one.

        What a report that is appended later needs must not change the account of those
        before it.
        """
        lines = [line_number(each) or 0 for each in following]
        for entry in repairs.copy():
            # It is the second one that makes documents of a document.
            is_later = index == 0 and entry.item == SEVERAL_DOCUMENTS
            if lines and (is_later or (entry.place.line or 0) > lines[0]):
                continue
            repairs.remove(entry)
            account = self.context.report
            record = (
                account.dropped
                if entry.disposition is Disposition.DROPPED
                else account.coerced
            )
            record(entry.item, entry.rule, place=entry.place, detail=entry.detail)

    def _read_partial(self, element: Element) -> None:
        """Read a partial report, unless it has failed already."""
        if self._broken is not None and self._broken[0] is element:
            return
        try:
            self.read_partial(element)
        # Keep the error until the report is complete: its place is known only then.
        except ModelError as error:
            self._broken = (element, error)

    def _require_a_run(self) -> None:
        if not self._run_count and not self.context.failures:
            raise NoRunError("holds no results of a unit", source=self.source.uri)

    def _read_report(
        self,
        element: Element,
        index: int,
        content: str | None,
        *,
        truncated: bool = False,
    ) -> Iterator[Run]:
        """Read one report."""
        if self.is_index(element):
            return
        try:
            # A partial report that failed fails once, when it is complete.
            if self._broken is not None and self._broken[0] is element:
                raise self._broken[1]
            run = self.run(element, index, content, truncated=truncated)
        # One bad report must not lose the others of the file.
        except ModelError as error:
            self.context.failed(
                MalformedSourceError(
                    f"the report cannot be made a run: {error}",
                    source=self.source.uri,
                    place=str(place_of(element)),
                    remedy="report this file to the authors of rigbridge",
                )
            )
        else:
            self._run_count += 1
            yield run


def wrong_root_error(
    name: str, root: Element, source: Source
) -> UnrecognizedSourceError:
    """Make the error for XML that is something else."""
    return UnrecognizedSourceError(
        f"is XML of another kind, its root is {name}",
        source=source.uri,
        place=f"line {root.sourceline}",
        remedy="name another adapter",
    )


def _holds(element: Element, inner: Element) -> bool:
    return element is inner or any(
        ancestor is element for ancestor in inner.iterancestors()
    )
