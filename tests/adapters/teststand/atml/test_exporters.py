"""Results of exporters that are not TestStand's: what is clear is read."""

from __future__ import annotations

from typing import Any

import pytest

from rigbridge.adapters import Source
from rigbridge.errors import MalformedSourceError
from rigbridge.model import Limit, MeasurementOutcome, PhaseOutcome, RunOutcome
from rigbridge.testing import read_all
from rigbridge_teststand.atml.adapter import TestStandATMLAdapter

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
