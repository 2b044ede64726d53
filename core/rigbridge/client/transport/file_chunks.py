"""Sends a file in pieces, and checks that its bytes are those that were announced."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable, Generator
from itertools import chain
from typing import IO

from rigbridge.client.transport.calls import Put
from rigbridge.errors import DeliveryError, PermanentError, RetriableError
from rigbridge.machine.files import is_lasting
from rigbridge.machine.folders import read_chunks

__all__ = ["CHUNK_SIZE", "chunks", "chunks_async", "measure"]

CHUNK_SIZE = 1 << 18
"""How many bytes are sent at once; many files go up at the same time."""


def measure(name: str, opener: Callable[[], IO[bytes]]) -> int:
    """
    Count the bytes of a file whose size nobody gave.

    Raises:
        PermanentError: it cannot be read.
        RetriableError: it cannot be read for now.
    """
    size = 0
    try:
        with opener() as stream:
            for chunk in read_chunks(stream, CHUNK_SIZE):
                size += len(chunk)
    except MemoryError:
        raise
    except Exception as error:
        raise _unreadable(name, error) from error
    return size


def _unreadable(name: str, error: Exception) -> DeliveryError:
    # A share that is away comes back; a file that is gone does not, and the code of a
    # caller fails again. Only the first is worth a retry.
    passes = isinstance(error, OSError) and not is_lasting(error)
    kind = RetriableError if passes else PermanentError
    words = f"{type(error).__name__}: {error}"
    if isinstance(error, OSError):
        words = error.strerror or str(error)
    failure = kind(f"cannot be read: {words}", source=name)
    failure.of_file = True
    return failure


def chunks(put: Put) -> Generator[bytes, None, None]:
    """
    Read a file piece by piece, and make sure that its bytes are those announced.

    Length and digest are known only at the end. The last piece is kept back until then,
    so that a storage never has the whole of what is wrong.

    Raises:
        PermanentError: it cannot be read, or has another length or digest.
        RetriableError: it cannot be read for now.
    """
    sent = 0
    digest = hashlib.sha256()
    last = b""
    try:
        with put.opener() as stream:
            for chunk in chain(read_chunks(stream, CHUNK_SIZE), (b"",)):
                sent += len(chunk)
                if put.sha256 is not None:
                    digest.update(chunk)
                # Stopped at once: a log that is still written to would never come to
                # its end.
                if sent > put.size:
                    break
                if last and chunk:
                    yield last
                last = chunk or last
    except MemoryError:
        raise
    except Exception as error:
        raise _unreadable(put.name, error) from error
    _check_length(put, sent)
    if put.sha256 not in (None, digest.hexdigest()):
        raise PermanentError(
            f"its bytes are not those of {put.sha256} under which it is kept: "
            "it is damaged on the disk",
            source=put.name,
            remedy="put a sound copy in its place and retry; nothing was deleted",
        )
    if last:
        yield last


async def chunks_async(put: Put) -> AsyncGenerator[bytes, None]:
    """Read a file likewise; the waiting for the disk is left to a thread."""
    pieces = chunks(put)
    try:
        while (chunk := await asyncio.to_thread(next, pieces, None)) is not None:
            yield chunk
    finally:
        # Closes the file where the request was cancelled in the middle.
        pieces.close()


def _check_length(put: Put, sent: int) -> None:
    if sent != put.size:
        found = "more" if sent > put.size else sent
        raise PermanentError(
            f"holds {found} bytes where {put.size} were announced",
            source=put.name,
            remedy="attach files that are no longer written to",
        )
