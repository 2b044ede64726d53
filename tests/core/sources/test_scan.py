"""Which files a scan gives: folders in order, each file once, links, gaps."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from rigbridge.sources import Scan


def paths_of(*paths: Path) -> list[Path | None]:
    """Scan paths, and give the paths that were found."""
    return [item.path for item in Scan(paths)]


class TestScan:
    """Paths to files."""

    def test_folders_are_read_in_order(self, tmp_path: Path) -> None:
        """The order does not depend on the file system."""
        for name in ("b/2.xml", "a/1.xml", "c.xml", ".hidden", ".git/x"):
            file = tmp_path / name
            file.parent.mkdir(exist_ok=True)
            file.touch()
        names = [
            str(path and path.relative_to(tmp_path)) for path in paths_of(tmp_path)
        ]
        assert names == ["c.xml", "a/1.xml", "b/2.xml"]

    def test_settings_beside_reports_are_no_report(self, tmp_path: Path) -> None:
        """A folder may hold rigbridge.toml; named by itself it is tried as a report."""
        settings = tmp_path / "rigbridge.toml"
        settings.touch()
        assert paths_of(tmp_path) == []
        assert paths_of(settings) == [settings]

    def test_a_file_named_twice_is_read_once(self, tmp_path: Path) -> None:
        """A folder and a file in it overlap."""
        file = tmp_path / "a.xml"
        file.touch()
        assert paths_of(tmp_path, file) == [file]

    def test_linked_folders_are_read_once(self, tmp_path: Path) -> None:
        """A link to a folder is followed; one that leads back up ends there."""
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "a.xml").touch()
        inbox = tmp_path / "inbox"
        inbox.mkdir()
        (inbox / "link").symlink_to(elsewhere)
        (inbox / "loop").symlink_to(inbox)
        assert paths_of(inbox) == [inbox / "link" / "a.xml"]

    def test_a_folder_that_cannot_be_listed_is_given_on(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A folder without permission is not passed over: reading it says so."""
        closed = tmp_path / "closed"
        closed.mkdir()
        listed = os.scandir

        def refused(path: str) -> Any:
            # Root may list every folder, so the system cannot be made to refuse.
            if Path(path) == closed:
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            return listed(path)

        monkeypatch.setattr(os, "scandir", refused)
        assert paths_of(tmp_path) == [closed]

    def test_a_missing_path_is_given_on(self, tmp_path: Path) -> None:
        """Reading it then says that it is missing."""
        assert paths_of(tmp_path / "gone") == [tmp_path / "gone"]
