"""Steps to phases: order, nesting, verdicts, texts, errors, loops."""

from __future__ import annotations

from typing import Any

import pytest

from rigbridge.model import LogLevel, MeasurementOutcome, PhaseOutcome, RunOutcome
from rigbridge.model.report import Disposition
from rigbridge_teststand.settings import TestStandSettings


class TestTree:
    """The order and the nesting of steps."""

    def test_kinds_stand_mixed_in_document_order(self, write: Any, run_of: Any) -> None:
        """No kind is read before another (case 53)."""
        run = run_of(
            write.step("a"),
            write.step("b", element="SessionAction", value="Done"),
            write.step("c", write.step("d"), element="TestGroup"),
            write.step("e"),
        )
        assert [phase.name for phase in run.phases] == ["a", "b", "c", "d", "e"]

    def test_groups_nest(self, write: Any, run_of: Any) -> None:
        """The path names the ancestors, outermost first (case 54)."""
        inner = write.step("leaf")
        for name in ("three", "two", "one"):
            inner = write.step(name, inner, element="TestGroup")
        assert run_of(inner).phases[-1].path == ("one", "two", "three")

    def test_group_has_the_name_of_the_calling_step(
        self, write: Any, run_of: Any
    ) -> None:
        """CallerName names the step, name the sequence (case 52)."""
        step = write.step(
            "a.seq#Sub", element="TestGroup", attributes='callerName="CPU Test"'
        )
        (phase,) = run_of(step).phases
        assert phase.name == "CPU Test"
        assert phase.attributes["sequence"] == "Sub"
        assert phase.attributes["sequence_file"] == "a.seq"

    def test_oldest_version_names_the_caller_in_a_type(
        self, write: Any, run_of: Any
    ) -> None:
        """2.02 has the caller's name in userDefinedType (case 52)."""
        call = write.step(
            "a.seq#Sub",
            element="TestGroup",
            attributes="userDefinedType=\"SequenceCallStepName = 'CPU Test'\"",
        )
        root = write.step("m.seq#MainSequence", call, element="TestGroup")
        (phase,) = run_of(root, version="2.02").phases
        assert (phase.name, phase.path) == ("CPU Test", ())

    def test_post_action_is_marked(self, write: Any, run_of: Any) -> None:
        """A group whose ID ends so is a post action (case 55)."""
        group = write.step(
            "After",
            write.step("leaf"),
            element="TestGroup",
            attributes='ID="12_PostAction"',
        )
        phases = run_of(group).phases
        assert phases[0].attributes["post_action"] is True
        assert phases[1].path == ("After", "PostAction")

    def test_block_level_without_extensions(self, write: Any, run_of: Any) -> None:
        """UserDefinedType says the level where extensions are off (case 57)."""
        step = write.step(
            "s", properties=None, attributes="userDefinedType=\"x bl = '2'\""
        )
        assert run_of(step).phases[0].attributes["block_level"] == 2

    def test_same_name_many_times(self, write: Any, run_of: Any) -> None:
        """Nothing is merged by name (oddity 18)."""
        steps = [write.step("Read", attributes=f'ID="{i}"') for i in range(95)]
        phases = run_of(*steps).phases
        assert [p.attributes["result_id"] for p in phases] == list(map(str, range(95)))


