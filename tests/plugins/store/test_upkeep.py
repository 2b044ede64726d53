"""Backup, check and pruning of a store that is in use; and what is chosen of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from rigbridge.destinations import DestinationSettings
from rigbridge.destinations.selection import RunSelection
from rigbridge.errors import ConfigurationError
from rigbridge.model import Attachment, ProcedureRef, Run, RunOutcome, Unit
from rigbridge_store.destination import LocalDestination

START = datetime(2026, 3, 4, tzinfo=UTC)
Maker = Callable[..., Run]


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalDestination]:
    """Give the embedded store of a folder."""
    destination = LocalDestination(DestinationSettings(data=tmp_path / "store"))
    yield destination
    destination.close()


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    """Give what makes a run with an attachment."""

    def run(serial: str, *, days: int = 0, procedure: str = "Final") -> Run:
        file = tmp_path / f"{serial}.bin"
        file.write_bytes(serial.encode() * 100)
        return Run(
            id=uuid4(),
            outcome=RunOutcome.PASS if days else RunOutcome.FAIL,
            procedure=ProcedureRef(name=procedure),
            unit=Unit(serial_number=serial),
            started_at=START + timedelta(days=days),
            attachments=(Attachment.from_file(file),),
        )

    return run


def content_of(local: LocalDestination, run: Run) -> Path:
    """Find the file that holds the content of a run's attachment."""
    digest = run.attachments[0].sha256
    assert digest is not None
    path = local.store.contents.path(digest)
    assert isinstance(path, Path)
    return path


class TestBackup:
    """A copy that is a store of its own."""

    def test_the_copy_is_a_store(
        self, local: LocalDestination, make: Maker, tmp_path: Path
    ) -> None:
        """Runs and the bytes of their attachments are in the copy."""
        run = make("SN-1")
        local.submit(run)
        done = local.back_up(tmp_path / "copy")
        assert (done.runs, done.contents, done.copied) == (1, 1, 1)
        copy = LocalDestination(DestinationSettings(data=tmp_path / "copy"))
        try:
            assert copy.get_run(str(run.id)) == run
            assert copy.check().problems == ()
        finally:
            copy.close()

    def test_a_second_backup_copies_what_is_new(
        self, local: LocalDestination, make: Maker, tmp_path: Path
    ) -> None:
        """Contents that the copy has already are not copied again."""
        local.submit(make("SN-1"))
        local.back_up(tmp_path / "copy")
        local.submit(make("SN-2"))
        done = local.back_up(tmp_path / "copy")
        assert (done.runs, done.contents, done.copied) == (2, 2, 1)

    def test_a_missing_content_is_said(
        self, local: LocalDestination, make: Maker, tmp_path: Path
    ) -> None:
        """What the store itself lacks is named by its digest."""
        run = make("SN-1")
        local.submit(run)
        content_of(local, run).unlink()
        done = local.back_up(tmp_path / "copy")
        assert done.missing == (run.attachments[0].sha256,)

    def test_into_itself_is_refused(
        self, local: LocalDestination, make: Maker, tmp_path: Path
    ) -> None:
        """A store is not copied over itself."""
        local.submit(make("SN-1"))
        with pytest.raises(ConfigurationError, match="the store's own"):
            local.back_up(tmp_path / "store")


class TestCheck:
    """Damage is found and named."""

    def test_a_good_store(self, local: LocalDestination, make: Maker) -> None:
        """Nothing is wrong with what was just stored."""
        local.submit(make("SN-1"))
        found = local.check()
        assert (found.runs, found.contents, found.problems) == (1, 1, ())

    @pytest.mark.parametrize(
        ("damage", "words"),
        [
            (lambda path: path.unlink(), "missing"),
            (lambda path: path.write_bytes(b"short"), "5 bytes instead of 400"),
            (lambda path: path.write_bytes(b"x" * 400), "bytes have changed"),
        ],
    )
    def test_damaged_contents(
        self,
        local: LocalDestination,
        make: Maker,
        damage: Callable[[Path], object],
        words: str,
    ) -> None:
        """A content that is gone, cut off or changed is a problem."""
        run = make("SN-1")
        local.submit(run)
        damage(content_of(local, run))
        (problem,) = local.check().problems
        assert words in problem


class TestPrune:
    """Old runs are deleted."""

    def test_old_runs_go(self, local: LocalDestination, make: Maker) -> None:
        """Only runs from before the moment are deleted."""
        old, new = make("SN-1"), make("SN-2", days=10)
        local.submit(old)
        local.submit(new)
        before = START + timedelta(days=5)
        assert local.prune(before, dry_run=True).runs == 1
        assert len(local.recent_runs(9)) == 2
        assert local.prune(before).runs == 1
        assert [run.id for run in local.recent_runs(9)] == [str(new.id)]


class TestSelection:
    """What of a store is meant."""

    @pytest.mark.parametrize(
        ("selection", "serials"),
        [
            (RunSelection(), ["SN-1", "SN-2", "SN-3"]),
            (RunSelection(serial_number="sn-2"), ["SN-2"]),
            (RunSelection(procedure="other"), ["SN-3"]),
            (RunSelection(outcome=RunOutcome.FAIL), ["SN-1"]),
            (RunSelection(since=START + timedelta(days=1)), ["SN-2", "SN-3"]),
            (RunSelection(until=START + timedelta(days=1)), ["SN-1"]),
        ],
    )
    def test_runs_are_chosen(
        self,
        local: LocalDestination,
        make: Maker,
        selection: RunSelection,
        serials: list[str],
    ) -> None:
        """By unit, procedure, verdict and time, in the order stored."""
        for run in (
            make("SN-1"),
            make("SN-2", days=2),
            make("SN-3", days=3, procedure="Other"),
        ):
            local.submit(run)
        found = [run for run in local.read_runs(selection) if isinstance(run, Run)]
        assert [run.unit.serial_number for run in found] == serials
