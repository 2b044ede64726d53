"""Handing over is one durable step, and what was handed over gets into the queue."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import attrs
import pytest

from rigbridge.adapters import ConversionReport, Spool
from rigbridge.adapters.identity import IdentityRules
from rigbridge.errors import MalformedSourceError
from rigbridge.machine.threads import WaitingThreads
from rigbridge.model import Attachment, ProcedureRef, Run, RunOutcome, SettledFile, Unit
from rigbridge.outbox.incoming import (
    IncomingFolder,
    IncomingIntake,
    IncomingItem,
    ItemContent,
    ItemDraft,
    read_run,
    write_run,
)


@pytest.fixture(name="incoming")
def _incoming(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> IncomingFolder:
    """Give the folder of a data folder, with a stand-in of the test's own."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    folder = IncomingFolder(tmp_path / "data")
    folder.prepare()
    return folder


@pytest.fixture(name="run")
def _run(tmp_path: Path) -> Run:
    path = tmp_path / "scope.png"
    path.write_bytes(b"a picture")
    return Run(
        id=uuid4(),
        outcome=RunOutcome.PASS,
        procedure=ProcedureRef(name="Final test"),
        unit=Unit(serial_number="SN-1"),
        attachments=(Attachment.from_file(path),),
    )


def _only(folder: IncomingFolder) -> IncomingItem:
    (item,) = folder.items()
    return item


def _content(attachment: Attachment) -> bytes:
    assert attachment.opener is not None
    with attachment.opener() as stream:
        return stream.read()


def _record(incoming: IncomingFolder, content: bytes = b'{"a":1}') -> UUID:
    """Hand over a record of an adapter."""
    item_id = uuid4()

    def fill(draft: ItemDraft) -> ItemContent:
        del draft
        return ItemContent(kind="some-format", content=content)

    incoming.write(item_id, fill)
    return item_id


