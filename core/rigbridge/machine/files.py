"""Files that are complete or absent, and bytes that survive a power cut."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from rigbridge.machine.folders import share

__all__ = ["sync_file", "sync_folder", "whole_file"]


@contextmanager
def whole_file(
    path: Path, *, durable: bool = True, shared: bool = True
) -> Generator[Path]:
    """
    Write a file under a temporary name; it gets its own once it is complete.

    The temporary name begins with a dot and holds the process id, so that listings
    skip it and two processes can write the same file.

    Args:
        path: the file; one that is there is replaced.
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
        partial.replace(path)
        if durable:
            sync_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)


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
    finally:
        os.close(descriptor)
