"""The files below folders of this machine, in a stable order, never all at once."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from itertools import islice
from operator import attrgetter
from pathlib import Path

from rigbridge.configuration import FILE_NAME
from rigbridge.errors import SourceUnreadableError
from rigbridge.sources.archives import is_archive
from rigbridge.sources.counts import ScanCounts
from rigbridge.sources.found import FoundFolder, FoundSource
from rigbridge.sources.patterns import Selection

__all__ = ["FolderWalk", "folder_identity"]

# Enough that the order is that of the names in nearly all folders, few enough for the
# memory.
_AT_ONCE = 20_000
"""How many names of a folder are put into order together: it may hold millions."""


_ITEM_FILE = "item.json"
_ID_LENGTH = 36

_OWN_FILES = ("store", "ledger", "deliveries")
_OWN_ENDINGS = (".sqlite", ".sqlite-wal", ".sqlite-shm", ".sqlite-journal")
_OWN_FOLDERS = {"attachments", "importing", "incoming", "outbox", "quarantine"}
_QUARANTINE = "quarantine"


class FolderWalk:
    """
    Goes through folders, and knows where it has been.

    Folders are read in the order of their names, very large ones in portions. Links to
    folders are followed, each folder once. Names that begin with a dot are skipped, and
    so are our own configuration file and what a data folder holds that lies among the
    reports. Of a run in quarantine only its document is given, which names its other
    files; of a data folder that is named itself, the quarantine is read.
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
            self._selection.is_all
            and _is_listed(path.name)
            and folder_identity(path.parent) in self._visited
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
        So is the folder itself if it has gone meanwhile, as a share does whose server
        is out: what is below it was not all seen.

        Args:
            anchored: what else is asked of the path of a file below it.
        """
        waiting, began = [folder], folder_identity(folder)
        # A stack instead of recursion: folders may be nested deeper than Python's
        # calls.
        unlisted: list[FoundSource] = []
        while waiting:
            here = waiting.pop()
            identity = folder_identity(here)
            if identity in self._visited:
                continue
            if identity is not None:
                self._visited.add(identity)
            relative = (
                "" if here == folder else f"{here.relative_to(folder).as_posix()}/"
            )
            folders: list[str] = []
            try:
                for found in self._files(here, folder, relative, folders):
                    if anchored is None or anchored.takes(relative + found.name):
                        yield found
            except OSError as error:
                # A folder that is gone again is no error of anybody.
                if here == folder or not isinstance(error, FileNotFoundError):
                    # Told at the end, so that one folder without permissions does not
                    # look like the end of the scan.
                    unlisted.append(_unlisted(here, folder, error))
            # The first of them is the next one.
            waiting += [here / name for name in sorted(folders, reverse=True)]
        # By identity: where a share was mounted, an empty folder is left.
        if began != folder_identity(folder):
            gone = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            unlisted = [_unlisted(folder, folder, gone)]
        yield from unlisted

    def one(self, folder: Path, path: Path) -> FoundSource | None:
        """Look at one file below a folder; None where it is not wanted, or gone."""
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
            or any(
                _is_ours(each.parent, each.name, folder)
                for each in (path, *_until(path, folder))
            )
            or _is_item(path.parent)
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
        self, folder: Path, root: Path, relative: str, folders: list[str]
    ) -> Iterator[FoundSource]:
        """Give the files of a folder, and gather the names of its folders."""
        if _is_item(folder):
            yield FoundSource.of_path(folder / _ITEM_FILE, root=root)
            return
        here = FoundFolder(folder, root)
        with os.scandir(folder) as entries:
            # In portions: the names of a million files are not held.
            while portion := sorted(islice(entries, _AT_ONCE), key=attrgetter("name")):
                for entry in portion:
                    name = entry.name
                    if not _is_listed(name) or _is_ours(folder, name, root):
                        continue
                    if _leads_to_folder(entry):
                        if self._selection.bars(relative + name):
                            self._counts.excluded_folders += 1
                        else:
                            folders.append(name)
                    elif self._is_wanted(folder, name, relative):
                        state = _state(entry)
                        if state is None or stat.S_ISREG(state.st_mode):
                            yield here.file(name, state)
                        else:
                            self._counts.note_special(folder / name, state)

    def _is_wanted(self, folder: Path, name: str, relative: str) -> bool:
        # Given already, as a file that was named by itself.
        if self._named and str((folder / name).absolute()) in self._named:
            return False
        if not self._selection.is_all and not self._takes(relative + name):
            self._counts.excluded += 1
            return False
        return True


def _is_item(folder: Path) -> bool:
    """Tell whether a folder is that of a run in quarantine, by its name and file."""
    # Its name is the id of the run. The outbox, which says so, takes long to load.
    if len(folder.name) != _ID_LENGTH or not (folder / _ITEM_FILE).is_file():
        return False
    from rigbridge.outbox.incoming import is_item_name

    return is_item_name(folder.name)


_REMEDIES = {
    errno.EACCES: "check the permissions of the folder",
    errno.EPERM: "check the permissions of the folder",
    errno.ENAMETOOLONG: "its path is too long for the system: change to a folder "
    "nearer to it, and name it from there",
}


def _unlisted(folder: Path, root: Path, error: OSError) -> FoundSource:
    remedy = _REMEDIES.get(error.errno or 0, "check the disk or the network")
    return FoundSource.of_path(folder, root=root).refused(
        SourceUnreadableError(
            f"cannot be listed: {error.strerror or error}", remedy=remedy
        )
    )


def _is_ours(folder: Path, name: str, root: Path) -> bool:
    """Tell whether a name is that of a part of a data folder, which holds no report."""
    # SQLite keeps its log beside the file, with the same beginning of the name.
    stem, dot, _ = name.partition(".")
    if dot and stem in _OWN_FILES:
        return name.endswith(_OWN_ENDINGS)
    if name not in _OWN_FOLDERS or (name == _QUARANTINE and folder == root):
        return False
    # Reports may lie in folders of such names, but not beside a store or a ledger.
    return any((folder / f"{each}.sqlite").is_file() for each in _OWN_FILES)


def _until(path: Path, root: Path) -> Iterator[Path]:
    """Give the folders that a path is in, below a folder."""
    for parent in path.parents:
        if parent == root:
            return
        yield parent


def _is_listed(name: str) -> bool:
    return name != FILE_NAME and not name.startswith(".")


def folder_identity(folder: Path) -> tuple[int, int] | None:
    """Give by what a folder is known, whatever its paths; None where it is gone."""
    try:
        state = folder.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    # A link that leads in a circle raises, and is told when it is read as a file.
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
