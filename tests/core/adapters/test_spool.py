"""The folder for the attachment bytes of runs that are on their way."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from rigbridge.adapters import Spool
from rigbridge.model import Attachment, SettledFile


class TestExpectedFiles:
    """Files that are read side by side before they are adopted."""

    def test_each_is_adopted_as_if_it_had_not_been_expected(
        self, tmp_path: Path
    ) -> None:
        """Size, digest and bytes are its own."""
        paths = [tmp_path / f"trace_{number}.bin" for number in range(5)]
        for number, path in enumerate(paths):
            path.write_bytes(bytes([number]) * (number * 300_000))
        with Spool(tmp_path) as spool:
            spool.expect(paths)
            for path in paths:
                attachment = spool.adopt(path, name=path.name)
                content = path.read_bytes()
                assert attachment.size == len(content)
                assert attachment.sha256 == hashlib.sha256(content).hexdigest()
                assert attachment.opener is not None
                with attachment.opener() as stream:
                    assert stream.read() == content

    def test_one_that_is_missing_fails_alone(self, tmp_path: Path) -> None:
        """Its error names it, when it is its turn."""
        there, missing = tmp_path / "there.bin", tmp_path / "missing.bin"
        there.write_bytes(b"bytes")
        with Spool(tmp_path) as spool:
            spool.expect([missing, there])
            assert spool.adopt(there, name="there.bin").size == 5
            with pytest.raises(FileNotFoundError) as caught:
                spool.adopt(missing, name="missing.bin")
        assert caught.value.filename == str(missing)


class TestInPlace:
    """Files that stay where they are for as long as the spool is open."""

    def test_nothing_is_written(self, tmp_path: Path) -> None:
        """The file itself is opened, and outlives the spool."""
        home, path = tmp_path / "home", tmp_path / "trace.bin"
        home.mkdir()
        path.write_bytes(b"bytes")
        with Spool(home, in_place=True) as spool:
            spool.expect([path])
            attachment = spool.adopt(path, name="trace.bin")
            assert list(home.iterdir()) == []
            assert attachment.opener is not None
            with attachment.opener() as stream:
                assert stream.read() == b"bytes"
        assert path.exists()

    def test_only_what_an_outbox_could_link_is_synced(self, tmp_path: Path) -> None:
        """A file of another disk is copied from there, so its own need not wait."""
        path = tmp_path / "trace.bin"
        path.write_bytes(b"bytes")
        with Spool(tmp_path, in_place=True) as spool:
            spool.expect([path])
            assert _synced(spool.adopt(path, name="trace.bin"))
        elsewhere = Path("/dev/shm")  # noqa: S108 - only its disk is looked at
        if not elsewhere.is_dir():
            pytest.skip("there is no second file system")
        with Spool(elsewhere, in_place=True) as spool:
            spool.expect([path])
            assert not _synced(spool.adopt(path, name="trace.bin"))
        with Spool(tmp_path) as spool:
            spool.expect([path])
            assert not _synced(spool.adopt(path, name="trace.bin"))

    def test_closing_waits_for_what_is_being_read(self, tmp_path: Path) -> None:
        """Also where nothing was adopted, as after an error."""
        path = tmp_path / "trace.bin"
        path.write_bytes(bytes(5_000_000))
        with Spool(tmp_path, in_place=True) as spool:
            spool.expect([path])
        assert not [t for t in threading.enumerate() if t.name == "rigbridge-spool"]


def _synced(attachment: Attachment) -> bool:
    assert isinstance(attachment.opener, SettledFile)
    return attachment.opener.synced
