"""Runs in files: written whole, read back as they were, listed and removed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rigbridge.errors import MalformedSourceError
from rigbridge.kept import RunFolder, attachment_folder
from rigbridge.model import Attachment, Run
from rigbridge.model.report import ConversionReport, Place

MakeRun = Callable[..., Run]


@pytest.fixture(name="run")
def _run(make_run: MakeRun, tmp_path: Path) -> Run:
    """Give a run with a file and a reference to another."""
    path = tmp_path / "trace.bin"
    path.write_bytes(b"trace" * 1000)
    return make_run(
        attachments=[Attachment.from_file(path), Attachment(name="elsewhere.png")]
    )


@pytest.fixture(name="report")
def _report() -> ConversionReport:
    """Give a report with an entry of each kind."""
    report = ConversionReport()
    report.mapped("phase", 3)
    report.coerced("time", "filled", place=Place(line=7), detail="T")
    report.dropped("value", "unknown")
    return report


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> RunFolder:
    """Give a folder that is not there yet."""
    return RunFolder(tmp_path / "data/kept")


class TestRoundTrip:
    """What is written comes back."""

    def test_a_run_comes_back_with_its_files_and_report(
        self, folder: RunFolder, run: Run, report: ConversionReport
    ) -> None:
        """The bytes are those of the folder, whatever became of the original."""
        path = folder.write(run, report, reason="the disk was full")
        kept = folder.read(path)
        assert kept.run == run
        assert kept.report is not None
        assert kept.report.as_document() == report.as_document()
        file, reference = kept.run.attachments
        assert reference.opener is None
        assert file.opener is not None
        with file.opener() as stream:
            assert stream.read() == b"trace" * 1000
        assert path.with_suffix(".txt").read_text() == "the disk was full"

    def test_a_run_without_a_report_has_none(self, folder: RunFolder, run: Run) -> None:
        """None is made up."""
        path = folder.write(run, attachments=False)
        assert folder.read(path).report is None
        assert list(folder.folder.iterdir()) == [path]

    def test_writing_a_run_again_replaces_it(
        self, folder: RunFolder, run: Run, report: ConversionReport
    ) -> None:
        """One file a run, the newest."""
        folder.write(run)
        path = folder.write(run, report)
        assert folder.runs() == [path]
        assert folder.read(path).report is not None

    def test_removing_leaves_nothing(self, folder: RunFolder, run: Run) -> None:
        """Files, reason and run go; a second time nothing happens."""
        folder.write(run, reason="why")
        folder.remove(run.id)
        folder.remove(run.id)
        assert list(folder.folder.iterdir()) == []

    def test_other_files_are_no_runs(self, folder: RunFolder, run: Run) -> None:
        """What is being written is hidden, a record of a vendor is listed apart."""
        path = folder.write(run)
        record = folder.folder / "record.vendor.json"
        record.write_bytes(b"{}")
        (folder.folder / f".{path.name}.1.partial").write_bytes(b"{")
        assert folder.runs() == [path]
        assert folder.files() == sorted([path, record])


class TestDamage:
    """What is not as it was written."""

    @pytest.mark.parametrize(
        "content", [b'{"id": ', b"[]", b"{}", b'{"rigbridge_run":2}', b"\xff"]
    )
    def test_a_file_that_is_no_run_is_refused(
        self, folder: RunFolder, run: Run, content: bytes
    ) -> None:
        """Cut JSON, other JSON and a version to come are named as what they are."""
        path = folder.write(run)
        path.write_bytes(content)
        with pytest.raises(MalformedSourceError, match="is no run"):
            folder.read(path)

    def test_a_report_that_is_none_is_refused(
        self, folder: RunFolder, run: Run
    ) -> None:
        """A run is not read with half of its report."""
        path = folder.write(run, ConversionReport())
        path.write_bytes(path.read_bytes().replace(b'"unlisted"', b'"other"'))
        with pytest.raises(MalformedSourceError, match="conversion report"):
            folder.read(path)

    def test_changed_bytes_are_refused(self, folder: RunFolder, run: Run) -> None:
        """A file is what its name says, or it is an error."""
        path = folder.write(run)
        (file,) = attachment_folder(path).iterdir()
        file.write_bytes(b"other")
        with pytest.raises(MalformedSourceError, match="damaged"):
            folder.read(path)

    def test_a_run_under_another_name_is_refused(
        self, folder: RunFolder, run: Run, make_run: MakeRun
    ) -> None:
        """It would be removed under the wrong one."""
        path = folder.write(run)
        other = folder.path(make_run().id)
        path.rename(other)
        with pytest.raises(MalformedSourceError, match="another run"):
            folder.read(other)


class TestDurability:
    """What a power cut may not take."""

    @pytest.mark.skipif(
        not Path("/proc/self/fd").is_dir(), reason="Linux tells the path of a file"
    )
    def test_bytes_are_synced_before_the_name_and_the_folder_after_it(
        self, folder: RunFolder, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """For each file: its bytes, its name, its folder; the JSON file is the last."""
        done: list[str] = []
        sync, rename = os.fsync, Path.replace

        def note_sync(descriptor: int) -> None:
            path = Path(f"/proc/self/fd/{descriptor}").readlink()
            done.append(f"sync {path.name}")
            sync(descriptor)

        def note_rename(path: Path, target: Path) -> Path:
            done.append(f"name {target.name}")
            return rename(path, target)

        monkeypatch.setattr(os, "fsync", note_sync)
        monkeypatch.setattr(Path, "replace", note_rename)
        path = folder.write(run, reason="why")
        files = attachment_folder(path)
        (file,) = files.iterdir()
        partial = f".{{}}.{os.getpid()}.partial"
        assert done == [
            step
            for target in (file, path.with_suffix(".txt"), path)
            for step in (
                f"sync {partial.format(target.name)}",
                f"name {target.name}",
                f"sync {target.parent.name}",
            )
        ]

    def test_a_run_that_cannot_be_written_leaves_nothing(
        self, folder: RunFolder, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Half a run takes no room from the next attempt."""

        def fail(_: Any, path: Path) -> Path:
            raise OSError(28, "no room", str(path))

        monkeypatch.setattr(Path, "replace", fail)
        with pytest.raises(OSError, match="no room"):
            folder.write(run)
        assert list(folder.folder.iterdir()) == []
