"""Drafts for logs of factories, recorders and scripts: right, or asking."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime

from rigbridge.adapters import Source
from rigbridge.model import Measurement, Run, Series
from rigbridge_csv.learning.check import checked_draft
from rigbridge_csv.learning.trial import ProfileTrial, try_profile
from rigbridge_csv.profiles.choice import named_profile
from rigbridge_csv.profiles.profile import make_profile


def learned(content: str, name: str = "log.csv") -> tuple[str, ProfileTrial]:
    """Give the draft for a log, and what it reads in it."""
    source = Source.from_bytes(content.encode(), name)
    text, _ = checked_draft(source)
    profile = make_profile(tomllib.loads(text), "")
    return text, try_profile(profile, source, time_zone="UTC")


def measured(run: Run) -> dict[str, Measurement]:
    """Give the measurements of a run by their names."""
    return {m.name: m for phase in run.phases for m in phase.measurements}


def unit(measurement: Measurement) -> str | None:
    """Give the unit of a series."""
    assert isinstance(measurement.value, Series)
    return measurement.value.measured.unit


def test_rows_with_a_label_and_a_gap_say_something_of_the_columns() -> None:
    """The header is the row above them, whose cells the gap leaves blank."""
    _, found = learned(
        "FCT,Version: 2.3,,,,\nSite,SerialNumber,Status,StartTime,VBAT,FW\n"
        "Display Name ----->,,,,Battery,Firmware\nPriority ----->,,,,0,1\n"
        "Upper Limit ----->,,,,4.35,NA\nLower Limit ----->,,,,3.6,NA\n"
        "Measurement Unit ----->,,,,V,\n"
        "SZ,C02X1,PASS,2024/03/13 14:05:01,3.98,1.10\n"
        "SZ,C02X2,FAIL,2024/03/13 14:07:01,3.97,1.10\n"
    )
    assert [run.unit.serial_number for run in found.runs] == ["C02X1", "C02X2"]
    battery = measured(found.runs[0])["VBAT"]
    assert (battery.value, battery.unit) == (3.98, "V")
    assert battery.limits is not None
    assert (battery.limits.lower, battery.limits.upper) == (3.6, 4.35)


def test_a_logger_with_four_rows_above_its_points() -> None:
    """Campbell's format is built in: names, units, and how each value was made."""
    source = Source.from_bytes(
        b'"TOA5","st3"\r\n"TIMESTAMP","RECORD","T(1)"\r\n"TS","RN","Deg C"\r\n'
        b'"","","Avg"\r\n"2024-03-13 14:05:00",0,23.1\r\n"2024-03-13 14:06:00",1,"NAN"',
        "Table1.dat",
    )
    assert checked_draft(source)[1]
    profile = named_profile("campbell-toa5", ())
    (run,) = try_profile(profile, source, time_zone="UTC").runs
    assert (run.station, unit(measured(run)["T(1)"])) == ("st3", "Deg C")
    assert run.started_at is not None


def test_a_unit_before_its_source() -> None:
    """``Temp, °C (LGR S/N: 1)``; the points are over the clock, not their number."""
    text, found = learned(
        '"Plot Title: 4"\n"#","Date Time, GMT-05:00","Temp, °C (LGR S/N: 1, SEN: 2)"\n'
        "1,03/13/24 02:05:00 PM,23.1\n2,03/13/24 02:06:00 PM,23.2\n"
    )
    assert 'series = { x = "Date Time, GMT-05:00" }' in text
    assert unit(measured(found.runs[0])["Temp"]) == "°C"
    assert found.runs[0].started_at is not None


def test_units_above_that_belong_to_other_columns() -> None:
    """Where names hold their units, a shorter row of units is none of theirs."""
    _, found = learned(
        '"Ch","U1","I1"\n"Unit","V","A"\n"Date","Time","U1[V]","I1[A]"\n'
        '"2024/03/13","14:05:06",100.1,1.1\n"2024/03/13","14:05:07",100.2,1.2\n'
    )
    assert unit(measured(found.runs[0])["U1"]) == "V"


