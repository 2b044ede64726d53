"""Rows as row groups of Parquet."""

from __future__ import annotations

import importlib
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Any

from rigbridge.destinations import MeasurementKind, MeasurementRow, RunRows
from rigbridge.errors import ConfigurationError
from rigbridge.export.formats import FormatWriter, make_room
from rigbridge.kept.rows import COLUMNS

__all__ = ["parquet_writer"]

# Rows of a row group; also what is held in memory.
_BATCH = 20_000


class _ParquetWriter:
    """
    Writes row groups.

    What the rows of a run, of a phase, or measurements of one kind have in common is
    given to the library once, with the rows where it stands.
    """

    def __init__(self, arrow: Any, file: Any) -> None:
        self._arrow = arrow
        self._file = file
        self._clear()

    def _clear(self) -> None:
        self._runs: list[MeasurementRow] = []
        self._phases: list[MeasurementRow] = []
        self._kinds: list[MeasurementKind] = []
        self._places: dict[MeasurementKind, int] = {}
        # Of each row: its run, phase and kind by their places above, and its value.
        self._of_run: list[int] = []
        self._of_phase: list[int] = []
        self._of_kind: list[int] = []
        self._numbers: list[float | None] = []
        self._texts: list[str | None] = []

    def add(self, rows: RunRows) -> None:
        places = self._places
        run = len(self._runs)
        self._runs.append(rows.cells)
        for cells, measured in rows.phases:
            count = len(measured)
            self._of_run += [run] * count
            self._of_phase += [len(self._phases)] * count
            self._phases.append(cells)
            for kind, number, text in measured:
                place = places.get(kind)
                if place is None:
                    place = self._placed(kind)
                self._of_kind.append(place)
                self._numbers.append(number)
                self._texts.append(text)
        # Each table becomes a row group: too small ones make the file large and slow.
        if len(self._numbers) >= _BATCH:
            self.finish()

    def _placed(self, kind: MeasurementKind) -> int:
        make_room(self._places)
        self._places[kind] = len(self._kinds)
        self._kinds.append(kind)
        return self._places[kind]

    def finish(self) -> None:
        if not self._numbers:
            return
        arrow, schema = self._arrow, self._file.schema
        starts = [kind.start for kind in self._kinds]
        ends = [kind.end for kind in self._kinds]
        repeated = (
            (self._runs, self._of_run),
            (self._phases, self._of_phase),
            (starts, self._of_kind),
            (ends, self._of_kind),
        )
        fields = iter(schema)
        arrays: list[Any] = []
        for cells, of_row in repeated:
            if cells is ends:
                values = (self._numbers, self._texts)
                arrays += [arrow.array(own, next(fields).type) for own in values]
            places = arrow.array(of_row, arrow.int32())
            # Each distinct cell goes to the library once, and from there to its rows.
            arrays += [
                arrow.array(column, next(fields).type).take(places)
                for column in zip(*cells, strict=True)
            ]
        self._file.write_table(arrow.Table.from_arrays(arrays, schema=schema))
        self._clear()


@contextmanager
def parquet_writer(stream: IO[bytes]) -> Generator[FormatWriter]:
    """
    Make what writes row groups to a stream, which stays open.

    Raises:
        ConfigurationError: the library is not installed.
    """
    try:
        # An extra brings it, and only this format needs it; it has no type hints.
        arrow = importlib.import_module("pyarrow")
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise ConfigurationError(
            "Parquet needs a library that is not installed",
            remedy="pip install 'rigbridge[parquet]'",
        ) from error
    kinds = {
        str: arrow.string(),
        int: arrow.int64(),
        float: arrow.float64(),
        bool: arrow.bool_(),
        datetime: arrow.timestamp("us", tz="UTC"),
    }
    # Fixed: a schema taken from the first rows would fail where a column is empty.
    schema = arrow.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])
    with parquet.ParquetWriter(stream, schema, compression="zstd") as file:
        yield _ParquetWriter(arrow, file)
