"""
Reads the whole body of an answer, within limits of size and time.

A timeout counts from one piece to the next, so a server that gives a byte now and then
would hold the sender for ever. A few compressed kilobytes may be gigabytes.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx

__all__ = ["MOST_BYTES", "read_body", "read_body_async"]

MOST_BYTES = 256 << 20
"""Bytes that an answer has at most; the list of a unit's runs is the longest."""

_GRACE = 30.0
"""Seconds after which the speed is looked at."""
_SLOWEST = 256
"""Bytes a second that must come after that; the slowest modem gives more."""
# The body stands decoded, and its length is another one then.
_OF_TRANSFER = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})


class _Body:
    """
    What has come of a body.

    Args:
        now: gives seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._began = now()
        self._size = 0
        self._chunks: list[bytes] = []

    def take(self, chunk: bytes) -> None:
        """
        Take another piece.

        Raises:
            httpx.DecodingError: it is too much.
            httpx.ReadTimeout: it comes too slowly.
        """
        self._size += len(chunk)
        self._chunks.append(chunk)
        # Counted after unpacking: a compressed body that is small on the wire can still
        # fill the memory.
        if self._size > MOST_BYTES:
            raise httpx.DecodingError("the answer is too long")
        seconds = self._now() - self._began
        # Raised as httpx would, so that it takes the same way to our errors as its own
        # timeouts.
        if seconds > _GRACE and self._size < _SLOWEST * seconds:
            raise httpx.ReadTimeout("the answer does not come to its end")

    def of(self, response: httpx.Response) -> httpx.Response:
        """Give an answer with this body."""
        raw = response.headers.raw
        # Made anew, since httpx offers no way to set the content of a response that was
        # streamed.
        return httpx.Response(
            response.status_code,
            headers=[pair for pair in raw if pair[0].lower() not in _OF_TRANSFER],
            content=b"".join(self._chunks),
            request=response.request,
            extensions=response.extensions,
        )


def read_body(
    response: httpx.Response, now: Callable[[], float] = time.monotonic
) -> httpx.Response:
    """
    Read the body of an answer.

    Args:
        now: gives seconds.

    Returns:
        The answer with its body, decoded.

    Raises:
        httpx.HTTPError: it cannot be read, is too long or comes too slowly.
    """
    body = _Body(now)
    for chunk in response.iter_bytes():
        body.take(chunk)
    return body.of(response)


async def read_body_async(
    response: httpx.Response, now: Callable[[], float] = time.monotonic
) -> httpx.Response:
    """Read the body of an answer likewise, without blocking."""
    body = _Body(now)
    async for chunk in response.aiter_bytes():
        body.take(chunk)
    return body.of(response)
