"""Stores of older versions: what becomes of them when they are opened."""

from __future__ import annotations

import importlib
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import alembic.command
import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory
from hypothesis import given
from hypothesis import strategies as st

from rigbridge.convert import to_document
from rigbridge_store import RunStore
from rigbridge_store.intake.definitions import definition_digest
from rigbridge_store.tables.backends import FILE_NAME, backend_for
from rigbridge_store.tables.migrating import revision_of
from rigbridge_store.tables.schema import SCHEMA_VERSION, metadata

FIRST_CUT = Path(__file__).with_name("first_cut")
"""A store as the first version wrote it, and its runs as that version read them."""

# Their statements are compared instead.
pytestmark = pytest.mark.filterwarnings("ignore:Skipped unsupported reflection")

_OPEN = (
    "import sys, pathlib, rigbridge_store as s;"
    "print(len(s.RunStore.open(pathlib.Path(sys.argv[1])).recent_runs(9)))"
)


@pytest.fixture
def first_cut(data: Path) -> Path:
    """Give a data folder with a store of the first version."""
    data.mkdir()
    sql = (FIRST_CUT / "store.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(data / FILE_NAME)) as connection:
        connection.executescript(sql)
    return data


def _runs() -> list[dict[str, Any]]:
    lines = (FIRST_CUT / "runs.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def _shape(connection: sa.Connection) -> dict[str, Any]:
    """Describe every table, whatever order its columns were made in."""
    found = sa.inspect(connection)

    def ordered(items: Any) -> list[str]:
        return sorted(str(sorted(item.items(), key=str)) for item in items)

    return {
        table: {
            "columns": ordered(
                {**column, "type": str(column["type"])}
                for column in found.get_columns(table)
            ),
            "primary key": found.get_pk_constraint(table),
            "foreign keys": ordered(found.get_foreign_keys(table)),
            "unique": ordered(found.get_unique_constraints(table)),
            "indexes": _indexes(connection, table),
            "storage": _storage(connection, table),
        }
        for table in found.get_table_names()
    }


def _storage(connection: sa.Connection, table: str) -> set[str]:
    statement = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?"
    sql = connection.exec_driver_sql(statement, (table,)).scalar_one()
    return {word for word in ("AUTOINCREMENT", "WITHOUT ROWID") if word in sql}


def _indexes(connection: sa.Connection, table: str) -> list[str]:
    # The inspector leaves indexes of expressions out.
    statement = (
        "SELECT sql FROM sqlite_master"
        " WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = ?"
    )
    rows = connection.exec_driver_sql(statement, (table,))
    return sorted(" ".join(row[0].replace('"', "").split()) for row in rows)


class TestFirstVersion:
    """A store that the first version made."""

    def test_every_run_is_as_it_was(self, first_cut: Path) -> None:
        """Runs read the same after the upgrade, down to the sign of a zero."""
        with RunStore.open(first_cut) as store:
            for run in _runs():
                assert to_document(store.get_run(run["id"])) == run

    def test_goes_on(self, first_cut: Path) -> None:
        """Its units, keys and links are found, and runs can be added."""
        with RunStore.open(first_cut) as store:
            run = store.get_run(_runs()[1]["id"])
            assert len(store.list_runs("sn-1")) == 2
            assert store.keys.exist()
        with RunStore.open(first_cut) as store:
            assert [sub.serial_number for sub in run.sub_units] == ["SN-1"]
            store.delete_run(str(run.id))
            assert len(store.recent_runs(9)) == 2

    def test_tables_are_those_of_a_new_store(
        self, first_cut: Path, tmp_path: Path
    ) -> None:
        """Upgraded tables are no different from new ones."""
        with RunStore.open(first_cut) as old, RunStore.open(tmp_path / "new") as new:
            with old._database.reading() as connection:
                upgraded = _shape(connection)
            with new._database.reading() as connection:
                assert upgraded == _shape(connection)

    def test_several_processes_upgrade_it_once(self, first_cut: Path) -> None:
        """Processes that open an old store at once all find it upgraded."""
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", _OPEN, str(first_cut)], stdout=subprocess.PIPE
            )
            for _ in range(3)
        ]
        assert [process.communicate()[0] for process in processes] == [b"3\n"] * 3

    def test_failure_leaves_it_as_it_was(
        self, first_cut: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An upgrade that breaks off changes nothing, and can be repeated."""

        def fail(*_: object) -> None:
            raise sa.exc.IntegrityError("check", None, ValueError("broken"))

        with monkeypatch.context() as patched:
            patched.setattr("rigbridge_store.tables.migrating._check_references", fail)
            with pytest.raises(sa.exc.IntegrityError):
                RunStore.open(first_cut)
        with closing(sqlite3.connect(first_cut / FILE_NAME)) as connection:
            version = "SELECT max(version) FROM schema_versions"
            assert connection.execute(version).fetchone() == (1,)
            assert connection.execute("SELECT name FROM measurements").fetchone()
        with RunStore.open(first_cut) as store:
            assert len(store.recent_runs(9)) == 3


class TestScripts:
    """The migrations as such."""

    def test_last_one_leads_to_the_present_tables(self) -> None:
        """The newest migration has the version that the tables have."""
        config = Config()
        config.set_main_option("script_location", "rigbridge_store:migrations")
        config.set_main_option("path_separator", "os")
        scripts = ScriptDirectory.from_config(config)
        assert scripts.get_heads() == [revision_of(SCHEMA_VERSION)]

    def test_from_nothing(self, tmp_path: Path) -> None:
        """All migrations together make the tables that a new store has."""
        backend = backend_for(tmp_path, None)
        backend.prepare()
        engine = backend.engine()
        with backend.restructuring(engine) as connection:
            config = Config(attributes={"connection": connection})
            config.set_main_option("script_location", "rigbridge_store:migrations")
            config.set_main_option("path_separator", "os")
            alembic.command.upgrade(config, "head")
            migrated = _shape(connection)
        engine.dispose()
        migrated.pop("alembic_version")
        assert set(migrated) == set(metadata.tables)
        with RunStore.open(tmp_path / "new") as new:
            with new._database.reading() as connection:
                made = _shape(connection)
            made.pop("alembic_version")
            assert migrated == made

    @given(st.lists(st.text() | st.none(), min_size=2, max_size=5).map(tuple))
    def test_digests_agree(self, columns: tuple[str | None, ...]) -> None:
        """A migrated definition is found under the digest that the store looks for."""
        script = importlib.import_module(
            "rigbridge_store.tables.migrations.versions.v0002_test_points"
        )
        assert script._digest(columns) == definition_digest(columns)
