"""One row a measurement, in CSV and Parquet."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import attrs
import pytest

from rigbridge.errors import ConfigurationError
from rigbridge.export import COLUMNS, ExportFormat, export_runs, measurement_rows
from rigbridge.model import (
    Attachment,
    Axis,
    Limit,
    Measurement,
    MeasurementOutcome,
    Phase,
    PhaseOutcome,
    ProcedureRef,
    Run,
    RunOutcome,
    Series,
    Unit,
)

parquet = pytest.importorskip("pyarrow.parquet")
START = datetime(2026, 3, 4, 5, 6, 7, 250000, tzinfo=UTC)


@pytest.fixture
def run() -> Run:
    """Give a run with a measurement of each kind."""
    values = (1.5, 7, True, "text", None, math.nan)
    measurements = [
        Measurement(name=f"m{index}", value=value, unit="V", limits=Limit(lower=1))
        for index, value in enumerate(values)
    ]
    series = Series(axes=(Axis(name="t", values=[0, 1]), Axis(values=[2.5, 3.5])))
    return Run(
        id=uuid4(),
        outcome=RunOutcome.PASS,
        procedure=ProcedureRef(name="Final, test", version="1.0"),
        unit=Unit(serial_number="0000019"),
        started_at=START,
        phases=(
            Phase(
                name="Rail",
                outcome=PhaseOutcome.PASS,
                path=("Power", "Up"),
                measurements=(*measurements, Measurement(name="trace", value=series)),
            ),
        ),
    )


def named_rows(run: Run) -> list[dict[str, Any]]:
    """Give the rows by the names of their columns."""
    return [dict(zip(COLUMNS, row, strict=True)) for row in measurement_rows(run)]


def _spelled(cell: object) -> str:
    if isinstance(cell, bool):
        return str(cell).lower()
    return "" if cell is None else str(getattr(cell, "isoformat", cell.__str__)())


class TestRows:
    """What a row says."""

    def test_every_column_is_there(self, run: Run) -> None:
        """A row has the declared columns, in their order."""
        assert all(len(row) == len(COLUMNS) for row in measurement_rows(run))

    def test_numbers_and_texts(self, run: Run) -> None:
        """Numbers have a column of their own; everything is there as text."""
        rows = named_rows(run)
        numbers = [row["number"] for row in rows]
        assert numbers[:5] == [1.5, 7.0, None, None, None]
        assert isinstance(numbers[5], float)
        assert math.isnan(numbers[5])
        assert [row["value"] for row in rows[:5]] == ["1.5", "7", "true", "text", None]
        assert '"values":[2.5,3.5]' in str(rows[6]["value"])

    def test_phase_and_limits(self, run: Run) -> None:
        """The phases around a phase and the limits are named."""
        row = named_rows(run)[0]
        assert (row["phase_path"], row["phase"]) == ("Power / Up", "Rail")
        assert (row["lower_limit"], row["upper_limit"]) == (1.0, None)
        assert row["measurement_outcome"] == MeasurementOutcome.UNSET.value


class TestFiles:
    """What a file holds."""

    def test_csv(self, run: Run, tmp_path: Path) -> None:
        """Delimiters are quoted, leading zeros stay, times have their zone."""
        path = tmp_path / "runs.csv"
        done = export_runs([run], path, form=ExportFormat.CSV)
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert (done.runs, done.rows, len(rows)) == (1, 7, 7)
        assert rows[0]["procedure"] == "Final, test"
        assert rows[0]["serial_number"] == "0000019"
        assert datetime.fromisoformat(rows[0]["started_at"]) == START

    def test_csv_keeps_the_zone_of_a_time(self, run: Run, tmp_path: Path) -> None:
        """Of a time that is not in UTC."""
        there = START.astimezone(timezone(timedelta(hours=2, seconds=7)))
        path = tmp_path / "runs.csv"
        export_runs([attrs.evolve(run, started_at=there)], path, form=ExportFormat.CSV)
        with path.open(encoding="utf-8", newline="") as stream:
            row = next(csv.DictReader(stream))
        assert row["started_at"] == there.isoformat()

    def test_csv_runs_nothing_in_a_spreadsheet(self, run: Run, tmp_path: Path) -> None:
        """A text that begins like a formula is marked as text; numbers are not."""
        texts = ("=1+1", "@SUM(A1)", "+x", "-2.5", "-Infinity", "a=b")
        phase = attrs.evolve(
            run.phases[0],
            measurements=[Measurement(name=text, value=text) for text in texts],
        )
        path = tmp_path / "runs.csv"
        run = attrs.evolve(run, phases=(phase,))
        export_runs([run], path, form=ExportFormat.CSV)
        with path.open(encoding="utf-8", newline="") as stream:
            values = [row["value"] for row in csv.DictReader(stream)]
        assert values == ["'=1+1", "'@SUM(A1)", "'+x", "-2.5", "-Infinity", "a=b"]

    @pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
    def test_a_device_is_not_replaced(self, run: Run, tmp_path: Path) -> None:
        """What is no regular file stays what it is, asked or not."""
        os.mkfifo(tmp_path / "pipe.csv")
        with pytest.raises(ConfigurationError, match="is no regular file"):
            export_runs(
                [run], tmp_path / "pipe.csv", form=ExportFormat.CSV, replace=True
            )
        assert (tmp_path / "pipe.csv").is_fifo()

    def test_parquet(self, run: Run, tmp_path: Path) -> None:
        """The columns have the declared types, and the values are the rows."""
        path = tmp_path / "runs.parquet"
        export_runs([run, run], path, form=ExportFormat.PARQUET)
        table = parquet.read_table(path)
        assert table.column_names == list(COLUMNS)
        assert table.num_rows == 14
        assert table["number"].to_pylist()[:2] == [1.5, 7.0]
        assert table["started_at"][0].as_py() == START

    def test_both_formats_have_the_rows_as_they_are(
        self, run: Run, tmp_path: Path
    ) -> None:
        """Also where cells repeat, are equal but not the same, or need quotes."""
        texts = ('a "quoted", word', "two\nlines", "cr\rhere", "", "é漢\u202e")
        bounds = (0.0, -0.0, 1e-7, 1e16, None)
        measurements = [
            Measurement(
                name=text, value=value, unit=text or None, limits=Limit(lower=bound)
            )
            for text in texts[:3] * 2
            for bound in bounds
            for value in (bound, math.nan, 3, text)
        ]
        moments = (
            START,
            START.replace(microsecond=0),
            START.replace(year=9, microsecond=7),
            START.replace(year=9999),
            None,
        )
        phases = [
            attrs.evolve(
                run.phases[0],
                name=text or "x",
                measurements=measurements,
                started_at=moment,
            )
            for text, moment in zip(texts, moments, strict=True)
        ]
        runs = [attrs.evolve(run, id=uuid4(), phases=phases) for _ in range(2)]
        rows = [row for item in runs for row in measurement_rows(item)]
        spelled = [[_spelled(cell) for cell in row] for row in rows]
        export_runs(runs, tmp_path / "a.csv", form=ExportFormat.CSV)
        with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as stream:
            assert list(csv.reader(stream))[1:] == spelled
        export_runs(runs, tmp_path / "a.parquet", form=ExportFormat.PARQUET)
        table = parquet.read_table(tmp_path / "a.parquet").to_pylist()
        assert [[_spelled(cell) for cell in row.values()] for row in table] == spelled

    def test_runs_without_rows_are_counted(self, run: Run, tmp_path: Path) -> None:
        """A run without a measurement is not lost without a word."""
        bare = Run(
            id=uuid4(), outcome=run.outcome, procedure=run.procedure, unit=run.unit
        )
        done = export_runs([bare, run], tmp_path / "a.csv", form=ExportFormat.CSV)
        assert (done.runs, done.empty) == (2, 1)

    @pytest.mark.parametrize("form", list(ExportFormat))
    def test_a_failure_leaves_nothing(
        self, run: Run, tmp_path: Path, form: ExportFormat
    ) -> None:
        """A file is there whole or not at all."""

        def failing() -> Iterator[Run]:
            yield run
            raise RuntimeError("the store went away")

        with pytest.raises(RuntimeError, match="went away"):
            export_runs(failing(), tmp_path / "runs.x", form=form)
        assert list(tmp_path.iterdir()) == []

    def test_a_content_that_is_gone_is_named(self, run: Run, tmp_path: Path) -> None:
        """A content that cannot be read is said; one that never was is counted."""
        file = tmp_path / "scope.bin"
        file.write_bytes(b"trace")
        files = (Attachment.from_file(file), Attachment(name="log.tdms"))
        file.unlink()
        whole = attrs.evolve(run, attachments=files)
        done = export_runs([whole], tmp_path / "a.jsonl", form=ExportFormat.JSONL)
        assert (done.references, done.contents, len(done.missing)) == (1, 0, 1)
        assert done.missing[0].startswith("scope.bin: ")

    def test_a_file_is_not_replaced_unasked(self, run: Run, tmp_path: Path) -> None:
        """What is there already stays, unless it is said to be replaced."""
        path = tmp_path / "a.csv"
        path.write_text("mine")
        with pytest.raises(ConfigurationError, match="exists already"):
            export_runs([run], path, form=ExportFormat.CSV)
        assert path.read_text() == "mine"
        export_runs([run], path, form=ExportFormat.CSV, replace=True)
        assert path.read_text() != "mine"

    def test_the_name_tells_the_format(self) -> None:
        """A name that tells none is refused, with what it could be."""
        assert ExportFormat.of(Path("a.Parquet")) is ExportFormat.PARQUET
        with pytest.raises(ConfigurationError, match=r"\.csv"):
            ExportFormat.of(Path("a.xlsx"))
