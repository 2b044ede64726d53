"""``rigbridge outbox`` as an operator meets it, before a real server."""

from __future__ import annotations

import json
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
from rigbridge.model import Run
from rigbridge.outbox import Outbox
from rigbridge.outbox.incoming import IncomingFolder, ItemContent, write_run
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
                outbox.flush(60)

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
        document = json.loads(encode(to_document(run)))
        assert {name: shown[name] for name in document} == document
        assert shown["outbox"]["state"] == "pending"
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


class TestHandedOver:
    """What was handed over and is not queued yet."""

    def test_it_is_listed_and_sent(
        self, data: Path, server: RunStoreServer, outbox: Command, make_run: MakeRun
    ) -> None:
        """A run that nobody has queued yet waits like any other, and is sent."""
        run = make_run()
        write_run(IncomingFolder(data), run)
        assert outbox("status")["waiting"] == 1
        (entry,) = outbox("list")
        assert (entry["id"], entry["state"]) == (str(run.id), "pending")
        assert outbox("show", run.id)["id"] == str(run.id)
        assert outbox("flush")["sent"] == 1
        assert len(server.runs) == 1

    def test_what_cannot_be_translated(self, data: Path, outbox: Command) -> None:
        """It is parked with its reason, tried again on request, and can be dropped."""
        run_id = uuid4()
        IncomingFolder(data).write(
            run_id, lambda _: ItemContent(kind="no-such-adapter", content=b"1")
        )
        assert outbox("flush", code=1)["parked"] == 1
        (entry,) = outbox("list", "--parked")
        assert "no-such-adapter" in entry["reason"]
        outbox("retry", run_id)
        assert outbox("status")["waiting"] == 1
        outbox("drop", run_id)
        assert outbox("list") == []
