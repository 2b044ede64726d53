"""Odd bounds, comments and stale values of native steps."""

from __future__ import annotations

from typing import Any

import pytest

from rigbridge.adapters import Disposition
from rigbridge.model import Measurement, Phase, PhaseOutcome


@pytest.fixture
def phases_of(write: Any, run_of: Any) -> Any:
    """Give what reads the phases of a report of some steps."""

    def read(*steps: str) -> tuple[Phase, ...]:
        phases: tuple[Phase, ...] = run_of(write.document(write.report(*steps))).phases
        return phases

    return read


@pytest.fixture
def measured(phases_of: Any) -> Any:
    """Give what reads the measurements of a single step, by name."""

    def read(step: str) -> dict[str, Measurement]:
        (phase,) = phases_of(step)
        return {item.name: item for item in phase.measurements}

    return read


class TestBounds:
    """Bounds that are missing, odd or unused (cases 17 and 18, oddity 20)."""

    @pytest.mark.parametrize(
        ("comparator", "bounds", "expected", "rule"),
        [
            ("LE", {"High": 5}, (None, 5), "upper bound read from High"),
            ("GELE", {"Low": 1}, (1, None), "one of two bounds is missing"),
            ("GTLT", {"High": 5}, (None, 5), "one of two bounds is missing"),
            ("GELE", {"Low": 5, "High": 1}, (5, 1), "lower bound above the upper"),
            ("GELE", {"Low": "-INF", "High": 1}, (None, 1), "non-finite bound"),
        ],
    )
    def test_case_17_odd_bounds(  # noqa: PLR0917 - a table
        self,
        write: Any,
        read: Any,
        entries_of: Any,
        comparator: str,
        bounds: dict[str, object],
        expected: tuple[object, object],
        rule: str,
    ) -> None:
        """What is there is kept; what is odd about it is said with line and XPath."""
        step = write.numeric("a", 3, comparator, **bounds)
        reading = read(write.document(write.report(step)))
        limits = reading.runs[0].phases[0].measurements[0].limits
        assert (limits.lower, limits.upper) == expected
        (entry,) = entries_of(reading)
        assert (entry.disposition, entry.item) == (Disposition.COERCED, "limit")
        assert entry.rule.startswith(rule)
        assert entry.place.line == 2
        assert str(entry.place.path).startswith("/Reports/Report[1]/Prop")

    @pytest.mark.parametrize("comparator", ["GELE", "NE", "LTGT", "EQ"])
    def test_a_comparison_with_nothing_has_no_limits(
        self, write: Any, measured: Any, comparator: str
    ) -> None:
        """Reports may be written without limits; none are made up."""
        found = measured(write.numeric("a", 3, comparator))["a"]
        assert (found.limits, found.validators) == (None, ())

    def test_one_side_of_an_outside_range(self, write: Any, measured: Any) -> None:
        """The known side alone is named."""
        found = measured(write.numeric("a", 3, "LTGT", Low=1))["a"]
        assert found.validators == ("x < 1",)

    def test_limits_that_nobody_compared_with_are_kept(
        self, write: Any, measured: Any
    ) -> None:
        """A value that is only logged may stand beside limits; they judged nothing."""
        found = measured(write.numeric("a", 3, "LOG", Low=1, High="2.50"))["a"]
        assert found.limits is None
        assert found.attributes == {"unused_limits": {"Low": "1", "High": "2.50"}}
        text = write.step(
            "b",
            write.prop("String", "ok"),
            write.prop("Comp", "LOG"),
            write.obj("Limits", write.prop("String", "never")),
        )
        found = measured(text)["b"]
        assert found.validators == ()
        assert found.attributes == {"unused_limits": {"String": "never"}}

    def test_oddity_20_numbers_of_a_register(self, write: Any, measured: Any) -> None:
        """Hexadecimal values with a unit that says so, exponents of three digits."""
        step = write.step(
            "a",
            write.prop("Numeric", "0x00", "Number"),
            write.prop("Units", "[hex]"),
            write.prop("Comp", "LOG"),
            write.obj("Limits", write.prop("Low", ""), write.prop("High", "")),
        )
        found = measured(step)["a"]
        assert (found.value, found.unit, found.limits) == (0, "[hex]", None)
        assert measured(write.numeric("b", "3.15e-005", "GE", Low="1.5e-006"))[
            "b"
        ].limits.lower == pytest.approx(1.5e-6, rel=1e-12)

    def test_printed_limits_of_a_tolerance_are_kept(
        self, write: Any, measured: Any
    ) -> None:
        """The limits are computed from the raw ones; the printed ones stay beside."""
        step = write.step(
            "a",
            write.prop("Numeric", 5),
            write.prop("Comp", "EQT"),
            write.obj(
                "Limits",
                write.prop("Low", 4.5),
                write.prop("High", 5.5),
                write.prop("ThresholdType", "DELTA"),
            ),
            write.obj(
                "RawLimits",
                write.prop("Nominal", 5),
                write.prop("Low", 0.5),
                write.prop("High", 0.5),
            ),
        )
        found = measured(step)["a"]
        assert (found.limits.lower, found.limits.upper) == (4.5, 5.5)
        assert found.attributes["printed_limits"] == {"Low": "4.5", "High": "5.5"}


