"""
The folder for what could not even be queued, and the way back from there.

Whoever hands over runs and meets an error writes the run as ``unsent/ID.json`` in the
data folder, as :func:`rigbridge.convert.to_document` does, with its attachments in a
folder ``unsent/ID`` beside it, each named by its SHA-256. What could not be read as a
run lies there in the format of its source. Each such error also becomes a line of
``unsent/errors.log``, so that it is counted and seen.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import attrs
import msgspec

from rigbridge.convert import from_document
from rigbridge.errors import (
    MalformedSourceError,
    RigbridgeError,
    SourceError,
    SourceUnreadableError,
)
from rigbridge.machine.folders import make_file, make_folder, make_private_folder
from rigbridge.model import FileOpener, Run

__all__ = [
    "HandOverErrors",
    "Recovery",
    "UnsentFolder",
    "unsent_folders",
    "write_unsent",
]

_LOGGER = logging.getLogger("rigbridge.outbox")
_FOLDER = "unsent"
_ERRORS = "errors.log"
_MOST_ERRORS = 4 << 20

_Written = TypeVar("_Written")


@attrs.frozen(kw_only=True)
class HandOverErrors:
    """
    The errors that were met while runs were handed over.

    Attributes:
        count: how many, since they were last acknowledged.
        last_at: when the last was met, or None.
        last: its words, or None.
    """

    count: int = 0
    last_at: datetime | None = None
    last: str | None = None


@attrs.frozen(kw_only=True)
class Recovery:
    """
    What came of the files in the folder.

    Attributes:
        recovered: the ids of the runs that are queued now.
        failures: why the other runs are not; their files stay.
        records: files in the format of their source, to be imported.
    """

    recovered: tuple[UUID, ...] = ()
    failures: tuple[RigbridgeError, ...] = ()
    records: tuple[Path, ...] = ()


@attrs.frozen
class _Line:
    """One error in the file."""

    at: datetime
    text: str


class UnsentFolder:
    """
    What could not be queued, in a data folder and its stand-in.

    Args:
        data: the data folder.
    """

    def __init__(self, data: Path) -> None:
        self._data = data
        self._folders = unsent_folders(data)

    def note_error(self, text: str) -> None:
        """
        Count an error that was met while a run was handed over.

        Args:
            text: what happened, for a person; holds no secrets.

        Raises:
            OSError: it cannot be written anywhere.
        """
        line = msgspec.json.encode(_Line(datetime.now(UTC), " ".join(text.split())))
        write_unsent(self._data, lambda folder: _append(folder / _ERRORS, line))

    def errors(self) -> HandOverErrors:
        """
        Count the errors.

        Raises:
            OSError: a file cannot be read.
        """
        lines = [line for folder in self._folders for line in _lines(folder)]
        if not lines:
            return HandOverErrors()
        last = max(lines, key=lambda line: line.at)
        return HandOverErrors(count=len(lines), last_at=last.at, last=last.text)

    def acknowledge(self) -> None:
        """
        Count errors anew from here.

        Raises:
            OSError: a file cannot be removed.
        """
        for folder in self._folders:
            for path in (folder / _ERRORS, _older(folder / _ERRORS)):
                path.unlink(missing_ok=True)

    def holds_runs(self) -> bool:
        """
        Tell whether there is anything that `recover` can queue without help.

        Raises:
            OSError: a folder cannot be read.
        """
        return any(_run_id(path) is not None for path in self._files())

    def recover(
        self,
        submit: Callable[[Run], object],
        requeue: Callable[[Path], Sequence[UUID]] | None = None,
    ) -> Recovery:
        """
        Queue the runs that lie here; the files of a run go once it is queued.

        Args:
            submit: queues a run durably.
            requeue: reads what lies here in the format of its source, queues its runs
                durably and gives their ids; without it such files are left to a person.
        """
        recovered: list[UUID] = []
        failures: list[RigbridgeError] = []
        records: list[Path] = []
        for path in self._files():
            try:
                if _run_id(path) is not None:
                    run = _read(path)
                    submit(run)
                    found: Sequence[UUID] = (run.id,)
                else:
                    found = () if requeue is None else _requeued(path, requeue)
                    if not found:
                        records.append(path)
                        continue
                _remove(path)
            except RigbridgeError as error:
                error.source = str(path)
                failures.append(error)
            except (OSError, ExceptionGroup) as error:
                failures.append(SourceUnreadableError(str(error), source=str(path)))
            else:
                recovered.extend(found)
        return Recovery(
            recovered=tuple(recovered),
            failures=tuple(failures),
            records=tuple(records),
        )

    def _files(self) -> Iterator[Path]:
        kept, stand_in = self._folders
        yield from _json_files(kept)
        # Anybody may make folders and files there.
        yield from filter(_is_ours, _json_files(stand_in))


def _json_files(folder: Path) -> list[Path]:
    # A hidden file is still being written.
    return sorted(
        path
        for path in folder.glob("*.json")
        if path.is_file() and not path.name.startswith(".")
    )


def _is_ours(path: Path) -> bool:
    return os.name == "nt" or path.stat().st_uid == os.geteuid()


def unsent_folders(data: Path) -> tuple[Path, Path]:
    """
    Name the folder in a data folder, and the one that stands in where that is none.

    The stand-in lies in the system's temporary folder. Each user and each data folder
    has one of its own, so that no run gets to another user, or into another outbox and
    from there to another store.

    Args:
        data: the data folder.
    """
    own = hashlib.sha256(os.fsencode(data.absolute())).hexdigest()[:16]
    return data / _FOLDER, _private_root() / own / _FOLDER


def _private_root() -> Path:
    user = "" if os.name == "nt" else f"-{os.geteuid()}"
    return Path(tempfile.gettempdir()) / f"rigbridge{user}"


def write_unsent(data: Path, write: Callable[[Path], _Written]) -> _Written:
    """
    Write into the folder of a data folder, or where that fails into its stand-in.

    The folder is as open to a group as the data folder, the stand-in to nobody else.

    Args:
        data: the data folder.
        write: writes into a folder that is there; gives what it wrote.

    Raises:
        OSError: neither can be written.
    """
    folder, stand_in = unsent_folders(data)
    try:
        make_folder(folder)
        return write(folder)
    except OSError:
        make_private_folder(_private_root())
        make_folder(stand_in)
        return write(stand_in)


def _requeued(path: Path, requeue: Callable[[Path], Sequence[UUID]]) -> Sequence[UUID]:
    try:
        return requeue(path)
    except SourceError as error:
        _LOGGER.warning("%s can still not be read: %s", path, error)
        return ()


def _run_id(path: Path) -> UUID | None:
    try:
        return UUID(path.stem)
    except ValueError:
        return None


def _read(path: Path) -> Run:
    try:
        document: dict[str, Any] = msgspec.json.decode(path.read_bytes(), type=dict)
    except msgspec.DecodeError as error:
        raise MalformedSourceError(f"is no run: {error}") from error
    if document.get("id") != path.stem:
        raise MalformedSourceError("holds another run than its name says")
    folder = path.with_suffix("")
    present = {file.name: file for file in folder.glob("*")}
    for sha256, file in present.items():
        with file.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != sha256:
                raise MalformedSourceError(
                    "the attachment is damaged", place=str(file.name)
                )
    openers = {sha256: FileOpener(file) for sha256, file in present.items()}
    return from_document(document, openers)


def _remove(path: Path) -> None:
    # The attachments first: without its JSON file nobody would find them.
    folder = path.with_suffix("")
    if folder.is_dir():
        shutil.rmtree(folder)
    path.unlink()


def _older(path: Path) -> Path:
    return path.with_suffix(".1.log")


def _append(path: Path, line: bytes) -> None:
    if path.is_file() and path.stat().st_size > _MOST_ERRORS:
        path.replace(_older(path))
    make_file(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        # One write, so that the lines of several processes do not mix.
        os.write(descriptor, line + b"\n")
    finally:
        os.close(descriptor)


def _lines(folder: Path) -> Iterator[_Line]:
    for path in (_older(folder / _ERRORS), folder / _ERRORS):
        if not path.is_file():
            continue
        for line in path.read_bytes().splitlines():
            try:
                yield msgspec.json.decode(line, type=_Line)
            except msgspec.DecodeError:
                moment = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                yield _Line(moment, "a line of the error log is damaged")