class TestVerdicts:
    """Outcome and ActionOutcome (cases 50 and 51, oddities 8 and 9)."""

    @pytest.mark.parametrize(
        ("value", "qualifier", "expected"),
        [
            ("Passed", None, PhaseOutcome.PASS),
            ("Passed", "Done", PhaseOutcome.PASS),
            ("Failed", None, PhaseOutcome.FAIL),
            ("Done", None, PhaseOutcome.PASS),
            ("NotStarted", None, PhaseOutcome.SKIP),
            ("Aborted", "Skipped", PhaseOutcome.SKIP),
            ("UserDefined", "Skipped", PhaseOutcome.SKIP),
            ("Aborted", "Error", PhaseOutcome.ERROR),
            ("Aborted", "Terminated", PhaseOutcome.ERROR),
            ("Aborted", "Operator left", PhaseOutcome.ERROR),
            ("UserDefined", "Running", PhaseOutcome.ERROR),
            ("UserDefined", "Rework", PhaseOutcome.ERROR),
        ],
    )
    @pytest.mark.parametrize("element", ["Test", "SessionAction"])
    def test_of_a_step(  # noqa: PLR0917 - a table
        self,
        write: Any,
        run_of: Any,
        element: str,
        value: str,
        qualifier: str | None,
        expected: PhaseOutcome,
    ) -> None:
        """Value and qualifier together."""
        step = write.step("s", element=element, value=value, qualifier=qualifier)
        assert run_of(step).phases[0].outcome is expected

    @pytest.mark.parametrize(
        ("outcome", "expected"),
        [
            ('value="Passed"', RunOutcome.PASS),
            ('value="Failed"', RunOutcome.FAIL),
            ('value="Aborted" qualifier="Error"', RunOutcome.ERROR),
            ('value="Aborted" qualifier="Terminated"', RunOutcome.ABORTED),
            ('value="Aborted" qualifier="Operator left"', RunOutcome.ABORTED),
            ('value="UserDefined" qualifier="Running"', RunOutcome.ABORTED),
            ('value="UserDefined" qualifier="Rework"', RunOutcome.ERROR),
            ('value="NotStarted"', RunOutcome.ABORTED),
            ("", RunOutcome.ERROR),
        ],
    )
    def test_of_a_run(self, run_of: Any, outcome: str, expected: RunOutcome) -> None:
        """The run's verdict is its own, never that of its steps."""
        assert run_of(outcome=outcome).outcome is expected

    def test_running_run_is_partial(self, run_of: Any) -> None:
        """What was still running is flagged."""
        run = run_of(outcome='value="UserDefined" qualifier="Running"')
        assert run.metadata["partial"] is True

    def test_site_has_words_of_its_own(self, write: Any, read: Any) -> None:
        """The settings say what a custom status means."""
        step = write.step("s", value="UserDefined", qualifier="Rework")
        content = write.file(write.collection(write.results(step)))
        settings = TestStandSettings(statuses={"Rework": "FAIL"})
        run = read(content, settings=settings).runs[0]
        assert run.phases[0].outcome is PhaseOutcome.FAIL

    def test_missing_verdict_is_the_worst_below(self, write: Any, run_of: Any) -> None:
        """A group that says nothing takes the worst of its steps."""
        group = write.step(
            "g",
            write.step("a"),
            write.step("b", value="Failed"),
            value=None,
            element="TestGroup",
        )
        assert run_of(group).phases[0].outcome is PhaseOutcome.FAIL


