"""A source: bytes with a name and a digest, read as a stream."""

from __future__ import annotations

import gzip
import hashlib
import io
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import IO, cast

import attrs

from rigbridge.errors import SourceUnreadableError
from rigbridge.model import FileOpener

__all__ = ["HEAD_SIZE", "Source"]

HEAD_SIZE = 64 * 1024
"""How many bytes an adapter sees for detection."""

_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"


@attrs.define(slots=False)
class Source:
    """
    Something to read runs from.

    Attributes:
        name: the file name without folders, as given to ``detect``.
        uri: what a person recognizes it by, usually its path.
        opener: gives a new binary stream of the stored bytes at each call.
    """

    name: str
    uri: str
    opener: Callable[[], IO[bytes]] = attrs.field(repr=False)

    @classmethod
    def from_path(cls, path: Path) -> Source:
        """Make a source of a file; nothing is read yet."""
        return cls(name=path.name, uri=str(path), opener=FileOpener(path))

    @classmethod
    def from_bytes(cls, content: bytes, name: str) -> Source:
        """Make a source of bytes in memory, for tests and uploads."""
        return cls(name=name, uri=name, opener=lambda: io.BytesIO(content))

    def _open(self) -> IO[bytes]:
        try:
            return self.opener()
        except FileNotFoundError as error:
            raise SourceUnreadableError(
                "there is no such file", source=self.uri, remedy="check the path"
            ) from error
        except IsADirectoryError as error:
            raise SourceUnreadableError(
                "is a folder, not a file", source=self.uri
            ) from error
        except OSError as error:
            raise SourceUnreadableError(
                f"cannot be opened: {error.strerror or error}",
                source=self.uri,
                remedy="check its permissions",
            ) from error

    def open(self) -> IO[bytes]:
        """
        Open the content for reading, decompressed where it is gzip.

        Raises:
            SourceUnreadableError: it is missing or cannot be opened.
        """
        stream = self._open()
        if stream.read(2) != _GZIP:
            stream.seek(0)
            return stream
        stream.seek(0)
        return cast("IO[bytes]", _GzipStream(stream))

    @cached_property
    def head(self) -> bytes:
        """
        The first 64 KiB of the content, decompressed.

        Raises:
            SourceUnreadableError: it is missing or cannot be read.
        """
        try:
            with self.open() as stream:
                return stream.read(HEAD_SIZE)
        except (OSError, EOFError) as error:
            raise self._unreadable(error) from error

    @cached_property
    def digest(self) -> str:
        """
        The SHA-256 of the stored bytes, in lower-case hex.

        Raises:
            SourceUnreadableError: it is missing or cannot be read.
        """
        digest = hashlib.sha256()
        with self._open() as stream:
            try:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
            except OSError as error:
                raise self._unreadable(error) from error
        return digest.hexdigest()

    def _unreadable(self, error: Exception) -> SourceUnreadableError:
        return SourceUnreadableError(f"cannot be read: {error}", source=self.uri)


class _GzipStream(gzip.GzipFile):
    """A gzip reader that closes the stream below it as well."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(fileobj=stream, mode="rb")
        self._below = stream

    def close(self) -> None:
        super().close()
        self._below.close()
