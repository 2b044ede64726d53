"""What the profile language says of loggers, cyclers and rigs, and learns of them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from rigbridge.adapters import Source
from rigbridge.errors import ConfigurationError
from rigbridge.model import Measurement, Run, Series
from rigbridge_csv.learning.check import checked_draft
from rigbridge_csv.learning.trial import ProfileTrial, load_profile, try_profile
from rigbridge_csv.profiles.profile import make_profile


def learned(content: str, name: str = "log.csv") -> tuple[str, Run]:
    """Learn a log, and give the draft and the first run that it reads."""
    source = Source.from_bytes(content.encode(), name)
    text, _ = checked_draft(source)
    found = try_profile(make_profile(tomllib.loads(text), ""), source, time_zone="UTC")
    assert found.runs, (text, found.failures)
    return text, found.runs[0]


def read(profile: str, content: str, name: str = "log.csv") -> ProfileTrial:
    """Read a log by a profile that is written here."""
    made = make_profile(tomllib.loads('name = "p"\n' + profile), "")
    source = Source.from_bytes(content.encode(), name)
    return try_profile(made, source, time_zone="UTC")


def measured(run: Run) -> dict[str, Measurement]:
    """Give the measurements of a run by their names."""
    return {m.name: m for phase in run.phases for m in phase.measurements}


def axes(measurement: Measurement) -> list[tuple[str | None, str | None, list[object]]]:
    """Give name, unit and points of each axis of a series."""
    series = measurement.value
    assert isinstance(series, Series)
    return [(axis.name, axis.unit, list(axis.values)) for axis in series.axes]


class TestUnitsBehindNumbers:
    """``12.01 VDC``: a number and its unit in one cell."""

    def test_in_series(self) -> None:
        """A meter's readings are a series of numbers in one unit."""
        text, run = learned(
            "Reading,Sample,Description\n1,12.01 VDC,a\n2,12.02 VDC,b\n3,12.02 VDC,c\n"
        )
        assert "units = true" in text
        assert axes(measured(run)["Sample"])[1] == (
            "Sample",
            "VDC",
            [12.01, 12.02, 12.02],
        )

    def test_in_wide_form(self) -> None:
        """Each measurement of a row has its unit."""
        text, run = learned(
            "Serial,Vout,Ripple,Result\nA1,12.01 VDC,12 mVAC,PASS\n"
            "A2,12.1 VDC,9 mVAC,PASS\n"
        )
        assert "units = true" in text
        found = measured(run)
        assert (found["Vout"].value, found["Vout"].unit) == (12.01, "VDC")
        assert (found["Ripple"].value, found["Ripple"].unit) == (12, "mVAC")

    def test_in_long_form_with_limits(self) -> None:
        """Limits in the unit of their value are limits."""
        text, run = learned(
            "SN,Test,Value,Low,High,Result\n7,supply,3.31 V,3.2 V,3.4 V,PASS\n"
            "7,ripple,12 mV,0 mV,20 mV,PASS\n"
        )
        assert "units = true" in text
        supply = measured(run)["supply"]
        assert (supply.value, supply.unit) == (3.31, "V")
        assert supply.limits is not None
        assert (supply.limits.lower, supply.limits.upper) == (3.2, 3.4)

    @pytest.mark.parametrize(
        ("profile", "content"),
        [
            (
                (
                    'fields = { serial_number = "SN", measurement = "T", value = "V", '
                    'upper_limit = "Hi" }\nunits = true\n'
                ),
                "SN,T,V,Hi\n7,supply,3.31 V,3400 mV\n",
            ),
            (
                (
                    'form = "wide"\nunits = true\nfields.serial_number = "SN"\n'
                    'measurements.upper = "{} Hi"\n'
                ),
                "SN,Vout,Vout Hi\n7,3.31 V,3400 mV\n",
            ),
            (
                'form = "series"\nunits = true\nseries.x = "t"\n',
                "t,v\n0,980 mV\n1,1.02 V\n",
            ),
            (
                'form = "series"\nseries = { x = "t", units = "Unit" }\n',
                "t,v,Unit\n0,980,mV\n1,1.02,V\n",
            ),
            (
                'form = "series"\nunits = true\nseries.x = "t"\n',
                "t,v\n0,980 mV\n1,0.98\n",
            ),
        ],
    )
    def test_different_units_are_refused(self, profile: str, content: str) -> None:
        """What may not be compared costs its run, with line and column."""
        found = read(profile, content)
        assert not found.runs
        assert "line" in str(found.failures[0])
        assert "unit" in str(found.failures[0])

    def test_a_text_that_is_no_number_is_kept(self) -> None:
        """An overload stays among the numbers as it stands."""
        found = read(
            'form = "series"\nunits = true\nseries.x = "t"\n',
            "t,v\n0,1.5 V\n1,OL\n2,1.6 V\n",
        )
        assert axes(measured(found.runs[0])["v"])[1] == ("v", "V", [1.5, "OL", 1.6])


