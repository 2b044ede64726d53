"""Unpacks compressed streams: damage is an error, and the unpacked size is limited."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from typing import IO, Any, cast

from rigbridge.errors import SourceUnreadableError, UnsafeSourceError

__all__ = [
    "MAX_RATIO",
    "MAX_UNPACKED",
    "PACKED_SUFFIXES",
    "UnpackedStream",
    "is_packed",
    "unpacked",
]

MAX_UNPACKED = 1 << 26
"""How many bytes may come out of a compressed source whatever their ratio."""

MAX_RATIO = 200
"""How many times its size a longer one may unpack to; reports reach some 50."""

PACKED_SUFFIXES = (".gz", ".bz2", ".xz")
"""The endings of names of single files that are compressed."""

_BLOCK = 1 << 16
_UNPACKERS: tuple[tuple[bytes, type], ...] = (
    (b"\x1f\x8b", gzip.GzipFile),
    (b"BZh", bz2.BZ2File),
    (b"\xfd7zXZ\x00", lzma.LZMAFile),
)


def is_packed(start: bytes) -> bool:
    """Tell from its first bytes whether a file is one of gzip, bzip2 or xz."""
    return any(start.startswith(magic) for magic, _ in _UNPACKERS)


def unpacked(packed: IO[bytes], start: bytes, uri: str) -> IO[bytes]:
    """
    Read what a gzip, bzip2 or xz stream holds.

    Args:
        packed: the stream, at its beginning; closed together with the result.
        start: its first bytes.
        uri: what a person recognizes it by.
    """
    kind = next(kind for magic, kind in _UNPACKERS if start.startswith(magic))
    # Each takes a stream in the place of a path; gzip by another name.
    content = kind(fileobj=packed, mode="rb") if kind is gzip.GzipFile else kind(packed)
    stream = UnpackedStream(cast("IO[bytes]", content), packed.tell, uri, owned=packed)
    return cast("IO[bytes]", io.BufferedReader(stream, _BLOCK))


class UnpackedStream(io.RawIOBase):
    """
    What comes out of a decompressor, with errors that a person understands.

    Args:
        content: gives the bytes; closed together with this.
        packed: tells how many packed bytes they took so far.
        uri: what a person recognizes the source by.
        owned: a stream below, which is closed as well.
    """

    def __init__(
        self,
        content: IO[bytes],
        packed: Callable[[], int],
        uri: str,
        *,
        owned: IO[bytes] | None = None,
    ) -> None:
        super().__init__()
        self._content = content
        self._packed = packed
        self._uri = uri
        self._owned = owned
        self._given = 0

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """
        Read on.

        Raises:
            SourceUnreadableError: the compression is damaged, or the disk is.
            UnsafeSourceError: it unpacks to what no report does: more than
                ``MAX_UNPACKED`` bytes, and ``MAX_RATIO`` times as many as are stored.
        """
        try:
            block = self._content.read(len(buffer))
        # Which of them it is depends on where the damage is.
        except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
            raise self._unreadable(error) from error
        except Exception as error:
            # The errors of archives have no base in common but this one.
            if type(error).__module__ == "zipfile":
                raise self._unreadable(error) from error
            raise
        count = len(block)
        buffer[:count] = block
        self._given += count
        if self._given > MAX_UNPACKED and self._given > MAX_RATIO * self._packed():
            # Readers hold a document or a line; a bomb must not fill the memory.
            raise UnsafeSourceError(
                f"unpacks to more than {MAX_RATIO} times its size, as no report does",
                source=self._uri,
                remedy="unpack it first if it can be trusted",
            )
        return count

    def _unreadable(self, error: Exception) -> SourceUnreadableError:
        # Damage has no number of the system: that is the disk or the network.
        if isinstance(error, OSError) and error.errno is not None:
            return SourceUnreadableError(
                f"cannot be read: {error}",
                source=self._uri,
                remedy="check the disk or the network",
            )
        return SourceUnreadableError(
            f"its compression is damaged: {error}",
            source=self._uri,
            remedy="copy the file again",
        )

    def close(self) -> None:
        """Close it, and what it reads from."""
        self._content.close()
        if self._owned is not None:
            self._owned.close()
        super().close()
