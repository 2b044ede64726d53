"""Real logs, where they are at hand: a profile for each, values read by eye."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rigbridge.adapters import Source
from rigbridge.model import Limit, Measurement, Run, Series
from rigbridge.testing import Reading, read_all
from rigbridge_csv import CSVAdapter, CSVSettings

SAMPLES = Path(__file__).parents[3] / "../shared/samples/csv"
KNOWN = ("ladisk", "scottprahl", "tektronix", "FelixSnz")
NAMES = (
    r"^(?P<name>.+?)(?: \((?P<unit>[^)]*)\))? +(?:(?P<lower>\S+) <= x <= (?P<upper>\S+)"
    r"|(?P<comparator>==) (?P<equal>\S+)) \[\d+\]$"
)
STATION = {
    "form": "wide",
    "missing": ["None"],
    "names": NAMES,
    "fields": {
        "started_at": "Test Start",
        "station": "Station ID",
        "serial_number": "Serial Number",
        "run_outcome": "Test Status",
    },
    "metadata": ["Test Socket", "Test Time (s)"],
}

pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="the shared samples are not beside this checkout"
)


def read(start: str, **profile: Any) -> Reading:
    """Read the sample whose name begins so, by a profile or by what is built in."""
    (path,) = SAMPLES.glob(f"{start}*")
    profiles = [{"name": "site", **profile}] if profile else []
    settings = CSVSettings.from_mapping({"profiles": profiles})
    return read_all(CSVAdapter(settings), Source.from_path(path))


def one(reading: Reading) -> Run:
    """Give the only run."""
    assert reading.failures == ()
    (run,) = reading.runs
    return run


def points(measurement: Measurement) -> list[Any]:
    """Give the points of a series."""
    assert isinstance(measurement.value, Series)
    return list(measurement.value.measured.values)


def over(measurement: Measurement) -> list[Any]:
    """Give what a series is taken over."""
    assert isinstance(measurement.value, Series)
    return list(measurement.value.axes[0].values)


def test_a_tab_delimited_acoustic_log() -> None:
    """A log with both limits in one cell, or words, is read by a few settings."""
    reading = read(
        "Virinco",
        dates=["month-first"],
        fields={
            "serial_number": "Serial #:",
            "operator": "Operator:",
            "started_at": "Time:",
            "part_number": "Lot #:",
            "measurement": "Name",
            "value": "Margin",
            "unit": "Unit",
            "outcome": "Result",
            "limits": {
                "column": "Limits",
                "pattern": "(?P<upper>.*)/(?P<lower>.*)",
            },
            "procedure": {"value": "Acoustic"},
        },
    )
    assert reading.failures == ()
    assert len(reading.runs) == 8
    first, second = reading.runs[0].phases[0].measurements[:2]
    assert (first.name, first.value, first.unit) == ("Ave Sensitivity", 95.5, "dB")
    assert first.limits == Limit(lower=90.0, upper=100.0)
    assert first.attributes == {"Tolerance": "Max/Min"}
    assert second.validators == ("limits: Individual Pts.",)
    assert str(reading.runs[0].started_at) == "2020-07-22 10:22:14+00:00"


@pytest.mark.parametrize(
    ("start", "runs", "failures"),
    [
        ("ahmedlrashed__teststand-database-utility__raw_Test_Data_HL", 139, 0),
        ("ahmedlrashed__teststand-database-utility__raw_Test_Data_VDM", 91, 16),
        ("ahmedlrashed__teststand-database-utility__results_Test_Data_OMS", 312, 0),
        ("ahmedlrashed__teststand-database-utility__results_Test_Data_VDM", 24, 0),
    ],
)
def test_tables_of_a_test_station(start: str, runs: int, failures: int) -> None:
    """Limits in the names are limits; rows of a later, wider table are refused."""
    reading = read(start, **STATION)
    assert (len(reading.runs), len(reading.failures)) == (runs, failures)


def test_a_row_of_a_test_station() -> None:
    """Names, units and limits come from the header, the serial number as text."""
    reading = read(
        "ahmedlrashed__teststand-database-utility__raw_Test_Data_HL", **STATION
    )
    run = reading.runs[0]
    assert (run.unit.serial_number, run.outcome.value) == ("5551212", "PASS")
    first, _, _, trip = run.phases[0].measurements[:4]
    assert (first.name, first.value, first.unit) == ("HL_2.5V_Reference", 2.499, "V")
    assert first.limits == Limit(lower=2.45, upper=2.55)
    assert (trip.name, trip.value, trip.unit) == ("SplitVat HL_Trip ON", 1.0, None)
    assert trip.limits == Limit(lower=1, upper=1, comparator="==")


def test_leading_zeros_of_a_test_station() -> None:
    """A serial number keeps its zeros."""
    reading = read(
        "ahmedlrashed__teststand-database-utility__raw_Test_Data_VDM", **STATION
    )
    assert reading.runs[1].unit.serial_number == "0000019"
    assert "has 28 cells" in str(reading.failures[0])


def test_motors_with_limit_columns() -> None:
    """Columns with > and < in their names are exclusive limits of the one before."""
    reading = read(
        "slightlynybbled",
        form="wide",
        delimiter="tab",
        outcomes={"True": "PASS", "False": "FAIL"},
        fields={"started_at": "datetime", "run_outcome": "pass"},
        measurements={
            "columns": "bemf|hipot|position",
            "lower": "{} >",
            "upper": "{} <",
            "equal": "{} =",
        },
    )
    assert len(reading.runs) == 55
    failed = reading.runs[11]
    assert (failed.outcome.value, failed.metadata) == ("FAIL", {"failed": "bemf"})
    bemf = failed.phases[0].measurements[0]
    assert bemf.value == 10.86
    assert bemf.limits == Limit(
        lower=9.5,
        upper=10.8,
        lower_inclusive=False,
        upper_inclusive=False,
        comparator="> <",
    )


def test_a_cycler_with_unix_times() -> None:
    """The serial number stands in the file's name, each row has its time."""
    run = one(
        read(
            "TRI-AMDD__beep__FastCharge_000025_CH8.csv",
            form="series",
            dates=["unix"],
            series={"x": "Test_Time", "by": ["Cycle_Index", "Step_Index"]},
            fields={
                "serial_number": {"file": "stem", "pattern": r"_(\d+)_CH\d+$"},
                "started_at": "DateTime",
            },
        )
    )
    assert run.unit.serial_number == "000025"
    assert str(run.started_at) == "2017-05-13 03:14:03.471500+00:00"
    voltage = next(m for m in run.phases[0].measurements if m.name == "Voltage")
    assert points(voltage)[:2] == [3.3011441, 3.3011355]
    assert (len(points(voltage)), over(voltage)[0]) == (248, 10.0024)


