"""From paths to the files below them, in a stable order, never all of them at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Self

import attrs

from rigbridge.adapters import Source
from rigbridge.configuration import FILE_NAME
from rigbridge.machine.folders import path_text
from rigbridge.model import FileOpener
from rigbridge.outbox.incoming import ITEM_FILE, is_item_name

__all__ = ["FoundSource", "scan"]

_AT_ONCE = 20_000
"""How many names of a folder are put into order together: it may hold millions."""


@attrs.frozen(kw_only=True)
class FoundSource:
    """
    Where a source is; can be sent to another process, which opens it there.

    Attributes:
        name: the file name without folders.
        uri: what a person recognizes it by, usually its path.
        opener: gives a new binary stream of the stored bytes at each call; can be
            pickled.
        path: the file, where it is one of this machine.
        size: its length in bytes, or None where that is not known.
        mtime_ns: when it was changed last, in nanoseconds of Unix time, or None.
    """

    name: str
    uri: str
    opener: Callable[[], IO[bytes]] = attrs.field(repr=False)
    path: Path | None = None
    size: int | None = None
    mtime_ns: int | None = None

    @classmethod
    def of_path(cls, path: Path, state: os.stat_result | None = None) -> Self:
        """
        Describe a file; whether it can be read is said when it is.

        Args:
            path: the file.
            state: what the system says of it, where that is known already.
        """
        if state is None:
            try:
                state = path.stat()
            except (OSError, ValueError):
                state = None
        return cls(
            name=path_text(Path(path.name)),
            uri=path_text(path),
            opener=FileOpener(path),
            path=path,
            size=None if state is None else state.st_size,
            mtime_ns=None if state is None else state.st_mtime_ns,
        )

    def source(self) -> Source:
        """Make the source, to be read in this process."""
        return Source(name=self.name, uri=self.uri, opener=self.opener, path=self.path)


def scan(paths: Iterable[Path]) -> Iterator[FoundSource]:
    """
    Go through the files that paths name: a file itself, a folder all files below it.

    Folders are read in the order of their names, very large ones in portions. Links to
    folders are followed, each folder once. Within a folder, names that begin with a dot
    are skipped, and so is our own configuration file. Of a run in quarantine only its
    document is given, which names its other files. A file that is named twice is given
    once. A path that does not exist, or a folder that cannot be listed, is given as it
    is: reading it gives the error.
    """
    walk = _Walk()
    for path in paths:
        # Not Path.is_dir, which raises where a folder above may not be searched.
        if os.path.isdir(path):  # noqa: PTH112
            yield from walk.below(path)
        elif walk.is_new(path):
            yield FoundSource.of_path(path)


class _Walk:
    """Goes through folders, and knows where it has been."""

    def __init__(self) -> None:
        # By identity, since links give one folder many paths; one may lead back up.
        self._visited: set[tuple[int, int]] = set()
        self._named: set[str] = set()

    def is_new(self, path: Path) -> bool:
        """Note a file that is named by itself; False for one that was given before."""
        # Not resolved: a link and its target are two files with names of their own.
        key = str(path.absolute())
        if key in self._named or (
            _is_listed(path.name) and self._identity(path.parent) in self._visited
        ):
            return False
        self._named.add(key)
        return True

    def below(self, folder: Path) -> Iterator[FoundSource]:
        waiting = [folder]
        unlisted: list[Path] = []
        while waiting:
            here = waiting.pop()
            identity = self._identity(here)
            if identity in self._visited:
                continue
            if identity is not None:
                self._visited.add(identity)
            folders: list[str] = []
            try:
                yield from self._files(here, folders)
            except OSError:
                # A folder that is gone again is no error of anybody.
                if identity is not None:
                    unlisted.append(here)
            # The first of them is the next one.
            waiting += [here / name for name in sorted(folders, reverse=True)]
        for path in unlisted:
            yield FoundSource.of_path(path)

    def _files(self, folder: Path, folders: list[str]) -> Iterator[FoundSource]:
        """Give the files of a folder, and gather the names of its folders."""
        if is_item_name(folder.name) and (folder / ITEM_FILE).is_file():
            yield FoundSource.of_path(folder / ITEM_FILE)
            return
        with os.scandir(folder) as entries:
            # In portions: the names of a million files are not held.
            while portion := list(islice(entries, _AT_ONCE)):
                for entry in sorted(portion, key=lambda entry: entry.name):
                    if not _is_listed(entry.name):
                        continue
                    if _leads_to_folder(entry):
                        folders.append(entry.name)
                        continue
                    path = folder / entry.name
                    if self._named and str(path.absolute()) in self._named:
                        continue
                    yield FoundSource.of_path(path, _state(entry))

    @staticmethod
    def _identity(folder: Path) -> tuple[int, int] | None:
        try:
            state = folder.stat()
        except OSError:
            return None
        return state.st_dev, state.st_ino


def _is_listed(name: str) -> bool:
    return name != FILE_NAME and not name.startswith(".")


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _state(entry: os.DirEntry[str]) -> os.stat_result | None:
    try:
        # On Windows the entry knows no inode; size and time it has without a call.
        return entry.stat()
    except OSError:
        return None
