"""Results of exporters that are not TestStand's: what is clear is read."""

from __future__ import annotations

from typing import Any

import pytest

from rigbridge.adapters import Source
from rigbridge.errors import MalformedSourceError
from rigbridge.model import Limit, MeasurementOutcome, PhaseOutcome, RunOutcome
from rigbridge.testing import read_all
from rigbridge_teststand.atml.adapter import TestStandATMLAdapter
from rigbridge_teststand.settings import TestStandSettings

ROOT = (
    '<e:TestResultsCollection xmlns:e="urn:IEEE-1636.1:2011:01:TestResultsCollection"'
    ' xmlns:k="urn:IEEE-1671:2010:Common"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{}'
    "</e:TestResultsCollection>"
)
SET = (
    '<e:ResultSet name="board check" startDateTime="2024-06-03T09:00:00Z"'
    ' status="Failed">'
    '<e:UUT serialNumber="B-77" partNumber="P-1" partRevisionNumber="C"'
    ' batchNumber="L-9"/><e:TestStation id="s1" name="Bench 4"/>'
    '<e:Operator id="o7" name="Kim"/>'
    '<e:TestGroup name="supply" status="Failed">'
    '<e:Test name="core" callerName="REQ-4" pin="J2" status="Failed">'
    '<e:TestResult xsi:type="e:NumericResult">'
    '<k:Datum xsi:type="k:double" value="1.31" nonStandardUnit="V"/>'
    '<k:Limits comparator="GELT"><k:LimitLow xsi:type="k:double" value="1.1"/>'
    '<k:LimitHigh xsi:type="k:double" value="1.3"/></k:Limits></e:TestResult></e:Test>'
    '<e:Test name="leak" status="Passed"><e:TestResult>'
    '<k:Datum xsi:type="k:double" value="0.2"/>'
    '<k:Limit comparator="LT"><k:Datum xsi:type="k:double" value="1"/></k:Limit>'
    "</e:TestResult></e:Test></e:TestGroup></e:ResultSet>"
)


class TestResultSetAlone:
    """A result set right below the collection, with the header inside."""

    def test_header(self, read: Any) -> None:
        """The unit, the station and the operator stand in attributes."""
        (run,) = read(ROOT.format(SET).encode()).runs
        assert (run.unit.serial_number, run.unit.part_number) == ("B-77", "P-1")
        assert (run.unit.revision, run.unit.batch_number) == ("C", "L-9")
        assert (run.station, run.operator) == ("Bench 4", "Kim")
        assert run.metadata["operator.id"] == "o7"

    def test_status_instead_of_an_outcome(self, read: Any) -> None:
        """An attribute states what NI writes as an element."""
        (run,) = read(ROOT.format(SET).encode()).runs
        assert run.outcome is RunOutcome.FAIL
        assert [phase.outcome for phase in run.phases] == [
            PhaseOutcome.FAIL,
            PhaseOutcome.FAIL,
            PhaseOutcome.PASS,
        ]

    def test_values_right_inside_a_result(self, read: Any) -> None:
        """The value and its limits have no elements of their own around them."""
        (run,) = read(ROOT.format(SET).encode()).runs
        (core,), (leak,) = (phase.measurements for phase in run.phases[1:])
        assert (core.name, core.value, core.unit) == ("core", 1.31, "V")
        assert core.outcome is MeasurementOutcome.FAIL
        assert core.limits == Limit(
            lower=1.1, upper=1.3, upper_inclusive=False, comparator="GELT"
        )
        assert leak.limits == Limit(upper=1, upper_inclusive=False, comparator="LT")

    def test_attributes_that_no_schema_has(self, read: Any) -> None:
        """They are attributes of the phase, by their own names."""
        (run,) = read(ROOT.format(SET).encode()).runs
        assert run.phases[1].attributes["pin"] == "J2"
        assert run.phases[1].attributes["callerName"] == "REQ-4"

    def test_it_is_recorded(self, read: Any) -> None:
        """The shape is none of ATML, which the account says."""
        (entry,) = read(ROOT.format(SET).encode()).report.entries
        assert entry.rule == "without TestResults around it, read"

    def test_several(self, read: Any) -> None:
        """Each is a run of its own."""
        assert len(read(ROOT.format(SET + SET).encode()).runs) == 2


