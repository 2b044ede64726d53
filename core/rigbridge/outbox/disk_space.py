"""Disk space for a run: checked beforehand, and errors that say how much is missing."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from rigbridge.errors import DiskFullError

__all__ = ["explaining_full_disk", "require_space"]

RESERVE = 1 << 20
"""Bytes beside the run itself: for the database's log, and the folders."""

# ENOSPC of the disk, EDQUOT of a quota, EFBIG of a limit on the size of a file.
_NO_ROOM = frozenset(
    {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG}
)
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")
_STEP = 1024


def require_space(folder: Path, needed: int) -> None:
    """
    Make sure that there is room, before anything is written.

    Args:
        folder: where it is to be written.
        needed: the bytes of it.

    Raises:
        DiskFullError: there is not; says how much is missing.
    """
    free = shutil.disk_usage(folder).free
    if free < needed + RESERVE:
        raise _full(folder, needed + RESERVE, free)


@contextmanager
def explaining_full_disk(folder: Path, needed: int) -> Generator[None]:
    """
    Turn the errors of a full disk into one that says how much is missing.

    Args:
        folder: where it is written.
        needed: the bytes of it.

    Raises:
        DiskFullError: the disk, or the share of it that one may use, is full.
    """
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        if not _is_full(error):
            raise
        free = shutil.disk_usage(folder).free
        raise _full(folder, needed + RESERVE, free) from error


def _is_full(error: OSError | sqlite3.OperationalError) -> bool:
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM
    # The lower byte is the primary code; extended ones name where it was full.
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL


def _full(folder: Path, needed: int, free: int) -> DiskFullError:
    missing = needed - free
    if missing > 0:
        words = (
            f"is full: {_size(missing)} are missing; the run needs {_size(needed)},"
            f" and {_size(free)} are free"
        )
    else:
        # A quota, or others who have made room since.
        missing = needed
        words = f"takes no more: the run needs {_size(needed)}"
    return DiskFullError(
        words,
        source=str(folder),
        missing=missing,
        remedy="make room there; what is in the outbox is safe, this run is not in it",
    )


def _size(count: int) -> str:
    amount, unit = float(count), 0
    while amount >= _STEP and unit < len(_UNITS) - 1:
        amount, unit = amount / _STEP, unit + 1
    return (
        f"{amount:.0f} {_UNITS[unit]}" if unit == 0 else f"{amount:.1f} {_UNITS[unit]}"
    )
