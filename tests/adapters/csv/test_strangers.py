"""Logs as real instruments write them: the draft alone reads them right."""

from __future__ import annotations

import tomllib

import pytest

from rigbridge.adapters import Source
from rigbridge.model import Measurement, Run, Series
from rigbridge.model.report import Disposition
from rigbridge_csv.learning.check import checked_draft
from rigbridge_csv.learning.trial import ProfileTrial, try_profile
from rigbridge_csv.profiles.choice import named_profile
from rigbridge_csv.profiles.profile import make_profile

LONG = {
    "german": (
        "Seriennummer;Prüfdatum;Prüfer;Merkmal;Istwert;Einheit;Untergrenze;Obergrenze;"
        "Bewertung\n"
        "07;20.03.2026 09:30:11;Eva;Isolation;1.234,5;MOhm;500;2.000;i.O.\n"
        "08;20.03.2026 09:31:11;Eva;Isolation;3,5;MOhm;500;2.000;n.i.O.\n"
    ),
    "spanish": (
        "Número de serie;Fecha;Prueba;Valor;Unidad;Mín;Máx;Resultado\n"
        "07;20/03/2026 09:30;Isolation;1234,5;MOhm;500;2000;Aprobado\n"
        "08;20/03/2026 09:31;Isolation;3,5;MOhm;500;2000;Rechazado\n"
    ),
    "japanese": (
        "製造番号,検査日時,検査項目,測定値,単位,下限値,上限値,判定\n"
        "07,2026/03/20 09:30:11,Isolation,1234.5,MOhm,500,2000,合格\n"
        "08,2026/03/20 09:31:11,Isolation,3.5,MOhm,500,2000,不合格\n"
    ),
    "engineering": (
        "SerialNo\tStart\tTest\tMeasured\tLL\tUL\tUnit\tP/F\n"
        "07\t2026-03-20T09:30:11\tIsolation\t1,234.5\t0.5k\t2,000\tMOhm\tP\n"
        "08\t2026-03-20T09:31:11\tIsolation\t3.5\t0.5k\t2,000\tMOhm\tF\n"
    ),
    "pairs": (
        "SN=07 DATE=2026-03-20T09:30:11 TEST=Isolation VALUE=1234.5 UNIT=MOhm LO=500 "
        "HI=2000 RESULT=PASS\n"
        "SN=08 DATE=2026-03-20T09:31:11 TEST=Isolation VALUE=3.5 UNIT=MOhm LO=500 "
        "HI=2000 RESULT=FAIL\n"
    ),
}


def tried(content: str, name: str = "log.csv", encoding: str = "utf-8") -> ProfileTrial:
    """Learn a log and read it by its draft."""
    source = Source.from_bytes(content.encode(encoding), name)
    text, _ = checked_draft(source)
    profile = make_profile(tomllib.loads(text), "")
    return try_profile(profile, source, time_zone="UTC")


def first(run: Run) -> Measurement:
    """Give the first measurement of a run."""
    return run.phases[0].measurements[0]


def units(run: Run) -> dict[str, str | None]:
    """Give the unit of each series by its name."""
    return {
        m.name: m.value.measured.unit
        for m in run.phases[0].measurements
        if isinstance(m.value, Series)
    }


@pytest.mark.parametrize("name", LONG)
def test_a_row_a_measurement(name: str) -> None:
    """Names, numbers, dates and verdicts of several languages and notations."""
    found = tried(LONG[name])
    assert [(r.unit.serial_number, r.outcome.value) for r in found.runs] == [
        ("07", "PASS"),
        ("08", "FAIL"),
    ]
    one = first(found.runs[0])
    assert (one.name, one.value, one.unit) == ("Isolation", 1234.5, "MOhm")
    assert one.limits is not None
    assert (one.limits.lower, one.limits.upper) == (500, 2000)
    assert found.runs[0].started_at is not None
    assert found.runs[0].started_at.day == 20


