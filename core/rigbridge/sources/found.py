"""A source that was found: enough to look it up, to send it to a worker, to read it."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

import attrs

from rigbridge.adapters import Source
from rigbridge.errors import RigbridgeError
from rigbridge.ledger import ledger_path
from rigbridge.machine.folders import path_text
from rigbridge.model import FileOpener

__all__ = [
    "CarriedContent",
    "FoundFolder",
    "FoundSource",
    "RefusedContent",
    "SpooledContent",
]


@attrs.frozen
class CarriedContent:
    """Gives bytes that travel along, such as those of a member of a tar archive."""

    content: bytes = attrs.field(repr=False)

    def __call__(self) -> IO[bytes]:
        """Open the bytes."""
        return io.BytesIO(self.content)


@attrs.frozen
class SpooledContent(FileOpener):
    """Opens a temporary copy of what is too large to travel along."""


@attrs.frozen
class RefusedContent:
    """Raises why a source cannot be read, at the time when it would be read."""

    error: RigbridgeError

    def __call__(self) -> IO[bytes]:
        """Raise the error."""
        raise self.error


def _key_of(source: FoundSource) -> bytes:
    return source.uri.encode("utf-8", "surrogateescape")


@attrs.frozen(kw_only=True)
class FoundSource:
    """
    A source that a scan found; can be sent to another process.

    Attributes:
        name: the file name without folders.
        uri: what a person recognizes it by: its path, its URL without a password, or
            ``archive.zip!/folder/report.xml``.
        opener: gives a new binary stream of its bytes at each call; can be pickled.
        path: the file, where it is one of this machine by itself.
        size: its length in bytes as it is stored, or None where that is not known.
        mtime_ns: when it was changed last, in nanoseconds of Unix time, or None; of a
            member of an archive, when the archive was.
        archive: the outermost archive that it is a member of, where that is a file of
            this machine.
        root: the folder that was named, below which it was found; None for a file
            that was named itself.
        has_secret: whether its opener holds a password, or what may be one.
        key: what it is looked up by; differs from others also where names are no text.
    """

    name: str
    uri: str
    opener: Callable[[], IO[bytes]] = attrs.field(repr=False)
    path: Path | None = None
    size: int | None = None
    mtime_ns: int | None = None
    archive: Path | None = None
    root: Path | None = None
    has_secret: bool = attrs.field(default=False, repr=False)
    key: bytes = attrs.field(
        default=attrs.Factory(_key_of, takes_self=True), repr=False
    )

    @classmethod
    def of_path(
        cls,
        path: Path,
        state: os.stat_result | None = None,
        *,
        root: Path | None = None,
    ) -> Self:
        """
        Describe a file; whether it can be read is said when it is.

        Args:
            state: what the system says of it, where that is known already.
            root: the folder that was named, below which it was found.
        """
        if state is None:
            # Named but gone, or without permission: reading it gives the error, with
            # its name.
            with suppress(OSError, ValueError):
                state = path.stat()
        return cls(
            name=path_text(Path(path.name)),
            uri=path_text(path),
            key=ledger_path(path),
            opener=FileOpener(path),
            path=path,
            size=None if state is None else state.st_size,
            mtime_ns=None if state is None else state.st_mtime_ns,
            root=root,
        )

    def member(self, name: str, *, version: int = 1) -> Self:
        """
        Describe a member of this archive, which cannot be opened yet.

        Args:
            name: its name in the archive; is never used as a path.
            version: which of the members of that name it is.
        """
        # Names of Windows programs have backslashes, whatever the format demands.
        own = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
        # The exclamation mark tells versions of one name apart, in the address and in
        # the key.
        place = name if version == 1 else f"{name}!{version}"
        return attrs.evolve(
            self,
            name=_printable(own),
            uri=f"{self.uri}!/{_printable(place)}",
            key=self.key + b"!/" + place.encode("utf-8", "surrogateescape"),
            path=None,
            # The outermost one: that is the file which a person sees.
            archive=self.path or self.archive,
        )

    def refused(self, error: RigbridgeError) -> Self:
        """Let reading it raise an error, which names it."""
        error.source = self.uri
        return attrs.evolve(self, opener=RefusedContent(error))

    @property
    def is_refused(self) -> bool:
        """Whether reading it only gives an error."""
        return isinstance(self.opener, RefusedContent)

    @property
    def is_carried(self) -> bool:
        """Whether its bytes are kept until it was read, in memory or as a copy."""
        return isinstance(self.opener, (CarriedContent, SpooledContent))

    def source(self) -> Source:
        """Make the source; nothing is read yet."""
        return Source(name=self.name, uri=self.uri, opener=self.opener, path=self.path)

    def release(self) -> None:
        """Delete the temporary copy, if there is one; it cannot be read any more."""
        if isinstance(self.opener, SpooledContent):
            self.opener.path.unlink(missing_ok=True)


class FoundFolder:
    """
    A folder whose files are described: what their names have in common is found once.

    Args:
        root: the folder that was named, of which this is a part.
    """

    def __init__(self, path: Path, root: Path | None = None) -> None:
        self._path = path
        self._root = root
        # With the separator behind it, which some folders have in their own name.
        inside = path / "_"
        # A path of Path drops a separator at its end, so one character is put behind it
        # and cut.
        self._uri = path_text(inside)[:-1]
        self._key = ledger_path(inside)[:-1]

    def file(self, name: str, state: os.stat_result | None) -> FoundSource:
        """
        Describe a file of the folder, as :meth:`FoundSource.of_path` does.

        Args:
            state: what the system says of it, or None where that is not known.
        """
        path = self._path / name
        # Most names are ASCII, which needs no look at its bytes.
        shown = name if name.isascii() else path_text(Path(name))
        return FoundSource(
            name=shown,
            uri=self._uri + shown,
            key=self._key + os.fsencode(name),
            opener=FileOpener(path),
            path=path,
            size=None if state is None else state.st_size,
            mtime_ns=None if state is None else state.st_mtime_ns,
            root=self._root,
        )


def _printable(name: str) -> str:
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
