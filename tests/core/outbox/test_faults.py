"""The outbox before a real server that fails on demand."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rigbridge.client.destination import HTTPDestination
from rigbridge.destinations import (
    DestinationSettings,
    Receipt,
)
from rigbridge.model import Attachment, ProcedureRef, Run, Unit
from rigbridge.model.report import ConversionReport
from rigbridge.outbox import EntryState, Outbox
from rigbridge.testing.run_store.faults import (
    CreateShape,
    Dialect,
    Fault,
    ListShape,
    Operation,
)
from rigbridge.testing.run_store.server import RunStoreServer
from rigbridge.wire import ListedRun

Serve = Callable[..., RunStoreServer]

OpenOutbox = Callable[..., Outbox]

MakeRun = Callable[..., Run]

MakeFile = Callable[..., Attachment]

_PASSING = [
    Fault.REDIRECT,
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
]


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let waits of our own be short; what a server asks for stays."""
    monkeypatch.setattr("rigbridge.outbox.policy.BASE_DELAY", 0.001)


def _contents(folder: Path) -> list[Path]:
    return [path for path in (folder / "content").rglob("*") if path.is_file()]


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
        assert outbox.flush(60) == 0
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
        assert outbox.flush(60) == 0
        (entry,) = outbox.entries()
        assert (entry.id, entry.state) == (refused.id, EntryState.PARKED)
        assert f"Injected: {fault}" in str(entry.reason)
        assert [run.idempotency_key for run in server.runs] == [str(other.id)]
        outbox.retry(refused.id)
        assert outbox.flush(60) == 0
        assert len(server.runs) == 2
        assert not outbox.entries()

    def test_a_run_that_no_store_takes_is_parked(
        self, server: RunStoreServer, outbox: Outbox, make_run: MakeRun
    ) -> None:
        """All its problems are told, and nothing is sent."""
        outbox.submit(make_run(unit=Unit(), procedure=ProcedureRef()))
        outbox.flush(60)
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
        server.inject(Fault.UNAUTHORIZED, on=Operation.CREATE)
        assert outbox.flush(30) == 3
        assert server.count(Operation.CREATE) == 1
        assert {entry.state for entry in outbox.entries()} == {EntryState.PENDING}
        assert "401" in str(outbox.status().held)
        assert any(
            record.levelno == logging.ERROR and "check the API key" in record.message
            for record in caplog.records
        )
        assert outbox.flush(60) == 0
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
        assert outbox.flush(60) == 0
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
        assert outbox.flush(60) == 0
        (entry,) = outbox.entries()
        assert entry.state is EntryState.PARKED
        assert entry.stored_id == server.runs[0].id
        assert "big" in str(entry.reason)
        assert "No more than 3 bytes" in str(entry.reason)
        assert len(_contents(folder)) == 2
        server.contents.dialect = Dialect()
        outbox.retry(run.id)
        assert outbox.flush(60) == 0
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
        assert outbox.flush(60) == 0
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
        outbox.flush(60)
        (entry,) = outbox.entries()
        assert entry.state is EntryState.PARKED
        assert "a: cannot be read" in str(entry.reason)
        assert len(server.runs) == 1

    @pytest.mark.parametrize("fault", [Fault.RESET, Fault.RESET_AFTER])
    def test_a_run_without_start_is_stored_once(
        self, server: RunStoreServer, outbox: Outbox, make_run: MakeRun, fault: Fault
    ) -> None:
        """Whether its create arrived or not is seen by what is new in the store."""
        server.inject(fault, on=Operation.CREATE)
        outbox.submit(make_run(started_at=None))
        assert outbox.flush(60) == 0
        assert not outbox.entries()
        assert len(server.runs) == 1

    def test_a_wish_of_the_server_holds_until_a_person_overrides_it(
        self, server: RunStoreServer, outbox: Outbox, make_run: MakeRun
    ) -> None:
        """Nothing is sent for as long as it asks, but for one who says "now"."""
        server.inject(Fault.TOO_MANY_SECONDS, on=Operation.CREATE, seconds=3600)
        outbox.submit(make_run())
        assert outbox.flush(60) == 1
        outbox.submit(make_run())
        assert not outbox._sending.deliver_due()
        assert server.count(Operation.CREATE) == 1
        assert outbox.flush(60) == 0
        assert len(server.runs) == 2

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
        assert outbox.flush(60) == 0
        assert not server.requests
        outbox.submit(run)
        assert outbox.flush(60) == 0
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
            assert outbox.flush(60) == 0
            (entry,) = outbox.entries()
            assert "_Scripted" in str(entry.reason)
            assert "failed in submit" in str(entry.reason)
            assert "TypeError: oops" in str(entry.reason)
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
                outbox.flush(60)
            (entry,) = outbox.entries()
            assert (entry.state, entry.attempts) == (EntryState.PENDING, 0)


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
                data=folder, url=server.url, api_key=server.api_key, timeout=60
            )
            for fault, operation, times in plan:
                server.inject(fault, on=operation, times=times)
            with Outbox.open(
                folder, partial(HTTPDestination, given_settings)
            ) as outbox:
                for run in sent:
                    outbox.submit(run)
                for _ in range(12):
                    outbox.flush(60)
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
            threading.Thread(target=outbox.flush, args=(90,)) for outbox in outboxes
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
