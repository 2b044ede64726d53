"""A temporary folder for the attachments of runs that are not stored yet."""

from __future__ import annotations

import hashlib
import mimetypes
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Self, cast

import attrs

from rigbridge.machine.folders import CHUNK_SIZE, read_chunks
from rigbridge.machine.threads import start_in_threads
from rigbridge.model import Attachment, SettledFile

__all__ = ["Spool"]

_WIDTH = 6
"""Files read at once: each waits for the disk first, and holds one chunk in memory."""


class Spool:
    """
    Keeps bytes by their digest until it is closed.

    Whoever calls an adapter owns the spool and closes it once the runs are stored.

    Args:
        folder: where to make it; the system's temporary folder by default.
        in_place: leave files that are adopted where they lie, for one who closes the
            spool before they are deleted. What lies on the disk of the folder is synced
            meanwhile, so that an outbox there need not wait for it.
        lasting: keep the bytes beyond closing, for as long as an attachment needs them.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        in_place: bool = False,
        lasting: bool = False,
    ) -> None:
        self._home = folder
        self._in_place = in_place
        self._lasting = lasting
        self._temporary: _TemporaryFolder | None = None
        self._begun: list[Callable[[], object]] = []
        self._read: dict[Path, _Contents | OSError] = {}
        self._synced: set[Path] = set()

    def _root(self) -> Path:
        return Path(tempfile.gettempdir()) if self._home is None else self._home

    def _folder(self) -> Path:
        if self._temporary is None:
            self._temporary = _TemporaryFolder(self._home)
        return self._temporary.path

    def add(
        self, chunks: Iterable[bytes], *, name: str, media_type: str | None = None
    ) -> Attachment:
        """
        Write bytes and describe them.

        Args:
            chunks: the content, piece by piece.
            name: the name to show.
            media_type: its media type; guessed from the name by default.

        Raises:
            OSError: the folder cannot be written.
        """
        folder = self._folder()
        digest = hashlib.sha256()
        size = 0
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as stream:
            for chunk in chunks:
                digest.update(chunk)
                size += stream.write(chunk)
        target = folder / digest.hexdigest()
        Path(stream.name).replace(target)
        contents = _Contents(digest.hexdigest(), size)
        return _described(target, contents, name, media_type, owner=self._owner)

    def aside(self) -> IO[bytes]:
        """Give an empty file for what must lie aside; it vanishes once closed."""
        home = None if self._home is None else str(self._home)
        file = tempfile.SpooledTemporaryFile(max_size=CHUNK_SIZE, dir=home)  # noqa: SIM115 - the caller closes it
        return cast("IO[bytes]", file)

    def expect(self, paths: Sequence[Path]) -> None:
        """
        Begin to read files that are going to be adopted, several at once.

        Args:
            paths: the files; what is wrong with one is said when it is adopted.
        """
        # Bringing bytes to the disk takes longest and begins first; whoever waits for
        # the files helps to read them meanwhile.
        works: list[Callable[[], None]] = []
        if self._in_place:
            device = self._root().stat().st_dev
            works = [partial(self._sync, path, device) for path in paths]
        works.extend(partial(self._take_in, path) for path in paths)
        finish = start_in_threads(
            works, lambda work: work(), _WIDTH, name="rigbridge-spool"
        )
        self._begun.append(finish)

    def _sync(self, path: Path, device: int) -> None:
        if _sync(path, device):
            self._synced.add(path)

    def _take_in(self, path: Path) -> None:
        self._read[path] = _contents(path)

    def _finish(self) -> None:
        """Wait for what is being read."""
        while self._begun:
            self._begun.pop()()

    def adopt(
        self, path: Path, *, name: str, media_type: str | None = None
    ) -> Attachment:
        """
        Take over a file that nobody writes to any more, and describe it.

        It is linked where the disk allows that, so that it may be deleted at once,
        and copied elsewhere; a spool ``in_place`` does neither.

        Args:
            path: the file.
            name: the name to show.
            media_type: its media type; guessed from the name by default.

        Raises:
            OSError: the file cannot be read, or the folder cannot be written.
        """
        self._finish()
        contents = self._read.pop(path, None) or _contents(path)
        if isinstance(contents, OSError):
            raise contents
        if self._in_place:
            synced = path in self._synced
            return _described(path, contents, name, media_type, synced=synced)
        target = self._folder() / contents.digest
        try:
            os.link(path, target)
        except FileExistsError:
            pass  # the same content was taken before
        except OSError:
            # Another file system, or one without links.
            with path.open("rb") as stream:
                chunks = read_chunks(stream)
                return self.add(chunks, name=name, media_type=media_type)
        return _described(target, contents, name, media_type, owner=self._owner)

    @property
    def _owner(self) -> object:
        return self._temporary if self._lasting else None

    def close(self) -> None:
        """Delete everything: attachments open no more, unless the spool is lasting."""
        self._finish()
        if self._temporary is not None:
            if not self._lasting:
                self._temporary.delete()
            self._temporary = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class _TemporaryFolder:
    """
    A folder that is deleted on request, or once nothing refers to it any more.

    Args:
        home: the folder to make it in; the system's temporary folder for None.
    """

    def __init__(self, home: Path | None) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="rigbridge-", dir=home))
        self.delete = weakref.finalize(self, _delete_tree, self.path, os.getpid())

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        # An opener that is sent to another process owns nothing there.
        return str, (str(self.path),)


def _delete_tree(path: Path, owner: int) -> None:
    # The child of a fork has the object as well, and its files belong to the parent.
    if os.getpid() == owner:
        shutil.rmtree(path, ignore_errors=True)


@attrs.frozen
class _Contents:
    """What a file holds: the SHA-256 of its bytes, and how many they are."""

    digest: str
    size: int


def _contents(path: Path) -> _Contents | OSError:
    try:
        with path.open("rb", buffering=0) as stream:
            digest = hashlib.sha256()
            # After each call here a thread waits for those that compute, so the calls
            # are few.
            chunk = bytearray(CHUNK_SIZE)
            view = memoryview(chunk)
            while size := stream.readinto(chunk):
                digest.update(view[:size])
            return _Contents(digest.hexdigest(), stream.tell())
    except OSError as error:
        return error


def _sync(path: Path, device: int) -> bool:
    """Bring the bytes of a file to its disk, if it is that one and reading suffices."""
    if os.name == "nt":
        return False
    try:
        with path.open("rb", buffering=0) as stream:
            if os.fstat(stream.fileno()).st_dev != device:
                return False
            os.fsync(stream.fileno())
    except OSError:
        return False  # whoever takes it over tries again, and says what is wrong
    return True


def _described(
    path: Path,
    contents: _Contents,
    name: str,
    media_type: str | None,
    *,
    synced: bool = False,
    owner: object = None,
) -> Attachment:
    return Attachment(
        name=name,
        media_type=media_type or mimetypes.guess_type(name)[0],
        size=contents.size,
        sha256=contents.digest,
        opener=SettledFile(path, contents.digest, synced, owner),
    )
