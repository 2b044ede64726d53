"""
The contents of attachments: their bytes, each kept once under its digest.

:class:`DiskContents` keeps each as a file of the data folder,
:class:`~rigbridge_store.files.remote_contents.RemoteContents` behind a URL. Both take
the bytes into a file of the data folder first, since the digest is known at their end.
A content appears under its digest only when it is whole and durable.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

from rigbridge.errors import ServerUnavailableError
from rigbridge.machine.files import past_scanners
from rigbridge.model import FileOpener
from rigbridge.wire import CODES
from rigbridge_store.results import StoredContent

__all__ = [
    "FOLDER_NAME",
    "ContentStore",
    "ContentWriter",
    "DiskContents",
    "stream_pieces",
]

FOLDER_NAME = "attachments"
"""The name of the folder of contents in the data folder."""

_INCOMING = "incoming"
"""The name of the folder in it for contents that are being written."""

_PIECE = 256 * 1024
"""Bytes of one piece of an answer: a file may be larger than memory."""


def stream_pieces(stream: IO[bytes]) -> Generator[bytes]:
    """
    Give an open content piece by piece, and close it however the reading ends.

    The stream is also closed if nobody ever asks for a piece, as when the reader of an
    answer has left before its first byte.
    """
    pieces = _pieces(stream)
    # A generator that has not begun runs no clean-up when it is dropped, so this one
    # is taken to its first, empty yield.
    next(pieces)
    return pieces


def _pieces(stream: IO[bytes]) -> Generator[bytes]:
    with closing(stream):
        yield b""
        while piece := stream.read(_PIECE):
            yield piece


class ContentStore(ABC):
    """The contents of attachments, wherever they are."""

    def __init__(self, data: Path) -> None:
        # In the data folder, so that the file can be renamed to its place: a rename
        # works within one file system only.
        self.incoming = data / FOLDER_NAME / _INCOMING
        self.incoming.mkdir(parents=True, exist_ok=True)

    def writer(self) -> ContentWriter:
        """Begin to take a content."""
        return ContentWriter(self)

    def store(self, chunks: Iterable[bytes]) -> StoredContent:
        """
        Write a content, or nothing of it.

        Raises:
            ServerUnavailableError: it cannot be written for now.
        """
        writer = self.writer()
        try:
            for chunk in chunks:
                writer.write(chunk)
            return writer.finish()
        finally:
            writer.discard()

    def sweep_incoming(self, *, untouched_for: float) -> None:
        """Delete what was being written when a process died."""
        # By age, since another process may be writing one right now.
        for path in self.incoming.iterdir():
            if time.time() - path.stat().st_mtime >= untouched_for:
                path.unlink(missing_ok=True)

    @abstractmethod
    def adopt(self, path: Path, content: StoredContent) -> None:
        """
        Keep a written and synced file for good; the file is gone afterwards.

        Raises:
            ServerUnavailableError: it cannot be kept for now.
        """

    @abstractmethod
    def path(self, sha256: str) -> Path | None:
        """Give the file of a content, or None where it is on another machine."""

    @abstractmethod
    def opener(self, sha256: str) -> Callable[[], IO[bytes]]:
        """Give what opens a content."""

    @abstractmethod
    def open(self, sha256: str) -> IO[bytes]:
        """
        Open a content for reading.

        Raises:
            FileNotFoundError: it is not there.
            ServerUnavailableError: it cannot be reached for now.
        """

    @abstractmethod
    def holds(self, content: StoredContent) -> bool:
        """
        Whether a content is there already, whole; if so it is safe from sweeping.

        Raises:
            ServerUnavailableError: it cannot be reached for now.
        """

    def is_sound(self, content: StoredContent) -> bool:
        """
        Whether a content is there already, whole, with the bytes that it should have.

        Raises:
            ServerUnavailableError: it cannot be reached for now.
        """
        return self.holds(content)

    @abstractmethod
    def remove(self, sha256: str, *, untouched_for: float) -> bool:
        """
        Delete a content that nobody has stored or asked to keep for some seconds.

        The wait protects a content that another process has just found here and is
        about to refer to.

        Returns:
            Whether it was deleted.
        """

    @abstractmethod
    def digests(self) -> Iterator[str]:
        """Go through the digests of all contents."""


class ContentWriter:
    """
    Takes one content, chunk by chunk.

    Nothing is kept unless :meth:`finish` is called.
    """

    def __init__(self, contents: ContentStore) -> None:
        self._contents = contents
        self._digest = hashlib.sha256()
        self.size = 0
        with _disk():
            descriptor, name = tempfile.mkstemp(dir=contents.incoming)
            self._path = Path(name)
            self._stream = os.fdopen(descriptor, "wb")

    def write(self, chunk: bytes) -> None:
        """
        Add a chunk.

        Raises:
            ServerUnavailableError: the disk does not take it.
        """
        with _disk():
            self._stream.write(chunk)
        self._digest.update(chunk)
        self.size += len(chunk)

    def finish(self) -> StoredContent:
        """
        Make the content permanent.

        Raises:
            ServerUnavailableError: the disk does not take it.
        """
        with _disk():
            # Out of Python's buffer first, or fsync would sync less than was written.
            self._stream.flush()
            # Before the rename: the name must never show bytes that a power cut loses.
            os.fsync(self._stream.fileno())
            self._stream.close()
            content = StoredContent(sha256=self._digest.hexdigest(), size=self.size)
            self._contents.adopt(self._path, content)
        return content

    def discard(self) -> None:
        """Forget the content, unless it was finished; may be called twice."""
        with _disk():
            self._stream.close()
            self._path.unlink(missing_ok=True)


class DiskContents(ContentStore):
    """Contents as files of the data folder."""

    def __init__(self, data: Path) -> None:
        super().__init__(data)
        self._root = data / FOLDER_NAME

    def path(self, sha256: str) -> Path:
        """Give the file of a content, whether it is there or not."""
        # Two levels of folders: some file systems are slow with many files in one.
        return self._root / sha256[:2] / sha256[2:4] / sha256

    def opener(self, sha256: str) -> FileOpener:
        """Give what opens a content."""
        return FileOpener(self.path(sha256))

    def open(self, sha256: str) -> IO[bytes]:
        """Open a content for reading."""
        return self.path(sha256).open("rb")

    def holds(self, content: StoredContent) -> bool:
        """Whether a content is there already, whole, and now safe from sweeping."""
        path = self.path(content.sha256)
        try:
            # A file of another length was damaged; it is written anew.
            if path.stat().st_size != content.size:
                return False
            os.utime(path)
        except FileNotFoundError:
            return False
        return True

    def is_sound(self, content: StoredContent) -> bool:
        """Whether a content is there already, with the bytes that it should have."""
        if not self.holds(content):
            return False
        # Read once more: a damaged content must not become that of another run.
        with _disk(), self.path(content.sha256).open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256")
        return found.hexdigest() == content.sha256

    def adopt(self, path: Path, content: StoredContent) -> None:
        """
        Move a written and synced file to its place, for good.

        It replaces one that is there: what was written just now is sound, that one may
        have been damaged since.
        """
        target = self.path(content.sha256)
        folder = target.parent
        # Noted before they are made, since each new name must be synced in the folder
        # above it.
        made = [parent for parent in (folder, folder.parent) if not parent.is_dir()]
        folder.mkdir(parents=True, exist_ok=True)
        try:
            path.replace(target)
        except PermissionError:
            # Windows replaces no file that somebody reads.
            if target.exists() and self.is_sound(content):
                path.unlink()
                return
            past_scanners(path.replace, target)
        # The rename, and each folder that is new, are durable once the folder that
        # holds their names is synced.
        for changed in (folder, *(parent.parent for parent in made)):
            _sync_folder(changed)

    def remove(self, sha256: str, *, untouched_for: float) -> bool:
        """Delete a content that nobody has touched for some seconds."""
        path = self.path(sha256)
        try:
            # The time of the last touch, see holds().
            if time.time() - path.stat().st_mtime < untouched_for:
                return False
            path.unlink()
        except FileNotFoundError:
            return False
        return True

    def digests(self) -> Iterator[str]:
        """Go through the digests of all contents."""
        for path in self._root.glob("??/??/*"):
            yield path.name


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        # Windows syncs no folders; its rename is durable by the journal.
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _disk() -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise ServerUnavailableError(
            f"the attachment cannot be written: {error.strerror or error}",
            remedy="free the disk, then try again",
            status=503,
            code=CODES[503],
        ) from error
