"""Data of every type, arrays and collections."""

from __future__ import annotations

import math
from typing import Any

import pytest

from rigbridge.adapters import Disposition
from rigbridge.model import Measurement, MeasurementOutcome, Series


@pytest.fixture
def additional(write: Any, run_of: Any) -> Any:
    """Give a function that reads data that nobody judged."""

    def found(data: str, name: str = "x") -> tuple[Measurement, ...]:
        run = run_of(write.step("Step", write.result(name, data)))
        measurements: tuple[Measurement, ...] = run.phases[0].measurements
        assert all(m.outcome is MeasurementOutcome.UNSET for m in measurements)
        return measurements

    return found


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


def array(kind: str, dimensions: str, *members: str) -> str:
    """Write an array."""
    return (
        f'<c:IndexedArray xsi:type="ts:TS_{kind}Array" dimensions="{dimensions}">'
        f"{''.join(members)}</c:IndexedArray>"
    )


def member(position: str, value: object, prefix: str = "ts") -> str:
    """Write one member of an array."""
    return f'<{prefix}:Element position="{position}" value="{value}"/>'


class TestArrays:
    """Members are placed by their position (case 76 and oddity 14)."""

    def test_one_dimension(self, additional: Any) -> None:
        """Values over their index, in order of position; what is missing is none."""
        data = array("double", "[3]", member("[2]", 3), *map(member, ("[0]",), (1.5,)))
        (measurement,) = additional(data)
        assert isinstance(measurement.value, Series)
        assert list(measurement.value.rows()) == [(0, 1.5), (1, None), (2, 3)]

    @pytest.mark.parametrize("shape", ["[{},{}]", "[{}][{}]"])
    @pytest.mark.parametrize("prefix", ["ts", "c"])
    def test_two_dimensions_are_rows(
        self, additional: Any, shape: str, prefix: str
    ) -> None:
        """Listed column by column, one missing: still the right places."""
        cells = [(row, column) for column in range(3) for row in range(2)][:-1]
        data = array(
            "double",
            "[2,3]",
            *(member(shape.format(r, c), 10 * r + c, prefix) for r, c in cells),
        )
        first, second = additional(data)
        assert list(first.value.measured.values) == [0, 1, 2]
        assert list(second.value.measured.values) == [10, 11, None]

    def test_empty(self, additional: Any) -> None:
        """An empty array is a value, and no error."""
        assert additional(array("double", "[0]"))[0].value == []

    def test_texts(self, additional: Any) -> None:
        """Texts stand in children."""
        data = array(
            "string",
            "[1]",
            '<ts:Element position="[0]"><c:Value>a</c:Value></ts:Element>',
        )
        assert list(additional(data)[0].value.measured.values) == ["a"]

    def test_hexadecimal_members(self, additional: Any) -> None:
        """The base follows from the array's type."""
        data = array("hexadecimal", "[2]", member("[0]", "0x0A"), member("[1]", "FF"))
        assert list(additional(data)[0].value.measured.values) == [10, 255]

    def test_stated_size_is_not_trusted(self, additional: Any) -> None:
        """A huge dimension costs nothing."""
        data = array("double", "[2000000000]", member("[1999999999]", 1))
        assert list(additional(data)[0].value.rows()) == [(1999999999, 1)]

    def test_layout_of_attributes(self, write: Any, additional: Any) -> None:
        """The first row is the X of all others (case 77)."""
        cells = [member(f"[{r},{c}]", 10 * r + c) for r in range(3) for c in range(2)]
        layout = write.datum("c:string", "singleX-multipleY")
        data = (
            '<c:Collection xsi:type="ts:TS_Collection"><c:Item name="x">'
            f"{array('double', '[3,2]', *cells)}</c:Item>"
            f'<c:Item name="x.Attributes"><c:Collection><c:Item name="DataLayout">'
            f"{layout}</c:Item></c:Collection></c:Item></c:Collection>"
        )
        first, second = additional(data, "plot")
        assert [first.name, second.name] == ["plot.x[1]", "plot.x[2]"]
        assert list(second.value.rows()) == [(0, 20), (1, 21)]


class TestCollections:
    """Nested items have dotted names."""

    def test_nested(self, write: Any, additional: Any) -> None:
        """Each scalar is a measurement of its own."""
        inner = f'<c:Item name="b">{write.datum("c:double", 1)}</c:Item>'
        data = (
            f'<c:Collection><c:Item name="a"><c:Collection>{inner}</c:Collection>'
            f'</c:Item><c:Item name="c">{write.datum("c:boolean", "true")}</c:Item>'
            "</c:Collection>"
        )
        found = additional(data, "Out")
        assert [(m.name, m.value) for m in found] == [("Out.a.b", 1), ("Out.c", True)]

    def test_tdms_reference(self, write: Any, run_of: Any) -> None:
        """A reference into a TDMS file is an attachment that is not embedded."""
        items = "".join(
            f'<c:Item name="{name}">{write.datum("c:string", text)}</c:Item>'
            for name, text in (("File", r"D:\data\run.tdms"), ("Channel", "ch0"))
        )
        data = f'<c:Collection xsi:type="ts:NI_TDMSReference">{items}</c:Collection>'
        run = run_of(write.step("Step", write.result("Wave", data)))
        assert [item.name for item in run.attachments] == ["run.tdms"]
        found = {m.name: m.value for m in run.phases[0].measurements}
        assert found["Wave.Channel"] == "ch0"
