"""From what a person named to the sources: files, folders, patterns, archives, URLs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

from rigbridge.sources.archives import archive_members, is_archive
from rigbridge.sources.counts import ScanCounts
from rigbridge.sources.folders import FolderWalk
from rigbridge.sources.found import FoundSource
from rigbridge.sources.members import Unpacking
from rigbridge.sources.patterns import Selection, has_pattern, split_pattern
from rigbridge.sources.remote import is_url, remote_files

__all__ = ["Scan"]


class Scan:
    """
    The sources that paths, patterns and URLs name, one after the other.

    A file is given itself, of a folder all files below it, of an archive all members.
    A file that is named twice is given once. What does not exist or cannot be read is
    given as well: reading it gives the error. Use it in a ``with`` statement, to the
    end of which temporary copies of members last.

    Raises:
        ConfigurationError: a pattern can match nothing.

    Attributes:
        counts: what was passed over so far.
    """

    def __init__(
        self, named: Iterable[str | Path], selection: Selection | None = None
    ) -> None:
        self._named = named
        self._selection = selection or Selection()
        self._selection.check()
        self._spool: tempfile.TemporaryDirectory[str] | None = None
        self.counts = ScanCounts()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Delete temporary copies; what they hold cannot be read any more."""
        if self._spool is not None:
            self._spool.cleanup()

    def __iter__(self) -> Iterator[FoundSource]:
        walk = FolderWalk(self._selection, self.counts)
        for name in self._named:
            for found in self._files(name, walk):
                yield from self.opened(found)

    def again(self, address: str) -> Iterator[FoundSource]:
        """
        Give the file of an address that a scan found, or the members of that archive.
        """
        if is_url(address):
            files = remote_files(address, self._selection, self._exclude)
        else:
            files = iter((FoundSource.of_path(Path(address)),))
        for found in files:
            yield from self.opened(found)

    def opened(self, found: FoundSource) -> Iterator[FoundSource]:
        """Give the members of an archive, and any other file itself."""
        if is_archive(found.name) and not found.is_refused:
            yield from self._members(found)
        else:
            yield found

    def _files(self, name: str | Path, walk: FolderWalk) -> Iterator[FoundSource]:
        if isinstance(name, str) and is_url(name):
            yield from remote_files(name, self._selection, self._exclude)
            return
        path = Path(name)
        # Not Path.is_dir, which raises where a folder above may not be searched.
        if os.path.isdir(path):  # noqa: PTH112
            yield from walk.below(path)
        # Shells that know patterns have replaced them; that of Windows does not.
        elif has_pattern(str(path)) and not os.path.lexists(path):
            above, pattern = split_pattern(str(path))
            yield from walk.below(Path(above or "."), Selection(include=(pattern,)))
        elif walk.is_new(path):
            if is_archive(path.name) or self._selection.takes(path.name):
                yield FoundSource.of_path(path)
            else:
                self._exclude()

    def _exclude(self) -> None:
        self.counts.excluded += 1

    def _members(self, archive: FoundSource) -> Iterator[FoundSource]:
        below = archive.name
        if archive.path is not None and archive.root is not None:
            below = archive.path.relative_to(archive.root).as_posix()

        def takes(member: str) -> bool:
            wanted = self._selection.takes(f"{below}/{member.lstrip('/')}")
            if not wanted:
                self._exclude()
            return wanted

        unpacking = Unpacking.of(archive.size or 0, self._folder)
        yield from archive_members(archive, unpacking, takes)

    def _folder(self) -> Path:
        if self._spool is None:
            self._spool = tempfile.TemporaryDirectory(
                prefix="rigbridge-members-", ignore_cleanup_errors=True
            )
        return Path(self._spool.name)
