"""Folders that several users share."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rigbridge.adapters.spool import Spool
from rigbridge.destinations import Destination
from rigbridge.machine import folders as sharing
from rigbridge.machine.folders import file_chunks
from rigbridge.model import Attachment, Run
from rigbridge.outbox import Outbox

MakeRun = Callable[..., Run]
MakeFile = Callable[..., Attachment]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")


@pytest.fixture(name="mask", autouse=True)
def _mask() -> Iterator[None]:
    """Let nothing that is made be writable for the group by itself, as is usual."""
    before = os.umask(0o027)
    yield
    os.umask(before)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class TestSharing:
    """What is made in a folder with the set-group-ID bit, and in others."""

    def test_what_is_made_is_as_open_to_the_group_as_the_folder(
        self, tmp_path: Path
    ) -> None:
        """Folders at any depth, and files; the mask of the program does not count."""
        tmp_path.chmod(0o2770)
        sharing.make_folder(tmp_path / "a/b")
        sharing.make_file(tmp_path / "a/b/c")
        assert _mode(tmp_path / "a") == _mode(tmp_path / "a/b") == 0o2770
        assert _mode(tmp_path / "a/b/c") == 0o660

    def test_elsewhere_the_mask_counts(self, tmp_path: Path) -> None:
        """Neither a folder that all may write nor one of the group opens anything."""
        tmp_path.chmod(0o1777)
        sharing.make_folder(tmp_path / "a")
        sharing.make_file(tmp_path / "a/b")
        assert _mode(tmp_path / "a") == 0o750
        assert _mode(tmp_path / "a/b") == 0o640

    def test_making_twice_changes_nothing(self, tmp_path: Path) -> None:
        """What is there keeps its content and its permissions."""
        tmp_path.chmod(0o2770)
        path = tmp_path / "a"
        path.write_text("there")
        path.chmod(0o600)
        sharing.make_file(path)
        sharing.make_folder(tmp_path)
        assert (path.read_text(), _mode(path)) == ("there", 0o600)
        with pytest.raises(FileExistsError):
            sharing.make_folder(path)


def test_all_of_an_outbox_is_open_to_the_group_of_its_folder(
    tmp_path: Path, make_run: MakeRun, make_file: MakeFile
) -> None:
    """So a service and the programs of other users use one, the linked files too."""
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o2770)
    with Spool(tmp_path) as spool, Outbox.open(data / "outbox", _nowhere) as outbox:
        spooled = spool.add([b"1" * 100], name="spooled")
        outbox.submit(make_run(attachments=[spooled, make_file("copied", b"2")]))
        found = list(data.rglob("*"))
        files = {path.name: _mode(path) for path in found if path.is_file()}
        folders = {_mode(path) for path in found if path.is_dir()}
    assert {"outbox.sqlite", "outbox.sqlite-wal"} <= files.keys()
    assert len(files) >= 4
    assert all(mode & 0o060 == 0o060 for mode in files.values()), files
    assert folders == {0o2770}


def _nowhere() -> Destination:
    raise AssertionError("nothing is sent here")


def test_a_file_that_grows_while_it_is_read_has_an_end(tmp_path: Path) -> None:
    """What is appended meanwhile belongs to the next copy."""
    path = tmp_path / "log"
    path.write_bytes(b"x" * 10)
    with path.open("rb") as stream, path.open("ab", buffering=0) as growing:
        pieces = file_chunks(stream)
        first = next(pieces)
        growing.write(b"y")
        assert [first, *pieces] == [b"x" * 10]
        stream.seek(0)
        assert b"".join(file_chunks(stream)) == b"x" * 10 + b"y"


def test_a_file_of_the_kernel_is_read_though_it_has_no_size() -> None:
    """Its size says nothing."""
    path = Path("/proc/self/status")
    if not path.exists():
        pytest.skip("needs Linux")
    with path.open("rb") as stream:
        assert b"Name:" in b"".join(file_chunks(stream))