class TestWhatSurrounds:
    """Metadata and comments within a step."""

    def test_metadata_of_a_judged_value(self, write: Any, measured: Any) -> None:
        """The tree of attributes below a value is kept beside it."""
        said = (
            f"<Attributes>{write.obj('Site', write.prop('Probe', 'P4'))}</Attributes>"
        )
        step = write.numeric("a", 3, "GE", Low=1).replace(
            "<Value>3</Value>", f"{said}<Value>3</Value>"
        )
        assert measured(step)["a"].attributes == {"Site.Probe": "P4"}

    @pytest.mark.parametrize("name", ["", "  "])
    def test_a_property_without_a_name(self, write: Any, read: Any, name: str) -> None:
        """Its value is kept, and the report stays readable."""
        step = write.step("a", write.prop(name, 7.5))
        reading = read(write.document(write.report(step)))
        (found,) = reading.runs[0].phases[0].measurements
        assert (found.name, found.value) == ("(unnamed)", 7.5)
        assert reading.report.count(Disposition.COERCED, "measurement name") == 1

    @pytest.mark.parametrize(
        ("spelled", "value", "flags"),
        [("1", True, 0), ("TRUE", True, 0), ("0", False, 0), ("maybe", "maybe", 1)],
    )
    def test_booleans(
        self, write: Any, read: Any, spelled: str, value: object, flags: int
    ) -> None:
        """A word that is no boolean is never read as False."""
        step = write.step("s", write.prop("Flag", spelled, "Boolean"))
        reading = read(write.document(write.report(step)))
        assert reading.runs[0].phases[0].measurements[0].value == value
        assert reading.report.count(Disposition.COERCED, "value") == flags

    def test_a_limit_that_is_no_number_is_kept_as_text(
        self, write: Any, read: Any
    ) -> None:
        """Nothing of it is lost, so that a strict import takes the run."""
        step = write.step(
            "s",
            write.prop("Numeric", 5),
            write.prop("Comp", "GE"),
            write.obj("Limits", write.prop("Low", "1,000.5", "Number")),
        )
        reading = read(write.document(write.report(step)))
        (found,) = reading.runs[0].phases[0].measurements
        assert found.attributes["unused_limits"] == {"Low": "1,000.5"}
        assert reading.report.count(Disposition.COERCED, "limit") == 1
        assert reading.report.count(Disposition.DROPPED) == 0

    def test_a_verdict_in_another_language_is_recorded_once(
        self, write: Any, read: Any
    ) -> None:
        """The value of a pass/fail test is read once."""
        step = write.step("s", write.prop("PassFail", "Wahr", "Boolean"))
        reading = read(write.document(write.report(step)))
        (found,) = reading.runs[0].phases[0].measurements
        assert found.value == "Wahr"
        assert reading.report.count(Disposition.COERCED, "value") == 1

    def test_parameters_say_which_way_they_went(
        self, write: Any, measured: Any
    ) -> None:
        """TestStand ends their names in the direction, also of a cluster or array."""
        parameters = write.obj(
            "Parameters",
            write.prop("Serial Number out [Out]", "X1"),
            write.prop("gain [In]", 3),
            write.obj("cluster [Out]", write.prop("a", 1)),
            write.scalars("wave [In]", 1, 2),
            write.prop("plain", 4),
            write.prop("[Output]", 5),
        )
        step = write.step("s", write.array("AdditionalResults", parameters))
        prefix = "AdditionalResults.Parameters."
        found = {
            name.removeprefix(prefix): item.attributes.get("direction")
            for name, item in measured(step).items()
        }
        assert found == {
            "Serial Number out [Out]": "out",
            "gain [In]": "in",
            "cluster [Out].a": "out",
            "wave [In]": "in",
            "plain": None,
            "[Output]": None,
        }

    def test_a_phase_has_what_its_step_said(self, write: Any, run_of: Any) -> None:
        """Each log entry is found at its phase by its text."""
        error = write.obj(
            "Error",
            write.prop("Code", -17500),
            write.prop("Msg", "no answer"),
            write.prop("Occurred", value=True),
        )
        step = write.step("s", error, status="Error", text="{True}")
        run = run_of(write.document(write.report(step, write.step("quiet"))))
        first, second = (phase.attributes for phase in run.phases)
        assert [entry.message for entry in run.logs] == [
            first["report_text"],
            first["error_message"],
        ]
        assert first["error_message"] == "no answer (code -17500)"
        assert {"report_text", "error_message"}.isdisjoint(second)

    def test_what_the_main_sequence_recorded_is_metadata(
        self, write: Any, run_of: Any
    ) -> None:
        """The call of the main sequence may have additional results of its own."""
        recorded = write.prop("Lot", 7) + write.array(
            "AdditionalResults",
            write.obj("Parameters", write.prop("gain [In]", 3)),
            write.prop("alone", "x"),
        )
        recorded += write.scalars("curve", 1, 2, 3)
        content = write.document(write.report(write.step("s"))).replace(
            b"<Prop Type='TEResult'>", f"<Prop Type='TEResult'>{recorded}".encode(), 1
        )
        metadata = run_of(content).metadata
        assert metadata["main_sequence.Lot"] == 7
        assert metadata["main_sequence.AdditionalResults[0].Parameters.gain [In]"] == 3
        assert metadata["main_sequence.AdditionalResults[1].alone"] == "x"
        assert metadata["main_sequence.curve"] == [1, 2, 3]

    def test_a_second_root_result_is_recorded(self, write: Any, read: Any) -> None:
        """A report has one main sequence; another result is not lost unsaid."""
        more = f"<Prop Type='TEResult'>{write.prop('Status', 'Failed')}</Prop></Report>"
        text = write.report(write.step("s")).replace("</Report>", more)
        reading = read(write.document(text))
        assert [phase.name for phase in reading.runs[0].phases] == ["s"]
        assert reading.report.count(Disposition.DROPPED, "step") == 1

    def test_what_else_stands_in_a_report(
        self, write: Any, read: Any, entries_of: Any
    ) -> None:
        """Properties and attributes are metadata, another element is dropped."""
        content = write.document(write.report(write.step("s")))
        content = content.replace(b"<Report ", b"<Report Shift='night' ", 1).replace(
            b"</Report>",
            (write.prop("Note", "a") + "<Extra>b</Extra></Report>").encode(),
        )
        reading = read(content)
        metadata = reading.runs[0].metadata
        assert metadata["report.Shift"] == "night"
        assert metadata["report.Note"] == "a"
        (entry,) = entries_of(reading)
        assert (entry.disposition, entry.item) == (Disposition.DROPPED, "property")

    def test_comment_of_a_step(self, write: Any, phases_of: Any) -> None:
        """What the sequence's author noted of a step documents the phase."""
        step = write.step("a").replace(
            "<Prop Type='TEResult'>", "<Prop Type='TEResult'><Comment >why</Comment>"
        )
        (phase,) = phases_of(step)
        assert phase.docstring == "why"

    def test_comment_of_a_property_is_accounted_for(
        self, write: Any, read: Any, entries_of: Any
    ) -> None:
        """Other comments say nothing of a result; that they are left out is said."""
        text = write.report(write.step("a", write.prop("X", 1)))
        text = text.replace(
            "<Value>1</Value>", "<Comment>unit is dB</Comment><Value>1</Value>"
        )
        reading = read(write.document(text))
        assert reading.report.count(Disposition.OMITTED, "comment") == 1
        assert [entry.detail for entry in entries_of(reading)] == ["unit is dB"]


