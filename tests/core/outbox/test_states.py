"""Whatever happens in any order: accepted means delivered once, waiting or parked."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from rigbridge.destinations import (
    DestinationSettings,
    Progress,
    Receipt,
)
from rigbridge.errors import (
    NoAnswerError,
    ServerUnavailableError,
    UnauthorizedError,
    UnprocessableError,
)
from rigbridge.model import Attachment, ProcedureRef, Run, RunOutcome, Unit
from rigbridge.model.report import ConversionReport
from rigbridge.outbox import EntryState, Outbox, Retention
from rigbridge.outbox.queue.clock import LEASE
from rigbridge.outbox.queue.leases import Leases
from rigbridge.wire import ListedRun


class _Crash(BaseException):
    """The process ends here: nothing after it is done."""


class _Store:
    """A store in memory that follows a script; takes the same run once."""

    def __init__(self, given: DestinationSettings | None = None) -> None:
        del given
        self.stored: dict[UUID, int] = {}
        self.next_error: BaseException | None = None
        self.after = False

    def resume(
        self,
        run: Run,
        progress: Progress,
        keep: Callable[[Progress], None],
        report: ConversionReport | None = None,
    ) -> Receipt:
        """Store a run, unless the script says otherwise before or after."""
        del report
        error, self.next_error = self.next_error, None
        if progress.stored_id is None:
            keep(Progress(sent=True))
            if error is not None and not self.after:
                raise error
            # As the client does after a lost answer: look first, then create.
            if not (progress.sent and run.id in self.stored):
                self.stored[run.id] = self.stored.get(run.id, 0) + 1
        if error is not None:
            raise error
        keep(Progress(sent=True, stored_id=str(run.id)))
        return Receipt(stored_id=str(run.id), created=True)

    def submit(self, run: Run, report: ConversionReport | None = None) -> Receipt:
        """Store a run from the beginning."""
        return self.resume(run, Progress(), lambda _: None, report)

    def attach(self, stored_id: str, attachment: Attachment) -> None:
        """Take nothing: no outbox attaches to stored runs."""
        del stored_id, attachment
        raise AssertionError("nothing comes here")

    def list_runs(self, serial_number: str) -> Sequence[ListedRun]:
        """List nothing."""
        del serial_number
        return []

    def close(self) -> None:
        """Hold nothing to release."""


class OutboxMachine(RuleBasedStateMachine):
    """Submit, send, fail, crash, restart, retry, drop and prune in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="rigbridge-states-"))
        self.store = _Store()
        self.runs: dict[UUID, Run] = {}
        self.dropped: set[UUID] = set()
        self.ahead = 0.0
        self.outbox = self._open()

    def _open(self) -> Outbox:
        outbox = Outbox.open(self.folder, lambda: self.store)
        for part in (
            outbox._queue,
            outbox._view,
            outbox._housekeeping,
            outbox._leases,
        ):
            part._clock = self._now
        return outbox

    def _now(self) -> float:
        return 1_800_000_000.0 + self.ahead

    def teardown(self) -> None:
        """Deliver all that waits, and see that each was stored once."""
        self.store.next_error = None
        self.ahead += 10 * LEASE
        for entry in self.outbox.entries([EntryState.PARKED]):
            self.outbox.retry(entry.id)
        try:
            assert self.outbox.flush(60) == 0
            expected = self.runs.keys() - self.dropped
            assert expected <= self.store.stored.keys()
            assert set(self.store.stored.values()) <= {1}
        finally:
            self.outbox.close()
            shutil.rmtree(self.folder)

    @initialize(count=st.integers(2, 4))
    def begin(self, count: int) -> None:
        """Hand over some runs, so that there is something to happen to."""
        self.submit(count)

    @rule(count=st.integers(1, 3))
    def submit(self, count: int) -> None:
        """Hand over new runs."""
        for _ in range(count):
            run = Run(
                id=UUID(int=len(self.runs) + 1),  # so that each try is the same
                outcome=RunOutcome.PASS,
                procedure=ProcedureRef(name="P"),
                unit=Unit(serial_number=f"SN-{len(self.runs)}"),
            )
            self.outbox.submit(run)
            self.runs[run.id] = run

    @rule(among=st.integers(1, 4))
    def submit_again(self, among: int) -> None:
        """Hand over every run, or some, once more: then those are wanted again."""
        for run_id, run in self.runs.items():
            if run_id.int % among == 0:
                self.outbox.submit(run)
                self.dropped.discard(run_id)

    @rule(
        error=st.none()
        | st.sampled_from(
            [
                NoAnswerError("gone"),
                ServerUnavailableError("busy", retry_after=30),
                UnauthorizedError("who"),
                UnprocessableError("wrong"),
                OSError("disk"),
                ValueError("a mistake"),
            ]
        ),
        after=st.booleans(),
        more=st.sampled_from([3, 1, 0]),
    )
    def send(self, error: Exception | None, after: bool, more: int) -> None:
        """Send what is due; the first of it may fail, before or after it is stored."""
        self.store.next_error, self.store.after = error, after
        for _ in range(1 + more):
            self.outbox._sending.deliver_due(patience=5)

    @rule(after=st.booleans(), forgets=st.booleans())
    def crash(self, after: bool, forgets: bool) -> None:
        """End amid a delivery, with the lease left behind, and begin anew."""
        self.store.next_error, self.store.after = _Crash(), after
        release = Leases.release
        if forgets:
            # A process that is killed releases nothing.
            Leases.release = lambda *_: None  # type: ignore[method-assign] # restored
        try:
            self.outbox._sending.deliver_due(patience=5)
        except _Crash:
            pass
        finally:
            Leases.release = release  # type: ignore[method-assign] # as it was
        self.store.next_error = None
        self.outbox.close()
        self.outbox = self._open()

    @rule(seconds=st.sampled_from([3600.0, LEASE + 1, 1.0]))
    def wait(self, seconds: float) -> None:
        """Let time go by."""
        self.ahead += seconds

    @rule()
    def retry_parked(self) -> None:
        """Have a person retry."""
        for entry in self.outbox.entries([EntryState.PARKED]):
            self.outbox.retry(entry.id)

    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        """Have a person drop one that is not being sent."""
        idle = self.outbox.entries([EntryState.PENDING, EntryState.PARKED])
        if idle:
            run_id = data.draw(st.sampled_from([entry.id for entry in idle]))
            self.outbox.drop(run_id)
            self.dropped.add(run_id)

    @rule()
    def prune(self) -> None:
        """Forget all that was delivered."""
        self.outbox._retention = Retention(keep_days=1e-9, keep_megabytes=1e-9)
        self.outbox.prune()

    @invariant()
    def accepted_is_somewhere(self) -> None:
        """Each accepted run waits, is parked, was delivered, or was dropped."""
        there = {
            entry.id
            for entry in self.outbox.entries(
                [EntryState.PENDING, EntryState.SENDING, EntryState.PARKED]
            )
        }
        gone = self.runs.keys() - there - self.dropped
        assert gone <= self.store.stored.keys()
        status = self.outbox.status()
        assert status.delivered == len(gone)
        assert status.waiting + status.parked == len(there)

    @invariant()
    def stored_is_stored_once(self) -> None:
        """No run is ever stored twice."""
        assert set(self.store.stored.values()) <= {1}


TestOutboxStates = OutboxMachine.TestCase
TestOutboxStates.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