class TestWriting:
    """What was handed over is whole, or not there."""

    def test_a_run_comes_back(self, incoming: IncomingFolder, run: Run) -> None:
        """Document, report, files and destination are those that were handed over."""
        report = ConversionReport()
        report.dropped("phase", "a reason")
        write_run(incoming, run, report, destination="local")
        item = _only(incoming)
        assert item.given.destination == "local"
        assert item.given.serial_number == "SN-1"
        found = ConversionReport()
        back = read_run(item, found)
        assert back == run
        assert found.as_document() == report.as_document()
        assert _content(back.attachments[0]) == b"a picture"

    def test_the_users_own_file_is_copied(
        self, incoming: IncomingFolder, run: Run, tmp_path: Path
    ) -> None:
        """The next test may write to it in place."""
        write_run(incoming, run)
        with (tmp_path / "scope.png").open("r+b") as stream:
            stream.write(b"THE NEXT ")
        back = read_run(_only(incoming), ConversionReport())
        assert _content(back.attachments[0]) == b"a picture"

    def test_a_settled_file_is_linked(
        self, incoming: IncomingFolder, run: Run, tmp_path: Path
    ) -> None:
        """A file that nobody writes to any more takes no second place on the disk."""
        write_run(incoming, _settled(run, tmp_path))
        item = _only(incoming)
        assert (item.folder / "file-1").samefile(tmp_path / "scope.png")

    @pytest.mark.parametrize("code", [errno.EXDEV, errno.EPERM, errno.EMLINK])
    def test_links_may_be_refused(
        self,
        incoming: IncomingFolder,
        run: Run,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        code: int,
    ) -> None:
        """Another file system, FAT or SMB: the file is copied."""

        def refuse(*_: object, **__: object) -> None:
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(os, "link", refuse)
        write_run(incoming, _settled(run, tmp_path))
        item = _only(incoming)
        assert not (item.folder / "file-1").samefile(tmp_path / "scope.png")
        assert (item.folder / "file-1").read_bytes() == b"a picture"

    @pytest.mark.skipif(os.name == "nt", reason="pipes with names are of POSIX")
    @pytest.mark.parametrize("kind", ["pipe", "link"])
    def test_what_is_no_file_is_not_linked(
        self, incoming: IncomingFolder, tmp_path: Path, kind: str
    ) -> None:
        """Nobody waits for the writer of a pipe; a link's file is copied."""
        odd = tmp_path / "odd"
        if kind == "pipe":
            os.mkfifo(odd)
        else:
            (tmp_path / "file").write_bytes(b"bytes")
            odd.symlink_to(tmp_path / "file")
        problems: list[str | None] = []

        def fill(draft: ItemDraft) -> ItemContent:
            problems.append(draft.problem(draft.add_settled(odd)))
            return ItemContent(kind="run", content=b"null")

        folder = incoming.write(uuid4(), fill)
        if kind == "pipe":
            assert "is no regular file" in str(problems)
        else:
            assert problems == [None]
            assert not (folder / "file-1").is_symlink()
            assert (folder / "file-1").read_bytes() == b"bytes"

    def test_bytes_of_any_opener(self, incoming: IncomingFolder, run: Run) -> None:
        """An attachment may be opened in any way, and may be undescribed."""
        attachment = Attachment(name="a.bin", opener=lambda: BytesIO(b"bytes"))
        write_run(incoming, attrs.evolve(run, attachments=(attachment,)))
        (back,) = read_run(_only(incoming), ConversionReport()).attachments
        assert (back.size, _content(back)) == (5, b"bytes")

    def test_changed_bytes_are_recorded(
        self, incoming: IncomingFolder, run: Run, tmp_path: Path
    ) -> None:
        """A file that changed before it was handed over is described anew."""
        (tmp_path / "scope.png").write_bytes(b"another picture")
        write_run(incoming, run)
        report = ConversionReport()
        (back,) = read_run(_only(incoming), report).attachments
        assert back.size == len(b"another picture")
        assert "had changed" in json.dumps(report.as_document())

    def test_a_missing_file_hands_nothing_over(
        self, incoming: IncomingFolder, run: Run, tmp_path: Path
    ) -> None:
        """The caller is told, and no half of a run is left."""
        (tmp_path / "scope.png").unlink()
        with pytest.raises(OSError, match=r"scope\.png"):
            write_run(incoming, run)
        assert incoming.is_empty()

    def test_handed_over_twice(self, incoming: IncomingFolder, run: Run) -> None:
        """The second time changes nothing."""
        assert write_run(incoming, run) == write_run(incoming, run)
        assert _only(incoming).id == run.id

    def test_an_interruption_leaves_nothing(self, incoming: IncomingFolder) -> None:
        """Neither half an item nor a hidden folder that takes room."""

        def fill(draft: ItemDraft) -> ItemContent:
            draft.add_bytes([b"half"])
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            incoming.write(uuid4(), fill)
        assert list(incoming.folder.iterdir()) == []

    def test_the_stand_in(self, tmp_path: Path, run: Run) -> None:
        """Where the data folder cannot be written the run is kept elsewhere."""
        (tmp_path / "data").write_text("a file stands in the way")
        incoming = IncomingFolder(tmp_path / "data")
        path = write_run(incoming, run)
        assert path.is_relative_to(incoming.stand_in)
        assert read_run(_only(incoming), ConversionReport()) == run
        incoming.remove(_only(incoming))

    def test_no_temporary_folder(
        self, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """On a full disk Python finds none, and a test program starts all the same."""

        def refuse() -> str:
            raise FileNotFoundError(errno.ENOENT, "No usable temporary directory")

        monkeypatch.setattr("tempfile.gettempdir", refuse)
        incoming = IncomingFolder(tmp_path / "data")
        write_run(incoming, run)
        assert _only(incoming).id == run.id

    def test_the_folder_is_fixed(
        self, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A program that changes its working folder means the same data folder."""
        monkeypatch.chdir(tmp_path)
        incoming = IncomingFolder(Path("data"))
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        assert write_run(incoming, run).parent == tmp_path / "data" / "incoming"

    @pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
    def test_a_shared_data_folder(self, tmp_path: Path, run: Run) -> None:
        """The service's user may read and remove what a station's user wrote."""
        data = tmp_path / "data"
        data.mkdir()
        data.chmod(0o2775)
        incoming = IncomingFolder(data)
        path = write_run(incoming, run)
        assert path.stat().st_mode & 0o2070 == 0o2070
        for file in path.iterdir():
            assert file.stat().st_mode & 0o060 == 0o060


def _settled(run: Run, tmp_path: Path) -> Run:
    (attachment,) = run.attachments
    assert attachment.sha256 is not None
    opener = SettledFile(tmp_path / "scope.png", attachment.sha256)
    return attrs.evolve(run, attachments=(attrs.evolve(attachment, opener=opener),))


class TestReading:
    """A folder that holds anything gives what is ours."""

    def test_strange_files_are_left_alone(
        self, incoming: IncomingFolder, run: Run
    ) -> None:
        """Hidden folders and names that are no ids are no items."""
        write_run(incoming, run)
        (incoming.folder / ".half").mkdir()
        (incoming.folder / "notes").mkdir()
        (incoming.folder / "notes.txt").write_text("")
        assert _only(incoming).id == run.id

    @pytest.mark.parametrize(
        ("document", "words"),
        [
            (b"", "is no item"),
            (b"{}", "missing required field"),
            (b"[1]", "is no item"),
            (None, "version 2"),
        ],
    )
    def test_a_damaged_item_waits_for_a_person(
        self, incoming: IncomingFolder, run: Run, document: bytes | None, words: str
    ) -> None:
        """It is listed with its reason, and nothing of it is deleted."""
        path = write_run(incoming, run) / "item.json"
        if document is None:
            document = path.read_bytes().replace(b'_item":1', b'_item":2')
        path.write_bytes(document)
        item = _only(incoming)
        assert item.refusal is not None
        assert words in item.refusal.reason
        assert IncomingIntake(incoming).take_all(lambda *_: None) == 0
        assert path.read_bytes() == document

    def test_a_renamed_copy_is_none(self, incoming: IncomingFolder, run: Run) -> None:
        """Else removing it would remove another run."""
        path = write_run(incoming, run)
        path.rename(path.with_name(str(uuid4())))
        refusal = _only(incoming).refusal
        assert refusal is not None
        assert "another run" in refusal.reason

    def test_abandoned_folders_are_swept(
        self, incoming: IncomingFolder, run: Run
    ) -> None:
        """What an interruption left a day ago goes; an item never does."""
        path = write_run(incoming, run)
        for age, name in ((3600, ".young"), (2 * 86400, ".old")):
            hidden = incoming.folder / name
            hidden.mkdir()
            moment = path.stat().st_mtime - age
            os.utime(hidden, (moment, moment))
        os.utime(path, (0, 0))
        incoming.sweep()
        assert {item.name for item in incoming.folder.iterdir()} == {
            ".young",
            path.name,
        }


class TestIntake:
    """From the folder into the queue."""

    def test_runs_are_queued_and_leave(
        self, incoming: IncomingFolder, run: Run
    ) -> None:
        """Each is submitted with its report, its bytes and its destination."""
        write_run(incoming, run, destination="https://store.example")
        taken: list[tuple[Run, str | None, bytes]] = []

        def submit(run: Run, report: ConversionReport, name: str | None) -> None:
            del report
            taken.append((run, name, _content(run.attachments[0])))

        assert IncomingIntake(incoming).take_all(submit) == 1
        assert taken == [(run, "https://store.example", b"a picture")]
        assert list(incoming.folder.iterdir()) == []

    def test_a_program_brings_its_own_rules(
        self, incoming: IncomingFolder, run: Run
    ) -> None:
        """Rules that no configuration holds travel with the item."""
        rules = IdentityRules(serial_number=["^(?P<part_number>[A-Z]+)"])
        write_run(incoming, run, identity=rules.as_table())
        taken: list[Run] = []
        IncomingIntake(incoming).take_all(lambda run, *_: taken.append(run))
        assert taken[0].unit.part_number == "SN"

    def test_a_queue_that_takes_nothing(
        self, incoming: IncomingFolder, run: Run
    ) -> None:
        """The item stays as it is, and is no one's task."""
        write_run(incoming, run)

        def submit(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        with pytest.raises(OSError, match="No space"):
            IncomingIntake(incoming).take_all(submit)
        assert _only(incoming).refusal is None

    def test_what_cannot_be_translated_waits(self, incoming: IncomingFolder) -> None:
        """It keeps its reason, is not tried again by itself, and stops nobody."""
        broken, sound = _record(incoming, b'"broken"'), _record(incoming)
        tried: list[UUID] = []

        def translate(
            item: IncomingItem, spool: Spool, report: ConversionReport
        ) -> Run:
            del spool, report
            tried.append(item.id)
            if item.given.content == b'"broken"':
                raise MalformedSourceError("nobody can read this")
            return Run(
                id=item.id,
                outcome=RunOutcome.PASS,
                procedure=ProcedureRef(),
                unit=Unit(),
            )

        intake = IncomingIntake(incoming, translate)
        assert intake.take_all(lambda *_: None) == 1
        assert intake.take_all(lambda *_: None) == 0
        assert sorted(map(str, tried)) == sorted(map(str, (broken, sound)))
        item = _only(incoming)
        assert item.refusal is not None
        assert "nobody can read this" in item.refusal.reason
        incoming.retry(item)
        intake.take_all(lambda *_: None)
        assert tried.count(broken) == 2

    def test_another_process_was_faster(
        self, incoming: IncomingFolder, run: Run
    ) -> None:
        """An item that goes while it is read is nobody's error."""
        write_run(incoming, run)

        def submit(*_: object) -> None:
            incoming.remove(_only(incoming))
            raise FileNotFoundError(errno.ENOENT, "gone")

        assert IncomingIntake(incoming).take_all(submit) == 0


class TestWaitingThreads:
    """Threads that wait do the work side by side; a forked child does it itself."""

    @pytest.fixture
    def threads(self) -> WaitingThreads:
        """Give threads that wait already."""
        threads = WaitingThreads(3)
        threads.start()
        return threads

    @pytest.mark.parametrize("started", [True, False])
    def test_results_come_in_order(self, started: bool) -> None:
        """With threads or without."""
        threads = WaitingThreads(2)
        if started:
            threads.start()
        finish = threads.begin(range(20), lambda number: number * number)
        assert finish() == [number * number for number in range(20)]

    def test_the_first_error_is_raised_in_the_end(
        self, threads: WaitingThreads
    ) -> None:
        """Nothing is under way any more then."""
        done: list[int] = []

        def work(number: int) -> None:
            done.append(number)
            if number == 1:
                raise OSError(errno.EIO, "broken")

        with pytest.raises(OSError, match="broken"):
            threads.begin(range(5), work)()
        assert sorted(done) == [0, 1, 2, 3, 4]

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
    def test_the_child_of_a_fork(
        self, threads: WaitingThreads, in_child: Callable[[Callable[[], object]], int]
    ) -> None:
        """It has no threads, starts none, and waits for none."""
        assert in_child(threads.begin([1, 2], lambda number: number)) == 0

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
    def test_handing_over_in_a_child(
        self,
        incoming: IncomingFolder,
        run: Run,
        in_child: Callable[[Callable[[], object]], int],
    ) -> None:
        """The item is there, whatever threads the parent had."""
        assert in_child(lambda: write_run(incoming, run)) == 0
        assert read_run(_only(incoming), ConversionReport()) == run


@pytest.fixture
def in_child() -> Callable[[Callable[[], Any]], int]:
    """Call a function in the child of a fork; gives its exit status."""

    def call(function: Callable[[], Any]) -> int:
        child = os.fork()
        if not child:
            status = 1
            try:
                function()
                status = 0
            finally:
                os._exit(status)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    return call
