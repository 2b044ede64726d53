"""What has no field of its own is kept by name, of whatever form it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rigbridge.adapters import Disposition
from rigbridge.model import MeasurementOutcome, Phase, Run


def rules_of(reading: Any) -> list[str]:
    """Give the rules and reasons of a report's entries but those of templates."""
    entries = reading.report.entries
    return [entry.rule for entry in entries if entry.item != "template"]


@pytest.fixture
def phases_of(run_of: Any) -> Callable[[bytes], tuple[Phase, ...]]:
    """Give what reads the phases of the one run of a report."""

    def phases(content: bytes) -> tuple[Phase, ...]:
        run: Run = run_of(content)
        return run.phases

    return phases


class TestStepProperties:
    """Arrays and objects where a single value is usual."""

    def test_arrays_of_the_site_and_of_the_engine(
        self, write: Any, phases_of: Any
    ) -> None:
        """All members are kept, not only the first."""
        common = write.obj("Common", write.scalars("Temps", 21.5, 22.5, 23.5))
        engine = write.scalars("Cores", 4, 5)
        step = write.step("s", common, engine=engine)
        (phase,) = phases_of(write.document(write.report(step)))
        assert phase.attributes["common.Temps"] == [21.5, 22.5, 23.5]
        assert phase.attributes["Cores"] == [4, 5]

    def test_objects_of_the_site(self, write: Any, phases_of: Any) -> None:
        """Names are joined by dots; arrays of objects have their index."""
        rows = write.array("Rows", write.obj("Row", write.prop("X", 1)))
        common = write.obj("Common", write.obj("Box", write.prop("Lid", True)), rows)
        (phase,) = phases_of(write.document(write.report(write.step("s", common))))
        assert phase.attributes["common.Box.Lid"] is True
        assert phase.attributes["common.Rows[0].Row.X"] == 1

    def test_an_array_with_a_gap_keeps_its_places(
        self, write: Any, phases_of: Any
    ) -> None:
        """A filter may have left members out; the others keep their index."""
        gap = write.scalars("Temps", 1, 2, 3).replace("[1]", "[7]")
        step = write.step("s", write.obj("Common", gap))
        (phase,) = phases_of(write.document(write.report(step)))
        assert phase.attributes["common.Temps[7]"] == 2
        assert "common.Temps" not in phase.attributes

    def test_an_error_that_is_more_than_usual(self, write: Any, phases_of: Any) -> None:
        """A code that is no number, and what a site added, are kept."""
        error = write.obj(
            "Error",
            write.prop("Code", "E-17", "String"),
            write.prop("Msg", "no contact"),
            write.prop("Occurred", False),
            write.prop("Source", "DMM"),
        )
        (phase,) = phases_of(write.document(write.report(write.step("s", error))))
        assert phase.attributes["error.Code"] == "E-17"
        assert phase.attributes["error.Source"] == "DMM"
        # The message of an error that was ignored stays.
        assert phase.attributes["error_occurred"] is False

    @pytest.mark.parametrize(
        "number",
        [
            *(b">101.5<", b">0.25<", b">-5<"),
            # Of the report: the hour, the year and the duration of the run.
            *(b">9<", b">2024<", b">12.5<"),
        ],
    )
    def test_a_text_behind_a_number(self, write: Any, read: Any, number: bytes) -> None:
        """The number of a time, date or code is read, and the text is not lost."""
        error = write.obj("Error", write.prop("Code", -5), write.prop("Msg", "open"))
        report = write.document(write.report(write.step("s", error)))
        reading = read(report.replace(number, number[:-1] + b" m2<"))
        (run,) = reading.runs
        assert run.phases[0].started_at is not None
        (entry,) = [e for e in reading.report.entries if "text behind" in e.rule]
        assert entry.detail == number[1:-1].decode() + " m2"

    def test_a_status_that_is_no_text(self, write: Any, phases_of: Any) -> None:
        """The step has no status then, and what stands there is kept."""
        step = write.step("s").replace(
            write.prop("Status", "Passed"), write.scalars("Status", "a", "b"), 1
        )
        (phase,) = phases_of(write.document(write.report(step)))
        assert phase.attributes["raw_status"] == ""
        assert phase.attributes["Status"] == ["a", "b"]

    def test_a_time_of_the_engine_that_is_none(
        self, write: Any, phases_of: Any
    ) -> None:
        """It gives no time, and is kept as it stands."""
        step = write.step("s").replace("<Value>101.5</Value>", "<Value>soon</Value>")
        (phase,) = phases_of(write.document(write.report(step)))
        assert phase.started_at is None
        assert phase.attributes["StartTime"] == "soon"

    def test_metadata_of_several_values(self, write: Any, phases_of: Any) -> None:
        """An array in the metadata tree of a value is kept whole."""
        tree = f"<Attributes>{write.scalars('Scale', 1, 2)}</Attributes>"
        value = write.prop("Gain", 3).replace("</Prop>", f"{tree}</Prop>")
        (phase,) = phases_of(write.document(write.report(write.step("s", value))))
        assert phase.measurements[0].attributes["Scale"] == [1, 2]


