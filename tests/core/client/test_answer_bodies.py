"""A body that has no end, or is far longer than it seems, holds nobody."""

from __future__ import annotations

import asyncio
import gzip
import itertools
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest

from rigbridge.client.client import Client
from rigbridge.client.transport import answer_bodies
from rigbridge.client.transport.answer_bodies import read_body, read_body_async
from rigbridge.errors import RetriableError
from rigbridge.model import Run

_REQUEST = httpx.Request("GET", "https://store.example/v1/runs")


class _Stream(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk


def _answer(chunks: Iterator[bytes], **headers: str) -> httpx.Response:
    return httpx.Response(
        503, headers=headers, stream=_Stream(chunks), request=_REQUEST
    )


def _clock() -> float:
    return next(_seconds)


_seconds = itertools.count(step=1.0)


def test_a_whole_answer() -> None:
    """It stands decoded, with its status and the headers that say something of it."""
    packed = gzip.compress(b'{"code": "BUSY"}')
    chunks = (packed[at : at + 5] for at in range(0, len(packed), 5))
    headers = {"content-encoding": "gzip", "retry-after": "7"}
    answer = read_body(_answer(chunks, **headers))
    assert answer.json() == {"code": "BUSY"}
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "7"
    assert "content-encoding" not in answer.headers


def test_a_few_bytes_that_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """The length that counts is the one that is held in memory."""
    monkeypatch.setattr(answer_bodies, "MOST_BYTES", 1 << 20)
    packed = gzip.compress(bytes(4 << 20))
    with pytest.raises(httpx.DecodingError, match="too long"):
        read_body(_answer(iter([packed]), **{"content-encoding": "gzip"}))


def test_a_byte_now_and_then() -> None:
    """Each comes in time, and the answer never does."""
    with pytest.raises(httpx.ReadTimeout, match="its end"):
        read_body(_answer(itertools.repeat(b" ")), _clock)


def test_a_slow_line() -> None:
    """A modem may take its time with what is long."""
    answer = read_body(_answer(itertools.repeat(b"x" * 1200, 90)), _clock)
    assert len(answer.content) == 90 * 1200


def test_without_blocking() -> None:
    """The same holds in an event loop."""
    answer = asyncio.run(read_body_async(_answer(iter([b"{", b"}"]))))
    assert answer.json() == {}
    with pytest.raises(httpx.ReadTimeout, match="its end"):
        asyncio.run(read_body_async(_answer(itertools.repeat(b" ")), _clock))


def test_what_is_nested_without_end_is_no_answer(
    make_run: Callable[..., Run],
) -> None:
    """It is not the word of the store, so the run is tried again."""
    transport = httpx.MockTransport(
        lambda request: httpx.Response(
            200, content=b'{"id":' + b"[" * 100_000, request=request
        )
    )
    with (
        Client("https://store.example", "key", transport=transport) as client,
        pytest.raises(RetriableError),
    ):
        client.submit(make_run())
