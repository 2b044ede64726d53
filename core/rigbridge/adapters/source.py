"""A source: bytes with a name and a digest, read as a stream."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import IO

import attrs

from rigbridge.adapters.unpacking import PACKED_SUFFIXES, is_packed, unpacked
from rigbridge.errors import SourceUnreadableError
from rigbridge.machine.folders import path_text, read_chunks
from rigbridge.model import FileOpener

__all__ = ["HEAD_SIZE", "Source", "is_blank"]

HEAD_SIZE = 64 * 1024
"""How many bytes an adapter sees for detection."""

# A file of at most this size is read once, whatever is asked of it.
_SMALL = 1 << 18
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

    @property
    def content_name(self) -> str:
        """The name without the ending of a compression, as the content is called."""
        stem, dot, ending = self.name.rpartition(".")
        return stem if f"{dot}{ending.lower()}" in PACKED_SUFFIXES else self.name

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
        Open the content for reading, decompressed where it is gzip, bzip2 or xz.

        Reading on raises SourceUnreadableError, too, where the compression is damaged,
        and UnsafeSourceError where it unpacks to what no report does: more than
        ``MAX_UNPACKED`` bytes that are ``MAX_RATIO`` times as many as are stored.

        Raises:
            SourceUnreadableError: it is missing or cannot be opened.
        """
        stream = self.stored()
        if not is_packed(self._beginning):
            return stream
        return unpacked(stream, self._beginning, self.uri)

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
