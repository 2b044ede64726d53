"""Drafts of profiles: read the example right, or say what to declare."""

from __future__ import annotations

import io
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rigbridge.adapters import Source
from rigbridge.errors import ConfigurationError, UnrecognizedSourceError
from rigbridge.model import Run, Series
from rigbridge_csv.commands import app
from rigbridge_csv.learning.check import checked_draft
from rigbridge_csv.learning.trial import load_profile, try_profile
from rigbridge_csv.profiles.profile import make_profile


def learned(content: str | bytes, name: str = "log.csv") -> tuple[str, bool, list[Run]]:
    """Learn a log: the draft, whether it is ready, and the runs that it reads."""
    data = content if isinstance(content, bytes) else content.encode()
    source = Source.from_bytes(data, name)
    text, ready = checked_draft(source)
    profile = make_profile(tomllib.loads(text), "")
    return text, ready, try_profile(profile, source, time_zone="UTC").runs


class TestReady:
    """What an example tells is written down, and reads it to its end."""

    def test_a_long_log(self) -> None:
        """Columns of names, values, limits and verdicts are found by their names."""
        text, ready, runs = learned(
            "Serial;Start;Test Item;Reading;LSL;USL;Unit;Result\n"
            "0007;24.03.2026 10:00:00;vcc;3,31;3,2;3,4;V;PASS\n"
            "0007;24.03.2026 10:00:00;icc;0,12;;0,2;A;PASS\n"
            "0008;24.03.2026 10:01:00;vcc;3,10;3,2;3,4;V;FAIL\n"
        )
        assert ready, text
        assert [(r.unit.serial_number, r.outcome.value) for r in runs] == [
            ("0007", "PASS"),
            ("0008", "FAIL"),
        ]
        vcc = runs[0].phases[0].measurements[0]
        assert (vcc.value, vcc.unit) == (3.31, "V")
        assert vcc.limits is not None
        assert (vcc.limits.lower, vcc.limits.upper) == (3.2, 3.4)
        assert "# numbers have a decimal comma" in text

    def test_a_wide_log_with_rows_of_limits(self) -> None:
        """Rows of units and limits below the header are found by their labels."""
        text, ready, runs = learned(
            "Operator:,Ann,,,\nLot:,B7,,,\n"
            "SN,Status,Vout,Iout,Ripple\nUnit,,V,A,mV\nUpper Limit,,3.4,0.5,20\n"
            "Lower Limit,,3.2,0.1,\n001,Pass,3.31,0.2,5.1\n002,Fail,3.5,0.2,5.2\n"
        )
        assert ready, text
        assert [run.unit.batch_number for run in runs] == ["B7", "B7"]
        vout = runs[1].phases[0].measurements[0]
        assert (vout.name, vout.value, vout.unit) == ("Vout", 3.5, "V")
        assert vout.limits is not None
        assert (vout.limits.lower, vout.limits.upper) == (3.2, 3.4)

    def test_limits_in_columns_of_their_own(self) -> None:
        """Columns that are called as another one, and min or max, are its limits."""
        text, _, runs = learned(
            "Serial,Result,Vout,Vout_min,Vout_max\nA1,PASS,3.3,3.2,3.4\n"
            "A2,FAIL,3.6,3.2,3.4\n"
        )
        (vout,) = runs[0].phases[0].measurements
        assert vout.limits is not None, text
        assert (vout.limits.lower, vout.limits.upper) == (3.2, 3.4)

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
    def test_a_series_in_any_encoding(self, encoding: str) -> None:
        """Keys, a unit row and the column that rises are found."""
        log = (
            "Prüfling:\tR-7\nBeginn:\t2026-03-14 09:12:05\n"
            "Zeit\tSpannung\tTemperatur\ns\tV\t°C\n"
            + "".join(f"{at}\t3.{at}\t25.{at}\n" for at in range(1, 8))
        )
        text, _, runs = learned(log.encode(encoding), "r.txt")
        (run,) = runs
        assert run.unit.serial_number == "R-7", text
        voltage, temperature = run.phases[0].measurements
        assert isinstance(temperature.value, Series)
        assert temperature.value.measured.unit == "°C"
        assert isinstance(voltage.value, Series)
        assert list(voltage.value.axes[0].values) == [1, 2, 3, 4, 5, 6, 7]

    def test_a_cycler(self) -> None:
        """Columns of steps and cycles divide the rows into phases."""
        rows = "".join(
            f"{at},{at // 4 + 1},{at // 2 + 1},{at * 10},3.{at},0.{at}\n"
            for at in range(8)
        )
        header = (
            "Data_Point,Cycle_Index,Step_Index,Test_Time(s),Voltage(V),Current(A)\n"
        )
        text, _, runs = learned(header + rows)
        assert [phase.name for phase in runs[0].phases] == [
            "Cycle_Index 1, Step_Index 1",
            "Cycle_Index 1, Step_Index 2",
            "Cycle_Index 2, Step_Index 3",
            "Cycle_Index 2, Step_Index 4",
        ], text

    def test_comments_hold_keys(self) -> None:
        """Names and texts in comments are keys, and the header below is found."""
        text, _, runs = learned(
            "# Serial: 0042\n# Rig: B\nfreq,gain,phase\n1,2.5,3\n10,2.4,4\n100,1.5,9\n"
        )
        assert runs[0].unit.serial_number == "0042", text
        assert runs[0].station == "B"


