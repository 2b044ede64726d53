"""Sending from the outbox: on demand, in the background, under a lease."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import cast

import pytest

from rigbridge.destinations import (
    AttachmentFailure,
    Destination,
    Receipt,
)
from rigbridge.errors import (
    ConfigurationError,
    PermanentError,
    RetriableError,
    ServerUnavailableError,
)
from rigbridge.model import Attachment, Run
from rigbridge.model.report import ConversionReport
from rigbridge.outbox import EntryState, Outbox
from rigbridge.testing.run_store.faults import (
    CreateShape,
)
from rigbridge.testing.run_store.server import RunStoreServer
from rigbridge.wire import ListedRun

Serve = Callable[..., RunStoreServer]

OpenOutbox = Callable[..., Outbox]

MakeRun = Callable[..., Run]

MakeFile = Callable[..., Attachment]


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let waits of our own be short; what a server asks for stays."""
    monkeypatch.setattr("rigbridge.outbox.policy.BASE_DELAY", 0.001)


def _contents(folder: Path) -> list[Path]:
    return [path for path in (folder / "content").rglob("*") if path.is_file()]


class TestFlush:
    """Sending in the calling thread."""

    def test_runs_arrive_with_their_files(
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
        assert outbox.flush(60) == 0
        # Of a store that is slow to answer two are on their way at once, so that their
        # order is open.
        stored = {run.idempotency_key: run.id for run in server.runs}
        assert len(stored) == len(server.runs) == 3
        for number, run in enumerate(sent):
            assert server.attachments(stored[str(run.id)]) == [
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
        outbox.flush(60)
        (entry,) = outbox.entries([EntryState.DONE])
        assert entry.stored_id == server.runs[0].id
        assert entry.url is not None
        assert (entry.serial_number, entry.procedure) == ("SN-0001", "Final test")

    def test_a_dead_server_costs_no_run(
        self,
        server: RunStoreServer,
        outbox: Outbox,
        make_run: MakeRun,
        until: Callable[[Callable[[], object]], None],
    ) -> None:
        """Runs wait while nobody listens, and arrive afterwards."""
        for _ in range(3):
            outbox.submit(make_run())
        with server.refusing():
            outbox.start()
            until(lambda: outbox.entries()[0].reason)
            assert outbox.status().waiting == 3
            (first, *_) = outbox.entries()
            assert "no connection" in str(first.reason)
        assert outbox.flush(60) == 0
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
            assert outbox.flush(60) == 0

    def test_a_destination_that_cannot_be_made_is_told(
        self, folder: Path, make_run: MakeRun
    ) -> None:
        """Whoever flushes learns what is wrong with the configuration."""

        def make() -> _Scripted:
            raise ConfigurationError("no address")

        with Outbox.open(folder, make) as outbox:
            outbox.submit(make_run())
            with pytest.raises(ConfigurationError, match="no address"):
                outbox.flush(60)
            assert outbox.status().waiting == 1


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
            assert outbox.flush(60) == 0
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
            outbox.flush(60)
        assert "old part name" in caplog.text


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


def test_a_destination_that_cannot_be_closed_leaves_no_database_open(
    folder: Path, make_run: MakeRun
) -> None:
    """What a destination raises at its end is raised, after the rest is closed."""

    class _Stuck(_Scripted):
        """Raises when it is closed."""

        def close(self) -> None:
            """Fail."""
            raise RetriableError("it does not close")

    receipt = Receipt(stored_id="r1", created=True)
    outbox = Outbox.open(folder, lambda: _Stuck([receipt]))
    outbox.submit(make_run())
    outbox.flush(60)
    with pytest.raises(RetriableError, match="does not close"):
        outbox.close()
    with pytest.raises(ConfigurationError, match="closed"):
        outbox.status()


class _Silent:
    """A destination that takes a run and says nothing until it is let go."""

    def __init__(self) -> None:
        self.asked = 0
        self.over = threading.Event()

    def submit(self, run: Run, report: ConversionReport | None = None) -> Receipt:
        """Wait."""
        del report
        self.asked += 1
        self.over.wait(300)
        return Receipt(stored_id=str(run.id), created=True)

    def close(self) -> None:
        """Be closed."""


class TestDeadline:
    """The deadline of a flush is the deadline."""

    @pytest.fixture(name="silent")
    def _silent(self) -> Iterator[_Silent]:
        silent = _Silent()
        yield silent
        silent.over.set()

    @pytest.mark.parametrize("background", [True, False])
    def test_a_store_that_does_not_answer_keeps_nobody_longer(
        self,
        folder: Path,
        make_run: MakeRun,
        silent: _Silent,
        until: Callable[[Callable[[], object]], None],
        *,
        background: bool,
    ) -> None:
        """Neither flushing nor closing afterwards waits for the answer."""
        outbox = Outbox.open(folder, lambda: cast("Destination", silent))
        outbox.submit(make_run())
        if background:
            outbox.start()
        until(lambda: outbox.flush(0.3) == 1 and silent.asked)
        outbox.close()
        # Both returned while the store still had not answered.
        assert silent.asked == 1
        assert not silent.over.is_set()

    def test_the_next_process_does_not_wait_for_a_store_known_to_be_silent(
        self,
        folder: Path,
        make_run: MakeRun,
        silent: _Silent,
        until: Callable[[Callable[[], object]], None],
    ) -> None:
        """One that ended in vain leaves word; nobody is asked for a minute."""
        first = Outbox.open(folder, lambda: cast("Destination", silent), name="store")
        first.submit(make_run())
        first.start()
        until(lambda: silent.asked)
        assert first.flush(0.3, insist=False) == 1
        first.close()
        second = Outbox.open(folder, lambda: cast("Destination", silent), name="store")
        second.submit(make_run())
        second.start()
        assert second.flush(math.inf, insist=False) == 2
        assert "took nothing" in str(second.status().held)
        second.close()
        assert silent.asked == 1

    def test_a_person_who_insists_has_it_asked_all_the_same(
        self, folder: Path, make_run: MakeRun
    ) -> None:
        """The note of an earlier process ends with the command."""
        with Outbox.open(folder, lambda: _Scripted([])) as outbox:
            outbox._leases.note_silence("x", 60.0)
            outbox.submit(make_run())
            assert outbox.flush(5, insist=False) == 1
        receipt = Receipt(stored_id="r", created=True)
        with Outbox.open(folder, lambda: _Scripted([receipt])) as outbox:
            assert outbox.flush(60) == 0
