"""Full disks and damaged databases: what is in the outbox stays in it."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rigbridge.errors import DiskFullError, OutboxUnusableError
from rigbridge.model import Attachment, Run, SubUnit, Unit
from rigbridge.outbox import EntryState, Outbox, Retention
from rigbridge.testing.run_store.server import RunStoreServer

OpenOutbox = Callable[..., Outbox]
MakeRun = Callable[..., Run]
MakeFile = Callable[..., Attachment]


class _Usage(NamedTuple):
    """What the system says of a disk."""

    total: int
    used: int
    free: int


class TestFullDisk:
    """No room for a run."""

    def test_it_says_how_much_is_missing(
        self,
        outbox: Outbox,
        make_run: MakeRun,
        make_file: MakeFile,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Before anything is written the error names the bytes, and nothing is lost."""
        outbox.submit(make_run())
        monkeypatch.setattr(shutil, "disk_usage", lambda _: _Usage(9, 9, 3 << 20))
        run = make_run(attachments=[make_file("a", b"1", size=10 << 20)])
        with pytest.raises(DiskFullError, match=r"8\.0 MiB are missing") as caught:
            outbox.submit(run)
        assert caught.value.missing == 8 << 20
        assert [entry.state for entry in outbox.entries()] == [EntryState.PENDING]
        monkeypatch.undo()
        assert outbox.flush(60) == 0

    def test_a_database_that_cannot_grow_is_a_full_disk(
        self, outbox: Outbox, server: RunStoreServer, make_run: MakeRun
    ) -> None:
        """What SQLite itself says becomes the same error; the rest is delivered."""
        outbox.submit(make_run())
        with outbox._database.reading() as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(DiskFullError, match="the run needs"):
            outbox.submit(make_run(docstring="x" * 500_000))
        with outbox._database.reading() as connection:
            connection.execute("PRAGMA max_page_count = 1073741823")
        assert outbox.flush(60) == 0
        assert len(server.runs) == 1

    @pytest.mark.skipif(os.name == "nt", reason="limits of POSIX")
    def test_a_file_that_may_not_grow_leaves_nothing_behind(
        self,
        outbox: Outbox,
        folder: Path,
        make_run: MakeRun,
        make_file: MakeFile,
    ) -> None:
        """The system's own refusal in the midst of a copy becomes that error, too."""
        import resource  # there is none on Windows

        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 20, hard))
        try:
            with pytest.raises(DiskFullError):
                outbox.submit(make_run(attachments=[make_file("a", bytes(5 << 20))]))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert outbox.entries() == []
        kept = [path for path in (folder / "content").rglob("*") if path.is_file()]
        assert kept == []