class TestUnitColumns:
    """A column of units beside a column of values."""

    def test_each_value_has_its_own(self) -> None:
        """The unit is that of the column before, and no series of its own."""
        text, run = learned(
            "Date,Time,Reading 1,Unit 1,Reading 2,Unit 2\n"
            "13/03/2024,14:05:00,23.1,degC,1.10,V DC\n"
            "13/03/2024,14:06:00,23.2,degC,1.11,V DC\n"
        )
        assert 'units = "Unit 1|Unit 2"' in text
        found = measured(run)
        assert set(found) == {"Reading 1", "Reading 2"}
        assert axes(found["Reading 2"])[1][1] == "V DC"


class TestClocks:
    """Over which points of time a series stands."""

    def test_a_date_and_its_time_are_one_x(self) -> None:
        """Two columns make one x."""
        _, run = learned(
            "Date;Time;T [degC]\n13.03.2024;14:00:00;84.1\n13.03.2024;14:01:00;84.2\n"
        )
        assert axes(measured(run)["T"])[0] == (
            "Date Time",
            None,
            ["13.03.2024 14:00:00", "13.03.2024 14:01:00"],
        )

    def test_the_times_of_rows_are_kept_beside_another_x(self) -> None:
        """A start that is made of two columns costs no cell of these."""
        found = read(
            'form = "series"\nseries.x = "n"\ndates = ["day-first"]\n'
            'fields.started_at = { columns = ["Date", "Time"] }\n',
            "n,Date,Time,v\n1,13.03.2024,14:00:00,5\n2,13.03.2024,14:01:00,6\n",
        )
        kept = measured(found.runs[0])
        assert axes(kept["Time"])[1][2] == ["14:00:00", "14:01:00"]
        assert set(kept) == {"Date", "Time", "v"}

    def test_a_first_column_without_a_name(self) -> None:
        """A logger's clock is x, though nothing names it."""
        text, run = learned(
            '"","Vin (V)","I (A)"\n2024-03-13T14:05:00,5.0,1\n'
            "2024-03-13T14:05:01,5.1,1\n"
        )
        assert 'x = "column 1"' in text
        assert axes(measured(run)["Vin"])[1] == ("Vin", "V", [5.0, 5.1])

    def test_an_abbreviated_year(self) -> None:
        """An apostrophe stands for the century, so the year is first."""
        text, run = learned(
            "Trigger Time,'24-03-13 14:05:00.000\nTime,U1-1[V]\n0,5.0\n0.5,5.1\n"
        )
        assert 'dates = ["year-first"]' in text
        assert run.started_at is not None
        assert run.started_at.isoformat() == "2024-03-13T14:05:00+00:00"


class TestSignalsInTurn:
    """A row a point of another signal, as historians export them."""

    def test_each_signal_is_a_phase(self) -> None:
        """Rows of one signal belong together wherever they stand."""
        text, run = learned(
            "TagName;Timestamp;Value\nT1;2024-03-13 14:05:00;21.5\n"
            "T2;2024-03-13 14:05:00;22.5\nT1;2024-03-13 14:05:10;21.6\n"
            "T2;2024-03-13 14:05:10;22.6\n"
        )
        assert "join = true" in text
        assert [phase.name for phase in run.phases] == ["TagName T1", "TagName T2"]
        assert axes(run.phases[1].measurements[0])[1][2] == [22.5, 22.6]


