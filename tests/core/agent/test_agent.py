"""The agent as a service manager runs it, and the page that it shows."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from rigbridge.agent import Agent
from rigbridge.client.destination import HTTPDestination
from rigbridge.configuration import load_configuration
from rigbridge.destinations import DestinationSettings
from rigbridge.errors import ConfigurationError
from rigbridge.model import Attachment, Run
from rigbridge.outbox import Outbox
from rigbridge.outbox.incoming import IncomingFolder, OngoingRuns, write_run
from rigbridge.testing.run_store.faults import Fault, Operation
from rigbridge.testing.run_store.server import RunStoreServer

MakeRun = Callable[..., Run]
MakeFile = Callable[..., Attachment]


@pytest.fixture(name="data")
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # The stand-in of the data folder lies in the temporary folder.
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path / "data"


@pytest.fixture(name="outbox")
def _outbox(data: Path, server: RunStoreServer) -> Iterator[Outbox]:
    settings = DestinationSettings(data=data, url=server.url, api_key=server.api_key)
    with Outbox.open(data / "outbox", partial(HTTPDestination, settings)) as outbox:
        yield outbox


@pytest.fixture(name="agent")
def _agent(data: Path, server: RunStoreServer) -> Agent:
    configuration = load_configuration(to=server.url, data=data, api_key=server.api_key)
    return Agent(configuration, host="127.0.0.1", port=0)


def _metrics(agent: Agent) -> dict[str, float]:
    text = httpx.get(f"{agent.url}/metrics").text
    return {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if "le" not in sample.labels
    }


class TestPage:
    """What it shows."""

    def test_watched_folders_are_shown(
        self, data: Path, server: RunStoreServer
    ) -> None:
        """For programs and for people, also one that is not there."""
        file = data.parent / "rigbridge.toml"
        file.write_text("[[watch]]\nfolder = 'in<box'\n")
        configuration = load_configuration(
            to=server.url, data=data, api_key=server.api_key, file=file
        )
        with Agent(configuration, host="127.0.0.1", port=0) as agent:
            (folder,) = httpx.get(f"{agent.url}/health").json()["watching"]
            page = httpx.get(agent.url).text
        assert folder["folder"] == str(data.parent / "in<box")
        assert (folder["present"], folder["imported"]) == (False, 0)
        assert "in&lt;box, present: False, imported: 0" in page

    def test_metrics_tell_what_was_sent(
        self,
        server: RunStoreServer,
        agent: Agent,
        outbox: Outbox,
        make_run: MakeRun,
        make_file: MakeFile,
    ) -> None:
        """Runs, bytes and latency are counted, also retries and parked runs."""
        server.inject(Fault.UNPROCESSABLE, on=Operation.CREATE)
        server.inject(Fault.INTERNAL_ERROR, on=Operation.CREATE)
        outbox.submit(make_run())
        outbox.submit(make_run(attachments=[make_file("a", b"a" * 50_000)]))
        with agent:
            _wait(lambda: outbox.status().delivered == 1)
            _wait(lambda: _metrics(agent)["rigbridge_runs_sent_total"] == 1)
            figures = _metrics(agent)
        assert figures["rigbridge_outbox_waiting"] == 0
        assert figures["rigbridge_outbox_parked"] == 1
        assert figures["rigbridge_outbox_oldest_age_seconds"] == 0
        assert figures["rigbridge_runs_parked_total"] == 1
        assert figures["rigbridge_retries_total"] == 1
        assert figures["rigbridge_delivery_seconds_count"] == 1
        assert 50_000 < figures["rigbridge_sent_bytes_total"] < 60_000

    def test_health_for_programs_and_people(
        self,
        server: RunStoreServer,
        agent: Agent,
        outbox: Outbox,
        make_run: MakeRun,
    ) -> None:
        """A store out of reach is shown, and is no fault of the agent."""
        with server.refusing(), agent:
            for _ in range(3):
                outbox.submit(make_run())
            _wait(lambda: httpx.get(f"{agent.url}/health").json()["held"])
            answer = httpx.get(f"{agent.url}/health")
            page = httpx.get(agent.url)
            age = _metrics(agent)["rigbridge_outbox_oldest_age_seconds"]
        assert (answer.status_code, answer.json()["well"]) == (200, True)
        assert answer.json()["waiting"] == 3
        assert age > 0
        assert "waiting" in page.text
        assert "<script" not in page.text

    def test_an_agent_that_cannot_send_is_not_well(self, agent: Agent) -> None:
        """Before it begins, and after its end, it says so."""
        assert not agent.health().well
        with agent:
            assert agent.health().well
            assert httpx.get(f"{agent.url}/nothing").status_code == 404

    def test_an_address_that_others_reach_is_refused_unless_that_is_said(
        self, data: Path
    ) -> None:
        """The page asks nobody for a key; nothing listens before that is clear."""
        configuration = load_configuration(data=data)
        everywhere = "0.0.0.0"  # noqa: S104 - it is what is refused
        for host in (everywhere, "::", "station.example.com"):
            with pytest.raises(ConfigurationError, match="--open-page"):
                Agent(configuration, host=host, port=0)
        with Agent(configuration, host=everywhere, port=0, open_page=True) as agent:
            port = agent.url.rpartition(":")[2]
            assert httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200

    def test_an_address_in_use_is_named(self, agent: Agent, data: Path) -> None:
        """A second agent on the same port says so at once."""
        port = int(agent.url.rpartition(":")[2])
        with agent, pytest.raises(ConfigurationError, match="--port"):
            Agent(load_configuration(data=data), host="127.0.0.1", port=port)


def _wait(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def test_runs_of_killed_programs_are_taken_up(
    agent: Agent, data: Path, make_run: MakeRun
) -> None:
    """Also of those that are killed while it runs."""
    ongoing = OngoingRuns(data, "test", uuid4(), None)
    run = make_run()
    ongoing.note(run)
    agent._keep_house()
    assert agent._outbox.status().waiting == 0
    # As it goes with the process.
    assert ongoing._lock is not None
    ongoing._lock.close()
    agent._keep_house()
    assert [entry.id for entry in agent._outbox.entries()] == [run.id]
    # Its page listens since it was made.
    with agent:
        pass


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_service_sends_and_ends_cleanly(
    server: RunStoreServer,
    outbox: Outbox,
    data: Path,
    make_run: MakeRun,
    number: signal.Signals,
) -> None:
    """It sends what waits, queues what was handed over, and obeys the signal."""
    outbox.submit(make_run())
    kept = make_run()
    write_run(IncomingFolder(data), kept)
    command = [sys.executable, "-W", "error", "-m", "rigbridge", "agent", "--json"]
    command += ["--port", "0", "--data", str(data), "--to", server.url]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "RIGBRIDGE_API_KEY": server.api_key},
    ) as process:
        try:
            assert process.stdout is not None
            begun: dict[str, Any] = json.loads(process.stdout.readline())
            _wait(lambda: outbox.status().delivered == 2)
            health = httpx.get(f"{begun['url']}/health").json()
            process.send_signal(number)
            _, errors = process.communicate(timeout=120)
        finally:
            process.kill()
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert server.api_key not in errors
    assert health["waiting"] == 0
    assert len(server.runs) == 2
