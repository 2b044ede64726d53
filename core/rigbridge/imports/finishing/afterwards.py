"""
What becomes of a report file once it was imported, or could not be.

Nothing is done before the runs of a file are durable in their destination, and nothing
to a file that is not the one that was read, or that a link leads to. A step that is cut
off at any point loses no file: it is done again by the next import, which finds the
file still there. What goes wrong here says nothing about the runs.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from enum import StrEnum
from itertools import count
from pathlib import Path

import attrs

from rigbridge.errors import ConfigurationError, DeliveryError, PermanentError
from rigbridge.imports.finishing.daily_archive import DailyArchive
from rigbridge.imports.results import SourceResult
from rigbridge.ledger import RunStatus
from rigbridge.machine.files import sync_file, sync_folder
from rigbridge.machine.folders import make_folder, path_text

__all__ = ["After", "AfterCounts", "Afterwards", "FileStep"]

_STORED = {RunStatus.CREATED, RunStatus.KNOWN, RunStatus.REPLACED}


class After(StrEnum):
    """What becomes of a file that was imported."""

    KEEP = "keep"
    MOVE = "move"
    ARCHIVE = "archive"
    DELETE = "delete"


@attrs.define
class AfterCounts:
    """
    What was done.

    Attributes:
        done: files moved, archived or deleted.
        bad: files that could not be imported, and were copied or moved.
        left: files that should have been, and were not.
        problems: why, for the first of them, a sentence each.
    """

    done: int = 0
    bad: int = 0
    left: int = 0
    problems: list[str] = attrs.field(factory=list[str])

    def leave(self, path: Path, reason: str) -> None:
        """Note a file that stays where it is."""
        self.left += 1
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(f"{path_text(path)}: stays where it is: {reason}")


_MOST_PROBLEMS = 10


@attrs.frozen(kw_only=True)
class FileStep:
    """
    What is to be done.

    Attributes:
        after: what becomes of a file that was imported.
        folder: where it is moved, or where the archives lie.
        bad: where a file goes that could not be imported; None to leave it alone.
        move_bad: move it there, instead of copying it.
    """

    after: After = After.KEEP
    folder: Path | None = None
    bad: Path | None = None
    move_bad: bool = False


class Afterwards:
    """
    Does it, file by file.

    Args:
        roots: the folders that were named: below them, the path of a file is kept.

    Raises:
        ConfigurationError: files would go to where they come from, or nowhere.
    """

    def __init__(self, step: FileStep, roots: Sequence[Path]) -> None:
        self._step = step
        self._roots = [Path(os.path.abspath(root)) for root in roots]  # noqa: PTH100 - keeps links
        self._check()
        self._archive = (
            DailyArchive(step.folder)
            if step.after is After.ARCHIVE and step.folder is not None
            else None
        )
        self.counts = AfterCounts()

    def _check(self) -> None:
        if self._step.after in {After.MOVE, After.ARCHIVE} and not self._step.folder:
            raise ConfigurationError(
                f"'{self._step.after}' needs a folder for the files",
                remedy="name a folder by --after-folder",
            )
        for folder in (self._step.folder, self._step.bad):
            here = None if folder is None else folder.resolve()
            for root in self._roots:
                # Resolved: a link must not hide that one folder lies in another.
                if here is not None and here.is_relative_to(root.resolve()):
                    raise ConfigurationError(
                        "lies in a folder that is imported, so that its files would be "
                        "imported again",
                        source=path_text(here),
                        remedy="name a folder outside of it",
                    )

    def finish(self, result: SourceResult) -> None:
        """Do what is to be done with the file of a result, which is durable."""
        path = result.path
        if path is None or not result.tried:
            return
        try:
            if _is_delivered(result):
                self._finish_good(path, result)
            elif self._step.bad is not None and _is_bad(result):
                self._finish_bad(path, result, self._step.bad)
        except OSError as error:
            self.counts.leave(path, error.strerror or str(error))

    def close(self) -> None:
        """Bring the last archive to its end."""
        if self._archive is not None:
            self._write_archive(self._archive)

    def _finish_good(self, path: Path, result: SourceResult) -> None:
        step = self._step
        if step.after is After.KEEP:
            return
        reason = self._obstacle(path, result)
        if reason is not None:
            self.counts.leave(path, reason)
            return
        if step.after is After.DELETE:
            path.unlink()
            self.counts.done += 1
        elif self._archive is not None:
            self._archive.add(path, self._below(path).as_posix(), result.mtime_ns)
            if self._archive.is_full:
                self._write_archive(self._archive)
        elif step.folder is not None:
            _move(path, step.folder / self._below(path))
            self.counts.done += 1

    def _write_archive(self, archive: DailyArchive) -> None:
        # The archive deletes the files itself, each once its member was read back.
        for path, reason in archive.write():
            if reason is None:
                self.counts.done += 1
            else:
                self.counts.leave(path, reason)

    def _finish_bad(self, path: Path, result: SourceResult, folder: Path) -> None:
        reason = self._obstacle(path, result)
        if reason is not None:
            self.counts.leave(path, reason)
            return
        if (
            # Explained by an earlier import; the copy would only be written again.
            result.skipped
            and not self._step.move_bad
            and _is_copied(path, folder / self._below(path))
        ):
            return
        target = _free_name(path, folder / self._below(path))
        # Before the file: what is cut off here is done again, since that still lies
        # where it was found.
        _explain(target, path, result)
        put = _move if self._step.move_bad else _copy
        placed = put(path, target)
        if placed != target:
            # Another import took the name just now.
            _explain(placed, path, result)
        self.counts.bad += 1

    def _obstacle(self, path: Path, result: SourceResult) -> str | None:
        """Say why a file must not be touched; None if it may."""
        state = path.lstat()
        if not stat.S_ISREG(state.st_mode):
            return "is a link, or no file any more"
        # Size and time together, as the ledger compares them: a file that was written
        # again is another report.
        if (state.st_size, state.st_mtime_ns) != (result.size, result.mtime_ns):
            return "has changed since it was read"
        root = self._root(path)
        # A link to a folder may lead to files that nobody meant to give away.
        if root is not None and not path.parent.resolve().is_relative_to(
            root.resolve()
        ):
            return "lies behind a link that leads out of the folder"
        return None

    def _root(self, path: Path) -> Path | None:
        here = Path(os.path.abspath(path))  # noqa: PTH100 - keeps links
        roots = [root for root in self._roots if root in here.parents]
        # The innermost root, so that the folders below it are kept at the target.
        return max(roots, key=lambda root: len(root.parts), default=None)

    def _below(self, path: Path) -> Path:
        root = self._root(path)
        here = Path(os.path.abspath(path))  # noqa: PTH100 - keeps links
        return Path(path.name) if root is None else here.relative_to(root)


def _is_delivered(result: SourceResult) -> bool:
    """Tell whether all of a file is stored: in the destination, not in a queue."""
    return (
        not result.errors
        # Of a copy of another file the ledger holds no runs.
        and (result.skipped or bool(result.runs))
        and not result.quarantined
        and all(run.status in _STORED and not run.failures for run in result.runs)
    )


def _is_bad(result: SourceResult) -> bool:
    """Tell whether the file itself is at fault, and not the destination for now."""
    return bool(result.errors) and all(
        not isinstance(error, DeliveryError) or isinstance(error, PermanentError)
        for error in result.errors
    )


def _is_copied(path: Path, target: Path) -> bool:
    """Tell whether an earlier import has put a copy there."""
    return target.exists() and _is_same(path, target)


def _explain(target: Path, path: Path, result: SourceResult) -> None:
    """Write beside the place of a bad file why it was not imported."""
    words = "\n".join(str(error) for error in result.errors)
    note = target.with_name(f"{target.name}.reason.txt")
    make_folder(target.parent)
    note.write_text(
        f"{words}\n\nRead from: {path_text(path)}\n",
        encoding="utf-8",
        errors="backslashreplace",
    )
    sync_file(note)


def _free_name(path: Path, target: Path) -> Path:
    """Give the name under which a file will lie: one that is free, or its own."""
    return next(
        name
        for name in _names(target)
        if not os.path.lexists(name) or _is_same(path, name)
    )


def _move(path: Path, target: Path) -> Path:
    """Move a file; what is there under its name stays, unless it is the same."""
    make_folder(target.parent)
    candidate = target
    for candidate in _names(target):
        try:
            # A link never replaces a file, as a rename would.
            os.link(path, candidate)
        except FileExistsError:
            # Moved by an earlier import that was cut off before it could delete the
            # file.
            if _is_same(path, candidate):
                break
            continue
        except OSError:
            # Another disk, or one without links.
            if not _copied(path, candidate):
                continue
        break
    # The new name is on the disk before the old one goes.
    sync_folder(candidate.parent)
    path.unlink()
    return candidate


def _copy(path: Path, target: Path) -> Path:
    make_folder(target.parent)
    return next(
        name
        for name in _names(target)
        if (name.exists() and _is_same(path, name)) or _copied(path, name)
    )


def _copied(path: Path, target: Path) -> bool:
    """Copy a file, whole and synced; False if there is one of that name."""
    if os.path.lexists(target):
        return False
    # A hidden name of this process: a reader never sees half a file, and two imports do
    # not meet.
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        shutil.copy2(path, partial)
        sync_file(partial)
        # Read back, since the file is deleted because this copy exists.
        if _digest(partial) != _digest(path):
            raise OSError("the copy differs from the file")
        partial.rename(target)
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()
    sync_folder(target.parent)
    return True


def _names(target: Path) -> Iterator[Path]:
    # Without end: a file for which there is no name must not be taken for placed.
    yield target
    for number in count(2):
        yield target.with_name(f"{target.stem} ({number}){target.suffix}")


def _is_same(path: Path, other: Path) -> bool:
    # Sizes first: most files of one name differ in them, and no byte has to be read.
    if not other.is_file() or path.stat().st_size != other.stat().st_size:
        return False
    return path.samefile(other) or _digest(path) == _digest(other)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
