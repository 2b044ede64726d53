"""Deliveries that were cut, and are taken up where they were."""

from __future__ import annotations

import time
from collections.abc import Callable

import attrs
import pytest

from rigbridge.client.destination import HTTPDestination
from rigbridge.destinations import (
    Progress,
)
from rigbridge.errors import (
    AmbiguousRunError,
    DeliveryError,
    NoAnswerError,
)
from rigbridge.model import Attachment, Run
from rigbridge.testing.run_store.faults import (
    Fault,
    Operation,
)
from rigbridge.testing.run_store.server import RunStoreServer

Serve = Callable[..., RunStoreServer]

Reach = Callable[..., HTTPDestination]

MakeRun = Callable[..., Run]

MakeFile = Callable[..., Attachment]


class _Kept:
    """Keeps progress as an outbox does."""

    def __init__(self) -> None:
        self.steps: list[Progress] = [Progress()]

    def __call__(self, progress: Progress) -> None:
        self.steps.append(progress)

    @property
    def last(self) -> Progress:
        return self.steps[-1]


class TestResume:
    """Going on where an attempt was cut."""

    def test_each_step_is_kept_before_the_next(
        self,
        server: RunStoreServer,
        reach: Reach,
        make_run: MakeRun,
        make_file: MakeFile,
    ) -> None:
        """The steps are: announced, created, each file sent, all linked."""
        kept = _Kept()
        run = make_run(attachments=[make_file("a", b"1"), make_file("b", b"2")])
        reach(server).resume(run, Progress(), kept)
        _, announced, created, first, second, linked = kept.steps
        assert announced.sent
        assert announced.stored_id is None
        assert created.stored_id == server.runs[0].id
        assert [file.position for file in first.files] == [0]
        assert [file.linked for file in second.files] == [False, False]
        assert [file.linked for file in linked.files] == [True, True]

    def test_cut_after_any_step_it_ends_the_same(
        self, serve: Serve, reach: Reach, make_run: MakeRun, make_file: MakeFile
    ) -> None:
        """Whichever step was the last that was kept, nothing is doubled."""
        run = make_run(attachments=[make_file("a", b"1"), make_file("b", b"2")])
        for steps in range(1, 6):
            server = serve()

            class PowerCutError(Exception):
                """The process ends here."""

            kept = _Kept()

            def keep(
                progress: Progress, kept: _Kept = kept, steps: int = steps
            ) -> None:
                kept(progress)
                if len(kept.steps) > steps:
                    raise PowerCutError

            with pytest.raises(PowerCutError):
                reach(server).resume(run, Progress(), keep)
            progress = attrs.evolve(kept.last, not_before=None)
            receipt = reach(server).resume(run, progress, kept)
            assert receipt.attached == ("a", "b")
            (stored,) = server.runs
            assert server.attachments(stored.id) == [("a", b"1"), ("b", b"2")]

    def test_the_first_attempt_asks_nothing(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """
        A run that was certainly never sent costs one request.

        Before the first, a store is asked what it can do and what its list shows.
        """
        destination = reach(server)
        for _ in range(3):
            destination.resume(make_run(), Progress(), _Kept())
        asked = [str(request.operation) for request in server.requests]
        assert asked == ["capabilities", "list", "create", "list", "create", "create"]

    def test_a_store_that_knows_the_key_is_asked_once(
        self, serve: Serve, reach: Reach, make_run: MakeRun
    ) -> None:
        """It needs no look-up, so nothing is learnt of its list."""
        server = serve(idempotent=True, capabilities={"idempotency_key": True})
        destination = reach(server)
        for _ in range(2):
            destination.resume(make_run(), Progress(), _Kept())
        asked = [str(request.operation) for request in server.requests]
        assert asked == ["capabilities", "create", "create"]

    @pytest.mark.parametrize(
        "fault",
        [Fault.BAD_REQUEST, Fault.UNAUTHORIZED, Fault.TOO_MANY_SECONDS],
    )
    def test_a_refused_create_leaves_no_doubt(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun, fault: Fault
    ) -> None:
        """After a clear refusal the run counts as never sent."""
        kept = _Kept()
        server.inject(fault, on=Operation.CREATE)
        with pytest.raises(DeliveryError):
            reach(server).resume(make_run(), Progress(), kept)
        assert not kept.last.sent
        assert kept.last.not_before is None

    def test_a_refused_connection_leaves_no_doubt(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """What never left this machine counts as never sent."""
        kept = _Kept()
        with server.refusing(), pytest.raises(NoAnswerError):
            reach(server).resume(make_run(), Progress(), kept)
        assert not kept.last.sent

    def test_a_server_that_may_be_at_work_is_given_time(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """After a timeout the create is looked up, and not sent again too early."""
        run, kept = make_run(), _Kept()
        destination = reach(server, timeout=2.0)
        server.inject(Fault.SLOW_WORK, on=Operation.CREATE, seconds=3.0)
        with pytest.raises(NoAnswerError):
            destination.resume(run, Progress(), kept)
        with pytest.raises(NoAnswerError, match="still be at work") as caught:
            destination.resume(run, kept.last, kept)
        assert caught.value.retry_after is not None
        assert 0 < caught.value.retry_after <= 2.0
        while not server.runs:
            time.sleep(0.01)
        receipt = destination.resume(run, kept.last, kept)
        assert receipt.stored_id == server.runs[0].id
        assert server.count(Operation.CREATE) == 1

    def test_a_create_that_never_arrived_is_sent_again(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """Once the look-up shows that it is not there, it is sent."""
        run, kept = make_run(), _Kept()
        destination = reach(server)
        server.inject(Fault.RESET, on=Operation.CREATE)
        with pytest.raises(NoAnswerError):
            destination.resume(run, Progress(), kept)
        destination.resume(run, kept.last, kept)
        assert len(server.runs) == 1
        assert server.count(Operation.CREATE) == 2

    def test_a_create_that_was_cut_is_given_time(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """A process that dies while it creates leaves a time before which none may."""
        run, kept = make_run(), _Kept()

        class PowerCutError(Exception):
            """The process ends here."""

        def keep(progress: Progress) -> None:
            kept(progress)
            raise PowerCutError

        timeout = 5.0
        begun = time.time()
        with pytest.raises(PowerCutError):
            reach(server, timeout=timeout).resume(run, Progress(), keep)
        assert kept.last.not_before is not None
        # As long as sending and answering may take, each.
        assert begun + 2 * timeout <= kept.last.not_before <= time.time() + 2 * timeout
        with pytest.raises(NoAnswerError, match="may still be at work") as caught:
            reach(server, timeout=timeout).resume(run, kept.last, kept)
        assert caught.value.retry_after is not None
        assert timeout < caught.value.retry_after <= 2 * timeout
        assert server.count(Operation.CREATE) == 0

    def test_a_clock_that_was_set_back_does_not_stop_it(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """A waiting time that lies years ahead is none."""
        destination = reach(server)
        progress = Progress(
            store=f"{server.origin}/api",
            sent=True,
            not_before=time.time() + 1e8,
            looked_up_at=time.time() - 10,
        )
        destination.resume(make_run(), progress, _Kept())
        assert len(server.runs) == 1

    def test_a_run_without_start_is_found_by_its_creation(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """What was not there before the create, and nobody else's, is ours."""
        run, kept = make_run(started_at=None), _Kept()
        destination = reach(server)
        server.inject(Fault.RESET_AFTER, on=Operation.CREATE)
        assert destination.resume(run, Progress(), kept).created
        assert len(server.runs) == 1

    def test_the_page_of_a_proxy_does_not_say_that_nothing_arrived(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """It gave the run on before it gave up: the run is found, and not sent anew."""
        server.inject(Fault.BAD_GATEWAY_HTML_AFTER, on=Operation.CREATE)
        kept = _Kept()
        assert reach(server).resume(make_run(), Progress(), kept).created
        assert kept.last.sent
        assert server.count(Operation.CREATE) == len(server.runs) == 1

    def test_what_stays_ambiguous_is_left_to_a_person(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """Two runs may be ours: neither is taken, nothing is sent, both are named."""
        run = make_run()
        destination = reach(server)
        for _ in range(2):
            destination.submit(make_run())  # by then it knows what the list shows
        server.inject(Fault.CUT_ANSWER_AFTER, on=Operation.CREATE)
        server.inject(Fault.RESET, on=Operation.LIST)
        kept = _Kept()
        with pytest.raises(NoAnswerError):
            destination.resume(run, Progress(), kept)
        stored = server.runs[-1]
        twin = attrs.evolve(stored, id="twin")
        server.contents.runs.append(twin)
        with pytest.raises(AmbiguousRunError) as caught:
            reach(server).resume(run, kept.last, kept)
        assert set(caught.value.candidates) == {stored.id, "twin"}
        assert kept.last.unresolved
        assert len(server.runs) == 4

    def test_an_idempotent_store_needs_no_start(
        self, serve: Serve, reach: Reach, make_run: MakeRun
    ) -> None:
        """A store that knows the key answers a repetition with the first run."""
        server = serve(idempotent=True, capabilities={"idempotency_key": True})
        run, kept = make_run(started_at=None), _Kept()
        destination = reach(server)
        server.inject(Fault.RESET_AFTER, on=Operation.CREATE)
        with pytest.raises(NoAnswerError):
            destination.resume(run, Progress(), kept)
        assert destination.resume(run, kept.last, kept).stored_id == server.runs[0].id
        assert len(server.runs) == 1

    def test_the_same_store_under_another_address_is_asked_first(
        self, serve: Serve, reach: Reach, make_run: MakeRun, make_file: MakeFile
    ) -> None:
        """A renamed host knows the run: its files go to the run that is there."""
        server = serve()
        run, kept = make_run(attachments=(make_file("a", b"1"),)), _Kept()
        server.inject(Fault.UNAVAILABLE, on=Operation.INITIALIZE)
        reach(server).resume(run, Progress(), kept)
        moved = attrs.evolve(kept.last, store="http://old-name:8000/api")
        receipt = reach(server).resume(run, moved, kept)
        assert [stored.id for stored in server.runs] == [receipt.stored_id]
        assert receipt.attached == ("a",)

    def test_another_store_begins_anew(
        self, serve: Serve, reach: Reach, make_run: MakeRun
    ) -> None:
        """What one store knows means nothing to another."""
        run, kept = make_run(), _Kept()
        reach(serve()).resume(run, Progress(), kept)
        other = serve()
        receipt = reach(other).resume(run, kept.last, kept)
        assert receipt.stored_id == other.runs[0].id

    def test_a_refused_file_is_not_tried_again(
        self, serve: Serve, reach: Reach, make_run: MakeRun, make_file: MakeFile
    ) -> None:
        """A refusal stays, with its words, until a person says otherwise."""
        server = serve(max_upload=1)
        run, kept = make_run(attachments=[make_file("big", b"22")]), _Kept()
        destination = reach(server)
        destination.resume(run, Progress(), kept)
        asked = server.count(Operation.INITIALIZE)
        receipt = destination.resume(run, kept.last, kept)
        assert "No more than 1 bytes" in str(receipt.failures[0].error)
        assert server.count(Operation.INITIALIZE) == asked

    def test_an_upload_that_is_gone_is_sent_again(
        self,
        server: RunStoreServer,
        reach: Reach,
        make_run: MakeRun,
        make_file: MakeFile,
    ) -> None:
        """A store may forget uploads that were not linked in time."""
        run, kept = make_run(attachments=[make_file("a", b"1")]), _Kept()
        destination = reach(server)
        server.inject(Fault.UNAVAILABLE, on=Operation.UPDATE)
        assert destination.resume(run, Progress(), kept).failures
        server.contents.uploads.clear()
        assert destination.resume(run, kept.last, kept).attached == ("a",)
        assert server.attachments(server.runs[0].id) == [("a", b"1")]
