"""What is read of a damaged database is whole: each table, each column."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rigbridge.destinations import Destination, Progress, SentRun
from rigbridge.model import Attachment, Run, SubUnit, Unit
from rigbridge.outbox import Outbox
from rigbridge.outbox.queue.columns import SchemaColumn, SchemaTable, tables_of
from rigbridge.outbox.queue.salvage import salvage
from rigbridge.wire import encode

MakeRun = Callable[..., Run]
MakeFile = Callable[..., Attachment]

# What the outbox itself has to make, since other tables and checks depend on it.
_OWN = frozenset({"sequence", "run_id", "state", "document", "report", "progress"})


def _unused() -> Destination:
    pytest.fail("nothing is to be sent here")


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection


def _value(column: SchemaColumn, number: int) -> object:
    """Make a value of the column's type that stands in no other place."""
    text = f"{column.name} {number}"
    values: Mapping[str, object] = {
        "INTEGER": 1000 + number,
        "REAL": number + 0.5,
        "TEXT": text,
        "BLOB": text.encode(),
    }
    return values[column.kind]


def _fill(connection: sqlite3.Connection, table: SchemaTable) -> None:
    """Put three rows into a table, or one where it has no key; no column is NULL."""
    if table.name == "entry":
        for column in table.columns:
            if column.name not in _OWN:
                connection.execute(
                    f"UPDATE entry SET {column.name} = ?",  # noqa: S608 - names of our own columns
                    (_value(column, len(column.name)),),
                )
        return
    connection.execute(f"DELETE FROM {table.name}")  # noqa: S608 - likewise
    marks = ", ".join("?" for _ in table.columns)
    for number in range(3 if table.key else 1):
        connection.execute(
            f"INSERT INTO {table.name} VALUES ({marks})",  # noqa: S608 - likewise
            [
                _value(column, 10 * number + index)
                for index, column in enumerate(table.columns)
            ],
        )


def _rows(connection: sqlite3.Connection) -> dict[str, list[dict[str, Any]]]:
    return {
        table.name: [
            dict(row)
            for row in connection.execute(
                f"SELECT * FROM {table.name} ORDER BY {', '.join(table.key) or 1}"  # noqa: S608 - likewise
            )
        ]
        for table in tables_of(connection).values()
    }


@pytest.fixture(name="database")
def _database(folder: Path, make_run: MakeRun, make_file: MakeFile) -> Path:
    """Make a database with rows in every table."""
    with Outbox.open(folder, _unused) as outbox:
        for number in range(3):
            run = make_run(
                unit=Unit(serial_number=f"SN-{number}"),
                attachments=[make_file("a", b"%d" % number)],
                sub_units=(SubUnit(serial_number=f"PART-{number}"),),
            )
            outbox.submit(run)
    path = folder / "outbox.sqlite"
    with closing(_connected(path)) as connection:
        # These two say what the documents say; the outbox has filled them.
        for table in tables_of(connection).values():
            if table.name not in ("content", "part"):
                _fill(connection, table)
    return path


def _salvaged(path: Path) -> Path:
    target = path.with_name("new.sqlite")
    salvage(path, target, path.with_name("aside.sqlite"))
    return target


class TestWhole:
    """Nothing of a database that can be read is left behind."""

    def test_every_column_of_every_table_is_taken_over(self, database: Path) -> None:
        """Also of tables and columns that come in later."""
        with closing(_connected(database)) as connection:
            expected = _rows(connection)
        assert all(
            any(row[name] is not None for row in rows)
            for rows in expected.values()
            for name in rows[0]
        )
        with closing(_connected(_salvaged(database))) as connection:
            assert _rows(connection) == expected

    def test_a_lost_first_page_costs_no_other_table(self, database: Path) -> None:
        """The claims and the dropped runs are found as the entries are."""
        with closing(_connected(database)) as connection:
            expected = _rows(connection)
            size = connection.execute("PRAGMA page_size").fetchone()[0]
        with database.open("rb+") as stream:
            stream.write(bytes(size))
        with closing(_connected(_salvaged(database))) as connection:
            assert _rows(connection) == expected


class TestMended:
    """Values that no column was made for."""

    @pytest.mark.parametrize("column", ["waits_for_store", "submitted_at", "missing"])
    def test_a_value_of_another_type_costs_no_entry(
        self, database: Path, column: str
    ) -> None:
        """It counts as never set; the run is still sent."""
        with closing(_connected(database)) as connection:
            connection.execute(f"UPDATE entry SET {column} = 'odd'")  # noqa: S608 - names of our own columns
        with closing(_connected(_salvaged(database))) as connection:
            found = _rows(connection)["entry"]
        assert [(row["state"], row[column]) for row in found] == [("pending", 0)] * 3

    def test_an_odd_row_of_another_table_costs_no_other_row(
        self, database: Path
    ) -> None:
        """A clock that is no number is left out alone."""
        with closing(_connected(database)) as connection:
            connection.execute("UPDATE clock SET ahead = 'odd' WHERE boot = 'boot 10'")
        with closing(_connected(_salvaged(database))) as connection:
            found = _rows(connection)["clock"]
        assert [row["boot"] for row in found] == ["boot 0", "boot 20"]

    def test_a_lost_claim_is_made_anew_from_its_entry(self, database: Path) -> None:
        """No other run that looks the same gets the stored one."""
        sent = Progress(
            sent=True,
            stored_id="stored",
            sent_as=SentRun(key="SN-0", serial_number="SN-0"),
        )
        with closing(_connected(database)) as connection:
            connection.execute("DELETE FROM claim")
            connection.execute("UPDATE entry SET progress = ?", (encode(sent),))
            run_id = connection.execute("SELECT min(run_id) FROM entry").fetchone()[0]
            connection.execute("DELETE FROM entry WHERE run_id != ?", (run_id,))
            name = connection.execute("SELECT destination FROM entry").fetchone()[0]
        with closing(_connected(_salvaged(database))) as connection:
            assert _rows(connection)["claim"] == [
                {"destination": name, "stored_id": "stored", "run_id": run_id}
            ]
