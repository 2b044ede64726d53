"""Who is who: stored runs, and the runs of ours that they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import attrs
import pytest

from rigbridge.client.destination import HTTPDestination
from rigbridge.client.memory.ledger import DeliveryLedger
from rigbridge.destinations import Progress, SentRun
from rigbridge.errors import AmbiguousRunError, UnexpectedAnswerError
from rigbridge.model import Attachment, Run
from rigbridge.testing.run_store.faults import Operation
from rigbridge.testing.run_store.server import RunStoreServer

MakeRun = Callable[..., Run]
MakeFile = Callable[..., Attachment]
Reach = Callable[..., HTTPDestination]
Serve = Callable[..., RunStoreServer]

_SENT = SentRun(key="k", serial_number="SN")


class TestLedger:
    """What one file, or one client, remembers."""

    @pytest.mark.parametrize("name", ["deliveries.sqlite", None])
    def test_a_stored_run_belongs_to_one(
        self, tmp_path: Path, name: str | None
    ) -> None:
        """The second that is given the same stored run does not get it."""
        ledger = DeliveryLedger("s", None if name is None else tmp_path / name)
        first, second = uuid4(), uuid4()
        stored = Progress(sent=True, stored_id="r", sent_as=_SENT)
        ledger.keep(first, stored)
        with pytest.raises(UnexpectedAnswerError, match="another run of ours"):
            ledger.keep(second, stored)
        assert ledger.claims(second, ["r", "x"], "k").owners == {"r": first}
        assert ledger.progress(first) == stored
        assert ledger.progress(second) is None

    def test_a_run_of_unknown_fate_is_a_rival(self) -> None:
        """Until it is known what became of it; a run is none of itself."""
        ledger = DeliveryLedger("s")
        first, second = uuid4(), uuid4()
        sent = Progress(sent=True, sent_as=_SENT)
        ledger.keep(first, sent)
        assert ledger.claims(second, [], "k").rivals
        assert not ledger.claims(first, [], "k").rivals
        ledger.keep(first, attrs.evolve(sent, stored_id="r"))
        assert not ledger.claims(second, [], "k").rivals

    def test_stores_are_told_apart(self, tmp_path: Path) -> None:
        """An id of one store says nothing of another."""
        path, run_id = tmp_path / "deliveries.sqlite", uuid4()
        DeliveryLedger("one", path).keep(run_id, Progress(stored_id="r", sent_as=_SENT))
        assert DeliveryLedger("two", path).progress(run_id) is None
        assert not DeliveryLedger("two", path).claims(uuid4(), ["r"], "k").owners


class TestDirectDelivery:
    """Imports and clients at a stock store, without an outbox."""

    def test_runs_that_look_the_same_all_arrive(
        self, serve: Serve, reach: Reach, make_run: MakeRun
    ) -> None:
        """Three logs of one unit with a date and no time of day are three runs."""
        server = serve(listed_creation=False)
        destination, first = reach(server), make_run()
        runs = [attrs.evolve(first, id=uuid4()) for _ in range(3)]
        stored = {destination.submit(run).stored_id for run in runs}
        assert len(stored) == 3
        assert len(server.runs) == 3

    @pytest.mark.parametrize("started", [True, False])
    def test_a_second_import_stores_nothing(
        self,
        serve: Serve,
        reach: Reach,
        make_run: MakeRun,
        make_file: MakeFile,
        *,
        started: bool,
    ) -> None:
        """Neither the run nor its files, with and without a start time."""
        server = serve(listed_creation=False)
        files = [make_file("a", b"1")]
        run = make_run(attachments=files)
        if not started:
            run = attrs.evolve(run, started_at=None)
        first = reach(server).submit(run)
        second = reach(server).submit(run)
        assert second.stored_id == first.stored_id
        assert not second.created
        assert server.attachments(first.stored_id) == [("a", b"1")]
        assert server.count(Operation.INITIALIZE) == 1

    def test_a_run_that_is_gone_is_stored_again(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """The ledger does not outweigh what the store says."""
        run = make_run()
        reach(server).submit(run)
        server.contents.runs.clear()
        assert reach(server).submit(run).created
        assert len(server.runs) == 1

    def test_a_run_of_another_machine_is_not_guessed(
        self, serve: Serve, reach: Reach, make_run: MakeRun, tmp_path: Path
    ) -> None:
        """Nothing shows whether it is the same: it is named, and nothing is sent."""
        server = serve(listed_creation=False)
        run = make_run()
        reach(server).submit(run)
        for file in tmp_path.glob("deliveries.sqlite*"):
            file.unlink()
        with pytest.raises(AmbiguousRunError):
            reach(server).submit(run)
        assert len(server.runs) == 1

    def test_a_file_is_attached_once(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun, tmp_path: Path
    ) -> None:
        """Also by a second process."""
        path = tmp_path / "scope.txt"
        path.write_bytes(b"x")
        stored = reach(server).submit(make_run()).stored_id
        for _ in range(2):
            reach(server).attach(stored, Attachment.from_file(path))
        assert server.attachments(stored) == [("scope.txt", b"x")]
