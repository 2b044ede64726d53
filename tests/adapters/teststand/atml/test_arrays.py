"""Arrays, collections and containers of ATML, and the units of their members."""

from __future__ import annotations

from typing import Any

import pytest

from rigbridge.model import MeasurementOutcome, Series


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


class TestUnits:
    """A unit stands on the value, on the array, on its members or on a collection."""

    @staticmethod
    def line(unit: str, each: str = "") -> str:
        """Write an array of two numbers."""
        members = (
            f'<c:Element position="[{at}]" value="{at}.5" {each}/>' for at in (0, 1)
        )
        kind = 'xsi:type="c:doubleArray" dimensions="[2]"'
        return f"<c:IndexedArray {kind} {unit}>{''.join(members)}</c:IndexedArray>"

    @pytest.mark.parametrize(
        ("unit", "each"),
        [
            ('standardUnit="mV"', ""),
            ('nonStandardUnit="mV"', ""),
            ("", 'standardUnit="mV"'),
        ],
    )
    def test_of_an_array(self, additional: Any, unit: str, each: str) -> None:
        """It is the unit of the measured axis."""
        (found,) = additional(self.line(unit, each))
        assert found.value.measured.unit == "mV"

    def test_of_each_row_of_a_matrix(self, additional: Any) -> None:
        """Every row has the unit of the whole."""
        cells = [member(f"[{r},{c}]", 10 * r + c, "c") for r in (0, 1) for c in (0, 1)]
        data = array("double", "[2,2]", *cells).replace(
            "dimensions", 'nonStandardUnit="degC" dimensions'
        )
        assert [row.value.measured.unit for row in additional(data)] == ["degC"] * 2

    def test_of_members_that_differ(self, additional: Any) -> None:
        """Units of single members are kept where there is no one unit."""
        data = (
            '<c:IndexedArray xsi:type="c:doubleArray" dimensions="[2]">'
            '<c:Element position="[0]" value="1.5" standardUnit="A"/>'
            '<c:Element position="[1]" value="2.5" standardUnit="mA"/></c:IndexedArray>'
        )
        (found,) = additional(data)
        assert found.value.measured.unit is None
        assert found.attributes["member_units"] == {"[0]": "A", "[1]": "mA"}

    def test_of_a_collection(self, write: Any, additional: Any) -> None:
        """A value that states none has the default of its collection."""
        data = (
            '<c:Collection defaultStandardUnit="Hz">'
            f'<c:Item name="f">{write.datum("c:double", 9)}</c:Item>'
            f'<c:Item name="t">{write.datum("c:double", 1, standardUnit="s")}</c:Item>'
            "</c:Collection>"
        )
        assert [found.unit for found in additional(data)] == ["Hz", "s"]

    def test_further_units_are_kept(self, write: Any, additional: Any) -> None:
        """By schema there is one; a second is an attribute."""
        data = write.datum("c:double", 1, nonStandardUnit="volts", standardUnit="V")
        (found,) = additional(data)
        assert (found.unit, found.attributes["standardUnit"]) == ("volts", "V")


