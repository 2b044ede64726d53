"""A writer of native reports, so that tests can say what is in one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest

from rigbridge.adapters import ReportEntry, Source
from rigbridge.model import Phase, Run
from rigbridge.testing import Reading, read_all
from rigbridge_teststand.native.adapter import TestStandXMLAdapter
from rigbridge_teststand.settings import TestStandSettings
from rigbridge_teststand.xml import report_files, streaming

Reader = Callable[..., Reading]


def prop(name: str, value: object, kind: str | None = None) -> str:
    """Write a scalar property."""
    if kind is None:
        kind = (
            "Boolean"
            if isinstance(value, bool)
            else "Number"
            if isinstance(value, (int, float))
            else "String"
        )
    shown = escape(str(value))
    return f"<Prop Name={quoteattr(name)} Type='{kind}'><Value>{shown}</Value></Prop>"


def obj(name: str, *children: str) -> str:
    """Write an object property."""
    return f"<Prop Name={quoteattr(name)} Type='Obj'>{''.join(children)}</Prop>"


def array(name: str, *members: str) -> str:
    """Write an array of objects."""
    inner = "".join(
        f"<Value ID='[{index}]'>{member}</Value>"
        for index, member in enumerate(members)
    )
    prototype = (
        "<ArrayElementPrototype Type='TEResult'>"
        "<Prop Name='StepName' Type='String'><Value>template</Value></Prop>"
        "</ArrayElementPrototype>"
    )
    return f"<Prop Name='{name}' Type='Array' LBound='[0]'>{prototype}{inner}</Prop>"


def step(
    name: str,
    *data: str,
    status: str = "Passed",
    kind: str = "Action",
    engine: str = "",
    children: tuple[str, ...] | None = None,
    container: str = "SequenceCall",
    text: str = "",
) -> str:
    """Write one result, with the results of its sequence call."""
    call = ""
    if children is not None:
        call = obj(container, array("ResultList", *children), prop("Sequence", name))
    bookkeeping = obj(
        "TS",
        call,
        prop("StartTime", 101.5),
        prop("TotalTime", 0.25),
        prop("StepName", name),
        prop("StepType", kind),
        prop("StepId", f"ID#:{name}"),
        prop("StepGroup", "Main"),
        engine,
    )
    return (
        f"<Prop Type='TEResult'>{prop('Status', status)}{prop('ReportText', text)}"
        f"{''.join(data)}{bookkeeping}</Prop>"
    )


def report(
    *steps: str,
    serial: str = "SN-1",
    result: str = "Passed",
    status: str = "Passed",
    uut: str = "",
    year: object = 2024,
) -> str:
    """Write a report of a unit."""
    root = (
        f"<Prop Type='TEResult'>{prop('Status', status)}"
        + obj(
            "TS",
            obj(
                "SequenceCall",
                array("ResultList", *steps),
                prop("SequenceFile", r"C:\Tests\Power Board.seq"),
                prop("SequenceFileVersion", "1.2.0.3"),
                prop("Sequence", "MainSequence"),
            ),
            prop("StartTime", 100),
            prop("TotalTime", 12.5),
            prop("StepName", "MainSequence Callback"),
        )
        + "</Prop>"
    )
    return (
        f"<Report Type='UUT' UUTResult='{result}' Link='0-2024-3-4-9-5-6-250'>"
        + obj("UUT", prop("SerialNumber", serial), prop("PartNumber", "PB-7"), uut)
        + obj("StartDate", prop("Year", year), prop("Month", 3), prop("MonthDay", 4))
        + obj(
            "StartTime",
            prop("Hours", 9),
            prop("Minutes", 5),
            prop("Seconds", 6),
            prop("Milliseconds", 250),
        )
        + obj("StationInfo", prop("StationID", "ST-3"), prop("LoginName", "mara"))
        + root
        + "</Report>"
    )


def document(*reports: str, encoding: str = "utf-8") -> bytes:
    """Write a whole file."""
    head = f"<?xml version='1.0' encoding='{encoding}'?>\n"
    return f"{head}<Reports>{''.join(reports)}</Reports>".encode(encoding)


def scalars(
    name: str, *values: object, kind: str = "Number", attributes: str = ""
) -> str:
    """Write an array of scalars; a member that is None is left out."""
    inner = "".join(
        f"<Value ID='[{index}]'>{escape(str(value))}</Value>"
        for index, value in enumerate(values)
        if value is not None
    )
    bound = f"[{len(values) - 1}]" if values else "[]"
    return (
        f"<Prop Name={quoteattr(name)} Type='Array' LBound='[0]' HBound='{bound}' "
        f"ElementType='{kind}'>{attributes}{inner}</Prop>"
    )


def matrix(name: str, *rows: tuple[object, ...], layout: str = "") -> str:
    """Write a matrix, with what TestStand says of its layout."""
    inner = "".join(
        f"<Value ID='[{at}][{place}]'>{value}</Value>"
        for at, row in enumerate(rows)
        for place, value in enumerate(row)
    )
    described = ""
    if layout:
        described = (
            f"<Attributes>{obj('TestStand', prop('DataLayout', layout))}</Attributes>"
        )
    return (
        f"<Prop Name={quoteattr(name)} Type='Array' LBound='[0][0]' "
        f"ElementType='Number'>{described}{inner}</Prop>"
    )


def rows(*members: tuple[str, str]) -> str:
    """Write the measurements of a multiple test: each row's name and its properties."""
    inner = "".join(
        f"<Value ID='[{index}]'><Prop Name={quoteattr(name)} Type='Obj' "
        f"TypeName='NI_LimitMeasurement'>{content}</Prop></Value>"
        for index, (name, content) in enumerate(members)
    )
    return f"<Prop Name='Measurement' Type='Array' LBound='[0]'>{inner}</Prop>"


