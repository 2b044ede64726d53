"""The tables: what they promise to other databases, and how their failures read."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from rigbridge.errors import (
    ConfigurationError,
    RigbridgeError,
    ServerUnavailableError,
)
from rigbridge.wire import CreateRun
from rigbridge_store import RunStore
from rigbridge_store.reading.listing import _OF_UNIT
from rigbridge_store.tables.database import FILE_NAME, StoreDatabase
from rigbridge_store.tables.rows import RowFinder, RowWriter, insert_row
from rigbridge_store.tables.schema import metadata


@pytest.fixture
def table() -> sa.Table:
    """Describe a table with a key and two texts."""
    return sa.Table(
        "t",
        sa.MetaData(),
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("a", sa.Text),
        sa.Column("b", sa.Text),
    )


@contextmanager
def _with(table: sa.Table) -> Iterator[sa.Connection]:
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        table.create(connection)
        yield connection
    engine.dispose()


class TestSchema:
    """The tables as such."""

    @pytest.mark.parametrize("table", metadata.sorted_tables, ids=str)
    def test_for_postgresql(self, table: sa.Table) -> None:
        """Every table can be made in PostgreSQL as well."""
        # SQLAlchemy leaves this call without types.
        dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            assert "CREATE" in str(CreateIndex(index).compile(dialect=dialect))

    @pytest.mark.parametrize("database", ["sqlite"], indirect=True)
    def test_list_by_serial_number_uses_indexes(self, store: RunStore) -> None:
        """Listing a unit's runs walks through no table."""
        sql = str(_OF_UNIT.compile(dialect=store._database._engine.dialect))
        with store._database.reading() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", ("x",)).all()
        assert not [row for row in plan if row[-1].startswith("SCAN")]

    @pytest.mark.parametrize("database", ["sqlite"], indirect=True)
    @pytest.mark.parametrize(
        ("question", "index"),
        [
            ("SELECT * FROM units ORDER BY created_at DESC, key DESC", "created"),
            ("SELECT count(*) FROM units WHERE batch_key = 1", "batch_key"),
        ],
    )
    def test_indexes_of_units(self, store: RunStore, question: str, index: str) -> None:
        """The first page of units sorts none, and those of a batch are counted."""
        with store._database.reading() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {question}").all()
        assert [f"ix_units_{index}" in row[-1] for row in plan] == [True]


class TestRowWriter:
    """Many rows at once."""

    @pytest.mark.parametrize("columns", [("key", "a", "b"), ("b", "key", "a")])
    def test_columns(self, table: sa.Table, columns: tuple[str, ...]) -> None:
        """Values reach their columns whatever the order."""
        rows = [{"key": number, "a": f"a{number}", "b": None} for number in (1, 2)]
        writer = RowWriter(table, columns)
        with _with(table) as connection:
            for row in rows:
                writer.write(connection, [tuple(row[name] for name in columns)])
            writer.write(connection, [])
            assert insert_row(connection, table, {"b": "y", "a": "x"}) == 3
            found = connection.execute(sa.select(table)).all()
        assert [tuple(row) for row in found] == [
            (1, "a1", None),
            (2, "a2", None),
            (3, "x", "y"),
        ]

    @pytest.mark.parametrize("count", [0, 1, 9, 10, 49, 50, 51, 117])
    def test_blocks(self, table: sa.Table, count: int) -> None:
        """Each of many rows is written once, in whatever blocks they go."""
        rows = [(number, f"a{number}", str(number)) for number in range(count)]
        with _with(table) as connection:
            RowWriter(table, ("key", "a", "b")).write(connection, rows)
            found = connection.execute(sa.select(table)).all()
        assert [tuple(row) for row in found] == rows

    def test_refusal(self, table: sa.Table) -> None:
        """What the driver refuses is SQLAlchemy's own error, as everywhere."""
        writer = RowWriter(table, ("key", "a", "b"))
        with _with(table) as connection:
            for rows in ([(1, "a", None)] * 2, [(2, "a", None)] * 10):
                with pytest.raises(sa.exc.IntegrityError):
                    writer.write(connection, rows)
            with pytest.raises(sa.exc.IntegrityError):
                writer.insert(connection, (1, "a", None))