class TestScarceRoom:
    """A disk that others have all but filled."""

    def test_a_little_room_is_kept_while_there_is_plenty(
        self, outbox: Outbox, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is taken beforehand, and given back when the disk is all but full."""
        ballast = folder / "ballast"
        assert ballast.stat().st_size == 512 << 10
        monkeypatch.setattr(shutil, "disk_usage", lambda _: _Usage(1 << 30, 9, 100_000))
        outbox.entries()
        assert ballast.exists()
        outbox.prune()
        assert not ballast.exists()
        monkeypatch.undo()
        outbox.prune()
        assert ballast.exists()

    def test_the_room_that_was_given_back_is_for_no_new_run(
        self, outbox: Outbox, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without the ballast a run needs as much more room."""
        monkeypatch.setattr(shutil, "disk_usage", lambda _: _Usage(1 << 30, 9, 100_000))
        outbox.prune()
        monkeypatch.setattr(
            shutil, "disk_usage", lambda _: _Usage(1 << 30, 9, 1_200_000)
        )
        with pytest.raises(DiskFullError):
            outbox.submit(make_run())
        assert "new runs are refused" in str(outbox.trouble)
        monkeypatch.undo()
        assert outbox.trouble is None

    def test_the_log_is_written_back_where_it_cannot_grow(
        self,
        outbox: Outbox,
        folder: Path,
        make_run: MakeRun,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """What is in it moves into the database, and its room is free again."""
        for _ in range(5):
            outbox.submit(make_run())
        log = folder / "outbox.sqlite-wal"
        before = log.stat().st_size
        monkeypatch.setattr(shutil, "disk_usage", lambda _: _Usage(1 << 30, 9, 100_000))
        outbox.retry(outbox.entries()[0].id)
        assert log.stat().st_size < before


def _damage(path: Path, *, pages: int) -> None:
    """Overwrite some pages in the middle of a database."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        count = connection.execute("PRAGMA page_count").fetchone()[0]
    with path.open("rb+") as stream:
        stream.seek(size * (count // 2))
        stream.write(b"\xa5" * size * pages)


def _files(folder: Path) -> list[Path]:
    return list((folder / "content").iterdir())


def _keep_log(path: Path) -> None:
    """Leave a log beside the database, as a process that was killed does."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE entry SET attempts = attempts + 1")
        log = path.with_name(f"{path.name}-wal")
        shutil.copy(log, log.with_suffix(".kept"))
    log.with_suffix(".kept").replace(log)


class Filled(NamedTuple):
    """An outbox of many runs, each with a file, that nobody has open."""

    folder: Path
    runs: list[Run]
    open_outbox: OpenOutbox


@pytest.fixture(name="filled")
def _filled(
    server: RunStoreServer,
    folder: Path,
    open_outbox: OpenOutbox,
    make_run: MakeRun,
    make_file: MakeFile,
) -> Filled:
    outbox = open_outbox(server)
    runs = [
        make_run(
            unit=Unit(serial_number=f"SN-{number}"),
            docstring="x" * 1000,
            attachments=(make_file("a", b"%d" % number),),
        )
        for number in range(40)
    ]
    for run in runs:
        outbox.submit(run)
    outbox.close()
    return Filled(folder, runs, open_outbox)


class TestDamage:
    """A database that the disk has damaged."""

    def test_a_file_that_is_no_database_is_set_aside(
        self,
        server: RunStoreServer,
        folder: Path,
        open_outbox: OpenOutbox,
        make_run: MakeRun,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """It stays for a person, loudly, and the outbox works on."""
        folder.mkdir()
        (folder / "outbox.sqlite").write_bytes(b"no database at all " * 500)
        outbox = open_outbox(server)
        (path,) = outbox.status().set_aside
        assert path.read_bytes().startswith(b"no database")
        assert caplog.records[0].levelno == logging.CRITICAL
        outbox.submit(make_run())
        assert outbox.flush(60) == 0

    def test_what_can_be_read_is_recovered(
        self,
        server: RunStoreServer,
        folder: Path,
        open_outbox: OpenOutbox,
        make_run: MakeRun,
        make_file: MakeFile,
    ) -> None:
        """Runs on both sides of the damage are delivered with their attachments."""
        first = open_outbox(server)
        for number in range(60):
            content = b"%d" % number * 100
            fields = {
                "unit": Unit(serial_number=f"SN-{number}"),
                "attachments": [make_file("a", content)],
                "docstring": "long " * 400,
            }
            first.submit(make_run(**fields))
        first.close()
        _damage(folder / "outbox.sqlite", pages=4)
        outbox = open_outbox(server)
        assert len(outbox.status().set_aside) == 1
        recovered = outbox.status().waiting
        assert 40 <= recovered < 60
        # The files of those that are lost stay with the file that lists them.
        kept = [path for path in (folder / "content").rglob("*") if path.is_file()]
        assert len(kept) == 60
        assert outbox.flush(60) == 0
        assert len(server.runs) == recovered
        for run in server.runs:
            number = int(run.serial_number.removeprefix("SN-"))
            assert server.attachments(run.id) == [("a", b"%d" % number * 100)]

    def test_what_was_delivered_and_forgotten_stays_known(
        self,
        server: RunStoreServer,
        folder: Path,
        open_outbox: OpenOutbox,
        make_run: MakeRun,
    ) -> None:
        """A run that is handed over again after the damage is not sent again."""
        first = open_outbox(server)
        run = make_run()
        first.submit(run)
        assert first.flush(60) == 0
        assert first._housekeeping.prune(Retention(keep_days=1e-9)) == 1
        for number in range(60):
            unit = Unit(serial_number=f"SN-{number}")
            first.submit(make_run(unit=unit, docstring="long " * 400))
        first.close()
        _damage(folder / "outbox.sqlite", pages=4)
        second = open_outbox(server)
        assert len(second.status().set_aside) == 1
        second.submit(run)
        assert run.id not in {entry.id for entry in second.entries()}

    def test_damage_that_is_met_later_is_repaired_for_the_next_call(
        self,
        server: RunStoreServer,
        folder: Path,
        open_outbox: OpenOutbox,
        make_run: MakeRun,
    ) -> None:
        """The call that meets it fails; the next one works, in other processes too."""
        outbox, other = open_outbox(server), open_outbox(server)
        parts = (SubUnit(serial_number="PART"),)
        outbox.submit(make_run(sub_units=parts))
        for each in (outbox, other):
            each._database.disconnect()
        (folder / "outbox.sqlite").write_bytes(b"overwritten by something " * 400)
        with pytest.raises(OutboxUnusableError, match="not a database"):
            outbox.submit(make_run())
        run = make_run()
        assert outbox.submit(run) == run.id
        assert [entry.id for entry in other.entries()] == [run.id]
        assert len(other.status().set_aside) == 1

    @pytest.mark.parametrize("missing", [1, 4096, 20_000])
    def test_a_file_cut_short_gives_all_that_is_left_of_it(
        self, server: RunStoreServer, filled: Filled, *, missing: int
    ) -> None:
        """SQLite refuses it as it is; padded to its length it can be read."""
        path = filled.folder / "outbox.sqlite"
        os.truncate(path, path.stat().st_size - missing)
        outbox = filled.open_outbox(server)
        # A row of 2 kB takes half a page, and the end of the file holds indexes, too.
        assert outbox.status().waiting >= len(filled.runs) - missing // 2048 - 2
        assert outbox.flush(60) == 0

    def test_a_lost_first_page_costs_nothing_else(
        self, server: RunStoreServer, filled: Filled
    ) -> None:
        """Where the tables begin is known from an empty outbox."""
        with (filled.folder / "outbox.sqlite").open("rb+") as stream:
            stream.write(bytes(4096))
        outbox = filled.open_outbox(server)
        assert outbox.status().waiting == len(filled.runs)

    @pytest.mark.parametrize("how", ["empty", "gone", "only its log left"])
    def test_files_without_a_database_are_no_new_outbox(
        self,
        server: RunStoreServer,
        filled: Filled,
        caplog: pytest.LogCaptureFixture,
        *,
        how: str,
    ) -> None:
        """It is said loudly, and every file of an attachment stays."""
        path = filled.folder / "outbox.sqlite"
        if how == "only its log left":
            _keep_log(path)
        if how == "gone":
            path.unlink()
        else:
            path.write_bytes(b"")
        for _ in range(2):
            outbox = filled.open_outbox(server)
            assert len(outbox.status().set_aside) == 1
            outbox.close()
        assert len(_files(filled.folder)) == len(filled.runs)
        assert any(record.levelno == logging.CRITICAL for record in caplog.records)

    def test_a_lost_log_is_noticed(
        self, server: RunStoreServer, filled: Filled, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The index of the log is there, the log itself is not."""
        path = filled.folder / "outbox.sqlite"
        path.with_name("outbox.sqlite-shm").write_bytes(bytes(32768))
        outbox = filled.open_outbox(server)
        assert outbox.status().waiting == len(filled.runs)
        assert len(outbox.status().set_aside) == 1
        assert "its log is gone" in caplog.text

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("document", b"\xff\x00"),
            ("document", b'{"id": 1}'),
            ("progress", b"{"),
            ("report", None),
            ("state", "sending"),
        ],
    )
    def test_an_odd_entry_is_set_aside_alone(
        self, server: RunStoreServer, filled: Filled, *, column: str, value: object
    ) -> None:
        """It is parked in sight of a person; its neighbours are delivered."""
        path = filled.folder / "outbox.sqlite"
        odd = str(filled.runs[20].id)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute(
                f"UPDATE entry SET {column} = ? WHERE run_id = ?",  # noqa: S608 - constants
                (value, odd),
            )
        os.truncate(path, path.stat().st_size - 1)
        outbox = filled.open_outbox(server)
        parked = outbox.entries([EntryState.PARKED])
        assert outbox.flush(60) == 0
        if column == "state":
            assert parked == []
            assert len(server.runs) == len(filled.runs)
        else:
            assert [str(entry.id) for entry in parked] == [odd]
            assert "its entry was damaged" in str(parked[0].reason)
            assert len(server.runs) == len(filled.runs) - 1

    def test_while_a_copy_is_set_aside_no_file_goes(
        self, server: RunStoreServer, filled: Filled
    ) -> None:
        """Not even those of delivered runs: the copy may name them for others."""
        path = filled.folder / "outbox.sqlite"
        os.truncate(path, path.stat().st_size - 1)
        outbox = filled.open_outbox(server)
        assert outbox.flush(60) == 0
        assert len(_files(filled.folder)) == len(filled.runs)
        (aside,) = outbox.status().set_aside
        outbox.close()
        aside.unlink()
        filled.open_outbox(server)
        assert _files(filled.folder) == []

    def test_who_waited_for_a_damaged_file_writes_into_the_new_one(
        self,
        server: RunStoreServer,
        filled: Filled,
        make_run: MakeRun,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """What is written into a file that was replaced meanwhile would be lost."""
        outbox = filled.open_outbox(server)
        path = filled.folder / "outbox.sqlite"
        database = outbox._database
        begin = database._begin

        def replaced_meanwhile(*arguments: Any) -> None:
            monkeypatch.undo()
            begin(*arguments)
            copy = path.with_name("copy")
            shutil.copyfile(path, copy)
            copy.replace(path.with_name("outbox.sqlite.new"))

        monkeypatch.setattr(database, "_begin", replaced_meanwhile)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        run = make_run()
        outbox.submit(run)
        assert not path.with_name("outbox.sqlite.new").exists()
        with closing(sqlite3.connect(path)) as connection:
            count = connection.execute("SELECT count(*) FROM entry").fetchone()[0]
        assert count == len(filled.runs) + 1


_KILLED = """
import os, shutil, sys
from pathlib import Path
from rigbridge.outbox import Outbox

source, work = Path(sys.argv[1]), Path(sys.argv[2])
expected, missing = int(sys.argv[3]), []

def fresh():
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(source, work)

def count():
    with Outbox.open(work, lambda: None) as outbox:
        return outbox.status().waiting

fresh()
whole = count()
assert whole >= expected, whole
step = 0
while True:
    step += 1
    fresh()
    child = os.fork()
    if not child:
        left = step
        def audit(event, arguments):
            global left
            if event.split(".")[0] in ("open", "os", "sqlite3", "shutil"):
                left -= 1
                if not left:
                    os.kill(os.getpid(), 9)
        sys.addaudithook(audit)
        count()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    found = count()
    files = len(list((work / "content").iterdir()))
    if found != whole or files != expected + 1:
        missing.append((step, found, files))
    if os.WIFEXITED(status):
        break
print(step, missing)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a child per step needs a fork")
def test_a_salvage_that_is_killed_at_any_step_loses_nothing(
    filled: Filled, tmp_path: Path
) -> None:
    """Whoever comes next finds the old database or the new one, and ends the same."""
    path = filled.folder / "outbox.sqlite"
    os.truncate(path, path.stat().st_size - 1)
    expected = str(len(filled.runs) - 1)
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, filled.folder, tmp_path / "work", expected],
        check=True,
        capture_output=True,
        text=True,
    )
    steps, missing = done.stdout.strip().split(" ", 1)
    assert int(steps) > 30
    assert missing == "[]"
