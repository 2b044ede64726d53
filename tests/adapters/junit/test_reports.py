"""Reports of test runners as runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rigbridge.adapters import Disposition
from rigbridge.errors import ConfigurationError, NoRunError
from rigbridge.model import Measurement, Phase
from rigbridge.testing import Reading
from rigbridge_junit import JUnitSettings

Read = Callable[..., Reading]
STARTED = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def only(reading: Reading) -> Phase:
    """Give the one phase of the one run."""
    (run,) = reading.runs
    (phase,) = run.phases
    return phase


def of(inner: str, attributes: str = "") -> str:
    """Write a report of one suite."""
    return f'<testsuite name="s" {attributes}>{inner}</testsuite>'


class TestVerdicts:
    """Of test cases and of runs."""

    @pytest.mark.parametrize(
        ("inner", "phase", "run"),
        [
            ("", "PASS", "PASS"),
            ("<failure/>", "FAIL", "FAIL"),
            ("<error/>", "ERROR", "ERROR"),
            ("<failure/><error/>", "ERROR", "ERROR"),
            ("<skipped/>", "SKIP", "ABORTED"),
            ("<flakyFailure message='once'/>", "PASS", "PASS"),
            ("<failure/><rerunFailure/>", "FAIL", "FAIL"),
        ],
    )
    def test_follow_from_elements(
        self, read: Read, inner: str, phase: str, run: str
    ) -> None:
        """The worst of what a test case holds, and of the test cases of a run."""
        reading = read(of(f'<testcase name="t">{inner}</testcase>'))
        assert only(reading).outcome == phase
        assert reading.runs[0].outcome == run

    @pytest.mark.parametrize(
        ("attribute", "phase"),
        [
            ('status="notrun"', "SKIP"),
            ('status="run" result="completed"', "PASS"),
            ('status="run" result="suppressed"', "SKIP"),
            ('status="disabled"', "SKIP"),
            ('status="failed"', "FAIL"),
        ],
    )
    def test_follow_from_attributes_where_no_element_says(
        self, read: Read, attribute: str, phase: str
    ) -> None:
        """GoogleTest and CTest say there what was not run."""
        assert only(read(of(f'<testcase name="t" {attribute}/>'))).outcome == phase

    def test_a_skipped_test_spoils_no_run(self, read: Read) -> None:
        """A run passes if something passed and nothing failed."""
        report = of('<testcase name="a"/><testcase name="b"><skipped/></testcase>')
        assert read(report).runs[0].outcome == "PASS"

    def test_a_suite_that_fails_itself_is_a_phase(self, read: Read) -> None:
        """Some runners let a suite fail that did not build."""
        reading = read(of('<testcase name="a"/><error message="no build"/>'))
        assert [str(p.outcome) for p in reading.runs[0].phases] == ["PASS", "ERROR"]
        assert reading.runs[0].logs[0].message == "no build"


class TestCases:
    """What a test case says."""

    def test_problems_keep_message_type_and_text(self, read: Read) -> None:
        """The attributes stay with the phase, the text is a line of the log."""
        reading = read(
            of(
                '<testcase name="t"><failure message="1 != 2" type="Assert">at x:3'
                '</failure><failure message="3 != 4"/></testcase>'
            )
        )
        assert only(reading).attributes["problems"] == [
            {"kind": "failure", "message": "1 != 2", "type": "Assert"},
            {"kind": "failure", "message": "3 != 4"},
        ]
        messages = [(str(e.level), e.message) for e in reading.runs[0].logs]
        assert messages == [("ERROR", "1 != 2\nat x:3"), ("ERROR", "3 != 4")]

    def test_a_warning_is_a_problem_and_no_verdict(self, read: Read) -> None:
        """PHPUnit writes one for a test that checks nothing."""
        reading = read(
            of('<testcase name="t"><warning type="W">no checks</warning></testcase>')
        )
        assert only(reading).outcome == "PASS"
        assert only(reading).attributes["problems"] == [
            {"kind": "warning", "type": "W"}
        ]
        assert [str(e.level) for e in reading.runs[0].logs] == ["WARNING"]

    def test_repetitions_keep_their_traces_and_output(self, read: Read) -> None:
        """Surefire writes them into elements of their own."""
        reading = read(
            of(
                '<testcase name="t"><flakyFailure message="late" type="T">'
                "<stackTrace>at y</stackTrace><system-out>said</system-out>"
                "</flakyFailure></testcase>"
            )
        )
        messages = [entry.message for entry in reading.runs[0].logs]
        assert messages == ["said", "late\nat y"]
        assert only(reading).outcome == "PASS"

    def test_output_is_logged(self, read: Read) -> None:
        """Of test cases and of suites; errors are warnings."""
        reading = read(
            of(
                '<testcase name="t"><system-out>one</system-out><system-err>two'
                "</system-err></testcase><system-out>three</system-out>"
            )
        )
        found = [(str(e.level), e.message) for e in reading.runs[0].logs]
        assert found == [("INFO", "one"), ("WARNING", "two"), ("INFO", "three")]

    def test_files_that_output_refers_to_are_named(self, read: Read) -> None:
        """As Jenkins does; they are never opened."""
        reading = read(
            of(
                '<testcase name="t"><system-out>[[ATTACHMENT|/etc/x/scope.png]]'
                "</system-out></testcase>"
            )
        )
        (attachment,) = reading.runs[0].attachments
        assert (attachment.name, attachment.opener) == ("scope.png", None)
        assert reading.report.count(Disposition.COERCED, "attachment") == 1

    def test_recorded_numbers_are_measurements(self, read: Read) -> None:
        """Other properties are attributes; a number with a leading zero is a text."""
        reading = read(
            of(
                '<testcase name="t"><properties>'
                '<property name="vcc" value="3.30"/><property name="count" value="4"/>'
                '<property name="lot" value="0042"/><property name="note">a\nb'
                "</property></properties></testcase>"
            )
        )
        assert only(reading).measurements == (
            Measurement(name="vcc", value=3.3),
            Measurement(name="count", value=4),
        )
        assert only(reading).attributes["property.note"] == "a\nb"
        assert reading.runs[0].unit.batch_number == "0042"

    def test_attributes_are_kept(self, read: Read) -> None:
        """By their names; the time as a number of seconds."""
        phase = only(
            read(
                of('<testcase name="t" classname="c" file="f.py" line="3" time=".5"/>')
            )
        )
        assert phase.attributes == {
            "classname": "c",
            "file": "f.py",
            "line": "3",
            "time": 0.5,
        }

    def test_what_is_unknown_is_dropped_by_name(self, read: Read) -> None:
        """In a test case and in a suite."""
        reading = read(of('<testcase name="t"><foo/></testcase><bar><testcase/></bar>'))
        details = [entry.detail for entry in reading.report.entries if entry.detail]
        assert {"foo", "bar"} <= set(details)
        assert reading.report.count(Disposition.DROPPED, "element") == 2

    def test_nested_suites_are_paths(self, read: Read) -> None:
        """However deep."""
        report = of('<testsuite name="in"><testcase name="t"/></testsuite>')
        assert only(read(f"<testsuites>{report}</testsuites>")).path == ("s", "in")


class TestTimes:
    """Of runs and test cases."""

    @pytest.mark.parametrize(
        ("text", "seconds", "recorded"),
        [
            ("1.5", 1.5, 0),
            ("1,234.567", 1234.567, 1),
            ("1,234", 1234.0, 1),
            ("12,5", 12.5, 1),
            ("0.003s", 0.003, 0),
            ("1e-3", 0.001, 0),
            ("00:01:30.5000000", 90.5, 1),
        ],
    )
    def test_durations(
        self, read: Read, text: str, seconds: float, recorded: int
    ) -> None:
        """Groups of digits and a decimal comma are read, and recorded."""
        reading = read(of(f'<testcase name="t" time="{text}"/>'))
        assert only(reading).attributes["time"] == seconds
        assert reading.report.count(Disposition.COERCED, "duration") == recorded

    def test_a_duration_that_is_none_is_dropped(self, read: Read) -> None:
        """And so is a time."""
        reading = read(of('<testcase name="t" time="NaN" timestamp="Monday"/>'))
        assert reading.report.count(Disposition.DROPPED, "duration") == 1
        assert reading.report.count(Disposition.DROPPED, "time") == 1

    @pytest.mark.parametrize(
        ("text", "zone", "moment"),
        [
            ("2026-03-04T05:06:07", "UTC", STARTED),
            ("2026-03-04T05:06:07", "Europe/Berlin", STARTED - timedelta(hours=1)),
            ("2026-03-04T05:06:07Z", "Europe/Berlin", STARTED),
            ("2026-03-04T06:06:07+01:00", "UTC", STARTED),
        ],
    )
    def test_a_start_with_and_without_a_zone(
        self, read: Read, text: str, zone: str, moment: datetime
    ) -> None:
        """Without one that of the site is taken."""
        report = of('<testcase name="t"/>', f'timestamp="{text}" time="2"')
        (run,) = read(report, zone=zone).runs
        assert run.started_at == moment
        assert run.ended_at == moment + timedelta(seconds=2)

    def test_a_test_case_may_have_its_own(self, read: Read) -> None:
        """As GoogleTest writes them."""
        stamp = 'timestamp="2026-03-04T05:06:07" time="0.25"'
        reading = read(of(f'<testcase name="t" {stamp}/>'))
        assert only(reading).started_at == reading.runs[0].started_at == STARTED
        assert only(reading).ended_at == STARTED + timedelta(seconds=0.25)

    def test_without_times_there_are_none(self, read: Read) -> None:
        """None is made up."""
        (run,) = read(of('<testcase name="t"/>')).runs
        assert (run.started_at, run.ended_at) == (None, None)


SUITES = """<testsuites name="all" hostname="rig-1">
<testsuite name="a" tests="9"><properties><property name="DUT Serial-Number"
 value="S1"/><property name="java.version" value="17"/></properties>
