"""Files that belong to a run: named, sized and hashed, never held in memory."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import IO

import attrs

from rigbridge.errors import FileUnreadableError
from rigbridge.machine.folders import file_chunks, path_text
from rigbridge.model.values import (
    Field,
    count_or_none,
    fail,
    optional_text,
    sha256_or_none,
    text,
)

__all__ = ["Attachment", "FileOpener", "SettledFile"]

_FILES = frozenset({stat.S_IFREG, stat.S_IFDIR})
"""What is opened; of a folder the system says itself that it is none to be read."""


@attrs.frozen
class FileOpener:
    """Opens one file for reading bytes; can be sent to another process."""

    path: Path

    def __call__(self) -> IO[bytes]:
        """
        Open the file.

        Raises:
            OSError: it cannot be opened, or is no file with a beginning and an end.
        """
        # A pipe would wait for a writer for ever, some devices never end.
        kind = stat.S_IFMT(self.path.stat().st_mode)
        if kind not in _FILES:
            raise OSError(errno.EINVAL, "is no regular file", str(self.path))
        return self.path.open("rb")


@attrs.frozen
class SettledFile(FileOpener):
    """
    Opens a file that nobody writes to any more, so that a link is as good as a copy.

    Attributes:
        sha256: the digest of its bytes, from reading them.
        synced: whether its bytes are on the disk, beyond a power cut.
        owner: what deletes the file once nothing refers to it any more, or None.
    """

    sha256: str
    synced: bool = False
    owner: object = attrs.field(default=None, eq=False, repr=False)


def _opener(instance: object, attribute: Field, value: object) -> None:
    if value is not None and not callable(value):
        raise fail(instance, attribute, "must be callable or None")


@attrs.frozen(kw_only=True)
class Attachment:
    """
    A file of a run.

    Two attachments are equal when name, media type, size and digest are; where
    their bytes come from does not matter.

    Attributes:
        name: the file name shown to a reader, without folders.
        media_type: its media type (``image/png``), or None.
        size: its length in bytes, or None where only a reference is known.
        sha256: its digest in lower-case hex, or None likewise.
        opener: gives a new binary stream at each call; None where the source names
            the file but does not hold its bytes.

    Raises:
        ModelError: a field of the wrong kind; the error names it.
    """

    name: str = attrs.field(validator=text)
    media_type: str | None = attrs.field(default=None, validator=optional_text)
    size: int | None = attrs.field(default=None, validator=count_or_none)
    sha256: str | None = attrs.field(default=None, validator=sha256_or_none)
    opener: Callable[[], IO[bytes]] | None = attrs.field(
        default=None, validator=_opener, eq=False, repr=False
    )

    @property
    def embedded(self) -> bool:
        """Whether the bytes are at hand."""
        return self.opener is not None

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str],
        *,
        name: str | None = None,
        media_type: str | None = None,
    ) -> Attachment:
        """
        Describe a file on disk; it is read once, in chunks, for its digest.

        Args:
            path: the file.
            name: the name to show; the file's own by default.
            media_type: its media type; guessed from the name by default.

        Raises:
            FileUnreadableError: the file cannot be read; it is an ``OSError``, too.
        """
        # Few programs make attachments; both take long to import.
        import hashlib
        import mimetypes

        path = Path(path)
        # A name of Linux may hold bytes that are no text.
        shown = name or path_text(Path(path.name))
        digest = hashlib.sha256()
        size = 0
        opener = FileOpener(path)
        try:
            with opener() as stream:
                for chunk in file_chunks(stream):
                    digest.update(chunk)
                    size += len(chunk)
        except OSError as error:
            raise _unreadable(path, error) from error
        return cls(
            name=shown,
            media_type=media_type or mimetypes.guess_type(shown)[0],
            size=size,
            sha256=digest.hexdigest(),
            opener=opener,
        )


def _unreadable(path: Path, error: OSError) -> FileUnreadableError:
    message, remedy = error.strerror or str(error), "check its permissions and its disk"
    if isinstance(error, FileNotFoundError):
        message, remedy = "there is no such file", "check the path"
    elif isinstance(error, IsADirectoryError):
        message, remedy = "is a folder, not a file", "attach the files in it one by one"
    failure = FileUnreadableError(message, source=path_text(path), remedy=remedy)
    # An OSError as well: programs catch it by that, and look at these.
    failure.errno, failure.strerror = error.errno, error.strerror
    failure.filename = error.filename
    return failure