class TestLeftOut:
    """Case 28: stale values, accounted for once."""

    @pytest.mark.parametrize("status", ["Skipped", "Bypass"])
    def test_each_part_is_dropped_and_not_mapped(
        self, write: Any, read: Any, status: str
    ) -> None:
        """Value, limit and unit are dropped; also where the site's word means skip."""
        step = write.numeric("a", 0, "GELE", status=status, Low=1, High=2)
        content = write.document(write.report(step))
        reading = read(content, statuses={"bypass": "SKIP"})
        (phase,) = reading.runs[0].phases
        assert (phase.outcome, phase.measurements) == (PhaseOutcome.SKIP, ())
        for item in ("measurement", "limit", "unit"):
            assert reading.report.count(Disposition.OMITTED, item) == 1
            assert reading.report.count(Disposition.MAPPED, item) == 0

    def test_a_skipped_step_refers_to_no_file(self, write: Any, read: Any) -> None:
        """A stale reference is left out with the value."""
        reference = write.obj("Ref", write.prop("File", "a.tdms")).replace(
            "Type='Obj'", "Type='Obj' TypeName='NI_TDMSReference'"
        )
        step = write.step("a", reference, status="Skipped")
        (run,) = read(write.document(write.report(step))).runs
        assert run.attachments == ()
