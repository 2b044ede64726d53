"""Entries, their leases and the database below them."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from rigbridge.destinations import FileProgress, Progress
from rigbridge.errors import ConfigurationError, OutboxBusyError
from rigbridge.outbox.entries import EntryState
from rigbridge.outbox.policy import CIRCUIT_THRESHOLD, MAX_PROBE, MAX_WAIT
from rigbridge.outbox.queue import schema
from rigbridge.outbox.queue.clock import LEASE
from rigbridge.outbox.queue.database import OutboxDatabase
from rigbridge.outbox.queue.entry_queue import EntryQueue, KnownRun, NewEntry
from rigbridge.outbox.queue.leases import (
    LeasedRun,
    LeaseLostError,
    Leases,
)
from rigbridge.outbox.queue.queue_view import QueueView
from rigbridge.outbox.queue.retention import Housekeeping, Retention
from rigbridge.wire import encode

_SHA = "a" * 64


class _Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class _Desk:
    """A queue and its leases on one clock."""

    def __init__(self, database: OutboxDatabase) -> None:
        self.clock = _Clock()
        self.queue = EntryQueue(database, self.clock)
        self.view = QueueView(database, self.clock)
        self.housekeeping = Housekeeping(database, self.clock)
        self.leases = Leases(database, self.clock)

    def add(self, *contents: str, run_id: UUID | None = None) -> UUID:
        run_id = run_id or uuid4()
        entry = NewEntry(
            id=run_id,
            digest="d",
            document=b"{}",
            report=b"{}",
            serial_number="SN",
            procedure="P",
            contents=frozenset(contents),
        )
        assert self.queue.add(entry, lambda: True)
        return run_id

    def claim(self) -> LeasedRun:
        claim = self.leases.take()
        assert claim is not None
        return claim

    def states(self) -> list[EntryState]:
        return [entry.state for entry in self.view.entries(list(EntryState))]


@pytest.fixture(name="database")
def _database(tmp_path: Path) -> Iterator[OutboxDatabase]:
    database = OutboxDatabase(tmp_path / "outbox.sqlite")
    yield database
    database.close()


@pytest.fixture(name="desk")
def _desk(database: OutboxDatabase) -> _Desk:
    return _Desk(database)


class TestDatabase:
    """The file."""

    def test_each_commit_is_on_the_disk(self, database: OutboxDatabase) -> None:
        """The database syncs fully, and readers do not wait for writers."""
        with database.reading() as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
            assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2

    def test_an_error_undoes_everything(
        self, desk: _Desk, database: OutboxDatabase
    ) -> None:
        """A transaction that fails leaves nothing behind."""
        run_id = desk.add()

        def fail() -> None:
            with database.writing() as connection:
                connection.execute("DELETE FROM entry")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert desk.queue.find(run_id) == KnownRun("d")

    def test_a_newer_outbox_is_refused(self, tmp_path: Path) -> None:
        """What a later version made is not touched."""
        path = tmp_path / "later.sqlite"
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA user_version = 99")
        connection.close()
        with pytest.raises(ConfigurationError, match="newer version"):
            OutboxDatabase(path)

    def test_a_version_to_come_takes_an_outbox_over(
        self, desk: _Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its step is taken once, and what waited still waits."""
        run_id = desk.add()
        path = tmp_path / "outbox.sqlite"
        step = "ALTER TABLE entry ADD COLUMN extra INTEGER NOT NULL DEFAULT 7"
        monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, step))
        for _ in range(2):
            later = OutboxDatabase(path)
            with later.reading() as connection:
                row = connection.execute("SELECT run_id, extra FROM entry").fetchone()
                assert tuple(row) == (str(run_id), 7)
                assert schema.version_of(connection) == 2
            later.close()

    def test_a_step_that_fails_changes_nothing(
        self, desk: _Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """All statements of a step count, or none does."""
        del desk
        steps = (*schema.STEPS, "CREATE TABLE extra (a); CREATE TABLE entry (a)")
        path = tmp_path / "outbox.sqlite"
        with monkeypatch.context() as patch:
            patch.setattr(schema, "STEPS", steps)
            with pytest.raises(ConfigurationError, match="already exists"):
                OutboxDatabase(path)
        with closing(OutboxDatabase(path)) as database, database.reading() as now:
            assert schema.version_of(now) == 1
            assert not now.execute(
                "SELECT 1 FROM sqlite_master WHERE name = 'extra'"
            ).fetchone()

    def test_another_file_is_refused(self, tmp_path: Path) -> None:
        """A folder in the place of the database is named."""
        path = tmp_path / "outbox.sqlite"
        path.mkdir()
        with pytest.raises(ConfigurationError, match="cannot be used as an outbox"):
            OutboxDatabase(path)

    def test_a_folder_that_cannot_be_made_is_refused(self, tmp_path: Path) -> None:
        """A path below a file is named."""
        (tmp_path / "file").write_text("")
        with pytest.raises(ConfigurationError, match="outbox"):
            OutboxDatabase(tmp_path / "file" / "outbox.sqlite")

    def test_a_closed_one_is_not_opened_again(self, database: OutboxDatabase) -> None:
        """Using it after closing is a mistake, closing twice is none."""
        database.close()
        database.close()
        with pytest.raises(RuntimeError, match="closed"), database.reading():
            pass

    def test_it_may_be_opened_by_many_at_once(self, tmp_path: Path) -> None:
        """Threads that open a new outbox together all succeed."""
        path = tmp_path / "shared" / "outbox.sqlite"
        opened: list[OutboxDatabase] = []
        threads = [
            threading.Thread(target=lambda: opened.append(OutboxDatabase(path)))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(opened) == 8
        for database in opened:
            database.close()


class TestAdding:
    """Handing over."""

    def test_the_same_run_is_added_once(self, desk: _Desk) -> None:
        """A second entry for a run changes nothing."""
        run_id = desk.add()
        entry = NewEntry(
            id=run_id,
            digest="other",
            document=b"[]",
            report=b"{}",
            serial_number=None,
            procedure=None,
            contents=frozenset(),
        )
        assert desk.queue.add(entry, lambda: True)
        assert desk.queue.find(run_id) == KnownRun("d")
        assert desk.states() == [EntryState.PENDING]

    def test_nothing_is_added_without_its_attachments(self, desk: _Desk) -> None:
        """An entry whose contents were removed meanwhile is refused."""
        run_id = uuid4()
        entry = NewEntry(
            id=run_id,
            digest="d",
            document=b"{}",
            report=b"{}",
            serial_number=None,
            procedure=None,
            contents=frozenset({_SHA}),
        )
        assert not desk.queue.add(entry, lambda: False)
        assert desk.queue.find(run_id) is None


class TestClaiming:
    """Whose turn it is."""

    def test_the_first_comes_first(self, desk: _Desk) -> None:
        """Entries are sent in the order in which they were handed over."""
        ids = [desk.add() for _ in range(3)]
        assert [desk.claim().id for _ in ids] == ids
        assert desk.leases.take() is None

    def test_a_lease_that_ran_out_is_taken_over(self, desk: _Desk) -> None:
        """The entry of a process that died is sent by another."""
        desk.add()
        first = desk.claim()
        desk.clock.now += LEASE - 1
        assert desk.leases.take() is None
        desk.clock.now += 1
        second = desk.claim()
        assert (second.id, second.attempt) == (first.id, 2)
        with pytest.raises(LeaseLostError):
            desk.leases.keep(first, Progress(stored_id="r1"))
        desk.leases.finish(second, Progress(stored_id="r1"), b"{}")

    @pytest.mark.parametrize("change", ["keep", "renew"])
    def test_a_lease_lasts_while_it_is_renewed(self, desk: _Desk, change: str) -> None:
        """Each step and each heartbeat prolongs it."""
        desk.add()
        claim = desk.claim()
        for _ in range(5):
            desk.clock.now += LEASE - 1
            if change == "keep":
                desk.leases.keep(claim, Progress())
            else:
                desk.leases.renew(claim)
        assert desk.leases.take() is None

    def test_a_lost_lease_changes_nothing(self, desk: _Desk) -> None:
        """Whoever lost a lease can end it in no way."""
        desk.add()
        lost = desk.claim()
        desk.clock.now += LEASE
        desk.claim()
        ways = (
            lambda: desk.leases.renew(lost),
            lambda: desk.leases.finish(lost, Progress(), b"{}"),
            lambda: desk.leases.park(lost, "x"),
            lambda: desk.leases.hold(lost, pause=9, reason="x"),
            lambda: desk.leases.postpone(lost, wait=9, asked=None, reason="x"),
            lambda: desk.leases.release(lost),
        )
        for way in ways:
            with pytest.raises(LeaseLostError):
                way()
        assert desk.states() == [EntryState.SENDING]
        assert desk.view.circuit() is None

    def test_progress_is_kept_between_attempts(self, desk: _Desk) -> None:
        """The next attempt knows all that the last one kept."""
        desk.add()
        progress = Progress(
            store="https://store/api",
            sent=True,
            stored_id="r1",
            warnings=("w",),
            files=(FileProgress(position=0, upload_id="u1", linked=True),),
        )
        claim = desk.claim()
        desk.leases.keep(claim, progress)
        desk.leases.postpone(claim, wait=0, asked=None, reason="x")
        assert desk.claim().progress == progress

    def test_waits_are_kept(self, desk: _Desk) -> None:
        """An entry that was put off is not due before its time."""
        desk.add()
        desk.leases.postpone(desk.claim(), wait=10, asked=None, reason="no answer")
        assert desk.leases.take() is None
        assert desk.view.seconds_until_due() == pytest.approx(10)
        desk.clock.now += 10
        assert desk.claim().attempt == 2

    def test_waits_can_be_cut_short(self, desk: _Desk) -> None:
        """Hastening makes everything due, also where a server asked to wait."""
        ours, theirs = desk.add(), desk.add()
        desk.leases.postpone(desk.claim(), wait=100, asked=None, reason="x")
        desk.leases.postpone(desk.claim(), wait=100, asked=50.0, reason="x", down=True)
        assert desk.leases.take() is None
        desk.queue.hasten(None)
        assert [desk.claim().id, desk.claim().id] == [ours, theirs]

    def test_a_retry_ends_the_wait_that_the_store_asked_for(self, desk: _Desk) -> None:
        """A person's word for one run counts more than the store's wish."""
        run_id = desk.add()
        desk.leases.postpone(desk.claim(), wait=100, asked=50.0, reason="x", down=True)
        desk.queue.retry(run_id)
        assert desk.view.circuit() is None
        assert desk.claim().id == run_id

    def test_a_held_destination_gets_nothing(self, desk: _Desk) -> None:
        """While it is held no entry is claimed, and none is parked or counted."""
        desk.add()
        desk.add()
        desk.leases.hold(desk.claim(), pause=60, reason="401")
        assert desk.leases.take() is None
        assert desk.view.circuit() == ("401", 60.0)
        assert desk.view.status().held == "401"
        assert desk.view.seconds_until_due() == pytest.approx(60)
        assert desk.states() == [EntryState.PENDING, EntryState.PENDING]
        desk.clock.now += 60
        assert desk.claim().attempt == 1
        assert desk.view.circuit() is None

    def test_an_answer_ends_the_hold(self, desk: _Desk) -> None:
        """Once anything goes through, everything does."""
        desk.add()
        desk.add()
        desk.leases.hold(desk.claim(), pause=60, reason="401")
        desk.queue.hasten(None)
        desk.leases.finish(desk.claim(), Progress(), b"{}")
        assert desk.view.circuit() is None
        desk.claim()

    def test_a_clock_that_ran_ahead_strands_nothing(self, desk: _Desk) -> None:
        """Times of a wrong clock, two hours ahead, keep no entry for two hours."""
        desk.clock.now += 7200
        put_off, held = desk.add(), desk.add()
        desk.leases.postpone(desk.claim(), wait=100, asked=99.0, reason="x")
        desk.leases.hold(desk.claim(), pause=60, reason="401")
        desk.clock.now -= 7200
        assert desk.view.seconds_until_due() == 0
        first = desk.claim()
        desk.leases.finish(first, Progress(), b"{}")
        assert {first.id, desk.claim().id} == {put_off, held}

    def test_a_dead_store_is_asked_at_least_once_a_minute(self, desk: _Desk) -> None:
        """However long it has been dead, what waits goes on within a minute of it."""
        for _ in range(CIRCUIT_THRESHOLD):
            desk.add()
        pauses: list[float] = []
        for _ in range(30):
            TestCounting.fail(desk)
            held = desk.view.circuit()
            if held is not None:
                pauses.append(held[1])
                desk.clock.now += held[1]
        assert len(pauses) > 20
        assert 10 < max(pauses) <= MAX_PROBE

    def test_the_next_is_found_at_once_however_many_wait(self, desk: _Desk) -> None:
        """Claiming takes the database no more steps among 2,000 than among 20."""
        assert _steps(desk, waiting=2000) <= 2 * _steps(desk, waiting=20)

    def test_looking_when_to_begin_reads_no_documents(self, desk: _Desk) -> None:
        """The index holds all that is asked of everything that waits."""
        desk.add()
        with desk.queue._database.reading() as connection:
            asked: list[str] = []
            connection.set_trace_callback(asked.append)
            desk.view.seconds_until_due()
            desk.view.status()
            desk.view.waiting()
            connection.set_trace_callback(None)
            plans = [
                row["detail"]
                for question in asked
                if "FROM entry" in question
                for row in connection.execute(f"EXPLAIN QUERY PLAN {question}")
                if " entry" in row["detail"]
            ]
        assert len(plans) >= 3
        assert all("COVERING INDEX" in plan for plan in plans), plans


def _steps(desk: _Desk, *, waiting: int) -> int:
    """Count the steps of a claim, in hundreds, while some more wait."""
    for _ in range(waiting):
        desk.add()
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    with desk.queue._database.reading() as connection:
        connection.set_progress_handler(step, 100)
        desk.claim()
        connection.set_progress_handler(None, 0)
    return max(count, 1)


class TestEnding:
    """What becomes of entries."""

    def test_a_delivered_entry_lets_go(self, desk: _Desk) -> None:
        """The document and the attachments are needed no longer."""
        run_id = desk.add(_SHA)
        other = desk.add(_SHA)
        contents = desk.leases.finish(desk.claim(), Progress(stored_id="r1"), b"{}")
        assert contents == [_SHA]
        removed: list[str] = []
        desk.housekeeping.discard(contents, removed.append)
        assert removed == []
        assert desk.claim().id == other
        with pytest.raises(ConfigurationError, match="no longer here"):
            desk.queue.documents(run_id)

    def test_unshared_contents_are_removed(self, desk: _Desk) -> None:
        """Bytes that no entry refers to are removed."""
        desk.add(_SHA)
        contents = desk.leases.finish(desk.claim(), Progress(), b"{}")
        removed: list[str] = []
        desk.housekeeping.discard(contents, removed.append)
        assert removed == [_SHA]

    def test_the_sweep_is_told_what_is_wanted(self, desk: _Desk) -> None:
        """Digests that entries refer to are spared."""
        desk.add(_SHA, "b" * 64)
        wanted: list[frozenset[str]] = []
        desk.housekeeping.sweep(wanted.append)
        assert wanted == [frozenset({_SHA, "b" * 64})]

    def test_a_parked_entry_waits_for_a_person(self, desk: _Desk) -> None:
        """It is never claimed, and says why."""
        desk.add()
        desk.leases.park(desk.claim(), "400 Bad Request")
        desk.clock.now += 1e9
        assert desk.leases.take() is None
        (entry,) = desk.view.entries([EntryState.PARKED])
        assert entry.reason == "400 Bad Request"
        assert entry.due is None

    def test_a_retry_begins_afresh(self, desk: _Desk) -> None:
        """What was refused is tried again; what is known to be stored stays known."""
        run_id = desk.add()
        claim = desk.claim()
        linked = FileProgress(position=0, upload_id="u", linked=True)
        refused = FileProgress(position=1, refusal="413")
        progress = Progress(
            sent=True, unresolved=True, stored_id="r1", files=(linked, refused)
        )
        desk.leases.keep(claim, progress)
        desk.leases.park(claim, "413")
        desk.queue.retry(run_id)
        again = desk.claim()
        assert again.attempt == 1
        assert again.progress == Progress(
            stored_id="r1", files=(linked, FileProgress(position=1))
        )

    def test_a_retry_keeps_the_doubt_that_can_be_resolved(self, desk: _Desk) -> None:
        """A create that may have arrived is looked up, also after a retry."""
        run_id = desk.add()
        claim = desk.claim()
        desk.leases.keep(claim, Progress(sent=True))
        desk.leases.park(claim, "x")
        desk.queue.retry(run_id)
        assert desk.claim().progress.sent

    def test_a_retry_cuts_a_wait_short(self, desk: _Desk) -> None:
        """A person who asks for it overrules every wait."""
        run_id = desk.add()
        desk.leases.postpone(desk.claim(), wait=100, asked=100.0, reason="x")
        desk.queue.retry(run_id)
        assert desk.claim().id == run_id

    def test_a_dropped_entry_is_gone(self, desk: _Desk) -> None:
        """It can be handed over anew."""
        run_id = desk.add(_SHA)
        assert desk.queue.drop(run_id) == [_SHA]
        assert desk.queue.find(run_id) is None
        assert desk.view.status().waiting == 0

    def test_what_is_being_sent_is_neither_dropped_nor_disturbed(
        self, desk: _Desk
    ) -> None:
        """Only once its lease has run out may it be dropped."""
        run_id = desk.add()
        claim = desk.claim()
        desk.queue.retry(run_id)
        with pytest.raises(ConfigurationError, match="being sent"):
            desk.queue.drop(run_id)
        desk.leases.renew(claim)
        desk.clock.now += LEASE
        desk.queue.drop(run_id)

    def test_delivered_and_unknown_runs_are_told_apart(self, desk: _Desk) -> None:
        """Neither can be retried or dropped, each for its reason."""
        run_id = desk.add()
        desk.leases.finish(desk.claim(), Progress(), b"{}")
        for ask in (desk.queue.retry, desk.queue.drop):
            with pytest.raises(ConfigurationError, match="delivered already"):
                ask(run_id)
            with pytest.raises(ConfigurationError, match="holds no run"):
                ask(uuid4())

    def test_the_status_counts(self, desk: _Desk) -> None:
        """Waiting, parked and delivered entries are counted, the oldest is dated."""
        for _ in range(5):
            desk.add()
            desk.clock.now += 1
        desk.leases.finish(desk.claim(), Progress(), b"{}")
        desk.leases.park(desk.claim(), "x")
        desk.claim()
        status = desk.view.status()
        assert (status.waiting, status.parked, status.delivered) == (3, 1, 1)
        assert status.oldest is not None
        assert status.oldest.timestamp() == desk.clock.now - 3
        assert desk.view.waiting() == 3
        assert desk.view.is_sending()

    def test_an_empty_outbox(self, desk: _Desk) -> None:
        """Nothing waits, and nothing is due."""
        status = desk.view.status()
        assert (status.waiting, status.oldest, status.held) == (0, None, None)
        assert desk.view.seconds_until_due() is None
        assert not desk.view.is_sending()


@pytest.fixture(name="pauses")
def _pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each pause of the circuit last ten seconds more than the one before."""

    def delay(tries: int, *, most: float) -> float:
        assert most == MAX_PROBE
        return 10.0 * tries

    monkeypatch.setattr("rigbridge.outbox.queue.circuit.delay", delay)


@pytest.mark.usefixtures("pauses")
class TestCounting:
    """Deliveries in a row that get no answer."""

    @staticmethod
    def fail(desk: _Desk, *, wait: float = 0.0) -> UUID:
        """Let the next delivery get no answer."""
        leased = desk.claim()
        # Due after the others, so that the next failure is that of another run.
        desk.clock.now += 0.001
        desk.leases.postpone(leased, wait=wait, asked=None, reason="dead", down=True)
        return leased.id

    def test_the_third_in_a_row_opens_the_circuit(self, desk: _Desk) -> None:
        """Two change nothing; from the third on the pauses grow."""
        for _ in range(CIRCUIT_THRESHOLD):
            desk.add()
        for _ in range(CIRCUIT_THRESHOLD - 1):
            self.fail(desk)
            assert desk.view.circuit() is None
        for pause in (10.0, 20.0, 30.0):
            self.fail(desk)
            assert desk.view.circuit() == ("dead", pause)
            desk.clock.now += pause - 0.001
            assert desk.leases.take() is None
            desk.clock.now += 0.001

    def test_a_run_that_fails_again_counts_once(self, desk: _Desk) -> None:
        """What one run meets again and again may be about that run."""
        desk.add()
        for _ in range(3 * CIRCUIT_THRESHOLD):
            self.fail(desk)
        assert desk.view.circuit() is None

    def test_an_answer_in_between_begins_the_count_anew(self, desk: _Desk) -> None:
        """Whatever the answer is: the store is there."""
        for _ in range(2 * CIRCUIT_THRESHOLD):
            desk.add()
        for _ in range(CIRCUIT_THRESHOLD - 1):
            self.fail(desk)
        desk.leases.postpone(desk.claim(), wait=0, asked=None, reason="409")
        for _ in range(CIRCUIT_THRESHOLD - 1):
            self.fail(desk)
        assert desk.view.circuit() is None

    def test_a_store_that_asks_for_a_pause_gets_it_at_once(self, desk: _Desk) -> None:
        """One such answer is enough, and others do not go on meanwhile."""
        desk.add()
        desk.add()
        desk.leases.postpone(
            desk.claim(),
            wait=30,
            asked=30.0,
            reason="429",
            down=True,
            for_all=True,
        )
        assert desk.view.circuit() == ("429", 30.0)
        desk.clock.now += 29
        assert desk.leases.take() is None
        desk.clock.now += 1
        desk.claim()

    def test_after_a_pause_one_tries_for_all(self, desk: _Desk) -> None:
        """The others see what comes of it first."""
        for _ in range(CIRCUIT_THRESHOLD):
            desk.add()
        for _ in range(CIRCUIT_THRESHOLD):
            self.fail(desk)
        desk.clock.now += 10
        first = desk.claim()
        assert desk.leases.take() is None
        desk.leases.finish(first, Progress(), b"{}")
        desk.claim()
        desk.claim()

    def test_once_the_store_answers_what_waited_for_it_is_due(
        self, desk: _Desk
    ) -> None:
        """What waits for another reason, or for its own pause, goes on waiting."""
        other = desk.add()
        leased = desk.claim()
        assert leased.id == other
        desk.leases.postpone(leased, wait=300, asked=None, reason="500")
        waiting = [desk.add() for _ in range(CIRCUIT_THRESHOLD)]
        for run_id in waiting:
            assert self.fail(desk, wait=300) == run_id
        last = desk.add()
        desk.clock.now += 10
        leased = desk.claim()
        assert leased.id == last
        desk.leases.finish(leased, Progress(), b"{}")
        assert {desk.claim().id for _ in waiting} == set(waiting)
        assert desk.leases.take() is None

    def test_a_closed_circuit_hastens_nothing(self, desk: _Desk) -> None:
        """Too few failures to open it were the run's own, and its wait stays."""
        waiting = [desk.add() for _ in range(CIRCUIT_THRESHOLD - 1)]
        last = desk.add()
        for run_id in waiting:
            assert self.fail(desk, wait=300) == run_id
        leased = desk.claim()
        assert leased.id == last
        desk.leases.finish(leased, Progress(), b"{}")
        assert desk.leases.take() is None


class TestCounters:
    """What an entry remembers of its attempts."""

    def test_a_server_has_nobody_wait_for_more_than_an_hour(self, desk: _Desk) -> None:
        """A longer wait counts as an hour, and not as the slip of a clock."""
        desk.add()
        asked = 1000 * MAX_WAIT
        desk.leases.postpone(desk.claim(), wait=0, asked=asked, reason="x")
        assert desk.leases.take() is None
        desk.clock.now += MAX_WAIT - 1
        assert desk.leases.take() is None
        desk.clock.now += 1
        desk.claim()

    def test_unknown_sub_units_are_counted(self, desk: _Desk) -> None:
        """Each refusal for that reason counts once, others do not; a retry forgets."""
        run_id = desk.add()
        for missing, expected in ((True, 0), (False, 1), (True, 1), (False, 2)):
            leased = desk.claim()
            assert leased.missing == expected
            desk.leases.postpone(
                leased, wait=0, asked=None, reason="404", missing=missing
            )
        desk.queue.retry(run_id)
        assert desk.claim().missing == 0

    @pytest.mark.parametrize("end", ["hold", "release"])
    def test_what_was_put_back_unsent_was_no_attempt(
        self, desk: _Desk, end: str
    ) -> None:
        """Neither a destination that refuses everyone nor a stop counts."""
        desk.add()
        for _ in range(2):
            leased = desk.claim()
            assert leased.attempt == 1
            if end == "hold":
                desk.leases.hold(leased, pause=0, reason="401")
            else:
                desk.leases.release(leased)

    def test_a_lease_lasts_exactly_as_long_as_it_says(self, desk: _Desk) -> None:
        """Not a moment less, which is asked for where a process is slow."""
        desk.add()
        desk.claim()
        desk.clock.now += LEASE - 0.001
        assert desk.view.is_sending()
        assert desk.leases.take() is None
        desk.clock.now += 0.001
        assert not desk.view.is_sending()
        desk.claim()

    def test_a_run_that_is_being_sent_is_not_dropped(self, desk: _Desk) -> None:
        """Until its lease has run out."""
        run_id = desk.add()
        desk.claim()
        desk.clock.now += LEASE - 0.001
        with pytest.raises(ConfigurationError, match="being sent"):
            desk.queue.drop(run_id)
        desk.clock.now += 0.001
        desk.queue.drop(run_id)
        assert desk.states() == []


class TestPastRuns:
    """What is known of runs without an entry."""

    @pytest.mark.parametrize(
        ("progress", "kept"),
        [
            (Progress(), False),
            (Progress(sent=True), True),
            (Progress(stored_id="r1"), True),
        ],
    )
    def test_a_dropped_run_goes_on_where_it_was(
        self, desk: _Desk, progress: Progress, *, kept: bool
    ) -> None:
        """Where the store may know it; that it was dropped does not mean delivered."""
        run_id = desk.add()
        leased = desk.claim()
        desk.leases.keep(leased, progress)
        desk.leases.park(leased, "x")
        desk.queue.drop(run_id)
        assert desk.queue.find(run_id) is None
        desk.add(run_id=run_id)
        assert desk.claim().progress == (progress if kept else Progress())

    def test_what_is_as_old_as_it_may_be_is_remembered(self, desk: _Desk) -> None:
        """A moment later only its id is."""
        run_id = desk.add()
        desk.leases.finish(desk.claim(), Progress(), b"{}")
        retention = Retention(keep_days=1)
        desk.clock.now += 86_400
        assert desk.housekeeping.prune(retention) == 0
        desk.clock.now += 0.001
        assert desk.housekeeping.prune(retention) == 1
        assert desk.queue.find(run_id) == KnownRun(None)
        assert desk.view.status().delivered == 1

    def test_memory_is_used_up_to_its_bound(self, desk: _Desk) -> None:
        """The newest are remembered, as many as fit exactly."""
        ids = [desk.add() for _ in range(4)]
        for _ in ids:
            desk.leases.finish(desk.claim(), Progress(), b"x" * 700)
        size = 300 + len(encode(Progress())) + 700
        retention = Retention(keep_megabytes=2 * size / (1 << 20))
        assert desk.housekeeping.prune(retention) == 2
        left = [entry.id for entry in desk.view.entries(list(EntryState))]
        assert left == ids[2:]


class TestPatience:
    """Another thread holds the database."""

    def test_who_cannot_wait_is_told_so(self, database: OutboxDatabase) -> None:
        """A question and a transaction are given up, and say why."""
        queue, housekeeping = EntryQueue(database), Housekeeping(database)
        told: list[str] = []

        def ask() -> None:
            try:
                queue.find(uuid4(), patience=0.01)
            except OutboxBusyError as error:
                told.append(error.message)
            try:
                housekeeping.sweep(lambda _: None, patience=0.01)
            except OutboxBusyError as error:
                told.append(error.message)

        with database.writing():
            asking = threading.Thread(target=ask)
            asking.start()
            asking.join()
        assert told == ["others hold the outbox for too long"] * 2
