"""The ledger by itself: what it finds again, and what becomes of it when disks fail."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import sqlite3
import tempfile
import time
from pathlib import Path
from uuid import UUID, uuid4

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rigbridge.ledger import (
    Ledger,
    LedgerEntry,
    LedgerLookup,
    LedgerProblem,
    LedgerRun,
    RunStatus,
    Verdict,
    ledger_path,
    shown_path,
)
from rigbridge.ledger.paths import parted

SECOND = 1_000_000_000
CONTENT = hashlib.sha256(b"report").hexdigest()
OTHER = hashlib.sha256(b"another").hexdigest()


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Give the ledger of an empty data folder."""
    return Ledger.open(tmp_path)


def entry(path: bytes = b"/reports/one.xml", **given: object) -> LedgerEntry:
    """Make an entry of a report with one run."""
    usual = LedgerEntry(
        path=path,
        destination="local",
        size=10,
        mtime_ns=100 * SECOND,
        seen_ns=1000 * SECOND,
        digest=CONTENT,
        adapter="teststand_xml",
        adapter_version="1.0",
        settings="s1",
        runs=(LedgerRun(id=uuid4(), measurements=3, attachments=1),),
        amounts={("mapped", "measurement", ""): 3, ("dropped", "limit", "no NE"): 1},
    )
    return attrs.evolve(usual, **given)  # type: ignore[arg-type]


def lookup(ledger: Ledger, rules: str = "s1", **given: bool) -> LedgerLookup:
    """Make the look-up of an import into the embedded store."""
    return LedgerLookup(ledger, "local", rules, **given)


def no_digest() -> str | None:
    """Stand for a content that must not be looked at."""
    raise AssertionError("the content was read")


class TestEntries:
    """What is written is read."""

    def test_an_entry_is_read_as_it_was_written(self, ledger: Ledger) -> None:
        """Nothing of an entry is lost."""
        problem = LedgerProblem(kind="K", message="m", place="line 1", remedy="r")
        whole = entry(problems=(problem,), same_as=b"/x", verdict=Verdict.REFUSED)
        ledger.record([whole])
        assert list(ledger.entries()) == [whole]

    def test_a_name_may_hold_any_bytes(self, ledger: Ledger) -> None:
        """A name that is not UTF-8 is found again, and is shown."""
        path = b"/reports/caf\xe9.xml"
        ledger.record([entry(path)])
        assert lookup(ledger).finished(path, 10, 100 * SECOND, no_digest)
        assert shown_path(path) == "/reports/caf\\xe9.xml"

    def test_the_same_path_makes_way(self, ledger: Ledger) -> None:
        """A file that was read again has one entry."""
        first = entry()
        ledger.record([first])
        ledger.record([attrs.evolve(first, verdict=Verdict.FAILED, runs=())])
        (found,) = ledger.entries()
        # Its run is stored whatever a second reading makes of the file.
        assert found.runs == first.runs

    def test_a_changed_file_keeps_the_runs_of_before(self, ledger: Ledger) -> None:
        """What a file held before is stored, so the account holds it."""
        ledger.record([entry()])
        ledger.record([entry(digest=OTHER, mtime_ns=200 * SECOND)])
        assert ledger.account("local").stored == 2
        again = lookup(ledger).finished(entry().path, 10, 100 * SECOND, lambda: CONTENT)
        assert again is None

    def test_a_log_that_has_grown_is_one_file(self, ledger: Ledger) -> None:
        """Its account is that of what it holds now; what was created stays so."""
        before = entry()
        (known,) = (attrs.evolve(run, status=RunStatus.KNOWN) for run in before.runs)
        grown = (known, LedgerRun(id=uuid4(), measurements=2, attachments=0))
        ledger.record([before])
        ledger.record([entry(digest=OTHER, size=20, runs=grown)])
        account = ledger.account("local")
        assert (account.files, account.size) == ({Verdict.IMPORTED: 1}, 20)
        assert account.runs == {RunStatus.CREATED: 2}
        assert account.total("mapped") == 3

    def test_destinations_have_entries_of_their_own(self, ledger: Ledger) -> None:
        """What went to one store says nothing about another."""
        ledger.record([entry()])
        other = LedgerLookup(ledger, "other", "s1")
        assert not other.finished(entry().path, 10, 100 * SECOND, no_digest)

    def test_a_group_is_written_whole_or_not_at_all(self, ledger: Ledger) -> None:
        """An error in a group leaves nothing of it behind, and the next one works."""
        with pytest.raises(ValueError, match="fromhex"):
            ledger.record([entry(), entry(b"/b/two.xml", digest="no digest")])
        assert list(ledger.entries()) == []
        ledger.record([entry(), entry(b"/b/two.xml")])
        assert len(list(ledger.entries())) == 2

    def test_a_question_makes_no_file(self, ledger: Ledger) -> None:
        """Whoever only asks leaves a wrong folder as it is."""
        assert list(ledger.entries()) == []
        assert ledger.account("local").stored == 0
        assert not ledger.path.exists()

    def test_a_run_that_left_quarantine_completes_its_source(
        self, ledger: Ledger
    ) -> None:
        """A source is imported once the last of its runs is stored."""
        runs = tuple(
            LedgerRun(id=uuid4(), status=RunStatus.QUARANTINED) for _ in range(2)
        )
        ledger.record([entry(runs=runs, verdict=Verdict.QUARANTINED)])
        ledger.settle(attrs.evolve(runs[0], status=RunStatus.CREATED), "local")
        assert [each.verdict for each in ledger.entries()] == [Verdict.QUARANTINED]
        last = attrs.evolve(
            runs[1], status=RunStatus.KNOWN, stored_id="stored-2", measurements=5
        )
        ledger.settle(last, "local")
        (found,) = ledger.entries()
        assert found.verdict is Verdict.IMPORTED
        assert [run.stored_id for run in found.runs] == [None, "stored-2"]
        assert [run.measurements for run in found.runs] == [0, 5]


