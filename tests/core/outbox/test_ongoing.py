"""Runs that go on: their journals, and what becomes of those of a killed process."""

from __future__ import annotations

import errno
import math
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Generator
from pathlib import Path
from uuid import UUID, uuid4

import attrs
import pytest

from rigbridge import Phase, ProcedureRef, Run, Session, Unit
from rigbridge.adapters import ConversionReport
from rigbridge.outbox.incoming import (
    IncomingFolder,
    OngoingRuns,
    read_run,
    take_up_ended,
    write_run,
)

DIES = """
    import os
    from rigbridge import Session
    session = Session(data=DATA, to="local", send=False, station="bench-1")
    run = session.run("SN-1", "Final test")
    run.__enter__()
    run.metadata["fixture"] = "F7"
    with run.phase("power") as power:
        power.measure("vcc", 3.3, unit="V", low=3.1)
        power.log("warm")
        run.attach_bytes(b"picture", name="scope.png")
    with run.phase("radio") as radio:
        radio.measure("level", 1)
        os._exit(9)
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Kill a program in the second phase of a run; give its data folder."""
    data = tmp_path_factory.mktemp("killed") / "data"
    script = textwrap.dedent(DIES).replace("DATA", repr(str(data)))
    done = subprocess.run([sys.executable, "-c", script], check=False, timeout=60)
    assert done.returncode == 9
    return data


@pytest.fixture
def data(killed: Path, tmp_path: Path) -> Path:
    """Give a copy of that data folder."""
    return Path(shutil.copytree(killed, tmp_path / "data"))


def waiting(data: Path) -> list[Run]:
    """Read what was handed over in a data folder and is not queued."""
    report = ConversionReport()
    return [read_run(item, report) for item in IncomingFolder(data).items()]


def journal(data: Path) -> Path:
    """Give the only journal of a data folder."""
    (path,) = (data / "spool").glob("*/*.jsonl")
    return path


@pytest.fixture
def going(tmp_path: Path) -> Generator[tuple[OngoingRuns, Run]]:
    """Give the journals of this process, with one run in them."""
    runs = OngoingRuns(tmp_path / "data", "test", uuid4(), None)
    run = Run(
        outcome="ABORTED",
        unit=Unit(serial_number="SN-2"),
        procedure=ProcedureRef(name="P"),
        phases=[Phase(name="power", outcome="PASS")],
    )
    runs.note(run)
    yield runs, run
    runs.end(run.id)
    runs.close()


