"""What could not be handed over is kept in files."""

from __future__ import annotations

import os
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rigbridge.adapters import Source, Spool
from rigbridge.kept import UnsentFolder, unsent_folders
from rigbridge.model import Run
from rigbridge.testing import read_all
from rigbridge_openhtf import to_run
from rigbridge_openhtf.adapter import OpenHTFJSONAdapter
from rigbridge_openhtf.live.keeping import keep_record

htf = pytest.importorskip("openhtf")

Imported = Callable[[Path], Run]


@pytest.fixture
def imported() -> Iterator[Imported]:
    """Read the file of a record as an import would."""
    spools: list[Spool] = []

    def read(path: Path) -> Run:
        reading = read_all(OpenHTFJSONAdapter(), Source.from_path(path))
        spools.append(reading.spool)
        (run,) = reading.runs
        return run

    yield read
    for spool in spools:
        spool.close()


@pytest.fixture
def record(run_test: Any) -> Any:
    """Give the record of a real test with a file in each of two phases."""

    def phase(name: str) -> Any:
        def attach(test: Any) -> None:
            test.attach(f"{name}.txt", name.encode())

        attach.__name__ = name
        return attach

    return run_test(phase("first"), phase("second"))


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def _contents(run: Run) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for attachment in run.attachments:
        assert attachment.opener is not None
        with attachment.opener() as stream:
            found[attachment.name] = stream.read()
    return found


class TestRecords:
    """A record that could not be translated."""

    def test_every_file_is_in_it(
        self, record: Any, tmp_path: Path, imported: Imported
    ) -> None:
        """It is OpenHTF's JSON, with the bytes inline."""
        run = imported(keep_record(record, tmp_path))
        assert _contents(run) == {"first.txt": b"first", "second.txt": b"second"}

    @pytest.mark.parametrize("change", ["more", "fewer"])
    def test_phases_that_came_or_went_meanwhile(
        self,
        record: Any,
        tmp_path: Path,
        imported: Imported,
        caplog: pytest.LogCaptureFixture,
        change: str,
    ) -> None:
        """A phase that only one side knows is kept as that side has it, and is told."""
        names = [phase.name for phase in record.phases]
        if change == "more":
            record.phases.append(record.phases[-1])
            names.append(names[-1])
        else:
            record.phases.pop()
        run = imported(keep_record(record, tmp_path))
        there = [phase.name for phase in run.phases]
        assert there == [name for name in names if name != "trigger_phase"]
        assert "phases" in caplog.text

    def test_a_file_that_was_closed_costs_no_record(
        self,
        record: Any,
        tmp_path: Path,
        imported: Imported,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """It is known by name, the others are whole, and that is told."""
        for phase in record.phases:
            if phase.name == "first":
                phase.attachments["first.txt"].close()
        run = imported(keep_record(record, tmp_path))
        first, second = run.attachments
        assert (first.name, first.opener) == ("first.txt", None)
        assert second.size == len("second")
        assert "closed" in caplog.text

    def test_a_large_file_never_lies_in_memory(
        self, run_test: Any, tmp_path: Path, imported: Imported
    ) -> None:
        """It is written piece by piece, and reads back whole."""
        size = 20_000_000

        def phase(test: Any) -> None:
            test.attach("large.bin", bytes(size))

        record = run_test(phase)
        tracemalloc.start()
        try:
            path = keep_record(record, tmp_path)
            assert tracemalloc.get_traced_memory()[1] < size / 3
        finally:
            tracemalloc.stop()
        assert imported(path).attachments[0].size == size


@pytest.mark.skipif(os.name == "nt", reason="modes are those of POSIX")
class TestWhoMayRead:
    """The folders are open to those who use the outbox, and to nobody else."""

    def test_a_shared_data_folder_shares_what_is_kept(
        self, record: Any, tmp_path: Path
    ) -> None:
        """So that the agent of another user can queue it, and remove it then."""
        data = tmp_path / "data"
        data.mkdir()
        data.chmod(0o2770)
        with Spool(tmp_path) as spool:
            UnsentFolder(data).keep_run(to_run(record, spool=spool))
        keep_record(record, data)
        found = list(data.rglob("*"))
        assert len(found) == 6
        for path in found:
            assert _mode(path) & 0o060 == 0o060
            assert path.is_file() or _mode(path) & 0o2070 == 0o2070

    def test_the_stand_in_is_the_users_alone(
        self, record: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Everybody may make folders where it lies."""
        temporary, data = tmp_path / "temporary", tmp_path / "data"
        temporary.mkdir()
        data.write_text("a file stands where the folder belongs")
        monkeypatch.setattr(tempfile, "tempdir", str(temporary))
        path = keep_record(record, data)
        assert path.parent == unsent_folders(data)[1]
        (root,) = temporary.iterdir()
        assert _mode(root) == 0o700

    def test_a_stand_in_that_others_enter_is_not_used(
        self, record: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Somebody else may have laid it out."""
        temporary, data = tmp_path / "temporary", tmp_path / "data"
        temporary.mkdir()
        data.write_text("a file stands where the folder belongs")
        monkeypatch.setattr(tempfile, "tempdir", str(temporary))
        root = unsent_folders(data)[1].parents[1]
        root.mkdir()
        root.chmod(0o755)
        with pytest.raises(PermissionError, match=root.name):
            keep_record(record, data)
