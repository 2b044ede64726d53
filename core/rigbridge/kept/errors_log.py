"""The log of errors that were met while runs were handed over, one JSON line each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import attrs
import msgspec

from rigbridge.machine.folders import make_file

__all__ = ["HandOverErrors", "append_error", "read_errors", "remove_errors"]

# A file, not a table: it must take an error when the database takes nothing.
_NAME = "errors.log"
_MAX_BYTES = 4 << 20
"""Size at which a log becomes the older one of two; then both are bounded."""


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


@attrs.frozen
class _LoggedError:
    """One line of the file."""

    at: datetime
    text: str


def append_error(folder: Path, text: str) -> None:
    """
    Append an error to the log of a folder.

    Raises:
        OSError: it cannot be written.
    """
    # One line an error, whatever line breaks its text has.
    error = _LoggedError(datetime.now(UTC), " ".join(text.split()))
    path = folder / _NAME
    if path.is_file() and path.stat().st_size > _MAX_BYTES:
        path.replace(_older(path))
    # Made first, for the permissions of a shared folder.
    make_file(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        # One write, so that the lines of several processes do not mix.
        os.write(descriptor, msgspec.json.encode(error) + b"\n")
    finally:
        os.close(descriptor)


def read_errors(*folders: Path) -> HandOverErrors:
    """
    Count the errors in the logs of some folders.

    Raises:
        OSError: a file cannot be read.
    """
    errors = [error for folder in folders for error in _errors(folder / _NAME)]
    if not errors:
        return HandOverErrors()
    last = max(errors, key=lambda error: error.at)
    return HandOverErrors(count=len(errors), last_at=last.at, last=last.text)


def remove_errors(folder: Path) -> None:
    """
    Remove the log of a folder.

    Raises:
        OSError: a file cannot be removed.
    """
    path = folder / _NAME
    path.unlink(missing_ok=True)
    _older(path).unlink(missing_ok=True)


def _older(path: Path) -> Path:
    return path.with_suffix(".1.log")


def _errors(path: Path) -> Iterator[_LoggedError]:
    for file in (_older(path), path):
        if not file.is_file():
            continue
        for line in file.read_bytes().splitlines():
            try:
                yield msgspec.json.decode(line, type=_LoggedError)
            except msgspec.DecodeError:
                # A line that a full disk cut off still counts as an error.
                moment = datetime.fromtimestamp(file.stat().st_mtime, UTC)
                yield _LoggedError(moment, "a line of the error log is damaged")