def test_an_index_of_cyclers() -> None:
    """A table without measurements is a run a row, with its metadata."""
    run = one(
        read(
            "TRI-AMDD__beep__FastCharge_000025_CH8_Metadata",
            form="wide",
            dates=["unix"],
            measurements={"columns": []},
            fields={"serial_number": "item_id", "started_at": "first_start_datetime"},
        )
    )
    assert run.unit.serial_number == "EL150800453116"
    assert str(run.started_at) == "2017-05-13 03:13:34+00:00"
    assert run.metadata["databases"] == "ArbinResult_6,ArbinResult_7,"


def test_a_cycler_with_keys_and_ambiguous_dates() -> None:
    """Keys above the header are metadata, and the order of dates is declared."""
    profile: dict[str, Any] = {
        "form": "series",
        "keys": {},
        "header": {"find": "^Test,Cell,"},
        "names": r"^(?P<name>.+?) \((?P<unit>.+)\)$",
        "series": {"x": "Step Time (Seconds)", "by": ["Step"]},
        "fields": {
            "serial_number": "Cell ID",
            "started_at": {"key": "Start Time"},
            "batch_number": {"key": "LotID"},
        },
    }
    assert "month-first" in str(read("jepegit", **profile).failures[0])
    run = one(read("jepegit", **profile, dates=["month-first"]))
    assert run.unit.serial_number == "345626_9356111_33_6"
    assert run.unit.batch_number == "839"
    assert str(run.started_at) == "2026-01-06 17:46:49+00:00"
    voltage = next(m for m in run.phases[0].measurements if m.name == "Voltage")
    assert points(voltage)[:2] == [3.5690308, 3.568888]
    assert run.metadata["TestRegime CellSize"] == "1500 mAh"