class TestPaths:
    """How a source is named."""

    def test_a_path_is_absolute(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One file has one key, wherever the command was started."""
        monkeypatch.chdir(tmp_path)
        assert ledger_path(Path("a/../b.xml")) == os.fsencode(tmp_path / "b.xml")

    def test_an_address_stays(self) -> None:
        """What is no file of this machine is named by its address."""
        assert ledger_path("s3://bucket/a.xml") == b"s3://bucket/a.xml"

    @given(st.binary())
    def test_both_halves_are_the_key(self, path: bytes) -> None:
        """Nothing is lost where a key is parted."""
        folder, name = parted(path)
        assert folder + name == path


class TestLookup:
    """What an import passes over."""

    def test_an_unchanged_file_is_passed_over(self, ledger: Ledger) -> None:
        """Size and time suffice for a file that was old when it was read."""
        ledger.record([entry()])
        found = lookup(ledger).finished(
            b"/reports/one.xml", 10, 100 * SECOND, no_digest
        )
        assert found is not None
        assert found.verdict is Verdict.IMPORTED

    @pytest.mark.parametrize("seconds", [10**10, -(10**10), 253402300799])
    def test_a_clock_that_was_wrong_costs_no_import(
        self, ledger: Ledger, seconds: int
    ) -> None:
        """A time that no column holds is kept as the nearest that one does."""
        ledger.record([entry(mtime_ns=seconds * SECOND)])
        known = lookup(ledger).finished(
            b"/reports/one.xml", 10, seconds * SECOND, lambda: CONTENT
        )
        assert known is not None

    @pytest.mark.parametrize(("size", "seconds"), [(11, 100), (10, 101)])
    def test_a_changed_file_is_read(
        self, ledger: Ledger, size: int, seconds: int
    ) -> None:
        """Another size is another file; of another time is looked at what it holds."""
        ledger.record([entry()])
        path, time_ns = b"/reports/one.xml", seconds * SECOND
        assert lookup(ledger).finished(path, size, time_ns, lambda: OTHER) is None

    def test_a_file_of_another_time_alone_is_the_same(self, ledger: Ledger) -> None:
        """Its content is looked at once; one in doubt is read whatever it holds."""
        ledger.record([entry()])
        given = (b"/reports/one.xml", 10, 101 * SECOND)
        looked = lookup(ledger)
        assert looked.finished(*given, lambda: CONTENT)
        looked.flush()
        assert lookup(ledger).finished(*given, no_digest)
        ledger.doubt([given[0]], "local")
        assert not lookup(ledger).finished(*given, no_digest)

    def test_a_file_changed_within_a_tick_is_looked_at(self, ledger: Ledger) -> None:
        """A file of the moment of its import may have changed without a trace."""
        fresh = entry(mtime_ns=999 * SECOND)
        ledger.record([fresh])
        looked = lookup(ledger)
        assert looked.finished(fresh.path, 10, 999 * SECOND, lambda: OTHER) is None
        assert looked.finished(fresh.path, 10, 999 * SECOND, lambda: CONTENT)
        looked.flush()
        # It was the same a long time after: now its time can be trusted.
        assert lookup(ledger).finished(fresh.path, 10, 999 * SECOND, no_digest)

    @pytest.mark.parametrize(
        ("verdict", "passed"),
        [
            (Verdict.IMPORTED, True),
            (Verdict.DUPLICATE, True),
            (Verdict.EMPTY, False),
            (Verdict.QUARANTINED, False),
            (Verdict.REFUSED, False),
            (Verdict.FAILED, False),
        ],
    )
    def test_mended_settings_try_what_failed(
        self, ledger: Ledger, verdict: Verdict, *, passed: bool
    ) -> None:
        """New settings read again what they may help, and nothing else."""
        ledger.record([entry(verdict=verdict)])
        given = (b"/reports/one.xml", 10, 100 * SECOND, no_digest)
        assert (lookup(ledger, "s2").finished(*given) is not None) is passed
        assert lookup(ledger, "s1").finished(*given) is not None
        assert lookup(ledger, "s1", again=True).finished(*given) is None

    @settings(max_examples=25, deadline=None)
    @given(st.lists(st.integers(0, 60), max_size=40), st.sets(st.integers(0, 60)))
    def test_whatever_the_order_each_is_found(
        self, asked: list[int], noted: set[int]
    ) -> None:
        """What is read ahead answers as the ledger itself would."""
        with tempfile.TemporaryDirectory() as folder:
            ledger = Ledger.open(Path(folder))
            ledger.record([entry(b"/a/%02d" % number) for number in noted])
            looked = lookup(ledger)
            for number in asked:
                path = b"/a/%02d" % number
                found = looked.finished(path, 10, 100 * SECOND, no_digest)
                assert (found is not None) is (number in noted)
                # A file that this import has done meanwhile is done, too.
                noted.add(number)
                ledger.record([entry(path)])
            ledger.close()

    def test_a_moved_file_is_known_by_its_content(self, ledger: Ledger) -> None:
        """The same content at another path is named by the path that was imported."""
        ledger.record([entry()])
        assert ledger.with_content(CONTENT, "local") == b"/reports/one.xml"
        assert ledger.with_content(OTHER, "local") is None

    def test_a_failed_file_says_nothing_about_its_copy(self, ledger: Ledger) -> None:
        """A copy of what failed is read."""
        ledger.record([entry(verdict=Verdict.FAILED)])
        assert ledger.with_content(CONTENT, "local") is None


class TestAccount:
    """The sums."""

    def test_sums_are_those_of_the_entries(self, ledger: Ledger) -> None:
        """Files by verdict, runs by status, elements by adapter and reason."""
        kept = LedgerRun(id=uuid4(), status=RunStatus.QUARANTINED, measurements=9)
        problem = LedgerProblem(kind="K", message="bad")
        ledger.record(
            [
                entry(b"/a/1"),
                entry(b"/a/2", digest=OTHER, adapter_version="2.0"),
                entry(
                    b"/a/3",
                    runs=(kept,),
                    verdict=Verdict.QUARANTINED,
                    problems=(problem,),
                    amounts={},
                ),
                entry(
                    b"/a/4",
                    runs=(),
                    verdict=Verdict.FAILED,
                    adapter=None,
                    adapter_version=None,
                    amounts={},
                    problems=(problem, problem),
                ),
            ]
        )
        account = ledger.account("local")
        assert account.files == {
            Verdict.IMPORTED: 2,
            Verdict.QUARANTINED: 1,
            Verdict.FAILED: 1,
        }
        assert account.runs == {RunStatus.CREATED: 2, RunStatus.QUARANTINED: 1}
        assert (account.stored, account.measurements, account.attachments) == (2, 6, 2)
        assert account.total("mapped") == 6
        assert account.amounts["dropped", "limit", "no NE"] == 2
        assert [
            (each.name, each.version, each.files, each.runs)
            for each in account.adapters
        ] == [
            ("", "", 1, 0),
            ("teststand_xml", "1.0", 2, 1),
            ("teststand_xml", "2.0", 1, 1),
        ]
        assert [(each.count, each.path) for each in account.problems] == [
            (2, b"/a/4"),
            (1, b"/a/3"),
        ]

    def test_a_run_of_two_files_is_one_run(self, ledger: Ledger) -> None:
        """A report and its copy are stored once, so they count once."""
        run = LedgerRun(id=uuid4(), measurements=3)
        known = attrs.evolve(run, status=RunStatus.KNOWN)
        ledger.record([entry(b"/a/1", runs=(run,)), entry(b"/a/2", runs=(known,))])
        account = ledger.account("local")
        assert (account.stored, account.measurements) == (1, 3)


class TestDamage:
    """A ledger never blocks an import."""

    def test_a_damaged_file_is_set_aside(self, tmp_path: Path) -> None:
        """What is no database makes way, is kept, and is said."""
        (tmp_path / "ledger.sqlite").write_bytes(b"no database at all" * 1000)
        ledger = Ledger.open(tmp_path)
        assert not lookup(ledger).finished(b"/a/1", 1, 1, no_digest)
        ledger.record([entry()])
        assert len(list(ledger.entries())) == 1
        assert "set aside" in ledger.problems[0]
        assert len(list(tmp_path.glob("ledger.sqlite.damaged-*"))) == 1

    def test_damage_in_the_midst_costs_no_group(self, ledger: Ledger) -> None:
        """The group that meets the damage is in the new file."""
        ledger.record([entry(b"/a/%d" % number) for number in range(3000)])
        ledger.close()
        with ledger.path.open("r+b") as stream:
            stream.seek(4096)
            stream.write(b"\xff" * (ledger.path.stat().st_size - 4096))
        ledger.record([entry(b"/a/1", settings="s9")])
        assert [each.settings for each in ledger.entries()] == ["s9"]
        assert ledger.account("local").files == {Verdict.IMPORTED: 1}

    def test_no_ledger_is_no_error(self, tmp_path: Path) -> None:
        """Where no file can be made, an import goes on, and it is said once."""
        (tmp_path / "ledger.sqlite").mkdir()
        ledger = Ledger.open(tmp_path)
        ledger.record([entry()])
        ledger.record([entry()])
        assert list(ledger.entries()) == []
        assert len(ledger.problems) == 1
        assert "cannot be used" in ledger.problems[0]

    def test_a_file_of_another_version_stays(self, tmp_path: Path) -> None:
        """A ledger that a newer version made is left alone."""
        with sqlite3.connect(tmp_path / "ledger.sqlite") as other:
            other.execute("PRAGMA user_version = 99")
        other.close()
        ledger = Ledger.open(tmp_path)
        ledger.record([entry()])
        assert "another version" in ledger.problems[0]
        assert not list(tmp_path.glob("*.damaged-*"))


def record_much(folder: Path, name: bytes) -> None:
    """Record group after group, as an import does."""
    ledger = Ledger.open(folder)
    for number in range(40):
        ledger.record(
            [entry(b"/%s/%d-%d" % (name, number, each)) for each in range(10)]
        )


def record_for_ever(folder: Path) -> None:
    """Record until somebody ends this process."""
    ledger = Ledger.open(folder)
    run = LedgerRun(id=UUID(int=1))
    while True:
        group = [entry(b"/x/%d" % number, runs=(run,)) for number in range(50)]
        ledger.record(group)


@pytest.mark.skipif(os.name == "nt", reason="forks of POSIX")
class TestProcesses:
    """Several processes, and their end."""

    def test_two_processes_record_at_once(self, tmp_path: Path) -> None:
        """Neither loses an entry, and what they share is noted once."""
        spawning = multiprocessing.get_context("fork")
        processes = [
            spawning.Process(target=record_much, args=(tmp_path, name))
            for name in (b"a", b"b")
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        account = Ledger.open(tmp_path).account("local")
        assert account.files == {Verdict.IMPORTED: 800}
        assert account.stored == 800

    def test_a_killed_process_leaves_whole_groups(self, tmp_path: Path) -> None:
        """Whenever it ends, a group is there or not."""
        process = multiprocessing.get_context("fork").Process(
            target=record_for_ever, args=(tmp_path,)
        )
        process.start()
        ledger = Ledger.open(tmp_path)
        deadline = time.monotonic() + 60
        while not list(ledger.entries()) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert process.pid is not None
        os.kill(process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        process.join()
        assert len(list(ledger.entries())) == 50
        assert ledger.problems == ()
