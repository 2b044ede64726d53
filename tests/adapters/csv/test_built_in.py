"""Exports of instruments that need no declaration."""

from __future__ import annotations

import pytest

from rigbridge.adapters import Source
from rigbridge.errors import UnrecognizedSourceError
from rigbridge.model import Run, Series
from rigbridge.testing import read_all
from rigbridge_csv import CSVAdapter


def export(content: str, name: str = "scope.csv") -> Run:
    """Read an export without any profile of the site."""
    reading = read_all(CSVAdapter(), Source.from_bytes(content.encode(), name))
    assert reading.failures == ()
    (run,) = reading.runs
    return run


def channels(run: Run) -> list[tuple[str, str | None, list[object], list[object]]]:
    """Give name, unit, x and points of each channel."""
    return [
        (
            measurement.name,
            measurement.value.measured.unit,
            list(measurement.value.axes[0].values),
            list(measurement.value.measured.values),
        )
        for phase in run.phases
        for measurement in phase.measurements
        if isinstance(measurement.value, Series)
    ]


def test_keysight() -> None:
    """The row below the header holds the units of all columns."""
    run = export("x-axis,1,2\nsecond,Volt,Ampere\n-2e-03,0.5,5\n-1e-03,0.6,5.5\n")
    assert channels(run) == [
        ("1", "Volt", [-0.002, -0.001], [0.5, 0.6]),
        ("2", "Ampere", [-0.002, -0.001], [5.0, 5.5]),
    ]


def test_rigol() -> None:
    """Start and increment stand beside the units: they make the times."""
    run = export(
        "X,CH1,Start,Increment,\nCounter,Volt,-6.0e-03,5.0e-04\n0,0.12,\n1,0.13,\n"
    )
    assert channels(run) == [("CH1", "Volt", [-0.006, -0.0055], [0.12, 0.13])]
    assert run.metadata == {"Start": "-6.0e-03", "Increment": "5.0e-04"}
    series = run.phases[0].measurements[0].value
    assert isinstance(series, Series)
    assert (series.axes[0].name, series.axes[0].unit) == ("time", "s")


def test_siglent() -> None:
    """Channels stand in a line of their own, with their units below."""
    run = export(
        "Record Length,Analog:2\nVertical Units,CH1:V,CH2:A\nModel Number,SDS1104X-E\n"
        "Source,CH1,CH2\nSecond,Volt,Amp\n-7.0E-07,0.02,1\n-6.9E-07,0.03,2\n"
    )
    assert run.station == "SDS1104X-E"
    assert channels(run) == [
        ("CH1", "Volt", [-7e-07, -6.9e-07], [0.02, 0.03]),
        ("CH2", "Amp", [-7e-07, -6.9e-07], [1, 2]),
    ]


def test_siglent_without_channels() -> None:
    """The unit stands in a key, behind the channel or alone."""
    run = export(
        "Record Length,Analog:2\nVertical Units,CH1:V\nHorizontal Units,s\n"
        "Second,Volt\n-7.0E-07,0.02\n-6.9E-07,0.03\n"
    )
    assert channels(run) == [("Volt", "V", [-7e-07, -6.9e-07], [0.02, 0.03])]


def test_tektronix_with_keys_beside_the_samples() -> None:
    """A log without a header whose keys stand beside its samples."""
    run = export(
        "Record Length,3,,-0.2,-3.6,\nSample Interval,1e-1,,-0.1,-3.5,\n"
        "Vertical Units,V,,0.0,-3.4,\n"
    )
    assert channels(run) == [("voltage", "V", [-0.2, -0.1, 0.0], [-3.6, -3.5, -3.4])]
    assert run.metadata["Record Length"] == "3"


def test_labview_without_x() -> None:
    """Where no column has the x, start and step of each channel make it."""
    run = export(
        "LabVIEW Measurement\t\nX_Columns\tNo\n***End_of_Header***\t\n"
        "Channels\t1\nX0\t0.5\nDelta_X\t0.25\n***End_of_Header***\t\n"
        "X_Value\tU\n\t1.5\n\t2.5\n",
        "a.lvm",
    )
    assert [(name, points) for name, _, _, points in channels(run)] == [
        ("U", [1.5, 2.5])
    ]


def test_labview_with_a_decimal_comma() -> None:
    """The heading declares it; tabs stand between the cells."""
    run = export(
        "LabVIEW Measurement\t\r\nSeparator\tTab\r\nDecimal_Separator\t,\r\n"
        "***End_of_Header***\t\r\nChannels\t1\r\nX0\t0,0\r\nDelta_X\t0,5\r\n"
        "***End_of_Header***\t\r\nX_Value\tU\tComment\r\n\t1,5\r\n\t2,5\r\n",
        "a.lvm",
    )
    assert channels(run) == [("U", None, [0.0, 0.5], [1.5, 2.5])]


def test_labview_with_an_x_a_channel() -> None:
    """Each channel is taken over the nearest x on its left."""
    run = export(
        "LabVIEW Measurement\nSeparator,Comma\nDecimal_Separator,.\n"
        "***End_of_Header***\n\nChannels,2,,,\n***End_of_Header***,,,,\n"
        "X_Value,Force,X_Value,Travel,Comment\n0,1.1,0,2.1,\n0.1,1.2,0.2,2.2,\n",
        "a.lvm",
    )
    assert channels(run) == [
        ("Force", None, [0, 0.1], [1.1, 1.2]),
        ("Travel", None, [0, 0.2], [2.1, 2.2]),
    ]


def test_an_in_circuit_tester() -> None:
    """A block that failed at first and was retried stays as it stands."""
    run = export(
        "{@BATCH|P-7|2|||||260314124637||ICT4|\n"
        "{@BTEST|00382-1|00|260314125041|57|0|all||n|n|260314125138\n"
        "{@BLOCK|1%c5|01\n{@A-CAP|1|+5.9E-06{@LIM3|+4.7E-06|+5.8E-06|+3.8E-06}}\n"
        "{@A-CAP|0|+5.7E-06{@LIM3|+4.7E-06|+5.8E-06|+3.8E-06}}\n}\n"
        "{@BLOCK|1%l5|00\n{@A-JUM|0|-2.5E+01{@LIM2|+9.999999E+99|+1.8E+04}}\n}\n}}",
        "panel",
    )
    assert (run.unit.serial_number, run.outcome.value) == ("00382-1", "PASS")
    capacitor, jumper = run.phases
    assert (capacitor.outcome.value, jumper.outcome.value) == ("FAIL", "PASS")
    (value,) = jumper.measurements
    assert value.limits is not None
    assert (value.value, value.limits.lower, value.limits.upper) == (-25.0, 18000, None)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x00\x02\x00\x0a\x02\x04", "an STDF file"),
        (b"TDSm\x0e\x00", "an NI TDMS file"),
        (b"<?xml version='1.0'?><testsuites/>", "a JUnit XML report"),
        (b"<robot generator='x'/>", "a Robot Framework report"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook"),
    ],
)
def test_a_file_of_another_format_is_told_by_name(content: bytes, words: str) -> None:
    """What is named as a log and is none says what it is."""
    source = Source.from_bytes(content, "a.csv")
    match = CSVAdapter().detect(source.head, source.name)
    assert match is not None
    assert match.score == 0.1
    with pytest.raises(UnrecognizedSourceError, match=words):
        read_all(CSVAdapter(), source)