class TestRowsAboutColumns:
    """Units and labels in rows that do not stand above their columns."""

    def test_a_label_before_the_first_column(self) -> None:
        """A key line of units has a cell more than the table."""
        text, run = learned(
            'Trigger Time,2024-03-13 14:05:00\n"Unit","s","V","A"\n'
            '"Time","CH1","CH2"\n0.0,5.00,0.50\n0.1,5.01,0.51\n'
        )
        assert "shift = -1" in text
        found = measured(run)
        assert [axis[1] for axis in axes(found["CH1"])] == ["s", "V"]
        assert axes(found["CH2"])[1][1] == "A"

    def test_a_row_of_labels_behind_the_time(self) -> None:
        """A narrow row of labels and one of units begin with the third column."""
        text, run = learned(
            'Label\n"T inlet","P feed"\nUnit\n"degC","bar"\nDate,Time,001,002\n'
            "2024/03/13,14:05:00,20.0,4.0\n2024/03/13,14:05:01,20.1,4.1\n"
        )
        assert "shift = 2" in text
        found = measured(run)
        assert axes(found["001"])[1][1] == "degC"
        assert axes(found["002"])[1][1] == "bar"
        assert "P feed" in found["002"].attributes.values()

    def test_rows_below_the_header_that_begin_with_blanks(self) -> None:
        """Labels and units below the names are no header of their own."""
        text, run = learned(
            "Date,Time,CH1,CH2\n,,T in,Flow\n,,degC,l/min\n"
            "2024/03/13,14:05:00,20.0,4.0\n2024/03/13,14:05:01,20.1,4.1\n"
        )
        assert "offset = 2" in text
        assert axes(measured(run)["CH2"])[1][1] == "l/min"

    def test_a_shift_is_a_whole_number(self) -> None:
        """Another is refused, with its key."""
        with pytest.raises(ConfigurationError, match="whole number") as caught:
            read('roles = [{ row = "Unit", is = "unit", shift = "1" }]', "a\n1\n")
        assert caught.value.place == "roles[0].shift"


class TestHeaders:
    """Which line names the columns, where several look like it."""

    def test_a_key_before_two_columns(self) -> None:
        """A spectrum's last key is no header."""
        text, run = learned(
            "Type;FSV\nStart;950000000;Hz\nDetector;AUTOPEAK;\ny-Unit;dBm;\n"
            "Values;3;\n950000000.0;-70.1;\n960000000.0;-70.2;\n970000000.0;-70.3;\n"
        )
        assert "what the columns are called" in text
        assert run.started_at is None
        assert axes(measured(run)["y1"])[1][2] == [-70.1, -70.2, -70.3]

    def test_channels_that_are_numbers(self) -> None:
        """Names of channels may be numbers, behind the name of the time."""
        _, run = learned(
            "Device,GP10\nDate Time,0001,0002\n2024/03/13 14:05:00,20.0,30.0\n"
            "2024/03/13 14:05:01,20.1,30.1\n"
        )
        assert set(measured(run)) == {"0001", "0002"}

    def test_a_first_name_that_is_a_test_id(self) -> None:
        """The header of a table of a database is a header."""
        text, run = learned(
            "test_id\tserial\tparameter\tresult\tlow_limit\thigh_limit\tpass\n"
            "1\t017\tt0\t0.51\tNULL\t5\ttrue\n2\t017\tt1\t1.12\tNULL\t5\ttrue\n"
        )
        assert 'fields.value = "result"' in text
        assert measured(run)["t1"].value == 1.12

    def test_parts_of_one_table(self) -> None:
        """A simulator's steps are phases, whose names stand between the points."""
        _, run = learned(
            "time\tV(out)\nStep Information: R=1K\n0.0\t0.1\n1.0\t0.2\n"
            "Step Information: R=2K\n0.0\t0.3\n1.0\t0.4\n"
        )
        assert [phase.name for phase in run.phases] == [
            "Step Information: R=1K",
            "Step Information: R=2K",
        ]
        assert axes(run.phases[1].measurements[0])[1] == ("V(out)", None, [0.3, 0.4])

    def test_a_status_that_is_no_verdict(self) -> None:
        """The status of a cycler judges nothing."""
        _, run = learned(
            "Step,Status,Step Time,Voltage\n1,PAU,0.0,3.6\n1,PAU,10.0,3.6\n"
            "2,CHA,0.0,3.7\n2,CHA,10.0,3.8\n"
        )
        assert [phase.name for phase in run.phases] == ["Step 1", "Step 2"]