class TestAsks:
    """What an example does not tell is asked, never guessed."""

    def test_the_order_of_dates(self) -> None:
        """A date that may be read in two ways is not read in one."""
        text, ready, _ = learned(
            "SN,Date,Result,Vout\n1,03/04/2026 10:00,PASS,3.31\n2,03/04/2026,PASS,3.3\n"
        )
        assert not ready
        assert "# DECLARE: the order of dates" in text

    def test_verdict_words(self) -> None:
        """Numbers of bins mean what the site says."""
        text, ready, _ = learned("SN,Bin,Vout\n1,1,3.31\n2,5,3.30\n3,1,3.29\n")
        assert not ready
        assert "# DECLARE: what the verdicts '1', '5' mean" in text

    def test_a_verdict_beside_known_words(self) -> None:
        """What is to be filled in has the known words, too, and replaces their line."""
        text, ready, _ = learned(
            "Serial;Name;Wert;Einheit;Ergebnis\nA1;u;1,5;V;i.O.\n"
            "A2;u;1,6;V;n.i.O.\nA2;w;2,6;V;nicht geprüft\n"
        )
        assert not ready
        (line,) = [line for line in text.splitlines() if line.startswith("# outcomes")]
        filled = tomllib.loads(line.removeprefix("# ").replace("...", "SKIP"))
        assert filled["outcomes"] == {
            "i.O.": "PASS",
            "n.i.O.": "FAIL",
            "nicht geprüft": "SKIP",
        }

    def test_records(self) -> None:
        """Kinds of records are listed with an example of each."""
        text, ready, _ = learned(
            "START,7,2026-03-14 10:00:00\nMEAS,vcc,3.31,3.2,3.4,PASS\n"
            "MEAS,icc,0.1,0,1,PASS\nEND,PASS\nSTART,8,2026-03-14 10:01:00\n"
            "MEAS,vcc,3.32,3.2,3.4,PASS\nMEAS,icc,0.2,0,1,PASS\nEND,PASS\n"
        )
        assert not ready
        assert 'START = { is = "unit"' in text
        assert "# DECLARE: what the records are" in text

    def test_a_file_that_is_no_text(self) -> None:
        """A file of another format is told by name."""
        with pytest.raises(UnrecognizedSourceError, match="is an STDF file"):
            checked_draft(Source.from_bytes(b"\x02\x00\x00\x0a\x02\x04", "a.csv"))

    def test_what_is_built_in(self) -> None:
        """For an export that is known nothing has to be declared."""
        log = b"LabVIEW Measurement\t\nWriter_Version\t2\n***End_of_Header***\n"
        log += b"\t\nChannels\t1\n***End_of_Header***\nX_Value\tU\n0\t1\n"
        text, ready = checked_draft(Source.from_bytes(log, "a.lvm"))
        assert ready
        assert "labview-lvm" in text


