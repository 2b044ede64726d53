"""
Damage of the database: noticing it, and putting a mended file in its place.

What the disk holds is never changed before it is copied aside. The mended database is
written beside it; its last renaming, to ``.new``, is the moment from which on it
counts. Whoever opens the outbox next brings it into its place, should this process not
come to that. So a process that is killed at any moment leaves the old database or the
new one.

The copy stays until a person removes it. Until then no content is removed, since what
refers to it may be in that copy only.
"""

from __future__ import annotations

import filecmp
import logging
import shutil
import sqlite3
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from rigbridge.machine.files import sync_file, sync_folder
from rigbridge.machine.folders import make_file, make_folder
from rigbridge.outbox.queue.salvage import salvage, stated_length

__all__ = [
    "finish_replacement",
    "has_files",
    "missing_part",
    "replace",
    "replaced",
    "set_aside",
]

_LOGGER = logging.getLogger("rigbridge.outbox")
_LOG = "-wal"
_INDEX = "-shm"
_PATIENCE = 30.0


def set_aside(path: Path) -> list[Path]:
    """List the damaged databases that were set aside, the oldest first."""
    return sorted(
        file
        for file in path.parent.glob(f"{path.name}.damaged-*")
        if not file.name.endswith((_LOG, ".part"))
    )


def missing_part(path: Path, contents: Path | None) -> str | None:
    """
    Say what is missing of a database; None if nothing seems to be.

    To be asked before SQLite opens it, which takes what is left for the whole.

    Args:
        contents: the folder of attachments, which outlives a lost database.
    """
    size = path.stat().st_size if path.exists() else 0
    if size:
        # In this order: SQLite makes the log before its index and removes it after.
        lost = (
            not _with_suffix(path, _LOG).exists()
            and _with_suffix(path, _INDEX).exists()
        )
        if lost and not _with_suffix(path, _LOG).exists():
            return "its log is gone"
        # Twice: another process may be writing its log back in between.
        if _is_short(path) and _is_short(path):
            return "it is shorter than it says it is"
        return None
    if _with_suffix(path, _LOG).exists() and _with_suffix(path, _LOG).stat().st_size:
        return "only its log is left"
    if has_files(contents):
        return "it is empty or gone, the files of attachments are there"
    return None


def _is_short(path: Path) -> bool:
    log = _with_suffix(path, _LOG)
    # What a log still holds is on its way into the file.
    if log.exists() and log.stat().st_size:
        return False
    stated = stated_length(path)
    return stated is not None and path.stat().st_size < stated


def has_files(contents: Path | None) -> bool:
    """Whether a folder of attachments holds any."""
    return contents is not None and contents.is_dir() and any(contents.iterdir())


def replaced(path: Path) -> bool:
    """Whether a new database waits to be brought into its place."""
    return _with_suffix(path, ".new").exists()


def replace(path: Path, is_sound: Callable[[], bool]) -> None:
    """
    Replace a damaged database by a new one with what can be read of it.

    Processes that find the damage at once do it once.

    Args:
        is_sound: tells whether it is sound by now.

    Raises:
        OSError: something cannot be written; the database stays as it is.
        sqlite3.Error: likewise.
    """
    with _locked(path):
        _finish(path)
        # Another process may have replaced it while this one waited.
        if is_sound():
            return
        aside = _copy_aside(path)
        _LOGGER.critical(
            "the outbox's database %s is damaged; a copy is kept as %s", path, aside
        )
        scratch = _with_suffix(path, ".scratch")
        shutil.rmtree(scratch, ignore_errors=True)
        make_folder(scratch)
        part = _with_suffix(path, ".new.part")
        part.unlink(missing_ok=True)
        make_file(part)
        # From the copy that is read to the renaming nobody may commit anything.
        with _without_writers(path):
            source = scratch / "source.sqlite"
            _copy(path, source)
            kept, missing = salvage(source, part, aside)
            sync_file(part)
            part.replace(_with_suffix(path, ".new"))
            sync_folder(path.parent)
        _finish(path)
        shutil.rmtree(scratch, ignore_errors=True)
        _LOGGER.critical(
            "%d entries were recovered, %d or more could not be read; keep %s until"
            " you know that nothing is missing",
            kept,
            missing,
            aside,
        )


def finish_replacement(path: Path) -> None:
    """Bring a new database into its place, whose maker did not come to that."""
    if replaced(path):
        with _locked(path):
            _finish(path)


def _finish(path: Path) -> None:
    new = _with_suffix(path, ".new")
    if not new.exists():
        return
    # The old log first: SQLite would take it for that of the new database.
    for suffix in (_LOG, _INDEX):
        _with_suffix(path, suffix).unlink(missing_ok=True)
    sync_folder(path.parent)
    new.replace(path)
    sync_folder(path.parent)


def _with_suffix(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


@contextmanager
def _locked(path: Path) -> Generator[None]:
    lock_path = _with_suffix(path, ".lock")
    make_file(lock_path)
    with closing(sqlite3.connect(lock_path, timeout=_PATIENCE)) as lock:
        # A lock in a file of its own, since the database itself is replaced. It ends
        # with the process that holds it, unlike a lock file.
        lock.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def _without_writers(path: Path) -> Generator[None]:
    """Keep others from committing to a damaged database, where it can be opened."""
    # SQLite would remove the log of an empty file.
    if not path.exists() or not path.stat().st_size:
        yield
        return
    with closing(sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)) as own:
        # What cannot be opened for us cannot be opened for others either.
        with suppress(sqlite3.DatabaseError):
            own.execute("BEGIN IMMEDIATE")
        yield


def _copy_aside(path: Path) -> Path:
    for known in reversed(set_aside(path)):
        # One who was killed in the midst of this has made the same copy.
        if _is_copy(path, known):
            return known
    aside = _with_suffix(path, f".damaged-{time.time_ns()}")
    part = _with_suffix(aside, ".part")
    _copy(path, part)
    # The log first: a database without its log would seem to be whole.
    if _with_suffix(part, _LOG).exists():
        _with_suffix(part, _LOG).replace(_with_suffix(aside, _LOG))
    part.replace(aside)
    sync_folder(path.parent)
    return aside


def _is_copy(path: Path, copy: Path) -> bool:
    for suffix in ("", _LOG):
        one, other = _with_suffix(path, suffix), _with_suffix(copy, suffix)
        sizes = [file.stat().st_size if file.exists() else 0 for file in (one, other)]
        if sizes[0] != sizes[1]:
            return False
        if sizes[0] and not filecmp.cmp(one, other, shallow=False):
            return False
    return True


def _copy(path: Path, target: Path) -> None:
    for suffix in ("", _LOG):
        source, copy = _with_suffix(path, suffix), _with_suffix(target, suffix)
        copy.unlink(missing_ok=True)
        if source.exists():
            shutil.copyfile(source, copy)
            with suppress(OSError):
                shutil.copymode(source, copy)
        elif not suffix:
            copy.touch()
        if copy.exists():
            sync_file(copy)
