"""Data of every type, arrays and collections."""

from __future__ import annotations

import math
from typing import Any

import pytest

from rigbridge.adapters import Disposition
from rigbridge.model import Series


class TestDatum:
    """Types of a datum, in attributes with blanks (cases 61, 66, oddities 5 and 13)."""

    @pytest.mark.parametrize(
        ("kind", "text", "expected"),
        [
            ("c:double", "2.75e-05", 2.75e-05),
            ("ts:TS_double", "3.15e-005", 3.15e-5),
            ("c:double", "INF", math.inf),
            ("c:double", "-INF", -math.inf),
            ("c:octal", "17", 15),
            ("c:binary", "101", 5),
            ("c:hexadecimal", "0x1F", 31),
            ("ts:TS_hexadecimal", "1F", 31),
            ("c:hexadecimal", "0C17", 0xC17),
            ("c:hexadecimal", "0B1", 0xB1),
            ("c:hexadecimal", "1_0", "1_0"),
            ("c:octal", "0c17", 15),
            ("c:binary", "0b1_0", "0b1_0"),
            ("c:boolean", "true", True),
            ("c:boolean", "0", False),
            ("c:unsignedLong", "9223372036854775808", 2**63),
            ("c:integer", "-3", -3),
            ("c:dateTime", "2024-03-01T08:00:00", "2024-03-01T08:00:00"),
            ("c:string", " kept ", " kept "),
            ("ts:TS_unheard_of", "a", "a"),
        ],
    )
    def test_value_by_type(
        self, write: Any, additional: Any, kind: str, text: str, expected: object
    ) -> None:
        """The local part of the type decides, in either namespace (cases 62 and 64)."""
        (measurement,) = additional(write.datum(kind, text))
        assert measurement.value == expected
        assert type(measurement.value) is type(expected)

    def test_not_a_number(self, write: Any, additional: Any) -> None:
        """NaN is a value (oddity 11)."""
        (measurement,) = additional(write.datum("c:double", "NaN"))
        assert math.isnan(measurement.value)

    def test_number_that_is_none_stays_text(self, write: Any, additional: Any) -> None:
        """What does not fit its type is kept."""
        assert additional(write.datum("c:double", "n/a"))[0].value == "n/a"

    def test_number_too_small_for_a_float_is_recorded(
        self, write: Any, read: Any
    ) -> None:
        """It is read as zero, which it is not."""
        step = write.step("s", write.result("x", write.datum("c:double", "2e-400")))
        reading = read(write.file(write.collection(write.results(step))))
        assert reading.runs[0].phases[0].measurements[0].value == 0
        (entry,) = reading.report.entries
        assert entry.rule == "too small for a float, read as zero"

    @pytest.mark.parametrize(
        ("data", "expected"),
        [
            ('<c:Datum xsi:type="ts:TS_double" value="3,25"/>', 3.25),
            (
                (
                    '<c:IndexedArray xsi:type="ts:TS_doubleArray" dimensions="[1]">'
                    '<ts:Element position="[0]" value="3,25"/></c:IndexedArray>'
                ),
                [3.25],
            ),
        ],
    )
    def test_decimal_comma_is_recorded(
        self, write: Any, read: Any, data: str, expected: object
    ) -> None:
        """Only other producers write one; it is read as a point, and said."""
        step = write.step("s", write.result("x", data), properties=None)
        reading = read(write.file(write.collection(write.results(step))))
        value = reading.runs[0].phases[0].measurements[0].value
        shown = list(value.measured.values) if isinstance(value, Series) else value
        assert shown == expected
        (entry,) = reading.report.entries
        assert (entry.rule, entry.detail) == ("decimal comma read as point", "3,25")

    @pytest.mark.parametrize(
        ("result", "item"),
        [
            ("<tr:TestResult name='x'/>", "measurement"),
            ("<tr:TestResult name='x'><tr:TestData/></tr:TestResult>", "measurement"),
            (
                (
                    "<tr:TestResult name='x'><tr:TestData><c:Strange>5</c:Strange>"
                    "</tr:TestData></tr:TestResult>"
                ),
                "element",
            ),
        ],
    )
    def test_result_without_data_is_recorded(
        self, write: Any, read: Any, result: str, item: str
    ) -> None:
        """A result that holds nothing that can be read is dropped, and said so."""
        step = write.step("s", result, value="Done")
        reading = read(write.file(write.collection(write.results(step))))
        assert reading.runs[0].phases[0].measurements == ()
        assert reading.report.count(Disposition.DROPPED, item) == 1

    def test_escaped_text(self, write: Any, additional: Any) -> None:
        """Escapes are undone only where the text says so, returns go (case 63)."""
        text = r"a\\b\r"
        (escaped,) = additional(write.datum("c:string", text, isEscaped="true"))
        (plain,) = additional(write.datum("c:string", text))
        assert (escaped.value, plain.value) == ("a\\b", text)

    def test_complex_number(self, additional: Any) -> None:
        """The model has no complex numbers: text, and both parts."""
        data = '<c:Datum xsi:type="c:complex" real="1.5" imaginary="-2"/>'
        (measurement,) = additional(data)
        assert measurement.value == "1.5-2i"
        assert measurement.attributes["imaginary"] == "-2"

    def test_enumeration(self, additional: Any) -> None:
        """The chosen word is the value, its number an attribute."""
        data = (
            '<c:Datum xsi:type="ts:TS_enum"><ts:EnumValue>Red</ts:EnumValue>'
            '<ts:NumericValue value="2"/><ts:IsValid value="true"/></c:Datum>'
        )
        (measurement,) = additional(data)
        assert measurement.value == "Red"
        assert measurement.attributes["enum_number"] == "2"

    @pytest.mark.parametrize(
        ("units", "expected"),
        [
            ({"unit": "V", "nonStandardUnit": "volts"}, "V"),
            ({"nonStandardUnit": "volts", "standardUnit": "V"}, "volts"),
            ({"standardUnit": "V"}, "V"),
            ({"nonStandardUnit": ""}, None),
        ],
    )
    def test_unit(
        self,
        write: Any,
        additional: Any,
        units: dict[str, str],
        expected: str | None,
    ) -> None:
        """Unit before nonStandardUnit before standardUnit; empty is none (case 65)."""
        assert additional(write.datum("c:double", 1, **units))[0].unit == expected

    def test_hyperlink_is_a_reference(self, write: Any, run_of: Any) -> None:
        """A path names a file that is not opened."""
        data = write.datum("ts:NI_HyperlinkPath", r"C:\logs\scope.png")
        run = run_of(write.step("Step", write.result("Picture", data)))
        assert [item.name for item in run.attachments] == ["scope.png"]
        assert not run.attachments[0].embedded