<testcase name="t"/></testsuite>
<testsuite name="b" hostname="rig-2"><testcase name="t"><failure/></testcase>
</testsuite></testsuites>"""


class TestRuns:
    """What is a run, and what it says."""

    def test_a_file_is_one(self, read: Read) -> None:
        """One call of a test runner tested one unit."""
        reading = read(SUITES)
        (run,) = reading.runs
        assert run.unit.serial_number == "S1"
        assert run.procedure.name == "all"
        assert run.station == "rig-1"
        assert run.outcome == "FAIL"
        suites: Any = run.metadata["suites"]
        assert suites[0]["properties"]["java.version"] == "17"
        assert reading.report.count(Disposition.COERCED, "count") == 1

    def test_a_suite_may_be_one(self, read: Read) -> None:
        """By a setting."""
        first, second = read(SUITES, run="suite").runs
        assert (first.procedure.name, second.procedure.name) == ("a", "b")
        assert (first.outcome, second.outcome) == ("PASS", "FAIL")
        assert second.unit.serial_number is None
        assert first.metadata["java.version"] == "17"
        assert first.id != second.id

    def test_several_units_are_no_run(self, read: Read) -> None:
        """They are never merged; the error says what to set."""
        report = SUITES.replace(
            '<testcase name="t"><failure/>',
            '<properties><property name="sn" value="S2"/></properties>'
            '<testcase name="t"><failure/>',
        )
        (failure,) = read(report).failures
        assert "'S1'" in str(failure)
        assert 'run = "suite"' in str(failure)
        serials = [r.unit.serial_number for r in read(report, run="suite").runs]
        assert serials == ["S1", "S2"]

    def test_a_test_case_may_name_the_unit(self, read: Read) -> None:
        """As pytest's record_property does."""
        inner = '<properties><property name="serial_number" value="007"/></properties>'
        reading = read(of(f'<testcase name="t">{inner}</testcase>'))
        assert reading.runs[0].unit.serial_number == "007"
        assert only(reading).measurements == ()

    def test_names_of_properties_are_a_setting(self, read: Read) -> None:
        """They replace those that are known."""
        inner = (
            '<properties><property name="board" value="B7"/>'
            '<property name="serial" value="no"/></properties><testcase name="t"/>'
        )
        (run,) = read(of(inner), serial_number="board").runs
        assert run.unit.serial_number == "B7"
        assert run.metadata["serial"] == "no"

    def test_the_procedure_of_many_suites_is_the_file(self, read: Read) -> None:
        """None of them stands for all."""
        report = SUITES.replace(' name="all"', "")
        assert read(report).runs[0].procedure.name == "TEST-report"
        assert read(report, procedure_name="FVT").runs[0].procedure.name == "FVT"

    def test_nothing_tested_is_no_run(self, read: Read) -> None:
        """A suite without test cases."""
        with pytest.raises(NoRunError):
            read(of(""))

    @pytest.mark.parametrize(
        ("settings", "place"),
        [
            ({"run": "case"}, "run"),
            ({"serial_number": 5}, "serial_number"),
            ({"operator": ["a", "--"]}, "operator[1]"),
        ],
    )
    def test_a_wrong_setting_is_named(self, settings: Any, place: str) -> None:
        """The error has the path of the key."""
        with pytest.raises(ConfigurationError) as caught:
            JUnitSettings(**settings)
        assert caught.value.place == place


def test_several_elements_of_properties_add_up(read: Read) -> None:
    """What a second element says of a name does not replace what the first says."""
    content = (
        '<testsuite name="power"><testcase name="v">'
        '<properties><property name="vcc" value="3.3"/></properties>'
        '<properties><property name="vcc" value="3.4"/></properties>'
        "</testcase></testsuite>"
    )
    (run,) = read(content).runs
    assert [m.value for m in run.phases[0].measurements] == [3.3, 3.4]


def test_secrets_of_the_system_are_masked(read: Read) -> None:
    """Surefire writes the whole system down; a site names what is no secret."""
    properties = (
        '<property name="db.password" value="hunter2"/>'
        '<property name="repo" value="https://bob:pw@host/x"/>'
        '<property name="token_count" value="7"/>'
    )
    text = of(f"<properties>{properties}</properties><testcase name='t'/>")
    reading = read(text, properties_kept=("token_count",))
    (run,) = reading.runs
    assert run.metadata["db.password"] == "(masked)"
    assert run.metadata["repo"] == "https://bob:(masked)@host/x"
    assert run.metadata["token_count"] == "7"
    assert reading.report.count(Disposition.COERCED, "property") == 2
