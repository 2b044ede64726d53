"""Disk space for a run: checked beforehand, and errors that say how much is missing."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from rigbridge.errors import DiskFullError, OutboxUnusableError, RigbridgeError
from rigbridge.machine.folders import make_file

__all__ = [
    "explaining_full_disk",
    "explaining_refusals",
    "explains_refusals",
    "is_full",
    "keep_ballast",
    "make_room",
    "require_space",
    "shortage",
]

RESERVE = 1 << 20
"""Bytes beside the run itself: for the database's log, and the folders."""

_BALLAST = 512 << 10
_BALLAST_NAME = "ballast"
_LOW = 256 << 10
# On so small a disk the ballast would cost more runs than it helps.
_SMALL = 64 << 20

# ENOSPC of the disk, EDQUOT of a quota, EFBIG of a limit on the size of a file.
_NO_ROOM = frozenset(
    {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG}
)
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")
_STEP = 1024

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


class _HasFolder(Protocol):
    folder: Path


_Owner = TypeVar("_Owner", bound=_HasFolder)


def require_space(folder: Path, needed: int) -> None:
    """
    Make sure that there is room, before anything is written.

    Args:
        needed: the bytes of it.

    Raises:
        DiskFullError: there is not; says how much is missing.
    """
    usage = shutil.disk_usage(folder)
    reserve = RESERVE
    if usage.total >= _SMALL and not (folder / _BALLAST_NAME).exists():
        # Given back for noting what is delivered, not for more runs.
        reserve += _BALLAST
    if usage.free < needed + reserve:
        raise _full(folder, needed + reserve, usage.free)


def shortage(folder: Path) -> str | None:
    """Say that new runs are refused for want of room; None while there is room."""
    try:
        require_space(folder, 0)
    except DiskFullError:
        free = shutil.disk_usage(folder).free
        return f"the disk of {folder} has {_size(free)} left: new runs are refused"
    except OSError as error:
        return f"the disk of {folder} cannot be asked: {error}"
    return None


def keep_ballast(folder: Path) -> None:
    """
    Take a little of the disk, as long as it has plenty.

    Others may fill a disk to the last byte; noting what was delivered, which makes
    room, needs some of it. Nothing comes of it where the disk has no room to spare.
    """
    ballast = folder / _BALLAST_NAME
    usage = shutil.disk_usage(folder)
    scarce = usage.total < _SMALL or usage.free < 8 * _BALLAST
    if ballast.exists() or scarce:
        return
    # Written, since some file systems promise room without taking it.
    with suppress(OSError):
        # As every file of a shared folder: others of its group may remove it.
        make_file(ballast)
        ballast.write_bytes(bytes(_BALLAST))


def make_room(folder: Path) -> bool:
    """
    Give the ballast back where the disk is all but full.

    Returns:
        Whether it is that full.
    """
    low = shutil.disk_usage(folder).free < _LOW
    if low:
        with suppress(OSError):
            (folder / _BALLAST_NAME).unlink()
    return low


@contextmanager
def explaining_full_disk(folder: Path, needed: int) -> Generator[None]:
    """
    Turn the errors of a full disk into one that says how much is missing.

    Args:
        needed: the bytes of it.

    Raises:
        DiskFullError: the disk, or the share of it that one may use, is full.
    """
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        if not is_full(error):
            raise
        free = shutil.disk_usage(folder).free
        raise _full(folder, needed + RESERVE, free) from error


def is_full(error: BaseException) -> bool:
    """Whether an error says that the disk, or one's share of it, is full."""
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM
    # The lower byte is the primary code; extended ones name where it was full.
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF == sqlite3.SQLITE_FULL


@contextmanager
def explaining_refusals(folder: Path) -> Generator[None]:
    """
    Turn what the system or the database refuses into an error of ours.

    Raises:
        DiskFullError: the disk is full.
        OutboxUnusableError: anything else that it refuses.
    """
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if isinstance(error, RigbridgeError):
            raise
        if is_full(error):
            raise DiskFullError(
                f"its disk is full: {error}",
                source=str(folder),
                remedy="make room there; what is in the outbox is safe",
            ) from error
        raise OutboxUnusableError(
            f"the outbox cannot be used: {error}",
            source=str(folder),
            remedy="check that the disk is there and may be written; what was handed "
            "over before stays there",
        ) from error


def explains_refusals(
    method: Callable[Concatenate[_Owner, _Given], _Result],
) -> Callable[Concatenate[_Owner, _Given], _Result]:
    """Have a method raise what :func:`explaining_refusals` does, for its folder."""

    @wraps(method)
    def explained(
        owner: _Owner, /, *given: _Given.args, **named: _Given.kwargs
    ) -> _Result:
        with explaining_refusals(owner.folder):
            return method(owner, *given, **named)

    return explained


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
