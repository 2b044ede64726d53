"""A source: bytes with a name and a digest, read as a stream."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import IO, Any, cast

import attrs

from rigbridge.errors import SourceUnreadableError, UnsafeSourceError
from rigbridge.machine.folders import path_text, read_chunks
from rigbridge.model import FileOpener

__all__ = ["HEAD_SIZE", "Source", "is_blank"]

HEAD_SIZE = 64 * 1024
"""How many bytes an adapter sees for detection."""

MAX_UNPACKED = 1 << 26
"""How many bytes may come out of a compressed source whatever their ratio."""

MAX_RATIO = 200
"""How many times its size a longer one may unpack to; reports reach some 50."""

# A file of at most this size is read once, whatever is asked of it.
_SMALL = 1 << 18
_GZIP = b"\x1f\x8b"
# Blanks, and the marks of byte order in front of no text at all.
_BLANK = b" \t\r\n\v\f\x00\xef\xbb\xbf\xff\xfe"
_DOUBT = 1 << 12


def is_blank(content: bytes) -> bool:
    """Tell whether bytes hold no text, in whichever encoding: as good as empty."""
    # Stripping copies: a whole file only where its beginning leaves a doubt.
    return not content[:_DOUBT].strip(_BLANK) and not content.strip(_BLANK)


@attrs.define(slots=False)
class Source:
    """
    Something to read runs from.

    A small one, of up to 256 KiB, is read when it is first looked at and kept: what is
    recognized, read and hashed is then one content, also where a station still writes.

    Attributes:
        name: the file name without folders, as given to ``detect``.
        uri: what a person recognizes it by, usually its path.
        opener: gives a new binary stream of the stored bytes at each call.
        path: the file, where it is one of this machine that a person has named; what
            lies beside it may be read, too. None for an upload, whose name means
            nothing here.
    """

    name: str
    uri: str
    opener: Callable[[], IO[bytes]] = attrs.field(repr=False)
    path: Path | None = None

    @classmethod
    def from_path(cls, path: Path) -> Source:
        """Make a source of a file; nothing is read yet."""
        return cls(
            name=path_text(Path(path.name)),
            uri=path_text(path),
            opener=FileOpener(path),
            path=path,
        )

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
            barred = isinstance(error, PermissionError)
            raise SourceUnreadableError(
                f"cannot be opened: {error.strerror or error}",
                source=self.uri,
                remedy="check its permissions" if barred else "look at what it is",
            ) from error

    @cached_property
    def _beginning(self) -> bytes:
        """The stored bytes, of a large source only what shows that it is one."""
        with self._open() as stream:
            try:
                return stream.read(_SMALL + 1)
            except OSError as error:
                raise self._unreadable(error) from error

    def stored(self) -> IO[bytes]:
        """
        Open the bytes for reading as they are stored.

        Raises:
            SourceUnreadableError: it is missing or cannot be opened.
        """
        known = self._beginning
        return self._open() if len(known) > _SMALL else io.BytesIO(known)

    def open(self) -> IO[bytes]:
        """
        Open the content for reading, decompressed where it is gzip.

        Reading on raises SourceUnreadableError, too, where the compression is damaged,
        and UnsafeSourceError where it unpacks to what no report does: more than
        ``MAX_UNPACKED`` bytes that are ``MAX_RATIO`` times as many as are stored.

        Raises:
            SourceUnreadableError: it is missing or cannot be opened.
        """
        stream = self.stored()
        if not self._beginning.startswith(_GZIP):
            return stream
        return cast("IO[bytes]", io.BufferedReader(_Unpacked(stream, self.uri)))

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
        except OSError as error:
            raise self._unreadable(error) from error

    @cached_property
    def digest(self) -> str:
        """
        The SHA-256 of the stored bytes, in lower-case hex.

        Raises:
            SourceUnreadableError: it is missing or cannot be read.
        """
        digest = hashlib.sha256()
        with self.stored() as stream:
            try:
                for chunk in read_chunks(stream):
                    digest.update(chunk)
            except OSError as error:
                raise self._unreadable(error) from error
        return digest.hexdigest()

    def _unreadable(self, error: Exception) -> SourceUnreadableError:
        return SourceUnreadableError(
            f"cannot be read: {error}",
            source=self.uri,
            remedy="check the disk or the network",
        )


class _Unpacked(io.RawIOBase):
    """What a gzip stream holds; closes the stream below it as well."""

    def __init__(self, packed: IO[bytes], uri: str) -> None:
        super().__init__()
        self._packed = packed
        self._content = gzip.GzipFile(fileobj=packed, mode="rb")
        self._uri = uri
        self._given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            count = self._content.readinto(buffer)
        # Which of the three it is depends on where the damage is.
        except (OSError, EOFError, zlib.error) as error:
            raise SourceUnreadableError(
                f"its compression is damaged: {error}",
                source=self._uri,
                remedy="copy the file again",
            ) from error
        self._given += count
        if self._given > MAX_UNPACKED:
            self._check_ratio()
        return count

    def _check_ratio(self) -> None:
        # Readers hold a document or a line; a bomb must not fill the memory by them.
        if self._given > MAX_RATIO * self._packed.tell():
            raise UnsafeSourceError(
                f"unpacks to more than {MAX_RATIO} times its size, as no report does",
                source=self._uri,
                remedy="unpack it first if it can be trusted",
            )

    def close(self) -> None:
        self._content.close()
        self._packed.close()
        super().close()
