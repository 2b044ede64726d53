"""The bytes of a file on their way out."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import io
import os
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigbridge.client.transport import file_chunks
from rigbridge.client.transport.calls import Put
from rigbridge.client.transport.file_chunks import chunks, chunks_async, measure
from rigbridge.errors import DeliveryError, PermanentError, RetriableError

_LASTING = [
    errno.ENOENT,
    errno.EISDIR,
    errno.ENOTDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.EINVAL,
]


def _put(content: bytes, *, size: int | None = None, sha256: str | None = None) -> Put:
    return Put(
        url="u",
        name="trace",
        media_type=None,
        size=len(content) if size is None else size,
        opener=lambda: io.BytesIO(content),
        sha256=sha256,
    )


def _failing(number: int) -> Put:
    def opener() -> IO[bytes]:
        raise OSError(number, os.strerror(number))

    return Put(url="u", name="trace", media_type=None, size=1, opener=opener)


class TestDigest:
    """Only the bytes that were announced go out whole."""

    @given(content=st.binary(max_size=60), piece=st.integers(min_value=1, max_value=9))
    def test_the_bytes_of_a_digest_go_out(self, content: bytes, piece: int) -> None:
        """However they are cut into pieces, and also where nobody knows the digest."""
        sha256 = hashlib.sha256(content).hexdigest()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(file_chunks, "CHUNK_SIZE", piece)
            assert b"".join(chunks(_put(content, sha256=sha256))) == content
            assert b"".join(chunks(_put(content))) == content

    @given(
        content=st.binary(min_size=1, max_size=60),
        piece=st.integers(min_value=1, max_value=9),
    )
    def test_of_other_bytes_the_end_is_kept_back(
        self, content: bytes, piece: int
    ) -> None:
        """A storage that got all but the last piece has no whole file."""
        sent: list[bytes] = []
        put = _put(content, sha256="0" * 64)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(file_chunks, "CHUNK_SIZE", piece)
            with pytest.raises(PermanentError, match="damaged"):
                sent.extend(chunks(put))
        assert len(b"".join(sent)) < len(content)

    def test_in_an_event_loop_likewise(self) -> None:
        """The same check holds there."""

        async def read() -> None:
            """Take all chunks of a file that is damaged."""
            async for _ in chunks_async(_put(b"abc", sha256="0" * 64)):
                pass

        with pytest.raises(PermanentError, match="damaged"):
            asyncio.run(read())

    @pytest.mark.parametrize("size", [0, 2, 4])
    def test_another_length_is_refused(self, size: int) -> None:
        """A file that is still written to is not sent."""
        with pytest.raises(PermanentError, match="announced"):
            list(chunks(_put(b"abc", size=size)))


class TestErrorsOfTheSystem:
    """What the system may get over, and what only a person changes."""

    @pytest.mark.parametrize("number", sorted(errno.errorcode))
    def test_every_error_of_the_list_is_one_of_both(self, number: int) -> None:
        """Missing, forbidden or no file is final; all else is tried again."""
        kind = PermanentError if number in _LASTING else RetriableError
        for call in (
            lambda: list(chunks(_failing(number))),
            lambda: measure("trace", _failing(number).opener),
        ):
            with pytest.raises(DeliveryError) as caught:
                call()
            assert type(caught.value) is kind
            assert caught.value.of_file
