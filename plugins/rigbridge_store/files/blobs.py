"""
The bytes of attachments, one place a content, under its digest.

In the data folder each is a file; :mod:`rigbridge_store.files.remote_blobs` keeps them
elsewhere. A file appears under its name only when it is whole and on disk: it is
written beside, synced, renamed, and then the folder is synced. The same bytes twice are
one file.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from rigbridge.errors import ServerUnavailableError
from rigbridge.model import FileOpener
from rigbridge.wire import CODES
from rigbridge_store.results import StoredBlob

__all__ = [
    "BlobFolder",
    "BlobKeeper",
    "BlobWriter",
    "Blobs",
    "store_blob",
    "sweep_folder",
]

FOLDER_NAME = "attachments"
"""The name of the folder of contents in the data folder."""

INCOMING = "incoming"
"""The name of the folder in it for contents that are being written."""


class BlobKeeper(Protocol):
    """
    What a writer hands its content to.

    Attributes:
        incoming: the folder in which contents are while they come in.
    """

    incoming: Path

    def adopt(self, path: Path, blob: StoredBlob) -> None:
        """
        Take a written and synced file over, for good.

        Raises:
            ServerUnavailableError: it cannot be kept for now.
        """
        ...


class Blobs(Protocol):
    """The contents of attachments, wherever they are."""

    def writer(self) -> BlobWriter:
        """Begin to take a content."""
        ...

    def path(self, sha256: str) -> Path | None:
        """Tell which file a content is, or None where it is none of this machine."""
        ...

    def opener(self, sha256: str) -> Callable[[], IO[bytes]]:
        """Give what opens a content."""
        ...

    def open(self, sha256: str) -> IO[bytes]:
        """
        Open a content for reading.

        Raises:
            FileNotFoundError: it is not there.
            ServerUnavailableError: it cannot be reached for now.
        """
        ...

    def holds(self, blob: StoredBlob) -> bool:
        """
        Whether a content is there already, whole; if so it is safe from sweeping.
        """
        ...

    def store(self, chunks: Iterable[bytes]) -> StoredBlob:
        """
        Write a content.

        Raises:
            ServerUnavailableError: it cannot be written for now.
        """
        ...

    def remove(self, sha256: str, *, untouched_for: float) -> bool:
        """
        Delete a content that nobody has stored or asked to keep for some seconds.

        The wait protects a content that another process has just found here and is
        about to refer to.
        """
        ...

    def digests(self) -> Iterator[str]:
        """Go through the digests of all contents."""
        ...

    def sweep_incoming(self, *, untouched_for: float) -> None:
        """Delete what was being written when a process died."""
        ...


class BlobWriter:
    """
    Takes one content, chunk by chunk.

    Nothing is kept unless :meth:`finish` is called.

    Args:
        keeper: what takes it over.
    """

    def __init__(self, keeper: BlobKeeper) -> None:
        self._keeper = keeper
        self._digest = hashlib.sha256()
        self.size = 0
        with _disk():
            descriptor, name = tempfile.mkstemp(dir=keeper.incoming)
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

    def finish(self) -> StoredBlob:
        """
        Make the content permanent.

        Raises:
            ServerUnavailableError: the disk does not take it.
        """
        with _disk():
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._stream.close()
            blob = StoredBlob(sha256=self._digest.hexdigest(), size=self.size)
            self._keeper.adopt(self._path, blob)
        return blob

    def discard(self) -> None:
        """Forget the content, unless it was finished; may be called twice."""
        with _disk():
            self._stream.close()
            self._path.unlink(missing_ok=True)


def store_blob(writer: BlobWriter, chunks: Iterable[bytes]) -> StoredBlob:
    """
    Write a content, or nothing of it.

    Raises:
        ServerUnavailableError: it cannot be written for now.
    """
    try:
        for chunk in chunks:
            writer.write(chunk)
        return writer.finish()
    finally:
        writer.discard()


class BlobFolder:
    """
    The folder of all contents.

    Args:
        data: the data folder of the store.
    """

    def __init__(self, data: Path) -> None:
        self._root = data / FOLDER_NAME
        self.incoming = self._root / INCOMING
        self.incoming.mkdir(parents=True, exist_ok=True)

    def writer(self) -> BlobWriter:
        """Begin to take a content."""
        return BlobWriter(self)

    def path(self, sha256: str) -> Path:
        """Tell where a content stands, or would stand."""
        return self._root / sha256[:2] / sha256[2:4] / sha256

    def opener(self, sha256: str) -> FileOpener:
        """Give what opens a content."""
        return FileOpener(self.path(sha256))

    def open(self, sha256: str) -> IO[bytes]:
        """Open a content for reading."""
        return self.path(sha256).open("rb")

    def holds(self, blob: StoredBlob) -> bool:
        """
        Whether a content is there already, whole; if so it is safe from sweeping.
        """
        return _freshen(self.path(blob.sha256), blob.size)

    def store(self, chunks: Iterable[bytes]) -> StoredBlob:
        """
        Write a content.

        Raises:
            ServerUnavailableError: the disk does not take it.
        """
        return store_blob(self.writer(), chunks)

    def adopt(self, path: Path, blob: StoredBlob) -> None:
        """Move a written and synced file to its place, for good."""
        target = self.path(blob.sha256)
        if _freshen(target, blob.size):
            path.unlink()
            return
        folder = target.parent
        made = [parent for parent in (folder, folder.parent) if not parent.is_dir()]
        folder.mkdir(parents=True, exist_ok=True)
        path.replace(target)
        for changed in (folder, *(parent.parent for parent in made)):
            _sync_folder(changed)

    def remove(self, sha256: str, *, untouched_for: float) -> bool:
        """
        Delete a content that nobody has stored or asked to keep for some seconds.

        The wait protects a content that another process has just found here and is
        about to refer to.
        """
        path = self.path(sha256)
        try:
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

    def sweep_incoming(self, *, untouched_for: float) -> None:
        """Delete what was being written when a process died."""
        sweep_folder(self.incoming, untouched_for=untouched_for)


def sweep_folder(folder: Path, *, untouched_for: float) -> None:
    """Delete the files of a folder that nobody has written to for some seconds."""
    for path in folder.iterdir():
        if time.time() - path.stat().st_mtime >= untouched_for:
            path.unlink(missing_ok=True)


def _freshen(path: Path, size: int) -> bool:
    try:
        if path.stat().st_size != size:
            return False
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


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
