"""
Files and folders: reading in chunks, paths as text, folders of several users.

A service and the programs that hand over runs to it may be different users who share a
folder. On POSIX the set-group-ID bit marks a shared folder: new files in it belong to
its group. They also get the group permissions of the folder here. The umask of a
program alone would often keep the other users from writing.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

__all__ = [
    "CHUNK_SIZE",
    "file_chunks",
    "is_on_network",
    "make_file",
    "make_folder",
    "make_private_folder",
    "path_text",
    "read_chunks",
    "require_folder",
    "share",
]

CHUNK_SIZE = 1 << 20
"""How many bytes of a file are read at once, and held in memory."""


_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ncpfs", "vboxsf"}
_OF_FOLDERS = stat.S_IRWXG | stat.S_ISGID
_OF_FILES = stat.S_IRGRP | stat.S_IWGRP


def make_folder(folder: Path) -> None:
    """
    Make a folder and its missing parents, with the group permissions of the parent.

    Raises:
        OSError: it cannot be made.
    """
    if folder.is_dir():
        return
    # From the top down: each folder takes its permissions from the one above.
    make_folder(folder.parent)
    try:
        folder.mkdir()
    except FileExistsError:
        if not folder.is_dir():
            raise
        return  # somebody else was faster
    share(folder)


def require_folder(folder: Path) -> None:
    """
    Make sure that a folder that was there is still there.

    A drive or a share that went away leaves the place where it was mounted. What is
    written there is out of sight once it is back.

    Raises:
        FileNotFoundError: it is not.
    """
    if not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, "is gone", str(folder))


def make_private_folder(folder: Path) -> None:
    """
    Make a folder for this user alone, in a folder where everybody may write.

    Raises:
        PermissionError: somebody else has made it, or may enter it.
        OSError: it cannot be made.
    """
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if os.name == "nt":
        return  # the temporary folder there is the user's own
    # lstat, not stat: a link that somebody else has put there must not be followed.
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
        # O_EXCL: only the one who made the file may set its permissions.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
    except FileExistsError:
        return
    share(path)


def share(path: Path) -> None:
    """
    Give a new file or folder the group permissions of a shared folder around it.

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
        size: how many bytes a piece has at most.

    Raises:
        OSError: it gives no bytes, or cannot be read.
    """
    while chunk := stream.read(size):
        # A file that was opened as text, say.
        if not isinstance(cast("object", chunk), bytes | bytearray | memoryview):
            raise OSError(errno.EINVAL, "gives no bytes: open it in mode 'rb'")
        yield chunk


def file_chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """
    Read a file as long as it is now, piece by piece.

    One that somebody writes to as fast as it is read would have no end.
    """
    left = os.fstat(stream.fileno()).st_size
    if not left:
        # Files of the kernel have bytes and no size.
        yield from read_chunks(stream)
    while left and (chunk := stream.read(min(left, CHUNK_SIZE))):
        left -= len(chunk)
        yield chunk


def path_text(path: Path) -> str:
    r"""
    Give a path as text.

    POSIX lets a name hold any bytes. What is no UTF-8 is spelled ``\xff``, since
    neither a database nor JSON can hold what Python makes of them.
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def is_on_network(folder: Path) -> bool:
    """Tell whether a folder is another machine's, as far as the system says."""
    here = os.path.realpath(folder)
    # A share of Windows.
    if here.startswith("\\\\"):
        return True
    if sys.platform != "linux":
        return False
    try:
        mounts = Path("/proc/mounts").read_text(errors="surrogateescape").splitlines()
    except OSError:
        return False
    best, kind = "", ""
    for mount in mounts:
        _, place, form, *_ = mount.split(" ")
        # Blanks in a name are written as a number.
        place = place.replace("\\040", " ")
        # The mount that is nearest counts, and the last of several at one place.
        if len(place) >= len(best) and f"{here}/".startswith(f"{place.rstrip('/')}/"):
            best, kind = place, form
    # Behind FUSE may be anything, also what tells nothing of changes (sshfs, rclone).
    return kind in _NETWORK or kind.startswith("fuse.")
