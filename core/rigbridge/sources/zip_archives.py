"""The members of zip archives, each of which can be read by itself."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Iterator
from typing import IO, cast

import attrs

from rigbridge.adapters.unpacking import UnpackedStream
from rigbridge.errors import (
    MalformedSourceError,
    SourceUnreadableError,
    UnsafeSourceError,
)
from rigbridge.sources.members import ArchiveMember, check_ratio

__all__ = ["ZipMemberOpener", "zip_members"]

_HEADER = struct.Struct("<4s22xHH")
_MAGIC = b"PK\x03\x04"
_ENCRYPTED = 0x1
_METHODS = {
    zipfile.ZIP_STORED,
    zipfile.ZIP_DEFLATED,
    zipfile.ZIP_BZIP2,
    zipfile.ZIP_LZMA,
}
_NAMED = {9: "Deflate64", 93: "Zstandard", 95: "XZ", 98: "PPMd", 99: "AES"}
# The kinds of POSIX files that are no regular ones, in the upper half of a word.
_KIND, _REGULAR = 0o170000, 0o100000


@attrs.frozen
class ZipMemberOpener:
    """
    Opens one member by its place in the archive; can be sent to another process.

    The index of the archive is not read again: that of a large one takes a second.
    """

    archive: Callable[[], IO[bytes]]
    info: zipfile.ZipInfo = attrs.field(repr=False, eq=False)
    uri: str

    def __call__(self) -> IO[bytes]:
        """
        Open the member.

        Raises:
            SourceUnreadableError: the archive is not what it was, or damaged.
            OSError: the archive cannot be opened.
        """
        stream = self.archive()
        try:
            self._seek(stream)
            # It checks the length and the checksum, and closes the archive.
            content = zipfile.ZipExtFile(stream, "r", self.info, None, True)
        except BaseException:
            stream.close()
            raise
        packed = self.info.compress_size
        raw = UnpackedStream(cast("IO[bytes]", content), lambda: packed, self.uri)
        return cast("IO[bytes]", io.BufferedReader(raw, 1 << 16))

    def _seek(self, stream: IO[bytes]) -> None:
        """Go to the first byte of the member."""
        # A damaged index may say that it is before the archive.
        start = self.info.header_offset
        header = b""
        if start >= 0:
            stream.seek(start)
            header = stream.read(_HEADER.size)
        if len(header) < _HEADER.size or not header.startswith(_MAGIC):
            raise SourceUnreadableError(
                "is not where the index of the archive says",
                source=self.uri,
                remedy="copy the archive again",
            )
        _, name_length, extra_length = _HEADER.unpack(header)
        stream.seek(name_length + extra_length, io.SEEK_CUR)


def zip_members(
    archive: Callable[[], IO[bytes]], uri: str, *, is_lasting: bool
) -> Iterator[ArchiveMember]:
    """
    Go through the members of a zip archive.

    Args:
        uri: what a person recognizes it by.
        is_lasting: whether it can be opened at any time and in any process.

    Raises:
        MalformedSourceError: it is no zip archive, or cut off.
        OSError: it cannot be opened or read.
    """
    with archive() as stream:
        try:
            infos = _index(stream)
        except (
            zipfile.BadZipFile,
            ValueError,
            NotImplementedError,
            struct.error,
        ) as error:
            raise MalformedSourceError(
                f"is no whole zip archive: {error}",
                source=uri,
                remedy="copy it again",
            ) from error
    infos.reverse()
    # Each is let go when it was given: the index of a large archive takes memory.
    while infos:
        info = infos.pop()
        if info.is_dir():
            continue
        try:
            _check(info)
        except (SourceUnreadableError, UnsafeSourceError) as error:
            yield ArchiveMember(name=info.filename, opened=error)
            continue
        opener = ZipMemberOpener(archive, info, f"{uri}!/{info.filename}")
        yield ArchiveMember(
            name=info.filename,
            size=info.file_size,
            opened=opener,
            is_lasting=is_lasting,
        )


def _index(stream: IO[bytes]) -> list[zipfile.ZipInfo]:
    infos = zipfile.ZipFile(stream).infolist()
    stream.seek(0)
    begins = stream.read(len(_MAGIC)) == _MAGIC
    # Of an archive that was cut off, the index of an archive within it is found.
    if begins and all(info.header_offset for info in infos):
        raise zipfile.BadZipFile("its index is that of an archive within it")
    return infos


def _check(info: zipfile.ZipInfo) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise SourceUnreadableError(
            "is encrypted", remedy="unpack the archive with its password first"
        )
    if info.compress_type not in _METHODS:
        method = _NAMED.get(info.compress_type, f"method {info.compress_type}")
        raise SourceUnreadableError(
            f"is packed by {method}, which is not supported",
            remedy="unpack the archive first",
        )
    kind = info.external_attr >> 16 & _KIND
    if kind not in {0, _REGULAR}:
        raise UnsafeSourceError(
            "is a link or a device in the archive, no file",
            remedy="pack the file itself",
        )
    check_ratio(info.file_size, info.compress_size)
