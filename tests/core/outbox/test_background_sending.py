"""The sender in the background: as runs come, with leases, until it is closed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rigbridge.client.destination import HTTPDestination
from rigbridge.destinations import DestinationSettings
from rigbridge.errors import ConfigurationError
from rigbridge.model import Attachment, Run
from rigbridge.outbox import EntryState, Outbox
from rigbridge.testing.run_store.faults import Fault, Operation
from rigbridge.testing.run_store.server import RunStoreServer

OpenOutbox = Callable[..., Outbox]


MakeRun = Callable[..., Run]


MakeFile = Callable[..., Attachment]


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let waits of our own be short; what a server asks for stays."""
    monkeypatch.setattr("rigbridge.outbox.policy.BASE_DELAY", 0.001)


def _until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)


class TestBackground:
    """Sending while the program goes on."""

    def test_runs_are_sent_as_they_come(
        self, server: RunStoreServer, outbox: Outbox, make_run: MakeRun
    ) -> None:
        """The sender needs no one to tell it."""
        outbox.start()
        for count in range(1, 4):
            outbox.submit(make_run())
            assert outbox.flush(60) == 0
            assert outbox.status().delivered == count
        assert len(server.runs) == 3

    def test_what_waited_is_sent_from_the_start(
        self, server: RunStoreServer, outbox: Outbox, make_run: MakeRun
    ) -> None:
        """Runs of an earlier process are taken up."""
        outbox.submit(make_run())
        outbox.start()
        _until(lambda: outbox.status().delivered == 1)
        assert len(server.runs) == 1

    def test_a_flush_waits_for_the_sender(
        self, server: RunStoreServer, outbox: Outbox, make_run: MakeRun
    ) -> None:
        """A flush ends when everything is sent, whoever sends it."""
        outbox.start()
        server.inject(Fault.SLOW_WORK, on=Operation.CREATE, seconds=0.2)
        for _ in range(3):
            outbox.submit(make_run())
        assert outbox.flush(60) == 0
        assert len(server.runs) == 3

    def test_a_flush_keeps_its_deadline(
        self, server: RunStoreServer, outbox: Outbox, make_run: MakeRun
    ) -> None:
        """A slow server does not hold up the program that waits for the sender."""
        server.inject(Fault.SLOW_ANSWER_AFTER, on=Operation.CREATE, seconds=300)
        outbox.start()
        outbox.submit(make_run())
        _until(lambda: server.requests)
        assert outbox.flush(0.05) == 1

    def test_handing_over_never_waits_for_a_delivery(
        self, server: RunStoreServer, outbox: Outbox, make_run: MakeRun
    ) -> None:
        """Runs are taken while the network hangs."""
        server.inject(Fault.SLOW_ANSWER_AFTER, on=Operation.CREATE, seconds=300)
        outbox.start()
        outbox.submit(make_run())
        _until(lambda: server.count(Operation.CREATE))
        for _ in range(5):
            outbox.submit(make_run())
        assert outbox.status().waiting == 6
        assert server.count(Operation.CREATE) == 1
        outbox.close(grace=0)

    def test_it_survives_a_folder_that_fails(
        self,
        server: RunStoreServer,
        outbox: Outbox,
        make_run: MakeRun,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """An error of the outbox itself does not end the sender."""
        monkeypatch.setattr("rigbridge.outbox.sending.sender._PAUSE", 0.01)
        claim = outbox._leases.take
        calls: list[int] = []

        def fail_twice() -> Any:
            calls.append(1)
            if len(calls) < 3:
                raise OSError("disk full")
            return claim()

        monkeypatch.setattr(outbox._leases, "take", fail_twice)
        outbox.submit(make_run())
        outbox.start()
        _until(lambda: outbox.status().delivered == 1)
        assert len(server.runs) == 1

    def test_a_destination_that_cannot_be_made_is_tried_again(
        self,
        server: RunStoreServer,
        folder: Path,
        make_run: MakeRun,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """A setting that is corrected later is taken up."""
        monkeypatch.setattr("rigbridge.outbox.sending.sender._PAUSE", 0.01)
        given_settings = DestinationSettings(
            data=folder, url=server.url, api_key=server.api_key
        )
        calls: list[int] = []

        def make() -> HTTPDestination:
            calls.append(1)
            if len(calls) < 3:
                raise ConfigurationError("no address")
            return HTTPDestination(given_settings)

        with Outbox.open(folder, make) as outbox:
            outbox.submit(make_run())
            outbox.start()
            _until(lambda: outbox.status().delivered == 1)
        assert "nothing can be sent: no address" in caplog.text

    def test_closing_stops_at_the_next_step(
        self,
        server: RunStoreServer,
        open_outbox: OpenOutbox,
        make_run: MakeRun,
        make_file: MakeFile,
    ) -> None:
        """What was done stays done, the rest is done by the next one."""
        outbox = open_outbox(server)
        server.inject(Fault.SLOW_WORK, on=Operation.CREATE, seconds=0.3)
        outbox.start()
        outbox.submit(make_run(attachments=[make_file("a", b"1")]))
        _until(lambda: server.requests)
        outbox.close()
        assert not server.uploads
        other = open_outbox(server)
        (entry,) = other.entries()
        assert (entry.state, entry.attempts) == (EntryState.PENDING, 0)
        assert entry.stored_id == server.runs[0].id
        assert other.flush(60) == 0
        assert server.count(Operation.CREATE) == 1

    def test_closing_does_not_wait_for_ever(
        self,
        server: RunStoreServer,
        open_outbox: OpenOutbox,
        make_run: MakeRun,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """A hanging delivery goes on by itself and closes what it used."""
        caplog.set_level(logging.INFO)
        outbox = open_outbox(server)
        server.inject(Fault.SLOW_ANSWER_AFTER, on=Operation.CREATE, seconds=0.3)
        outbox.start()
        outbox.submit(make_run())
        _until(lambda: server.requests)
        outbox.close(grace=0.01)
        assert "still under way" in caplog.text
        _until(lambda: outbox._database._connection is None)
        outbox.close()
        other = open_outbox(server)
        assert other.flush(60) == 0
        assert server.count(Operation.CREATE) == 1

    def test_closing_twice_is_no_error(self, outbox: Outbox) -> None:
        """A closed outbox can be closed, and not used."""
        outbox.close()
        outbox.close()
        with pytest.raises(ConfigurationError, match="closed"):
            outbox.status()


class TestLeaseWhileSending:
    """Long deliveries, and senders that were taken for dead."""

    def test_a_long_delivery_keeps_its_lease(
        self,
        server: RunStoreServer,
        open_outbox: OpenOutbox,
        make_run: MakeRun,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """While one process waits for the server, another leaves the entry alone."""
        monkeypatch.setattr("rigbridge.outbox.queue.leases.LEASE", 0.3)
        monkeypatch.setattr("rigbridge.outbox.sending.heartbeat.LEASE", 0.3)
        first, second = open_outbox(server), open_outbox(server)
        server.inject(Fault.SLOW_ANSWER_AFTER, on=Operation.CREATE, seconds=1)
        first.submit(make_run())
        first.start()
        _until(lambda: server.requests)
        assert second.flush(60) == 0
        assert server.count(Operation.CREATE) == 1

    def test_an_interpreter_that_ends_gives_no_thread_and_all_is_sent(
        self,
        server: RunStoreServer,
        outbox: Outbox,
        make_run: MakeRun,
        make_file: MakeFile,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """What a program flushes at its very end goes without a helper."""
        begin = threading.Thread.start

        def start(thread: threading.Thread) -> None:
            """Refuse ours, as newer Pythons do all once they end."""
            if thread.name.startswith("rigbridge"):
                raise RuntimeError("can't create new thread at interpreter shutdown")
            begin(thread)

        monkeypatch.setattr(threading.Thread, "start", start)
        outbox.start()
        for _ in range(3):
            outbox.submit(make_run(attachments=[make_file("a", b"1")] * 2))
        assert outbox.flush(60) == 0
        assert len(server.runs) == 3

    def test_a_sender_that_lost_its_lease_ends(
        self,
        server: RunStoreServer,
        outbox: Outbox,
        make_run: MakeRun,
        make_file: MakeFile,
        *,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A process that slept does not go on with what another has taken over."""
        keep = outbox._leases.keep

        def oversleep(claim: Any, progress: Any) -> None:
            keep(claim, progress)
            if progress.stored_id is not None:
                monkeypatch.setattr(outbox._leases, "keep", keep)
                with outbox._database.writing() as connection:
                    connection.execute("UPDATE entry SET lease_until = 0")
                assert outbox._leases.take() is not None

        monkeypatch.setattr(outbox._leases, "keep", oversleep)
        outbox.submit(make_run(attachments=[make_file("a", b"1")]))
        while "taken over" not in caplog.text:
            outbox.flush(0.3)
        assert not server.runs[0].uploads
        with outbox._database.writing() as connection:
            connection.execute("UPDATE entry SET lease_until = 0")
        assert outbox.flush(60) == 0
        assert server.attachments(server.runs[0].id) == [("a", b"1")]
