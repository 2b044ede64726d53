"""What commands write: an error a line, valid JSON, nothing that steers a terminal."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import attrs
import pytest
from typer.testing import CliRunner

import rigbridge.imports
from rigbridge.adapters import Source
from rigbridge.cli.imports.progress import ImportProgress
from rigbridge.cli.main import app
from rigbridge.cli.output import count_of, say, say_error, say_json, say_table
from rigbridge.cli.runs.view import say_run
from rigbridge.errors import SourceError
from rigbridge.imports import SourceResult
from rigbridge.model import Instrument, Measurement, Phase, ProcedureRef, Run, Unit
from rigbridge.sources import FoundSource

COLUMNS = ("Outcome", "Procedure", "Unit", "Run")
ROW = ("PASS", "Final test of the motor controller", "SN-1", "9" * 36)


def call(
    *arguments: object, stdout: int | TextIO = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    """Call the program as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "rigbridge", *map(str, arguments)],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


def test_a_run_is_said_with_its_instruments(capsys: pytest.CaptureFixture[str]) -> None:
    """What was overdue is said in words, and each value names its instrument."""
    voltage = Measurement(name="vcc", value=3.3, unit="V", instrument="dmm")
    run = Run(
        outcome="PASS",
        procedure=ProcedureRef(name="P"),
        unit=Unit(serial_number="SN-1"),
        started_at=datetime(2027, 3, 2, tzinfo=UTC),
        instruments=[
            Instrument(name="dmm", serial_number="7", calibration_due="2027-03-01"),
            Instrument(name="scope"),
        ],
        phases=[Phase(name="power", outcome="PASS", measurements=[voltage])],
    )
    say_run(run)
    out = capsys.readouterr().out
    due = "calibration due 2027-03-01 (overdue at the run)"
    assert f"instrument: dmm, serial number 7, {due}\n" in out
    assert "instrument: scope\n" in out
    assert [line.split()[-1] for line in out.splitlines() if "vcc" in line] == ["dmm"]
    say_run(attrs.evolve(run, instruments=(), phases=()))
    assert "nstrument" not in capsys.readouterr().out


