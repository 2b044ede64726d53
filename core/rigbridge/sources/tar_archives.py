"""The members of tar archives, read in one go from the front to the end."""

from __future__ import annotations

import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import IO, Any, cast

from rigbridge.adapters.unpacking import is_packed, unpacked
from rigbridge.errors import MalformedSourceError, UnsafeSourceError
from rigbridge.machine.folders import read_chunks
from rigbridge.sources.members import ArchiveMember

__all__ = ["tar_members"]

_START = 6


def tar_members(archive: Callable[[], IO[bytes]], uri: str) -> Iterator[ArchiveMember]:
    """
    Go through the members of a tar archive, packed or not.

    Args:
        uri: what a person recognizes it by.

    Raises:
        MalformedSourceError: it is no tar archive, cut off or damaged; the members in
            front of that were given.
        SourceUnreadableError: its compression is damaged.
        UnsafeSourceError: it unpacks to what no archive does.
        OSError: it cannot be opened.
    """
    with archive() as probe:
        start = probe.read(_START)
    with archive() as stream:
        content = unpacked(stream, start, uri) if is_packed(start) else stream
        try:
            with tarfile.open(fileobj=content, mode="r|") as tar:
                yield from _members(tar)
                _check_rest(tar, uri)
        except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError) as error:
            raise MalformedSourceError(
                f"is no whole tar archive: {error}", source=uri, remedy="copy it again"
            ) from error


def _members(tar: tarfile.TarFile) -> Iterator[ArchiveMember]:
    while (info := tar.next()) is not None:
        # It keeps every member that it has seen: of a million that is too much.
        cast("Any", tar).members = []
        if info.isdir():
            continue
        if not info.isreg() or info.issparse():
            yield ArchiveMember(
                name=info.name,
                opened=UnsafeSourceError(
                    "is a link, a device or a file with holes in the archive",
                    remedy="pack the file itself",
                ),
            )
            continue
        opener = partial(tar.extractfile, info)
        yield ArchiveMember(
            name=info.name,
            size=info.size,
            opened=cast("Callable[[], IO[bytes]]", opener),
        )


def _check_rest(tar: tarfile.TarFile, uri: str) -> None:
    # A damaged header is taken for the end; behind a true one there are only zeros.
    rest = cast("IO[bytes]", tar.fileobj)
    if any(chunk.strip(b"\0") for chunk in read_chunks(rest)):
        raise MalformedSourceError(
            "holds more behind what looks like its end",
            source=uri,
            remedy="copy it again, or unpack it with --ignore-zeros first",
        )
