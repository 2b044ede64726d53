"""What becomes of report files after their import."""

from __future__ import annotations

import os
import zipfile
from importlib import resources
from pathlib import Path
from uuid import uuid4

import attrs
import pytest

from rigbridge.cli.main import app
from rigbridge.errors import ConfigurationError, MalformedSourceError, NoAnswerError
from rigbridge.imports import After, Afterwards, FileStep, ImportedRun, SourceResult
from rigbridge.ledger import RunStatus
from rigbridge.model import RunOutcome

posix = pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")


def result_of(path: Path, status: RunStatus = RunStatus.CREATED) -> SourceResult:
    """Give the result of a file of one run."""
    state = path.stat()
    run = ImportedRun(
        id=uuid4(),
        serial_number="1",
        procedure="p",
        outcome=RunOutcome.PASS,
        started_at=None,
        phases=0,
        measurements=0,
        attachments=0,
        status=status,
    )
    return SourceResult(
        source=str(path),
        path=path,
        size=state.st_size,
        mtime_ns=state.st_mtime_ns,
        runs=(run,),
    )


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """A folder with a report in a folder."""
    (tmp_path / "inbox" / "day").mkdir(parents=True)
    (tmp_path / "inbox" / "day" / "a.xml").write_text("<a/>")
    return tmp_path / "inbox"


@pytest.fixture
def report(inbox: Path) -> Path:
    """The report in it."""
    return inbox / "day" / "a.xml"


def files(folder: Path) -> list[str]:
    """List the files below a folder."""
    found = (path for path in folder.rglob("*") if not path.is_dir())
    return sorted(path.relative_to(folder).as_posix() for path in found)


def finish(inbox: Path, step: FileStep, *results: SourceResult) -> Afterwards:
    """Do what is to be done."""
    afterwards = Afterwards(step, (inbox,))
    for result in results:
        afterwards.finish(result)
    afterwards.close()
    return afterwards


def moving(inbox: Path) -> FileStep:
    """Move to a folder beside the inbox."""
    return FileStep(after=After.MOVE, folder=inbox.parent / "done")


