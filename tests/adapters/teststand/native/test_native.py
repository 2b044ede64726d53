"""Native XML reports: what stands in them and what becomes of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rigbridge.adapters import Disposition, Source
from rigbridge.errors import (
    ConfigurationError,
    MalformedSourceError,
    NoRunError,
    UnrecognizedSourceError,
    UnsafeSourceError,
)
from rigbridge.model import (
    Phase,
    PhaseOutcome,
    Run,
    RunOutcome,
)
from rigbridge.testing import AdapterCase, AdapterSuite, Reading, Sample, read_all
from rigbridge_teststand.native.adapter import TestStandXMLAdapter
from rigbridge_teststand.settings import TestStandSettings


def reading(content: bytes, **settings_of_site: Any) -> Reading:
    """Read a report."""
    adapter = TestStandXMLAdapter(TestStandSettings(**settings_of_site))
    return read_all(adapter, Source.from_bytes(content, "report.xml"))


def run_of(content: bytes, **settings_of_site: Any) -> Run:
    """Read the one run of a report."""
    (run,) = reading(content, **settings_of_site).runs
    return run


def phase_of(content: bytes) -> Phase:
    """Read the one phase of a report."""
    (phase,) = run_of(content).phases
    return phase


class TestConformance(AdapterSuite):
    """The suite that every adapter passes."""

    @pytest.fixture
    def case(self, write: Any) -> AdapterCase:
        """Give a report of one unit and a file of two."""
        steps = (
            write.numeric("5 V rail", 5.02, "GELE", Low=4.9, High=5.1),
            write.step("Boot", write.prop("PassFail", True), kind="PassFailTest"),
        )
        one = write.document(write.report(*steps))
        two = write.document(write.report(*steps), write.report(serial="SN-2"))
        return AdapterCase(
            adapter=TestStandXMLAdapter(),
            samples=(
                Sample(name="one.xml", content=one),
                Sample(name="two.xml", content=two, runs=2),
            ),
        )


class TestHeader:
    """Who was tested, where, by whom and when."""

    def test_identity(self, write: Any) -> None:
        """Unit, part, station, operator and procedure come from their fields."""
        run = run_of(write.document(write.report()))
        assert (run.unit.serial_number, run.unit.part_number) == ("SN-1", "PB-7")
        assert (run.station, run.operator) == ("ST-3", "mara")
        assert (run.procedure.name, run.procedure.version) == ("Power Board", "1.2.0.3")

    def test_times(self, write: Any) -> None:
        """The start is the wall time in the zone, the end follows from the total."""
        run = run_of(write.document(write.report()))
        assert run.started_at == datetime(2024, 3, 4, 9, 5, 6, 250000, tzinfo=UTC)
        assert run.ended_at == datetime(2024, 3, 4, 9, 5, 18, 750000, tzinfo=UTC)

    def test_the_link_stands_in_for_a_bad_date(self, write: Any) -> None:
        """A year outside of reason is read from the report's link, and recorded."""
        found = reading(write.document(write.report(year=12)))
        assert found.runs[0].started_at == datetime(
            2024, 3, 4, 9, 5, 6, 250000, tzinfo=UTC
        )
        assert found.report.count(Disposition.COERCED, "time") == 1

    @pytest.mark.parametrize("serial", ["", "NONE", "none", "\\"])
    def test_a_placeholder_is_no_serial_number(self, write: Any, serial: str) -> None:
        """A run is never given a made-up number."""
        run = run_of(write.document(write.report(serial=serial)))
        assert run.unit.serial_number is None

    def test_what_has_no_field_is_metadata(self, write: Any) -> None:
        """Objects, arrays of values and properties of the report are all kept."""
        slots = (
            "<Prop Name='Slots' Type='Array' ElementType='String'>"
            "<Value ID='[0]'>left</Value><Value ID='[1]'>right</Value></Prop>"
        )
        extra = write.obj("AdditionalData", write.prop("Rack", "R7"), slots)
        closing = write.obj("TSRData", write.obj("File", write.prop("Closed", False)))
        content = write.document(write.report(uut=extra)).replace(
            b'<Prop Name="StationInfo"', closing.encode() + b'<Prop Name="StationInfo"'
        )
        metadata = run_of(content).metadata
        assert metadata["uut.AdditionalData.Rack"] == "R7"
        assert metadata["uut.AdditionalData.Slots"] == ["left", "right"]
        assert metadata["TSRData.File.Closed"] is False

    def test_leading_zeros_stay(self, write: Any) -> None:
        """A serial number is text."""
        run = run_of(write.document(write.report(serial="00017")))
        assert run.unit.serial_number == "00017"

    def test_the_socket_is_metadata(self, write: Any) -> None:
        """An unsigned radix spells -1 as a large number."""
        uut = write.prop("TestSocketIndex", "0xFFFFFFFF", "Number")
        run = run_of(write.document(write.report(uut=uut)))
        assert run.metadata["test_socket_index"] == -1


