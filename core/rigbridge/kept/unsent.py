"""
The folder for runs that could not be queued, and how they are queued later.

A run that the outbox does not take becomes ``unsent/ID.json`` in the data folder, with
its attachments beside it. A record that could not be read as a run is kept
in the format of its source. Each such error is also a line of ``unsent/errors.log``,
so that it is counted and seen.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import attrs

from rigbridge.errors import RigbridgeError, SourceError, SourceUnreadableError
from rigbridge.kept.errors_log import (
    HandOverErrors,
    append_error,
    read_errors,
    remove_errors,
)
from rigbridge.kept.run_folder import RunFolder, run_id_of
from rigbridge.machine.files import whole_file
from rigbridge.machine.folders import make_folder, make_private_folder
from rigbridge.model import Run
from rigbridge.model.report import ConversionReport

__all__ = ["Recovery", "UnsentFolder", "unsent_folders"]

_LOGGER = logging.getLogger("rigbridge.outbox")
_FOLDER = "unsent"

_Written = TypeVar("_Written")


@attrs.frozen(kw_only=True)
class Recovery:
    """
    The result of queueing the files in the folder.

    Attributes:
        recovered: the ids of the runs that are queued now.
        failures: why the other runs are not; their files stay.
        records: files in the format of their source, to be imported.
    """

    recovered: tuple[UUID, ...] = ()
    failures: tuple[RigbridgeError, ...] = ()
    records: tuple[Path, ...] = ()


class UnsentFolder:
    """
    Runs and records that could not be queued, in a data folder and its stand-in.

    Files are written to the folder in the data folder, or to the stand-in where that
    fails. The first has the group permissions of the data folder. Only this user can
    enter the stand-in.

    Args:
        data: the data folder.
    """

    def __init__(self, data: Path) -> None:
        self._folders = unsent_folders(data)

    def keep_run(self, run: Run, report: ConversionReport | None = None) -> Path:
        """
        Write a run and its attachments, so that both survive a power cut.

        Args:
            run: the run.
            report: what its conversion recorded, or None.

        Returns:
            The JSON file.

        Raises:
            OSError: neither folder can be written.
        """
        return self._write(lambda folder: RunFolder(folder).write(run, report))

    def keep_record(self, name: str, pieces: Callable[[], Iterable[bytes]]) -> Path:
        """
        Write a record in the format of its source.

        Args:
            name: the file's name; no UUID alone, which is the name of a run.
            pieces: gives the bytes from the beginning; called again for the stand-in.

        Returns:
            The file.

        Raises:
            OSError: neither folder can be written.
        """

        def write(folder: Path) -> Path:
            path = folder / name
            with whole_file(path) as partial, partial.open("wb") as stream:
                stream.writelines(pieces())
            return path

        return self._write(write)

    def note_error(self, text: str) -> None:
        """
        Count an error that was met while a run was handed over.

        Args:
            text: what happened, for a person; holds no secrets.

        Raises:
            OSError: it cannot be written anywhere.
        """
        self._write(lambda folder: append_error(folder, text))

    def _write(self, write: Callable[[Path], _Written]) -> _Written:
        folder, stand_in = self._folders
        try:
            make_folder(folder)
            return write(folder)
        # The data folder may be full, read-only or gone: the run must still be kept.
        except OSError:
            make_private_folder(_private_root())
            make_folder(stand_in)
            return write(stand_in)

    def errors(self) -> HandOverErrors:
        """
        Count the errors.

        Raises:
            OSError: a file cannot be read.
        """
        return read_errors(*self._folders)

    def acknowledge(self) -> None:
        """
        Count errors anew from here.

        Raises:
            OSError: a file cannot be removed.
        """
        for folder in self._folders:
            remove_errors(folder)

    def holds_runs(self) -> bool:
        """
        Whether there are runs that `recover` can queue without an adapter.

        Raises:
            OSError: a folder cannot be read.
        """
        return any(run_id_of(path) is not None for path in self._files())

    def recover(
        self,
        submit: Callable[[Run, ConversionReport], object],
        requeue: Callable[[Path], Sequence[UUID]] | None = None,
    ) -> Recovery:
        """
        Queue the runs in the folder; the files of a run are removed once it is queued.

        Args:
            submit: queues a run durably.
            requeue: reads a record in the format of its source, queues its runs durably
                and gives their ids; without it records are left to a person.
        """
        recovered: list[UUID] = []
        failures: list[RigbridgeError] = []
        records: list[Path] = []
        for path in self._files():
            try:
                queued = _recover(path, submit, requeue)
            except RigbridgeError as error:
                # One bad file must not stop the others; it stays for a person.
                error.source = str(path)
                failures.append(error)
            except (OSError, ExceptionGroup) as error:
                failures.append(SourceUnreadableError(str(error), source=str(path)))
            else:
                recovered.extend(queued)
                if not queued:
                    records.append(path)
        return Recovery(
            recovered=tuple(recovered),
            failures=tuple(failures),
            records=tuple(records),
        )

    def _files(self) -> list[Path]:
        own, stand_in = map(RunFolder, self._folders)
        # Anybody may make files in the system's temporary folder: only ours count.
        return own.files() + [path for path in stand_in.files() if _is_ours(path)]


def unsent_folders(data: Path) -> tuple[Path, Path]:
    """
    Name the folder in a data folder, and the stand-in for where that is not writable.

    The stand-in lies in the system's temporary folder. Each user and each data folder
    has one of its own, so that no run gets to another user, or into another outbox and
    from there to another store.

    Args:
        data: the data folder.
    """
    # Hashed, since a path may be too long for a name of a folder.
    own = hashlib.sha256(os.fsencode(data.absolute())).hexdigest()[:16]
    return data / _FOLDER, _private_root() / own / _FOLDER


def _private_root() -> Path:
    # On Windows the temporary folder is the user's own already.
    user = "" if os.name == "nt" else f"-{os.geteuid()}"
    return Path(tempfile.gettempdir()) / f"rigbridge{user}"


def _is_ours(path: Path) -> bool:
    return os.name == "nt" or path.stat().st_uid == os.geteuid()


def _recover(
    path: Path,
    submit: Callable[[Run, ConversionReport], object],
    requeue: Callable[[Path], Sequence[UUID]] | None,
) -> Sequence[UUID]:
    """Queue the runs of one file and remove it; no ids where no adapter reads it."""
    if run_id_of(path) is not None:
        runs = RunFolder(path.parent)
        kept = runs.read(path)
        submit(kept.run, kept.report or ConversionReport())
        # Only now: a crash in between queues the run twice, which the outbox notices.
        runs.remove(kept.run.id)
        return (kept.run.id,)
    if requeue is None:
        return ()
    try:
        queued = requeue(path)
    # No failure: an adapter of a later version may read it.
    except SourceError as error:
        _LOGGER.warning("%s can still not be read: %s", path, error)
        return ()
    if queued:
        path.unlink()
    return queued
