"""Files go up to a real server that fails on demand."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import IO, Any

import httpx
import pytest

from rigbridge.client import Client
from rigbridge.errors import (
    ForbiddenError,
    PermanentError,
    TooLargeError,
    UnexpectedAnswerError,
)
from rigbridge.testing.run_store.faults import Fault, Operation
from rigbridge.testing.run_store.server import RunStoreServer

Serve = Callable[..., RunStoreServer]
Connect = Callable[..., Client]


def _opener(content: bytes) -> Callable[[], IO[bytes]]:
    return lambda: io.BytesIO(content)


class TestUpload:
    """Sending files."""

    @pytest.mark.parametrize(
        "dialect",
        [{}, {"upload_key": "upload_url"}, {"relative_upload_urls": True}],
    )
    def test_the_bytes_arrive(
        self, serve: Serve, connect: Connect, dialect: dict[str, Any]
    ) -> None:
        """A file arrives whole, however the server spells the address."""
        server = serve(**dialect)
        content = bytes(range(256)) * 3000
        upload_id = connect(server).upload(
            "a b.png", "image/png", len(content), _opener(content)
        )
        (upload,) = server.uploads
        assert upload.id == upload_id
        assert upload.content == content
        assert (upload.name, upload.media_type, upload.size) == (
            "a b.png",
            "image/png",
            len(content),
        )

    def test_a_file_of_unknown_size_is_measured(
        self, server: RunStoreServer, client: Client
    ) -> None:
        """A size that nobody gave is found out, since a PUT must announce it."""
        client.upload("a.bin", None, None, _opener(b"12345"))
        assert server.uploads[0].size == 5

    def test_an_empty_file_arrives(
        self, server: RunStoreServer, client: Client
    ) -> None:
        """A file without bytes is stored as such; its size is not announced."""
        client.upload("empty", None, 0, _opener(b""))
        assert server.uploads[0].content == b""
        assert server.uploads[0].size is None

    def test_the_key_stays_away_from_the_storage(
        self, server: RunStoreServer, client: Client
    ) -> None:
        """The request to the upload address has no key anywhere."""
        client.upload("a.bin", None, 1, _opener(b"1"))
        (request,) = [r for r in server.requests if r.operation == Operation.STORE]
        assert "authorization" not in request.headers
        assert server.api_key not in f"{request.target} {request.headers}"
        assert request.headers["content-length"] == "1"
        assert request.headers["content-type"] == "application/octet-stream"

    def test_an_expired_address_is_asked_for_once_more(
        self, server: RunStoreServer, client: Client
    ) -> None:
        """A grant that has expired is replaced, once."""
        server.inject(Fault.EXPIRED_UPLOAD_URL, on=Operation.STORE)
        upload_id = client.upload("a.bin", None, 1, _opener(b"1"))
        assert server.contents.uploads[upload_id].content == b"1"
        assert server.count(Operation.INITIALIZE) == 2

    def test_an_address_that_never_works_is_given_up(
        self, server: RunStoreServer, client: Client
    ) -> None:
        """The second refusal is final."""
        server.inject(Fault.EXPIRED_UPLOAD_URL, on=Operation.STORE, times=9)
        with pytest.raises(ForbiddenError, match="AccessDenied"):
            client.upload("a.bin", None, 1, _opener(b"1"))
        assert server.count(Operation.STORE) == 2

    def test_a_storage_without_a_key_is_not_about_our_key(
        self, server: RunStoreServer, client: Client
    ) -> None:
        """A 401 of the storage does not hold the whole destination."""
        server.inject(Fault.UNAUTHORIZED, on=Operation.STORE, times=2)
        with pytest.raises(ForbiddenError):
            client.upload("a.bin", None, 1, _opener(b"1"))

    def test_a_redirect_of_the_storage_is_not_followed(
        self, server: RunStoreServer, client: Client
    ) -> None:
        """The bytes go nowhere but to the address of the grant."""
        server.inject(Fault.REDIRECT, on=Operation.STORE)
        with pytest.raises(UnexpectedAnswerError, match=r"login\.example\.com"):
            client.upload("a.bin", None, 1, _opener(b"1"))

    def test_a_file_over_the_limit_is_refused_by_the_server(
        self, serve: Serve, connect: Connect
    ) -> None:
        """The limit is the server's, and its words say so."""
        server = serve(max_upload=10)
        with pytest.raises(TooLargeError, match="No more than 10 bytes"):
            connect(server).upload("big", None, 11, _opener(b"x" * 11))

    @pytest.mark.parametrize("size", [4, 6])
    def test_a_file_of_another_length_is_not_stored(
        self, server: RunStoreServer, client: Client, size: int
    ) -> None:
        """A file that was announced wrongly is an error, not a cut file."""
        with pytest.raises(PermanentError, match="were announced"):
            client.upload("a.bin", None, size, _opener(b"12345"))
        assert server.uploads[0].content is None

    def test_a_file_that_cannot_be_read_is_named(
        self, server: RunStoreServer, client: Client
    ) -> None:
        """A missing file is told apart from a failing network."""

        def opener() -> IO[bytes]:
            raise FileNotFoundError(2, "No such file or directory")

        for size in (None, 5):
            with pytest.raises(PermanentError, match=r"a\.bin: cannot be read"):
                client.upload("a.bin", None, size, opener)
        assert all(upload.content is None for upload in server.uploads)

    def test_a_large_file_is_never_held_in_memory(self) -> None:
        """The memory that sending takes does not grow with the file."""
        size = 64 << 20
        with (
            Client("https://store", None, transport=_Swallow()) as client,
            _measured_memory() as peak,
        ):
            client.upload("zeros", None, size, lambda: io.BufferedReader(_Zeros(size)))
        assert peak() < 8 << 20


class _Zeros(io.RawIOBase):
    """A large file that needs no memory itself."""

    def __init__(self, size: int) -> None:
        self._left = size

    def readinto(self, buffer: Any) -> int:
        count = min(len(buffer), self._left)
        self._left -= count
        return count

    def readable(self) -> bool:
        return True


class _Swallow(httpx.BaseTransport):
    """Takes uploads as they come, and forgets them."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            assert isinstance(request.stream, httpx.SyncByteStream)
            received = sum(len(chunk) for chunk in request.stream)
            assert received == int(request.headers["Content-Length"])
            return httpx.Response(200)
        return httpx.Response(200, json={"id": "u1", "uploadUrl": "/storage"})


@contextmanager
def _measured_memory() -> Generator[Callable[[], int], None, None]:
    """Measure the highest amount of memory that was taken meanwhile, in bytes."""
    peak = 0
    tracemalloc.start()
    try:
        yield lambda: peak
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
