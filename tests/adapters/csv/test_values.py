"""Cells to values and limits."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from rigbridge.adapters.text.dates import check_format, parse_time
from rigbridge.adapters.text.numbers import number_reader
from rigbridge.errors import ConfigurationError
from rigbridge.model import Limit, Measurement
from rigbridge.testing import Reading
from rigbridge_csv.limits import condition

Read = Callable[..., Reading]


def only(reading: Reading) -> Measurement:
    """Give the one measurement."""
    assert reading.failures == ()
    return reading.runs[0].phases[0].measurements[0]


class TestValue:
    """A value is a number where the cell surely is one, and else its exact text."""

    @pytest.mark.parametrize(
        ("cell", "value"),
        [
            ("5", 5),
            ("-5", -5),
            ("+1.50", 1.5),
            ("+   25.1", 25.1),
            ("-  7", -7),
            (".5", 0.5),
            ("5.", 5.0),
            ("3.15e-005", 3.15e-05),
            ("0x1F", 31),
            ("  7 ", 7),
            ("0", 0),
            ("00.5", 0.5),
            ("12345678901234567890123", 12345678901234567890123),
        ],
    )
    def test_numbers(self, read: Read, cell: str, value: float) -> None:
        """Integers stay integers, decimals are floats."""
        found = only(read(f"measurement,value\na,{cell}\n")).value
        assert found == value
        assert type(found) is type(value)

    @pytest.mark.parametrize(
        ("cell", "value"),
        [
            ("NaN", math.nan),
            ("-NAN", math.nan),
            ("1.#QNAN", math.nan),
            ("INF", math.inf),
            ("-Infinity", -math.inf),
            ("1.#INF", math.inf),
        ],
    )
    def test_non_finite(self, read: Read, cell: str, value: float) -> None:
        """The spellings of NaN and infinity are numbers."""
        found = only(read(f"measurement,value\na,{cell}\n")).value
        assert isinstance(found, float)
        assert found == value or math.isnan(found) == math.isnan(value)

    @pytest.mark.parametrize(
        "cell",
        [
            "0000019",
            "1_000",
            "1e999",
            "٣",
            "V1.2.3",
            " two words ",
            "0x",
            "True",
            "9" * 5000,
        ],
    )
    def test_texts(self, read: Read, cell: str) -> None:
        """What is no number, or may be an identifier, stays as it stands."""
        assert only(read(f'measurement,value\na,"{cell}"\n')).value == cell

    def test_leading_zeros_between_limits(self, read: Read) -> None:
        """Beside limits, digits behind a zero are a number."""
        log = "measurement,value,lower_limit\na,0019,10\n"
        assert only(read(log)).value == 19

    def test_blank_is_not_run(self, read: Read) -> None:
        """A blank cell is no value, and no verdict."""
        measurement = only(read("measurement,value,unit\na, ,V\n"))
        assert (measurement.value, measurement.outcome) == (None, "UNSET")

    def test_decimal_comma(self, read: Read) -> None:
        """With a decimal comma values and limits are read by it."""
        measurement = only(
            read(
                "T;V;L\na;3,3;1,5\n",
                decimal=",",
                fields={"measurement": "T", "value": "V", "lower_limit": "L"},
            )
        )
        assert measurement.value == 3.3
        assert measurement.limits == Limit(lower=1.5)

    def test_another_notation_is_refused(self, read: Read) -> None:
        """A number in the other notation fails its run, and the key is named."""
        reading = read("serial_number;measurement;value\n1;a;3,3\n2;a;3.3\n")
        assert [run.unit.serial_number for run in reading.runs] == ["2"]
        assert 'declare decimal = ","' in str(reading.failures[0])
        assert reading.failures[0].place == "line 2, column 'a'"

    def test_the_decimal_point_is_no_thousands_sign(self) -> None:
        """With a decimal comma a point makes no number."""
        assert number_reader(",")("1.234") is None


_DOWN = r"(?P<upper>[^/]*)/(?P<lower>[^/]*)"
_UP = r"(?P<lower>.*)\.\.(?P<upper>.*)"


class TestWideValues:
    """A row of plain decimals is read at once, any other cell by cell, alike."""

    @pytest.mark.parametrize(
        ("cells", "values"),
        [
            ("1.5,2.25", [1.5, 2.25]),
            (" 1.5 , +.5", [1.5, 0.5]),
            ("1.5,", [1.5]),
            ("1.5,7", [1.5, 7]),
            ("1.5,0007.5", [1.5, 7.5]),
            ("1.5,1_0.5", [1.5, "1_0.5"]),
            ("1.5,v1.2", [1.5, "v1.2"]),
            ("1.5,1.5e400", [1.5, "1.5e400"]),
            ("1.5,1.#INF", [1.5, math.inf]),
            ("1.5,0.0", [1.5]),
        ],
    )
    def test_either_way(self, read: Read, cells: str, values: list[object]) -> None:
        """Blank and missing cells are left out; texts and whole numbers stay."""
        reading = read(
            f"SN,a,b\n7,{cells}\n",
            form="wide",
            missing=["0.0"],
            fields={"serial_number": "SN"},
        )
        assert reading.failures == ()
        found = [m.value for m in reading.runs[0].phases[0].measurements]
        assert found == values
        again = (
            read(f"SN,a,b\n7,{cells}\n", form="wide", fields={"serial_number": "SN"})
            .runs[0]
            .phases[0]
            .measurements
        )
        assert [m.value for m in again][: len(values)] == values


class TestLimits:
    """Limits and comparators become a range only where they are one."""

    @pytest.mark.parametrize(
        ("row", "limits"),
        [
            (",1,2", Limit(lower=1, upper=2)),
            (",1,", Limit(lower=1)),
            (",,2.5", Limit(upper=2.5)),
            (",-INF,2", Limit(upper=2)),
            ("GELE,1,2", Limit(lower=1, upper=2, comparator="GELE")),
            ("ge,1,", Limit(lower=1, comparator="ge")),
            ("<,,2", Limit(upper=2, upper_inclusive=False, comparator="<")),
            ("LT,2,", Limit(upper=2, upper_inclusive=False, comparator="LT")),
            ("EQ,1,", Limit(lower=1, upper=1, comparator="EQ")),
            ("==,1,1.0", Limit(lower=1, upper=1, comparator="==")),
        ],
    )
    def test_ranges(self, read: Read, row: str, limits: Limit) -> None:
        """Both limits, one, and the inclusivity that the comparator states."""
        log = f"measurement,value,comparator,lower_limit,upper_limit\na,1,{row}\n"
        found = only(read(log))
        assert found.limits == limits
        assert found.validators == ()

    @pytest.mark.parametrize(
        ("row", "text"),
        [
            ("NE,5,", "x != 5"),
            ("LTGT,1,2", "x < 1 or x > 2"),
            ("LEGE,1,2", "x <= 1 or x >= 2"),
            ("EQT,abc,", "x == 'abc'"),
            ("CIEQ,abc,abc", "x == 'abc' ignoring case"),
            ("GE,1,2", "GE: lower 1, upper 2"),
            ("MAYBE,1,", "MAYBE: lower 1"),
            (",low,", "limits: lower 'low'"),
            ("EQ,INF,", "x == inf"),
        ],
    )
    def test_conditions(self, read: Read, row: str, text: str) -> None:
        """What is no range is readable text, never bent into a range."""
        log = f"measurement,value,comparator,lower_limit,upper_limit\na,1,{row}\n"
        found = only(read(log))
        assert found.limits is None
        assert found.validators == (text,)

    def test_a_lone_comparator_is_kept(self, read: Read) -> None:
        """A comparator without limits, as for values that are only logged, is kept."""
        found = only(read("measurement,value,comparator\na,1,LOG\n"))
        assert found.attributes == {"comparator": "LOG"}

    def test_limits_that_are_not_finite_are_recorded(self, read: Read) -> None:
        """A side whose limit is NaN has none, which the report says."""
        reading = read("measurement,value,lower_limit,upper_limit\na,1,NaN,NaN\n")
        assert only(reading).limits is None
        assert "non-finite: no limit on that side" in [
            entry.rule for entry in reading.report.entries
        ]

    @pytest.mark.parametrize(
        ("form", "cell", "limits", "validators"),
        [
            (_DOWN, "100.0/90.0", Limit(lower=90.0, upper=100.0), ()),
            (_UP, "1 .. 2", Limit(lower=1, upper=2), ()),
            (_UP, "..2", Limit(upper=2), ()),
            (_DOWN, "Floating", None, ("limits: Floating",)),
            (_DOWN, "a/b", None, ("limits: lower 'b', upper 'a'",)),
            (_DOWN, "1/2/3", None, ("limits: 1/2/3",)),
            (_UP, ">= 20", Limit(lower=20, comparator=">="), ()),
            (_UP, "≤ 5", Limit(upper=5, comparator="<="), ()),
            (_UP, ">= 5 %", None, ("limits: >= 5 %",)),
        ],
    )
    def test_both_in_one_cell(
        self,
        read: Read,
        form: str,
        cell: str,
        limits: Limit | None,
        validators: tuple[str, ...],
    ) -> None:
        """A cell with both limits is split as declared; other words are kept."""
        found = only(
            read(
                f"T,V,L\na,1,{cell}\n",
                fields={
                    "measurement": "T",
                    "value": "V",
                    "limits": {"column": "L", "pattern": form},
                },
            )
        )
        assert (found.limits, found.validators) == (limits, validators)

    def test_no_limits_say_nothing(self) -> None:
        """Without limits there is neither range nor condition."""
        assert condition("GELE", None, None).limits is None

    def test_an_upper_below_the_lower_is_refused(self, read: Read) -> None:
        """Limits in swapped columns fail the run: every verdict would look wrong."""
        log = "serial_number,measurement,value,lower_limit,upper_limit\n1,a,1,2,0.5\n"
        reading = read(log + "2,a,1,0.5,2\n")
        assert [run.unit.serial_number for run in reading.runs] == ["2"]
        assert "the upper limit 0.5 is below the lower 2" in str(reading.failures[0])


class TestTimes:
    """Times are read by the declared formats only."""

    @pytest.mark.parametrize(
        ("text", "form", "time"),
        [
            ("2024-01-15T10:30:00", "iso", datetime(2024, 1, 15, 10, 30)),  # noqa: DTZ001 - a wall time
            (
                "15-4-28-15-24-15",
                "%y-%m-%d-%H-%M-%S",
                datetime(2015, 4, 28, 15, 24, 15),  # noqa: DTZ001 - a wall time
            ),
            ("946684800", "unix", datetime(2000, 1, 1, tzinfo=UTC)),
            (
                "946684800000.5",
                "unix-ms",
                datetime(2000, 1, 1, 0, 0, 0, 500, tzinfo=UTC),
            ),
            ("45364.5", "excel", datetime(2024, 3, 13, 12)),  # noqa: DTZ001 - a wall time
        ],
    )
    def test_formats(self, text: str, form: str, time: datetime) -> None:
        """ISO 8601, a pattern, seconds since 1970, and the days of a spreadsheet."""
        assert parse_time(text, (form,)) == time

    def test_the_first_that_fits(self) -> None:
        """Formats are tried in their order."""
        found = parse_time("03.04.2024", ("iso", "%d.%m.%Y", "%m.%d.%Y"))
        assert found == datetime(2024, 4, 3)  # noqa: DTZ001 - a wall time

    @pytest.mark.parametrize("text", ["", "nan", "1e99", "120.5"])
    def test_no_time(self, text: str) -> None:
        """What is no time gives none, also among the numbers."""
        assert parse_time(text, ("iso", "unix", "unix-ms", "excel")) is None

    @pytest.mark.parametrize(
        ("text", "form"),
        [
            ("2024-03-14 09:12:05", "iso"),
            ("2024/03/14 09:12:05", "iso"),
            ("2024-03-14 09:12:05,000", "iso"),
            ("2024-03-14-09-12-05", "iso"),
            ("20240314T091205", "iso"),
            ("14.03.2024 09:12:05", "day-first"),
            ("14.3.24 9.12.05", "day-first"),
            ("14/03/2024 09:12:05 AM", "day-first"),
            ("2024/3/14 AM 09:12:05", "iso"),
            ("14-Mar-2024 09:12:05", "day-first"),
            ("14. März 2024 09:12:05", "day-first"),
            ("3/14/2024 9:12:05 AM", "month-first"),
            ("March 14, 2024 9:12:05 AM", "month-first"),
            ("Thu Mar 14 09:12:05 2024", "month-first"),
            ("Thursday, March 14, 2024 9:12:05 AM", "month-first"),
            ("24-3-14-9-12-05", "year-first"),
            ("2024.03.14 09:12:05.0000000000000001", "year-first"),
            ("240314091205", "%y%m%d%H%M%S"),
        ],
    )
    def test_spellings(self, text: str, form: str) -> None:
        """The order of day, month and year is declared; the rest follows."""
        found = parse_time(text, (form,))
        assert found == datetime(2024, 3, 14, 9, 12, 5)  # noqa: DTZ001 - a wall time

    def test_a_text_against_its_order_is_none(self) -> None:
        """A day that cannot be a month is no time, and is not turned round."""
        assert parse_time("14.03.2024", ("month-first",)) is None

    @pytest.mark.parametrize("form", ["%H:%M:%S", "%d.%m. %H:%M", "%Y-%m"])
    def test_a_form_without_a_date_is_refused(self, form: str) -> None:
        """What names no day gives no time; the remedy is to join columns."""
        with pytest.raises(ConfigurationError, match="names no year, month and day"):
            check_format(form, "dates[0]")

    @pytest.mark.parametrize("form", ["ISO", "dd.mm.yyyy", "%Q", "%"])
    def test_a_form_that_is_none_is_refused(self, form: str) -> None:
        """A format that could never fit is an error of the settings."""
        with pytest.raises(ConfigurationError, match="no date format"):
            check_format(form, "dates[0]")
