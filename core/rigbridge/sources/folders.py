"""The files below folders of this machine, in a stable order, never all at once."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import attrs

from rigbridge.configuration import FILE_NAME
from rigbridge.errors import SourceUnreadableError
from rigbridge.outbox.incoming import ITEM_FILE, is_item_name
from rigbridge.sources.archives import is_archive
from rigbridge.sources.counts import ScanCounts
from rigbridge.sources.found import FoundSource
from rigbridge.sources.patterns import Selection

__all__ = ["FolderWalk"]

_AT_ONCE = 20_000
"""How many names of a folder are put into order together: it may hold millions."""


class FolderWalk:
    """
    Goes through folders, and knows where it has been.

    Folders are read in the order of their names, very large ones in portions. Links to
    folders are followed, each folder once. Names that begin with a dot are skipped, and
    so is our own configuration file. Of a run in quarantine only its document is given,
    which names its other files.

    Args:
        selection: what is wanted.
        counts: takes what is passed over.
    """

    def __init__(self, selection: Selection, counts: ScanCounts) -> None:
        self._selection = selection
        self._counts = counts
        # By identity, since links give one folder many paths; one may lead back up.
        self._visited: set[tuple[int, int]] = set()
        self._named: set[str] = set()

    def is_new(self, path: Path) -> bool:
        """Note a file that is named by itself; False for one that was given before."""
        # Not resolved: a link and its target are two files with names of their own.
        key = str(path.absolute())
        if key in self._named or (
            not self._selection.include
            and not self._selection.exclude
            and _is_listed(path.name)
            and _identity(path.parent) in self._visited
        ):
            return False
        self._named.add(key)
        return True

    def below(
        self, folder: Path, anchored: Selection | None = None
    ) -> Iterator[FoundSource]:
        """
        Go through the files below a folder.

        A folder that cannot be listed is given in the end: reading it gives the error.

        Args:
            folder: the folder that was named.
            anchored: what else is asked of the path of a file below it.
        """
        waiting = [folder]
        unlisted: list[FoundSource] = []
        while waiting:
            here = waiting.pop()
            identity = _identity(here)
            if identity in self._visited:
                continue
            if identity is not None:
                self._visited.add(identity)
            relative = (
                "" if here == folder else f"{here.relative_to(folder).as_posix()}/"
            )
            folders: list[str] = []
            try:
                for found in self._files(here, relative, folders):
                    if anchored is None or anchored.takes(relative + found.name):
                        yield attrs.evolve(found, root=folder)
            except OSError as error:
                # A folder that is gone again is no error of anybody.
                if identity is not None:
                    unlisted.append(_unlisted(here, error))
            # The first of them is the next one.
            waiting += [here / name for name in sorted(folders, reverse=True)]
        yield from unlisted

    def one(self, folder: Path, path: Path) -> FoundSource | None:
        """
        Look at one file below a folder; None where it is not wanted, or gone.

        Args:
            folder: the folder that is gone through otherwise.
            path: the file.
        """
        try:
            parts = path.relative_to(folder).parts
            state = path.stat()
        except (OSError, ValueError):
            return None
        below = "/".join(parts)
        above = ("/".join(parts[: at + 1]) for at in range(len(parts) - 1))
        if (
            not parts
            or not all(map(_is_listed, parts))
            or any(map(self._selection.bars, above))
            or is_item_name(path.parent.name)
            or not stat.S_ISREG(state.st_mode)
            or not self._takes(below)
        ):
            return None
        return FoundSource.of_path(path, state, root=folder)

    def _takes(self, below: str) -> bool:
        # What is in an archive is asked one by one.
        if is_archive(below):
            return not self._selection.bars(below)
        return self._selection.takes(below)

    def _files(
        self, folder: Path, relative: str, folders: list[str]
    ) -> Iterator[FoundSource]:
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
                        if self._selection.bars(relative + entry.name):
                            self._counts.excluded_folders += 1
                        else:
                            folders.append(entry.name)
                        continue
                    found = self._file(folder / entry.name, entry, relative)
                    if found is not None:
                        yield found

    def _file(
        self, path: Path, entry: os.DirEntry[str], relative: str
    ) -> FoundSource | None:
        if self._named and str(path.absolute()) in self._named:
            return None
        if not self._takes(relative + entry.name):
            self._counts.excluded += 1
            return None
        state = _state(entry)
        if state is not None and not stat.S_ISREG(state.st_mode):
            self._counts.note_special(path, state)
            return None
        return FoundSource.of_path(path, state)


def _unlisted(folder: Path, error: OSError) -> FoundSource:
    return FoundSource.of_path(folder).refused(
        SourceUnreadableError(
            f"cannot be listed: {error.strerror or error}",
            remedy="check the permissions of the folder",
        )
    )


def _is_listed(name: str) -> bool:
    return name != FILE_NAME and not name.startswith(".")


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        state = folder.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino


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
