"""The shapes of limits, and every comparator of the reference."""

from __future__ import annotations

from typing import Any

import pytest

from rigbridge.adapters import Disposition
from rigbridge.model import Limit, Measurement, MeasurementOutcome


@pytest.fixture
def measured(write: Any, run_of: Any) -> Any:
    """Give a function that reads the one measurement of a numeric test."""

    def one(limits: str, value: object = 5, kind: str = "ts:TS_double") -> Measurement:
        result = write.result("Numeric", write.datum(kind, value), limits=limits)
        (phase,) = run_of(write.step("Rail", result)).phases
        (measurement,) = phase.measurements
        assert isinstance(measurement, Measurement)
        return measurement

    return one


class TestRanges:
    """What bounds from one side or both becomes a limit."""

    @pytest.mark.parametrize(
        ("comparator", "expected"),
        [
            ("LT", Limit(upper=5.0, upper_inclusive=False, comparator="LT")),
            ("LE", Limit(upper=5.0, comparator="LE")),
            ("GT", Limit(lower=5.0, lower_inclusive=False, comparator="GT")),
            ("GE", Limit(lower=5.0, comparator="GE")),
        ],
    )
    def test_single_limit_bounds_the_side_that_it_says(
        self, write: Any, measured: Any, comparator: str, expected: Limit
    ) -> None:
        """An upper bound really is an upper bound here (case 67)."""
        assert measured(write.shape("SingleLimit", comparator, 5.0)).limits == expected

    @pytest.mark.parametrize(
        ("low", "high"), [("GE", "LE"), ("GT", "LT"), ("GE", "LT"), ("GT", "LE")]
    )
    def test_pair_takes_inclusivity_from_its_comparators(
        self, write: Any, measured: Any, low: str, high: str
    ) -> None:
        """AND is an inside range, whichever bound comes first (case 68)."""
        limits = write.pair("AND", write.limit(high, 13), write.limit(low, 11))
        assert measured(limits).limits == Limit(
            lower=11,
            upper=13,
            lower_inclusive=low == "GE",
            upper_inclusive=high == "LE",
            comparator=low + high,
        )

    def test_ranges_that_differ_by_a_word_are_kept_apart(
        self, write: Any, run_of: Any
    ) -> None:
        """A range is known again only where all that states it is the same."""
        bounds = [
            write.shape("SingleLimit", comparator, value, kind)
            for comparator in ("LE", "LT", "GE")
            for value in ("5", "5.0", "-0.0")
            for kind in ("c:double", "c:string", "c:boolean")
        ] * 2
        results = [
            write.result(str(number), write.datum("c:double", 1), limits=bound)
            for number, bound in enumerate(bounds)
        ]
        (phase,) = run_of(write.step("Rail", *results)).phases
        found = [repr(m.limits or m.validators) for m in phase.measurements]
        assert found[: len(found) // 2] == found[len(found) // 2 :]
        assert "lower=None, upper=5," in found[0]
        assert "lower=None, upper=5.0," in found[3]
        assert "lower=-0.0, upper=None," in found[24]

    def test_expected_number_is_a_range_of_one_value(
        self, write: Any, measured: Any
    ) -> None:
        """EQ bounds from both sides (case 70)."""
        found = measured(write.shape("Expected", "EQ", 5))
        assert found.limits == Limit(lower=5, upper=5, comparator="EQ")

    def test_oldest_version_says_nothing_of_case(self, write: Any, read: Any) -> None:
        """A comparison of text in 2.02 may ignore case, which is said (case 70)."""
        result = write.result(
            "String",
            write.datum("ts:TS_string", "abc"),
            limits=write.shape("Expected", "EQ", "ABC", "c:string"),
            key="ID",
        )
        content = write.file(write.results(write.step("a", result), version="2.02"))
        reading = read(content)
        (phase,) = reading.runs[0].phases
        (found,) = phase.measurements
        assert found.validators == ("x == 'ABC', perhaps ignoring case",)
        (entry,) = reading.report.entries
        assert (entry.item, entry.place.line) == ("comparator", 2)

    def test_infinite_bound_is_no_bound(self, write: Any, measured: Any) -> None:
        """INF leaves its side open."""
        limits = write.pair("AND", write.limit("GE", 1), write.limit("LE", "INF"))
        assert measured(limits).limits == Limit(lower=1, comparator="GELE")

    def test_bound_spelled_as_text_is_a_number(self, write: Any, measured: Any) -> None:
        """A limit given as an expression's text is read as the number it is."""
        limits = write.shape("SingleLimit", "GE", "4.5", "ts:TS_string")
        assert measured(limits).limits == Limit(lower=4.5, comparator="GE")


class TestTolerances:
    """EQT: a nominal value and what it may differ by."""

    @pytest.mark.parametrize(
        ("threshold", "low", "high"),
        [("PERCENTAGE", -10.5, -9.5), ("DELTA", -15.0, -5.0), ("PPM", None, None)],
    )
    def test_raw_limits_with_a_threshold_type(
        self,
        write: Any,
        run_of: Any,
        threshold: str,
        low: float | None,
        high: float | None,
    ) -> None:
        """The range follows from nominal and thresholds, by the absolute value."""
        raw = "NaN" if threshold == "PPM" else "5"
        extension = (
            f"<ts:ThresholdType>{threshold}</ts:ThresholdType><ts:RawLimits>"
            f"<ts:Nominal value='-10'/><ts:Low value='{raw}'/><ts:High value='{raw}'/>"
            "</ts:RawLimits>"
        )
        result = write.result(
            "Numeric",
            write.datum("c:double", -9.9),
            limits=write.shape("Expected", "EQ", -10),
            extension=extension,
        )
        measurement = run_of(write.step("Rail", result)).phases[0].measurements[0]
        assert measurement.limits == Limit(lower=low, upper=high, comparator="EQT")
        assert measurement.attributes["threshold_type"] == threshold
        assert measurement.attributes["raw_limits"]["Nominal"] == -10

    def test_error_limits_without_a_threshold_type_set_no_bounds(
        self, write: Any, measured: Any
    ) -> None:
        """Whether they are percent, ppm or distances is not said, so they stay text."""
        pair = write.pair("AND", write.limit("GE", 9), write.limit("LE", 11))
        inner = f"<c:ErrorLimits>{pair}</c:ErrorLimits>"
        expected = (
            '<c:Expected comparator="EQ">'
            f"{write.datum('c:double', -100, inner)}</c:Expected>"
        )
        found = measured(expected, -101)
        assert found.limits is None
        assert found.validators == (
            "x == -100 within -9 and +11, the report does not say of which kind",
        )
        assert found.attributes["nominal"] == -100
        assert found.attributes["tolerances"] == [
            {"comparator": "GE", "value": 9},
            {"comparator": "LE", "value": 11},
        ]

    def test_error_limits_with_a_threshold_type(self, write: Any, run_of: Any) -> None:
        """The kind of the tolerances is said, so they make a range."""
        pair = write.pair("AND", write.limit("GE", 9), write.limit("LE", 11))
        inner = f"<c:ErrorLimits>{pair}</c:ErrorLimits>"
        datum = write.datum("c:double", -100, inner)
        result = write.result(
            "Numeric",
            write.datum("c:double", -101),
            limits=f'<c:Expected comparator="EQ">{datum}</c:Expected>',
            extension="<ts:ThresholdType>DELTA</ts:ThresholdType>",
        )
        (found,) = run_of(write.step("Rail", result)).phases[0].measurements
        assert found.limits == Limit(lower=-109.0, upper=-89.0, comparator="EQT")

    @staticmethod
    def around(write: Any, nominal: object, low: object, high: object) -> str:
        """Write a pair with a nominal value."""
        inner = f"<c:Nominal>{write.datum('c:double', nominal)}</c:Nominal>"
        shown: str = write.pair(
            "AND", write.limit("GE", low), write.limit("LE", high), inner
        )
        return shown

    def test_pair_around_a_nominal_value(self, write: Any, measured: Any) -> None:
        """By the schema the nominal value stands between the bounds."""
        found = measured(self.around(write, 10, 9, 11), 10.5)
        assert found.limits == Limit(lower=9, upper=11, comparator="GELE")
        assert found.attributes["nominal"] == 10

    def test_pair_that_does_not_hold_its_nominal_value(
        self, write: Any, measured: Any
    ) -> None:
        """Such bounds are distances from it, of a kind that is not said."""
        found = measured(self.around(write, 5, 10, 10), 5.2)
        assert found.limits is None
        assert "x == 5 within -10 and +10" in found.validators[0]

    def test_pair_with_a_nominal_value_of_teststand_2_02(
        self, write: Any, read: Any
    ) -> None:
        """TestStand's 2.02 writes distances there, also where they look like bounds."""
        result = write.result(
            "Numeric",
            write.datum("c:double", 5.2),
            limits=self.around(write, 5, 1, 10),
            key="ID",
        )
        step = write.step("Rail", result, properties=None)
        reading = read(write.file(write.results(step, version="2.02")))
        (found,) = reading.runs[0].phases[0].measurements
        assert (found.limits, found.attributes["nominal"]) == (None, 5)
        (entry,) = reading.report.entries
        assert entry.rule == "tolerance of an unknown kind, kept as text"

    def test_error_limits_of_another_shape(self, write: Any, measured: Any) -> None:
        """A tolerance that is no pair of bounds makes no range of one value either."""
        inner = '<c:ErrorLimits type="percent"><c:Tolerance>5</c:Tolerance>'
        datum = write.datum("c:double", 3, f"{inner}</c:ErrorLimits>")
        shown = measured(f'<c:Expected comparator="EQ">{datum}</c:Expected>')
        assert shown.limits is None
        assert shown.validators[0].startswith("x == 3 within 5, ")


class TestUnits:
    """The unit of a limit is that of its value, or the limit is no range."""

    @staticmethod
    def pair(write: Any, *units: str) -> Any:
        """Write the bounds 1 and 5, each in its unit."""
        bounds = zip(("GE", "LE"), (1, 5), units, strict=True)
        return write.pair(
            "AND",
            *(
                f'<c:Limit comparator="{comparator}">'
                f"{write.datum('c:double', bound, nonStandardUnit=unit)}</c:Limit>"
                for comparator, bound, unit in bounds
            ),
        )

    @pytest.mark.parametrize("units", [("mV", "mV"), ("V", "mV")])
    def test_another_unit(
        self, write: Any, run_of: Any, units: tuple[str, str]
    ) -> None:
        """A range of millivolts bounds no number of volts."""
        data = write.datum("c:double", 3.3, nonStandardUnit="V")
        result = write.result("Numeric", data, limits=self.pair(write, *units))
        (shown,) = run_of(write.step("rail", result)).phases[0].measurements
        assert shown.limits is None
        assert shown.validators[0].startswith("1 <= x <= 5, in ")

    def test_same_unit(self, write: Any, run_of: Any) -> None:
        """A range in the unit of the value stays one."""
        data = write.datum("c:double", 3.3, nonStandardUnit="V")
        result = write.result("Numeric", data, limits=self.pair(write, "V", "V"))
        (shown,) = run_of(write.step("rail", result)).phases[0].measurements
        assert (shown.limits.lower, shown.limits.upper) == (1, 5)


class TestValidators:
    """What is no range is said as text."""

    @pytest.mark.parametrize(
        ("left", "right", "expected"),
        [
            ("LT", "GT", "x < 1 or x > 9"),
            ("LE", "GE", "x <= 1 or x >= 9"),
            ("LE", "GT", "x <= 1 or x > 9"),
            ("LT", "GE", "x < 1 or x >= 9"),
        ],
    )
    def test_outside_range(
        self, write: Any, measured: Any, left: str, right: str, expected: str
    ) -> None:
        """OR is never bent into an inside range (case 69)."""
        found = measured(
            write.pair("OR", write.limit(right, 9), write.limit(left, 1)), 10
        )
        assert (found.limits, found.validators) == (None, (expected,))

    @pytest.mark.parametrize(
        ("comparator", "expected"),
        [
            ("EQ", "x == 'ok'"),
            ("NE", "x != 'ok'"),
            ("CIEQ", "x == 'ok', ignoring case"),
            ("CINE", "x != 'ok', ignoring case"),
            ("RegularExpressionCaseSensitive", "x matches /ok/"),
            ("RegularExpressionIgnoreCase", "x matches /ok/, ignoring case"),
        ],
    )
    def test_expected_text(
        self, write: Any, run_of: Any, comparator: str, expected: str
    ) -> None:
        """Comparisons of text (case 70 and oddity 12)."""
        result = write.result(
            "String",
            write.datum("ts:TS_string", "ok"),
            limits=write.shape("Expected", comparator, "ok", "c:string"),
        )
        (measurement,) = run_of(write.step("Version", result)).phases[0].measurements
        assert measurement.name == "Version"
        assert measurement.validators == (expected,)

    def test_not_equal_number(self, write: Any, measured: Any) -> None:
        """NE is no range."""
        found = measured(write.shape("Expected", "NE", 5), 6)
        assert (found.limits, found.validators) == (None, ("x != 5",))

    def test_expected_boolean(self, write: Any, measured: Any) -> None:
        """VeriStand expects booleans."""
        found = measured(
            write.shape("Expected", "EQ", "true", "c:boolean"), "true", "c:boolean"
        )
        assert (found.value, found.validators) == (True, ("x == True",))

    def test_mask_is_kept_as_text(self, measured: Any) -> None:
        """A mask has no range."""
        assert measured("<c:Mask>0xFF</c:Mask>").validators == ("mask 0xFF",)


class TestOddShapes:
    """Limits that lack a part, or say what no schema knows."""

    def test_digits_of_a_text_are_no_number(self, write: Any, measured: Any) -> None:
        """A serial number is compared as the text that it is."""
        limits = write.shape("Expected", "EQ", "0042", "c:string")
        found = measured(limits, "0042", "ts:TS_string")
        assert (found.limits, found.validators) == (None, ("x == '0042'",))

    @pytest.mark.parametrize(
        ("limits", "disposition", "rule"),
        [
            ("<c:LimitPair operator='AND'/>", Disposition.DROPPED, "holds no bound"),
            (
                "<c:SingleLimit comparator='GE'/>",
                Disposition.DROPPED,
                "holds no bound",
            ),
            (
                (
                    "<c:LimitPair operator='AND'><c:Limit comparator='GE'>"
                    "<c:Datum xsi:type='c:double' value='1'/></c:Limit></c:LimitPair>"
                ),
                Disposition.COERCED,
                "one of two bounds is missing",
            ),
        ],
    )
    def test_what_is_missing_is_said(
        self,
        write: Any,
        read: Any,
        limits: str,
        disposition: Disposition,
        rule: str,
    ) -> None:
        """Nothing is made up for a bound that is not there."""
        result = write.result("Numeric", write.datum("c:double", 5), limits=limits)
        content = write.file(write.collection(write.results(write.step("s", result))))
        (entry,) = read(content).report.entries
        assert (entry.disposition, entry.rule) == (disposition, rule)

    def test_unknown_operator_is_no_range(self, write: Any, measured: Any) -> None:
        """Its bounds stay a text."""
        limits = write.pair("XOR", write.limit("GT", 9), write.limit("LT", 1))
        found = measured(limits)
        assert (found.limits, found.validators) == (None, ("x > 9 xor x < 1",))


class TestSeveral:
    """Several limits, limits of the test itself, masks and what is said of them."""

    def test_one_of_several_ranges_suffices(self, write: Any, run_of: Any) -> None:
        """Ranges under OR are no single range, but a text."""
        ranges = "".join(
            f'<tr:Limits operator="OR">'
            f"{write.pair('AND', write.limit('GE', low), write.limit('LE', high))}"
            "</tr:Limits>"
            for low, high in ((0, 1), (4, 5))
        )
        result = write.result("Numeric", write.datum("c:double", 4.5)).replace(
            "</tr:TestResult>",
            f"<tr:TestLimits>{ranges}</tr:TestLimits></tr:TestResult>",
        )
        (found,) = run_of(write.step("Id", result)).phases[0].measurements
        assert found.limits is None
        assert found.validators == ("0 <= x <= 1 or 4 <= x <= 5",)

    def test_limits_of_the_test(self, write: Any, run_of: Any) -> None:
        """Limits right below the test are those of its one result."""
        limits = write.shape("SingleLimit", "LE", 5.5)
        step = write.step(
            "Vout",
            f"<tr:TestLimits><tr:Limits>{limits}</tr:Limits></tr:TestLimits>",
            write.result("Vout", write.datum("c:double", 5.03)),
            properties=None,
        )
        (found,) = run_of(step).phases[0].measurements
        assert (found.name, found.outcome) == ("Vout", MeasurementOutcome.PASS)
        assert found.limits == Limit(upper=5.5, comparator="LE")

    def test_limits_of_a_test_with_several_results(
        self, write: Any, run_of: Any
    ) -> None:
        """Of which of them they are is not said, so they are kept with the step."""
        limits = write.shape("SingleLimit", "LE", 5.5)
        step = write.step(
            "Vout",
            f"<tr:TestLimits><tr:Limits>{limits}</tr:Limits></tr:TestLimits>",
            write.result("a", write.datum("c:double", 5)),
            write.result("b", write.datum("c:double", 6)),
        )
        (phase,) = run_of(step).phases
        assert phase.attributes["test_limits"] == ["x <= 5.5"]
        assert all(found.limits is None for found in phase.measurements)

    def test_mask(self, write: Any, measured: Any) -> None:
        """A comparison of some bits is a text that says it."""
        hexadecimal = "c:hexadecimal"
        mask = (
            f"<c:Mask><c:Expected>{write.datum(hexadecimal, '0xA0')}</c:Expected>"
            '<c:MaskValue operation="AND" name="high">'
            f"{write.datum(hexadecimal, '0xF0')}</c:MaskValue></c:Mask>"
        )
        found = measured(mask, "0xA5", hexadecimal)
        assert found.validators == ("x AND 0xF0 == 0xA0",)
        assert found.attributes["mask.MaskValue.name"] == "high"

    def test_a_description_is_no_condition(self, write: Any, measured: Any) -> None:
        """What is said of limits is an attribute."""
        shape = write.shape("SingleLimit", "LE", 9)
        found = measured(f"{shape}<c:Description>as agreed</c:Description>")
        assert found.validators == ()
        assert found.attributes["limits_description"] == "as agreed"

    def test_boolean_of_2_02(self, write: Any, read: Any) -> None:
        """A boolean has no case that could be ignored."""
        result = write.result(
            "Door",
            write.datum("c:boolean", "true"),
            limits=write.shape("Expected", "EQ", "true", "c:boolean"),
            key="ID",
        )
        content = write.file(write.results(write.step("a", result), version="2.02"))
        reading = read(content)
        (found,) = reading.runs[0].phases[0].measurements
        assert found.validators == ("x == True",)
        assert reading.report.entries == ()


class TestUnjudged:
    """Limits that judge nothing."""

    def test_empty_comparator_of_a_forced_step(self, write: Any, measured: Any) -> None:
        """Bounds are kept, the verdict stays, nothing is made up (case 71)."""
        found = measured(write.pair("AND", write.limit("", 1), write.limit("", 2)))
        assert found.limits is None
        assert found.outcome is MeasurementOutcome.PASS
        assert found.attributes["unused_limits"] == [1, 2]

    def test_empty_comparator_is_flagged(self, write: Any, read: Any) -> None:
        """That the bounds were not used is said (case 71)."""
        limits = write.shape("SingleLimit", "", 5)
        result = write.result("Numeric", write.datum("c:double", 5), limits=limits)
        content = write.file(write.collection(write.results(write.step("s", result))))
        (entry,) = read(content).report.entries
        assert entry.rule == "no comparator, bounds kept as attributes"

    def test_log_only_passes_without_limits(self, write: Any, run_of: Any) -> None:
        """IsComparisonTypeLog marks a measurement (case 72)."""
        result = write.result(
            "Numeric",
            write.datum("c:double", 3),
            extension="<ts:IsComparisonTypeLog value='true'/>",
        )
        (measurement,) = run_of(write.step("Log", result)).phases[0].measurements
        assert (measurement.name, measurement.value) == ("Log", 3)
        assert measurement.outcome is MeasurementOutcome.PASS
        assert measurement.limits is None

    def test_limits_of_nothing_but_an_extension(self, measured: Any) -> None:
        """Log only, as real files have it (oddity 12)."""
        found = measured("<tr:Extension><ts:TSLimitProperties/></tr:Extension>")
        assert (found.limits, found.validators) == (None, ())

    def test_second_limit_becomes_text(self, write: Any, measured: Any) -> None:
        """Several limits are joined, the first stays a range."""
        found = measured(
            write.shape("SingleLimit", "GE", 1) + write.shape("SingleLimit", "LE", 9)
        )
        assert found.limits == Limit(lower=1, comparator="GE")
        assert found.validators == ("x <= 9",)
