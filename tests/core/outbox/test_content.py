"""Attachment bytes, each kept once under its digest."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rigbridge.adapters.spool import Spool
from rigbridge.errors import SourceUnreadableError
from rigbridge.model import Attachment, FileOpener, Run
from rigbridge.model.report import ConversionReport
from rigbridge.outbox.content import ContentFolder

MakeRun = Callable[..., Run]
MakeFile = Callable[..., Attachment]


@pytest.fixture(name="contents")
def _contents(tmp_path: Path) -> ContentFolder:
    return ContentFolder(tmp_path / "content")


def _files(contents: ContentFolder) -> list[Path]:
    return sorted(path for path in contents._folder.rglob("*") if path.is_file())


def _keep(contents: ContentFolder, run: Run) -> list[Attachment]:
    return list(contents.keep(run, ConversionReport()).attachments)


class TestKeep:
    """Taking over the bytes of a run."""

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(contents_of=st.lists(st.binary(max_size=40), max_size=6))
    def test_every_file_is_kept_once(
        self,
        tmp_path_factory: pytest.TempPathFactory,
        make_run: MakeRun,
        make_file: MakeFile,
        contents_of: list[bytes],
    ) -> None:
        """Equal bytes share a file; each file bears the digest of its bytes."""
        contents = ContentFolder(tmp_path_factory.mktemp("contents"))
        run = make_run(
            attachments=[
                make_file(f"{n}.bin", content) for n, content in enumerate(contents_of)
            ]
        )
        kept = _keep(contents, run)
        for attachment, content in zip(kept, contents_of, strict=True):
            assert attachment.sha256 == hashlib.sha256(content).hexdigest()
            assert attachment.size == len(content)
            assert contents.path(str(attachment.sha256)).read_bytes() == content
        assert len(_files(contents)) == len(set(contents_of))

    def test_a_file_of_a_user_is_copied(
        self, contents: ContentFolder, make_run: MakeRun, tmp_path: Path
    ) -> None:
        """A log that is still written to does not change within the outbox."""
        path = tmp_path / "rig.log"
        path.write_text("first\n")
        (kept,) = _keep(contents, make_run(attachments=[Attachment.from_file(path)]))
        with path.open("a") as stream:
            stream.write("second\n")
        assert contents.path(str(kept.sha256)).read_text() == "first\n"

    def test_a_file_of_a_spool_is_linked(
        self, contents: ContentFolder, make_run: MakeRun, tmp_path: Path
    ) -> None:
        """A spool's file is taken over without copying, and outlives the spool."""
        with Spool(tmp_path) as spool:
            attachment = spool.add([b"abc"], name="a.bin")
            (kept,) = _keep(contents, make_run(attachments=[attachment]))
            path = contents.path(str(kept.sha256))
            assert path.stat().st_nlink == 2
        assert path.read_bytes() == b"abc"

    def test_a_damaged_file_is_mended_by_the_next_that_has_its_bytes(
        self, contents: ContentFolder, make_run: MakeRun, tmp_path: Path
    ) -> None:
        """What a spool could link takes the place of what the disk has damaged."""
        with Spool(tmp_path) as spool:
            run = make_run(attachments=[spool.add([b"abc"], name="a.bin")])
            (kept,) = _keep(contents, run)
            path = contents.path(str(kept.sha256))
            # A file of its own: the one of the spool is sound.
            path.unlink()
            path.write_bytes(b"a\0c")
            _keep(contents, run)
        assert path.read_bytes() == b"abc"

    def test_a_spool_in_place_has_the_bytes_on_the_disk_already(
        self,
        contents: ContentFolder,
        make_run: MakeRun,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Its files are linked from where they lie; none is synced a second time."""
        files = [tmp_path / f"{number}.bin" for number in range(3)]
        for number, path in enumerate(files):
            path.write_bytes(b"%d" % number)
        synced: list[int] = []
        sync = os.fsync

        def watch(descriptor: int) -> None:
            """Note what is synced."""
            synced.append(os.fstat(descriptor).st_ino)
            sync(descriptor)

        monkeypatch.setattr(os, "fsync", watch)
        with Spool(tmp_path, in_place=True) as spool:
            spool.expect(files)
            attachments = [spool.adopt(path, name=path.name) for path in files]
            before = list(synced)
            kept = _keep(contents, make_run(attachments=attachments))
        assert sorted(before[:3]) == sorted(path.stat().st_ino for path in files)
        assert not set(before) & set(synced[3:])
        for path, attachment in zip(files, kept, strict=True):
            assert contents.path(str(attachment.sha256)).samefile(path)

    def test_a_file_of_another_digest_is_copied(
        self, contents: ContentFolder, make_run: MakeRun, tmp_path: Path
    ) -> None:
        """A link goes by the digest that was read, never by one that is claimed."""
        with Spool(tmp_path) as spool:
            spooled = spool.add([b"abc"], name="a.bin")
            claimed = attrs.evolve(spooled, sha256="0" * 64)
            (kept,) = _keep(contents, make_run(attachments=[claimed]))
        assert kept.sha256 == hashlib.sha256(b"abc").hexdigest()

    def test_where_links_are_impossible_it_copies(
        self,
        contents: ContentFolder,
        make_run: MakeRun,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Another file system is no obstacle."""

        def link(*_: object) -> None:
            raise OSError(18, "Invalid cross-device link")

        monkeypatch.setattr(os, "link", link)
        with Spool(tmp_path) as spool:
            attachment = spool.add([b"abc"], name="a.bin")
            (kept,) = _keep(contents, make_run(attachments=[attachment]))
        assert contents.path(str(kept.sha256)).read_bytes() == b"abc"

    def test_what_is_kept_already_is_not_read_again(
        self, contents: ContentFolder, make_run: MakeRun, make_file: MakeFile
    ) -> None:
        """A known digest costs no copy."""
        sha256 = hashlib.sha256(b"abc").hexdigest()
        _keep(contents, make_run(attachments=[make_file("a", b"abc")]))

        def opener() -> IO[bytes]:
            raise AssertionError("it was opened")

        again = Attachment(name="b", size=3, sha256=sha256, opener=opener)
        (kept,) = _keep(contents, make_run(attachments=[again]))
        assert kept.size == 3

    def test_changed_bytes_are_described_anew(
        self, contents: ContentFolder, make_run: MakeRun, tmp_path: Path
    ) -> None:
        """A file that changed after it was described is kept as it is, and noted."""
        path = tmp_path / "rig.log"
        path.write_text("first\n")
        run = make_run(attachments=[Attachment.from_file(path)])
        path.write_text("first\nsecond\n")
        report = ConversionReport()
        (kept,) = contents.keep(run, report).attachments
        assert kept.size == 13
        assert contents.path(str(kept.sha256)).read_text() == "first\nsecond\n"
        assert "had changed" in str(report.entries[0])

    def test_a_reference_stays_one(
        self, contents: ContentFolder, make_run: MakeRun
    ) -> None:
        """A file without bytes is not looked for."""
        reference = Attachment(name="far.bin")
        assert _keep(contents, make_run(attachments=[reference])) == [reference]

    def test_no_file_has_its_name_before_its_bytes_are_on_the_disk(
        self,
        contents: ContentFolder,
        make_run: MakeRun,
        make_file: MakeFile,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """After a power cut a name stands for whole bytes; last come the names."""
        synced: list[tuple[int, bool]] = []
        sync = os.fsync

        def watch(descriptor: int) -> None:
            """Note what is synced, and whether any file had its name then."""
            named = any(not path.name.startswith(".") for path in _files(contents))
            synced.append((os.fstat(descriptor).st_ino, named))
            sync(descriptor)

        monkeypatch.setattr(os, "fsync", watch)
        files = [make_file(f"{n}.bin", b"%d" % n * 1000) for n in range(5)]
        _keep(contents, make_run(attachments=files))
        when = dict(synced)
        paths = _files(contents)
        assert len(paths) == 5
        assert [when[path.stat().st_ino] for path in paths] == [False] * 5
        if os.name != "nt":
            assert when[contents._folder.stat().st_ino]
            assert contents._folder.parent.stat().st_ino in when

    def test_one_bad_file_among_several_leaves_nothing_behind(
        self,
        contents: ContentFolder,
        make_run: MakeRun,
        make_file: MakeFile,
        tmp_path: Path,
    ) -> None:
        """Whichever of them had been copied by then."""
        files = [make_file(f"{n}.bin", b"%d" % n) for n in range(5)]
        missing = Attachment(name="gone", size=1, opener=FileOpener(tmp_path / "gone"))
        run = make_run(attachments=[*files[:3], missing, *files[3:]])
        with pytest.raises(SourceUnreadableError, match="gone"):
            _keep(contents, run)
        assert _files(contents) == []

    def test_a_missing_file_is_named(
        self, contents: ContentFolder, make_run: MakeRun, tmp_path: Path
    ) -> None:
        """A file that cannot be read is an error that leaves nothing behind."""
        path = tmp_path / "gone.txt"
        path.write_text("x")
        attachment = Attachment.from_file(path)
        path.unlink()
        with pytest.raises(SourceUnreadableError, match=r"gone\.txt: .*cannot be read"):
            _keep(contents, make_run(attachments=[attachment]))
        assert not _files(contents)


class TestSweep:
    """Removing what nobody refers to."""

    def test_only_what_is_wanted_stays(
        self, contents: ContentFolder, make_run: MakeRun, make_file: MakeFile
    ) -> None:
        """A file without an entry is removed."""
        kept = _keep(
            contents, make_run(attachments=[make_file("a", b"1"), make_file("b", b"2")])
        )
        contents.sweep({str(kept[0].sha256)})
        assert _files(contents) == [contents.path(str(kept[0].sha256))]

    def test_copies_under_way_are_spared(
        self, contents: ContentFolder, make_run: MakeRun, make_file: MakeFile
    ) -> None:
        """What another process is writing stays, what one left a day ago does not."""
        _keep(contents, make_run(attachments=[make_file("a", b"1")]))
        young, old = (contents._folder / f".part-{name}" for name in ("young", "old"))
        young.write_bytes(b"")
        old.write_bytes(b"")
        day_before = time.time() - 48 * 3600
        os.utime(old, (day_before, day_before))
        contents.sweep(set())
        assert _files(contents) == [young]

    def test_removing_twice_is_no_error(self, contents: ContentFolder) -> None:
        """Two processes may remove the same file."""
        contents.remove("0" * 64)
        contents.sweep(set())
