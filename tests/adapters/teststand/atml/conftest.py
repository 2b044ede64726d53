"""A writer of ATML of each version, so that tests can say what is in a report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest

from rigbridge.adapters import Source
from rigbridge.convert.document import to_document
from rigbridge.model import Measurement, MeasurementOutcome, Run
from rigbridge.testing import Reading, read_all
from rigbridge_teststand.atml.adapter import TestStandATMLAdapter
from rigbridge_teststand.xml import report_files, streaming

NAMESPACES = {
    "2.02": {
        "tr": "http://www.ieee.org/ATML/2007/TestResults",
        "c": "http://www.ieee.org/ATML/2006/Common",
        "ts": "www.ni.com/TestStand/ATMLTestResults/1.0",
    },
    "5.00": {
        "trc": "urn:IEEE-1636.1:2011:01:TestResultsCollection",
        "tr": "urn:IEEE-1636.1:2011:01:TestResults",
        "c": "urn:IEEE-1671:2010:Common",
        "ts": "www.ni.com/TestStand/ATMLTestResults/2.0",
    },
    "6.01": {
        "trc": "urn:IEEE-1636.1:2013:TestResultsCollection",
        "tr": "urn:IEEE-1636.1:2013:TestResults",
        "c": "urn:IEEE-1671:2010:Common",
        "ts": "www.ni.com/TestStand/ATMLTestResults/3.0",
    },
}
SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"


def spaces(version: str) -> str:
    """Declare the namespaces of a version."""
    declared = {**NAMESPACES[version], "xsi": SCHEMA_INSTANCE}
    return " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in declared.items())


class Writer:
    """Writes the parts of a report, each as a text."""

    @staticmethod
    def datum(kind: str, value: object = None, inner: str = "", **more: str) -> str:
        """Write a datum; texts stand in a child, all else in an attribute."""
        attributes = "".join(f" {key}={quoteattr(text)}" for key, text in more.items())
        if kind.endswith("string"):
            inner = f"<c:Value>{escape(str(value))}</c:Value>{inner}"
        elif value is not None:
            attributes += f" value = {quoteattr(str(value))}"
        return f'<c:Datum xsi:type="{kind}"{attributes}>{inner}</c:Datum>'

    @staticmethod
    def limit(comparator: str, value: object, kind: str = "c:double") -> str:
        """Write one bound of a pair."""
        datum = Writer.datum(kind, value)
        return f'<c:Limit comparator="{comparator}">{datum}</c:Limit>'

    @staticmethod
    def shape(name: str, comparator: str, value: object, kind: str = "c:double") -> str:
        """Write ``SingleLimit`` or ``Expected``."""
        datum = Writer.datum(kind, value)
        return f'<c:{name} comparator="{comparator}">{datum}</c:{name}>'

    @staticmethod
    def pair(operator: str, *limits: str) -> str:
        """Write ``LimitPair``."""
        return f'<c:LimitPair operator="{operator}">{"".join(limits)}</c:LimitPair>'

    @staticmethod
    def result(
        name: str,
        data: str,
        *,
        limits: str | None = None,
        outcome: str | None = None,
        extension: str = "",
        key: str = "name",
    ) -> str:
        """Write a ``TestResult``."""
        judged = (
            ""
            if limits is None
            else f"<tr:TestLimits><tr:Limits>{limits}</tr:Limits></tr:TestLimits>"
        )
        stated = "" if outcome is None else f'<tr:Outcome value="{outcome}"/>'
        more = (
            f"<tr:Extension><ts:TSLimitProperties>{extension}"
            "</ts:TSLimitProperties></tr:Extension>"
            if extension
            else ""
        )
        return (
            f"<tr:TestResult {key}={quoteattr(name)}>{stated}"
            f"<tr:TestData>{data}</tr:TestData>{judged}{more}</tr:TestResult>"
        )

    @staticmethod
    def step(
        name: str,
        *content: str,
        element: str = "Test",
        value: str | None = "Passed",
        qualifier: str | None = None,
        properties: str | None = "<ts:StepType>NumericLimitTest</ts:StepType>",
        start: str = "2024-03-01T08:00:01",
        end: str | None = "2024-03-01T08:00:02",
        attributes: str = "",
    ) -> str:
        """Write a step."""
        outcome = "ActionOutcome" if element == "SessionAction" else "Outcome"
        qualified = "" if qualifier is None else f' qualifier="{qualifier}"'
        stated = "" if value is None else f'<tr:{outcome} value="{value}"{qualified}/>'
        block = (
            ""
            if properties is None
            else f"<tr:Extension><ts:TSStepProperties>{properties}"
            "</ts:TSStepProperties></tr:Extension>"
        )
        ending = "" if end is None else f' endDateTime="{end}"'
        return (
            f"<tr:{element} name={quoteattr(name)} startDateTime = '{start}'"
            f"{ending} {attributes}>{block}{stated}{''.join(content)}</tr:{element}>"
        )

    @staticmethod
    def error(message: str, code: int) -> str:
        """Write the events of a run-time error."""
        return (
            "<tr:Events><tr:Event ID='Error Message'><tr:Data name='Error Message'>"
            f"{Writer.datum('c:string', message)}</tr:Data></tr:Event>"
            "<tr:Event ID='Error Code'><tr:Data name='Error Code'>"
            f"{Writer.datum('c:double', code)}</tr:Data></tr:Event></tr:Events>"
        )

    @staticmethod
    def results(
        *steps: str,
        version: str = "6.01",
        outcome: str = 'value="Passed"',
        serial: str = "SN-1",
        name: str = r"C:\t\demo.seq#MainSequence",
        beside: str = "",
        start: str = "2024-03-01T08:00:00.25",
        uuid: str = "00000000-0000-0000-0000-000000000001",
    ) -> str:
        """Write the results of one unit."""
        outer = "trc" if "trc" in NAMESPACES[version] else "tr"
        stated = f"<tr:Outcome {outcome}/>" if outcome else ""
        return (
            f'<{outer}:TestResults uuid="{uuid}" {spaces(version)}>'
            '<tr:Personnel><tr:SystemOperator ID="ada" name="ada"/></tr:Personnel>'
            f"<tr:ResultSet ID='0' name={quoteattr(name)} startDateTime='{start}'"
            f" endDateTime='2024-03-01T08:00:03'>{stated}{''.join(steps)}"
            "</tr:ResultSet>"
            f"<tr:UUT UutType='Hardware'><c:SerialNumber>{escape(serial)}"
            "</c:SerialNumber></tr:UUT>"
            "<tr:TestStation><c:SerialNumber>  rig-7  </c:SerialNumber>"
            f"</tr:TestStation>{beside}</{outer}:TestResults>"
        )

    @staticmethod
    def collection(*inside: str, version: str = "6.01") -> str:
        """Write a collection of results."""
        return (
            f"<trc:TestResultsCollection {spaces(version)}>{''.join(inside)}"
            "</trc:TestResultsCollection>"
        )

    @staticmethod
    def file(content: str, encoding: str = "utf-8") -> bytes:
        """Write a file, its stylesheet on the declaration's line as in real ones."""
        head = (
            f'<?xml version="1.0" encoding="{encoding}" ?>'
            r'<?xml-stylesheet type="text/xsl" href="C:\NI\tr6_horizontal.xsl"?>'
        )
        return f"{head}\n{content}".encode(encoding)


