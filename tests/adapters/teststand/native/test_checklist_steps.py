"""The reference's checklist, cases 13 to 40: steps and what they measured."""

from __future__ import annotations

import math
from typing import Any

import pytest

from rigbridge.adapters import Disposition
from rigbridge.model import (
    Measurement,
    MeasurementOutcome,
    PhaseOutcome,
    Series,
)

MO = MeasurementOutcome


@pytest.fixture
def measured(phases_of: Any) -> Any:
    """Give what reads the measurements of a single step, by name."""

    def read(step: str) -> dict[str, Measurement]:
        (phase,) = phases_of(step)
        return {item.name: item for item in phase.measurements}

    return read


class TestStatuses:
    """Case 13."""

    @pytest.mark.parametrize(
        ("status", "outcome"),
        [
            ("Skipped", PhaseOutcome.SKIP),
            ("Done", PhaseOutcome.PASS),
            ("Terminated", PhaseOutcome.ERROR),
            ("Running", PhaseOutcome.ERROR),
            ("", PhaseOutcome.SKIP),
        ],
    )
    def test_case_13_step_status(
        self, write: Any, phases_of: Any, status: str, outcome: PhaseOutcome
    ) -> None:
        """A step's status is its phase's outcome, the raw text is kept."""
        (phase,) = phases_of(write.step("a", status=status))
        assert (phase.outcome, phase.attributes["raw_status"]) == (outcome, status)

    def test_case_13_a_blank_status_is_flagged(self, write: Any, read: Any) -> None:
        """That nothing was stated is said."""
        reading = read(write.document(write.report(write.step("a", status=""))))
        assert reading.report.count(Disposition.COERCED, "status") == 1

    def test_case_13_blank_status_of_a_call(self, write: Any, phases_of: Any) -> None:
        """A call without a status is as bad as the worst of its steps."""
        inner = (write.step("b"), write.step("c", status="Failed"))
        call = write.step("a", status="", kind="SequenceCall", children=inner)
        assert phases_of(call)[0].outcome is PhaseOutcome.FAIL
        outer = write.step("o", status="", kind="SequenceCall", children=(call,))
        assert phases_of(outer)[0].outcome is PhaseOutcome.FAIL

    def test_case_13_blank_status_of_a_test(self, write: Any, phases_of: Any) -> None:
        """A test without a status is as bad as the worst of its values."""
        value = write.prop("Status", "Failed") + write.prop("Data", 5.0)
        member = f"<Prop Name='V' Type='Obj'>{value}</Prop>"
        test = write.step("a", write.array("Measurement", member), status="")
        (phase,) = phases_of(test)
        assert phase.outcome is PhaseOutcome.FAIL


