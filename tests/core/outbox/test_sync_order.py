"""All bytes are on the disk before a name says that they are there."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias
from uuid import uuid4

import attrs
import pytest

from rigbridge.adapters import ConversionReport
from rigbridge.model import Attachment, ProcedureRef, Run, RunOutcome, SettledFile, Unit
from rigbridge.outbox.content import ContentFolder
from rigbridge.outbox.incoming import ITEM_FILE, IncomingFolder, write_run
from rigbridge.outbox.queue.damage import replace

_Inode: TypeAlias = tuple[int, int]


def _inode(path: Path) -> _Inode:
    status = path.stat()
    return status.st_dev, status.st_ino


class _Disk:
    """Notes what was synced when a file or folder got its name, and afterwards."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.synced: list[_Inode] = []
        self.named: dict[Path, tuple[_Inode, ...]] = {}
        sync = os.fsync

        def fsync(descriptor: int) -> None:
            # A disk takes its time; whoever does not wait for it is found out.
            time.sleep(0.01)
            sync(descriptor)
            status = os.fstat(descriptor)
            self.synced.append((status.st_dev, status.st_ino))

        monkeypatch.setattr(os, "fsync", fsync)
        for name in ("rename", "replace"):
            monkeypatch.setattr(os, name, self._noting(getattr(os, name)))

    def _noting(self, move: Callable[..., None]) -> Callable[..., None]:
        def noted(source: Any, target: Any) -> None:
            before = tuple(self.synced)
            move(source, target)
            self.named[Path(target)] = before

        return noted

    def before(self, name: Path) -> set[_Inode]:
        """Give what was synced before something got that name."""
        return set(self.named[name])

    def after(self, name: Path) -> set[_Inode]:
        """Give what was synced after that."""
        return set(self.synced[len(self.named[name]) :])


@pytest.fixture(name="disk")
def _disk(monkeypatch: pytest.MonkeyPatch) -> _Disk:
    return _Disk(monkeypatch)


@pytest.fixture(name="run")
def _run(tmp_path: Path) -> Run:
    """Give a run with a user's own file, a settled one, and one in memory."""
    own, settled = tmp_path / "own.txt", tmp_path / "settled.txt"
    own.write_bytes(b"own")
    settled.write_bytes(b"settled")
    return Run(
        id=uuid4(),
        outcome=RunOutcome.PASS,
        procedure=ProcedureRef(name="Final test"),
        unit=Unit(serial_number="SN-1"),
        attachments=(
            attrs.evolve(Attachment.from_file(own), sha256=None, size=None),
            _settled(settled),
            Attachment(name="c", opener=lambda: io.BytesIO(b"memory")),
        ),
    )


def _settled(path: Path) -> Attachment:
    described = Attachment.from_file(path)
    assert described.sha256 is not None
    opener = SettledFile(path, described.sha256, synced=False)
    return attrs.evolve(described, opener=opener)


def test_an_item(disk: _Disk, run: Run, tmp_path: Path) -> None:
    """Files, document and their names come before its own name; that comes last."""
    item = write_run(IncomingFolder(tmp_path / "data"), run)
    files = [item / name for name in (ITEM_FILE, "file-1", "file-2", "file-3")]
    assert {_inode(path) for path in (*files, item)} <= disk.before(item)
    assert _inode(item.parent) in disk.after(item)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_an_item_is_its_owners_alone(run: Run, tmp_path: Path) -> None:
    """What was handed over holds secrets that are masked only when it is translated."""
    item = write_run(IncomingFolder(tmp_path / "data"), run)
    assert item.stat().st_mode & 0o077 == 0


def test_contents(disk: _Disk, run: Run, tmp_path: Path) -> None:
    """Each file before its name, the folder once all have theirs."""
    folder = tmp_path / "content"
    kept = ContentFolder(folder).keep(run, ConversionReport())
    paths = [folder / str(item.sha256) for item in kept.attachments]
    # The settled file is linked: it has its name at once, and is synced before that.
    copied = [path for path in paths if path in disk.named]
    assert len(copied) == 2
    for path in copied:
        assert _inode(path) in disk.before(path)
        assert _inode(folder) in disk.after(path)
    assert {_inode(path) for path in paths} <= set(disk.synced)
    assert _inode(folder.parent) in disk.synced


def test_a_mended_database(disk: _Disk, tmp_path: Path) -> None:
    """The new database is whole before it counts."""
    path = tmp_path / "outbox.sqlite"
    path.write_bytes(b"no database at all, but long enough for the beginning of one")
    replace(path, lambda: False)
    new = path.with_name(f"{path.name}.new")
    assert _inode(path) in disk.before(new)
    assert _inode(tmp_path) in disk.after(new)
