"""The bytes of a file on their way out: in pieces, and as many as were announced."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from typing import IO

from rigbridge.client.transport.calls import Put
from rigbridge.errors import PermanentError
from rigbridge.machine.folders import read_chunks

__all__ = ["CHUNK_SIZE", "chunks", "chunks_async", "measure"]

CHUNK_SIZE = 1 << 18
"""How many bytes are sent at once; many files go up at the same time."""


def measure(name: str, opener: Callable[[], IO[bytes]]) -> int:
    """
    Count the bytes of a file whose size nobody gave.

    Raises:
        PermanentError: it cannot be read.
    """
    size = 0
    try:
        with opener() as stream:
            for chunk in read_chunks(stream, CHUNK_SIZE):
                size += len(chunk)
    except OSError as error:
        raise _unreadable(name, error) from error
    return size


def _unreadable(name: str, error: OSError) -> PermanentError:
    return PermanentError(f"cannot be read: {error.strerror or error}", source=name)


def chunks(put: Put) -> Generator[bytes, None, None]:
    """
    Read a file piece by piece, and make sure that it is as long as was said.

    Raises:
        PermanentError: it cannot be read, or has another length.
    """
    sent = 0
    try:
        with put.opener() as stream:
            for chunk in read_chunks(stream, CHUNK_SIZE):
                sent += len(chunk)
                if sent > put.size:
                    break
                yield chunk
    except OSError as error:
        raise _unreadable(put.name, error) from error
    _check_length(put, sent)


async def chunks_async(put: Put) -> AsyncGenerator[bytes, None]:
    """Read a file likewise; the waiting for the disk is left to a thread."""
    pieces = chunks(put)
    try:
        while (chunk := await asyncio.to_thread(next, pieces, None)) is not None:
            yield chunk
    finally:
        pieces.close()


def _check_length(put: Put, sent: int) -> None:
    if sent != put.size:
        found = "more" if sent > put.size else sent
        raise PermanentError(
            f"holds {found} bytes where {put.size} were announced",
            source=put.name,
            remedy="attach files that are no longer written to",
        )