class TestKilled:
    """The process is gone in the middle of a run."""

    def test_what_had_ended_is_handed_over_once(self, data: Path) -> None:
        """As ABORTED, with measurements, log and files; the log says why."""
        run_id = journal(data).stem
        incoming = IncomingFolder(data)
        assert [take_up_ended(incoming), take_up_ended(incoming)] == [1, 0]
        (run,) = waiting(data)
        assert (str(run.id), run.outcome, run.station) == (run_id, "ABORTED", "bench-1")
        assert run.metadata == {"fixture": "F7"}
        assert [(x.name, str(x.outcome)) for x in run.phases] == [
            ("power", "PASS"),
            ("radio", "ERROR"),
        ]
        assert [(m.name, m.value) for m in run.phases[0].measurements] == [("vcc", 3.3)]
        (warm, why) = [entry.message for entry in run.logs]
        assert warm == "warm"
        assert "was gone before its end" in why
        (picture,) = run.attachments
        assert picture.opener is not None
        with picture.opener() as stream:
            assert stream.read() == b"picture"
        assert list((data / "spool").iterdir()) == []

    def test_the_next_session_brings_it_to_the_store(self, data: Path) -> None:
        """So does whoever opens the outbox: the agent, ``rigbridge outbox flush``."""
        run_id = UUID(journal(data).stem)
        with Session(data=data, to="local") as session:
            session.flush(120)
            entry = session.entry(run_id)
        assert entry is not None
        assert entry.stored_id is not None

    def test_a_run_that_was_handed_over_stays_as_it_was(self, data: Path) -> None:
        """The process was killed between handing over and removing the journal."""
        copy = shutil.copytree(data, data.parent / "copy")
        take_up_ended(IncomingFolder(copy))
        (run,) = waiting(copy)
        write_run(IncomingFolder(data), attrs.evolve(run, outcome="PASS"))
        assert take_up_ended(IncomingFolder(data)) == 1
        (found,) = waiting(data)
        assert found.outcome == "PASS"

    def test_a_line_that_is_cut_off_costs_itself(
        self, data: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It is named in the run's log and in the program's."""
        path = journal(data)
        path.write_bytes(path.read_bytes()[:-40])
        assert take_up_ended(IncomingFolder(data)) == 1
        (run,) = waiting(data)
        assert [phase.name for phase in run.phases] == ["power"]
        assert any("line 4: is cut off" in entry.message for entry in run.logs)
        assert f"{path}: line 4: is cut off" in caplog.text

    def test_a_journal_without_a_line_stays(
        self, data: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """As what is parked, so that it is listed, and can be dropped."""
        path = journal(data)
        path.write_bytes(b"{")
        assert take_up_ended(IncomingFolder(data)) == 0
        assert "no run is left in a journal" in caplog.text
        (item,) = IncomingFolder(data).items()
        assert item.refusal is not None
        assert "is cut off or damaged" in item.refusal.reason
        kept = {file.read_bytes() for file in item.folder.glob("file-*")}
        assert b"{" in kept
        assert not path.parent.exists()

    def test_a_name_of_a_file_leads_nowhere_else(self, data: Path) -> None:
        """Somebody may have edited the journal."""
        path = journal(data)
        (data.parent / "secret").write_bytes(b"secret")
        text = re.sub(
            rb'"files":\["[^"]+"', b'"files":["../../../secret"', path.read_bytes()
        )
        path.write_bytes(text)
        assert take_up_ended(IncomingFolder(data)) == 1
        (run,) = waiting(data)
        assert [each.opener for each in run.attachments] == [None]


def test_a_run_that_can_be_handed_over_nowhere_is_kept_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The disk refuses to sync for a while: the journal has the run and its verdict."""
    data = tmp_path / "data"

    def refuse(descriptor: int) -> None:
        raise OSError(errno.EDQUOT, f"no sync of {descriptor}")

    with (
        Session(data=data, to="local", send=False) as session,
        session.run("SN-1", "Final test") as run,
    ):
        with run.phase("radio") as radio:
            radio.measure("level", 1)
            run.attach_bytes(b"picture", name="scope.png")
        monkeypatch.setattr(os, "fsync", refuse)
    monkeypatch.undo()
    assert waiting(data) == []
    # As it goes with the process.
    assert session._ongoing._lock is not None
    session._ongoing._lock.close()
    take_up_ended(IncomingFolder(data))
    (found,) = waiting(data)
    assert (found.id, found.outcome) == (run.id, "PASS")
    assert [each.name for each in found.attachments] == ["scope.png"]
    assert "lost" not in capsys.readouterr().err


class TestMeasuring:
    """A phase that goes on for long."""

    def test_what_it_measured_is_noted_now_and_then(self, tmp_path: Path) -> None:
        """Not each value at once: the whole phase is written each time."""
        data = tmp_path / "data"
        with (
            Session(data=data, to="local", send=False) as session,
            session.run("SN-1", "Final test") as run,
            run.phase("radio") as radio,
        ):
            radio._next_note = math.inf
            radio.measure("level", 1)
            assert b"level" not in journal(data).read_bytes()
            radio._next_note = 0.0
            radio.measure("noise", 2)
            assert b"level" in journal(data).read_bytes()


class TestAlive:
    """The process is still there."""

    def test_nobody_else_takes_its_runs(self, going: tuple[OngoingRuns, Run]) -> None:
        """Its folder is locked."""
        runs, run = going
        data = runs.folder.parents[1]
        assert take_up_ended(IncomingFolder(data)) == 0
        assert journal(data).stem == str(run.id)

    def test_a_run_that_ends_after_its_session_is_its_own(
        self, going: tuple[OngoingRuns, Run]
    ) -> None:
        """The folder goes with the last run."""
        runs, run = going
        runs.close()
        assert take_up_ended(IncomingFolder(runs.folder.parents[1])) == 0
        runs.end(run.id)
        assert not runs.folder.exists()

    def test_a_folder_that_was_just_made_stays(self, tmp_path: Path) -> None:
        """Its process may not have locked it yet; after a day it is a leftover."""
        lock = tmp_path / "spool" / "session-1" / "in-use"
        lock.parent.mkdir(parents=True)
        lock.touch()
        take_up_ended(IncomingFolder(tmp_path))
        assert lock.exists()
        os.utime(lock, (0, 0))
        take_up_ended(IncomingFolder(tmp_path))
        assert not lock.parent.exists()

    def test_a_session_that_ends_leaves_nothing(self, tmp_path: Path) -> None:
        """Neither journal nor folder."""
        with (
            Session(data=tmp_path, to="local", send=False) as session,
            session.run("SN-1", "P") as run,
            run.phase("power"),
        ):
            assert journal(tmp_path).stem == str(run.id)
        assert list((tmp_path / "spool").iterdir()) == []

    def test_the_child_of_a_fork_removes_nothing(
        self, going: tuple[OngoingRuns, Run], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The folder is its parent's."""
        runs, run = going
        with monkeypatch.context() as child:
            child.setattr("os.getpid", lambda: 1)
            runs.end(run.id)
            runs.close()
        assert runs.folder.is_dir()

    def test_a_folder_that_was_cleaned_up_is_made_again(
        self, going: tuple[OngoingRuns, Run]
    ) -> None:
        """Files of the next run must have a place."""
        runs, _ = going
        shutil.rmtree(runs.folder)
        other = uuid4()
        assert runs.begin(other) == runs.folder
        assert runs.folder.is_dir()
        runs.end(other)

    def test_without_a_folder_it_says_so_once(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """And raises nothing: the run is recorded all the same."""
        (tmp_path / "spool").write_text("no folder")
        runs = OngoingRuns(tmp_path, "test", uuid4(), None)
        for _ in range(2):
            assert runs.begin(uuid4()) is None
        assert caplog.text.count("a kill would cost") == 1