class TestSpellings:
    """What of a value's text is not read is recorded."""

    @pytest.mark.parametrize(
        ("kind", "text", "expected"),
        [
            ("c:double", "12.5 V", (12.5, "text behind a number left out")),
            ("c:double", "n/a", ("n/a", "no number, kept as text")),
            ("c:hexadecimal", "0xZZ", ("0xZZ", "no number, kept as text")),
            ("c:boolean", "perhaps", ("perhaps", "no boolean, kept as text")),
        ],
    )
    def test_it_is_recorded(
        self, write: Any, read: Any, kind: str, text: str, expected: tuple[object, str]
    ) -> None:
        """The entry shows the text as it was."""
        step = write.step("s", write.result("x", write.datum(kind, text)))
        reading = read(write.file(write.collection(write.results(step))))
        value = reading.runs[0].phases[0].measurements[0].value
        (entry,) = reading.report.entries
        assert (value, entry.rule) == expected
        assert entry.detail == text

    def test_number_without_a_type(self, write: Any, read: Any) -> None:
        """A value under numeric limits is a number, also where no type says so."""
        limits = (
            '<c:SingleLimit comparator="GE"><c:Datum value="3.00"/></c:SingleLimit>'
        )
        result = write.result("Out", '<c:Datum value="3.30"/>', limits=limits)
        step = write.step("s", result)
        reading = read(write.file(write.collection(write.results(step))))
        assert reading.runs[0].phases[0].measurements[0].value == 3.3
        (entry,) = reading.report.entries
        assert entry.rule == "without a type, read as a number"