def test_a_datalog_whose_names_stand_in_a_row_of_their_own() -> None:
    """A row of test names above the header names the columns that it leaves blank."""
    found = tried(
        "Lot,L42\nTestNum,,,1001,1002\nTestName,,,VDD,Leak\nUnit,,,V,nA\n"
        "LowLimit,,,3.1,-10\nHighLimit,,,3.5,10\nPartID,Site,X,,\n"
        "1,0,12,3.30,0.1\n2,1,12,3.9,1.5\nTotal,2\n"
    )
    assert [run.unit.serial_number for run in found.runs] == ["1", "2"]
    measured = {m.name: m for m in found.runs[1].phases[0].measurements}
    assert measured["VDD"].value == 3.9
    assert measured["VDD"].unit == "V"
    assert measured["VDD"].attributes == {"TestNum": "1001"}


def test_statistics_below_the_rows_are_no_units() -> None:
    """Min, max and mean end the table; a quoted name goes over two lines."""
    found = tried(
        'Serial,Time,"Gain\n[dB]",Result,\nA1,2026-03-20 09:30,20.1,PASS,\n'
        "A2,2026-03-20 09:31,17.2,FAIL,\nMin,,17.2,,\nAverage,,18.6,,\n" + "\0" * 64
    )
    assert [run.unit.serial_number for run in found.runs] == ["A1", "A2"]
    assert first(found.runs[0]).unit == "dB"


def test_limits_in_brackets_behind_the_names() -> None:
    """``V5 [4.75..5.25 V]`` holds a range and a unit, ``[<=1.2 A]`` a limit."""
    found = tried(
        "Board ID,V5 [4.75..5.25 V],I5 [<=1.2 A],T [°C],Pass?\n"
        "B1,5.01,1.1,40,Y\nB2,5.31,1.1,41,N\n"
    )
    voltage, current, temperature = found.runs[1].phases[0].measurements
    assert voltage.limits is not None
    assert (voltage.limits.lower, voltage.limits.upper) == (4.75, 5.25)
    assert current.limits is not None
    assert (current.limits.lower, current.limits.upper) == (None, 1.2)
    assert (temperature.unit, found.runs[1].outcome.value) == ("°C", "FAIL")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            "timestamps;EngSpeed;VehSpeed\ns;rpm;km/h\n0,00;800,5;0,1\n0,01;801,2;0,2\n",
            {"EngSpeed": "rpm", "VehSpeed": "km/h"},
        ),
        (
            "Name\tTime\tU\nDescription\t\tSupply\nUnit\ts\tV\n\t0.0\t3.30\n\t0.1\t3.3\n",
            {"U": "V"},
        ),
        (
            "TestTime/Sec.,SCapacity/mAh/g,Voltage/V\n0,0.1,3.05\n60,0.2,3.06\n",
            {"SCapacity": "mAh/g", "Voltage": "V"},
        ),
    ],
)
def test_units_of_series(content: str, expected: dict[str, str]) -> None:
    """Units stand in a row, odd ones too, or behind the first slash of a name."""
    (run,) = tried(content).runs
    assert units(run) == expected


def test_records_below_their_steps() -> None:
    """Each step of a cycler's layered export is a phase with its records."""
    found = tried(
        "循环序号,容量(mAh)\n,工步序号,工步名称\n,,记录序号,时间,电压(V)\n"
        "1,2301.2\n,1,搁置\n,,1,0:00:00,3.65\n,,2,0:00:10,3.66\n"
        ",2,充电\n,,3,0:00:00,3.75\n,,4,0:00:10,3.76\n",
        encoding="gbk",
    )
    assert [phase.name for phase in found.runs[0].phases] == ["搁置", "充电"]
    assert units(found.runs[0])["电压"] == "V"


def test_keys_apart_by_blanks() -> None:
    """Lines of a name, a colon and a text stand above a table of blanks."""
    (run,) = tried(
        "@SERIAL : A19\n@DATE   : 2026/03/20 09:30:11\n"
        "*STEP NAME   VALUE    MEAS     UNIT  JUDGE\n"
        "    1 R1     10.00    9.98     KOHM  PASS\n"
        "    2 C7     100.0    80.1     NF    FAIL\n@RESULT : FAIL\n"
    ).runs
    assert (run.unit.serial_number, first(run).name) == ("A19", "R1")
    assert first(run).value == 9.98


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("lecroy-scope", "LECROYHDO,29541,Waveform\nTime,Ampl\n-5e-07,1\n-4e-07,2\n"),
        ("picoscope", "Time,Channel A\n(s),(V)\n\n-5e-07,1\n-4e-07,2\n"),
        ("rohde-schwarz-scope", "in s,CH1 in V\n-5e-07,1\n-4e-07,2\n"),
    ],
)
def test_oscilloscopes(name: str, content: str) -> None:
    """Exports that a built-in profile reads need no draft."""
    source = Source.from_bytes(content.encode(), "scope.csv")
    assert f"'{name}' reads it" in checked_draft(source)[0]
    (run,) = try_profile(named_profile(name, ()), source, time_zone="UTC").runs
    series = first(run).value
    assert isinstance(series, Series)
    assert list(series.axes[0].values) == [-5e-07, -4e-07]