class TestKinds:
    """Kinds of logs that a draft misread."""

    def test_times_of_rows(self) -> None:
        """A time a row does not make a run a row; dots say the order of a date."""
        text, ready, runs = learned(
            "SN;Datum;Messung;Wert;Bewertung\n"
            "1;03.11.2025 06:12:44;a;1,22;i.O.\n1;03.11.2025 06:12:45;b;3,301;n.i.O.\n"
            "2;03.11.2025 06:13:10;a;2,90;i.O.\n2;03.11.2025 06:13:11;b;3,305;i.O.\n"
        )
        assert ready, text
        assert [run.outcome.value for run in runs] == ["FAIL", "PASS"]
        assert [len(run.phases[0].measurements) for run in runs] == [2, 2]
        assert runs[0].started_at is not None
        assert runs[0].started_at.month == 11

    def test_a_clock_beside_the_date(self) -> None:
        """The time of a row may stand in a column of its own."""
        text, ready, runs = learned(
            "Barcode,TestItem,Reading,Judge,Date,Time\n"
            "H1,ACW,0.8,PASS,2024-03-20,09:30:11\nH1,IR,9999,PASS,2024-03-20,09:30:21\n"
            "H2,ACW,0.7,FAIL,2024-03-20,09:33:11\nH2,IR,9990,PASS,2024-03-20,09:33:21\n"
        )
        assert ready, text
        assert [run.outcome.value for run in runs] == ["PASS", "FAIL"]

    def test_a_verdict_beside_bins(self) -> None:
        """Of several columns with verdicts, that whose words are known."""
        text, ready, runs = learned(
            "Serial,HBin,PF,Vref,Idd\n01,1,P,3.3,1.2\n02,5,F,3.6,1.3\n"
        )
        assert ready, text
        assert [run.outcome.value for run in runs] == ["PASS", "FAIL"]

    def test_a_part_that_is_a_piece(self) -> None:
        """A column "Part" numbers the pieces where no two rows have the same."""
        text, ready, runs = learned(
            "Part,Length [mm],Status\nP1,10.01,Good\nP2,10.31,Reject\n"
        )
        assert ready, text
        assert [run.unit.serial_number for run in runs] == ["P1", "P2"]
        assert runs[1].outcome.value == "FAIL"

    def test_a_line_a_name(self) -> None:
        """A file of names and texts is one unit."""
        text, ready, runs = learned(
            "Serial Number,A-1\nDate,2024-03-20 09:30:11\nOverall Result,PASS\n"
            "Output Voltage (V),5.01\nFirmware,1.2.3\n"
        )
        assert ready, text
        (run,) = runs
        assert (run.unit.serial_number, run.outcome.value) == ("A-1", "PASS")
        voltage, firmware = run.phases[0].measurements
        assert (voltage.name, voltage.value, voltage.unit) == (
            "Output Voltage",
            5.01,
            "V",
        )
        assert firmware.value == "1.2.3"

    def test_rows_of_one_unit(self) -> None:
        """Where the serial number is said once, each row is a phase of its run."""
        text, ready, runs = learned(
            "# DUT: PSU-42\n# 2024-03-20T09:30:11+01:00\nload_a,vout_v,verdict\n"
            "0.1,5.01,OK\n1.0,5.00,OK\n3.0,4.61,NOK\n# overall: NOK\n"
        )
        assert ready, text
        (run,) = runs
        assert (run.unit.serial_number, run.outcome.value) == ("PSU-42", "FAIL")
        assert [p.outcome.value for p in run.phases] == ["PASS", "PASS", "FAIL"]
        assert [len(phase.measurements) for phase in run.phases] == [2, 2, 2]

    def test_names_and_texts_take_turns(self) -> None:
        """A line of keys may hold several; a column that counts is not the x."""
        text, ready, runs = learned(
            "Today's Date\t03/22/2024\tProcedure:\tFormation\tBarcode:\tB-45\n"
            "Rec#\tStep\tTest (Sec)\tVolts\tDPt Time\n"
            "1\t1\t0.0\t3.05\t03/20/2024 09:30:11\n"
            "2\t1\t60.0\t3.06\t03/20/2024 09:31:11\n"
            "3\t2\t60.5\t3.10\t03/20/2024 09:31:11\n"
        )
        assert ready, text
        (run,) = runs
        assert (run.unit.serial_number, run.procedure.name) == ("B-45", "Formation")
        volts = next(m for m in run.phases[0].measurements if m.name == "Volts")
        assert isinstance(volts.value, Series)
        assert list(volts.value.axes[0].values) == [0.0, 60.0]


