"""A folder for the attachment bytes of runs that are on their way."""

from __future__ import annotations

import hashlib
import mimetypes
import os
import tempfile
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, Self, cast

import attrs

from rigbridge.model import Attachment, FileOpener
from rigbridge.threads import run_beside

__all__ = ["Spool"]

_CHUNK = 1 << 20


class Spool:
    """
    Keeps bytes by their digest until it is closed.

    Whoever calls an adapter owns the spool and closes it once the runs are stored.

    Args:
        folder: where to make it; the system's temporary folder by default.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._home = folder
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._expected: dict[Path, _Contents | OSError] = {}

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
        return _described(target, size, name, media_type)

    def aside(self) -> IO[bytes]:
        """Give an empty file for what must lie aside; it vanishes once closed."""
        home = None if self._home is None else str(self._home)
        file = tempfile.SpooledTemporaryFile(max_size=_CHUNK, dir=home)  # noqa: SIM115 - the caller closes it
        return cast("IO[bytes]", file)

    def expect(self, paths: Sequence[Path]) -> None:
        """
        Read files side by side that are going to be adopted, since one takes long.

        Args:
            paths: the files; what is wrong with one is said when it is adopted.
        """
        if len(paths) > 1:
            found = run_beside(paths, _contents, os.cpu_count() or 1)
            self._expected.update(zip(paths, found, strict=True))

    def adopt(
        self, path: Path, *, name: str, media_type: str | None = None
    ) -> Attachment:
        """
        Take over a file that nobody writes to any more, and describe it.

        It is linked where the disk allows that, so that it may be deleted at once,
        and copied elsewhere.

        Args:
            path: the file.
            name: the name to show.
            media_type: its media type; guessed from the name by default.

        Raises:
            OSError: the file cannot be read, or the folder cannot be written.
        """
        folder = self._folder()
        contents = self._expected.pop(path, None) or _contents(path)
        if isinstance(contents, OSError):
            raise contents
        target = folder / contents.digest
        try:
            os.link(path, target)
        except FileExistsError:
            pass  # the same content was taken before
        except OSError:
            # Another file system, or one without links.
            with path.open("rb") as stream:
                chunks = iter(partial(stream.read, _CHUNK), b"")
                return self.add(chunks, name=name, media_type=media_type)
        return _described(target, contents.size, name, media_type)

    def close(self) -> None:
        """Delete everything; the attachments can no longer be opened."""
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
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            return _Contents(digest, stream.tell())
    except OSError as error:
        return error


def _described(path: Path, size: int, name: str, media_type: str | None) -> Attachment:
    return Attachment(
        name=name,
        media_type=media_type or mimetypes.guess_type(name)[0],
        size=size,
        sha256=path.name,
        opener=FileOpener(path),
    )
