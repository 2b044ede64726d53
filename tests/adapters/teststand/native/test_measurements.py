"""Measurements of native reports: limits, comparisons, tolerances, texts."""

from __future__ import annotations

from typing import Any

import pytest

from rigbridge.adapters import Source
from rigbridge.model import Limit, LogLevel, Measurement, MeasurementOutcome, Phase, Run
from rigbridge.testing import Reading, read_all
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


def measured(content: bytes) -> Measurement:
    """Read the one measurement of a report."""
    (measurement,) = phase_of(content).measurements
    return measurement


class TestMeasurements:
    """Step data by structure."""

    @pytest.mark.parametrize(
        ("comparator", "sides", "limit"),
        [
            ("EQ", {"Low": 3}, Limit(lower=3, upper=3, comparator="EQ")),
            ("GT", {"Low": 3}, Limit(lower=3, lower_inclusive=False, comparator="GT")),
            ("GE", {"Low": 3}, Limit(lower=3, comparator="GE")),
            ("LT", {"Low": 3}, Limit(upper=3, upper_inclusive=False, comparator="LT")),
            ("LE", {"Low": 3}, Limit(upper=3, comparator="LE")),
            (
                "GTLT",
                {"Low": 1, "High": 3},
                Limit(
                    lower=1,
                    upper=3,
                    lower_inclusive=False,
                    upper_inclusive=False,
                    comparator="GTLT",
                ),
            ),
            (
                "GELT",
                {"Low": 1, "High": 3},
                Limit(lower=1, upper=3, upper_inclusive=False, comparator="GELT"),
            ),
        ],
    )
    def test_a_range_is_a_limit(
        self, write: Any, comparator: str, sides: dict[str, float], limit: Limit
    ) -> None:
        """One-sided comparators keep their bound in Low, even where it is upper."""
        step = write.numeric("a", 2, comparator, **sides)
        assert measured(write.document(write.report(step))).limits == limit

    @pytest.mark.parametrize(
        ("comparator", "validator"),
        [("NE", "x != 1"), ("LTGT", "x < 1 or x > 3"), ("LEGE", "x <= 1 or x >= 3")],
    )
    def test_what_is_no_range_is_a_validator(
        self, write: Any, comparator: str, validator: str
    ) -> None:
        """An outside comparison is never bent into a range."""
        step = write.numeric("a", 2, comparator, Low=1, High=3)
        measurement = measured(write.document(write.report(step)))
        assert (measurement.limits, measurement.validators) == (None, (validator,))

    def test_a_log_comparison_has_no_limits(self, write: Any) -> None:
        """It only records."""
        step = write.numeric("a", 2, "LOG")
        assert measured(write.document(write.report(step))).limits is None

    def test_a_text_comparison_is_a_validator(self, write: Any) -> None:
        """The expected text can be read."""
        step = write.step(
            "version",
            write.prop("String", "1.4"),
            write.prop("Comp", "CaseSensitive"),
            write.obj("Limits", write.prop("String", "1.4")),
        )
        measurement = measured(write.document(write.report(step)))
        assert measurement.value == "1.4"
        assert measurement.validators == ("x == '1.4'",)

    def test_several_measurements_of_a_step(self, write: Any) -> None:
        """Each has its own verdict; repeated names are told apart."""
        row = write.obj(
            "rail",
            write.prop("Data", 3.3),
            write.prop("Comp", "GE"),
            write.obj("Limits", write.prop("Low", 3.2)),
            write.prop("Status", "Passed"),
        )
        bad = row.replace("Passed", "Failed")
        step = write.step("rails", write.array("Measurement", row, bad))
        found = phase_of(write.document(write.report(step))).measurements
        assert [(item.name, item.outcome) for item in found] == [
            ("rail", MeasurementOutcome.PASS),
            ("rail #2", MeasurementOutcome.FAIL),
        ]

    @pytest.mark.parametrize(
        ("threshold", "lower", "upper"),
        [("PERCENTAGE", 4.5, 6.0), ("Delta", -5.0, 25.0), ("PPM", 4.99995, 5.0001)],
    )
    def test_a_tolerance_becomes_limits(
        self, write: Any, threshold: str, lower: float, upper: float
    ) -> None:
        """Limits follow from the raw limits, also where others are printed."""
        raw = {"Nominal": 5, "Low": 10, "High": 20}
        step = write.step(
            "a",
            write.prop("Numeric", 5.1),
            write.prop("Comp", "EQT"),
            write.obj(
                "Limits",
                write.prop("Low", 10),
                write.prop("High", 20),
                write.prop("ThresholdType", threshold),
            ),
            write.obj("RawLimits", *(write.prop(*item) for item in raw.items())),
        )
        limits = measured(write.document(write.report(step))).limits
        assert limits is not None
        assert limits.lower == pytest.approx(lower)
        assert limits.upper == pytest.approx(upper)

    def test_nothing_beside_the_judged_value_is_lost(self, write: Any) -> None:
        """A numeric test that also holds a text keeps the text, and odd limits."""
        step = write.step(
            "a",
            write.prop("Numeric", 5),
            write.prop("String", "five"),
            write.prop("Comp", "GE"),
            write.obj("Limits", write.prop("Low", 1), write.prop("Margin", 0.5)),
        )
        found = phase_of(write.document(write.report(step))).measurements
        assert {item.name: item.value for item in found} == {"a": 5, "String": "five"}
        assert found[0].attributes["limits.Margin"] == 0.5

    def test_further_data_is_kept(self, write: Any) -> None:
        """What no step type explains is a measurement that nobody judged."""
        extra = write.obj("Scope", write.prop("Peak", 1.25))
        found = phase_of(write.document(write.report(write.step("a", extra))))
        (measurement,) = found.measurements
        assert (measurement.name, measurement.value) == ("Scope.Peak", 1.25)
        assert measurement.outcome is MeasurementOutcome.UNSET

    def test_texts_are_logs(self, write: Any) -> None:
        """Report text and errors are log entries at the step's end."""
        error = write.obj(
            "Error",
            write.prop("Code", -17),
            write.prop("Msg", "no contact\\r\nat pin 3"),
            write.prop("Occurred", True),
        )
        step = write.step("a", error, status="Error", text="probe down")
        logs = run_of(write.document(write.report(step))).logs
        assert [(entry.level, entry.message) for entry in logs] == [
            (LogLevel.INFO, "probe down"),
            (LogLevel.ERROR, "no contact\nat pin 3 (code -17)"),
        ]