class TestNotations:
    """What numbers look like is declared, and refused where it is not."""

    BASE = "serial_number,measurement,value,upper_limit\nA1,isolation,{},{}\n"

    def read(self, value: str, limit: str = "", **keys: object) -> ProfileTrial:
        """Read a value by a profile with more keys."""
        names = ("serial_number", "measurement", "value", "upper_limit")
        fields: dict[str, object] = {name: name for name in names}
        fields.update(keys.pop("fields", {}))  # type: ignore[call-overload]
        profile = make_profile({"name": "p", "fields": fields, **keys}, "")
        text = self.BASE.format(f'"{value}"', f'"{limit}"')
        return try_profile(profile, Source.from_bytes(text.encode(), "a.csv"))

    @pytest.mark.parametrize("text", ["1,234.5", "1 234.5", "1'234.5"])
    def test_undeclared_thousands_are_refused(self, text: str) -> None:
        """A number in groups is no text: the error says what to declare."""
        (error,) = self.read(text).failures
        assert error.place == "line 2, column 'isolation'"
        assert f'thousands = "{text[1]}"' in str(error)

    def test_declared_thousands(self) -> None:
        """They are read, of a limit too; a blank may be one that does not break."""
        (run,) = self.read("1\N{NO-BREAK SPACE}234.5", "2 000", thousands=" ").runs
        assert first(run).value == 1234.5
        assert first(run).limits is not None
        assert first(run).limits.upper == 2000  # type: ignore[union-attr]

    def test_digits_in_groups_without_limits_may_be_a_name(self) -> None:
        """``12 345`` and a version stay what they are."""
        assert first(self.read("1.234.567").runs[0]).value == "1.234.567"
        assert first(self.read("12 345").runs[0]).value == "12 345"

    def test_a_unit_behind_the_value(self) -> None:
        """A pattern takes the unit; what it does not fit is the value as it stands."""
        pattern = r"^(?P<value>[-+.\d]+)\s*(?P<unit>\D+)$"
        fields = {"value": {"column": "value", "pattern": pattern}}
        measured = first(self.read("12.01 VDC", fields=fields).runs[0])
        assert (measured.value, measured.unit) == (12.01, "VDC")
        assert first(self.read("OVERLOAD", fields=fields).runs[0]).value == "OVERLOAD"


def test_a_record_keeps_a_value_that_its_pattern_does_not_fit() -> None:
    """Neither the value nor a unit behind it vanishes from a record."""
    kinds = {
        "SN": {"is": "unit", "fields": {"serial_number": 2}},
        "M": {
            "is": "measurement",
            "fields": {
                "measurement": 2,
                "value": {"column": 3, "pattern": r"^(?P<value>\d+)(?P<unit>\w+)$"},
            },
        },
    }
    profile = make_profile(
        {"name": "p", "form": "record", "records": {"kinds": kinds}}, ""
    )
    source = Source.from_bytes(b"SN,A1\nM,vcc,12mV\nM,icc,OVER\n", "a.csv")
    (run,) = try_profile(profile, source).runs
    vcc, icc = run.phases[0].measurements
    assert (vcc.value, vcc.unit, icc.value) == (12, "mV", "OVER")


def test_a_title_above_the_table_is_left_out_by_a_rule() -> None:
    """A line of one cell is no loss; a name and a text that nobody declared is."""
    profile = make_profile(
        {"name": "p", "fields": {"measurement": "m", "value": "v"}}, ""
    )
    for line, lossy in (("My report", False), ("Chamber,7", True)):
        source = Source.from_bytes(f"{line}\nm,v\nvcc,3.3\n".encode(), "a.csv")
        report = try_profile(profile, source).report
        assert bool(report.count(Disposition.DROPPED)) is lossy
