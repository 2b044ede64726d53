"""What a reader of archives gives of each member, and the limits that all keep."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import attrs

from rigbridge.adapters.unpacking import MAX_RATIO, MAX_UNPACKED
from rigbridge.errors import RigbridgeError, UnsafeSourceError
from rigbridge.machine.folders import CHUNK_SIZE, read_chunks
from rigbridge.sources.found import CarriedContent, SpooledContent

__all__ = ["ArchiveMember", "Unpacking", "check_ratio"]

_CARRIED = CHUNK_SIZE
# Below a gigabyte no ratio is asked for: small archives of logs are packed very
# tightly.
_MOST = 1 << 30
_DEEPEST = 3
_REMEDY = "unpack it first if it can be trusted"


@attrs.frozen(kw_only=True)
class ArchiveMember:
    """
    A member as its archive describes it.

    Attributes:
        name: its name, with folders; only a name.
        size: its length, as far as is said.
        opened: opens its bytes, of an archive that is read in order only until the
            next member is asked for; or why it cannot be read.
        is_lasting: whether it can be opened at any time and in any process.
    """

    name: str
    opened: Callable[[], IO[bytes]] | RigbridgeError
    size: int = 0
    is_lasting: bool = False


@attrs.define
class Unpacking:
    """
    The reading of one archive with all archives in it, within limits.

    Attributes:
        spool: gives the folder for temporary copies of large members.
        left: how many more bytes may come out of it.
    """

    spool: Callable[[], Path]
    left: int

    @classmethod
    def of(cls, size: int, spool: Callable[[], Path]) -> Unpacking:
        """Begin to read an archive; a bomb is known by what its size allows."""
        return cls(spool=spool, left=max(_MOST, MAX_RATIO * size))

    @staticmethod
    def check_depth(depth: int) -> None:
        """
        Go into an archive that lies in so many others.

        Raises:
            UnsafeSourceError: they are too many.
        """
        if depth > _DEEPEST:
            raise UnsafeSourceError(
                f"lies more than {_DEEPEST} archives deep, as no report does",
                remedy=_REMEDY,
            )

    def take(self, count: int) -> None:
        """
        Count bytes that come out of it.

        Raises:
            UnsafeSourceError: they are more than any reports would give.
        """
        self.left -= count
        if self.left < 0:
            raise UnsafeSourceError(
                f"unpacks to more than {MAX_RATIO} times its size, as no reports do",
                remedy=_REMEDY,
            )

    def carried(self, stream: IO[bytes]) -> tuple[int, Callable[[], IO[bytes]]]:
        """
        Keep the bytes of a member, and give their number and what opens them.

        Raises:
            UnsafeSourceError: they are more than any report has.
            OSError: the temporary folder cannot be written, or the stream not read.
        """
        # One byte more than may be carried, to tell the two cases by a single read.
        start = stream.read(_CARRIED + 1)
        self.take(len(start))
        if len(start) <= _CARRIED:
            return len(start), CarriedContent(start)
        size = len(start)
        # Named by us: the member's own name could lead anywhere.
        with tempfile.NamedTemporaryFile(
            dir=self.spool(), prefix="member-", delete=False
        ) as copy:
            path = Path(copy.name)
            try:
                copy.write(start)
                for chunk in read_chunks(stream):
                    self.take(len(chunk))
                    size += len(chunk)
                    copy.write(chunk)
            except BaseException:
                # Also on Ctrl-C: nobody knows the name of the copy but this function.
                copy.close()
                path.unlink()
                raise
        return size, SpooledContent(path)


def check_ratio(size: int, packed: int) -> None:
    """
    Look at what an index says of a member.

    Raises:
        UnsafeSourceError: it would unpack to what no report does.
    """
    if size > MAX_UNPACKED and size > MAX_RATIO * packed:
        raise UnsafeSourceError(
            f"unpacks to more than {MAX_RATIO} times its size, as no report does",
            remedy=_REMEDY,
        )
