"""Entries of which the disk has changed a column, which SQLite does not notice."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from rigbridge.model import Run
from rigbridge.outbox import EntryState, Outbox
from rigbridge.testing.run_store.server import RunStoreServer

MakeRun = Callable[..., Run]


def _spoil(folder: Path, run: Run, column: str, value: object) -> None:
    with closing(sqlite3.connect(folder / "outbox.sqlite")) as connection, connection:
        connection.execute(
            f"UPDATE entry SET {column} = ? WHERE run_id = ?",  # noqa: S608 - of this test
            (value, str(run.id)),
        )


@pytest.fixture(name="runs")
def _runs(outbox: Outbox, make_run: MakeRun) -> list[Run]:
    runs = [make_run(), make_run()]
    for run in runs:
        outbox.submit(run)
    return runs


@pytest.mark.parametrize(
    "damage", [("progress", b"{"), ("attempts", "two"), ("run_id", "none")]
)
def test_one_entry_stops_no_other(
    outbox: Outbox,
    server: RunStoreServer,
    runs: list[Run],
    folder: Path,
    damage: tuple[str, object],
) -> None:
    """It is parked, since nobody knows whether it was sent; the list goes on."""
    _spoil(folder, runs[0], *damage)
    assert outbox.flush(60) == 0
    assert len(server.runs) == 1
    assert outbox.status().parked == 1
    listed = outbox.entries(tuple(EntryState))
    assert runs[1].id in {entry.id for entry in listed}


def test_a_person_can_have_it_sent(
    outbox: Outbox, server: RunStoreServer, runs: list[Run], folder: Path
) -> None:
    """What was parked for a damaged column is an entry like any other afterwards."""
    _spoil(folder, runs[0], "progress", b"{")
    outbox.flush(60)
    (parked,) = outbox.entries([EntryState.PARKED])
    assert "damaged" in str(parked.reason)
    outbox.retry(parked.id)
    assert outbox.flush(60) == 0
    assert len(server.runs) == 2


@pytest.mark.parametrize("value", [b"", b"{}", b"[]", b'{"mapped": 1}'])
def test_a_damaged_report_costs_itself_alone(
    outbox: Outbox, server: RunStoreServer, runs: list[Run], folder: Path, value: bytes
) -> None:
    """The run arrives, and that its conversion report is lost is recorded."""
    _spoil(folder, runs[0], "report", value)
    _, report = outbox.run(runs[0].id)
    assert [entry.item for entry in report.entries] == ["conversion report"]
    assert outbox.flush(60) == 0
    assert len(server.runs) == 2
