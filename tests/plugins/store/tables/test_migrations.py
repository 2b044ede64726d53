"""The versions of the tables, and what becomes of a store of an older one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import alembic.command
import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory

from rigbridge.wire import CreateRun
from rigbridge_store import RunStore
from rigbridge_store.tables import database as opening
from rigbridge_store.tables import migrating
from rigbridge_store.tables.backends import backend_for
from rigbridge_store.tables.schema import SCHEMA_VERSION, metadata

# Their statements are compared instead.
pytestmark = pytest.mark.filterwarnings("ignore:Skipped unsupported reflection")

NEXT = SCHEMA_VERSION + 1

SCRIPT = f"""
import sqlalchemy as sa
from alembic import op

revision = "{migrating.revision_of(NEXT)}"
down_revision = "{migrating.revision_of(SCHEMA_VERSION)}"


def upgrade():
    sqlite = op.get_bind().dialect.name == "sqlite"
    rebuilt = {{"recreate": "always" if sqlite else "never"}}
    with op.batch_alter_table("procedures", **rebuilt) as table:
        table.add_column(sa.Column("color", sa.Text))
    op.execute("UPDATE procedures SET color = 'blue'")
"""  # noqa: S608 - a program, no statement
"""A made-up next version; SQLite writes the table anew, to which runs refer."""

OPEN = f"""
import pathlib, sys
import rigbridge_store
from rigbridge_store.tables import database, migrating
migrating._SCRIPTS = sys.argv[2]
migrating.SCHEMA_VERSION = database.SCHEMA_VERSION = {NEXT}
print(len(rigbridge_store.RunStore.open(pathlib.Path(sys.argv[1])).recent_runs(9)))
"""


@pytest.fixture
def next_version(tmp_path: Path) -> Path:
    """Give a folder of migrations with one more than there is."""
    present = Path(migrating.__file__).with_name("migrations")
    folder = shutil.copytree(present, tmp_path / "migrations")
    (folder / "versions" / "v_next.py").write_text(SCRIPT, encoding="utf-8")
    return folder


@pytest.fixture
def come_to_next(
    next_version: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], None]:
    """Give what turns this program into the one of the next version."""

    def come() -> None:
        monkeypatch.setattr(migrating, "_SCRIPTS", str(next_version))
        for module in (migrating, opening):
            monkeypatch.setattr(module, "SCHEMA_VERSION", NEXT)

    return come


def _ordered(items: Iterable[Mapping[str, object]]) -> list[str]:
    return sorted(str(sorted(item.items(), key=str)) for item in items)


def _shape(connection: sa.Connection) -> dict[str, dict[str, object]]:
    """Describe every table, whatever order its columns were made in."""
    found = sa.inspect(connection)
    return {
        table: {
            "columns": _ordered(
                {**column, "type": str(column["type"])}
                for column in found.get_columns(table)
            ),
            "primary key": str(found.get_pk_constraint(table)),
            "foreign keys": _ordered(found.get_foreign_keys(table)),
            "unique": _ordered(found.get_unique_constraints(table)),
            "statements": _statements(connection, table),
        }
        for table in found.get_table_names()
        if table != "alembic_version"
    }


def _statements(connection: sa.Connection, table: str) -> list[str]:
    """Give what the inspector leaves out: indexes of expressions, ways of storage."""
    if connection.dialect.name == "postgresql":
        statement = "SELECT indexdef FROM pg_indexes WHERE tablename = %s"
    else:
        statement = (
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name = ?"
        )
    rows = connection.exec_driver_sql(statement, (table,)).scalars()
    return sorted(" ".join(sql.replace('"', "").split()) for sql in rows)


class TestNextVersion:
    """A store with data that a later version of the tables comes to."""

    def test_data_survive(
        self,
        data: Path,
        database: str | None,
        make_body: Callable[..., CreateRun],
        come_to_next: Callable[[], None],
    ) -> None:
        """Runs are as they were, have what is new, and more can be added."""
        with RunStore.open(data, database=database) as store:
            created = store.create_run(make_body())
            before = store.get_run(created.id)
        come_to_next()
        with RunStore.open(data, database=database) as store:
            assert store.get_run(created.id) == before
            assert store.create_run(make_body(procedure_name="Other")).created
            with store.reading() as connection:
                colors = connection.exec_driver_sql(
                    "SELECT color FROM procedures ORDER BY key"
                )
                assert list(colors.scalars()) == ["blue", None]
                assert migrating.stored_version(connection) == NEXT

    def test_failure_leaves_it_as_it_was(
        self,
        data: Path,
        make_body: Callable[..., CreateRun],
        come_to_next: Callable[[], None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """An upgrade that breaks off changes nothing, and can be repeated."""
        with RunStore.open(data) as store:
            store.create_run(make_body())
            with store.reading() as connection:
                before = _shape(connection)

        def fail(*_: object) -> None:
            raise sa.exc.IntegrityError("check", None, ValueError("broken"))

        check = migrating._check_references
        come_to_next()
        monkeypatch.setattr(migrating, "_check_references", fail)
        with pytest.raises(sa.exc.IntegrityError):
            RunStore.open(data)
        engine = backend_for(data, None).engine()
        with engine.connect() as connection:
            assert migrating.stored_version(connection) == SCHEMA_VERSION
            assert _shape(connection) == before
        engine.dispose()
        monkeypatch.setattr(migrating, "_check_references", check)
        with RunStore.open(data) as store:
            assert len(store.recent_runs(9)) == 1

    def test_several_processes_upgrade_it_once(
        self, data: Path, make_body: Callable[..., CreateRun], next_version: Path
    ) -> None:
        """Processes that open an old store at once all find it upgraded."""
        with RunStore.open(data) as store:
            store.create_run(make_body())
        command = [sys.executable, "-c", OPEN, str(data), str(next_version)]
        processes = [
            subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(3)
        ]
        assert [process.communicate()[0] for process in processes] == [b"1\n"] * 3


class TestScripts:
    """The migrations as such."""

    def test_last_one_leads_to_the_present_tables(self) -> None:
        """The newest migration has the version that the tables have."""
        config = Config()
        config.set_main_option("script_location", migrating._SCRIPTS)
        config.set_main_option("path_separator", "os")
        scripts = ScriptDirectory.from_config(config)
        assert scripts.get_heads() == [migrating.revision_of(SCHEMA_VERSION)]

    @pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
    def test_from_nothing(
        self, tmp_path: Path, kind: str, request: pytest.FixtureRequest
    ) -> None:
        """All migrations together make the tables that a new store has."""
        urls: list[str | None] = [None, None]
        if kind == "postgresql":
            new = request.getfixturevalue("new_database")
            urls = [new(empty=True), new(empty=True)]
        backend = backend_for(tmp_path, urls[0])
        backend.prepare()
        engine = backend.engine()
        with backend.restructuring(engine) as connection:
            config = Config(attributes={"connection": connection})
            config.set_main_option("script_location", migrating._SCRIPTS)
            config.set_main_option("path_separator", "os")
            alembic.command.upgrade(config, "head")
            migrated = _shape(connection)
        engine.dispose()
        assert set(migrated) == set(metadata.tables)
        with (
            RunStore.open(tmp_path / "new", database=urls[1]) as store,
            store.reading() as connection,
        ):
            assert migrated == _shape(connection)