class TestMeasurements:
    """Which results were judged, and how."""

    def test_single_takes_the_verdict_of_its_step(
        self, write: Any, run_of: Any
    ) -> None:
        """A single test's result has no outcome of its own."""
        result = write.result(
            "Numeric",
            write.datum("c:double", 6),
            limits=write.shape("SingleLimit", "LE", 5),
        )
        (found,) = (
            run_of(write.step("Rail", result, value="Failed")).phases[0].measurements
        )
        assert (found.name, found.outcome) == ("Rail", MeasurementOutcome.FAIL)

    @pytest.mark.parametrize(("version", "key"), [("6.01", "name"), ("2.02", "ID")])
    def test_multiple_have_their_own(
        self, write: Any, run_of: Any, version: str, key: str
    ) -> None:
        """Names are kept apart, verdicts are their own (case 74)."""
        results = [
            write.result(
                name,
                write.datum("c:double", 1),
                limits=write.shape("SingleLimit", "LE", 5),
                outcome=outcome,
                key=key,
            )
            for name, outcome in (("A", "Failed"), ("A", "Passed"), ("B", None))
        ]
        run = run_of(write.step("Rails", *results, value="Failed"), version=version)
        assert [(m.name, m.outcome.value) for m in run.phases[-1].measurements] == [
            ("A", "FAIL"),
            ("A #2", "PASS"),
            ("B", "UNSET"),
        ]

    def test_oldest_version_names_report_texts_by_id(
        self, write: Any, run_of: Any
    ) -> None:
        """In 2.02 the ID holds the name of a result (case 73)."""
        text = write.result("ReportText", write.datum("c:string", "said"), key="ID")
        more = write.result("Raw", write.datum("c:double", 2), key="ID")
        run = run_of(write.step("t", text, more, value="Done"), version="2.02")
        (found,) = run.phases[0].measurements
        assert [entry.message for entry in run.logs] == ["said"]
        assert (found.name, found.outcome) == ("Raw", MeasurementOutcome.UNSET)

    def test_report_text_is_a_log(self, write: Any, run_of: Any) -> None:
        """ReportText is no measurement, in tests and in actions (case 73)."""
        text = write.datum("c:string", "said\\r\nmore")
        item = f'<c:Item name="ReportText">{text}</c:Item>'
        more = f'<c:Item name="ButtonHit">{write.datum("c:double", 2)}</c:Item>'
        data = f"<tr:Data><c:Collection>{item}{more}</c:Collection></tr:Data>"
        run = run_of(
            write.step("t", write.result("ReportText", text)),
            write.step("a", data, element="SessionAction", value="Done"),
        )
        assert [entry.message for entry in run.logs] == ["said\nmore", "said\nmore"]
        assert run.phases[0].measurements == ()
        assert [(m.name, m.value) for m in run.phases[1].measurements] == [
            ("ButtonHit", 2)
        ]

    @pytest.mark.parametrize(
        ("value", "expected"), [("Passed", True), ("Failed", False)]
    )
    def test_pass_fail_is_derived(
        self, write: Any, run_of: Any, value: str, expected: bool
    ) -> None:
        """A pass/fail test has no result; its verdict is one (case 75)."""
        kind = "<ts:StepType>PassFailTest</ts:StepType>"
        (found,) = (
            run_of(write.step("Boot", value=value, properties=kind))
            .phases[0]
            .measurements
        )
        assert (found.name, found.value) == ("Boot", expected)
        assert found.attributes == {"derived": True}

    @pytest.mark.parametrize("name", ["Boot", ""])
    def test_the_only_value_of_the_test_s_own_name_is_judged(
        self, write: Any, run_of: Any, name: str
    ) -> None:
        """Exporters other than NI do not name it Numeric."""
        stated = write.result(name, write.datum("c:double", 3.5))
        (found,) = (
            run_of(write.step("Boot", stated, properties=None)).phases[0].measurements
        )
        assert (found.name, found.value) == ("Boot", 3.5)
        assert found.outcome is MeasurementOutcome.PASS

    def test_nothing_is_derived_of_an_abort(self, write: Any, run_of: Any) -> None:
        """Only a verdict is one."""
        kind = "<ts:StepType>PassFailTest</ts:StepType>"
        step = write.step("Boot", value="Aborted", qualifier="Error", properties=kind)
        assert run_of(step).phases[0].measurements == ()

    def test_skipped_step_measured_nothing(self, write: Any, read: Any) -> None:
        """Stale values are left out, and said to be."""
        result = write.result(
            "Numeric",
            write.datum("c:double", 0),
            limits=write.shape("SingleLimit", "LE", 5),
        )
        step = write.step("Rail", result, value="NotStarted")
        reading = read(write.file(write.collection(write.results(step))))
        assert reading.runs[0].phases[0].measurements == ()
        assert reading.report.count(Disposition.OMITTED, "measurement") == 1

    def test_stale_parts_are_omitted_once(self, write: Any, read: Any) -> None:
        """Value, limit and unit of a skipped step are left out, and not mapped."""
        result = write.result(
            "Numeric",
            write.datum("c:double", 0, nonStandardUnit="V"),
            limits=write.shape("SingleLimit", "LE", 5),
        )
        text = write.result("ReportText", write.datum("c:string", "not fitted"))
        step = write.step("a", result, text, value="NotStarted")
        reading = read(write.file(write.collection(write.results(step))))
        report = reading.report
        for item in ("measurement", "limit", "unit"):
            assert report.count(Disposition.OMITTED, item) == 1
            assert report.count(Disposition.MAPPED, item) == 0
        # Why it was skipped is no stale value.
        assert [entry.message for entry in reading.runs[0].logs] == ["not fitted"]

    def test_description_of_a_result(self, write: Any, run_of: Any) -> None:
        """What a result says of itself is kept beside its value."""
        result = write.result("Numeric", write.datum("c:double", 3)).replace(
            "<tr:TestData>", "<tr:Description>at rest</tr:Description><tr:TestData>"
        )
        (phase,) = run_of(write.step("a", result)).phases
        assert phase.measurements[0].attributes["description"] == "at rest"

    def test_parameter_with_an_id_and_a_name(self, write: Any, run_of: Any) -> None:
        """The name names the input, the ID stays."""
        parameters = (
            '<tr:Parameters><tr:Parameter ID="p-1" name="Voltage"><tr:Data>'
            f"{write.datum('c:double', 3)}</tr:Data></tr:Parameter></tr:Parameters>"
        )
        (phase,) = run_of(write.step("a", parameters, value="Done")).phases
        found = phase.measurements[0]
        assert found.name == "Voltage [In]"
        assert found.attributes["parameter_id"] == "p-1"

    def test_parameters_are_inputs(self, write: Any, run_of: Any) -> None:
        """Input parameters are marked."""
        data = write.datum("c:double", 3)
        inner = f"<tr:Parameter name='Volts'><tr:Data>{data}</tr:Data></tr:Parameter>"
        step = write.step("s", f"<tr:Parameters>{inner}</tr:Parameters>")
        names = {m.name: m.value for m in run_of(step).phases[0].measurements}
        assert names == {"Volts [In]": 3}

    def test_names_of_parameters_say_which_way_they_went(
        self, write: Any, run_of: Any
    ) -> None:
        """As in native reports, also below a cluster."""
        inner = f'<c:Item name="a">{write.datum("c:double", 1)}</c:Item>'
        items = (
            f'<c:Item name="n [In]">{write.datum("c:double", 2)}</c:Item>'
            f'<c:Item name="c [Out]"><c:Collection>{inner}</c:Collection></c:Item>'
        )
        step = write.step(
            "s",
            write.result("serial [Out]", write.datum("c:string", "X1")),
            write.result("Parameters", f"<c:Collection>{items}</c:Collection>"),
            write.result("plain [0]", write.datum("c:double", 3)),
            value="Done",
        )
        found = run_of(step).phases[0].measurements
        assert {m.name: m.attributes.get("direction") for m in found} == {
            "serial [Out]": "out",
            "Parameters.n [In]": "in",
            "Parameters.c [Out].a": "out",
            "plain [0]": None,
        }

    def test_value_of_a_step_type_of_the_site(self, write: Any, run_of: Any) -> None:
        """A custom test keeps its value under the standard name (oddity 19)."""
        step = write.step(
            "Channel",
            write.result("Numeric", write.datum("c:double", 1)),
            properties="<ts:StepType>LimitTestChannelValue</ts:StepType>",
        )
        (found,) = run_of(step).phases[0].measurements
        assert (found.name, found.outcome) == ("Channel", MeasurementOutcome.PASS)


