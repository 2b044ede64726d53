"""The folder in which imports lay bytes aside, each its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rigbridge.imports.spooling import import_spool


def test_imports_that_begin_at_once_leave_each_other_alone(tmp_path: Path) -> None:
    """A new folder is not taken for one that a killed import has left."""

    def begin(_: int) -> bool:
        with import_spool(tmp_path) as folder:
            (folder / "bytes").write_bytes(b"1")
            return (folder / "bytes").read_bytes() == b"1"

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(begin, range(40)))


def test_what_a_killed_import_left_is_removed(tmp_path: Path) -> None:
    """Once the next one begins."""
    left = tmp_path / "importing" / "left"
    left.mkdir(parents=True)
    (left / "bytes").write_bytes(b"1")
    with import_spool(tmp_path) as folder:
        assert folder.is_dir()
        assert not left.exists()
