"""A report to its runs: a file is one, or each outermost suite."""

from __future__ import annotations

from collections.abc import Iterator

from rigbridge.adapters import ReadContext, Source
from rigbridge.errors import MalformedSourceError, NoRunError, SourceError
from rigbridge.model import LogLevel, Run
from rigbridge_junit.cases import place_of, properties_of, read_case
from rigbridge_junit.document import ROOTS, Document, Element, forget, local_name
from rigbridge_junit.runs import RunBuilder
from rigbridge_junit.settings import JUnitSettings, same_name
from rigbridge_junit.suites import Suite

__all__ = ["read_report"]

_OUTPUT = {"system-out": LogLevel.INFO, "system-err": LogLevel.WARNING}
_WRAPPERS = frozenset({"testsuites", "testrun"})


def read_report(
    source: Source, context: ReadContext, settings: JUnitSettings
) -> Iterator[Run]:
    """
    Read the runs of a report.

    Raises:
        SourceError: see the adapter.
    """
    report = _Report(source, context, settings)
    yield from report.read()
    if not report.index:
        raise NoRunError("holds no test case", source=source.uri)


class _Report:
    """A report that is being read."""

    def __init__(
        self, source: Source, context: ReadContext, settings: JUnitSettings
    ) -> None:
        self._source = source
        self._context = context
        self._settings = settings
        self._fields = settings.fields()
        self._wrapper: Suite | None = None
        # The suites that have begun and not ended, outermost first.
        self._suites: list[Suite] = []
        self._builder: RunBuilder | None = None
        self.index = 0

    def read(self) -> Iterator[Run]:
        """Go through the elements."""
        document = Document(self._source, self._context.report)
        try:
            for event, element in document.events():
                if event == "start":
                    self._begin(element)
                    continue
                run = self._end(element)
                if run is not None:
                    yield run
        except MalformedSourceError as error:
            # What was read before the damage is worth a run, unless the site wants all
            # or nothing.
            if self._context.strict:
                raise
            run = self._finish(error)
            if run is None:
                raise
            yield run
            # A file that is cut off has nothing more to lose.
            if not document.is_cut_off:
                raise
            return
        run = self._finish(None)
        if run is not None:
            yield run

    def _begin(self, element: Element) -> None:
        name = local_name(element)
        if name in _WRAPPERS and element.getparent() is None:
            self._wrapper = Suite.begin(element, None)
        elif name in ROOTS and self._is_suite(element.getparent()):
            # A suite within a test case, or within an unknown element, is none.
            # A testsuite within a testcase is none: some tools put captured output
            # there.
            parent = self._suites[-1] if self._suites else None
            suite = Suite.begin(element, parent)
            self._suites.append(suite)
            self._run().add_suite(suite)

    def _is_suite(self, element: Element | None) -> bool:
        """Tell whether an element is the innermost suite, or what holds suites."""
        if element is None:
            return True
        if self._suites:
            return element is self._suites[-1].element
        return self._wrapper is not None and element is self._wrapper.element

    def _run(self) -> RunBuilder:
        if self._builder is None:
            self._builder = RunBuilder(
                self._source, self._settings, self._fields, self._wrapper
            )
        return self._builder

    def _end(self, element: Element) -> Run | None:
        parent = element.getparent()
        if self._suites and element is self._suites[-1].element:
            self._suites.pop().end(self._run().report)
            # Freed at once: a report of a year must not stand in memory as a tree.
            forget(element)
            if not self._suites and self._settings.run == "suite":
                return self._finish(None)
            return None
        if parent is not None and self._is_suite(parent):
            self._take(element)
            forget(element)
        return None

    def _take(self, element: Element) -> None:
        """Take a whole child of a suite, or of what holds the suites."""
        kind = local_name(element)
        run = self._run()
        suite = self._suites[-1] if self._suites else self._wrapper
        assert suite is not None  # noqa: S101 - its parent is one
        with run.account(self._context):
            report = self._context.report
            if kind == "testcase":
                path = () if suite is self._wrapper else suite.path
                case = read_case(
                    element,
                    path,
                    self._context,
                    station=suite.host or run.host,
                    is_identity=self._is_identity,
                    shown=self._settings.properties_kept,
                )
                suite.count(case.phase.outcome)
                run.add_case(case, place_of(element))
            elif kind == "properties":
                found = properties_of(element, report, self._settings.properties_kept)
                for name, texts in found.items():
                    suite.properties.setdefault(name, []).extend(texts)
                run.add_properties(found, place_of(element))
            elif kind in _OUTPUT:
                text = "".join(element.itertext())
                run.printed.add(text, _OUTPUT[kind], report, place_of(element))
            elif kind in {"failure", "error"}:
                # Go and some others let a suite fail that did not build.
                run.fail(suite, element, report)
            elif kind:
                report.dropped(
                    "element", "is unknown", place=place_of(element), detail=kind
                )

    def _is_identity(self, name: str) -> bool:
        return same_name(name) in self._fields

    def _finish(self, damage: SourceError | None) -> Run | None:
        """Make the run of what was read since the one before."""
        builder, self._builder = self._builder, None
        self._suites.clear()
        if builder is None or not builder.has_cases:
            # Its account is nobody's, and must not get lost.
            if builder is not None:
                self._context.report.merge(builder.report)
            return None
        index, self.index = self.index, self.index + 1
        run: Run | None = None
        with self._context.run():
            self._context.report.merge(builder.report)
            try:
                run = builder.make(self._context, index, damage)
            except SourceError as error:
                self._context.failed(error)
        return run
