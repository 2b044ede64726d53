"""The library that reads TDMS: what of it is used, and its faults as ours."""

from __future__ import annotations

import logging
import shutil
import struct
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import IO, Any, Protocol, cast

from rigbridge.adapters import Source, Spool
from rigbridge.errors import (
    MalformedSourceError,
    SourceError,
    SourceUnreadableError,
    UnrecognizedSourceError,
)

__all__ = ["Channel", "ChannelPoints", "Group", "OpenFile", "Timestamp", "open_file"]

# What damaged files make npTDMS and NumPy raise, tried with bytes that were changed.
_FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)

_SILENT = logging.NullHandler()


class Timestamp(Protocol):
    """A time: seconds since 1904 in UTC, and 2^-64 parts of a second."""

    seconds: int
    second_fractions: int


class ChannelPoints(Protocol):
    """Some points of a channel, as NumPy has them."""

    dtype: Any

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[object]: ...
    def astype(self, kind: str) -> ChannelPoints:
        """Give them as another type."""
        ...

    def tobytes(self) -> bytes:
        """Give their bytes."""
        ...

    def tolist(self) -> list[object]:
        """Give them as objects of Python."""
        ...


class _Piece(Protocol):
    """A piece of a channel."""

    def __getitem__(self, part: slice, /) -> ChannelPoints: ...


class Channel(Protocol):
    """A channel: its points, read piece by piece."""

    name: str
    properties: Mapping[str, object]

    def __len__(self) -> int: ...
    def data_chunks(self) -> Iterator[_Piece]:
        """Read the pieces."""
        ...

    def read_data(self, *, scaled: bool) -> object:
        """Read all points; those of DAQmx without scaling by the id of their scaler."""
        ...


class Group(Protocol):
    """A group of channels."""

    name: str
    properties: Mapping[str, object]

    def channels(self) -> list[Channel]:
        """Give its channels, in the order in which they were written."""
        ...


class _Status(Protocol):
    incomplete_final_segment: bool


class OpenFile(Protocol):
    """A file whose headings are read."""

    properties: Mapping[str, object]
    file_status: _Status
    tdms_version: int

    def groups(self) -> list[Group]:
        """Give its groups."""
        ...


@contextmanager
def open_file(source: Source, spool: Spool) -> Generator[OpenFile]:
    """
    Open a file; faults of the library within the block are those of the file.

    An index beside the file is not read: one that is left from another run of the
    program would make other points of the same bytes.

    Raises:
        UnrecognizedSourceError: the library is not installed.
        MalformedSourceError: the file is damaged.
        SourceUnreadableError: its bytes cannot be read.
    """
    try:
        # It has no types; slow, and an extra.
        library: Any = import_module("nptdms")
        logs: Any = import_module("nptdms.log").log_manager
    except ImportError as error:
        raise UnrecognizedSourceError(
            "is a TDMS file, and npTDMS, which reads them, is not installed",
            source=source.uri,
            remedy="pip install 'rigbridge[tdms]'",
        ) from error
    # It would write to the terminal by a handler of its own, and Python itself where
    # there is none; loggers above still hear.
    # Changes the handlers of this library's loggers only, and does so again without
    # harm.
    for logger in logs.loggers.values():
        logger.removeHandler(logs.console_handler)
        logger.addHandler(_SILENT)
    try:
        with source.open() as stream, _seekable(stream, spool) as file:
            # Raw timestamps keep the 2^-64 parts of a second that NumPy's type would
            # round.
            opened = library.TdmsFile.open(file, raw_timestamps=True)
            yield cast("OpenFile", opened)
    except SourceError:
        raise
    except (OSError, EOFError) as error:
        raise SourceUnreadableError(
            f"cannot be read: {error}",
            source=source.uri,
            remedy="check the disk, or copy the file again",
        ) from error
    except _FAULTS as error:
        raise MalformedSourceError(
            f"its segments are damaged ({type(error).__name__}: {error})",
            source=source.uri,
            remedy="copy the file again from where it was written",
        ) from error


@contextmanager
def _seekable(stream: IO[bytes], spool: Spool) -> Generator[IO[bytes]]:
    """Give a stream that can be read at any place; one that cannot lies aside."""
    if stream.seekable():
        yield stream
        return
    with spool.aside() as aside:
        # A megabyte at a time: files of a test bench have gigabytes.
        shutil.copyfileobj(stream, aside, 1 << 20)
        aside.seek(0)
        yield aside