class TestHeader:
    """The parts before the results."""

    def test_the_words_of_a_date_are_metadata(self, write: Any, run_of: Any) -> None:
        """The start has the numbers; what else a date says is not lost."""
        text = write.report(write.step("s")).replace(
            "<Prop Name=\"StartDate\" Type='Obj'>",
            "<Prop Name=\"StartDate\" Type='Obj'>" + write.prop("Text", "Montag"),
        )
        assert "Montag" in text
        run = run_of(write.document(text))
        assert run.metadata["report.StartDate.Text"] == "Montag"
        assert "report.StartDate.Year" not in run.metadata

    def test_a_year_from_the_text_is_said(self, write: Any, read: Any) -> None:
        """It is a guess."""
        text = write.report(write.step("s")).replace(
            write.prop("Year", 2024),
            write.prop("Year", 124) + write.prop("Text", "2024"),
        )
        reading = read(write.document(text))
        assert reading.runs[0].started_at.year == 2024
        assert "year taken from the text of the date" in rules_of(reading)

    @pytest.mark.parametrize("word", ["UNKNOWN", "none", "\\"])
    def test_placeholders_are_no_values(self, write: Any, read: Any, word: str) -> None:
        """Operator, station and part number are none then, which is recorded."""
        text = write.report(write.step("s")).replace(
            write.prop("PartNumber", "PB-7"), write.prop("PartNumber", word)
        )
        station = write.obj(
            "StationInfo", write.prop("StationID", word), write.prop("LoginName", word)
        )
        begin = text.index('<Prop Name="StationInfo"')
        text = text[:begin] + station + text[begin:].replace("StationInfo", "Second", 1)
        reading = read(write.document(text))
        (run,) = reading.runs
        assert (run.unit.part_number, run.station, run.operator) == (None, None, None)
        assert rules_of(reading).count("placeholder read as none") == 3

    def test_a_second_unit_is_kept(self, write: Any, run_of: Any) -> None:
        """The first counts; the other one is metadata."""
        second = write.obj("UUT", write.prop("SerialNumber", "SN-2"))
        text = write.report(write.step("s")).replace("</Report>", f"{second}</Report>")
        assert run_of(write.document(text)).metadata["UUT #2.SerialNumber"] == "SN-2"


