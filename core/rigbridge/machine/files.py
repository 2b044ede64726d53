"""Files that are complete or absent, and bytes that survive a power cut."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from rigbridge.machine.folders import share

__all__ = ["is_lasting", "past_scanners", "sync_file", "sync_folder", "whole_file"]

# What no waiting changes. All else may pass: the system has no descriptor, no memory or
# no room for now (EMFILE, ENFILE, ENOMEM, ENOSPC), a disk or a network folder does not
# answer (EIO, ESTALE, ETIMEDOUT, ENOLINK and their like), or a scanner, an editor or a
# permission that a person mends keeps a file from us (EACCES, EPERM).
_LASTING = frozenset(
    {
        errno.ENOENT,
        errno.EISDIR,
        errno.ENOTDIR,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.EINVAL,
    }
)
# Seconds that such a program may hold a new file.
_SCAN = 2.0
_LOOK = 0.02
# Some network folders know no sync of a folder.
_NO_FOLDER_SYNC = frozenset(
    {errno.EINVAL, errno.EBADF, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
)


def is_lasting(error: OSError) -> bool:
    """Whether trying again cannot help with an error of a file; others may pass."""
    return error.errno in _LASTING


@contextmanager
def whole_file(
    path: Path, *, durable: bool = True, shared: bool = True
) -> Generator[Path]:
    """
    Write a file under a temporary name; it gets its own once it is complete.

    The temporary name begins with a dot and holds the process id, so that listings
    skip it and two processes can write the same file.

    Args:
        durable: sync the bytes before the rename, and the folder after it.
        shared: give the file the group permissions of a shared folder.

    Yields:
        The temporary path to write to.

    Raises:
        OSError: it cannot be written; nothing is left of it.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        if shared:
            share(partial)
        # Bytes first: a rename that reached the disk before them names an empty file.
        if durable:
            sync_file(partial)
        past_scanners(partial.replace, path)
        if durable:
            sync_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def past_scanners(act: Callable[[Path], object], target: Path) -> None:
    """
    Rename or replace files, on Windows also those that a scanner holds for a moment.

    It opens each new file, and what is open there can be neither renamed nor replaced.

    Raises:
        OSError: what the last attempt raised.
    """
    end = time.monotonic() + _SCAN
    while True:
        try:
            act(target)
        except PermissionError:
            if os.name != "nt" or time.monotonic() >= end:
                raise
            time.sleep(_LOOK)
        else:
            return


def sync_file(path: Path) -> None:
    """Bring a file's bytes to the disk."""
    # Windows syncs only through a handle that may write.
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system has a call for it."""
    if os.name == "nt":
        return
    # A rename is durable only once the folder that holds the names is synced.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(descriptor)
