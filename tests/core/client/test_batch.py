"""Many deliveries at a time, against a real server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest

from rigbridge.client.async_destination import AsyncHTTPDestination
from rigbridge.client.destination import HTTPDestination
from rigbridge.destinations import Consignment, DestinationSettings, Outcome, Progress
from rigbridge.errors import (
    BadRequestError,
    RetriableError,
    RunProblemsError,
    RunWaitsError,
    ServerUnavailableError,
)
from rigbridge.model import Attachment, Run, Unit
from rigbridge.testing.run_store.faults import Fault, Operation
from rigbridge.testing.run_store.server import RunStoreServer

Reach = Callable[..., HTTPDestination]
MakeRun = Callable[..., Run]
MakeFile = Callable[..., Attachment]
SendMany = Callable[..., list[Outcome]]


def _keep(_: Progress) -> None:
    """Know that nothing was sent before."""


def _settings(server: RunStoreServer, **options: Any) -> DestinationSettings:
    return DestinationSettings(
        data=Path(), url=server.url, api_key=server.api_key, timeout=60.0, **options
    )


def _blocking(
    server: RunStoreServer, consignments: list[Consignment], **options: Any
) -> list[Outcome]:
    destination = HTTPDestination(_settings(server))
    try:
        return list(destination.submit_many(consignments, **options))
    finally:
        destination.close()


def _in_event_loop(
    server: RunStoreServer, consignments: list[Consignment], **options: Any
) -> list[Outcome]:
    async def send() -> list[Outcome]:
        destination = AsyncHTTPDestination(_settings(server))
        try:
            found = destination.submit_many(consignments, **options)
            return [outcome async for outcome in found]
        finally:
            await destination.close()

    return asyncio.run(send())


@pytest.fixture(name="send_many", params=[_blocking, _in_event_loop])
def _send_many(request: pytest.FixtureRequest) -> SendMany:
    send: SendMany = request.param
    return send


@pytest.fixture(name="consign")
def _consign(make_run: MakeRun, make_file: MakeFile) -> Callable[..., Consignment]:
    """Make consignments of runs with two files, each certainly never sent before."""

    def consign(**fields: Any) -> Consignment:
        files = [make_file("a", b"1"), make_file("b", b"22")]
        run = make_run(**{"attachments": files, **fields})
        return Consignment(run=run, keep=_keep)

    return consign


class TestBoth:
    """With threads and with an event loop."""

    def test_all_arrive_once_with_their_files(
        self,
        server: RunStoreServer,
        send_many: SendMany,
        consign: Callable[..., Consignment],
    ) -> None:
        """Each run is stored once, and its own files are linked to it in order."""
        server.inject(Fault.SLOW_WORK, times=10_000, seconds=0.01)
        consignments = [consign() for _ in range(12)]
        outcomes = send_many(server, consignments)
        assert {outcome.consignment.run.id for outcome in outcomes} == {
            consignment.run.id for consignment in consignments
        }
        assert len(server.runs) == 12
        for outcome in outcomes:
            assert outcome.receipt is not None
            assert not outcome.receipt.failures
            assert server.attachments(outcome.receipt.stored_id) == [
                ("a", b"1"),
                ("b", b"22"),
            ]

    def test_a_far_server_works_on_several_at_a_time(
        self,
        server: RunStoreServer,
        send_many: SendMany,
        make_run: MakeRun,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Requests are under way beside each other, within the bound."""
        lock, under_way, most = threading.Lock(), 0, 0
        perform = server.contents.perform

        def watched(operation: Operation, **details: Any) -> Any:
            nonlocal under_way, most
            with lock:
                under_way += 1
                most = max(most, under_way)
            server.stopping.wait(0.1)
            with lock:
                under_way -= 1
            return perform(operation, **details)

        monkeypatch.setattr(server.contents, "perform", watched)
        send_many(server, [Consignment(run=make_run(), keep=_keep) for _ in range(20)])
        assert len(server.runs) == 20
        assert 2 <= most <= 16

    def test_one_refused_run_ends_no_other(
        self,
        server: RunStoreServer,
        send_many: SendMany,
        consign: Callable[..., Consignment],
    ) -> None:
        """Its error comes back with it; a run that no store takes is not sent."""
        bad = consign(unit=Unit(serial_number=None))
        server.inject(Fault.BAD_REQUEST, on=Operation.CREATE)
        outcomes = send_many(server, [consign(), bad, consign()])
        found = {type(outcome.error) for outcome in outcomes}
        assert found == {BadRequestError, RunProblemsError, type(None)}
        assert len(server.runs) == 1

    def test_a_lost_answer_is_found_again(
        self,
        server: RunStoreServer,
        send_many: SendMany,
        consign: Callable[..., Consignment],
    ) -> None:
        """Many at a time are delivered as exactly as one."""
        server.inject(Fault.RESET_AFTER, on=Operation.CREATE, times=3)
        outcomes = send_many(server, [consign() for _ in range(6)])
        assert all(outcome.receipt is not None for outcome in outcomes)
        assert len(server.runs) == 6

    def test_a_short_pause_is_kept(
        self,
        server: RunStoreServer,
        send_many: SendMany,
        consign: Callable[..., Consignment],
    ) -> None:
        """The run that was refused comes back, the others wait and go through."""
        server.inject(Fault.TOO_MANY_SECONDS, on=Operation.CREATE, seconds=1)
        outcomes = send_many(server, [consign() for _ in range(3)])
        errors = [outcome.error for outcome in outcomes if outcome.error]
        assert [type(error) for error in errors] == [ServerUnavailableError]
        assert len(server.runs) == 2

    def test_a_long_pause_leaves_the_rest_unsent(
        self,
        server: RunStoreServer,
        send_many: SendMany,
        consign: Callable[..., Consignment],
    ) -> None:
        """The caller gets them back, with the time to wait, and nothing is sent."""
        server.inject(Fault.TOO_MANY_DATE, on=Operation.CREATE, seconds=900)
        outcomes = send_many(server, [consign() for _ in range(3)], patience=1.0)
        assert server.count(Operation.CREATE) == 1
        for outcome in outcomes:
            assert isinstance(outcome.error, RetriableError)
        first, *rest = outcomes
        assert isinstance(first.error, ServerUnavailableError)
        assert first.error.retry_after == pytest.approx(900, abs=5)
        for outcome in rest:
            assert isinstance(outcome.error, RunWaitsError)
            # Whoever has a queue keeps the whole of it there.
            assert outcome.error.retry_after == pytest.approx(60, abs=5)

    def test_progress_is_kept_for_each(
        self,
        server: RunStoreServer,
        send_many: SendMany,
        consign: Callable[..., Consignment],
    ) -> None:
        """What is kept last says that all is done, whichever files went together."""
        server.inject(Fault.SLOW_WORK, times=10_000, seconds=0.01)
        kept: dict[int, Progress] = {}
        consignments = [
            attrs.evolve(consign(), keep=partial(kept.__setitem__, number))
            for number in range(6)
        ]
        send_many(server, consignments)
        assert len(kept) == 6
        for progress in kept.values():
            assert progress.stored_id is not None
            assert [file.linked for file in progress.files] == [True, True]


