"""Drafts of profiles for logs of many kinds, and what these make of the logs."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from rigbridge.adapters import Source
from rigbridge.errors import UnrecognizedSourceError
from rigbridge.model import Run, Series
from rigbridge_csv.learning.check import checked_draft
from rigbridge_csv.learning.trial import try_profile
from rigbridge_csv.profiles.profile import make_profile


def learned(content: str) -> tuple[dict[str, Any], list[Run]]:
    """Give the keys of the draft for a log, and the runs that it reads in it."""
    source = Source.from_bytes(content.encode(), "log.csv")
    keys = tomllib.loads(checked_draft(source)[0])
    tried = try_profile(make_profile(keys, ""), source, time_zone="UTC")
    assert tried.failures == []
    return keys, tried.runs


def values(run: Run) -> dict[str, object]:
    """Give the values by name; of a series the points."""
    return {
        m.name: list(m.value.measured.values)
        if isinstance(m.value, Series)
        else m.value
        for phase in run.phases
        for m in phase.measurements
    }


def test_names_of_fixed_width_with_blanks() -> None:
    """Single blanks are within cells, where that makes all rows as wide."""
    keys, runs = learned(
        "Serial No   Test Name         Measured   Unit  Result\n"
        "00012345    Supply 3V3 rail   3.301      V     PASS\n"
        "00012346    Output ripple     0.012      V     FAIL\n"
    )
    assert keys["delimiter"] == "wide blanks"
    assert [run.unit.serial_number for run in runs] == ["00012345", "00012346"]
    assert values(runs[0]) == {"Supply 3V3 rail": 3.301}


def test_a_cell_that_is_lacking_amid_blanks_is_asked_for() -> None:
    """Which one it is nobody can tell: such a row is not filled up at its end."""
    source = Source.from_bytes(
        b"Serial   Test   Value   Low   High\n"
        b"0001     vcc    3.3     3.2   3.4\n"
        b"0002     vcc    3.3     3.4\n"
        b"0003     vcc    3.3     3.2   3.4\n",
        "log.csv",
    )
    text, ready = checked_draft(source)
    assert not ready
    assert "which cells line 3 lacks" in text


def test_a_table_of_pipes_and_rules() -> None:
    """The line of dashes below the names is none of them."""
    _, runs = learned(
        "| Serial | Test | Value | Result |\n"
        "|--------|------|-------|--------|\n"
        "| 000123 | VCC  | 3.301 | PASS   |\n"
    )
    assert (runs[0].unit.serial_number, values(runs[0])) == ("000123", {"VCC": 3.301})


def test_a_table_for_each_unit() -> None:
    """The header comes again, and what stands above it says something of each."""
    table = (
        "Unit,{0}\nStart,2026-03-14 09:1{0}:05\nTest,Value,Low,Result\n"
        "VCC,3.{0},3,PASS\n"
    )
    keys, runs = learned(table.format(1) + table.format(2))
    assert keys["blocks"]["is"] == "run"
    assert [run.metadata["Unit"] for run in runs] == ["1", "2"]
    assert [run.started_at and run.started_at.minute for run in runs] == [11, 12]


def test_test_steps_without_names() -> None:
    """What the columns are is told by what they hold, and asked for."""
    keys, (run,) = learned(
        "$SERIAL;0012345\n$DATE;14/03/2026;09:12:05\n"
        "1;R1;10.02;9.5;10.5;kOhm;PASS\n2;C7;101.2;90;110;nF;PASS\n"
        "3;R9;1.2;0.9;1.1;kOhm;FAIL\n"
    )
    assert keys["form"] == "long"
    assert values(run) == {"R1": 10.02, "C7": 101.2, "R9": 1.2}
    limits = run.phases[0].measurements[2].limits
    assert limits is not None
    assert (limits.lower, limits.upper) == (0.9, 1.1)
    assert run.started_at is not None
    assert run.started_at.hour == 9


def test_keys_with_a_number_above_rows_of_numbers() -> None:
    """A key with its unit is no header of rows that have fewer cells."""
    _, (run,) = learned(
        "Type;FSV-7;\nx-Axis;LIN;\nStart;9995;Hz\nStop;10005;Hz\nValues;3;\n"
        "9995;-80.1;\n9999;-79.2;\n10005;-30.5;\n"
    )
    assert run.metadata["Start"] == "9995; Hz"
    assert values(run)["y1"] == [-80.1, -79.2, -30.5]


def test_versions_stay_texts() -> None:
    """1.10 and 1.1 are two versions."""
    keys, runs = learned(
        "serial,fw_version,vcc,result\n1,1.10,3.3,PASS\n2,1.1,3.3,PASS\n"
    )
    assert keys["as_text"] == "fw_version"
    assert [values(run)["fw_version"] for run in runs] == ["1.10", "1.1"]


@pytest.mark.parametrize(
    ("first", "second", "points"),
    [
        ("00:00:00.0", "00:00:01.5", [0.0, 1.5]),
        ("0:00:10", "27:01:59", [10.0, 97319.0]),
        ("0d 00:00:01", "1d 00:00:01", [1.0, 86401.0]),
    ],
)
def test_durations_are_seconds(first: str, second: str, points: list[float]) -> None:
    """How long it took is a number, of which charts can be drawn."""
    _, (run,) = learned(f"Elapsed,U (V)\n{first},3.3\n{second},3.4\n")
    series = run.phases[0].measurements[0].value
    assert isinstance(series, Series)
    assert (list(series.axes[0].values), series.axes[0].unit) == (points, "s")


def test_a_cycle_alone_divides_too() -> None:
    """The example holds one cycle; the next one repeats the number of the step."""
    keys, _ = learned("Cycle,Step,Time,U (V)\n1,1,0,3.3\n1,1,1,3.3\n1,2,2,3.4\n")
    assert keys["series"]["by"] == ["Cycle", "Step"]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b'{"serial": "1", "value": 3.3}\n{"serial": "2"}\n', "JSON"),
        (b"K0100 2\nK1001 4711\n10.01\x140\x0f9.9\n", "Q-DAS"),
    ],
)
def test_other_formats_are_named(content: bytes, name: str) -> None:
    """What only looks like a table is told by its right name."""
    with pytest.raises(UnrecognizedSourceError, match=name):
        checked_draft(Source.from_bytes(content, "log.txt"))


def test_control_signs_of_an_example_stay_out_of_the_draft() -> None:
    """TOML forbids them, also in comments."""
    text, _ = checked_draft(Source.from_bytes(b"unit \x01 begins\nvcc: 3.3\n", "a.log"))
    assert tomllib.loads(text)["form"] == "record"


def test_a_duration_is_no_start() -> None:
    """The time that a step took is measured."""
    keys, (run,) = learned(
        "Serial:,AB1\nNo.,Mode,Current,Time,Judgement\n1,ACW,0.12,1.0s,PASS\n"
        "2,IR,9.9,2.0s,PASS\n"
    )
    assert "started_at" not in keys["fields"]
    assert run.unit.serial_number == "AB1"


@pytest.mark.parametrize(
    "head",
    [
        (
            "Numéro de série;A1\nDate d'essai;14/03/2026 09:12:05\nPoste;B2\n"
            "Essai;Valeur;Unité;Mini;Maxi;Résultat\n"
        ),
        (
            "Número de serie;A1\nFecha de prueba;14/03/2026 09:12:05\nPuesto;B2\n"
            "Prueba;Valor;Unidad;Mínimo;Máximo;Resultado\n"
        ),
        (
            "Seriennummer;A1\nPrüfdatum;14.03.2026 09:12:05\nPrüfstand;B2\n"
            "Merkmal;Istwert;Einheit;Unt. Toleranz;Ob. Toleranz;Bewertung\n"
        ),
        (
            "UUT Serial;A1\nTest date;2026-03-14 09:12:05\nStation;B2\n"
            "Test;Value;Unit;Min;Max;Result\n"
        ),
    ],
    ids=["fr", "es", "de", "en"],
)
def test_names_of_other_languages(head: str) -> None:
    """Keys and columns are told by the words of a rig's language."""
    log = f"{head}Vcc;3,31;V;3,2;3,4;OK\nIcc;12,3;mA;5,0;20,0;OK\n"
    text, ready = checked_draft(Source.from_bytes(log.encode(), "log.csv"))
    assert ready, text
    for field, named in (("started_at", "{ key"), ("station", "{ key")):
        assert f"fields.{field} = {named}" in text
    for field in ("lower_limit", "upper_limit", "measurement", "value", "outcome"):
        assert f"fields.{field} = " in text


def test_limits_that_stay_texts_are_asked_for() -> None:
    """A range with units is read; a tolerance stays a text, and the draft says so."""
    rows = "A1,Vcc,3.31 V,3.2 ~ 3.4 V,PASS\nA1,Icc,12.1 mA,10.0 ~ 15.0 mA,PASS\n"
    head = "SN,Test,Measured,Spec,Result\n"
    source = Source.from_bytes((head + rows).encode(), "log.csv")
    text, ready = checked_draft(source)
    assert ready, text
    more = f"{head}{rows}A1,Gain,20.1 dB,20 ± 1 dB,PASS\n"
    text, ready = checked_draft(Source.from_bytes(more.encode(), "log.csv"))
    assert not ready
    assert "# DECLARE: fields.limits: line 4" in text


def test_readings_are_no_verdicts() -> None:
    """A column of results that holds numbers, some below the range, is a value."""
    log = "Sample ID,Analyte,Result,Units\nS1,Lead,<0.5,ug\nS1,Copper,12.3,ug\n"
    text, ready = checked_draft(Source.from_bytes(log.encode(), "log.csv"))
    assert ready, text
    assert 'fields.value = "Result"' in text
