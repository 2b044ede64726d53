"""Damage below the store: found, named, healed where it can be, and never shared."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from rigbridge.destinations.selection import RunSelection
from rigbridge.wire import CreateRun
from rigbridge_store import RunStore
from rigbridge_store.tables.packing import pack
from rigbridge_store.tables.schema import metadata

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

BodyMaker = Callable[..., CreateRun]

# What says nothing of a test: sign-in, grants, and when a name was first used.
UNSEALED = {
    "api_keys",
    "idempotency_keys",
    "run_slots",
    "schema_versions",
    "secrets",
    "uploads",
}
UNSEALED_COLUMNS = {
    *((table, "id") for table in ("procedures", "procedure_versions", "parts")),
    *((table, "created_at") for table in ("procedures", "procedure_versions", "parts")),
    ("units", "id"),
    ("units", "created_at"),
    ("units", "by_run"),
    # Of the unit as it is now, which later runs change.
    ("units", "part_told_at"),
    ("units", "revision_told_at"),
    ("units", "batch_told_at"),
}


@pytest.fixture(name="damaged")
def _damaged(
    store: RunStore, data: Path, make_body: BodyMaker
) -> Iterator[sqlite3.Connection]:
    """Store a run that has everything, and open the file below the store."""
    run = store.create_run(
        make_body(
            docstring="why",
            phases=[
                {
                    "name": "Power",
                    "outcome": "PASS",
                    "start_time_millis": 1705314900000.5,
                    "end_time_millis": 1705314901500,
                    "docstring": "first",
                    "measurements": [
                        {
                            "name": "Voltage",
                            "outcome": "PASS",
                            "measured_value": 3.25,
                            "units": "V",
                            "lower_limit": 3,
                            "validators": ["x >= 3"],
                            "docstring": "at the pin",
                        },
                        {"name": "Zero", "outcome": "PASS", "measured_value": -0.0},
                        {
                            "name": "Wave",
                            "outcome": "PASS",
                            "measured_value": [[n, n / 7] for n in range(500)],
                        },
                    ],
                }
            ],
            logs=[
                {
                    "level": "INFO",
                    "timestamp": "2024-01-15T10:35:00Z",
                    "message": "said",
                    "source_file": "a.py",
                    "line_number": 7,
                }
            ],
            rigbridge={"rigbridge": 1, "overlay": None, "report": {"dropped": []}},
        ),
        metadata={"text": "a", "number": 2.5, "flag": True},
        report={"mapped": {"run": 1}},
    ).id
    content = store.contents.store([b"bytes"])
    store.attach_file(run, name="a.bin", mime_type="image/png", content=content)
    assert store.upkeep.check().problems == ()
    with closing(sqlite3.connect(data / "store.sqlite")) as connection:
        yield connection


def _changed(value: Any) -> Any:
    """Flip one bit of a value."""
    if isinstance(value, bytes):
        middle = len(value) // 2
        return value[:middle] + bytes([value[middle] ^ 1]) + value[middle + 1 :]
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return value[:-1] + chr(ord(value[-1]) ^ 1)
    return value + 1


def _sealed_columns() -> Iterator[sa.Column[Any]]:
    for table in metadata.sorted_tables:
        for column in () if table.name in UNSEALED else table.columns:
            # Keys are checked by SQLite itself: they lead to a row, or to none.
            known = column.primary_key or column.foreign_keys or column.computed
            if not known and (table.name, column.name) not in UNSEALED_COLUMNS:
                yield column


def test_every_row(store: RunStore, damaged: sqlite3.Connection) -> None:
    """Whatever changes in a row of a run, a check finds it."""
    del damaged
    tried = 0
    for column in _sealed_columns():
        with store.reading() as connection:
            sound = connection.execute(
                sa.select(column).where(column.is_not(None))
            ).scalar()
        if sound is None:
            continue
        for before, value in (
            (sound, _changed(sound)),
            (_changed(sound), sound),
        ):
            with store.writing() as (connection, _):
                connection.execute(
                    column.table.update()
                    .where(column == before)
                    .values({column.name: value})
                )
            found = store.upkeep.check(contents=False).problems
            assert bool(found) == (value != sound), (column, found)
        tried += 1
    assert tried > 45


def test_a_large_value_is_read_back(
    store: RunStore, damaged: sqlite3.Connection
) -> None:
    """What is kept apart from its row is there for every reader."""
    (run,) = store.list_runs("SN-1")
    values = store.get_run(run.id).phases[0].measurements
    assert [len(axis.values) for axis in values[2].value.axes] == [500, 500]  # type: ignore[union-attr]
    assert damaged.execute("SELECT max(length(value)) FROM measurements").fetchone() < (
        1000,
    )


def test_a_damaged_large_value_is_named(
    store: RunStore, damaged: sqlite3.Connection
) -> None:
    """The run that has it is refused with the place, the check names it."""
    (run,) = store.list_runs("SN-1")
    damaged.execute("UPDATE large_values SET value = substr(value, 1, 20)")
    damaged.commit()
    with pytest.raises(ExceptionGroup, match="measured value is lost"):
        store.get_run(run.id)
    assert run.id in store.upkeep.check(contents=False).problems[0]


def test_a_sidecar_that_is_no_json_ends_no_export(
    store: RunStore, damaged: sqlite3.Connection
) -> None:
    """Its checksum is right, and what it holds is named with its run."""
    damaged.execute("UPDATE run_documents SET sidecar = ?", (pack(b"not JSON"),))
    damaged.commit()
    (found,) = store.read_runs(RunSelection())
    assert found.stored is not None
    assert "no JSON" in str(found.stored.problem)
    (rows,) = store.read_rows(RunSelection())
    assert rows.rows


def test_a_damaged_sidecar_costs_only_itself(
    store: RunStore, damaged: sqlite3.Connection
) -> None:
    """The run is read by its v1 fields all the same."""
    (run,) = store.list_runs("SN-1")
    damaged.execute("UPDATE run_documents SET sidecar = substr(sidecar, 1, 9)")
    damaged.commit()
    assert store.get_run(run.id).unit.serial_number == "SN-1"


class TestContents:
    """The bytes of attachments."""

    @pytest.fixture(name="content")
    def _content(self, store: RunStore, make_body: BodyMaker) -> Path:
        """Attach a file, and damage its bytes without changing their number."""
        run = store.create_run(make_body()).id
        content = store.contents.store([b"sound bytes"])
        store.attach_file(run, name="a.bin", mime_type=None, content=content)
        path = store.contents.path(content.sha256)
        assert path is not None
        path.write_bytes(b"Sound bytes")
        assert store.upkeep.check().problems
        return path

    def test_a_sound_upload_heals(self, store: RunStore, content: Path) -> None:
        """Whoever sends the same bytes again puts them in the place of the damaged."""
        store.contents.store([b"sound bytes"])
        assert content.read_bytes() == b"sound bytes"
        assert store.upkeep.check().problems == ()

    def test_a_damaged_content_is_not_shared(
        self, store: RunStore, content: Path
    ) -> None:
        """It is not taken for the bytes of a new run."""
        held = store.contents.store([b"other"])
        assert store.contents.is_sound(held)
        damaged = type(held)(sha256=content.name, size=len(b"sound bytes"))
        assert store.contents.holds(damaged)
        assert not store.contents.is_sound(damaged)

    def test_a_backup_says_so(
        self, store: RunStore, content: Path, tmp_path: Path
    ) -> None:
        """A backup names it, and does not keep it under any name."""
        done = store.upkeep.back_up(tmp_path / "copy")
        (problem,) = done.damaged
        assert content.name in problem
        assert list((tmp_path / "copy").glob("attachments/??/??/*")) == []

    def test_missing_bytes(
        self, store: RunStore, content: Path, serving: Callable[..., Any]
    ) -> None:
        """A file whose bytes are gone is answered 502, in words."""
        content.unlink()
        (run,) = store.list_runs("SN-1")
        file = run.attachments[0]  # type: ignore[index]
        with serving(store, store.create_user_key("Jane")) as api:
            answer: httpx.Response = api.get(f"/api/v1/attachments/{file.id}/download")
        assert answer.status_code == 502
        assert answer.json()["code"] == "BAD_GATEWAY"
        assert "a.bin are missing" in answer.json()["message"]


def test_held_by_another_program(
    data: Path,
    database: None,
    make_body: BodyMaker,
    make_json: Callable[..., Any],
    serving: Callable[..., Any],
) -> None:
    """Who writes while another program holds the file is told to come again."""
    del database
    with RunStore.open(data, patience=0.2) as store:
        store.create_run(make_body())
        key = store.create_user_key("Jane")
        with (
            serving(store, key) as api,
            closing(sqlite3.connect(data / "store.sqlite")) as other,
        ):
            other.execute("BEGIN IMMEDIATE")
            answer = api.post("/api/v1/runs", json=make_json())
            assert answer.status_code == 503
            assert api.get("/api/v1/runs?serial_number=SN-1").status_code == 200
            other.rollback()
            assert api.post("/api/v1/runs", json=make_json()).status_code == 200
