"""
Files and folders: in pieces, as text, and shared by several users.

A folder is shared as a service and the programs that hand over to it do.

On POSIX the set-group-ID bit is the sign: what is made in such a folder belongs to its
group. Here it is also as open to the group as the folder itself, whatever the file mode
mask of the program that makes it; that mask is often one that no other user may write.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO

__all__ = [
    "CHUNK_SIZE",
    "make_file",
    "make_folder",
    "make_private_folder",
    "path_text",
    "read_chunks",
    "share",
]

CHUNK_SIZE = 1 << 20
"""How many bytes of a file are read at once, and held in memory."""


_OF_FOLDERS = stat.S_IRWXG | stat.S_ISGID
_OF_FILES = stat.S_IRGRP | stat.S_IWGRP


def make_folder(folder: Path) -> None:
    """
    Make a folder, and those above it that are missing; each as open as what it is in.

    Raises:
        OSError: it cannot be made.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    try:
        folder.mkdir()
    except FileExistsError:
        if not folder.is_dir():
            raise
        return  # somebody else was faster
    share(folder)


def make_private_folder(folder: Path) -> None:
    """
    Make a folder that nobody but this user enters, where everybody may make folders.

    Raises:
        PermissionError: somebody else has made it, or may enter it.
        OSError: it cannot be made.
    """
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if os.name == "nt":
        return  # the temporary folder there is the user's own
    found = folder.lstat()
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    if not ours or stat.S_IMODE(found.st_mode) & 0o077:
        raise PermissionError(errno.EACCES, "is not this user's alone", str(folder))


def make_file(path: Path) -> None:
    """
    Make an empty file where there is none.

    Others who make it at the same moment do no harm.

    Raises:
        OSError: it cannot be made.
    """
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
    except FileExistsError:
        return
    share(path)


def share(path: Path) -> None:
    """
    Make what was just made as open to the group as a shared folder that it is in.

    Args:
        path: a new file or folder of this user.

    Raises:
        OSError: it is not there, or belongs to another user.
    """
    if os.name == "nt":
        return
    folder = path.parent.stat()
    if not folder.st_mode & stat.S_ISGID:
        return
    now = path.stat()
    if now.st_gid != folder.st_gid:
        os.chown(path, -1, folder.st_gid)  # a link keeps the group that it came with
    asked = _OF_FOLDERS if stat.S_ISDIR(now.st_mode) else _OF_FILES
    wanted = now.st_mode | (folder.st_mode & asked)
    if wanted != now.st_mode:
        path.chmod(stat.S_IMODE(wanted))


def read_chunks(stream: IO[bytes], size: int = CHUNK_SIZE) -> Iterator[bytes]:
    """
    Read a stream piece by piece, so that a file of any size takes little memory.

    Args:
        stream: the stream; whoever opened it closes it.
        size: how many bytes a piece has at most.
    """
    return iter(partial(stream.read, size), b"")


def path_text(path: Path) -> str:
    r"""
    Give a path as text.

    POSIX lets a name hold any bytes. What is no UTF-8 is spelled ``\xff``, since
    neither a database nor JSON can hold what Python makes of them.
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")
