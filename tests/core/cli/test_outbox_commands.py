"""``rigbridge outbox`` as an operator meets it, before a real server."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from rigbridge.cli import main
from rigbridge.client.destination import HTTPDestination
from rigbridge.convert import to_document
from rigbridge.destinations import DestinationSettings
from rigbridge.kept import (
    RunFolder,
    UnsentFolder,
    attachment_folder,
    unsent_folders,
)
from rigbridge.model import Attachment, Run
from rigbridge.outbox import Outbox
from rigbridge.testing.run_store.faults import Fault, Operation
from rigbridge.testing.run_store.server import RunStoreServer
from rigbridge.wire import encode

Command = Callable[..., Any]
MakeRun = Callable[..., Run]


@pytest.fixture(name="data")
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # The stand-in of the data folder lies in the temporary folder.
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    return tmp_path / "data"


@pytest.fixture(name="outbox")
def _outbox(
    server: RunStoreServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    """Run a command of the outbox; give its exit code, JSON and errors."""
    monkeypatch.setenv("RIGBRIDGE_TO", server.url)
    monkeypatch.setenv("RIGBRIDGE_API_KEY", server.api_key)

    def call(*words: object, code: int = 0, as_json: bool = True) -> Any:
        given = ["rigbridge", "outbox", *map(str, words)]
        monkeypatch.setattr("sys.argv", [*given, *(["--json"] if as_json else [])])
        with pytest.raises(SystemExit) as end:
            main.run()
        printed = capsys.readouterr()
        assert (end.value.code or 0) == code, printed.err
        if code == 2:
            return printed.err
        return json.loads(printed.out) if as_json else printed.out + printed.err

    return call


@pytest.fixture(name="submit")
def _submit(data: Path, server: RunStoreServer) -> Callable[..., None]:
    def submit(*runs: Run, send: bool = False) -> None:
        settings = DestinationSettings(
            data=data, url=server.url, api_key=server.api_key
        )
        make = partial(HTTPDestination, settings)
        with Outbox.open(data / "outbox", make) as outbox:
            for run in runs:
                outbox.submit(run)
            if send:
                outbox.flush(20)

    return submit


class TestOutboxCommands:
    """Look and decide."""

    def test_what_waits_is_shown_and_sent(
        self,
        server: RunStoreServer,
        outbox: Command,
        submit: Callable[..., None],
        make_run: MakeRun,
    ) -> None:
        """Status and list show the run that waits, and flush delivers it."""
        run = make_run()
        submit(run)
        assert outbox("status")["waiting"] == 1
        (entry,) = outbox("list")
        assert (entry["id"], entry["state"]) == (str(run.id), "pending")
        assert outbox("flush")["sent"] == 1
        assert [stored.serial_number for stored in server.runs] == ["SN-0001"]
        status = outbox("status")
        assert (status["waiting"], status["delivered"]) == (0, 1)
        assert outbox("list") == []
        assert [entry["state"] for entry in outbox("list", "--delivered")] == ["done"]

    def test_a_parked_run_waits_for_a_decision(
        self,
        server: RunStoreServer,
        outbox: Command,
        submit: Callable[..., None],
        make_run: MakeRun,
    ) -> None:
        """It is listed with the server's words, and goes on a retry."""
        server.inject(Fault.UNPROCESSABLE, on=Operation.CREATE)
        run = make_run()
        submit(run, send=True)
        assert outbox("flush")["parked"] == 1
        (entry,) = outbox("list", "--parked")
        assert "422" in entry["reason"]
        assert str(run.id) in outbox("list", as_json=False)
        assert outbox("retry", str(run.id)[:8])["retried"] == [str(run.id)]
        assert outbox("flush")["sent"] == 1
        assert len(server.runs) == 1

    def test_a_dropped_run_is_gone(
        self,
        server: RunStoreServer,
        outbox: Command,
        submit: Callable[..., None],
        make_run: MakeRun,
    ) -> None:
        """Its whole content can be saved first; then nothing is sent."""
        run, other = make_run(), make_run()
        submit(run, other)
        shown = outbox("show", run.id)
        assert shown["run"] == json.loads(encode(to_document(run)))
        assert "SN-0001" in outbox("show", run.id, as_json=False)
        assert outbox("drop", run.id) == {"dropped": [str(run.id)]}
        assert outbox("flush")["sent"] == 1
        assert len(server.runs) == 1

    def test_parked_runs_are_named_together(
        self,
        server: RunStoreServer,
        outbox: Command,
        submit: Callable[..., None],
        make_run: MakeRun,
    ) -> None:
        """``--parked`` takes all that are parked and leaves what waits."""
        server.inject(Fault.UNPROCESSABLE, on=Operation.CREATE, times=2)
        submit(make_run(), make_run(), send=True)
        submit(make_run())
        assert len(outbox("drop", "--parked")["dropped"]) == 2
        assert [entry["state"] for entry in outbox("list")] == ["pending"]

    @pytest.mark.parametrize(
        "words",
        [("retry",), ("drop", "ffffffff"), ("show", "ffff"), ("drop", "a", "--parked")],
    )
    def test_wrong_names_touch_nothing(
        self, outbox: Command, words: tuple[str, ...]
    ) -> None:
        """No id, an unknown one, or both ways of naming are wrong usage."""
        assert "rigbridge outbox list" in outbox(*words, code=2)

    def test_what_is_left_is_said(
        self,
        server: RunStoreServer,
        outbox: Command,
        submit: Callable[..., None],
        make_run: MakeRun,
    ) -> None:
        """With nobody there flush ends with 1 and says how many wait."""
        submit(make_run())
        with server.refusing():
            left = outbox("flush", "--deadline", 0.2, code=1)
        assert (left["sent"], left["waiting"]) == (0, 1)