class TestBlocking:
    """With threads."""

    def test_closing_begins_nothing_new(
        self, server: RunStoreServer, reach: Reach, consign: Callable[..., Consignment]
    ) -> None:
        """What is under way ends, what was not begun stays with the caller."""
        server.inject(Fault.SLOW_WORK, times=10_000, seconds=0.02)
        taken = 0

        def supply() -> Any:
            nonlocal taken
            while True:
                taken += 1
                yield consign()

        outcomes = reach(server, concurrency=4).submit_many(supply())
        next(outcomes)
        next(outcomes)
        outcomes.close()
        assert len(server.runs) <= taken
        assert taken < 12
        assert not [
            thread
            for thread in threading.enumerate()
            if thread.name == "rigbridge-delivery"
        ]

    def test_files_of_one_run_go_up_beside_each_other(
        self,
        server: RunStoreServer,
        reach: Reach,
        make_run: MakeRun,
        make_file: MakeFile,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """All PUTs wait for each other in the server, and still all end."""
        together = threading.Barrier(5)
        perform = server.contents.perform

        def watched(operation: Operation, **details: Any) -> Any:
            server.stopping.wait(0.02)
            if operation is Operation.STORE:
                together.wait(60)
            return perform(operation, **details)

        monkeypatch.setattr(server.contents, "perform", watched)
        files = [make_file(f"{number}", bytes(1000)) for number in range(5)]
        receipt = reach(server, concurrency=16).submit(make_run(attachments=files))
        assert receipt.attached == ("0", "1", "2", "3", "4")

    def test_small_files_do_not_wait_for_the_run_of_a_far_store(
        self,
        server: RunStoreServer,
        reach: Reach,
        make_run: MakeRun,
        make_file: MakeFile,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Once the store is known to be far, they go up while the run is created."""
        server.inject(Fault.SLOW_WORK, times=10_000, seconds=0.02)
        destination = reach(server, concurrency=16)
        for _ in range(2):
            destination.submit(make_run())  # by then it knows what the list shows
        together = threading.Barrier(2)
        met: list[Operation] = []
        perform = server.contents.perform

        def watched(operation: Operation, **details: Any) -> Any:
            if operation in (Operation.CREATE, Operation.INITIALIZE):
                together.wait(60)  # neither is answered before both have arrived
                met.append(operation)
            return perform(operation, **details)

        monkeypatch.setattr(server.contents, "perform", watched)
        run = make_run(attachments=[make_file("a", b"1")])
        destination.resume(run, Progress(), _keep)
        assert sorted(met) == [Operation.CREATE, Operation.INITIALIZE]
        assert server.attachments(server.runs[-1].id) == [("a", b"1")]

    def test_a_refused_run_leaves_its_files_to_the_next_attempt(
        self,
        server: RunStoreServer,
        reach: Reach,
        make_run: MakeRun,
        make_file: MakeFile,
    ) -> None:
        """What went up beside a refused create is linked later, not sent again."""
        server.inject(Fault.SLOW_WORK, times=1, seconds=0.05)
        destination = reach(server, concurrency=16)
        destination.list_runs("SN")
        server.inject(Fault.UNAVAILABLE, on=Operation.CREATE)
        run = make_run(attachments=[make_file("a", b"1")])
        kept = Progress()

        def keep(progress: Progress) -> None:
            nonlocal kept
            kept = progress

        with pytest.raises(ServerUnavailableError):
            destination.resume(run, Progress(), keep)
        destination.resume(run, attrs.evolve(kept, not_before=None), keep)
        assert server.attachments(server.runs[0].id) == [("a", b"1")]
        sent = [upload for upload in server.uploads if upload.content is not None]
        assert len(sent) == 1
