"""Runs in groups: the same rows as one by one, and nobody pays for his neighbour."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
import sqlalchemy as sa

from rigbridge.errors import ConflictError, PermanentError
from rigbridge.wire import CreateRun
from rigbridge_store import RunStore
from rigbridge_store.intake import definitions
from rigbridge_store.intake.creation import Creation, IdempotencyKey
from rigbridge_store.intake.policies import CreationPolicy, Repetition
from rigbridge_store.intake.preparation import digest, prepare
from rigbridge_store.results import StoredFile
from rigbridge_store.tables import seals
from rigbridge_store.tables.schema import metadata

_DROPPED = {"id", "created_at", "seal", "moment"}
"""What is made at random, or from the clock."""

_UNORDERED = {"point_key", "specification_key"}
"""Keys of rows that are found by a digest, whose order means nothing."""


def creation(body: CreateRun, number: int, **more: Any) -> Creation:
    """Prepare a run as an import does."""
    key = f"00000000-0000-0000-0000-{number:012}"
    return Creation(
        body=body,
        prepared=prepare(body),
        principal=None,
        policy=CreationPolicy(create_missing=True, declared_operators=True),
        key=IdempotencyKey.of(key, digest(body), repetition=Repetition.REFUSED),
        files=more.pop("files", ()),
        **more,
    )


def some_runs(make_body: Callable[..., CreateRun]) -> list[Creation]:
    """Make runs of all sorts: repeated units, new ones, files, logs, assemblies."""
    file = StoredFile(name="a.txt", mime_type="text/plain")
    log = {
        "level": "INFO",
        "timestamp": "2024-01-15T10:35:00Z",
        "message": "on\0off",
        "source_file": "a.py",
        "line_number": 1,
    }

    def unit(serial: str, **more: str) -> dict[str, str]:
        return {"serial_number": serial, "part_number": "PCB-1", **more}

    bodies = [
        make_body(),
        make_body(unit_under_test=unit("SN-2", revision="B", batch_number="7")),
        make_body(unit_under_test=unit("sn-1"), logs=[log], operated_by="Jane"),
        make_body(
            unit_under_test=unit("TOP"),
            sub_units=[{"serial_number": "SN-2"}, {"serial_number": "SN-9"}],
            procedure_version="1.0",
        ),
        make_body(unit_under_test=unit("SN-9", part_name="Board")),
        make_body(
            unit_under_test={"serial_number": "SN-4"},
            procedure_name="Other",
            operated_by="jane@example.com",
            phases=...,
            started_at=...,
        ),
    ]
    found = [
        creation(body, number, files=[file], metadata={"n": number, "flag": True})
        for number, body in enumerate(bodies)
    ]
    # The same run once more.
    return [*found, found[1]]


def rows_of(store: RunStore) -> dict[str, list[str]]:
    """Give all that the tables hold, apart from what is made at random."""
    found: dict[str, list[str]] = {}
    with store.reading() as connection:
        for table in metadata.sorted_tables:
            columns = [
                column
                for column in table.c
                if column.name not in _UNORDERED
                and (
                    column.name not in _DROPPED
                    or (table.name, column.name) == ("runs", "id")
                )
                and not (
                    table.name in {"test_points", "specifications"}
                    and column.name == "key"
                )
            ]
            if table.name not in {"schema_versions", "secrets"}:
                rows = connection.execute(sa.select(*columns))
                found[table.name] = sorted(str(tuple(row)) for row in rows)
    return found


@pytest.fixture(name="other")
def _other(tmp_path: Path, database: str | None, request: Any) -> Any:
    address = None
    if database is not None:
        address = request.getfixturevalue("new_database")()
    with RunStore.open(tmp_path / "other", database=address) as opened:
        yield opened


def _measuring(make_body: Callable[..., CreateRun], count: int) -> CreateRun:
    """Make a run of so many test points, each specified otherwise."""
    measured = [
        {
            "name": f"m{number}",
            "outcome": "PASS",
            "measured_value": number / 7,
            "upper_limit": number,
        }
        for number in range(count)
    ]
    phase = {
        "name": "Power",
        "outcome": "PASS",
        "start_time_millis": 0,
        "end_time_millis": 1,
        "measurements": measured,
    }
    return make_body(phases=[phase])


class TestEquality:
    """A group and its runs one by one."""

    def test_a_group_gives_the_same_rows(
        self, store: RunStore, other: RunStore, make_body: Callable[..., CreateRun]
    ) -> None:
        """Whatever the runs refer to and hold."""
        runs = some_runs(make_body)
        together = store.create_prepared(runs)
        singly = [other.create_prepared([run])[0] for run in runs]
        assert together == singly
        assert [result.created for result in together] == [True] * 6 + [False]  # type: ignore[union-attr]
        assert rows_of(store) == rows_of(other)

    def test_a_run_of_many_definitions_gives_the_same_rows(
        self,
        store: RunStore,
        other: RunStore,
        make_body: Callable[..., CreateRun],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """They are looked up and added in blocks, some of them known before."""
        runs = [creation(_measuring(make_body, count), count) for count in (3, 8)]
        together = other.create_prepared(runs)
        monkeypatch.setattr(definitions, "_IN_A_BLOCK", 2)
        monkeypatch.setattr(seals, "_BLOCK", 3)
        assert [store.create_prepared([run])[0] for run in runs] == together
        assert rows_of(store) == rows_of(other)
        assert not store.upkeep.check().problems


class TestRefusals:
    """A run that is refused in a group."""

    def test_it_leaves_the_others_alone(
        self, store: RunStore, make_body: Callable[..., CreateRun]
    ) -> None:
        """They are stored, and it leaves nothing behind."""
        runs = some_runs(make_body)
        cycle = creation(
            make_body(
                unit_under_test={"serial_number": "SN-2", "part_number": "NEW-PART"},
                sub_units=[{"serial_number": "TOP"}],
            ),
            50,
        )
        taken = attrs.evolve(
            creation(make_body(run_passed=False), 0), metadata={"never": 1}
        )
        results = store.create_prepared([*runs[:4], cycle, taken, *runs[4:]])
        assert [isinstance(result, PermanentError) for result in results] == (
            [False] * 4 + [True] * 2 + [False] * 3
        )
        assert "cycle" in str(results[4])
        assert isinstance(results[5], ConflictError)
        with store.reading() as connection:
            parts = connection.execute(sa.text("SELECT number FROM parts")).scalars()
            assert set(parts) == {"PCB-1"}