class TestMeasurements:
    """What belongs to a measurement is with it."""

    def test_the_nominal_value_is_part_of_the_limits(
        self, write: Any, phases_of: Any
    ) -> None:
        """It is an attribute, not a further measurement."""
        step = write.numeric("Rail", 5.0, "GELE", Low=4, High=6, Nominal=5)
        (phase,) = phases_of(write.document(write.report(step)))
        (measurement,) = phase.measurements
        assert measurement.attributes["nominal"] == "5"

    def test_a_number_without_comparison_has_its_unit(
        self, write: Any, phases_of: Any
    ) -> None:
        """It is the value of the step, though nobody judged it."""
        step = write.step("Rail", write.prop("Numeric", 5), write.prop("Units", "V"))
        (phase,) = phases_of(write.document(write.report(step)))
        (measurement,) = phase.measurements
        assert (measurement.name, measurement.value, measurement.unit) == (
            "Rail",
            5,
            "V",
        )
        assert measurement.outcome is MeasurementOutcome.UNSET

    def test_booleans_of_an_array(self, write: Any, phases_of: Any) -> None:
        """They are no texts."""
        flags = write.scalars("Flags", True, False).replace("'Number'", "'Boolean'")
        (phase,) = phases_of(write.document(write.report(write.step("s", flags))))
        axis = phase.measurements[0].value.axes[-1]
        assert list(axis.values) == [True, False]

    @pytest.mark.parametrize(
        ("comparator", "validator"),
        [
            ("RegularExpressionCaseSensitive", "x matches '^V1'"),
            ("RegularExpressionIgnoreCase", "x matches '^V1', ignoring case"),
        ],
    )
    def test_regular_expressions(
        self, write: Any, phases_of: Any, comparator: str, validator: str
    ) -> None:
        """They read as in ATML."""
        step = write.step(
            "Version",
            write.prop("String", "V1.2"),
            write.prop("Comp", comparator),
            write.obj("Limits", write.prop("String", "^V1")),
        )
        (phase,) = phases_of(write.document(write.report(step)))
        assert phase.measurements[0].validators == (validator,)

    def test_a_bound_that_the_comparison_does_not_use(
        self, write: Any, phases_of: Any
    ) -> None:
        """An upper bound beside "greater than" says something of the sequence."""
        step = write.numeric("Rail", 5, "GT", Low=4, High=6)
        (phase,) = phases_of(write.document(write.report(step)))
        assert phase.measurements[0].attributes["unused_limits"] == {"High": "6"}

    def test_text_behind_a_number_is_said(self, write: Any, read: Any) -> None:
        """The number is read; the word behind it is in the account."""
        step = write.step("s", write.prop("Gain", "12.5 dB", "Number"))
        reading = read(write.document(write.report(step)))
        assert reading.runs[0].phases[0].measurements[0].value == 12.5
        (entry,) = [item for item in reading.report.entries if item.item == "value"]
        assert (entry.disposition, entry.detail) == (Disposition.COERCED, "12.5 dB")

    def test_a_decimal_comma_in_an_array_is_said(self, write: Any, read: Any) -> None:
        """Also there it is read as a point."""
        step = write.step(
            "s", write.scalars("Curve", "1,5", 2).replace("String", "Number")
        )
        reading = read(write.document(write.report(step)))
        assert "decimal comma read as point" in rules_of(reading)

    def test_a_reference_is_left_out_by_rule(self, write: Any, read: Any) -> None:
        """An address in the engine's memory means nothing elsewhere."""
        step = write.step("s", write.prop("Handle", "0x55AA", "Reference"))
        reading = read(write.document(write.report(step)))
        assert reading.report.count(Disposition.OMITTED, "reference") == 1
        assert not reading.runs[0].phases[0].measurements


class TestStrays:
    """What is no part of the grammar is recorded by name and place."""

    def test_an_element_in_a_property(self, write: Any, read: Any) -> None:
        """It has a line and an XPath."""
        text = write.report(write.step("s", write.prop("X", 1)))
        text = text.replace("<Value>1</Value>", "<Value>1</Value><Odd/>")
        reading = read(write.document(text))
        (entry,) = [item for item in reading.report.entries if item.item == "element"]
        assert (entry.disposition, entry.detail) == (Disposition.DROPPED, "Odd")
        assert str(entry.place.path).endswith("/Odd[1]")

    def test_an_attribute_and_a_text(self, write: Any, read: Any) -> None:
        """Attributes with their value, texts as they stand."""
        text = write.report(write.step("s", write.prop("X", 1)))
        text = text.replace('<Prop Name="X" ', '<Prop Name="X" Colour="red" ')
        text = text.replace("<Value>1</Value>", "beside<Value>1</Value>")
        found = {entry.detail for entry in read(write.document(text)).report.entries}
        assert found >= {"Colour=red", "beside"}