class TestLimits:
    """Cases 14 to 20."""

    @pytest.mark.parametrize(
        ("comparator", "bounds"),
        [
            ("EQ", (5, 5, True, True)),
            ("GT", (5, None, False, None)),
            ("GE", (5, None, True, None)),
            ("LT", (None, 5, None, False)),
            ("LE", (None, 5, None, True)),
        ],
    )
    def test_case_14_one_bound(
        self, write: Any, measured: Any, comparator: str, bounds: Any
    ) -> None:
        """The single bound stands in Low, also where it is an upper one."""
        limits = measured(write.numeric("a", 5, comparator, Low=5))["a"].limits
        lower, upper, lower_inclusive, upper_inclusive = bounds
        assert (limits.lower, limits.upper) == (lower, upper)
        if lower is not None:
            assert limits.lower_inclusive is lower_inclusive
        if upper is not None:
            assert limits.upper_inclusive is upper_inclusive

    def test_case_14_not_equal(self, write: Any, measured: Any) -> None:
        """A value that must differ has a validator and no limits."""
        found = measured(write.numeric("a", 4, "NE", Low=5))["a"]
        assert (found.limits, found.validators) == (None, ("x != 5",))

    @pytest.mark.parametrize("lower", ["GE", "GT"])
    @pytest.mark.parametrize("upper", ["LE", "LT"])
    def test_case_15_ranges(
        self, write: Any, measured: Any, lower: str, upper: str
    ) -> None:
        """Each side of a range is inclusive or not."""
        step = write.numeric("a", 1.5, lower + upper, Low=1, High=2)
        limits = measured(step)["a"].limits
        assert (limits.lower, limits.upper) == (1, 2)
        assert limits.lower_inclusive is (lower == "GE")
        assert limits.upper_inclusive is (upper == "LE")

    @pytest.mark.parametrize(
        ("comparator", "text"),
        [
            ("LTGT", "x < 1 or x > 2"),
            ("LEGE", "x <= 1 or x >= 2"),
            ("LEGT", "x <= 1 or x > 2"),
            ("LTGE", "x < 1 or x >= 2"),
        ],
    )
    def test_case_16_outside(
        self, write: Any, measured: Any, comparator: str, text: str
    ) -> None:
        """An outside range is never turned into an inside one."""
        found = measured(write.numeric("a", 3, comparator, Low=1, High=2))["a"]
        assert (found.limits, found.validators) == (None, (text,))

    def test_case_18_log_and_no_comparator(self, write: Any, measured: Any) -> None:
        """What is only logged passes without limits."""
        found = measured(write.numeric("a", 3, "LOG"))["a"]
        assert (found.outcome, found.limits) == (MO.PASS, None)
        assert measured(write.numeric("a", 3, "", Low=1))["a"].limits is None
        missing = write.numeric("a", 3, "", Low=1).replace(write.prop("Comp", ""), "")
        found = measured(missing)["a"]
        assert (found.limits, found.value) == (None, 3)
        assert found.attributes["unused_limits"] == {"Low": "1"}

    @pytest.mark.parametrize(
        ("kind", "tolerance", "bounds"),
        [
            ("PERCENTAGE", (-10, 5, 5), (-10.5, -9.5)),
            ("ppm", (1000, 1000, 2000), (999, 1002)),
            ("DELTA", (5, 1, 2), (4, 7)),
            ("DELTA", (5, "NAN", 2), (None, 7)),
        ],
    )
    def test_case_19_tolerance(
        self, write: Any, measured: Any, kind: str, tolerance: Any, bounds: Any
    ) -> None:
        """The bounds follow from nominal and thresholds; NaN is no bound."""
        sides = zip(("Nominal", "Low", "High"), tolerance, strict=True)
        step = write.step(
            "a",
            write.prop("Numeric", 5),
            write.prop("Comp", "EQT"),
            write.obj("Limits", write.prop("ThresholdType", kind)),
            write.obj(
                "RawLimits", *(write.prop(side, at, "Number") for side, at in sides)
            ),
        )
        limits = measured(step)["a"].limits
        expected = tuple(
            None if bound is None else pytest.approx(bound) for bound in bounds
        )
        assert (limits.lower, limits.upper) == expected

    @pytest.mark.parametrize(
        ("comparator", "validators"),
        [
            ("CaseSensitive", ("x == 'one'",)),
            ("CASESENSIT", ("x == 'one'",)),
            ("IgnoreCase", ("x == 'one', ignoring case",)),
            ("LOG", ()),
        ],
    )
    def test_case_20_text(
        self, write: Any, measured: Any, comparator: str, validators: tuple[str, ...]
    ) -> None:
        """A text is compared by a validator; new lines and empty texts stay."""
        for value in ("one\ntwo", ""):
            step = write.step(
                "a",
                write.prop("String", value),
                write.prop("Comp", comparator),
                write.obj("Limits", write.prop("String", "one")),
            )
            found = measured(step)["a"]
            assert (found.value, found.validators) == (value, validators)


