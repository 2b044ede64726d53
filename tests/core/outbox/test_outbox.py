"""The outbox before a real server that fails on demand."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rigbridge.client.destination import HTTPDestination
from rigbridge.destinations import (
    AttachmentFailure,
    DestinationSettings,
    Receipt,
)
from rigbridge.errors import (
    ConfigurationError,
    PermanentError,
    ServerUnavailableError,
    SourceUnreadableError,
)
from rigbridge.model import Attachment, ProcedureRef, Run, Unit
from rigbridge.outbox import EntryState, Outbox
from rigbridge.reporting import ConversionReport
from rigbridge.testing.run_store_faults import (
    CreateShape,
    Dialect,
    Fault,
    ListShape,
    Operation,
)
from rigbridge.testing.run_store_server import RunStoreServer
from rigbridge.testing.strategies import runs
from rigbridge.wire import ListedRun

Serve = Callable[..., RunStoreServer]
OpenOutbox = Callable[..., Outbox]
MakeRun = Callable[..., Run]
MakeFile = Callable[..., Attachment]

_PASSING = [
    Fault.RESET,
    Fault.RESET_AFTER,
    Fault.CUT_ANSWER_AFTER,
    Fault.TOO_MANY_SECONDS,
    Fault.TOO_MANY_DATE,
    Fault.INTERNAL_ERROR,
    Fault.BAD_GATEWAY_HTML,
    Fault.BAD_GATEWAY_HTML_AFTER,
    Fault.UNAVAILABLE,
]
_FINAL = [
    Fault.BAD_REQUEST,
    Fault.FORBIDDEN,
    Fault.NOT_FOUND,
    Fault.CONFLICT,
    Fault.TOO_LARGE,
    Fault.UNPROCESSABLE,
    Fault.REDIRECT,
]


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let waits of our own be short; what a server asks for stays."""
    monkeypatch.setattr("rigbridge.outbox.policy.BASE_DELAY", 0.001)


def _until(condition: Callable[[], object]) -> None:
    for _ in range(2000):
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError("it never happened")


def _contents(folder: Path) -> list[Path]:
    return [path for path in (folder / "content").rglob("*") if path.is_file()]


