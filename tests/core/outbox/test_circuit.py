"""What a dead store is spared, and how soon everything goes on when it is back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from rigbridge.errors import (
    NoAnswerError,
    RunWaitsError,
    ServerUnavailableError,
    UnexpectedAnswerError,
    UnprocessableError,
)
from rigbridge.model import Run, SubUnit, Unit
from rigbridge.outbox import EntryState, Outbox
from rigbridge.outbox.policy import (
    CIRCUIT_THRESHOLD,
    MAX_MISSING,
    asks_everyone,
    counts_against_store,
)
from rigbridge.outbox.queue.circuit import (
    close_circuit,
    count_failure,
    open_circuit,
)
from rigbridge.outbox.queue.database import OutboxDatabase
from rigbridge.outbox.queue.entry_queue import EntryQueue, NewEntry
from rigbridge.testing.run_store.faults import Fault, Operation
from rigbridge.testing.run_store.server import RunStoreServer

OpenOutbox = Callable[..., Outbox]
MakeRun = Callable[..., Run]


def _until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)


def _unit(serial_number: str, *parts: str) -> dict[str, object]:
    return {
        "unit": Unit(serial_number=serial_number),
        "sub_units": tuple(SubUnit(serial_number=part) for part in parts),
    }


class TestCircuit:
    """One circuit for the destination, shared by all who send."""

    def test_many_waiting_runs_do_not_hammer_a_dead_store(
        self, server: RunStoreServer, outbox: Outbox, make_run: MakeRun
    ) -> None:
        """Of forty runs only the first few are tried, the others wait for them."""
        for _ in range(40):
            outbox.submit(make_run())
        with server.refusing():
            outbox.start()
            _until(lambda: outbox.status().held is not None)
            tried = [entry for entry in outbox.entries() if entry.attempts]
            assert CIRCUIT_THRESHOLD <= len(tried) < 12
            assert outbox.status().waiting == 40

    def test_everything_goes_on_when_the_store_is_back(
        self,
        server: RunStoreServer,
        outbox: Outbox,
        make_run: MakeRun,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The first answer makes all due that only waited for the store."""
        outbox.start()
        with server.refusing():
            for _ in range(10):
                outbox.submit(make_run())
            _until(lambda: outbox.status().held is not None)
            monkeypatch.setattr("rigbridge.outbox.policy.BASE_DELAY", 0.001)
        _until(lambda: outbox.status().waiting == 0)
        assert len(server.runs) == 10
        assert outbox.status().held is None

    def test_an_answer_that_refuses_one_run_is_an_answer(
        self, server: RunStoreServer, outbox: Outbox, make_run: MakeRun
    ) -> None:
        """A store that refuses runs is alive, and gets the others."""
        server.inject(Fault.UNPROCESSABLE, on=Operation.CREATE, times=5)
        for _ in range(8):
            outbox.submit(make_run())
        assert outbox.flush(60) == 0
        assert (outbox.status().parked, len(server.runs)) == (5, 3)

    def test_a_pause_that_the_store_asks_for_is_for_all_runs(
        self, server: RunStoreServer, outbox: Outbox, make_run: MakeRun
    ) -> None:
        """After one 429 nothing else is sent, until a person overrides it."""
        server.inject(Fault.TOO_MANY_SECONDS, on=Operation.CREATE, seconds=3600)
        for _ in range(5):
            outbox.submit(make_run())
        assert outbox.flush(60) == 5
        assert not outbox._sending.deliver_due()
        assert server.count(Operation.CREATE) == 1
        assert outbox.flush(60) == 0

    def test_errors_that_tell_of_the_store(self) -> None:
        """No word of the store is one; its refusal, and a storage's, is none."""
        assert counts_against_store(NoAnswerError("gone"))
        assert counts_against_store(UnexpectedAnswerError("a page"))
        assert not counts_against_store(UnprocessableError("wrong"))
        assert not counts_against_store(RunWaitsError("for another"))
        of_storage = NoAnswerError("gone")
        of_storage.of_file = True
        assert not counts_against_store(of_storage)

    def test_a_rate_limit_is_for_everybody(self) -> None:
        """Any other wish for a pause may be about one run."""
        assert asks_everyone(ServerUnavailableError("later", status=429))
        assert not asks_everyone(ServerUnavailableError("later", status=503))
        assert not asks_everyone(UnprocessableError("wrong", status=422))


