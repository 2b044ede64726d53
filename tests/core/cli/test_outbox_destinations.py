"""``rigbridge outbox`` where entries go to several destinations."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rigbridge.cli import main
from rigbridge.destinations import Destination
from rigbridge.model import Run
from rigbridge.outbox import Outbox
from rigbridge.testing.run_store.server import RunStoreServer

Command = Callable[..., Any]
MakeRun = Callable[..., Run]


def _unused() -> Destination:
    pytest.fail("nothing is to be sent here")


@pytest.fixture(name="data")
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RIGBRIDGE_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture(name="outbox")
def _outbox(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Run a command of the outbox of that folder; give what it prints."""

    def call(*words: object, as_json: bool = False) -> Any:
        given = ["rigbridge", "outbox", *map(str, words), *["--json"] * as_json]
        monkeypatch.setattr("sys.argv", given)
        with pytest.raises(SystemExit) as end:
            main.run()
        printed = capsys.readouterr()
        assert not end.value.code, printed.err
        return json.loads(printed.out) if as_json else printed.out

    return call


@pytest.fixture(name="waiting")
def _waiting(data: Path, server: RunStoreServer, make_run: MakeRun) -> Run:
    """A run that waits for the server, while the configuration names the own store."""
    run = make_run()
    with Outbox.open(data / "outbox", _unused, name=server.url) as outbox:
        outbox.submit(run)
    return run


def test_flush_sends_nothing_elsewhere_and_names_the_command(
    server: RunStoreServer,
    outbox: Command,
    waiting: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The printed command sends what the plain one leaves alone."""
    printed = outbox("flush")
    assert "sent 0, waiting 0" in printed
    assert f"1 run waits for {server.url}" in printed
    assert server.runs == []
    (other,) = outbox("status", as_json=True)["others"]
    assert (other["destination"], other["waiting"]) == (server.url, 1)
    words = shlex.split(other["command"])
    assert words == ["rigbridge", "outbox", "flush", "--to", server.url]
    monkeypatch.setenv("RIGBRIDGE_API_KEY", server.api_key)
    assert "sent 1" in outbox(*words[2:])
    (stored,) = server.runs
    assert stored.serial_number == waiting.unit.serial_number


def test_status_list_and_show_name_the_destination(
    server: RunStoreServer, outbox: Command, waiting: Run
) -> None:
    """A person sees where each run goes."""
    assert f"1 run waits for {server.url}" in outbox("status")
    assert "elsewhere" not in outbox("status", "--to", server.url)
    assert outbox("list", as_json=True)[0]["destination"] == server.url
    assert f"destination:   {server.url}" in outbox("show", waiting.id)


def test_retry_names_the_command_of_the_run_s_own_destination(
    server: RunStoreServer, outbox: Command, waiting: Run
) -> None:
    """The plain flush would not send it."""
    printed = outbox("retry", waiting.id)
    assert printed == (
        f"1 run is tried again ('rigbridge outbox flush --to {server.url}' sends now)\n"
    )


def test_move_takes_any_spelling_of_both_addresses(
    server: RunStoreServer, outbox: Command, waiting: Run
) -> None:
    """What waits goes to the new address from then on."""
    printed = outbox("move", f"{server.url}/api/", "https://new.example.com/api/v1")
    assert printed == (
        "1 run goes to https://new.example.com now"
        " ('rigbridge outbox flush --to https://new.example.com' sends)\n"
    )
    entry = outbox("show", waiting.id, as_json=True)
    assert entry["outbox"]["destination"] == "https://new.example.com"