def test_limits_whose_names_lack_a_word() -> None:
    """``Torque Min`` is the limit of ``Final Torque``."""
    _, found = learned(
        "VIN;Final Torque;Torque Min;Torque Max;Torque Unit;Status\n"
        "WVWZZZ1KZ6W000001;12.3;11.0;13.0;Nm;OK\n"
        "WVWZZZ1KZ6W000002;10.3;11.0;13.0;Nm;NOK\n"
    )
    torque = measured(found.runs[1])["Torque"]
    assert (torque.value, torque.unit) == (10.3, "Nm")
    assert torque.limits is not None
    assert (torque.limits.lower, torque.limits.upper) == (11, 13)


def test_values_of_many_notations() -> None:
    """Hexadecimal numbers, brackets and percents make rows, not a header."""
    text, _ = learned(
        "Serial No.,Test,Low,Measured,High,Status\n7,Reg,0x1F,0x1F,0x1F,PASS\n"
        "7,Offset,(5.0),(1.25),5.0,PASS\n7,R,4k5,4k7,4k9,PASS\n7,Leak,,>=10,5,PASS\n"
    )
    assert 'fields.measurement = "Test"' in text


def test_which_of_two_codes_is_asked_for() -> None:
    """A panel has boards; the type of a part is no serial number."""
    text, found = learned(
        "PanelBarcode,BoardBarcode,Result,PartNo\nP1,P1-1,NG,R0402\n"
        "P1,P1-2,GOOD,C0402\nP1,P1-3,GOOD,L0402\n"
    )
    assert "DECLARE: which of 'PanelBarcode', 'BoardBarcode'" in text
    assert found.runs[0].unit.serial_number == "P1-1"


def test_the_model_of_an_instrument_is_no_part_number() -> None:
    """Beside its maker, model, version and serial number are those of the bench."""
    text, _ = learned(
        "Vendor,ACME\nModel,GL840\nSerial Number,0044\nIndex,Time (s),U (V)\n"
        "1,0.0,3.3\n2,0.1,3.4\n"
    )
    assert "part_number" not in text
    assert "DECLARE: which column, key or part of the file's name" in text


def test_a_second_table_ends_the_first() -> None:
    """Its rows are not read by the names of the first; the draft says so."""
    text, found = learned(
        "Station;MP-03\nSerial number;00047\nResult;NOK\n\nProcess values\n"
        "Object;Name;Value;Min;Max;Result\nE1;F max;9,8;8,0;9,5;NOK\n"
        "E2;F min;1,2;1,0;1,5;OK\n\nCurve\nX;Y\nmm;kN\n0,0;0,0\n1,0;0,2\n2,0;1,2\n"
    )
    assert "begins points that are wanted" in text
    (run,) = found.runs
    assert (run.unit.serial_number, list(measured(run))) == (
        "00047",
        ["F max", "F min"],
    )


def test_a_verdict_below_the_rows() -> None:
    """A key behind the end of the table is that of the whole run."""
    text, found = learned(
        "Serial;35\nTest Item;Low;Measured;Status\nPower;31;32;Passed\n"
        "Drift;-9;-8;Passed\nOverall;Failed\n"
    )
    assert 'fields.run_outcome = { key = "Overall" }' in text
    assert found.runs[0].outcome.value == "FAIL"


