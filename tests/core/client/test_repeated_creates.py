"""Creates that are repeated after something else has changed in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

import rigbridge
from rigbridge.client.destination import HTTPDestination
from rigbridge.destinations import Progress, Receipt
from rigbridge.errors import (
    AmbiguousRunError,
    ConflictError,
    DeliveryError,
    RetriableError,
)
from rigbridge.model import Attachment, Run, Unit
from rigbridge.testing.run_store.faults import Dialect, Fault, Operation
from rigbridge.testing.run_store.server import RunStoreServer

Serve = Callable[..., RunStoreServer]

Reach = Callable[..., HTTPDestination]

MakeRun = Callable[..., Run]

MakeFile = Callable[..., Attachment]

_RICH = {"metadata": {"line": 4}}
_OURS = attrs.asdict(Dialect.ours())


class _PowerCutError(Exception):
    """The process ends here."""


class _Station:
    """Delivers one run, and keeps its progress as an outbox does."""

    def __init__(self, reach: Reach, server: RunStoreServer) -> None:
        self._reach = reach
        self._server = server
        self.progress = Progress()
        self.is_cut = False

    def __call__(self, progress: Progress) -> None:
        if self.is_cut and progress.stored_id is not None:
            raise _PowerCutError
        self.progress = progress

    def deliver(self, run: Run, **settings: Any) -> Receipt:
        """Make one attempt in a process that knows nothing of the ones before."""
        # Nothing is at work in the server any more when the next attempt begins.
        progress = attrs.evolve(self.progress, not_before=None)
        return self._reach(self._server, **settings).resume(run, progress, self)

    def cut(self, run: Run) -> None:
        """Make one attempt that ends before the answer to its create is kept."""
        self.is_cut = True
        with pytest.raises(_PowerCutError):
            self.deliver(run)
        self.is_cut = False

    def fail(self, run: Run, **settings: Any) -> DeliveryError:
        """Make one attempt that does not succeed."""
        with pytest.raises(DeliveryError) as caught:
            self.deliver(run, **settings)
        return caught.value


@pytest.fixture(name="server")
def _server(serve: Serve) -> RunStoreServer:
    return serve(**_OURS)


@pytest.fixture(name="station")
def _station(reach: Reach, server: RunStoreServer) -> _Station:
    return _Station(reach, server)


class TestDoubtfulCapabilities:
    """A store that does not come to say what it can do."""

    @pytest.mark.parametrize("faults", [(1, 0), (0, 1), (1, 1)])
    @pytest.mark.parametrize(
        "fault", [Fault.INTERNAL_ERROR, Fault.BAD_GATEWAY_HTML, Fault.UNAVAILABLE]
    )
    def test_the_body_is_the_same_at_each_attempt(
        self,
        server: RunStoreServer,
        station: _Station,
        make_run: MakeRun,
        faults: tuple[int, int],
        fault: Fault,
    ) -> None:
        """Whichever attempt does not learn it, the run is stored once and whole."""
        run = make_run(**_RICH)
        first, second = faults
        server.inject(fault, on=Operation.CAPABILITIES, times=9 * first)
        station.cut(run)
        server.heal()
        server.inject(fault, on=Operation.CAPABILITIES, times=9 * second)
        receipt = station.deliver(run)
        (stored,) = server.runs
        assert receipt.stored_id == stored.id
        assert not receipt.differs
        inline = isinstance(stored.body.get("rigbridge"), dict)
        assert inline is not bool(server.attachments(stored.id))

    def test_a_stored_run_gets_its_sidecar_all_the_same(
        self, server: RunStoreServer, station: _Station, make_run: MakeRun
    ) -> None:
        """What was not in the body goes as a file, even after the store said."""
        run = make_run(**_RICH)
        server.inject(Fault.INTERNAL_ERROR, on=Operation.CAPABILITIES, times=9)
        server.inject(Fault.UNAVAILABLE, on=Operation.INITIALIZE)
        assert station.deliver(run).failures
        server.heal()
        assert station.deliver(run).attached == ("rigbridge.json",)

    def test_a_conflict_waits_until_the_store_says(
        self, server: RunStoreServer, station: _Station, make_run: MakeRun
    ) -> None:
        """A conflict of a store that may know keys is final only once it says so."""
        server.inject(Fault.INTERNAL_ERROR, on=Operation.CAPABILITIES, times=9)
        server.inject(Fault.CONFLICT, on=Operation.CREATE)
        assert isinstance(station.fail(make_run()), RetriableError)
        server.heal()
        server.inject(Fault.CONFLICT, on=Operation.CREATE)
        assert isinstance(station.fail(make_run()), ConflictError)


class TestConflicts:
    """The key came before, with another body."""

    @pytest.mark.parametrize(
        "fault", [Fault.INTERNAL_ERROR, Fault.BAD_GATEWAY_HTML, Fault.RESET]
    )
    def test_a_run_that_cannot_be_looked_up_is_tried_again(
        self,
        server: RunStoreServer,
        station: _Station,
        make_run: MakeRun,
        fault: Fault,
    ) -> None:
        """A stored run is not refused for good since the list failed."""
        run = make_run()
        server.inject(Fault.RESET_AFTER, on=Operation.CREATE)
        station.fail(run)
        server.inject(fault, on=Operation.LIST)
        changed = attrs.evolve(run, docstring="what a rule added")
        assert isinstance(station.fail(changed), RetriableError)
        receipt = station.deliver(changed)
        assert receipt.differs
        assert [stored.id for stored in server.runs] == [receipt.stored_id]

    @pytest.mark.parametrize("first", ["SN-1", "SN-2"])
    def test_other_rules_lead_to_the_run_that_was_sent(
        self, server: RunStoreServer, station: _Station, make_run: MakeRun, first: str
    ) -> None:
        """The unit has another number now; the run is found under the first."""
        run = make_run(unit=Unit(serial_number=first))
        server.inject(Fault.RESET_AFTER, on=Operation.CREATE)
        station.fail(run)
        receipt = station.deliver(attrs.evolve(run, unit=Unit(serial_number="SN-3")))
        assert [stored.id for stored in server.runs] == [receipt.stored_id]

    def test_another_release_leads_to_the_run_that_was_sent(
        self,
        server: RunStoreServer,
        station: _Station,
        make_run: MakeRun,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The body names who sent it, so an update in between makes another body."""
        run = make_run()
        server.inject(Fault.RESET_AFTER, on=Operation.CREATE)
        station.fail(run)
        monkeypatch.setattr(rigbridge, "__version__", "999")
        receipt = station.deliver(run)
        assert [stored.id for stored in server.runs] == [receipt.stored_id]

    def test_other_settings_lead_to_the_run_that_was_sent(
        self, server: RunStoreServer, station: _Station, make_run: MakeRun
    ) -> None:
        """The sidecar was switched off in between."""
        run = make_run(**_RICH)
        server.inject(Fault.RESET_AFTER, on=Operation.CREATE)
        station.fail(run)
        receipt = station.deliver(run, sidecar="never")
        assert [stored.id for stored in server.runs] == [receipt.stored_id]

    def test_two_that_may_be_it_are_left_to_a_person(
        self, server: RunStoreServer, reach: Reach, make_run: MakeRun
    ) -> None:
        """The store has it and does not show which: the choice is named."""
        run = make_run()
        other = attrs.evolve(make_run(), started_at=run.started_at)
        _Station(reach, server).deliver(other)
        station = _Station(reach, server)
        server.inject(Fault.RESET_AFTER, on=Operation.CREATE)
        station.fail(run)
        error = station.fail(attrs.evolve(run, docstring="what a rule added"))
        assert isinstance(error, AmbiguousRunError)
        assert station.progress.unresolved


class TestOtherStores:
    """The store is not the one that it was."""

    def test_a_store_brought_up_to_date_is_asked_first(
        self, serve: Serve, reach: Reach, make_run: MakeRun
    ) -> None:
        """It could not keep the key of a create that came before it knew keys."""
        server = serve(listed_phases=True)
        station = _Station(reach, server)
        run = make_run()
        station.cut(run)
        server.contents.dialect = Dialect.ours()
        receipt = station.deliver(run)
        assert [stored.id for stored in server.runs] == [receipt.stored_id]

    def test_an_equal_run_is_not_taken_for_one_that_never_arrived(
        self, serve: Serve, reach: Reach, make_run: MakeRun
    ) -> None:
        """Two logs of one unit with one date may have measured the same."""
        server = serve(**{**_OURS, "listed_phases": True})
        run = make_run()
        equal = attrs.evolve(make_run(), started_at=run.started_at)
        _Station(reach, server).deliver(run)
        station = _Station(reach, server)
        server.inject(Fault.RESET_BEFORE_BODY, on=Operation.CREATE)
        station.fail(equal)
        station.deliver(equal)
        assert len(server.runs) == 2