class TestLimitsOnTheRight:
    """Columns of limits that have one name for all measurements."""

    def test_each_measurement_has_its_own(self) -> None:
        """A value, its minimum and its maximum, then the next value."""
        text, run = learned(
            "Serial;Torque [Nm];min;max;Current [A];min;max;Result\n"
            "A1;12.1;11.5;13.0;1.2;1.0;1.8;OK\nA2;12.2;11.5;13.0;1.3;1.0;1.8;OK\n"
        )
        assert 'lower = { right = "min" }' in text
        found = measured(run)
        assert set(found) == {"Torque", "Current"}
        current = found["Current"].limits
        assert current is not None
        assert (current.lower, current.upper) == (1.0, 1.8)

    def test_one_measurement_alone(self) -> None:
        """A column that no limits stand beside has none."""
        _, run = learned(
            "Part ID,Pressure (psig),Leak (sccm),Low Limit,High Limit,Result\n"
            "0017,15.0,0.02,0,0.5,Pass\n0018,15.1,0.03,0,0.5,Pass\n"
        )
        found = measured(run)
        assert found["Pressure"].limits is None
        assert found["Leak"].limits is not None

    def test_names_without_the_unit(self) -> None:
        """``Torque min`` belongs to ``Torque [Nm]``."""
        _, run = learned(
            "VIN;Torque [Nm];Torque min;Torque max;Result\n"
            "WVWZZZ1JZXW000001;25.1;24.0;27.0;OK\nWVWZZZ1JZXW000002;25.2;24.0;27.0;OK\n"
        )
        limits = measured(run)["Torque"].limits
        assert limits is not None
        assert (limits.lower, limits.upper) == (24.0, 27.0)


def test_digits_behind_a_zero_stay_a_text() -> None:
    """A code in a column of a series keeps its zeros."""
    found = read(
        'form = "series"\nseries.x = "n"\n', "n,code,v\n0001,00123,5\n0002,00124,6\n"
    )
    kept = measured(found.runs[0])
    assert axes(kept["code"]) == [
        ("n", None, [1, 2]),
        ("code", None, ["00123", "00124"]),
    ]


SCOPE = """//YOKOGAWA ASCII FILE FORMAT
Model,DL850
TraceName,"CH1  ","CH2  "
BlockSize,3,3
VUnit,V,A
HResolution,1.0E-03,1.0E-03
HOffset,-1.0E-03,-1.0E-03
HUnit,s,s
Date,2024/03/13,2024/03/13
Time,14:05:00.00,14:05:00.00

,0.1,0.5
,0.2,0.6
,0.3,0.7
"""
LABVIEW = """channel names:
ai0\tai1
start times:
3/13/2024 14:05:00\t3/13/2024 14:05:00
dt:
0.001\t0.001
data:
5.0\t3.0
5.1\t3.1
"""


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("yokogawa-scope", SCOPE, ("CH2", "A", [0.5, 0.6, 0.7])),
        ("signal-express", LABVIEW, ("ai1", None, [3.0, 3.1])),
    ],
)
def test_built_in(
    name: str, content: str, expected: tuple[str, str | None, list[float]]
) -> None:
    """Common exports need no declaration."""
    source = Source.from_bytes(content.encode(), "log.csv")
    assert checked_draft(source)[1]
    found = try_profile(load_profile(Path(name)), source, time_zone="UTC")
    series = axes(measured(found.runs[0])[expected[0]])
    assert series[1] == expected
    assert len(series[0][2]) == len(expected[2])