class TestLines:
    """Lines for people."""

    def test_one_is_not_many(self) -> None:
        """A count and its noun agree."""
        assert [count_of(number, "file") for number in (0, 1, 2)] == [
            "0 files",
            "1 file",
            "2 files",
        ]

    def test_nothing_steers_the_terminal(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Control characters and halves of characters of foreign texts are spelled."""
        say("red \x1b[31m\x07 half \udcff")
        assert capsys.readouterr().out == "red \\x1b[31m\\x07 half \\udcff\n"

    def test_an_error_is_one_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A name with a line end in it makes no second line."""
        say_error(SourceError("is bad", source="a\nb\x1b.xml", remedy="mend it"))
        assert capsys.readouterr().err == "error: a b\\x1b.xml: is bad (mend it)\n"

    def test_a_poor_encoding_is_no_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What the output's encoding lacks is spelled, in tables and in lines."""
        stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
        monkeypatch.setattr(sys, "stdout", stream)
        say("größe 日")
        say_table(COLUMNS, [("PASS", "日", "é", "1")])
        stream.seek(0)
        assert "größe \\u65e5" in stream.read()

    def test_json_is_valid_in_every_encoding(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where the output's encoding lacks a character, JSON spells it in ASCII."""
        stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
        monkeypatch.setattr(sys, "stdout", stream)
        say_json({"name": "größe 日 😀"})
        stream.seek(0)
        assert json.loads(stream.read()) == {"name": "größe 日 😀"}


class TestTables:
    """Tables on a terminal."""

    def lines(self, monkeypatch: pytest.MonkeyPatch, width: int) -> list[str]:
        """Draw a table on a terminal of a width."""
        stream = io.StringIO()
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("FORCE_COLOR", "1")
        say_table(COLUMNS, [ROW], named=True)
        return stream.getvalue().splitlines()

    def test_a_wide_terminal_has_a_line_a_row(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where there is room, every cell stands in its column."""
        assert len(self.lines(monkeypatch, 140)) == 2

    def test_a_narrow_terminal_keeps_the_name_whole(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What the next command is told can be copied in one piece."""
        lines = self.lines(monkeypatch, 80)
        assert any("9" * 36 in line for line in lines)
        assert any("motor controller" in line for line in lines)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such terminals")
class TestProgress:
    """The bar on standard error."""

    def seen(self, tmp_path: Path, *options: str) -> str:
        """Import two files with a terminal as error output, and give what it saw."""
        log = "serial_number,procedure,measurement,value\nS,P,m,1\n"
        for name in ("a.csv", "b.csv"):
            (tmp_path / name).write_text(log, "utf-8")
        master, terminal = os.openpty()
        process = subprocess.run(
            [sys.executable, "-m", "rigbridge", "import", "--dry-run", *options, "."],
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=terminal,
            check=False,
        )
        os.write(terminal, b"<end>")
        os.close(terminal)
        assert process.returncode == 0
        seen = b""
        while not seen.endswith(b"<end>"):
            seen += os.read(master, 4096)
        os.close(master)
        return seen.decode()

    def test_a_person_at_a_terminal_sees_a_bar(self, tmp_path: Path) -> None:
        """An import of several files shows how far it is."""
        assert "importing" in self.seen(tmp_path)

    def test_a_program_sees_none(self, tmp_path: Path) -> None:
        """With --json there is no bar, terminal or not."""
        assert self.seen(tmp_path, "--json") == "<end>"


class TestFailures:
    """Commands that fail as a whole."""

    def test_json_says_the_error_too(self, tmp_path: Path) -> None:
        """With --json the error is a document on standard output, and a line beside."""
        call("keys", "create", "user", "--name", "Jane", "--data", tmp_path)
        process = call("runs", "show", "nobody", "--data", tmp_path, "--json")
        assert process.returncode == 1
        assert json.loads(process.stdout)["error"]["kind"] == "NotFoundError"
        assert process.stderr.startswith("error: ")

    def test_no_file_is_still_a_document(self, tmp_path: Path) -> None:
        """An import of an empty folder prints sums of nothing, and fails."""
        process = call("import", tmp_path, "--dry-run", "--json")
        assert process.returncode == 1
        document = json.loads(process.stdout)
        assert (document["event"], document["sources"]) == ("summary", 0)

    def test_progress_for_programs(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A program is told how many sources are done, and which one failed last."""
        monkeypatch.setattr("rigbridge.cli.imports.progress._EVERY", 0)
        names = ("good.xml", "bad.xml", "last.xml")
        sources = [FoundSource.of_path(Path(name)) for name in names]
        progress = ImportProgress(sources, shown=False, as_json=True)
        assert list(progress) == sources
        progress.add(SourceResult(source="good.xml", seconds=2.0))
        progress.add(SourceResult(source="bad.xml", errors=(SourceError("bad"),)))
        first, second = map(json.loads, capsys.readouterr().out.splitlines())
        assert (first["event"], first["done"], first["total"]) == ("progress", 1, 3)
        assert (first["failed"], first["last_failed"]) == (0, None)
        assert (second["done"], second["last_failed"]) == (2, "bad.xml")
        assert second["slowest"] == {"source": "good.xml", "seconds": 2.0}
        assert second["seconds_left"] is not None

    def test_an_interrupted_import_says_what_is_left(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """After Ctrl-C what arrived is shown, and what was not tried is counted."""

        def interrupted(sources: Iterable[Source], *_: object, **__: object) -> Any:
            yield SourceResult(source=next(iter(sources)).uri)
            raise KeyboardInterrupt

        monkeypatch.setattr(rigbridge.imports, "import_sources", interrupted)
        for name in "abc":
            (tmp_path / name).touch()
        result = CliRunner().invoke(app, ["import", str(tmp_path), "--dry-run"])
        assert result.exit_code == 1
        assert "2 files not tried, since the import was interrupted" in result.stderr

    @pytest.mark.parametrize(
        "command", ["runs list", "runs export none.jsonl", "store check", "keys list"]
    )
    def test_a_mistyped_folder_stays_away(self, tmp_path: Path, command: str) -> None:
        """A command that reads names the folder, and makes no store in it."""
        folder = tmp_path / "mistyped"
        process = call(*command.split(), "--data", folder)
        assert process.returncode == 2
        assert f"{folder / 'store.sqlite'}: there is no store" in process.stderr
        assert not folder.exists()

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has it")
    @pytest.mark.parametrize("buffered", ["", "1"])
    def test_a_full_disk_is_one_line(
        self, buffered: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Output that cannot be written ends in one line and exit code 1."""
        monkeypatch.setenv("PYTHONUNBUFFERED", buffered)
        with Path("/dev/full").open("w", encoding="utf-8") as full:
            process = call("adapters", "list", stdout=full)
        assert process.returncode == 1
        assert process.stderr.startswith("error: No space left on device")
        assert process.stderr.count("\n") == 1

    @pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
    def test_a_name_of_any_bytes_costs_nobody(self, tmp_path: Path) -> None:
        """A file whose name is no UTF-8 is imported like any other."""
        (tmp_path / os.fsdecode(b"caf\xe9.csv")).write_bytes(
            b"serial_number,procedure,measurement,value,outcome\nS1,P,m,1,PASS\n"
        )
        process = call("import", tmp_path, "--data", tmp_path / "data", "--json")
        assert process.returncode == 0, process.stderr
        source = json.loads(process.stdout.splitlines()[0])
        assert source["source"].endswith("caf\\xe9.csv")
        assert source["runs"][0]["created"]
