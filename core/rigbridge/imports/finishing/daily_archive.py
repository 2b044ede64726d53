"""Imported files in zip archives, one or a few for each day."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import attrs

from rigbridge.machine.files import sync_file, sync_folder
from rigbridge.machine.folders import CHUNK_SIZE, make_folder

__all__ = ["DailyArchive"]

_MOST_FILES = 1000
_MOST_BYTES = 64 << 20


@attrs.frozen
class _Waiting:
    path: Path
    name: str
    mtime_ns: int | None
    size: int


class DailyArchive:
    """
    Gathers files and writes them to archives that are complete or absent.

    An archive is written once, under a name that nobody has taken, and never changed:
    a crash cannot damage what it holds, and two imports never write the same one. A
    file is deleted only once its member was read back, and is as the file was.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: list[_Waiting] = []
        self._size = 0

    @property
    def is_full(self) -> bool:
        """Whether an archive should be written now."""
        return len(self._waiting) >= _MOST_FILES or self._size >= _MOST_BYTES

    def add(self, path: Path, name: str, mtime_ns: int | None) -> None:
        """
        Take a file for the next archive.

        Args:
            mtime_ns: when it was changed last; a file that was changed since stays.

        Raises:
            OSError: it is not there.
        """
        size = path.stat().st_size
        self._waiting.append(_Waiting(path, name, mtime_ns, size))
        self._size += size

    def write(self) -> Iterator[tuple[Path, str | None]]:
        """
        Write what was gathered, and delete the files.

        Yields:
            Each file, and why it stays; None for one that is in the archive now.
        """
        # Forgotten first: after a failure the files stay, and the next import finds
        # them.
        waiting, self._waiting, self._size = self._waiting, [], 0
        if not waiting:
            return
        try:
            target = self._written(waiting)
        except OSError as error:
            reason = f"the archive cannot be written: {error.strerror or error}"
            yield from ((item.path, reason) for item in waiting)
            return
        with zipfile.ZipFile(target) as archive:
            # By position, since a member may bear another name than its file.
            for number, item in enumerate(waiting):
                yield item.path, _deleted(archive, number, item)

    def _written(self, waiting: list[_Waiting]) -> Path:
        make_folder(self._folder)
        day = f"{datetime.now().astimezone():%Y-%m-%d}"
        partial = self._folder / f".{day}.{os.getpid()}.partial"
        try:
            with zipfile.ZipFile(
                # The format has no times before 1980. They are clamped; without this
                # flag such a file would be refused.
                partial,
                "w",
                zipfile.ZIP_DEFLATED,
                strict_timestamps=False,
            ) as archive:
                names: set[str] = set()
                for item in waiting:
                    archive.write(item.path, _free(item.name, names))
            sync_file(partial)
            number = 1
            while True:
                target = self._folder / f"{day}-{number:03}.zip"
                try:
                    # A link never replaces an archive of somebody else.
                    os.link(partial, target)
                except FileExistsError:
                    number += 1
                    continue
                except OSError:
                    # A disk without links: only this process is hindered then.
                    if target.exists():
                        number += 1
                        continue
                    partial.rename(target)
                sync_folder(self._folder)
                return target
        finally:
            partial.unlink(missing_ok=True)


def _free(name: str, names: set[str]) -> str:
    # The format has only names that are text.
    name = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    count, free = 1, name
    while free in names:
        count += 1
        free = f"{name} ({count})"
    names.add(free)
    return free


def _deleted(archive: zipfile.ZipFile, number: int, item: _Waiting) -> str | None:
    """Delete a file whose member is the same; else say why it stays."""
    try:
        # Taken before it is compared: a change during the comparison shows in the time.
        state = item.path.lstat()
        with (
            archive.open(archive.infolist()[number]) as member,
            item.path.open("rb") as file,
        ):
            while True:
                block = member.read(CHUNK_SIZE)
                if block != file.read(CHUNK_SIZE):
                    return "differs from what was archived"
                if not block:
                    break
        if item.mtime_ns is not None and state.st_mtime_ns != item.mtime_ns:
            return "has changed since it was read"
        item.path.unlink()
    except (OSError, zipfile.BadZipFile) as error:
        return str(error)
    return None