class TestParts:
    """Runs that name the parts of their unit."""

    def test_a_run_waits_for_its_parts(
        self, server: RunStoreServer, outbox: Outbox, make_run: MakeRun
    ) -> None:
        """Also where the parts are handed over later, and spelled in another case."""
        outbox.submit(make_run(**_unit("TOP", "pcb-1", "PCB-2")))
        outbox.submit(make_run(**_unit("PCB-1")))
        outbox.submit(make_run(**_unit("PCB-2")))
        assert outbox.flush(60) == 0
        assert [run.serial_number for run in server.runs] == ["PCB-1", "PCB-2", "TOP"]

    def test_a_part_that_waits_holds_the_whole_back(
        self, server: RunStoreServer, outbox: Outbox, make_run: MakeRun
    ) -> None:
        """While the part has to wait, the others go and the whole does not."""
        server.inject(Fault.INTERNAL_ERROR, on=Operation.CREATE)
        part = make_run(**_unit("PCB"))
        outbox.submit(part)
        outbox.submit(make_run(**_unit("TOP", "PCB")))
        outbox.submit(make_run(**_unit("OTHER")))
        assert outbox.flush(60) == 0
        numbers = [run.serial_number for run in server.runs]
        assert numbers.index("PCB") < numbers.index("TOP")
        assert set(numbers) == {"PCB", "TOP", "OTHER"}

    def test_runs_never_wait_for_each_other_in_a_circle(
        self, server: RunStoreServer, outbox: Outbox, make_run: MakeRun
    ) -> None:
        """Each names the other: the one that was handed over first goes first."""
        outbox.submit(make_run(**_unit("A", "B")))
        outbox.submit(make_run(**_unit("B", "A")))
        outbox.submit(make_run(**_unit("C", "C")))
        assert outbox.flush(60) == 0
        numbers = [run.serial_number for run in server.runs]
        assert numbers.index("A") < numbers.index("B")
        assert sorted(numbers) == ["A", "B", "C"]

    def test_a_parked_part_does_not_hold_the_whole_back(
        self, server: RunStoreServer, outbox: Outbox, make_run: MakeRun
    ) -> None:
        """Nobody sends a parked run, so the store decides about the whole."""
        server.inject(Fault.UNPROCESSABLE, on=Operation.CREATE)
        outbox.submit(make_run(**_unit("PCB")))
        outbox.flush(60)
        outbox.submit(make_run(**_unit("TOP", "PCB")))
        assert outbox.flush(60) == 0
        assert [run.serial_number for run in server.runs] == ["TOP"]

    def test_an_unknown_part_is_asked_for_a_few_times(
        self,
        server: RunStoreServer,
        outbox: Outbox,
        make_run: MakeRun,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Another station may still send it; after that a person is asked."""
        monkeypatch.setattr("rigbridge.outbox.policy.BASE_DELAY", 0.001)
        server.inject(Fault.NOT_FOUND, on=Operation.CREATE, times=100)
        outbox.submit(make_run(**_unit("TOP", "PCB")))
        outbox.flush(60)
        (entry,) = outbox.entries()
        assert entry.state is EntryState.PARKED
        assert server.count(Operation.CREATE) == MAX_MISSING + 1
        server.heal()
        outbox.retry(entry.id)
        assert outbox.flush(60) == 0
        assert len(server.runs) == 1

    def test_without_parts_a_404_parks_at_once(
        self, server: RunStoreServer, outbox: Outbox, make_run: MakeRun
    ) -> None:
        """There is nothing to wait for."""
        server.inject(Fault.NOT_FOUND, on=Operation.CREATE)
        outbox.submit(make_run())
        outbox.flush(60)
        assert server.count(Operation.CREATE) == 1
        assert outbox.status().parked == 1


@pytest.fixture(name="database")
def _database(folder: Path) -> Iterator[OutboxDatabase]:
    database = OutboxDatabase(folder / "outbox.sqlite")
    yield database
    database.close()


class TestCounting:
    """Which failures open the circuit."""

    @pytest.mark.parametrize("same", [True, False])
    def test_one_run_alone_never_does(
        self, database: OutboxDatabase, *, same: bool
    ) -> None:
        """A server may fail on one body for ever; several say that it is down."""
        runs = [uuid4() for _ in range(CIRCUIT_THRESHOLD)]
        with database.writing() as connection:
            opened = [
                count_failure(
                    connection,
                    None,
                    1000.0,
                    reason="500",
                    not_before=0.0,
                    run_id=runs[0] if same else run,
                    for_all=False,
                )
                for run in runs
            ]
        assert opened == [False] * (CIRCUIT_THRESHOLD - 1) + [not same]

    @pytest.mark.parametrize("for_store", [True, False])
    def test_an_answer_makes_due_what_only_waited_for_the_store(
        self, database: OutboxDatabase, *, for_store: bool
    ) -> None:
        """What waits for a reason of its own goes on waiting."""
        entry = NewEntry(
            id=uuid4(),
            digest="",
            document=b"{}",
            report=b"{}",
            serial_number=None,
            procedure=None,
            contents=frozenset(),
        )
        EntryQueue(database, lambda: 1000.0).add(entry, lambda: True)
        with database.writing() as connection:
            connection.execute(
                "UPDATE entry SET due = 1300, waits_for_store = ?", (for_store,)
            )
            open_circuit(connection, None, 1000.0, "it is down", 60.0)
            close_circuit(connection, None, 1001.0)
            (due,) = connection.execute("SELECT due FROM entry").fetchone()
        assert due == (1001.0 if for_store else 1300.0)