class TestErrors:
    """Events become log entries (case 78, oddity 10)."""

    def test_of_a_step(self, write: Any, run_of: Any) -> None:
        """Message and code stand in one entry."""
        step = write.step(
            "s",
            write.error("no answer\\r\nfrom C:\\raw", -17500),
            value="Aborted",
            qualifier="Error",
        )
        run = run_of(step)
        (entry,) = run.logs
        assert entry.level is LogLevel.ERROR
        assert entry.message == "no answer\nfrom C:\\raw (code -17500)"
        assert run.phases[0].attributes["error_code"] == -17500

    def test_a_phase_has_what_its_step_said(self, write: Any, run_of: Any) -> None:
        """Each log entry is found at its phase by its text."""
        text = write.result("ReportText", write.datum("c:string", "{True}"))
        run = run_of(
            write.step("s", write.error("no answer", -5), text), write.step("quiet")
        )
        first, second = (phase.attributes for phase in run.phases)
        assert [entry.message for entry in run.logs] == [
            first["error_message"],
            first["report_text"],
        ]
        assert first["error_message"] == "no answer (code -5)"
        assert {"report_text", "error_message"}.isdisjoint(second)

    def test_of_the_run(self, write: Any, run_of: Any) -> None:
        """The result set has events of its own."""
        run = run_of(write.error("lost", -1))
        assert [entry.message for entry in run.logs] == ["lost (code -1)"]
        assert run.metadata["error_code"] == -1

    def test_of_the_root_group(self, write: Any, run_of: Any) -> None:
        """In 2.02 they stand in the root group."""
        root = write.step("m.seq#Main", write.error("lost", -1), element="TestGroup")
        run = run_of(root, version="2.02")
        assert [entry.message for entry in run.logs] == ["lost (code -1)"]
        assert run.phases == ()


class TestPassFailGroup:
    """A pass/fail step that calls a sequence is a group."""

    def test_its_verdict_is_a_measurement(self, write: Any, run_of: Any) -> None:
        """As for a test of that type."""
        step = write.step(
            r"C:\t\a.seq#Verify",
            write.step("inner", element="SessionAction", value="Done"),
            element="TestGroup",
            properties="<ts:StepType>PassFailTest</ts:StepType>",
            attributes='callerName="Verify"',
        )
        phase = run_of(step).phases[0]
        assert [(item.name, item.value) for item in phase.measurements] == [
            ("Verify", True)
        ]

    def test_a_plain_group_has_none(self, write: Any, run_of: Any) -> None:
        """A sequence call is no test."""
        step = write.step("Call", element="TestGroup", properties=None)
        assert run_of(step).phases[0].measurements == ()
