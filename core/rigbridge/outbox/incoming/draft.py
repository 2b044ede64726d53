"""An item while it is written: its files first, then its document, then its name."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TypeAlias

from rigbridge.machine.files import past_scanners, sync_folder
from rigbridge.machine.folders import file_chunks, make_folder, share
from rigbridge.machine.threads import WaitingThreads
from rigbridge.model import FileOpener
from rigbridge.outbox.incoming.item import ITEM_FILE

__all__ = ["ItemDraft"]

_Problem: TypeAlias = str | None
_Finish: TypeAlias = Callable[[], list[_Problem]]


class ItemDraft:
    """
    The folder of an item under a hidden name.

    Threads that wait bring its files to the disk while the caller goes on.

    Args:
        folder: the folder; must not be there yet, but the one around it.
        durable: whether it is brought to the disk before it gets its name.

    Raises:
        OSError: the folder cannot be made.
    """

    def __init__(
        self, folder: Path, threads: WaitingThreads, *, durable: bool = True
    ) -> None:
        self._folder = folder
        self._threads = threads
        self._durable = durable
        self._copies: dict[str, _Finish] = {}
        self._begun: list[Callable[[], object]] = []
        self._count = 0
        # For its owner alone: a raw record holds passwords of a configuration, and only
        # its translation masks them. In a shared folder it is shared, see below.
        try:
            folder.mkdir(mode=0o700)
        except FileNotFoundError:
            make_folder(folder.parent)
            folder.mkdir(mode=0o700)
        # A shared folder is rare, and asking for it at each file takes time.
        self._shared = os.name != "nt" and bool(
            folder.parent.stat().st_mode & stat.S_ISGID
        )
        if self._shared:
            share(folder)

    def _name(self) -> str:
        self._count += 1
        return f"file-{self._count}"

    def add_settled(self, path: Path) -> str:
        """
        Take a file that nobody writes to any more: by a link, or else by a copy.

        Returns:
            Its name in the folder.
        """
        name = self._name()
        target = self._folder / name
        try:
            _link(path, target)
            self._share(target)
        except OSError:
            # Another file system, or one without links (FAT, SMB), or no such file.
            self._begin_copy(name, path)
        else:
            self._begin_sync(target)
        return name

    def add_file(self, path: Path) -> str:
        """
        Take a copy of a file that its owner may still write to.

        Returns:
            Its name in the folder.
        """
        name = self._name()
        self._begin_copy(name, path)
        return name

    def add_bytes(self, chunks: Iterable[bytes | memoryview]) -> str:
        """
        Take bytes, piece by piece.

        Returns:
            Their name in the folder.

        Raises:
            OSError: the folder cannot be written, or ``chunks`` raised it.
        """
        name = self._name()
        target = self._folder / name
        with target.open("xb") as stream:
            for chunk in chunks:
                stream.write(chunk)
        self._share(target)
        self._begin_sync(target)
        return name

    def _begin_sync(self, target: Path) -> None:
        if self._durable:
            self._begun.append(self._threads.begin([target], _sync))

    def _begin_copy(self, name: str, path: Path) -> None:
        copy = partial(_copy, path, durable=self._durable)
        finish = self._threads.begin([self._folder / name], copy)
        self._copies[name] = finish

    def let_begin(self) -> None:
        """Have the threads begin with the files so far; one call for all of them."""
        if self._begun or self._copies:
            self._threads.let_begin()

    def problem(self, name: str) -> str | None:
        """
        Say what was wrong with a file that was to be copied; None if it is there.

        Raises:
            OSError: the folder cannot be written.
        """
        finish = self._copies.pop(name, None)
        if finish is None:
            return None
        (problem,) = finish()
        if problem is None:
            self._share(self._folder / name)
        return problem

    def finish(self, document: bytes, name: Path) -> None:
        """
        Write the document, bring everything to the disk and give the item its name.

        Raises:
            FileExistsError: there is an item of that name.
            OSError: the folder cannot be written.
        """
        for copied in tuple(self._copies):
            self.problem(copied)
        with (self._folder / ITEM_FILE).open("xb", buffering=0) as stream:
            stream.write(document)
            self._share(self._folder / ITEM_FILE)
            if self._durable:
                # All names are there now: the folder's own sync runs beside the others.
                self._begun.append(self._threads.begin([self._folder], sync_folder))
                os.fsync(stream.fileno())
        for finish in self._begun:
            finish()
        # All bytes before the name: an item that is there is whole.
        try:
            past_scanners(self._folder.rename, name)
        except OSError as error:
            if name.is_dir():
                raise FileExistsError(error.errno, "is there already", name) from error
            raise
        if self._durable:
            sync_folder(name.parent)

    def _share(self, path: Path) -> None:
        if self._shared:
            share(path)


def _link(path: Path, target: Path) -> None:
    # A link to a pipe is one as well, and whoever opens that waits for ever; one to a
    # symbolic link would point to what its owner deletes.
    if not stat.S_ISREG(path.lstat().st_mode):
        raise OSError(errno.EINVAL, "is no regular file", str(path))
    os.link(path, target)


def _sync(path: Path) -> None:
    # Windows syncs only through a handle that may write; elsewhere the owner may have
    # taken that right from the file.
    flags = os.O_RDWR | getattr(os, "O_BINARY", 0) if os.name == "nt" else os.O_RDONLY
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy(source: Path, target: Path, *, durable: bool) -> str | None:
    """Copy a file; says what is wrong with the source, if anything is."""
    try:
        stream = FileOpener(source)()
    except OSError as error:
        return str(error)
    with stream, target.open("xb", buffering=0) as copy:
        chunks = file_chunks(stream)
        while True:
            # Only the reading: an error of the target is one of the whole item.
            try:
                chunk = next(chunks, None)
            except OSError as error:
                target.unlink(missing_ok=True)
                return str(error)
            if chunk is None:
                break
            copy.write(chunk)
        if durable:
            os.fsync(copy.fileno())
    return None
