"""Whole files: identity, times, versions, damage, detection."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from rigbridge.adapters import Source
from rigbridge.errors import (
    MalformedSourceError,
    NoRunError,
    UnrecognizedSourceError,
    UnsafeSourceError,
)
from rigbridge.model import Limit, RunOutcome
from rigbridge.model.report import Disposition
from rigbridge.testing import AdapterCase, AdapterSuite, Sample, read_all
from rigbridge_teststand.atml.adapter import TestStandATMLAdapter

SAMPLES = Path(__file__).resolve().parents[4].parent / "shared" / "samples" / "atml"


def rail(write: Any) -> str:
    """Write the numeric test of the reference's example."""
    pair = write.pair("AND", write.limit("GE", 11), write.limit("LT", 13))
    data = write.datum("ts:TS_double", 12.49, nonStandardUnit="V")
    step: str = write.step("Rail", write.result("Numeric", data, limits=pair))
    return step


class TestConformance(AdapterSuite):
    """The suite that every adapter passes."""

    @pytest.fixture
    def case(self, write: Any) -> AdapterCase:
        """Give a file of one unit, one of two, and one of the oldest version."""
        one = write.results(rail(write))
        two = write.results(rail(write), serial="SN-2")
        old = write.results(
            write.step("m.seq#Main", rail(write), element="TestGroup"), version="2.02"
        )
        return AdapterCase(
            adapter=TestStandATMLAdapter(),
            samples=(
                Sample(name="one.xml", content=write.file(write.collection(one))),
                Sample(
                    name="two.xml",
                    content=write.file(write.collection(one, two)),
                    runs=2,
                ),
                Sample(name="old.xml", content=write.file(old)),
            ),
        )


class TestIdentity:
    """Who was tested, where, by whom, by what."""

    def test_header(self, run_of: Any) -> None:
        """Unit, station, operator and procedure; blanks are trimmed."""
        run = run_of()
        assert run.unit.serial_number == "SN-1"
        assert (run.station, run.operator) == ("rig-7", "ada")
        assert run.procedure.name == "demo"
        assert run.metadata["sequence"] == "MainSequence"
        assert run.metadata["uuid"] == "00000000-0000-0000-0000-000000000001"

    @pytest.mark.parametrize("serial", ["NONE", "\\", "", "  "])
    def test_placeholder_is_no_serial_number(self, run_of: Any, serial: str) -> None:
        """Never sent under a made-up name (oddity 15)."""
        assert run_of(serial=serial).unit.serial_number is None

    def test_part_number_only_of_type_part(self, write: Any, read: Any) -> None:
        """Other identification numbers are metadata (case 60)."""
        definition = (
            "<c:Definition><c:Identification><c:IdentificationNumbers>"
            "<c:IdentificationNumber type='Model' number='M'/>"
            "<c:IdentificationNumber type='Part' number='P-1'/>"
            "</c:IdentificationNumbers></c:Identification></c:Definition>"
        )
        text = write.collection(write.results()).replace(
            "</c:SerialNumber></tr:UUT>", f"</c:SerialNumber>{definition}</tr:UUT>"
        )
        run = read(write.file(text)).runs[0]
        assert run.unit.part_number == "P-1"
        assert run.metadata["uut.identification.Model"] == "M"

    def test_what_stands_twice_is_said(self, write: Any, read: Any) -> None:
        """The first result set and serial number count, the others are not lost."""
        content = write.file(write.collection(write.results(write.step("a"))))
        begin, end = content.index(b"<tr:ResultSet"), content.index(b"</tr:ResultSet>")
        twice = content[begin:end] + b"</tr:ResultSet>"
        content = content[:begin] + twice + content[begin:]
        serial = b"<c:SerialNumber>SN-1</c:SerialNumber>"
        content = content.replace(serial, serial + serial.replace(b"1", b"2"))
        reading = read(content)
        (run,) = reading.runs
        assert [phase.name for phase in run.phases] == ["a"]
        assert run.unit.serial_number == "SN-1"
        assert run.metadata["uut.SerialNumber"] == "SN-2"
        assert reading.report.count(Disposition.DROPPED, "result set") == 1

    @pytest.mark.parametrize(("stated", "flags"), [(2, 0), (3, 1), ("odd", 0)])
    def test_count_of_results(
        self, write: Any, read: Any, stated: object, flags: int
    ) -> None:
        """NumOfResults that differs from what is found is recorded, and kept."""
        count = (
            "<tr:Extension><ts:TSResultSetProperties>"
            f"<ts:NumOfResults value = '{stated}'/>"
            "</ts:TSResultSetProperties></tr:Extension>"
        )
        group = write.step("a", write.step("b"), element="TestGroup")
        content = write.file(write.collection(write.results(group, beside=count)))
        reading = read(content)
        assert reading.runs[0].metadata["result_set.NumOfResults"] == str(stated)
        assert reading.report.count(Disposition.COERCED, "step count") == flags

    @pytest.mark.parametrize("form", ["<ts:{0} value='{1}'/>", "<ts:{0}>{1}</ts:{0}>"])
    def test_result_set_properties(self, run_of: Any, form: str) -> None:
        """Socket and batch, as attribute or as text (cases 58, 59 and 80)."""
        facts = (
            ("BatchSerialNumber", "B-7"),
            ("TestSocketIndex", "3"),
            ("IsPartialExecution", "true"),
        )
        inner = "".join(form.format(*fact) for fact in facts)
        stack = (
            "<ts:CriticalFailureStack><ts:CriticalFailureStackEntry stepName='Rail' "
            "sequenceName='Main' resultID='7'/></ts:CriticalFailureStack>"
        )
        beside = (
            "<tr:Extension><ts:TSResultSetProperties>"
            f"{inner}{stack}</ts:TSResultSetProperties></tr:Extension>"
        )
        run = run_of(beside=beside)
        assert run.unit.batch_number == "B-7"
        assert run.metadata["test_socket_index"] == 3
        assert run.metadata["partial_execution"] is True
        assert run.metadata["critical_failures"][0]["resultID"] == "7"