class TestMoreDrafts:
    """What a draft says of testers, simulators and analysers."""

    def test_units_in_keys_of_a_table_without_names(self) -> None:
        """A spectrum's units stand above it."""
        _, run = learned(
            "X Axis Units,Hz\nY Axis Units,dBm\nDATA,\n9.5e8,-70.1\n9.6e8,-70.2\n"
            "9.7e8,-70.3\n"
        )
        assert [axis[1] for axis in axes(measured(run)["y1"])] == ["Hz", "dBm"]

    def test_names_blanks_apart_above_rows_tabs_apart(self) -> None:
        """A line of dashes below the names is none of them."""
        _, run = learned(
            "Index   time    v(out)\n------------------------\n0\t0.0\t1.0\t\n"
            "1\t0.1\t1.1\t\n2\t0.2\t1.2\t\n"
        )
        assert axes(measured(run)["v(out)"])[0] == ("time", None, [0.0, 0.1, 0.2])

    def test_several_keys_in_a_line(self) -> None:
        """Names and texts that stand blanks apart; a time of day is no name."""
        text, run = learned(
            "PCB: 4711-02   S/N: 123456\nDate: 03/13/2024 14:05:00  Operator: JD\n\n"
            "Name   Measured   Lo    Hi    Result\nR1     1001.2     950   1050  PASS\n"
            "R2     2250.1     1900  2100  FAIL\nR3     10.1       9     11    PASS\n"
        )
        assert 'fields.operator = { key = "Operator" }' in text
        assert (run.unit.serial_number, run.operator) == ("123456", "JD")

    def test_a_row_that_would_end_the_table_is_asked_for(self) -> None:
        """A row with fewer cells is no footer by itself."""
        source = Source.from_bytes(
            b"Serial: 7\nName Measured Lo Hi Result\nR1   1001.2  950  1050 PASS\n"
            b"R2   2250.1  1900 2100 FAIL\nU3   SHORT   PASS\n",
            "log.txt",
        )
        text, ready = checked_draft(source)
        assert not ready
        assert "whether line 5 is a row of the table" in text

    def test_records_between_a_begin_and_an_end(self) -> None:
        """Few records are records, if the first begins a unit and the last ends it."""
        text, run = learned(
            "START;;4711;;20240313140500\nSN;W12\nANL;R1;4.71;4.2;5.2\n"
            "ANL;R2;9.9;9.0;11.0\nEND;FAIL\n"
        )
        assert 'form = "record"' in text
        assert (run.unit.serial_number, run.outcome.value) == ("W12", "FAIL")
        assert measured(run)["R2"].value == 9.9

    def test_a_row_of_units_that_begins_with_a_count(self) -> None:
        """A potentiostat writes ``#`` for the unit of what it counts: no comment."""
        _, run = learned(
            "TITLE\tLABEL\tEIS\tTest\nZCURVE\tTABLE\n\tPt\tTime\tFreq\tZreal\n"
            "\t#\ts\tHz\tohm\n\t0\t0.0\t1000.5\t1.1\n\t1\t1.5\t500.5\t1.2\n"
            "\t2\t3.0\t250.5\t1.3\n"
        )
        assert [axis[1] for axis in axes(measured(run)["Zreal"])] == ["s", "ohm"]

    def test_capital_letters_of_powers_of_ten(self) -> None:
        """In-circuit testers write 98.2N and 4.7K."""
        text, run = learned(
            "SN,Test,Value,Low,High,Unit,Result\n7,C12,98.2N,80N,120N,F,PASS\n"
            "7,R1,4.71K,4.2K,5.2K,Ohm,PASS\n"
        )
        assert "suffixes = true" in text
        assert measured(run)["C12"].value == 98.2e-9

    def test_an_analyser_of_semiconductors(self) -> None:
        """Rows that say what they are in their first cell."""
        source = Source.from_bytes(
            b"SetupTitle, Id-Vg\nDataName, Vg, Id\nDimension1, 2, 2\n"
            b"DataValue, 0.0, 1E-9\nDataValue, 0.1, 2E-9\n",
            "a.csv",
        )
        assert checked_draft(source)[1]
        found = try_profile(load_profile(Path("keysight-easyexpert")), source)
        assert axes(measured(found.runs[0])["Id"])[-1][2] == [1e-9, 2e-9]
        assert found.runs[0].procedure.name == "Id-Vg"
