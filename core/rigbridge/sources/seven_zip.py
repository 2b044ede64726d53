"""The members of 7z archives, which are packed together and unpacked in one go."""

from __future__ import annotations

import lzma
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from rigbridge.errors import (
    AdapterUnavailableError,
    MalformedSourceError,
    RigbridgeError,
    SourceUnreadableError,
)
from rigbridge.model import FileOpener
from rigbridge.sources.members import ArchiveMember, Unpacking

if TYPE_CHECKING:
    from py7zr.io import WriterFactory  # an extra

__all__ = ["seven_zip_members"]


def seven_zip_members(
    archive: Callable[[], IO[bytes]], uri: str, unpacking: Unpacking
) -> Iterator[ArchiveMember]:
    """
    Go through the members of a 7z archive; all are unpacked to temporary files first.

    Args:
        uri: what a person recognizes it by.

    Raises:
        AdapterUnavailableError: the library for it is not installed.
        SourceUnreadableError: it is encrypted.
        MalformedSourceError: it is no 7z archive, cut off or damaged.
        UnsafeSourceError: it unpacks to what no archive does.
        OSError: it cannot be opened.
    """
    try:
        import py7zr  # an extra
        import py7zr.exceptions
    except ImportError as error:
        raise AdapterUnavailableError("py7zr", extra="7z") from error
    with (
        tempfile.TemporaryDirectory(dir=unpacking.spool(), prefix="7z-") as folder,
        ExitStack() as cleanup,
        archive() as stream,
    ):
        copies = _Copies(Path(folder), unpacking)
        cleanup.callback(copies.close)
        try:
            with py7zr.SevenZipFile(stream, "r") as packed:
                if not packed.needs_password():
                    # Of its kind in all but its base class, which is of an extra.
                    packed.extractall(factory=cast("WriterFactory", copies))
                    yield from copies.members()
                    return
        except py7zr.exceptions.PasswordRequired:
            pass  # the names are encrypted, too
        except (RigbridgeError, OSError):
            raise
        except (
            py7zr.exceptions.ArchiveError,
            EOFError,
            ValueError,
            TypeError,
            lzma.LZMAError,
            zlib.error,
        ) as error:
            raise MalformedSourceError(
                f"is no whole 7z archive: {str(error) or type(error).__name__}",
                source=uri,
                remedy="copy it again",
            ) from error
    raise SourceUnreadableError(
        "is encrypted",
        source=uri,
        remedy="unpack the archive with its password first",
    )


class _Copies:
    """Makes the files that the library writes to; their names are our own."""

    def __init__(self, folder: Path, unpacking: Unpacking) -> None:
        self._folder = folder
        self._unpacking = unpacking
        self._paths: list[tuple[str, Path]] = []
        self._last: _Written | None = None

    def create(self, filename: str) -> _Written:
        """Begin a member."""
        path = self._folder / str(len(self._paths))
        self._paths.append((filename, path))
        self._last = _Written(path, self._unpacking)
        return self._last

    def close(self) -> None:
        """Close the member that was being written when something went wrong."""
        if self._last is not None:
            self._last.close()

    def members(self) -> Iterator[ArchiveMember]:
        """Go through what was written, and delete each after its turn."""
        for name, path in self._paths:
            size = path.stat().st_size
            yield ArchiveMember(name=name, size=size, opened=FileOpener(path))
            path.unlink()


class _Written:
    """One member while it is written; a file is open only while bytes arrive."""

    def __init__(self, path: Path, unpacking: Unpacking) -> None:
        self._unpacking = unpacking
        self._size = 0
        # Held by the library from beginning to end of one member.
        self._stream: IO[bytes] = path.open("w+b")

    def write(self, block: bytes) -> int:
        """Take the next bytes."""
        self._unpacking.take(len(block))
        self._size += len(block)
        return self._stream.write(block)

    def read(self, size: int | None = None) -> bytes:
        """Read back, as the library does to check."""
        return self._stream.read(-1 if size is None else size)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to a place."""
        return self._stream.seek(offset, whence)

    def flush(self) -> None:
        """Write what is held."""
        self._stream.flush()

    def size(self) -> int:
        """Tell the length."""
        return self._size

    def close(self) -> None:
        """End the member."""
        self._stream.close()