class TestTimes:
    """Times with and without a zone (case 79, oddities 6 and 7)."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2024-03-01T08:00:00.25", datetime(2024, 3, 1, 7, 0, 0, 250000, UTC)),
            ("2024-03-01T08:00:00.1000", datetime(2024, 3, 1, 7, 0, 1, tzinfo=UTC)),
            ("2024-03-01T24:00:00Z", datetime(2024, 3, 2, tzinfo=UTC)),
            ("2024-03-01T08:00:60Z", datetime(2024, 3, 1, 8, 1, tzinfo=UTC)),
            ("2024-03-01T08:05", datetime(2024, 3, 1, 7, 5, tzinfo=UTC)),
            ("2024-03-01T08:00:00+99:00", None),
            ("2024-03-01T08:00:00Z", datetime(2024, 3, 1, 8, tzinfo=UTC)),
            ("2024-03-01T08:00:00+02:00", datetime(2024, 3, 1, 6, tzinfo=UTC)),
            (
                "2024-03-01T08:00:00.1234567-05:00",
                datetime(2024, 3, 1, 13, 0, 0, 123456, UTC),
            ),
            ("0000-00-00T00:00:00", None),
            ("yesterday", None),
        ],
    )
    def test_start(
        self, write: Any, read: Any, text: str, expected: datetime | None
    ) -> None:
        """An offset is honoured, else the configured zone holds."""
        content = write.file(write.collection(write.results(start=text)))
        reading = read(content, time_zone="Europe/Berlin")
        assert reading.runs[0].started_at == expected

    def test_end_from_the_total_time(self, write: Any, run_of: Any) -> None:
        """A missing end is start and duration."""
        step = write.step("s", end=None, properties="<ts:TotalTime value='1.5'/>")
        phase = run_of(step).phases[0]
        assert phase.ended_at == datetime(2024, 3, 1, 8, 0, 2, 500000, UTC)


class TestVersions:
    """The three versions, and what is none of them."""

    @pytest.mark.parametrize("version", ["2.02", "5.00", "6.01"])
    def test_versions_make_equal_runs(
        self, write: Any, run_of: Any, version: str
    ) -> None:
        """The reference's example in each (cases 45 and 46)."""
        step = rail(write)
        if version == "2.02":
            step = write.step("m.seq#Main", step, element="TestGroup")
        run = run_of(
            step, version=version, outcome='value="Aborted" qualifier="Terminated"'
        )
        (phase,) = run.phases
        (measurement,) = phase.measurements
        assert run.outcome is RunOutcome.ABORTED
        assert run.source.format_version == version
        assert (phase.name, measurement.name) == ("Rail", "Rail")
        assert (measurement.value, measurement.unit) == (12.49, "V")
        assert measurement.limits == Limit(
            lower=11, upper=13, upper_inclusive=False, comparator="GELT"
        )

    def test_unknown_namespace_is_read(self, write: Any, read: Any) -> None:
        """Local names decide, the doubt is recorded (case 47)."""
        text = write.collection(write.results(rail(write)))
        text = text.replace("1636.1:2013", "1636.1:2099")
        reading = read(write.file(text))
        assert len(reading.runs[0].phases) == 1
        assert reading.report.count(Disposition.COERCED, "version") == 1

    def test_default_namespace_and_foreign_extensions(
        self, write: Any, read: Any
    ) -> None:
        """VeriStand writes no prefixes (case 48, oddity 4)."""
        text = (
            '<TestResults xmlns="urn:IEEE-1636.1:2013:TestResults" uuid="u">'
            '<ResultSet ID="0" name="p"'
            ' startDateTime="2017-12-30T10:23:12.6549588-07:00">'
            '<Outcome value="Passed"/><Test ID="1" name="t"><Outcome value="Passed"/>'
            '<Extension><x:Own xmlns:x="urn:own" key="v"/></Extension></Test>'
            "</ResultSet><UUT><SerialNumber>7</SerialNumber></UUT></TestResults>"
        )
        (run,) = read(write.file(text)).runs
        assert run.unit.serial_number == "7"
        assert run.phases[0].attributes["extension.Own.key"] == "v"

    def test_several_units_in_a_file(self, write: Any, read: Any) -> None:
        """Each TestResults is a run (case 49, oddity 16)."""
        units = [write.results(serial=f"SN-{i}") for i in range(11)]
        reading = read(write.file(write.collection(*units)))
        serials = [run.unit.serial_number for run in reading.runs]
        assert serials == [f"SN-{i}" for i in range(11)]
        assert len({run.id for run in reading.runs}) == 11

    def test_batch_table_is_no_run(self, write: Any, read: Any) -> None:
        """A table is an index of other files (cases 49, D4.6)."""
        table = (
            "<trc:Extension><ts:TSBatchTable batchSerialNumber='B'>"
            "<ts:UUTHref uutURI='a.xml'/></ts:TSBatchTable></trc:Extension>"
        )
        reading = read(write.file(write.collection(table, write.results())))
        assert len(reading.runs) == 1
        assert reading.report.count(Disposition.OMITTED, "batch report") == 1
        with pytest.raises(NoRunError):
            read(write.file(write.collection(table)))

    @pytest.mark.parametrize("content", [b"", b"  \n"])
    def test_empty_file_holds_no_run(self, read: Any, content: bytes) -> None:
        """Nothing is not an error of the format (oddity 3)."""
        with pytest.raises(NoRunError):
            read(content)

    def test_empty_collection_holds_no_run(self, write: Any, read: Any) -> None:
        """Valid XML without a unit (oddity 3)."""
        with pytest.raises(NoRunError):
            read(write.file(write.collection()))

    def test_concatenated_documents(self, write: Any, read: Any) -> None:
        """Two documents in one file are two runs (case 83)."""
        one = write.file(write.collection(write.results(serial="A")))
        two = write.file(write.collection(write.results(serial="B")))
        runs = read(one + b"\n" + two).runs
        assert [run.unit.serial_number for run in runs] == ["A", "B"]

    def test_instruction_in_the_middle(self, write: Any, read: Any) -> None:
        """Instructions and comments are no steps (oddity 2)."""
        text = write.collection(
            write.results("<?TS version='1'?><!-- no step -->", rail(write))
        )
        assert len(read(write.file(text)).runs[0].phases) == 1