def test_lines_of_a_script_that_begin_with_the_time() -> None:
    """Commas in a log make no table; limits and verdicts stand in its lines."""
    _, found = learned(
        "2024-03-13 14:05:06,123 - INFO - Test started, serial=SN-0042, operator=ann\n"
        "2024-03-13 14:05:07,001 - INFO - supply: 3.31 V (limits 3.20 .. 3.40) PASS\n"
        "2024-03-13 14:05:08,002 - WARNING - retry i2c\n"
        "2024-03-13 14:05:09,003 - INFO - ripple: 120 mV (limits 0 .. 100) FAIL\n"
        "2024-03-13 14:05:09,903 - INFO - Test finished: FAIL\n",
        "bench.log",
    )
    (run,) = found.runs
    assert (run.unit.serial_number, run.outcome.value) == ("SN-0042", "FAIL")
    ripple = measured(run)["ripple"]
    assert (ripple.value, ripple.unit, ripple.outcome.value) == (120, "mV", "FAIL")
    assert ripple.limits is not None
    assert ripple.limits.upper == 100


def test_numbers_a_blank_apart() -> None:
    """A cycler's names begin with the sign of its other lines."""
    text, found = learned(
        "~Battery: c17\n~Start of Test: 13.03.2024 14:05:06\n"
        "~Time[h] DataSet U[V]\n0.0 1 3.05\n0.1 2 3.06\n0.2 3 3.07\n",
        "c17.txt",
    )
    assert 'delimiter = "blanks"' in text
    assert unit(measured(found.runs[0])["U"]) == "V"


def test_the_days_of_a_spreadsheet() -> None:
    """A start of 45364.58 is a date."""
    text, found = learned(
        "SN,Timestamp,U,Result\nA,45364.58,5,PASS\nB,45364.59,5,PASS\n"
    )
    assert 'dates = ["excel"]' in text
    assert found.runs[0].started_at is not None


def test_a_row_of_few_numbers_is_no_header() -> None:
    """The names stand above all rows of their width, whatever these hold."""
    text, found = learned(
        "Serial,Test,Value,Unit,Verdict\n9,Rins,OL,MOhm,PASS\n9,Vac,230 ± 1,V,PASS\n"
        "9,Temp,#N/A,C,PASS\n9,Pwr,1.2E+03,W,PASS\n"
    )
    assert 'fields.measurement = "Test"' in text
    assert found.runs[0].unit.serial_number == "9"
    assert measured(found.runs[0])["Pwr"].value == 1200


def test_pairs_with_blank_cells_between() -> None:
    """Names end with a colon; a date above and a clock in each row are one start."""
    text, found = learned(
        "Prüfplatz:;P4;;Bediener:;Müller;\nAuftrag:;A-0815;;Datum:;13.03.2024;\n"
        "Seriennummer;Uhrzeit;U [V];Ergebnis;\n0123;14:05:06;12,01;i.O.;\n"
        "0124;14:06:06;11,51;n.i.O.;\n"
    )
    assert '{ key = "Datum", column = "Uhrzeit" }' in text
    run = found.runs[0]
    assert run.started_at == datetime(2024, 3, 13, 14, 5, 6, tzinfo=UTC)
    assert (run.operator, run.station, run.unit.batch_number) == (
        "Müller",
        "P4",
        "A-0815",
    )


def test_tables_side_by_side() -> None:
    """Names that come again by turns are a header; each y is over its own x."""
    _, found = learned(
        "Trace 1,,Trace 2,\nX,Y,X,Y\nHz,%,Hz,%\n20,0.01,30,0.02\n40,0.03,60,0.04\n"
    )
    second = measured(found.runs[0])["Y (2)"].value
    assert isinstance(second, Series)
    assert [(axis.unit, list(axis.values)) for axis in second.axes] == [
        ("Hz", [30, 60]),
        ("%", [0.02, 0.04]),
    ]


def test_a_header_with_more_columns_amid_the_rows() -> None:
    """Only the rows above it are looked at; those below are read by it."""
    text, found = learned(
        "Time,SN,U,Result\n2024-03-13T14:05:06,A1,5.0,PASS\n"
        "2024-03-13T14:05:07,A2,5.1,PASS\nTime,SN,U,I,Result\n"
        "2024-03-13T15:05:06,A3,5.0,0.2,PASS\n"
    )
    assert "DECLARE" not in text
    assert measured(found.runs[2])["I"].value == 0.2