class TestData:
    """Cases 21 to 28 and 36 to 39."""

    def test_case_21_forced_verdict(self, write: Any, read: Any) -> None:
        """A value that contradicts its verdict is kept beside it, and flagged."""
        step = write.step("a", write.prop("PassFail", False))
        reading = read(write.document(write.report(step)))
        (found,) = reading.runs[0].phases[0].measurements
        assert (found.value, found.outcome) == (False, MO.PASS)
        assert found.attributes["forced"] is True
        assert reading.report.count(Disposition.COERCED, "verdict") == 1

    def test_case_22_multiple_numeric(self, write: Any, measured: Any) -> None:
        """Repeated names are numbered, a blank one is named after its place."""
        data = write.prop("Data", 1)
        rows = write.rows(
            ("VCC", data + write.prop("Status", "Failed")),
            ("VCC", data + write.prop("Status", "Passed")),
            ("", data),
        )
        found = measured(write.step("a", rows))
        outcomes = {name: item.outcome for name, item in found.items()}
        assert outcomes == {"VCC": MO.FAIL, "VCC #2": MO.PASS, "a[2]": MO.UNSET}
        assert found["VCC #2"].attributes["original_name"] == "VCC"

    def test_case_23_array_without_statuses(self, write: Any, measured: Any) -> None:
        """An array of that name which judges nothing is further data."""
        rows = write.rows(("VCC", write.prop("Data", 1)))
        found = measured(write.step("a", rows))
        assert {name: item.outcome for name, item in found.items()} == {
            "Measurement.VCC.Data": MO.UNSET
        }

    @pytest.mark.parametrize(
        ("content", "value"),
        [
            (("Data", 1.5), 1.5),
            (("StringData", "x"), "x"),
            (("PassFail", True), True),
        ],
    )
    def test_case_24_wats_rows(
        self, write: Any, measured: Any, content: tuple[str, Any], value: Any
    ) -> None:
        """The multiple tests of WATS name their rows in MeasName."""
        row = (
            write.prop(*content)
            + write.prop("MeasName", "rail")
            + write.prop("Status", "Passed")
        )
        found = measured(write.step("a", write.rows(("row", row))))["rail"]
        assert (found.value, found.outcome) == (value, MO.PASS)

    def test_case_25_chart(self, write: Any, measured: Any) -> None:
        """A plot is a series with the labels and units of its chart."""
        plot = write.obj(
            "",
            write.prop("PlotName", "sweep"),
            write.matrix("PlotData", (0, 1, 2), (5.5, 6.5, 7.5)),
        )
        chart = write.obj(
            "Chart",
            write.prop("ChartLabel", "Response"),
            write.prop("Xlabel", "frequency"),
            write.prop("Xunit", "Hz"),
            write.prop("Ylabel", "gain"),
            write.prop("Yunit", "dB"),
            write.array("Plots", plot),
        )
        found = measured(write.step("a", chart))["Chart.sweep"]
        assert isinstance(found.value, Series)
        assert [(axis.name, axis.unit) for axis in found.value.axes] == [
            ("frequency", "Hz"),
            ("gain", "dB"),
        ]
        assert list(found.value.rows()) == [(0, 5.5), (1, 6.5), (2, 7.5)]
        assert found.attributes["ChartLabel"] == "Response"

    def test_case_25_further_curves(self, write: Any, measured: Any) -> None:
        """A third line of a plot is one more curve over the same axis."""
        plot = write.obj("", write.matrix("PlotData", (0, 1), (5, 6), (7, 8)))
        chart = write.obj("Chart", write.array("Plots", plot))
        found = measured(write.step("a", chart))
        assert {name: list(item.value.rows()) for name, item in found.items()} == {
            "Chart.0": [(0, 5), (1, 6)],
            "Chart.0[2]": [(0, 7), (1, 8)],
        }

    def test_case_26_missing_member(self, write: Any, measured: Any) -> None:
        """A member that a filter left out is null in its place."""
        step = write.step("a", write.scalars("Trace", 1, 2, 3, None, 5))
        assert list(measured(step)["Trace"].value.measured.values) == [1, 2, 3, None, 5]

    def test_case_27_empty_array(self, write: Any, measured: Any) -> None:
        """An empty array is a value without members."""
        assert measured(write.step("a", write.scalars("Trace")))["Trace"].value == []

    def test_case_28_skipped_step(self, write: Any, read: Any) -> None:
        """The value of a step that did not run is stale, and said to be dropped."""
        step = write.numeric("a", 0, "GE", status="Skipped", Low=1)
        reading = read(write.document(write.report(step)))
        (phase,) = reading.runs[0].phases
        assert (phase.outcome, phase.measurements) == (PhaseOutcome.SKIP, ())
        assert reading.report.count(Disposition.OMITTED, "measurement") == 1

    def test_matrix_with_shared_x(self, write: Any, measured: Any) -> None:
        """The layout says that the first line of a matrix is the axis of the others."""
        data = write.matrix(
            "Trace", (0.5, 1.5), (1, 2), (3, 4), layout="singleX-multipleY"
        )
        found = measured(write.step("a", data))
        rows = {name: list(item.value.rows()) for name, item in found.items()}
        assert rows == {
            "Trace[1]": [(0.5, 1), (1.5, 2)],
            "Trace[2]": [(0.5, 3), (1.5, 4)],
        }

    def test_waveform(self, write: Any, measured: Any) -> None:
        """A waveform's time follows from its step."""
        wave = write.obj(
            "Scope",
            write.prop("t0", 0),
            write.prop("dt", 0.5),
            write.scalars("Y", 1.5, 2.5),
        )
        found = measured(write.step("a", wave))["Scope"]
        assert list(found.value.rows()) == [(0.0, 1.5), (0.5, 2.5)]
        assert found.value.axes[0].unit == "s"

    def test_case_36_popup_and_executable(self, write: Any, measured: Any) -> None:
        """A button, an answer and an exit code are values that nobody judged."""
        step = write.step(
            "a",
            write.prop("ButtonHit", 2),
            write.prop("Response", "ok"),
            write.prop("ExitCode", 3),
        )
        values = {name: item.value for name, item in measured(step).items()}
        assert values == {"ButtonHit": 2, "Response": "ok", "ExitCode": 3}

    def test_case_37_additional_results(self, write: Any, measured: Any) -> None:
        """Nested results have dotted names."""
        member = write.obj("", write.obj("Supply", write.prop("Voltage", 5.1)))
        step = write.step("a", write.array("AdditionalResults", member))
        found = measured(step)["AdditionalResults[0].Supply.Voltage"]
        assert (found.value, found.outcome) == (5.1, MO.UNSET)
        assert found.attributes["kind"] == "additional"

    def test_case_38_sub_units(self, write: Any, run_of: Any) -> None:
        """The parts of a unit are its sub-units."""
        parts = (
            write.obj(
                "",
                write.prop("Part_Serial_Number", serial, "String"),
                write.prop("Part_Number", "P"),
            )
            for serial in ("C-1", "C-2")
        )
        misc = write.obj("MiscUUTResult", write.array("UUT_Part_Info", *parts))
        run = run_of(write.document(write.report(uut=misc)))
        assert [sub.serial_number for sub in run.sub_units] == ["C-1", "C-2"]

    @pytest.mark.parametrize(
        ("opening", "name"),
        [
            ("<Prop Name='AttachedFileData' Type='Obj'>", "FullFileName"),
            ("<Prop Name='Log' Type='Obj' TypeName='NI_TDMSReference'>", "File"),
            ("<Prop Name='Links' Type='Obj'>", "Link"),
        ],
        ids=["attached", "tdms", "path"],
    )
    def test_case_39_references(
        self, write: Any, read: Any, opening: str, name: str
    ) -> None:
        """A file that a report names is kept by its base name, and never opened."""
        path = write.prop(name, r"C:\a\scope.png")
        if name == "Link":
            path = path.replace("Type='String'", "Type='String' TypeName='Path'")
        prop = f"{opening}{path}{write.prop('FileName', 'scope.png')}</Prop>"
        reading = read(write.document(write.report(write.step("a", prop))))
        (attachment,) = reading.runs[0].attachments
        assert (attachment.name, attachment.opener) == ("scope.png", None)
        assert reading.report.count(Disposition.COERCED, "attachment") == 1

    def test_names_that_repeat_in_an_object(self, write: Any, measured: Any) -> None:
        """Of two properties of one name neither is lost."""
        extra = write.obj("Scope", write.prop("Peak", 1), write.prop("Peak", 2))
        values = [item.value for item in measured(write.step("a", extra)).values()]
        assert values == [1, 2]


