"""What lies in the folder ``incoming`` and cannot be queued holds up nothing else."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias
from unittest.mock import Mock
from uuid import uuid4

import pytest

from rigbridge.errors import DiskFullError, ModelError
from rigbridge.model import Attachment, ProcedureRef, Run, RunOutcome, Unit
from rigbridge.model.report import ConversionReport
from rigbridge.outbox import Outbox
from rigbridge.outbox.incoming import (
    ITEM_FILE,
    IncomingFolder,
    IncomingIntake,
    read_run,
    write_run,
)

Spoil: TypeAlias = Callable[[Path], object]


@pytest.fixture(name="incoming")
def _incoming(tmp_path: Path) -> IncomingFolder:
    return IncomingFolder(tmp_path / "data")


@pytest.fixture(name="runs")
def _runs(tmp_path: Path, incoming: IncomingFolder) -> list[Run]:
    """Hand two runs over, each with a file; the first is the one to be spoiled."""
    path = tmp_path / "scope.png"
    path.write_bytes(b"a picture")
    runs = [
        Run(
            id=uuid4(),
            outcome=RunOutcome.PASS,
            procedure=ProcedureRef(name="Final test"),
            unit=Unit(serial_number=serial),
            attachments=(Attachment.from_file(path),),
        )
        for serial in ("SN-1", "SN-2")
    ]
    for when, run in enumerate(runs):
        os.utime(write_run(incoming, run), (when, when))
    return runs


class _Queue:
    """Takes runs, unless it is told to raise an error for one of them."""

    def __init__(self, run: Run, error: Exception | None) -> None:
        self._run = run
        self.error = error
        self.taken: list[str | None] = []

    def __call__(self, run: Run, *_: object) -> None:
        if run.id == self._run.id and self.error is not None:
            raise self.error
        self.taken.append(run.unit.serial_number)


def _write(content: bytes) -> Spoil:
    return lambda item: (item / ITEM_FILE).write_bytes(content)


def _remove(item: Path) -> None:
    (item / ITEM_FILE).unlink()


class TestItems:
    """The first item is not one any more."""

    @pytest.mark.parametrize(
        "spoil",
        [
            pytest.param(_write(b""), id="empty"),
            pytest.param(_write(bytes(300)), id="zeros"),
            pytest.param(_write(b'{"content":' + b"[" * 9999), id="nested"),
            pytest.param(_remove, id="removed"),
        ],
    )
    def test_it_is_set_aside_in_sight(
        self, incoming: IncomingFolder, runs: list[Run], spoil: Spoil
    ) -> None:
        """The others are queued, and nobody waits for it any more."""
        spoil(incoming.folder / str(runs[0].id))
        queue = _Queue(runs[0], None)
        assert IncomingIntake(incoming).take_all(queue) == 1
        assert queue.taken == ["SN-2"]
        assert incoming.pending() == 0
        (item,) = incoming.items()
        assert item.id == runs[0].id
        assert item.refusal is not None
        assert ITEM_FILE in item.refusal.reason

    def test_a_file_that_somebody_removed_is_recorded(
        self, incoming: IncomingFolder, runs: list[Run]
    ) -> None:
        """The run arrives without it, and the report says so."""
        (incoming.folder / str(runs[0].id) / "file-1").unlink()
        item = incoming.find(runs[0].id)
        assert item is not None
        report = ConversionReport()
        assert read_run(item, report).attachments[0].opener is None
        assert [entry.item for entry in report.entries] == ["attachment bytes"]

    def test_what_was_left_of_one_is_not_in_the_way(
        self, incoming: IncomingFolder, runs: list[Run], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A process that is killed while it removes files leaves some of them."""
        (item, _) = incoming.items()
        with monkeypatch.context() as patched:
            patched.setattr(shutil, "rmtree", lambda *_, **__: None)
            incoming.remove(item)
        # By its name first: nobody may see half an item.
        assert incoming.find(runs[0].id) is None
        write_run(incoming, runs[0])
        incoming.remove(item)
        assert incoming.find(runs[0].id) is None


