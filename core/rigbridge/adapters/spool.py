"""A folder for the attachment bytes of runs that are on their way."""

from __future__ import annotations

import hashlib
import mimetypes
import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, Self, cast

import attrs

from rigbridge.machine.threads import start_in_threads
from rigbridge.model import Attachment, SettledFile

__all__ = ["Spool"]

_CHUNK = 1 << 20
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
    """

    def __init__(self, folder: Path | None = None, *, in_place: bool = False) -> None:
        self._home = folder
        self._in_place = in_place
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._begun: list[Callable[[], object]] = []
        self._read: dict[Path, _Contents | OSError] = {}
        self._synced: set[Path] = set()

    def _root(self) -> Path:
        return Path(tempfile.gettempdir()) if self._home is None else self._home

    def _folder(self) -> Path:
        if self._temporary is None:
            self._temporary = tempfile.TemporaryDirectory(
                prefix="rigbridge-", dir=self._home, ignore_cleanup_errors=True
            )
        return Path(self._temporary.name)

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
        return _described(target, contents, name, media_type)

    def aside(self) -> IO[bytes]:
        """Give an empty file for what must lie aside; it vanishes once closed."""
        home = None if self._home is None else str(self._home)
        file = tempfile.SpooledTemporaryFile(max_size=_CHUNK, dir=home)  # noqa: SIM115 - the caller closes it
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
                chunks = iter(partial(stream.read, _CHUNK), b"")
                return self.add(chunks, name=name, media_type=media_type)
        return _described(target, contents, name, media_type)

    def close(self) -> None:
        """Delete everything; the attachments can no longer be opened."""
        self._finish()
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


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
            chunk = bytearray(_CHUNK)
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
) -> Attachment:
    return Attachment(
        name=name,
        media_type=media_type or mimetypes.guess_type(name)[0],
        size=contents.size,
        sha256=contents.digest,
        opener=SettledFile(path, contents.digest, synced),
    )