class ReportWriter:
    """Gives tests the functions above under one name."""

    prop = staticmethod(prop)
    obj = staticmethod(obj)
    array = staticmethod(array)
    step = staticmethod(step)
    report = staticmethod(report)
    document = staticmethod(document)
    scalars = staticmethod(scalars)
    matrix = staticmethod(matrix)
    rows = staticmethod(rows)

    @staticmethod
    def numeric(
        name: str,
        value: object,
        comparator: str,
        *,
        status: str = "Passed",
        **limits: object,
    ) -> str:
        """Write a numeric limit test."""
        return step(
            name,
            prop("Numeric", value, "Number"),
            prop("Comp", comparator),
            prop("Units", "V"),
            obj("Limits", *(prop(side, bound) for side, bound in limits.items())),
            status=status,
            kind="NumericLimitTest",
        )


def streamed(
    adapter: TestStandXMLAdapter, content: bytes, *, strict: bool = False
) -> Reading:
    """Read a file as if it were a large one, step by step as it grows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report_files, "STREAMED_ABOVE", len(content) - 1)
        patch.setattr(streaming, "PARTIAL_SIZE", 1)
        patch.setattr(streaming, "CHUNK_SIZE", 256)
        source = Source.from_bytes(content, "report.xml")
        return read_all(adapter, source, strict=strict)


def accounted(reading: Reading) -> tuple[Any, ...]:
    """Give the account of a reading; in which order its entries stand says nothing."""
    document = reading.report.as_document()
    return sorted(map(str, said_of(reading))), document | {"entries": None}


def said_of(reading: Reading) -> list[ReportEntry]:
    """Give the entries of a report but those on templates, which every list has."""
    return [entry for entry in reading.report.entries if entry.item != "template"]


@pytest.fixture
def entries_of() -> Callable[[Reading], list[ReportEntry]]:
    """Give what lists the entries of a report that the template of a list has not."""
    return said_of


@pytest.fixture
def read() -> Reader:
    """Give what reads a report, both as a whole and growing, and compares the two."""

    def reading(content: bytes, *, strict: bool = False, **site: Any) -> Reading:
        adapter = TestStandXMLAdapter(TestStandSettings(**site))
        source = Source.from_bytes(content, "report.xml")
        whole = read_all(adapter, source, strict=strict)
        growing = streamed(adapter, content, strict=strict)
        assert growing.runs == whole.runs
        assert accounted(growing) == accounted(whole)
        assert list(map(str, growing.failures)) == list(map(str, whole.failures))
        return whole

    return reading


@pytest.fixture
def run_of(read: Reader) -> Callable[..., Run]:
    """Give what reads the one run of a report."""

    def one(content: bytes, **site: Any) -> Run:
        (run,) = read(content, **site).runs
        return run

    return one


@pytest.fixture
def write() -> ReportWriter:
    """Give the writer of reports."""
    return ReportWriter()


@pytest.fixture
def phases_of(write: Any, run_of: Any) -> Any:
    """Give what reads the phases of a report of some steps."""

    def read(*steps: str) -> tuple[Phase, ...]:
        phases: tuple[Phase, ...] = run_of(write.document(write.report(*steps))).phases
        return phases

    return read