class TestDelivered:
    """Files of which everything is stored."""

    def test_a_file_is_moved_with_its_folders(self, inbox: Path, report: Path) -> None:
        """So that equal names of different folders do not meet."""
        done = finish(inbox, moving(inbox), result_of(report))
        assert files(inbox) == []
        assert files(inbox.parent / "done") == ["day/a.xml"]
        assert done.counts.done == 1

    def test_a_file_is_deleted(self, inbox: Path, report: Path) -> None:
        """On demand."""
        finish(inbox, FileStep(after=After.DELETE), result_of(report))
        assert files(inbox) == []

    def test_nothing_is_overwritten(self, inbox: Path, report: Path) -> None:
        """Another file of that name stays, and so does this one."""
        other = inbox.parent / "done" / "day" / "a.xml"
        other.parent.mkdir(parents=True)
        other.write_text("<b/>")
        finish(inbox, moving(inbox), result_of(report))
        assert other.read_text() == "<b/>"
        assert other.with_name("a (2).xml").read_text() == "<a/>"

    def test_a_move_that_was_cut_off_is_ended(self, inbox: Path, report: Path) -> None:
        """Between the new name and the end of the old one."""
        target = inbox.parent / "done" / "day" / "a.xml"
        target.parent.mkdir(parents=True)
        os.link(report, target)
        finish(inbox, moving(inbox), result_of(report, RunStatus.KNOWN))
        assert files(inbox) == []
        assert files(inbox.parent / "done") == ["day/a.xml"]

    def test_another_disk_gets_a_copy(
        self, inbox: Path, report: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Which is there before the file goes."""

        def refuse(*paths: Path) -> None:
            raise OSError(18, "Invalid cross-device link", str(paths))

        monkeypatch.setattr(os, "link", refuse)
        finish(inbox, moving(inbox), result_of(report))
        assert (inbox.parent / "done" / "day" / "a.xml").read_text() == "<a/>"
        assert files(inbox) == []

    def test_files_are_archived_by_day(self, inbox: Path, report: Path) -> None:
        """An archive is never changed: the next files get the next one."""
        step = FileStep(after=After.ARCHIVE, folder=inbox.parent / "old")
        finish(inbox, step, result_of(report))
        report.write_text("<b/>")
        finish(inbox, step, result_of(report))
        contents = []
        for name in files(inbox.parent / "old"):
            with zipfile.ZipFile(inbox.parent / "old" / name) as archive:
                contents.append(archive.read("day/a.xml"))
        assert contents == [b"<a/>", b"<b/>"]
        assert files(inbox) == []

    def test_a_file_that_grows_while_it_is_archived_stays(
        self, inbox: Path, report: Path
    ) -> None:
        """The member is compared before the file goes."""
        step = FileStep(after=After.ARCHIVE, folder=inbox.parent / "old")
        afterwards = Afterwards(step, (inbox,))
        afterwards.finish(result_of(report))
        report.write_text("<longer/>")
        afterwards.close()
        assert files(inbox) == ["day/a.xml"]
        assert afterwards.counts.left == 1


class TestLeft:
    """Files that must not be touched."""

    def test_what_is_not_stored_stays(self, inbox: Path, report: Path) -> None:
        """Only read, other content in the store, no run, not tried, queued."""
        whole = result_of(report)
        step = FileStep(after=After.DELETE)
        finish(
            inbox,
            step,
            result_of(report, RunStatus.PLANNED),
            result_of(report, RunStatus.DIFFERS),
            SourceResult(source="x", path=report),
            SourceResult(source="x", path=report, runs=whole.runs, tried=False),
            SourceResult(
                source="x", path=report, runs=whole.runs, quarantined=(report,)
            ),
        )
        assert files(inbox) == ["day/a.xml"]

    def test_a_file_that_has_changed_stays(self, inbox: Path, report: Path) -> None:
        """What is new in it is not stored."""
        result = result_of(report)
        report.write_text("<a/><b/>")
        done = finish(inbox, FileStep(after=After.DELETE), result)
        assert files(inbox) == ["day/a.xml"]
        assert "has changed" in done.counts.problems[0]

    @posix
    def test_links_are_not_followed(self, inbox: Path, report: Path) -> None:
        """Neither a file that is one, nor a folder that leads out."""
        outside = inbox.parent / "outside"
        outside.mkdir()
        report.rename(outside / "a.xml")
        (inbox / "linked").symlink_to(outside)
        report.symlink_to(outside / "a.xml")
        results = map(result_of, (report, inbox / "linked" / "a.xml"))
        done = finish(inbox, FileStep(after=After.DELETE), *results)
        assert files(outside) == ["a.xml"]
        assert done.counts.left == 2

    def test_a_file_that_is_gone_is_said(self, inbox: Path, report: Path) -> None:
        """A failed step is no failed import."""
        result = result_of(report)
        report.unlink()
        assert finish(inbox, moving(inbox), result).counts.left == 1

    def test_a_folder_that_is_imported_takes_no_files(self, inbox: Path) -> None:
        """They would be imported again."""
        for step in (
            FileStep(after=After.MOVE, folder=inbox / "done"),
            FileStep(bad=inbox / "bad"),
        ):
            with pytest.raises(ConfigurationError, match="imported again"):
                Afterwards(step, (inbox,))
        with pytest.raises(ConfigurationError, match="needs a folder"):
            Afterwards(FileStep(after=After.MOVE), (inbox,))


class TestBad:
    """Files that could not be imported."""

    @pytest.mark.parametrize("move", [False, True])
    def test_it_lies_beside_its_reason(
        self, inbox: Path, report: Path, *, move: bool
    ) -> None:
        """A copy, or the file itself."""
        state = report.stat()
        bad = inbox.parent / "bad"
        result = SourceResult(
            source=str(report),
            path=report,
            size=state.st_size,
            mtime_ns=state.st_mtime_ns,
            errors=(MalformedSourceError("is cut off", source="a.xml"),),
        )
        for _ in range(1 if move else 2):
            finish(inbox, FileStep(bad=bad, move_bad=move), result)
        assert files(bad) == ["day/a.xml", "day/a.xml.reason.txt"]
        assert "is cut off" in (bad / "day" / "a.xml.reason.txt").read_text()
        assert bool(files(inbox)) is not move

    def test_a_store_that_is_out_makes_no_bad_files(
        self, inbox: Path, report: Path
    ) -> None:
        """They are imported later as they are."""
        result = SourceResult(source="x", path=report, errors=(NoAnswerError("out"),))
        done = finish(inbox, FileStep(bad=inbox.parent / "bad"), result)
        assert done.counts.bad == 0


def test_the_command_clears_a_folder(
    inbox: Path, report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is imported goes one way, what is bad the other."""
    report.write_text('{"no": "report"}')
    source = resources.files("rigbridge.examples")
    name = next(item.name for item in source.iterdir() if item.name.endswith(".json"))
    (inbox / name).write_bytes((source / name).read_bytes())
    with pytest.raises(SystemExit) as ended:
        app(
            [
                *("import", str(inbox), "--data", str(inbox.parent / "data")),
                *("--after", "move", "--after-folder", str(inbox.parent / "done")),
                *("--bad-move", str(inbox.parent / "bad"), "--time-zone", "UTC"),
            ]
        )
    assert ended.value.code == 1
    assert files(inbox) == []
    assert files(inbox.parent / "done") == [name]
    assert "1 imported file treated, 1 bad file put aside" in capsys.readouterr().out


@posix
def test_the_reason_is_there_before_the_file(
    inbox: Path, report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A move that is cut off leaves the file where it was; it is moved next time."""
    bad = tmp_path / "bad"
    step = FileStep(bad=bad, move_bad=True)
    error = MalformedSourceError("is no report", source=str(report))
    result = attrs.evolve(result_of(report), runs=(), errors=(error,))

    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("os.link", cut_off)
        with pytest.raises(KeyboardInterrupt):
            finish(inbox, step, result)
    assert report.is_file()
    assert files(bad) == ["day/a.xml.reason.txt"]
    finish(inbox, step, result)
    assert files(bad) == ["day/a.xml", "day/a.xml.reason.txt"]
    assert "is no report" in (bad / "day" / "a.xml.reason.txt").read_text()
