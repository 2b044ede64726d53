"""Full disks and damaged databases: what is in the outbox stays in it."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from rigbridge.errors import DiskFullError
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
        assert outbox.flush(10) == 0

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
        assert outbox.flush(10) == 0
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
        import resource  # noqa: PLC0415 - there is none on Windows

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


def _damage(path: Path, *, pages: int) -> None:
    """Overwrite some pages in the middle of a database."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        count = connection.execute("PRAGMA page_count").fetchone()[0]
    with path.open("rb+") as stream:
        stream.seek(size * (count // 2))
        stream.write(b"\xa5" * size * pages)


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
        assert outbox.flush(10) == 0

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
        assert outbox.flush(30) == 0
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
        assert first.flush(10) == 0
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
        with pytest.raises(sqlite3.DatabaseError):
            outbox.submit(make_run())
        run = make_run()
        assert outbox.submit(run) == run.id
        assert [entry.id for entry in other.entries()] == [run.id]
        assert len(other.status().set_aside) == 1