class TestTroubles:
    """The system cannot read or queue the first item for now."""

    @pytest.mark.parametrize(
        "error",
        [
            pytest.param(OSError(errno.ENOSPC, "No space left"), id="no room"),
            pytest.param(DiskFullError("is full", missing=1), id="too large"),
            pytest.param(PermissionError(errno.EACCES, "denied"), id="not ours"),
            pytest.param(MemoryError(), id="no memory"),
        ],
    )
    def test_a_queue_that_cannot_take_one_takes_the_others(
        self, incoming: IncomingFolder, runs: list[Run], error: Exception
    ) -> None:
        """It waits unrefused, is said, and goes once that is possible."""
        queue = _Queue(runs[0], error)
        intake = IncomingIntake(incoming)
        with pytest.raises(type(error)):
            intake.take_all(queue)
        assert queue.taken == ["SN-2"]
        assert incoming.pending() == 1
        assert intake.trouble
        queue.error = None
        (item,) = incoming.items()
        # A person does not wait for the next try either.
        intake.retry(item)
        intake.take_all(queue)
        assert queue.taken == ["SN-2", "SN-1"]
        assert intake.trouble is None

    def test_it_is_left_alone_for_a_while(
        self, incoming: IncomingFolder, runs: list[Run], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Reading a large record again and again would take the whole machine."""
        monkeypatch.setattr("rigbridge.outbox.policy.BASE_DELAY", 1e9)
        intake = IncomingIntake(incoming)
        queue = _Queue(runs[0], OSError(errno.ENOSPC, "No space left"))
        with pytest.raises(OSError, match="No space"):
            intake.take_all(queue)
        assert intake.take_all(queue) == 0
        assert intake.trouble

    @pytest.mark.parametrize(
        "number", [errno.EMFILE, errno.EIO, errno.EACCES, errno.EPERM]
    )
    @pytest.mark.parametrize("name", ["file-1", ITEM_FILE])
    def test_a_file_that_cannot_be_opened_for_now_parks_nothing(
        self,
        incoming: IncomingFolder,
        runs: list[Run],
        monkeypatch: pytest.MonkeyPatch,
        name: str,
        number: int,
    ) -> None:
        """No descriptor is free, or a share does not answer: that passes."""
        opened = Path.open
        spoiled = incoming.folder / str(runs[0].id) / name

        def refuse(path: Path, *given: Any, **options: Any) -> Any:
            if path == spoiled:
                raise OSError(number, os.strerror(number), str(path))
            return opened(path, *given, **options)

        intake = IncomingIntake(incoming)
        queue = _Queue(runs[0], None)
        with monkeypatch.context() as patched:
            patched.setattr(Path, "open", refuse)
            with pytest.raises(OSError, match=os.strerror(number)):
                intake.take_all(queue)
            (item,) = incoming.items()
            assert item.refusal is None
        assert queue.taken == ["SN-2"]
        intake.retry(item)
        intake.take_all(queue)
        assert queue.taken == ["SN-2", "SN-1"]

    def test_nobody_waits_for_a_full_disk_at_the_end_of_a_program(
        self, incoming: IncomingFolder, runs: list[Run], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A flush that nobody asked for ends once nothing but that is left."""
        monkeypatch.setattr("rigbridge.outbox.policy.BASE_DELAY", 1e9)
        full = Mock(side_effect=DiskFullError("is full", missing=1))
        monkeypatch.setattr("rigbridge.outbox.intake.require_space", full)
        with Outbox.open(
            incoming.folder.with_name("outbox"),
            lambda: Mock(spec=["close"]),
            incoming=IncomingIntake(incoming),
        ) as outbox:
            assert outbox.flush(600, insist=False) == len(runs)
            assert "is full" in str(outbox.trouble)

    def test_a_run_that_the_queue_can_never_take_waits_for_a_person(
        self, incoming: IncomingFolder, runs: list[Run]
    ) -> None:
        """Something in it is the cause; sending goes on."""
        queue = _Queue(runs[0], ModelError("is no Unicode", path="$.unit"))
        assert IncomingIntake(incoming).take_all(queue) == 1
        assert queue.taken == ["SN-2"]
        (item,) = incoming.items()
        assert item.refusal is not None
        assert "is no Unicode" in item.refusal.reason
