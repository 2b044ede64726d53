"""Exact limits of leases, pauses and memory, each a moment before and at the limit."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from rigbridge.destinations import FileProgress, Progress
from rigbridge.outbox import policy
from rigbridge.outbox.queue.clock import LEASE
from rigbridge.outbox.queue.database import OutboxDatabase
from rigbridge.outbox.queue.entry_queue import EntryQueue, NewEntry
from rigbridge.outbox.queue.leases import LeasedRun, Leases
from rigbridge.outbox.queue.queue_view import QueueView
from rigbridge.outbox.queue.retention import Housekeeping, Retention
from rigbridge.wire import encode

_NOW = 1_700_000_000.0
_DAY = 86_400.0


class _Outbox:
    """The parts of an outbox on one clock."""

    def __init__(self, database: OutboxDatabase) -> None:
        self.now = _NOW
        self.database = database
        self.queue = EntryQueue(database, lambda: self.now)
        self.view = QueueView(database, lambda: self.now)
        self.leases = Leases(database, lambda: self.now)
        self.housekeeping = Housekeeping(database, lambda: self.now)

    def add(self, *, parts: tuple[str, ...] = (), serial: str = "SN") -> UUID:
        run_id = uuid4()
        entry = NewEntry(
            id=run_id,
            digest="d",
            document=b"{}",
            report=b"{}",
            serial_number=serial,
            procedure="P",
            contents=frozenset({"a" * 64}),
            parts=frozenset(parts),
        )
        assert self.queue.add(entry, lambda: True)
        return run_id

    def take(self) -> LeasedRun:
        leased = self.leases.take()
        assert leased is not None
        return leased

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        with self.database.reading() as connection:
            return [tuple(row) for row in connection.execute(statement)]

    def deliver(self) -> None:
        self.leases.finish(self.take(), Progress(stored_id="r"), b"{}")


@pytest.fixture(name="box")
def _box(tmp_path: Path) -> Iterator[_Outbox]:
    database = OutboxDatabase(tmp_path / "outbox.sqlite")
    yield _Outbox(database)
    database.close()


class TestLetGo:
    """Nothing of an entry is left that nobody needs any more."""

    def test_a_delivered_entry_leaves_no_rows(self, box: _Outbox) -> None:
        """Its parts, its attachments, its document and its reason go with delivery."""
        box.add(parts=("P-1", "P-2"))
        box.leases.postpone(box.take(), wait=0, asked=None, reason="later")
        box.deliver()
        assert box.rows("SELECT * FROM part") == []
        assert box.rows("SELECT * FROM content") == []
        assert box.rows("SELECT document, reason FROM entry") == [(None, None)]

    def test_a_dropped_entry_leaves_no_rows(self, box: _Outbox) -> None:
        """Neither its parts nor its attachments stay."""
        run_id = box.add(parts=("P-1",))
        assert box.queue.drop(run_id) == ["a" * 64]
        for statement in ("SELECT * FROM entry", "SELECT * FROM part"):
            assert box.rows(statement) == []
        assert box.rows("SELECT * FROM content") == []

    def test_parts_are_compared_without_regard_to_case(self, box: _Outbox) -> None:
        """Stores ignore the case of serial numbers, so a run waits for both."""
        box.add(parts=("pcb-1",), serial="WHOLE")
        part = box.add(serial="PCB-1")
        assert box.take().id == part
        assert box.leases.take() is None


class TestLease:
    """A lease lasts to the second, and one from the far future counts as over."""

    def test_it_ends_at_its_moment(self, box: _Outbox) -> None:
        """A moment before the end it holds, at the end it is over."""
        run_id = box.add()
        box.take()
        assert box.view.is_sending()
        box.now = _NOW + LEASE - 0.001
        assert box.leases.take() is None
        box.now = _NOW + LEASE
        assert not box.view.is_sending()
        second = box.take()
        assert (second.id, second.attempt) == (run_id, 2)

    @pytest.mark.parametrize("boot", ["this", "another"])
    def test_a_lease_by_another_clock_is_watched_before_it_is_taken_over(
        self, box: _Outbox, monkeypatch: pytest.MonkeyPatch, boot: str
    ) -> None:
        """While its holder renews it, it is alive, whatever the clocks say."""
        run_id = box.add()
        holder = Leases(box.database, lambda: box.now + 7200, boot=boot)
        held = holder.take()
        assert held is not None
        elapsed = 0.0
        monkeypatch.setattr("time.monotonic", lambda: elapsed)
        other = Leases(box.database, lambda: box.now, boot="this")
        for _ in range(5):
            elapsed += 20
            box.now += 20
            holder.renew(held)
            assert other.take() is None
        elapsed += 44.9
        assert other.take() is None
        elapsed += 0.1
        taken = other.take()
        assert taken is not None
        assert (taken.id, taken.attempt) == (run_id, 2)

    def test_a_lease_of_an_earlier_boot_is_not_over_by_the_clock_alone(
        self, box: _Outbox
    ) -> None:
        """A clock that was set forward makes leases look over that are not."""
        box.add()
        assert Leases(box.database, lambda: box.now, boot="a").take() is not None
        box.now += 10 * LEASE
        assert Leases(box.database, lambda: box.now, boot="b").take() is None

    def test_giving_back_undoes_the_attempt(self, box: _Outbox) -> None:
        """A stopped process and a held destination cost no attempt; others do."""
        box.add()
        box.leases.release(box.take())
        leased = box.take()
        assert leased.attempt == 1
        box.leases.postpone(leased, wait=0, asked=None, reason="x")
        assert box.take().attempt == 2

    def test_what_is_dropped_at_the_end_of_its_lease_is_gone(
        self, box: _Outbox
    ) -> None:
        """The lease of a process that died does not keep an entry for ever."""
        run_id = box.add()
        box.take()
        box.now = _NOW + LEASE
        box.queue.drop(run_id)
        assert box.view.entry(run_id) is None


class TestWaits:
    """How long an entry, and the destination, have to wait."""

    def test_without_a_wish_of_the_server_nothing_holds_an_entry(
        self, box: _Outbox
    ) -> None:
        """The wait of our own ends at once when somebody hastens."""
        box.add()
        box.leases.postpone(box.take(), wait=100, asked=None, reason="x")
        assert box.rows("SELECT due, not_before FROM entry") == [(_NOW + 100, 0.0)]
        box.queue.hasten(None)
        assert box.view.seconds_until_due() == 0.0
        box.take()

    def test_a_wish_of_the_server_is_capped_at_an_hour(self, box: _Outbox) -> None:
        """Whatever a server asks for, an entry is tried again within an hour."""
        box.add()
        box.leases.postpone(box.take(), wait=0, asked=10 * _DAY, reason="x")
        assert box.rows("SELECT not_before FROM entry") == [(_NOW + 3600,)]

    def test_a_missing_part_is_counted(self, box: _Outbox) -> None:
        """Each time that the store lacks a part counts, other failures do not."""
        box.add()
        for missing in (True, False, True):
            box.leases.postpone(
                box.take(), wait=0, asked=None, reason="x", missing=missing
            )
        assert box.take().missing == 2

    @pytest.mark.parametrize(
        ("asked", "limit"), [(None, policy.MAX_DELAY), (1e9, policy.MAX_WAIT)]
    )
    def test_what_is_due_later_than_any_wait_counts_as_past(
        self, box: _Outbox, asked: float | None, limit: float
    ) -> None:
        """A clock that ran ahead by more than a moment keeps nothing waiting."""
        run_id = box.add()
        box.leases.postpone(box.take(), wait=limit, asked=asked, reason="x")
        assert box.leases.take() is None
        assert box.view.seconds_until_due() == pytest.approx(limit)
        box.now -= 1.001
        assert box.view.seconds_until_due() == 0.0
        entry = box.view.entry(run_id)
        assert entry is not None
        assert entry.due is not None
        assert entry.due.timestamp() == pytest.approx(box.now)
        assert box.take().id == run_id

    def test_the_circuit_is_shown_while_it_is_open_only(self, box: _Outbox) -> None:
        """It is shown a moment before the end of its pause, not at the end."""
        box.add()
        box.leases.hold(box.take(), pause=60, reason="401")
        box.now = _NOW + 59.999
        assert box.view.circuit() is not None
        assert box.leases.take() is None
        box.now = _NOW + 60
        assert box.view.circuit() is None
        box.take()

    def test_three_failures_in_a_row_open_the_circuit(self, box: _Outbox) -> None:
        """Not two; and whatever the store answers makes the count begin anew."""
        box.add()
        for _ in range(policy.CIRCUIT_THRESHOLD - 1):
            box.add()
        for _ in range(2):
            for _ in range(policy.CIRCUIT_THRESHOLD - 1):
                self._fail(box)
                assert box.view.circuit() is None
            box.leases.postpone(box.take(), wait=0, asked=None, reason="an answer")
        for _ in range(policy.CIRCUIT_THRESHOLD):
            self._fail(box)
        assert box.leases.take() is None

    @pytest.mark.parametrize(("failures", "most"), [(3, 1.0), (4, 2.0), (5, 4.0)])
    def test_the_pause_of_the_circuit_doubles(
        self, box: _Outbox, failures: int, most: float
    ) -> None:
        """A second after the third failure at most, by chance; then two, then four."""
        random.seed(7)
        for _ in range(policy.CIRCUIT_THRESHOLD):
            box.add()
        pauses = []
        for _ in range(20):
            for _ in range(failures):
                self._fail(box)
                circuit = box.view.circuit()
                box.now += 0.0 if circuit is None else circuit[1]
            assert circuit is not None
            pauses.append(circuit[1])
            box.leases.postpone(box.take(), wait=0, asked=None, reason="an answer")
        assert most / 2 < max(pauses) <= most

    def test_a_wish_of_the_server_opens_the_circuit_at_once(self, box: _Outbox) -> None:
        """One rate limit that says how long is enough, and counts as the third."""
        box.add()
        box.leases.postpone(
            box.take(), wait=0, asked=7, reason="429", down=True, for_all=True
        )
        assert box.view.circuit() == ("429", 7.0)
        assert box.rows("SELECT failures FROM circuit") == [(3,)]

    @staticmethod
    def _fail(box: _Outbox) -> None:
        leased = box.take()
        # Due after the others, so that the next failure is that of another run.
        box.now += 0.001
        box.leases.postpone(leased, wait=0, asked=None, reason="x", down=True)

    def test_a_pause_longer_than_any_counts_as_past(self, box: _Outbox) -> None:
        """A circuit that a clock opened which ran ahead stops nobody for hours."""
        box.add()
        box.leases.hold(box.take(), pause=policy.HOLD_PAUSE, reason="x")
        assert box.view.circuit() is not None
        assert box.leases.take() is None
        box.now -= 7200
        assert box.view.circuit() is None
        box.take()

    def test_a_wish_of_the_server_by_a_clock_that_ran_ahead_counts_as_past(
        self, box: _Outbox
    ) -> None:
        """An hour is the most that a server can ask for."""
        box.add()
        box.leases.postpone(
            box.take(), wait=0, asked=1e9, reason="429", down=True, for_all=True
        )
        assert box.view.circuit() == ("429", policy.MAX_WAIT)
        box.now -= 7200
        assert box.view.circuit() is None
        box.take()

    def test_one_tries_while_the_others_see_what_comes_of_it(
        self, box: _Outbox
    ) -> None:
        """After the pause one lease is given, the next only after an answer."""
        box.add()
        box.add()
        box.leases.hold(box.take(), pause=60, reason="401")
        box.now = _NOW + 60
        trying = box.take()
        assert box.leases.take() is None
        box.leases.park(trying, "refused")
        box.take()

    def test_an_answer_hastens_only_what_waited_for_the_store(
        self, box: _Outbox
    ) -> None:
        """A wait for another reason stays as it is."""
        waits, other = box.add(), box.add()
        box.leases.postpone(box.take(), wait=300, asked=None, reason="x", down=True)
        box.leases.postpone(box.take(), wait=300, asked=None, reason="x")
        for _ in range(policy.CIRCUIT_THRESHOLD):
            box.add()
        for _ in range(policy.CIRCUIT_THRESHOLD):
            self._fail(box)
        box.now += policy.MAX_PROBE
        for _ in range(policy.CIRCUIT_THRESHOLD):
            box.deliver()
        assert box.take().id == waits
        assert box.leases.take() is None
        assert box.view.entry(other) is not None


class TestStuck:
    """A run that fails on its own, while others get through, is shown after a day."""

    @staticmethod
    def _stuck(box: _Outbox) -> int:
        view = QueueView(box.database, lambda: box.now, wall=lambda: box.now)
        return view.status().stuck

    def _fail(self, box: _Outbox) -> None:
        leased = box.take()
        box.now += 1
        box.leases.postpone(leased, wait=0, asked=None, reason="500", down=True)

    def test_it_is_shown_after_a_day_in_which_another_got_through(
        self, box: _Outbox
    ) -> None:
        """Not before, and no longer once it is delivered or a person retries it."""
        poison = box.add()
        self._fail(box)
        box.now += _DAY / 2
        self._fail(box)
        box.add()
        leased = box.take()
        box.leases.release(leased)
        other = box.take()
        box.leases.postpone(other, wait=_DAY, asked=None, reason="500", down=True)
        box.deliver()
        assert self._stuck(box) == 0
        box.now += _DAY / 2
        assert self._stuck(box) == 1
        box.queue.retry(poison)
        assert self._stuck(box) == 0

    def test_a_store_that_is_down_for_all_leaves_nothing_stuck(
        self, box: _Outbox
    ) -> None:
        """What fails while everything fails does not fail on its own."""
        for _ in range(policy.CIRCUIT_THRESHOLD):
            box.add()
            self._fail(box)
        box.now += 2 * _DAY
        assert self._stuck(box) == 0


class TestMemory:
    """What was delivered is remembered up to the limits of age and size."""

    def test_the_last_moment_of_an_age_is_kept(self, box: _Outbox) -> None:
        """An entry is forgotten after its days, not at the end of them."""
        box.add()
        box.deliver()
        box.now = _NOW + 2 * _DAY
        assert box.housekeeping.prune(Retention(keep_days=2)) == 0
        box.now += 1
        assert box.housekeeping.prune(Retention(keep_days=2)) == 1
        assert box.view.status().delivered == 1

    @pytest.mark.parametrize(("bytes_less", "forgotten"), [(0, 7), (1, 8)])
    def test_the_newest_that_fit_stay(
        self, box: _Outbox, bytes_less: int, forgotten: int
    ) -> None:
        """Of ten entries three fit exactly, and two where a byte is missing."""
        ids = [box.add() for _ in range(10)]
        progress, report = Progress(stored_id="r"), b"x" * 1024
        for _ in ids:
            box.leases.finish(box.take(), progress, report)
        # Some 300 bytes are what an entry takes beside its report and progress.
        size = 3 * (300 + len(report) + len(encode(progress))) - bytes_less
        retention = Retention(keep_megabytes=size / 2**20)
        assert box.housekeeping.prune(retention) == forgotten
        gone = [box.view.entry(run_id) is None for run_id in ids]
        assert gone == [True] * forgotten + [False] * (10 - forgotten)
        assert box.view.status().delivered == 10

    def test_only_unshared_contents_are_removed(self, box: _Outbox) -> None:
        """What another entry refers to stays, the rest is removed."""
        box.add()
        removed: list[str] = []
        box.housekeeping.discard(["a" * 64, "b" * 64], removed.append)
        assert removed == ["b" * 64]

    def test_a_person_who_retries_forgets_what_was_refused(self, box: _Outbox) -> None:
        """Files that went up stay known; doubts that cannot be resolved do not."""
        run_id = box.add()
        progress = Progress(
            sent=True,
            unresolved=True,
            files=(FileProgress(position=0, upload_id="u", linked=True),),
        )
        leased = box.take()
        box.leases.keep(leased, progress)
        box.leases.park(leased, "nobody can tell")
        box.queue.retry(run_id)
        kept = box.take().progress
        assert (kept.sent, kept.unresolved) == (False, False)
        assert kept.files == progress.files


class TestFigures:
    """The figures that the reference names."""

    def test_they_are_what_the_reference_says(self) -> None:
        """An hour for the server's wishes, a minute for probes, three failures."""
        assert policy.MAX_WAIT == 3600
        assert policy.STUCK_AFTER == _DAY
        assert policy.MAX_PROBE == policy.HOLD_PAUSE == LEASE == 60.0
        assert policy.CIRCUIT_THRESHOLD == 3
        assert policy.MAX_MISSING == 5
        assert Retention() == Retention(keep_days=90, keep_megabytes=256)