class TestUnsent:
    """What could not even be queued."""

    def test_a_run_that_was_kept_is_queued(
        self,
        data: Path,
        server: RunStoreServer,
        outbox: Command,
        make_run: MakeRun,
        tmp_path: Path,
    ) -> None:
        """Status takes it in with its attachments, and removes the files."""
        path = tmp_path / "trace.bin"
        path.write_bytes(b"trace" * 1000)
        run = make_run(attachments=[Attachment.from_file(path)])
        UnsentFolder(data).keep_run(run)
        status = outbox("status")
        assert status["unsent"]["recovered"] == [str(run.id)]
        assert status["waiting"] == 1
        assert list((data / "unsent").iterdir()) == []
        outbox("flush")
        assert server.attachments(server.runs[0].id) == [("trace.bin", b"trace" * 1000)]

    @pytest.mark.skipif(
        os.name == "nt" or os.geteuid() != 0, reason="only root gives files away"
    )
    def test_what_other_users_kept_counts_only_in_the_data_folder(
        self, data: Path, outbox: Command, make_run: MakeRun
    ) -> None:
        """Who may write there shares the outbox; into the stand-in anybody may."""
        runs = [make_run(), make_run()]
        for run, folder in zip(runs, unsent_folders(data), strict=True):
            path = RunFolder(folder).write(run)
            os.chown(path, 12345, -1)
        assert outbox("status")["unsent"]["recovered"] == [str(runs[0].id)]

    def test_damaged_files_stay_and_are_named(
        self, data: Path, outbox: Command, make_run: MakeRun
    ) -> None:
        """Cut JSON and changed bytes are errors, a foreign record a warning."""
        folder = data / "unsent"
        run = make_run()
        files = attachment_folder(RunFolder(folder).write(run))
        files.mkdir()
        (files / ("0" * 64)).write_bytes(b"other")
        (folder / f"{uuid4()}.json").write_bytes(b'{"id": ')
        (folder / "record.vendor.json").write_bytes(b"{}")
        status = outbox("status", code=1)
        messages = " ".join(item["message"] for item in status["unsent"]["failures"])
        assert "damaged" in messages
        assert "is no run" in messages
        assert len(status["unsent"]["records"]) == 1
        assert len(list(folder.glob("*.json"))) == 3

    def test_errors_are_counted_until_acknowledged(
        self, data: Path, outbox: Command
    ) -> None:
        """Status shows how many there were and the words of the last."""
        unsent = UnsentFolder(data)
        unsent.note_error("the first")
        unsent.note_error("OSError: the disk\nis full")
        assert "OSError: the disk is full" in outbox("status", as_json=False)
        assert outbox("status", "--acknowledge")["errors"]["count"] == 2
        assert outbox("status")["errors"]["count"] == 0

    def test_errors_are_counted_where_the_data_folder_is_none(self, data: Path) -> None:
        """A file in its place does not hide an error."""
        data.write_text("a file")
        UnsentFolder(data).note_error("no folder")
        assert UnsentFolder(data).errors().count == 1

    def test_no_data_folder_takes_what_belongs_to_another(self, data: Path) -> None:
        """Each has a stand-in of its own, or runs would reach the wrong store."""
        data.write_text("a file")
        UnsentFolder(data).note_error("no folder")
        other = data.with_name("other")
        assert UnsentFolder(other).errors().count == 0
        assert not set(unsent_folders(data)) & set(unsent_folders(other))

    def test_the_log_of_errors_is_bounded_and_survives_damage(
        self, data: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A cut line counts as an error, and an old file is replaced."""
        monkeypatch.setattr("rigbridge.kept.errors_log._MAX_BYTES", 100)
        unsent = UnsentFolder(data)
        for number in range(10):
            unsent.note_error(f"error {number}")
        with (data / "unsent/errors.log").open("ab") as stream:
            stream.write(b'{"at": "20\n')
        assert 3 <= unsent.errors().count < 11
        assert sum(f.stat().st_size for f in (data / "unsent").iterdir()) < 600