@pytest.fixture
def write() -> Writer:
    """Give the writer."""
    return Writer()


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Reading]:
    """
    Give a function that reads bytes with the adapter.

    It reads them both ways, as a whole and piece by piece, and demands the same of
    both, so that every fixture of every test goes through both.
    """

    def reading(content: bytes, **more: Any) -> Reading:
        settings = more.pop("settings", None)
        more.setdefault("time_zone", "UTC")

        def by_adapter() -> Reading:
            adapter = TestStandATMLAdapter(settings)
            return read_all(adapter, Source.from_bytes(content, "a.xml"), **more)

        whole = by_adapter()
        with monkeypatch.context() as small:
            small.setattr(report_files, "STREAMED_ABOVE", len(content) - 1)
            small.setattr(streaming, "CHUNK_SIZE", 64)
            small.setattr(streaming, "PARTIAL_SIZE", 1)
            assert account_of(by_adapter()) == account_of(whole)
        return whole

    return reading


def account_of(reading: Reading) -> dict[str, Any]:
    """Give all that came of a reading; entries of the report in any order."""
    report = reading.report.as_document()
    entries: Any = report.pop("entries")
    # Whether an element will stay the only one of its kind is known at the end only.
    places = [
        {**entry, "path": str(entry["path"]).replace("[1]", "")} for entry in entries
    ]
    return {
        "runs": list(map(to_document, reading.runs)),
        "failures": list(map(str, reading.failures)),
        "report": report,
        "entries": sorted(map(repr, places)),
    }


@pytest.fixture
def run_of(write: Writer, read: Callable[..., Reading]) -> Callable[..., Run]:
    """Give a function that reads the one run of some steps."""

    def one(*steps: str, version: str = "6.01", **more: Any) -> Run:
        results = write.results(*steps, version=version, **more)
        if version != "2.02":
            results = write.collection(results, version=version)
        reading = read(write.file(results))
        assert reading.failures == ()
        (run,) = reading.runs
        return run

    return one


@pytest.fixture
def additional(write: Any, run_of: Any) -> Any:
    """Give a function that reads data that nobody judged."""

    def found(data: str, name: str = "x") -> tuple[Measurement, ...]:
        run = run_of(write.step("Step", write.result(name, data)))
        measurements: tuple[Measurement, ...] = run.phases[0].measurements
        assert all(m.outcome is MeasurementOutcome.UNSET for m in measurements)
        return measurements

    return found
