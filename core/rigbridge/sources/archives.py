"""
The members of archives, and of the archives in them, as sources.

A zip archive on this machine is read where its members are needed. All others are read
once, from the front to the end, and each member travels along: in memory where it is
small, as a temporary file where it is large. Names of members are only names: nothing
is ever written to where they point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import attrs

from rigbridge.errors import RigbridgeError, SourceUnreadableError
from rigbridge.sources.found import FoundSource
from rigbridge.sources.members import ArchiveMember, Unpacking
from rigbridge.sources.seven_zip import seven_zip_members
from rigbridge.sources.tar_archives import tar_members
from rigbridge.sources.zip_archives import zip_members

__all__ = ["archive_members", "is_archive"]

_ZIP = ".zip"
_SEVEN_ZIP = ".7z"
_TAR = (".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz")


def is_archive(name: str) -> bool:
    """Tell from its name whether a file is an archive, whose members are read."""
    return name.lower().endswith((_ZIP, _SEVEN_ZIP, *_TAR))


def archive_members(
    archive: FoundSource,
    unpacking: Unpacking,
    takes: Callable[[str], bool],
    depth: int = 0,
) -> Iterator[FoundSource]:
    """
    Go through the members of an archive; what cannot be read gives an error when read.

    Args:
        unpacking: the limits, which the archives in it share.
        takes: tells of the name of a member whether it is wanted.
        depth: how many archives it lies in.
    """
    seen: dict[str, int] = {}
    try:
        unpacking.check_depth(depth)
        for member in _members(archive, unpacking, depth):
            # One name twice is two versions of a report: both are wanted.
            count = seen[member.name] = seen.get(member.name, 0) + 1
            found = archive.member(member.name, version=count)
            yield from _found(found, member, unpacking, takes, depth)
    except RigbridgeError as error:
        yield archive.refused(error)
    except OSError as error:
        yield archive.refused(
            SourceUnreadableError(
                f"cannot be read: {error.strerror or error}",
                remedy="check the file, and the space in the temporary folder",
            )
        )


def _members(
    archive: FoundSource, unpacking: Unpacking, depth: int
) -> Iterator[ArchiveMember]:
    lower, opener = archive.name.lower(), archive.opener
    if lower.endswith(_ZIP):
        # Only a zip file that lies on the disk can be opened again for each member; the
        # name of a temporary copy may be gone by then.
        is_lasting = not depth and archive.path is not None
        return zip_members(opener, archive.uri, is_lasting=is_lasting)
    if lower.endswith(_SEVEN_ZIP):
        return seven_zip_members(opener, archive.uri, unpacking)
    return tar_members(opener, archive.uri)


def _found(
    found: FoundSource,
    member: ArchiveMember,
    unpacking: Unpacking,
    takes: Callable[[str], bool],
    depth: int,
) -> Iterator[FoundSource]:
    inner = is_archive(member.name)
    # Asked before anything is unpacked, so that what is not wanted costs nothing.
    if not inner and not takes(member.name):
        return
    if isinstance(member.opened, RigbridgeError):
        yield found.refused(member.opened)
        return
    if member.is_lasting and not inner:
        unpacking.take(member.size)
        yield attrs.evolve(found, size=member.size, opener=member.opened)
        return
    try:
        with member.opened() as stream:
            size, opener = unpacking.carried(stream)
    except SourceUnreadableError as error:
        yield found.refused(error)
        return
    carried = attrs.evolve(found, size=size, opener=opener)
    if not inner:
        yield carried
        return

    # The patterns see the members of an inner archive as files in a folder of its name.
    def takes_inner(name: str) -> bool:
        return takes(f"{member.name}/{name}")

    try:
        yield from archive_members(carried, unpacking, takes_inner, depth + 1)
    finally:
        carried.release()