class TestVerdicts:
    """Verdicts are read, never computed."""

    @pytest.mark.parametrize(
        ("status", "outcome"),
        [
            ("Passed", RunOutcome.PASS),
            ("Done", RunOutcome.PASS),
            ("Failed", RunOutcome.FAIL),
            ("Error", RunOutcome.ERROR),
            ("Terminated", RunOutcome.ABORTED),
        ],
    )
    def test_run_status(self, write: Any, status: str, outcome: RunOutcome) -> None:
        """The status of the run is its outcome."""
        content = write.document(write.report(result=status, status=status))
        assert run_of(content).outcome is outcome

    def test_of_two_verdicts_the_worse_counts(self, write: Any) -> None:
        """A contradiction is recorded."""
        found = reading(write.document(write.report(result="Passed", status="Failed")))
        assert found.runs[0].outcome is RunOutcome.FAIL
        assert found.report.count(Disposition.COERCED, "status") == 1

    def test_a_failed_step_may_stand_in_a_passed_run(self, write: Any) -> None:
        """An ignored failure stays what it is."""
        run = run_of(write.document(write.report(write.step("a", status="Failed"))))
        assert run.outcome is RunOutcome.PASS
        assert run.phases[0].outcome is PhaseOutcome.FAIL

    def test_a_custom_status_is_an_error(self, write: Any) -> None:
        """What nobody declared is not taken for a pass."""
        found = reading(write.document(write.report(write.step("a", status="Retest"))))
        assert found.runs[0].phases[0].outcome is PhaseOutcome.ERROR
        assert found.runs[0].phases[0].attributes["raw_status"] == "Retest"
        assert found.report.count(Disposition.COERCED, "status") == 1

    def test_a_custom_status_can_be_declared(self, write: Any) -> None:
        """A site says what its own words mean."""
        content = write.document(write.report(write.step("a", status="Retest")))
        run = run_of(content, statuses={"retest": "FAIL"})
        assert run.phases[0].outcome is PhaseOutcome.FAIL

    def test_a_wrong_declaration_is_refused(self) -> None:
        """The error names the status."""
        with pytest.raises(ConfigurationError, match="is no outcome"):
            TestStandSettings(statuses={"Retest": "MAYBE"})

    def test_a_skipped_step_has_no_values(self, write: Any) -> None:
        """What a skipped step holds is stale; it is left out and counted."""
        step = write.numeric("a", 5, "GE", Low=1, status="Skipped")
        found = reading(write.document(write.report(step)))
        assert found.runs[0].phases[0].measurements == ()
        assert found.report.count(Disposition.OMITTED, "measurement") == 1


class TestTree:
    """Nested results are flat phases with paths."""

    def test_nesting_is_in_the_path(self, write: Any) -> None:
        """Parents stand before their children, in document order."""
        inner = write.step("inner")
        outer = write.step("outer", children=(inner,), kind="SequenceCall")
        phases = run_of(write.document(write.report(outer, write.step("last")))).phases
        assert [(phase.path, phase.name) for phase in phases] == [
            ((), "outer"),
            (("outer",), "inner"),
            ((), "last"),
        ]

    def test_a_post_action_is_marked(self, write: Any) -> None:
        """What a post action called does not mix with the call itself."""
        outer = write.step(
            "outer", children=(write.step("inner"),), container="PostAction"
        )
        phases = run_of(write.document(write.report(outer))).phases
        assert phases[1].path == ("outer", "PostAction")

    def test_iterations_belong_to_their_loop(self, write: Any) -> None:
        """A loop's summary owns the iterations that follow it."""
        counter = write.prop("NumLoops", 2)
        loop = (
            write.step("try", engine=counter),
            write.step("try", engine=write.prop("LoopIndex", 0)),
            write.step("try", engine=write.prop("LoopIndex", 1)),
        )
        phases = run_of(write.document(write.report(*loop))).phases
        assert [phase.path for phase in phases] == [(), ("try",), ("try",)]
        assert phases[2].attributes["loop_index"] == 1

    def test_a_template_is_no_result(self, write: Any) -> None:
        """Array prototypes hold no data."""
        names = [
            phase.name
            for phase in run_of(write.document(write.report(write.step("a")))).phases
        ]
        assert names == ["a"]

    def test_step_times_count_from_the_run(self, write: Any) -> None:
        """The engine's seconds are offsets, not dates."""
        phase = phase_of(write.document(write.report(write.step("a"))))
        assert phase.started_at == datetime(2024, 3, 4, 9, 5, 7, 750000, tzinfo=UTC)
        assert phase.ended_at == datetime(2024, 3, 4, 9, 5, 8, tzinfo=UTC)

    def test_calls_may_nest_deeply(self, write: Any) -> None:
        """Deep recursion of sequences neither overflows nor loses a step."""
        nested = write.step("0")
        for level in range(1, 120):
            nested = write.step(str(level), children=(nested,), kind="SequenceCall")
        phases = run_of(write.document(write.report(nested))).phases
        assert len(phases) == 120
        assert len(phases[-1].path) == 119

    @settings(
        max_examples=30,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        tree=st.recursive(
            st.just(()), lambda inner: st.lists(inner, max_size=3).map(tuple)
        )
    )
    def test_every_result_is_a_phase(self, write: Any, tree: Any) -> None:
        """Whatever the tree, each result but the root becomes one phase."""
        count = 0

        def build(node: Any) -> str:
            nonlocal count
            count += 1
            children = tuple(build(child) for child in node)
            return str(write.step(f"s{count}", children=children or None))

        content = write.document(write.report(*(build(node) for node in tree)))
        assert len(run_of(content).phases) == count
        assert content.count(b"<Prop Type='TEResult'>") == count + 1