class TestCommands:
    """The commands show what was learned and tried."""

    LOG = "SN,Result,Vout\n001,PASS,3.31\n002,FAIL,3.6\n"

    def test_learn_then_try(self, tmp_path: Path) -> None:
        """A draft that is written to a file reads the log cell by cell."""
        log, profile = tmp_path / "a.csv", tmp_path / "a.toml"
        log.write_text(self.LOG)
        done = CliRunner().invoke(app, ["learn", str(log), "--to", str(profile)])
        assert done.exit_code == 0, done.output
        done = CliRunner().invoke(app, ["try", str(profile), str(log)])
        assert done.exit_code == 0, done.output
        assert "serial_number            001" in done.output
        assert "2 runs, 2 measurements, 0 left out" in done.output

    @pytest.mark.parametrize("log", [LOG, "START;1\nANL;R1;2\nANL;R2;3\nEND;OK\n" * 3])
    def test_a_draft_is_appended_to_a_configuration(
        self, log: str, tmp_path: Path
    ) -> None:
        """What stood there stays, and the profile is that of the draft."""
        file, config = tmp_path / "a.csv", tmp_path / "rigbridge.toml"
        file.write_text(log)
        config.write_text('time_zone = "UTC"\n')
        CliRunner().invoke(app, ["learn", str(file), "--into", str(config)])
        CliRunner().invoke(app, ["learn", str(file), "--to", str(tmp_path / "a.toml")])
        assert config.read_text().startswith('time_zone = "UTC"\n')
        assert load_profile(config) == load_profile(tmp_path / "a.toml")

    def test_quiet_says_only_what_is_left_to_do(self, tmp_path: Path) -> None:
        """What a draft asks for, and which run is left out, and one run is one run."""
        log, profile = tmp_path / "a.csv", tmp_path / "a.toml"
        log.write_text("SN,Bin,Vout\n1,1,3.31\n2,5,3.30\n3,1,3.29\n")
        done = CliRunner().invoke(app, ["learn", str(log), "-q", "--to", str(profile)])
        assert done.exit_code == 1
        assert "DECLARE:" in done.stderr
        log.write_text("SN,Result,Vout\n001,PASS,3.31\n")
        CliRunner().invoke(app, ["learn", str(log), "--to", str(profile)])
        with log.open("a") as stream:
            stream.write("002,PASS,3,31\n")
        done = CliRunner().invoke(app, ["try", str(profile), str(log), "-q"])
        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr.startswith("left out: ")
        assert "# Of the example it reads: 1 run, 1 measurement, 0 left out" in (
            profile.read_text()
        )

    def test_a_column_mapping_is_tried(self, tmp_path: Path) -> None:
        """TofuPilot's mapping is taken as it is."""
        log, mapping = tmp_path / "a.csv", tmp_path / "mapping.json"
        log.write_text("SN,When,End,OK,Vout\n7,2026-03-14,2026-03-15,yes,3.31\n")
        mapping.write_text(
            '{"mapping": {"fields": {"serial_number": {"column": "SN"}, "started_at":'
            ' {"column": "When"}, "ended_at": {"column": "End"}, "outcome": {"column":'
            ' "OK", "valueMap": {"yes": "PASS"}}}, "measurements": {"layout": "wide",'
            ' "columns": [{"column": "Vout", "name": "supply", "units": "V",'
            ' "lowerLimit": 3.2, "upperLimit": 3.4, "phase": "Power"}]}}}'
        )
        (run,) = try_profile(load_profile(mapping), Source.from_path(log)).runs
        assert (run.unit.serial_number, run.outcome.value) == ("7", "PASS")
        (phase,) = run.phases
        (supply,) = phase.measurements
        assert (phase.name, supply.name, supply.unit) == ("Power", "supply", "V")
        assert supply.limits is not None
        assert (supply.limits.lower, supply.limits.upper) == (3.2, 3.4)

    def test_a_bad_profile_names_its_key(self, tmp_path: Path) -> None:
        """The error has the file and the path of the key within it."""
        profile = tmp_path / "a.toml"
        profile.write_text("name = 'a'\nform = 'wide'\ndates = ['%H:%M']\n")
        with pytest.raises(ConfigurationError) as caught:
            load_profile(profile)
        assert caught.value.place == "dates[0]"
        assert str(profile) in str(caught.value)

    def test_the_keys(self) -> None:
        """The reference of the keys is printed."""
        done = CliRunner().invoke(app, ["keys"])
        assert done.output.startswith("# CSV profiles")


def test_a_workbook_is_read_by_the_same_profile() -> None:
    """Cells of a workbook give the text that it shows, leading zeros included."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["SN", "Result", "Vout (V)"])
    sheet.append([19, "PASS", 3.31])
    sheet["A2"].number_format = "0000000"
    stream = io.BytesIO()
    book.save(stream)
    _, _, (run,) = learned(stream.getvalue(), "a.xlsx")
    assert run.unit.serial_number == "0000019"
    (vout,) = run.phases[0].measurements
    assert (vout.name, vout.value, vout.unit) == ("Vout", 3.31, "V")