class TestEncodings:
    """Declared encodings are real (oddity 1)."""

    @pytest.mark.parametrize("encoding", ["gb2312", "iso-8859-1", "utf-8", "utf-16"])
    def test_as_declared(self, write: Any, read: Any, encoding: str) -> None:
        """Names survive their encoding."""
        name = "电压" if encoding in ("gb2312", "utf-8") else "Größe"
        content = write.file(
            write.collection(write.results(write.step(name))), encoding
        )
        assert read(content).runs[0].phases[0].name == name

    def test_superset_of_a_declared_chinese_encoding(
        self, write: Any, read: Any
    ) -> None:
        """Bytes outside of gb2312 are read as gb18030, and flagged."""
        text = write.file(write.collection(write.results(write.step("镕"))))
        content = text.decode().replace("utf-8", "gb2312").encode("gb18030")
        reading = read(content)
        assert reading.runs[0].phases[0].name == "镕"
        assert reading.report.count(Disposition.COERCED, "encoding") == 1

    def test_byte_order_mark(self, write: Any, read: Any) -> None:
        """A BOM before the declaration is no damage."""
        content = b"\xef\xbb\xbf" + write.file(write.collection(write.results()))
        assert len(read(content).runs) == 1


class TestDamage:
    """Cut-off and hostile files."""

    def test_cut_file_gives_what_is_complete(self, write: Any, read: Any) -> None:
        """Complete steps stay, the run is flagged (case 81)."""
        whole = write.collection(
            write.results(write.step("a"), write.step("b"), write.step("c"))
        )
        cut = write.file(whole[: whole.index('name="c"') + 30])
        (run,) = read(cut).runs
        assert [phase.name for phase in run.phases] == ["a", "b"]
        assert run.metadata["partial"] is True

    def test_units_before_the_cut_are_whole(self, write: Any, read: Any) -> None:
        """Only the run that the cut is in is flagged."""
        whole = write.collection(write.results(rail(write)), write.results(rail(write)))
        cut = write.file(whole[: whole.rindex("<tr:TestLimits>")])
        first, second = read(cut).runs
        assert "partial" not in first.metadata
        assert second.metadata["partial"] is True
        assert second.phases == ()

    def test_cut_file_is_an_error_in_strict_mode(self, write: Any, read: Any) -> None:
        """Strict refuses to salvage."""
        content = write.file(write.collection(write.results(rail(write))))[:-200]
        with pytest.raises(MalformedSourceError):
            read(content, strict=True)

    def test_doctype_is_refused(self, write: Any, read: Any) -> None:
        """Nothing of a DOCTYPE is read (case 88)."""
        content = (
            b"<!DOCTYPE a [<!ENTITY b 'c'>]>"
            + write.collection(write.results()).encode()
        )
        with pytest.raises(UnsafeSourceError):
            read(content)

    def test_other_xml_is_named(self, read: Any) -> None:
        """XML of another kind says its root."""
        with pytest.raises(UnrecognizedSourceError, match="testResults"):
            read(b"<testResults version='1.2'/>")

    def test_deep_nesting(self, write: Any, read: Any) -> None:
        """Two hundred nested calls are read (case 89)."""
        step = write.step("leaf")
        for number in range(200):
            step = write.step(f"g{number}", step, element="TestGroup")
        run = read(write.file(write.collection(write.results(step)))).runs[0]
        assert len(run.phases[-1].path) == 200