class TestFiles:
    """What files do."""

    def test_one_bad_report_spares_its_neighbours(self, write: Any) -> None:
        """A batch report between two units is counted, not read as a run."""
        batch = "<Report Type='Batch' UUTResult='Passed'/>"
        content = write.document(write.report(), batch, write.report(serial="SN-2"))
        found = reading(content)
        assert [run.unit.serial_number for run in found.runs] == ["SN-1", "SN-2"]
        assert found.report.count(Disposition.OMITTED, "batch report") == 1

    def test_reports_without_a_root(self, write: Any) -> None:
        """Reports that were appended one after the other are all read."""
        content = f"{write.report()}\n{write.report(serial='SN-2')}".encode()
        assert len(reading(content).runs) == 2

    def test_concatenated_documents(self, write: Any) -> None:
        """No document behind the first is lost."""
        content = write.document(write.report()) + write.document(write.report())
        assert len(reading(content).runs) == 2

    def test_a_stylesheet_with_a_colon(self, write: Any) -> None:
        """An instruction that XML forbids is tolerated."""
        content = write.document(write.report()).replace(
            b"<Reports>", b"<?xml:stylesheet href='C:\\a.xsl'?><Reports>"
        )
        assert len(reading(content).runs) == 1

    def test_windows_text_under_another_name(self, write: Any) -> None:
        """Bytes of windows-1252 declared as iso-8859-1 are repaired and flagged."""
        content = write.document(write.report(serial="A@B"), encoding="iso-8859-1")
        found = reading(content.replace(b"A@B", b"A\x96B"))
        assert found.runs[0].unit.serial_number == "A\u2013B"
        assert found.report.count(Disposition.COERCED, "encoding") == 1

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
    def test_declared_encodings(self, write: Any, encoding: str) -> None:
        """Text is read as declared."""
        content = write.document(write.report(serial="Größe"), encoding=encoding)
        assert run_of(content).unit.serial_number == "Größe"

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
    def test_a_doctype_is_refused(self, write: Any, encoding: str) -> None:
        """Entities are not expanded, not even looked at."""
        text = write.document(write.report(), encoding=encoding).decode(encoding)
        bomb = text.replace("<Reports>", '<!DOCTYPE r [<!ENTITY a "b">]><Reports>', 1)
        with pytest.raises(UnsafeSourceError, match="line 2: has a DOCTYPE"):
            reading(bomb.encode(encoding))

    def test_the_word_doctype_in_a_text_is_harmless(self, write: Any) -> None:
        """A step may attach HTML as its report text."""
        step = write.step("a", text="@")
        content = write.document(write.report(step)).replace(
            b"@", b"<![CDATA[<!DOCTYPE html>]]>"
        )
        assert run_of(content).logs[0].message == "<!DOCTYPE html>"

    @pytest.mark.parametrize(
        ("content", "error"),
        [
            (b"", NoRunError),
            (b"  \n", NoRunError),
            (b"<Reports></Reports>", NoRunError),
            (b"hello", MalformedSourceError),
            (b"<shopping/>", UnrecognizedSourceError),
        ],
    )
    def test_bad_files_are_clear_errors(
        self, content: bytes, error: type[Exception]
    ) -> None:
        """Each names the file."""
        with pytest.raises(error, match=r"report\.xml"):
            reading(content)