class TestSubmit:
    """Handing over."""

    def test_a_run_is_safe_without_any_network(
        self, server: RunStoreServer, open_outbox: OpenOutbox, make_run: MakeRun
    ) -> None:
        """What was handed over is there after the process ended without a word."""
        run = make_run()
        first = open_outbox(server)
        assert first.submit(run) == run.id
        del first
        second = open_outbox(server)
        assert [entry.id for entry in second.entries()] == [run.id]
        assert not server.requests

    def test_everything_of_a_run_is_kept(
        self, outbox: Outbox, make_run: MakeRun, tmp_path: Path
    ) -> None:
        """The run comes back equal, its files with their bytes, its report in full."""
        path = tmp_path / "a.txt"
        path.write_text("alpha")
        report = ConversionReport()
        report.coerced("limit", "clipped")
        files = [Attachment.from_file(path), Attachment(name="far.bin")]
        run = make_run(attachments=files, metadata={"line": 4})
        outbox.submit(run, report)
        path.unlink()
        kept, kept_report = outbox.run(run.id)
        assert kept == run
        assert kept.attachments[0].opener is not None
        with kept.attachments[0].opener() as stream:
            assert stream.read() == b"alpha"
        assert not kept.attachments[1].embedded
        assert kept_report.as_document() == report.as_document()

    @settings(
        max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(run=runs(storable=False))
    def test_any_run_is_kept(self, outbox: Outbox, run: Run) -> None:
        """Also runs that no store would take are kept whole."""
        outbox.submit(run)
        kept, _ = outbox.run(run.id)
        outbox.drop(run.id)
        assert kept == run

    def test_handing_over_again_is_no_other_content(
        self,
        outbox: Outbox,
        make_run: MakeRun,
        make_file: MakeFile,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """A caller that was killed and begins again meets no warning, a change does."""
        run = make_run(attachments=[make_file("a", b"alpha")])
        outbox.submit(run)
        outbox.submit(run)
        assert not caplog.records
        outbox.submit(attrs.evolve(run, attachments=(make_file("a", b"beta"),)))
        assert "with other content" in caplog.text

    def test_the_same_run_is_queued_once(
        self, server: RunStoreServer, outbox: Outbox, make_run: MakeRun
    ) -> None:
        """Neither while it waits nor after its delivery is it queued again."""
        run = make_run()
        outbox.submit(run)
        outbox.submit(run)
        assert outbox.flush(5) == 0
        outbox.submit(run)
        assert outbox.flush(5) == 0
        assert len(server.runs) == 1
        assert outbox.status().delivered == 1

    def test_another_run_under_the_same_id_is_told(
        self, outbox: Outbox, make_run: MakeRun, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Content that is not taken is not left out silently."""
        run = make_run()
        outbox.submit(run)
        assert "other content" not in caplog.text
        outbox.submit(attrs.evolve(run, station="ST-2"))
        assert "other content" in caplog.text
        assert outbox.run(run.id)[0] == run

    def test_a_file_that_cannot_be_read_is_told_at_once(
        self, outbox: Outbox, make_run: MakeRun, tmp_path: Path
    ) -> None:
        """Nothing is queued without its files."""
        path = tmp_path / "gone.txt"
        path.write_text("x")
        attachment = Attachment.from_file(path)
        path.unlink()
        with pytest.raises(SourceUnreadableError, match=r"gone\.txt"):
            outbox.submit(make_run(attachments=[attachment]))
        assert outbox.status().waiting == 0

    def test_a_file_that_vanishes_meanwhile_is_kept_anew(
        self,
        outbox: Outbox,
        folder: Path,
        make_run: MakeRun,
        make_file: MakeFile,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Another process may remove a shared file right before it is referred to."""
        keep = outbox._contents.keep
        calls: list[int] = []

        def keep_and_lose(run: Run, report: ConversionReport) -> Run:
            kept = keep(run, report)
            calls.append(1)
            if len(calls) == 1:
                outbox._contents.remove(str(kept.attachments[0].sha256))
            return kept

        monkeypatch.setattr(outbox._contents, "keep", keep_and_lose)
        outbox.submit(make_run(attachments=[make_file("a", b"1")]))
        assert len(calls) == 2
        assert len(_contents(folder)) == 1

    def test_what_an_interrupted_hand_over_left_is_removed(
        self,
        server: RunStoreServer,
        open_outbox: OpenOutbox,
        folder: Path,
        make_run: MakeRun,
        make_file: MakeFile,
    ) -> None:
        """Files without an entry are swept when the outbox is opened."""
        outbox = open_outbox(server)
        outbox.submit(make_run(attachments=[make_file("a", b"1")]))
        orphan = folder / "content" / "ab" / ("ab" + "0" * 62)
        orphan.parent.mkdir()
        orphan.write_bytes(b"x")
        outbox.close()
        open_outbox(server)
        assert len(_contents(folder)) == 1
        assert not orphan.exists()

    def test_a_folder_that_cannot_be_used_is_named(self, tmp_path: Path) -> None:
        """A wrong folder is a wrong setting."""
        (tmp_path / "file").write_text("")
        with pytest.raises(ConfigurationError, match="outbox"):
            Outbox.open(tmp_path / "file", lambda: _Scripted([]))


class TestFlush:
    """Sending in the calling thread."""

    def test_runs_arrive_in_order_with_their_files(
        self,
        server: RunStoreServer,
        outbox: Outbox,
        folder: Path,
        make_run: MakeRun,
        make_file: MakeFile,
    ) -> None:
        """Delivered runs leave no bytes behind, equal files are shared until then."""
        shared = make_file("shared", b"shared")
        sent = [
            make_run(attachments=[shared, make_file(f"{n}", b"%d" % n)])
            for n in range(3)
        ]
        for run in sent:
            outbox.submit(run)
        assert len(_contents(folder)) == 4
        assert outbox.flush(10) == 0
        assert [run.idempotency_key for run in server.runs] == [
            str(run.id) for run in sent
        ]
        for number, stored in enumerate(server.runs):
            assert server.attachments(stored.id) == [
                ("shared", b"shared"),
                (str(number), b"%d" % number),
            ]
        assert _contents(folder) == []
        assert outbox.status().delivered == 3

    def test_the_delivered_entry_tells_where_it_is(
        self, serve: Serve, open_outbox: OpenOutbox, make_run: MakeRun
    ) -> None:
        """A person finds the run in the store."""
        server = serve(create=CreateShape.ID_WITH_201)
        outbox = open_outbox(server)
        outbox.submit(make_run())
        outbox.flush(5)
        (entry,) = outbox.entries([EntryState.DONE])
        assert entry.stored_id == server.runs[0].id
        assert entry.url is not None
        assert (entry.serial_number, entry.procedure) == ("SN-0001", "Final test")

    def test_a_dead_server_costs_no_run(
        self, server: RunStoreServer, outbox: Outbox, make_run: MakeRun
    ) -> None:
        """Runs wait while nobody listens, and arrive afterwards."""
        for _ in range(3):
            outbox.submit(make_run())
        with server.refusing():
            assert outbox.flush(0.2) == 3
            (first, *_) = outbox.entries()
            assert first.attempts >= 1
            assert "no connection" in str(first.reason)
        assert outbox.flush(10) == 0
        assert len(server.runs) == 3

    def test_no_time_means_no_delivery(
        self, server: RunStoreServer, outbox: Outbox, make_run: MakeRun
    ) -> None:
        """A deadline that is over begins nothing."""
        outbox.submit(make_run())
        assert outbox.flush(0) == 1
        assert not server.requests

    def test_an_empty_outbox_needs_no_destination(self, folder: Path) -> None:
        """Nothing is made or connected for nothing."""

        def make() -> _Scripted:
            raise AssertionError("it was made")

        with Outbox.open(folder, make) as outbox:
            assert outbox.flush(5) == 0

    def test_a_destination_that_cannot_be_made_is_told(
        self, folder: Path, make_run: MakeRun
    ) -> None:
        """Whoever flushes learns what is wrong with the configuration."""

        def make() -> _Scripted:
            raise ConfigurationError("no address")

        with Outbox.open(folder, make) as outbox:
            outbox.submit(make_run())
            with pytest.raises(ConfigurationError, match="no address"):
                outbox.flush(5)
            assert outbox.status().waiting == 1


class TestFaults:
    """Every fault ends in the state that its type names."""

    @pytest.mark.parametrize("operation", [Operation.CREATE, Operation.INITIALIZE])
    @pytest.mark.parametrize("fault", _PASSING)
    def test_what_passes_is_survived(
        self,
        server: RunStoreServer,
        outbox: Outbox,
        make_run: MakeRun,
        make_file: MakeFile,
        *,
        fault: Fault,
        operation: Operation,
    ) -> None:
        """A fault that goes away costs neither a run nor a second one."""
        server.inject(fault, on=operation, times=2)
        outbox.submit(make_run(attachments=[make_file("a", b"1")]))
        assert outbox.flush(20) == 0
        (stored,) = server.runs
        assert server.attachments(stored.id) == [("a", b"1")]

    @pytest.mark.parametrize("fault", _FINAL)
    def test_what_is_final_is_parked_with_the_words_of_the_server(
        self, server: RunStoreServer, outbox: Outbox, make_run: MakeRun, fault: Fault
    ) -> None:
        """A refused run waits for a person, is never repeated, and stops no other."""
        server.inject(fault, on=Operation.CREATE)
        refused, other = make_run(), make_run()
        outbox.submit(refused)
        outbox.submit(other)
        assert outbox.flush(10) == 0
        (entry,) = outbox.entries()
        assert (entry.id, entry.state) == (refused.id, EntryState.PARKED)
        assert f"Injected: {fault}" in str(entry.reason)
        assert [run.idempotency_key for run in server.runs] == [str(other.id)]
        outbox.retry(refused.id)
        assert outbox.flush(10) == 0
        assert len(server.runs) == 2
        assert not outbox.entries()

    def test_a_run_that_no_store_takes_is_parked(
        self, server: RunStoreServer, outbox: Outbox, make_run: MakeRun
    ) -> None:
        """All its problems are told, and nothing is sent."""
        outbox.submit(make_run(unit=Unit(), procedure=ProcedureRef()))
        outbox.flush(5)
        (entry,) = outbox.entries()
        assert entry.state is EntryState.PARKED
        assert "no serial number" in str(entry.reason)
        assert "no procedure" in str(entry.reason)
        assert not server.requests

    def test_a_refused_key_holds_everything(
        self,
        server: RunStoreServer,
        outbox: Outbox,
        make_run: MakeRun,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """No run is parked or tried one by one; it goes on once the key works."""
        for _ in range(3):
            outbox.submit(make_run())
        server.inject(Fault.UNAUTHORIZED)
        assert outbox.flush(30) == 3
        assert len(server.requests) == 1
        assert {entry.state for entry in outbox.entries()} == {EntryState.PENDING}
        assert "401" in str(outbox.status().held)
        assert any(
            record.levelno == logging.ERROR and "check the API key" in record.message
            for record in caplog.records
        )
        assert outbox.flush(10) == 0
        assert outbox.status().held is None
        assert len(server.runs) == 3

    def test_a_file_that_fails_for_now_is_sent_later(
        self,
        server: RunStoreServer,
        outbox: Outbox,
        make_run: MakeRun,
        make_file: MakeFile,
    ) -> None:
        """The run is not created again, the files that arrived are not sent again."""
        server.inject(Fault.INTERNAL_ERROR, on=Operation.STORE)
        files = [make_file(name, name.encode()) for name in "abc"]
        outbox.submit(make_run(attachments=files))
        assert outbox.flush(10) == 0
        (stored,) = server.runs
        assert sorted(server.attachments(stored.id)) == [
            (name, name.encode()) for name in "abc"
        ]
        assert server.count(Operation.CREATE) == 1
        assert server.count(Operation.STORE) == 4

    def test_a_file_that_is_refused_is_named(
        self,
        serve: Serve,
        open_outbox: OpenOutbox,
        folder: Path,
        make_run: MakeRun,
        make_file: MakeFile,
    ) -> None:
        """The rest of the run is delivered, and the bytes wait for a person."""
        server = serve(max_upload=3)
        outbox = open_outbox(server)
        run = make_run(attachments=[make_file("ok", b"1"), make_file("big", b"4444")])
        outbox.submit(run)
        assert outbox.flush(10) == 0
        (entry,) = outbox.entries()
        assert entry.state is EntryState.PARKED
        assert entry.stored_id == server.runs[0].id
        assert "big" in str(entry.reason)
        assert "No more than 3 bytes" in str(entry.reason)
        assert len(_contents(folder)) == 2
        server.contents.dialect = Dialect()
        outbox.retry(run.id)
        assert outbox.flush(10) == 0
        assert server.attachments(server.runs[0].id) == [("ok", b"1"), ("big", b"4444")]
        assert len(server.runs) == 1

    def test_the_final_failure_waits_for_the_passing_one(
        self,
        serve: Serve,
        open_outbox: OpenOutbox,
        make_run: MakeRun,
        make_file: MakeFile,
    ) -> None:
        """A person is asked once, when nothing else is left to do."""
        server = serve(max_upload=3)
        outbox = open_outbox(server)
        server.inject(Fault.UNAVAILABLE, on=Operation.UPDATE)
        outbox.submit(
            make_run(attachments=[make_file("big", b"4444"), make_file("ok", b"1")])
        )
        assert outbox.flush(10) == 0
        (entry,) = outbox.entries()
        assert entry.state is EntryState.PARKED
        assert entry.attempts == 2
        assert server.attachments(server.runs[0].id) == [("ok", b"1")]
        assert server.count(Operation.INITIALIZE) == 2

    def test_bytes_that_are_gone_from_the_outbox_are_told(
        self,
        server: RunStoreServer,
        outbox: Outbox,
        folder: Path,
        make_run: MakeRun,
        make_file: MakeFile,
    ) -> None:
        """Someone who clears the folder does not make a file vanish silently."""
        outbox.submit(make_run(attachments=[make_file("a", b"1")]))
        for path in _contents(folder):
            path.unlink()
        outbox.flush(5)
        (entry,) = outbox.entries()
        assert entry.state is EntryState.PARKED
        assert "a: cannot be read" in str(entry.reason)
        assert len(server.runs) == 1

    def test_a_run_without_start_is_left_to_a_person(
        self, server: RunStoreServer, outbox: Outbox, make_run: MakeRun
    ) -> None:
        """A doubt that cannot be resolved parks; a retry is the person's answer."""
        run = make_run(started_at=None)
        server.inject(Fault.RESET, on=Operation.CREATE)
        outbox.submit(run)
        assert outbox.flush(5) == 0
        (entry,) = outbox.entries()
        assert "no start time" in str(entry.reason)
        assert not server.runs
        outbox.retry(run.id)
        assert outbox.flush(5) == 0
        assert len(server.runs) == 1

    def test_a_wish_of_the_server_is_respected(
        self, server: RunStoreServer, outbox: Outbox, make_run: MakeRun
    ) -> None:
        """What the server asks for is not cut short by a flush."""
        server.inject(Fault.TOO_MANY_SECONDS, seconds=3600)
        outbox.submit(make_run())
        assert outbox.flush(5) == 1
        assert outbox.flush(5) == 1
        assert len(server.requests) == 1

    def test_a_dropped_run_is_never_sent(
        self,
        server: RunStoreServer,
        outbox: Outbox,
        folder: Path,
        make_run: MakeRun,
        make_file: MakeFile,
    ) -> None:
        """What a person drops is gone with its bytes; handed over anew it counts."""
        run = make_run(attachments=[make_file("a", b"1")])
        outbox.submit(run)
        outbox.drop(run.id)
        assert _contents(folder) == []
        assert outbox.flush(5) == 0
        assert not server.requests
        outbox.submit(run)
        assert outbox.flush(5) == 0
        assert len(server.runs) == 1

    def test_a_mistake_of_ours_is_parked_with_its_name(
        self, folder: Path, make_run: MakeRun, caplog: pytest.LogCaptureFixture
    ) -> None:
        """An error that nobody foresaw loses nothing and stops nothing."""
        destination = _Scripted(
            [TypeError("oops"), Receipt(stored_id="r", created=True)]
        )
        with Outbox.open(folder, lambda: destination) as outbox:
            outbox.submit(make_run())
            outbox.submit(make_run())
            assert outbox.flush(5) == 0
            (entry,) = outbox.entries()
            assert entry.reason == "TypeError: oops"
            assert outbox.status().delivered == 1
        assert "Traceback" in caplog.text

    def test_an_interrupt_gives_the_entry_back(
        self, folder: Path, make_run: MakeRun
    ) -> None:
        """A flush that a person interrupts blocks the entry for nobody."""
        destination = _Scripted([KeyboardInterrupt()])
        with Outbox.open(folder, lambda: destination) as outbox:
            outbox.submit(make_run())
            with pytest.raises(KeyboardInterrupt):
                outbox.flush(5)
            (entry,) = outbox.entries()
            assert (entry.state, entry.attempts) == (EntryState.PENDING, 0)


class TestPlainDestination:
    """A destination that knows no steps is repeated as a whole."""

    def test_it_is_submitted_to_until_nothing_is_left(
        self, folder: Path, make_run: MakeRun
    ) -> None:
        """Files that fail for now bring another attempt, the last word is kept."""
        failure = AttachmentFailure(name="a", error=ServerUnavailableError("down"))
        refusal = AttachmentFailure(name="a", error=PermanentError("never"))
        destination = _Scripted(
            [
                ServerUnavailableError("down"),
                Receipt(stored_id="r", created=True, failures=(failure,)),
                Receipt(stored_id="r", created=False, failures=(refusal,)),
            ]
        )
        with Outbox.open(folder, lambda: destination) as outbox:
            outbox.submit(make_run())
            assert outbox.flush(5) == 0
            (entry,) = outbox.entries()
            assert entry.state is EntryState.PARKED
            assert entry.stored_id == "r"
            assert "not its attachments a: never" in str(entry.reason)
        assert destination.closed

    def test_remarks_are_logged(
        self, folder: Path, make_run: MakeRun, caplog: pytest.LogCaptureFixture
    ) -> None:
        """What the store remarks reaches a person."""
        receipt = Receipt(stored_id="r", created=True, warnings=("old part name",))
        with Outbox.open(folder, lambda: _Scripted([receipt])) as outbox:
            outbox.submit(make_run())
            outbox.flush(5)
        assert "old part name" in caplog.text


class TestBackground:
    """Sending while the program goes on."""

    def test_runs_are_sent_as_they_come(
        self, server: RunStoreServer, outbox: Outbox, make_run: MakeRun
    ) -> None:
        """The sender needs no one to tell it."""
        outbox.start()
        for count in range(1, 4):
            outbox.submit(make_run())
            assert outbox.flush(10) == 0
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
        assert outbox.flush(10) == 0
        assert len(server.runs) == 3

    def test_a_flush_keeps_its_deadline(
        self, server: RunStoreServer, outbox: Outbox, make_run: MakeRun
    ) -> None:
        """A slow server does not hold up the program that waits for the sender."""
        server.inject(Fault.SLOW_ANSWER_AFTER, on=Operation.CREATE, seconds=2)
        outbox.start()
        outbox.submit(make_run())
        _until(lambda: server.requests)
        assert outbox.flush(0.05) == 1

    def test_handing_over_never_waits_for_a_delivery(
        self, server: RunStoreServer, outbox: Outbox, make_run: MakeRun
    ) -> None:
        """Runs are taken while the network hangs."""
        server.inject(Fault.SLOW_ANSWER_AFTER, on=Operation.CREATE, seconds=2)
        outbox.start()
        outbox.submit(make_run())
        _until(lambda: server.requests)
        for _ in range(5):
            outbox.submit(make_run())
        assert outbox.status().waiting == 6
        assert len(server.requests) == 1

    def test_it_survives_a_folder_that_fails(
        self,
        server: RunStoreServer,
        outbox: Outbox,
        make_run: MakeRun,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """An error of the outbox itself does not end the sender."""
        monkeypatch.setattr("rigbridge.outbox.sender._PAUSE", 0.01)
        claim = outbox._leases.claim
        calls: list[int] = []

        def fail_twice() -> Any:
            calls.append(1)
            if len(calls) < 3:
                raise OSError("disk full")
            return claim()

        monkeypatch.setattr(outbox._leases, "claim", fail_twice)
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
        monkeypatch.setattr("rigbridge.outbox.sender._PAUSE", 0.01)
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
        assert other.flush(10) == 0
        assert server.count(Operation.CREATE) == 1

    def test_closing_does_not_wait_for_ever(
        self,
        server: RunStoreServer,
        open_outbox: OpenOutbox,
        make_run: MakeRun,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """A hanging delivery goes on by itself and closes what it used."""
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
        assert other.flush(10) == 0
        assert server.count(Operation.CREATE) == 1

    def test_closing_twice_is_no_error(self, outbox: Outbox) -> None:
        """A closed outbox can be closed, and not used."""
        outbox.close()
        outbox.close()
        with pytest.raises(RuntimeError, match="closed"):
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
        monkeypatch.setattr("rigbridge.outbox.leases.LEASE", 0.3)
        monkeypatch.setattr("rigbridge.outbox.delivery.LEASE", 0.3)
        first, second = open_outbox(server), open_outbox(server)
        server.inject(Fault.SLOW_ANSWER_AFTER, on=Operation.CREATE, seconds=1)
        first.submit(make_run())
        first.start()
        _until(lambda: server.requests)
        assert second.flush(10) == 0
        assert server.count(Operation.CREATE) == 1

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
                assert outbox._leases.claim() is not None

        monkeypatch.setattr(outbox._leases, "keep", oversleep)
        outbox.submit(make_run(attachments=[make_file("a", b"1")]))
        outbox.flush(0.3)
        assert "taken over" in caplog.text
        assert not server.runs[0].uploads
        with outbox._database.writing() as connection:
            connection.execute("UPDATE entry SET lease_until = 0")
        assert outbox.flush(10) == 0
        assert server.attachments(server.runs[0].id) == [("a", b"1")]


_PLANS = st.lists(
    st.tuples(
        st.sampled_from([*_PASSING, Fault.WRONG_JSON_AFTER, Fault.EXPIRED_UPLOAD_URL]),
        st.sampled_from(
            [
                Operation.CREATE,
                Operation.LIST,
                Operation.INITIALIZE,
                Operation.STORE,
                Operation.UPDATE,
                Operation.SYNC,
            ]
        ),
        st.integers(min_value=1, max_value=2),
    ),
    max_size=5,
)
_DIALECTS = st.builds(
    Dialect,
    create=st.sampled_from(CreateShape),
    listing=st.sampled_from(ListShape),
    listed_attachments=st.booleans(),
    update=st.booleans(),
    relative_upload_urls=st.booleans(),
    old_errors=st.booleans(),
)


class TestExactlyOnce:
    """The promise, over stock stores of every dialect."""

    @settings(
        max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(plan=_PLANS, dialect=_DIALECTS)
    def test_whatever_fails_each_run_and_file_is_stored_once(
        self,
        tmp_path_factory: pytest.TempPathFactory,
        make_run: MakeRun,
        make_file: MakeFile,
        plan: Sequence[tuple[Fault, Operation, int]],
        dialect: Dialect,
    ) -> None:
        """No sequence of passing faults loses or doubles anything."""
        folder = tmp_path_factory.mktemp("outbox")
        sent = [
            make_run(
                unit=Unit(serial_number=f"SN-{number}"),
                attachments=[make_file("a", b"1"), make_file("b", b"22")],
            )
            for number in range(2)
        ]
        with RunStoreServer(dialect) as server:
            given_settings = DestinationSettings(
                data=folder, url=server.url, api_key=server.api_key, timeout=5
            )
            for fault, operation, times in plan:
                server.inject(fault, on=operation, times=times)
            with Outbox.open(
                folder, partial(HTTPDestination, given_settings)
            ) as outbox:
                for run in sent:
                    outbox.submit(run)
                for _ in range(12):
                    outbox.flush(20)
                    parked = outbox.entries([EntryState.PARKED])
                    if not parked and not outbox.status().waiting:
                        break
                    # A person who sees the passing nature of it retries.
                    for entry in parked:
                        outbox.retry(entry.id)
                assert outbox.status().delivered == 2
            assert sorted(str(run.idempotency_key) for run in server.runs) == sorted(
                str(run.id) for run in sent
            )
            for stored in server.runs:
                assert sorted(server.attachments(stored.id)) == [
                    ("a", b"1"),
                    ("b", b"22"),
                ]

    def test_two_senders_share_one_outbox(
        self, server: RunStoreServer, open_outbox: OpenOutbox, make_run: MakeRun
    ) -> None:
        """However many send at once, each run is stored once."""
        outboxes = [open_outbox(server) for _ in range(3)]
        sent = [make_run() for _ in range(15)]
        for number, run in enumerate(sent):
            outboxes[number % 3].submit(run)
        threads = [
            threading.Thread(target=outbox.flush, args=(30,)) for outbox in outboxes
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(str(run.idempotency_key) for run in server.runs) == sorted(
            str(run.id) for run in sent
        )


class _Scripted:
    """A destination that does what the script says, for cases no server has."""

    def __init__(self, script: list[Receipt | BaseException]) -> None:
        self._script = script
        self.closed = False

    def submit(self, run: Run, report: ConversionReport | None = None) -> Receipt:
        assert report is not None, run
        step = self._script.pop(0)
        if isinstance(step, BaseException):
            raise step
        return step

    def attach(self, stored_id: str, attachment: Attachment) -> None:
        pytest.fail(f"{attachment.name} is attached to {stored_id}")

    def list_runs(self, serial_number: str) -> Sequence[ListedRun]:
        pytest.fail(f"the runs of {serial_number} are listed")

    def close(self) -> None:
        self.closed = True


def test_unknown_runs_are_named(outbox: Outbox) -> None:
    """Asking for a run that is not there says so."""
    for ask in (outbox.run, outbox.retry, outbox.drop):
        with pytest.raises(ConfigurationError, match="holds no run"):
            ask(uuid4())
