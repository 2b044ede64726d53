"""The file below the queue."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from rigbridge.errors import ConfigurationError, OutboxBusyError
from rigbridge.outbox.queue import schema
from rigbridge.outbox.queue.database import OutboxDatabase
from rigbridge.outbox.queue.entry_queue import EntryQueue, KnownRun
from rigbridge.outbox.queue.retention import Housekeeping


class TestDatabase:
    """The file."""

    def test_each_commit_is_on_the_disk(self, database: OutboxDatabase) -> None:
        """The database syncs fully, and readers do not wait for writers."""
        with database.reading() as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
            assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2

    def test_a_folder_of_another_machine(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Machines share no memory, so none writes a log ahead, whoever did before."""
        path = tmp_path / "outbox.sqlite"
        OutboxDatabase(path).close()
        monkeypatch.setattr(
            "rigbridge.machine.sqlite_files.is_on_network", lambda _: True
        )
        first, second = OutboxDatabase(path), OutboxDatabase(path)
        with first.writing() as connection:
            connection.execute("CREATE TABLE shared (x)")
        with second.reading() as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "delete"
            assert connection.execute("SELECT count(*) FROM shared").fetchone()
        assert not path.with_name(f"{path.name}-wal").exists()
        first.close()
        second.close()

    def test_a_file_that_was_replaced_is_opened_anew(
        self, database: OutboxDatabase, tmp_path: Path
    ) -> None:
        """A reader that has the old one open reads the new one, and waits for none."""
        other = OutboxDatabase(tmp_path / "other.sqlite")
        with other.writing() as connection:
            connection.execute("CREATE TABLE only_there (x)")
        other.close()
        path = database._path
        with database.reading():
            pass
        (tmp_path / "other.sqlite").replace(path.with_name(f"{path.name}.new"))
        with database.reading() as connection:
            assert connection.execute("SELECT count(*) FROM only_there").fetchone()

    def test_an_error_undoes_everything(
        self, desk: Any, database: OutboxDatabase
    ) -> None:
        """A transaction that fails leaves nothing behind."""
        run_id = desk.add()

        def fail() -> None:
            with database.writing() as connection:
                connection.execute("DELETE FROM entry")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert desk.queue.find(run_id) == KnownRun("d")

    def test_a_newer_outbox_is_refused(self, tmp_path: Path) -> None:
        """What a later version made is not touched."""
        path = tmp_path / "later.sqlite"
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA user_version = 99")
        connection.close()
        with pytest.raises(ConfigurationError, match="newer version"):
            OutboxDatabase(path)

    def test_a_version_to_come_takes_an_outbox_over(
        self, desk: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its step is taken once, and what waited still waits."""
        run_id = desk.add()
        path = tmp_path / "outbox.sqlite"
        step = "ALTER TABLE entry ADD COLUMN extra INTEGER NOT NULL DEFAULT 7"
        monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, step))
        for _ in range(2):
            later = OutboxDatabase(path)
            with later.reading() as connection:
                row = connection.execute("SELECT run_id, extra FROM entry").fetchone()
                assert tuple(row) == (str(run_id), 7)
                assert schema.version_of(connection) == 2
            later.close()

    def test_a_step_that_fails_changes_nothing(
        self, desk: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """All statements of a step count, or none does."""
        del desk
        steps = (*schema.STEPS, "CREATE TABLE extra (a); CREATE TABLE entry (a)")
        path = tmp_path / "outbox.sqlite"
        with monkeypatch.context() as patch:
            patch.setattr(schema, "STEPS", steps)
            with pytest.raises(ConfigurationError, match="already exists"):
                OutboxDatabase(path)
        with closing(OutboxDatabase(path)) as database, database.reading() as now:
            assert schema.version_of(now) == 1
            assert not now.execute(
                "SELECT 1 FROM sqlite_master WHERE name = 'extra'"
            ).fetchone()

    def test_another_file_is_refused(self, tmp_path: Path) -> None:
        """A folder in the place of the database is named."""
        path = tmp_path / "outbox.sqlite"
        path.mkdir()
        with pytest.raises(ConfigurationError, match="cannot be used as an outbox"):
            OutboxDatabase(path)

    def test_a_folder_that_cannot_be_made_is_refused(self, tmp_path: Path) -> None:
        """A path below a file is named."""
        (tmp_path / "file").write_text("")
        with pytest.raises(ConfigurationError, match="outbox"):
            OutboxDatabase(tmp_path / "file" / "outbox.sqlite")

    def test_a_closed_one_is_not_opened_again(self, database: OutboxDatabase) -> None:
        """Using it after closing is a mistake, closing twice is none."""
        database.close()
        database.close()
        with pytest.raises(ConfigurationError, match="closed"), database.reading():
            pass

    def test_it_may_be_opened_by_many_at_once(self, tmp_path: Path) -> None:
        """Threads that open a new outbox together all succeed."""
        path = tmp_path / "shared" / "outbox.sqlite"
        opened: list[OutboxDatabase] = []
        threads = [
            threading.Thread(target=lambda: opened.append(OutboxDatabase(path)))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(opened) == 8
        for database in opened:
            database.close()


class TestPatience:
    """Another thread holds the database."""

    def test_who_cannot_wait_is_told_so(self, database: OutboxDatabase) -> None:
        """A question and a transaction are given up, and say why."""
        queue, housekeeping = EntryQueue(database), Housekeeping(database)
        told: list[str] = []

        def ask() -> None:
            try:
                queue.find(uuid4(), patience=0.01)
            except OutboxBusyError as error:
                told.append(error.message)
            try:
                housekeeping.sweep(lambda _: None, patience=0.01)
            except OutboxBusyError as error:
                told.append(error.message)

        with database.writing():
            asking = threading.Thread(target=ask)
            asking.start()
            asking.join()
        assert told == ["others hold the outbox for too long"] * 2
