"""The tables: what they promise to other databases, and how their failures read."""

from __future__ import annotations

from collections.abc import Callable
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
from rigbridge_store.database import FILE_NAME
from rigbridge_store.listing import _OF_UNIT
from rigbridge_store.rows import RowWriter, insert_row
from rigbridge_store.schema import metadata


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


class TestRowWriter:
    """Many rows at once."""

    @pytest.mark.parametrize("style", ["qmark", "named"])
    @pytest.mark.parametrize("columns", [("key", "a", "b"), ("b", "key", "a")])
    def test_columns(self, style: str, columns: tuple[str, ...]) -> None:
        """Values reach their columns whatever the order, and the driver's style."""
        engine = sa.create_engine("sqlite://", paramstyle=style)
        table = sa.Table(
            "t",
            sa.MetaData(),
            sa.Column("key", sa.Integer, primary_key=True),
            sa.Column("a", sa.Text),
            sa.Column("b", sa.Text),
        )
        rows = [{"key": number, "a": f"a{number}", "b": None} for number in (1, 2)]
        writer = RowWriter(table, columns)
        with engine.begin() as connection:
            table.create(connection)
            for row in rows:
                writer.write(connection, [tuple(row[name] for name in columns)])
            writer.write(connection, [])
            assert insert_row(connection, table, {"a": "x", "b": "y"}) == 3
            found = connection.execute(sa.select(table)).all()
        engine.dispose()
        assert [tuple(row) for row in found] == [
            (1, "a1", None),
            (2, "a2", None),
            (3, "x", "y"),
        ]


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