def test_comments_of_a_script() -> None:
    """Parameters in comments are metadata."""
    run = one(
        read(
            "pymeasure",
            form="series",
            comment=["#"],
            keys={"separator": ":"},
            series={"x": "Iteration"},
        )
    )
    assert run.metadata["Random Seed"] == "54321"
    (number,) = run.phases[0].measurements
    assert points(number)[:2] == [0.003436653809785084, 0.0011213975570397716]
    assert over(number)[:3] == [0, 1, 2]


def test_a_network_analyzer() -> None:
    """Quotes amid names, comments, and the lines around a table."""
    run = one(
        read(
            "scikit-rf",
            form="series",
            quote={"sign": '"', "amid": True},
            comment=["!"],
            blocks={"begin": r"^BEGIN (?P<name>\w+)", "is": "phase"},
            data={"end": "^END"},
            series={"x": "Freq(Hz)"},
        )
    )
    (phase,) = run.phases
    assert phase.name == "CH1_DATA"
    assert [m.name for m in phase.measurements] == [
        "A,1(REAL)",
        "A,1(IMAG)",
        "R1,1(REAL)",
        "R1,1(IMAG)",
    ]
    assert points(phase.measurements[3]) == [4, 8]
    assert over(phase.measurements[3]) == [750000000000, 1100000000000]


def test_a_motion_sensor() -> None:
    """Each column is a series over the time stamps."""
    run = one(
        read(
            "tofupilot",
            form="series",
            delimiter="tab",
            series={"x": "timestamp"},
            fields={"serial_number": {"file": "stem", "pattern": "imu"}},
        )
    )
    gyro = run.phases[0].measurements[0]
    assert (gyro.name, points(gyro)[0]) == ("imu.gyro.x", -0.04710827768)
    assert (len(points(gyro)), over(gyro)[0]) == (8400, 256551281491968)


class TestBuiltIn:
    """Exports that need no declaration."""

    def test_an_in_circuit_tester(self) -> None:
        """Verdict, limits and values are those of the log."""
        run = one(read("FelixSnz"))
        assert run.unit.serial_number == "38258378-007-12151210"
        assert (run.outcome.value, run.station) == ("PASS", "095MCALLEN24")
        assert str(run.started_at) == "2021-08-05 12:50:41+00:00"
        assert len(run.phases) == 28
        resistor = run.phases[4].measurements[0]
        assert (resistor.value, resistor.unit) == (119802.0, "Ohm")
        assert resistor.limits == Limit(lower=110400.0, upper=129600.0)
        assert resistor.attributes == {"nominal": "+1.200000E+05"}

    def test_labview(self) -> None:
        """Each channel has its own x, and the unit of the heading above it."""
        run = one(read("ladisk"))
        voltage, acceleration = run.phases[0].measurements
        assert points(voltage) == [-0.035229, -0.034882, -0.034191]
        assert over(acceleration) == [0.0, 1.953125e-5, 3.90625e-5]
        assert isinstance(acceleration.value, Series)
        assert acceleration.value.measured.unit == "g"
        assert (run.operator, str(run.started_at)[:19]) == (
            "Ladisk",
            "2016-08-23 10:45:47",
        )

    def test_rigol(self) -> None:
        """Two channels of one name are told apart, and the keys are kept."""
        run = one(read("scottprahl"))
        one_channel, other = run.phases[0].measurements
        assert (one_channel.name, other.name) == ("Voltage", "Voltage (2)")
        assert points(one_channel)[:3] == [1.72, -4.52, -4.6]
        assert points(other)[:3] == [9.92, 9.92, 9.92]
        assert run.metadata["Sampling Frequency (Hz)"] == "500000000"

    def test_tektronix(self) -> None:
        """Digital channels are series of whole numbers."""
        run = one(read("tektronix"))
        assert (run.station, len(run.phases[0].measurements)) == ("MSO64", 8)
        channel = run.phases[0].measurements[0]
        assert (channel.name, len(points(channel))) == ("REF1_D7", 2500)
        assert over(channel)[0] == -4.99620312e-08


def test_logs_that_need_a_profile_are_left_alone() -> None:
    """Without a profile only the exports that are built in are claimed."""
    for path in sorted(SAMPLES.iterdir()):
        source = Source.from_path(path)
        match = CSVAdapter().detect(source.head, source.name)
        assert (match is not None) == path.name.startswith(KNOWN), path.name
