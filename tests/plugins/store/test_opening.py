"""Opening a store: what is made, and what is refused."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from rigbridge.errors import ConfigurationError
from rigbridge_store import RunStore
from rigbridge_store.tables.database import FILE_NAME


def _open(data: Path) -> int:
    with RunStore.open(data) as store:
        return len(store.recent_runs(1))


class TestOpen:
    """``RunStore.open``."""

    def test_makes_the_folder(self, data: Path) -> None:
        """A folder that is absent is made, parents included."""
        with RunStore.open(data / "deep" / "er") as store:
            assert store.recent_runs(5) == []
        assert (data / "deep" / "er" / FILE_NAME).is_file()

    def test_opens_again(self, data: Path) -> None:
        """An existing store opens as it is."""
        for _ in range(2):
            assert _open(data) == 0

    @pytest.mark.parametrize("database", ["sqlite"], indirect=True)
    def test_commits_survive_a_power_cut(self, store: RunStore) -> None:
        """The database runs in WAL mode, with full sync and foreign keys."""
        with store._database.reading() as connection:
            values = [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys")
            ]
        assert values == ["wal", 2, 1]

    def test_refuses_a_newer_schema(self, data: Path) -> None:
        """A store of a newer version is left alone, with the remedy said."""
        _open(data)
        with closing(sqlite3.connect(data / FILE_NAME)) as connection:
            connection.execute("UPDATE schema_versions SET version = 999")
            connection.commit()
        with pytest.raises(ConfigurationError, match=r"version 999.*update rigbridge"):
            RunStore.open(data)

    def test_refuses_a_file_that_is_no_database(self, data: Path) -> None:
        """A foreign file of the name is reported, not overwritten."""
        data.mkdir()
        (data / FILE_NAME).write_bytes(b"no database at all" * 100)
        with pytest.raises(ConfigurationError, match="not a database"):
            RunStore.open(data)
        assert (data / FILE_NAME).read_bytes().startswith(b"no database")

    def test_refuses_a_folder_that_is_a_file(self, tmp_path: Path) -> None:
        """A path that is a file is reported with the path."""
        path = tmp_path / "file"
        path.write_bytes(b"")
        with pytest.raises(ConfigurationError, match="data folder cannot be used"):
            RunStore.open(path)

    def test_several_processes_may_be_first(self, data: Path) -> None:
        """Processes that open a new store at once all succeed."""
        script = (
            "import sys, pathlib, rigbridge_store as s;"
            "print(len(s.RunStore.open(pathlib.Path(sys.argv[1])).recent_runs(1)))"
        )
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", script, str(data)], stdout=subprocess.PIPE
            )
            for _ in range(4)
        ]
        assert [process.communicate()[0] for process in processes] == [b"0\n"] * 4


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_refuses_a_database_that_cannot_hold_all_texts(
    data: Path, postgresql_server: str, administer: Callable[[str], None], encoding: str
) -> None:
    """A database that is not UTF-8 is refused when it is opened, with the remedy."""
    name = f"encoding_{encoding.lower()}"
    administer(
        f"CREATE DATABASE {name} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' "
        "TEMPLATE template0"
    )
    try:
        with pytest.raises(ConfigurationError, match=rf"{encoding}.*ENCODING 'UTF8'"):
            RunStore.open(data, database=f"{postgresql_server}/{name}")
    finally:
        administer(f"DROP DATABASE {name} WITH (FORCE)")