class TestContainers:
    """Arrays of containers, complex numbers, rows of tests of WATS."""

    def test_array_of_collections(self, write: Any, additional: Any) -> None:
        """Each item has the name of the array, its place, and its own name."""
        items = "".join(
            f'<ts:Element position="[{at}]"><c:Item name="X">'
            f"{write.datum('c:double', at + 0.5)}</c:Item></ts:Element>"
            for at in (0, 1)
        )
        data = (
            '<c:IndexedArray xsi:type="ts:TS_CollectionArray" dimensions="[2]">'
            f"{items}</c:IndexedArray>"
        )
        found = [(item.name, item.value) for item in additional(data, "Peaks")]
        assert found == [("Peaks[0].X", 0.5), ("Peaks[1].X", 1.5)]

    def test_array_of_complex_numbers(self, additional: Any) -> None:
        """The parts are two axes behind the index."""
        data = (
            '<c:IndexedArray xsi:type="c:complexArray" dimensions="[2]">'
            '<c:Element position="[0]" real="1.5" imaginary="-2.5"/>'
            '<c:Element position="[1]" real="3.5" imaginary="4.5"/></c:IndexedArray>'
        )
        (found,) = additional(data)
        assert [axis.name for axis in found.value.axes] == [
            "index",
            "real",
            "imaginary",
        ]
        assert list(found.value.rows()) == [(0, 1.5, -2.5), (1, 3.5, 4.5)]

    def test_matrix_with_a_default(self, additional: Any) -> None:
        """A member that is not listed has the value that the array states."""
        data = array(
            "double",
            "[2,2]",
            '<ts:DefaultElementValue value="9.5"/>',
            member("[0,0]", 1.5),
        )
        first, second = additional(data)
        assert list(first.value.measured.values) == [1.5, 9.5]
        assert list(second.value.measured.values) == [9.5, 9.5]

    def test_verdict_of_a_collection(self, write: Any, run_of: Any) -> None:
        """It is on the whole, since the report names no single value."""
        data = "<c:Collection>{}</c:Collection>".format(
            "".join(
                f'<c:Item name="{name}">{write.datum("c:double", value)}</c:Item>'
                for name, value in (("X", 5), ("Y", 7))
            )
        )
        limits = write.shape("SingleLimit", "LE", 6)
        step = write.step(
            "Pair",
            write.result("Pair", data, limits=limits, outcome="Failed"),
            value="Failed",
        )
        pair, *members = run_of(step).phases[0].measurements
        assert (pair.name, pair.outcome) == ("Pair", MeasurementOutcome.FAIL)
        assert pair.limits.upper == 6
        assert [(item.name, item.value) for item in members] == [
            ("Pair.X", 5),
            ("Pair.Y", 7),
        ]
        assert {item.outcome for item in members} == {MeasurementOutcome.UNSET}

    def test_judged_hyperlink(self, write: Any, run_of: Any) -> None:
        """The verdict on a path is that of the reference."""
        data = write.datum("ts:NI_HyperlinkPath", r"C:\logs\scope.png")
        result = write.result("Picture", data, outcome="Failed")
        (found,) = run_of(write.step("S", result)).phases[0].measurements
        assert found.outcome is MeasurementOutcome.FAIL

    @staticmethod
    def row(write: Any, number: int, **items: tuple[str, object]) -> str:
        """Write a row of a multiple test of WATS."""
        inside = "".join(
            f'<c:Item name="{name}">{write.datum(kind, value)}</c:Item>'
            for name, (kind, value) in items.items()
        )
        return (
            f'<c:Item name="Measurement[{number}]"><c:Collection>{inside}'
            "</c:Collection></c:Item>"
        )

    def test_rows_of_wats(self, write: Any, run_of: Any) -> None:
        """Rows are judged measurements, each with its own verdict and limit."""
        text, boolean = "ts:TS_string", "ts:TS_boolean"
        rows = [
            self.row(
                write,
                0,
                MeasName=(text, "Label"),
                Comp=(text, "CaseSensitive"),
                Status=(text, "Failed"),
                StringData=(text, "a1"),
                StringLimit=(text, "a2"),
                Retries=("ts:TS_double", 3),
            ),
            self.row(
                write,
                1,
                MeasName=(text, "Door"),
                Status=(text, "Passed"),
                PassFail=(boolean, "true"),
            ),
            self.row(
                write,
                2,
                MeasName=(text, "Rail"),
                Comp=(text, "LOG"),
                Status=(text, "Passed"),
                Units=(text, "V"),
                Data=("ts:TS_double", 4.5),
            ),
        ]
        data = f"<c:Collection>{''.join(rows)}</c:Collection>"
        step = write.step("Multi", write.result("Measurement", data), value="Failed")
        label, retries, door, rail = run_of(step).phases[0].measurements
        assert (label.name, label.value, label.outcome) == (
            "Label",
            "a1",
            MeasurementOutcome.FAIL,
        )
        assert label.validators == ("x == 'a2'",)
        assert (retries.name, retries.value) == ("Label.Retries", 3)
        assert (door.value, door.outcome) == (True, MeasurementOutcome.PASS)
        assert (rail.value, rail.unit) == (4.5, "V")
        assert rail.attributes["comparator"] == "LOG"