class TestNumbers:
    """Cases 40 and 41."""

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("0x1F", 31),
            ("0b11", 3),
            ("0c17", 15),
            ("1E+006", 1_000_000.0),
            ("NAN", math.nan),
            ("-INF", -math.inf),
            ("IND", math.nan),
            ("12.5 V", 12.5),
            ("9223372036854775807", 9223372036854775807),
            ("3,25", 3.25),
            ("1,234.5", "1,234.5"),
            ("1.234,5", "1.234,5"),
            ("1 234,5", "1 234,5"),
        ],
    )
    def test_case_40_and_41_spellings(
        self, write: Any, measured: Any, text: str, value: Any
    ) -> None:
        """Every spelling of a number is read; an ambiguous one stays text."""
        found = measured(write.numeric("a", text, "LOG"))["a"].value
        if isinstance(value, float) and math.isnan(value):
            assert math.isnan(found)
        else:
            assert (found, type(found)) == (value, type(value))

    @pytest.mark.parametrize("digits", [400, 5000])
    def test_absurdly_long_numbers(
        self, write: Any, measured: Any, run_of: Any, digits: int
    ) -> None:
        """Numbers beyond every float break nothing, wherever they stand."""
        long = "9" * digits
        found = measured(write.numeric("a", long, "GELE", Low=long, High=long))["a"]
        assert str(found.value) == long
        text = write.report(write.step("a")).replace("101.5", long)
        run = run_of(write.document(text.replace("2024-3-4", f"{long}-3-4")))
        assert run.phases[0].started_at is None

    @pytest.mark.parametrize("text", ["3,25", "1,234.5"])
    def test_case_41_is_flagged(self, write: Any, read: Any, text: str) -> None:
        """A comma in a number is never read without a word."""
        reading = read(write.document(write.report(write.numeric("a", text, "LOG"))))
        assert reading.report.count(Disposition.COERCED, "value") == 1