class TestRowFinder:
    """One row by its parameters."""

    def test_order(self, table: sa.Table) -> None:
        """Values reach their parameters, whatever order the statement has them in."""
        finder = RowFinder(
            sa.select(table.c.key).where(
                table.c.b == sa.bindparam("second"), table.c.a == sa.bindparam("first")
            ),
            ("first", "second"),
        )
        with _with(table) as connection:
            insert_row(connection, table, {"a": "x", "b": "y"})
            assert finder.first(connection, "x", "y") == (1,)
            assert finder.first(connection, "y", "x") is None


class TestFailures:
    """What the database itself refuses."""

    @pytest.mark.parametrize("database", ["sqlite"], indirect=True)
    def test_full(self, store: RunStore, make_body: Callable[..., CreateRun]) -> None:
        """A full disk is an error that may pass, and leaves nothing half done."""
        store.create_run(make_body())
        writer = store._database._writer
        assert writer is not None
        with store._database.writing() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(ServerUnavailableError, match="full"):
            store.create_run(make_body(docstring="x" * 100_000))
        with store._database.writing() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        assert store.create_run(make_body()).created
        assert len(store.list_runs("SN-1")) == 2

    def test_damaged(self, data: Path, make_body: Callable[..., CreateRun]) -> None:
        """A damaged file is reported with the remedy."""
        with RunStore.open(data) as store:
            for _ in range(50):
                store.create_run(make_body())
        path = data / FILE_NAME
        content = bytearray(path.read_bytes())
        content[4096:] = b"\xff" * (len(content) - 4096)
        path.write_bytes(content)
        with (
            pytest.raises(RigbridgeError, match="backup") as caught,
            RunStore.open(data) as store,
        ):
            store.list_runs("SN-1")
        assert isinstance(caught.value, (ConfigurationError, ServerUnavailableError))


@pytest.fixture
def drop_connections(
    database: str, administer: Callable[[str], None]
) -> Callable[[], None]:
    """Give what ends all connections to the database, as a new start of it does."""
    name = database.rpartition("/")[2]
    statement = (
        "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity"  # noqa: S608 - a name of ours
        f" WHERE datname = '{name}'"
    )
    return partial(administer, statement)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
class TestServerStartedAgain:
    """A PostgreSQL server that was started again has dropped all connections."""

    def test_the_next_calls_find_new_connections(
        self, store: RunStore, drop_connections: Callable[[], None]
    ) -> None:
        """Neither the next write nor the next reads fail."""
        tables = store._database
        with tables.writing(), tables.reading(), tables.reading():
            pass
        for _ in range(2):
            drop_connections()
            with tables.adding() as connection:
                assert connection.scalar(sa.text("SELECT 1")) == 1
            for _ in range(2):
                with tables.reading() as connection:
                    assert connection.scalar(sa.text("SELECT 1")) == 1

    def test_what_was_begun_fails(
        self, store: RunStore, drop_connections: Callable[[], None]
    ) -> None:
        """Half of a transaction is not done twice; the next one is whole."""
        tables = store._database
        with ExitStack() as transaction:
            transaction.enter_context(pytest.raises(ServerUnavailableError))
            connection = transaction.enter_context(tables.writing())
            drop_connections()
            connection.execute(sa.text("SELECT 1"))
        with tables.writing() as connection:
            assert connection.scalar(sa.text("SELECT 1")) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs forks")
def test_a_fork_waits_for_who_writes(tmp_path: Path) -> None:
    """SQLite keeps its locks in memory: a child of a fork amid one has it for ever."""
    tables = StoreDatabase(tmp_path)
    begun = threading.Event()

    def write() -> None:
        with tables.writing():
            begun.set()
            time.sleep(0.2)

    thread = threading.Thread(target=write)
    thread.start()
    assert begun.wait(60)
    child = os.fork()
    if not child:
        try:
            with tables.writing():
                pass
        except BaseException:  # noqa: BLE001 - no test of the parent may go on here
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    thread.join()
    with tables.writing():
        pass
    tables.close()