class TestStepsAlone:
    """Steps right inside the results, without a result set."""

    def test_steps_are_read(self, read: Any) -> None:
        """What is no part of a header belongs to the steps."""
        results = (
            '<e:TestResults uuid="u1" status="Passed"><e:Test name="a">'
            '<e:Outcome value="Passed"/></e:Test><e:UUT serialNumber="B-1"/>'
            '<e:Test name="b"><e:Outcome value="Passed"/></e:Test></e:TestResults>'
        )
        (run,) = read(ROOT.format(results).encode()).runs
        assert [phase.name for phase in run.phases] == ["a", "b"]
        assert (run.unit.serial_number, run.metadata["uuid"]) == ("B-1", "u1")
        assert run.outcome is RunOutcome.PASS


class TestUnclearShapes:
    """What cannot be read is an error that names it."""

    def test_another_element_instead_of_results(self) -> None:
        """A file whose results are none of ATML is no file without runs."""
        content = ROOT.format('<e:BoardRun sn="1"/><e:Summary/>').encode()
        source = Source.from_bytes(content, "a.xml")
        with pytest.raises(MalformedSourceError, match="BoardRun, Summary"):
            read_all(TestStandATMLAdapter(), source, time_zone="UTC")


def _results(inside: str, outcome: str = '<tr:Outcome value="Failed"/>') -> bytes:
    spaces = (
        'xmlns:tr="urn:IEEE-1636.1:2013:TestResults" '
        'xmlns:c="urn:IEEE-1671:2010:Common" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    )
    return (
        f'<tr:TestResults {spaces}><tr:ResultSet ID="1" name="cable check"'
        f' startDateTime="2024-06-03T09:00:00Z">{inside}{outcome}</tr:ResultSet>'
        "</tr:TestResults>"
    ).encode()


VALUE = '<tr:TestData><c:Datum xsi:type="c:double" value="1.5"/></tr:TestData>'
FAILED = f'<tr:TestResult name="loss"><tr:Outcome value="Failed"/>{VALUE}'


class TestStepWithoutAVerdict:
    """A step that states no outcome of its own was not skipped."""

    def test_worst_of_its_results(self, read: Any) -> None:
        """A failing value makes the step fail, and is kept."""
        step = f'<tr:Test name="A">{FAILED}</tr:TestResult></tr:Test>'
        (run,) = read(_results(step)).runs
        (phase,) = run.phases
        assert phase.outcome is PhaseOutcome.FAIL
        assert phase.measurements[0].outcome is MeasurementOutcome.FAIL

    def test_worst_of_the_steps_below(self, read: Any) -> None:
        """A group of such steps has the worst outcome of theirs, at any depth."""
        step = f'<tr:Test name="A">{FAILED}</tr:TestResult></tr:Test>'
        group = '<tr:TestGroup name="G">{}</tr:TestGroup>'
        (run,) = read(_results(group.format(group.format(step)))).runs
        assert {phase.outcome for phase in run.phases} == {PhaseOutcome.FAIL}

    def test_value_is_kept(self, read: Any) -> None:
        """A value that nobody judged is no stale one."""
        result = f'<tr:TestResult name="loss">{VALUE}</tr:TestResult>'
        (run,) = read(_results(f'<tr:Test name="A">{result}</tr:Test>')).runs
        assert [each.value for each in run.phases[0].measurements] == [1.5]


class TestVerdictElsewhere:
    """Exporters write the verdict in other places than NI."""

    def test_text_of_an_outcome(self, read: Any) -> None:
        """The status is the text of the element, not an attribute."""
        outcome = "<tr:Outcome>Failed</tr:Outcome>"
        result = f'<tr:TestResult name="loss">{outcome}{VALUE}</tr:TestResult>'
        step = f'<tr:Test name="A">{outcome}{result}</tr:Test>'
        (run,) = read(_results(step, outcome)).runs
        assert run.outcome is RunOutcome.FAIL
        assert run.phases[0].outcome is PhaseOutcome.FAIL
        assert run.phases[0].measurements[0].outcome is MeasurementOutcome.FAIL
        assert "outcome" not in run.metadata

    def test_status_of_a_result(self, read: Any) -> None:
        """A result may state it by an attribute."""
        result = f'<tr:TestResult name="loss" status="Failed">{VALUE}</tr:TestResult>'
        step = f'<tr:Test name="A" status="Failed">{result}</tr:Test>'
        (run,) = read(_results(step)).runs
        assert run.phases[0].measurements[0].outcome is MeasurementOutcome.FAIL

    def test_word_that_is_no_verdict(self, read: Any) -> None:
        """The word of a value that was not judged is kept."""
        result = f'<tr:TestResult name="x"><tr:Outcome value="Aborted"/>{VALUE}'
        step = f'<tr:Test name="A" status="Failed">{result}</tr:TestResult></tr:Test>'
        (run,) = read(_results(step)).runs
        (value,) = run.phases[0].measurements
        assert value.outcome is MeasurementOutcome.UNSET
        assert value.attributes["raw_status"] == "Aborted"

    def test_results_of_the_run(self, read: Any) -> None:
        """The worst of what the result set itself holds is the verdict of the run."""
        verdict = '<tr:TestResult ID="{}"><tr:Outcome value="{}"/></tr:TestResult>'
        inside = verdict.format(1, "Passed") + verdict.format(2, "Failed")
        (run,) = read(_results(inside, outcome="")).runs
        assert run.outcome is RunOutcome.FAIL


class TestHeaderWithinTheResultSet:
    """The unit, station and operator stand within the result set."""

    def test_they_are_those_of_the_run(self, read: Any) -> None:
        """They are read, which is recorded."""
        reading = read(
            _results(
                "<tr:UUT><c:SerialNumber>B-78</c:SerialNumber></tr:UUT>"
                "<tr:TestStation><c:SerialNumber>rig-7</c:SerialNumber></tr:TestStation>"
                '<tr:SystemOperator name="Kim"/>'
            )
        )
        (run,) = reading.runs
        assert run.unit.serial_number == "B-78"
        assert (run.station, run.operator) == ("rig-7", "Kim")
        assert reading.report.count("coerced", "UUT") == 1


class TestItemTests:
    """Steps that are called ``ItemTest`` and ``SubItemTest``."""

    STEP = (
        '<tr:ItemTest ID="1" name="fibre 1"><tr:SubItemTest ID="1" name="1310 nm">'
        '<tr:TestResult BoardFlag="1" ID="1"><tr:Outcome value="Failed"/>'
        f"<tr:Description>0.31</tr:Description>{VALUE}</tr:TestResult>"
        "</tr:SubItemTest></tr:ItemTest>"
    )

    def test_they_are_phases(self, read: Any) -> None:
        """Each is a phase, with the verdict of its results."""
        (run,) = read(_results(self.STEP)).runs
        assert [(each.name, each.path, each.outcome) for each in run.phases] == [
            ("fibre 1", (), PhaseOutcome.FAIL),
            ("1310 nm", ("fibre 1",), PhaseOutcome.FAIL),
        ]

    def test_only_result_has_the_name_of_the_step(self, read: Any) -> None:
        """A number is no name of a value; other attributes are kept."""
        (run,) = read(_results(self.STEP)).runs
        (value,) = run.phases[1].measurements
        assert (value.name, value.value) == ("1310 nm", 1.5)
        assert value.attributes["result_id"] == "1"
        assert value.attributes["BoardFlag"] == "1"
        assert value.attributes["description"] == "0.31"


def test_type_of_a_site(read: Any) -> None:
    """A value of a type that ATML lacks is a number where it was judged as one."""
    result = (
        '<tr:TestResult name="x"><tr:Outcome value="Passed"/>'
        '<tr:TestData><c:Datum xsi:type="v:celsius" value="21.5"/></tr:TestData>'
        '<tr:TestLimits><tr:Limits><c:SingleLimit comparator="LT">'
        '<c:Datum xsi:type="c:double" value="30"/></c:SingleLimit></tr:Limits>'
        "</tr:TestLimits></tr:TestResult>"
    )
    (run,) = read(
        _results(f'<tr:Test name="A" status="Passed">{result}</tr:Test>')
    ).runs
    assert run.phases[0].measurements[0].value == 21.5


def test_program_names_the_procedure(read: Any) -> None:
    """A result set without a name leaves it to the test program."""
    content = _results("").replace(b' name="cable check"', b"")
    program = b'<tr:TestProgram><c:Definition name="cables" version="2"/>'
    end = b"</tr:TestProgram></tr:TestResults>"
    (run,) = read(content.replace(b"</tr:TestResults>", program + end)).runs
    assert (run.procedure.name, run.procedure.version) == ("cables", "2")
    settings = TestStandSettings(procedure="Harness")
    changed = content.replace(b"</tr:TestResults>", program + end)
    (run,) = read(changed, settings=settings).runs
    assert run.procedure.name == "Harness"


@pytest.mark.parametrize(
    "inside",
    [
        f'<tr:Step name="A">{FAILED}</tr:TestResult></tr:Step>',
        f'<tr:Tests><tr:Test name="A">{FAILED}</tr:TestResult></tr:Test></tr:Tests>',
        f'<tr:Test status="Passed"/><tr:Step>{FAILED}</tr:TestResult></tr:Step>',
    ],
)
def test_steps_of_another_name(read: Any, inside: str) -> None:
    """Steps that would be missing are an error, which names their element."""
    reading = read(_results(inside))
    assert reading.runs == ()
    (failure,) = reading.failures
    assert "which is no step of ATML" in str(failure)