class TestDetection:
    """Claims by content, with reasons."""

    @pytest.mark.parametrize("version", ["2.02", "5.00", "6.01"])
    def test_names_the_version(self, write: Any, version: str) -> None:
        """The reason tells which ATML it is."""
        content = write.file(write.results(version=version))
        match = TestStandATMLAdapter().detect(content, "a.xml")
        assert match is not None
        assert match.score > 0.9
        assert version in match.reason

    @pytest.mark.parametrize(
        "content",
        [
            b"<Reports><Report Type='UUT'/></Reports>",
            b"<testResults version='1.2'><sample/></testResults>",
            b"<TestResults><Counters/></TestResults>",
            b"{}",
            b"",
        ],
    )
    def test_leaves_others_alone(self, content: bytes) -> None:
        """Native reports, JMeter and others are not claimed."""
        assert TestStandATMLAdapter().detect(content, "a.xml") is None


def counted(content: bytes) -> dict[str, int]:
    """Count by XPath what a file holds, sharing nothing with the reader."""
    tree = etree.fromstring(content, etree.XMLParser(huge_tree=True))

    def count(expression: str) -> int:
        return int(float(str(tree.xpath(f"count({expression})"))))

    return {
        "run": count("descendant-or-self::*[local-name()='TestResults']"),
        "phase": count(
            "//*[local-name()='ResultSet']//*[local-name()='Test' or "
            "local-name()='SessionAction' or local-name()='TestGroup']"
        ),
        "limit": count(
            "//*[local-name()='TestLimits']//*[local-name()='SingleLimit' or "
            "local-name()='LimitPair' or local-name()='Expected']"
        ),
        "event": count(
            "//*[local-name()='Event'][@ID='Error Message' or @ID='Error Code']"
        ),
    }


@pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="the real ATML samples stand beside a checkout"
)
class TestRealFiles:
    """What the real samples say, each value checked in the file by hand."""

    @staticmethod
    def reading(part: str) -> Any:
        """Read the sample whose name holds a text."""
        (path,) = [file for file in SAMPLES.iterdir() if part in file.name]
        return read_all(TestStandATMLAdapter(), Source.from_path(path))

    def test_every_element_is_accounted_for(self) -> None:
        """Independent counts equal those of the report; display options drop alone."""
        for path in sorted(SAMPLES.glob("*.xml")):
            report = read_all(TestStandATMLAdapter(), Source.from_path(path)).report
            found = {
                item: report.count(Disposition.MAPPED, item)
                for item in ("run", "phase", "limit", "event")
            }
            assert found == counted(path.read_bytes()), path.name
            dropped = {e.item for e in report.entries if e.disposition == "dropped"}
            assert dropped <= {"report options"}, path.name

    def test_veristand(self) -> None:
        """VeriStand's file: no TestStand extension, offsets, a boolean limit."""
        (run,) = self.reading("Engine_Demo").runs
        assert run.outcome is RunOutcome.FAIL
        assert run.unit.serial_number == "0"
        assert run.started_at == datetime(2017, 12, 30, 17, 23, 12, 654958, UTC)
        assert [p.name for p in run.phases][:2] == ["Setup", "Open Workspace"]
        judged = [m for p in run.phases for m in p.measurements if m.validators]
        assert [m.validators for m in judged] == [("x == True",)]

    def test_error_of_a_run(self) -> None:
        """The run's error is a log entry, its code metadata; no unit was named."""
        (run,) = self.reading("10_42_01").runs
        assert run.outcome is RunOutcome.ERROR
        assert run.unit.serial_number is None
        assert run.metadata["error_code"] == -17306
        assert run.station == "VS-STEPS-BUILD-"
        assert [p.name for p in run.phases] == ["Initialize VeriStand"]

    def test_measurement_plugin(self) -> None:
        """Inputs and outputs of an action are additional values."""
        (run,) = self.reading("NIVisaDmm").runs
        (phase,) = run.phases
        values = {m.name: m.value for m in phase.measurements}
        assert run.outcome is RunOutcome.PASS
        assert run.procedure.name == "NIVisaDmmMeasurement"
        assert values["Outputs.measured_value"] == 3.4227
        assert values["Inputs.pin_name"] == "Pin1"
