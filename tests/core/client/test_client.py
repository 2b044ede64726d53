"""The client against a real server that fails on demand."""

from __future__ import annotations

import io
import logging
import traceback
import tracemalloc
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from uuid import UUID, uuid4

import httpx
import pytest

from rigbridge.client import Client
from rigbridge.destinations import Linking
from rigbridge.errors import (
    BadRequestError,
    ConfigurationError,
    ConflictError,
    DeliveryError,
    FileUnreadableError,
    ForbiddenError,
    NoAnswerError,
    NotFoundError,
    PermanentError,
    ServerUnavailableError,
    TooLargeError,
    UnauthorizedError,
    UnexpectedAnswerError,
    UnprocessableError,
)
from rigbridge.model import Attachment, Run
from rigbridge.testing.run_store.faults import CreateShape, Fault, Operation
from rigbridge.testing.run_store.server import RunStoreServer
from rigbridge.wire import CreateRun, WireUnit

Serve = Callable[..., RunStoreServer]
Connect = Callable[..., Client]


def _body(serial_number: str = "SN-1") -> CreateRun:
    return CreateRun(
        unit_under_test=WireUnit(serial_number=serial_number),
        run_passed=True,
        procedure_name="Final test",
    )


def _opener(content: bytes) -> Callable[[], IO[bytes]]:
    return lambda: io.BytesIO(content)


class TestCreate:
    """Creating runs."""

    @pytest.mark.parametrize("shape", CreateShape)
    def test_every_answer_gives_the_id(
        self, serve: Serve, connect: Connect, shape: CreateShape
    ) -> None:
        """The id is found also where an older server gives it only within a URL."""
        server = serve(create=shape)
        created = connect(server).create_run(_body(), idempotency_key=None)
        assert created.id == server.runs[0].id

    def test_warnings_are_kept(self, serve: Serve, connect: Connect) -> None:
        """What the store remarks about a run comes back."""
        server = serve(create=CreateShape.ID_WITH_201)
        created = connect(server).create_run(_body(), idempotency_key=None)
        assert created.warnings == [{"message": "part_name is ignored"}]

    def test_the_key_of_the_run_travels(
        self, server: RunStoreServer, client: Client
    ) -> None:
        """The idempotency key is sent as a header."""
        key = UUID("6d7d4dd2-3d4f-5a53-9d0a-6f2a3c1d9b60")
        client.create_run(_body(), idempotency_key=key)
        assert server.runs[0].idempotency_key == str(key)

    def test_an_idempotent_store_answers_a_repetition(
        self, serve: Serve, connect: Connect
    ) -> None:
        """The same key gives the same run, another body under it a conflict."""
        server = serve(idempotent=True)
        client, key = connect(server), uuid4()
        first = client.create_run(_body(), idempotency_key=key)
        assert client.create_run(_body(), idempotency_key=key) == first
        with pytest.raises(ConflictError):
            client.create_run(_body("other"), idempotency_key=key)

    @pytest.mark.parametrize(
        ("fault", "kind"),
        [
            (Fault.RESET, NoAnswerError),
            (Fault.RESET_AFTER, NoAnswerError),
            (Fault.CUT_ANSWER_AFTER, NoAnswerError),
            (Fault.REDIRECT, UnexpectedAnswerError),
            (Fault.BAD_REQUEST, BadRequestError),
            (Fault.UNAUTHORIZED, UnauthorizedError),
            (Fault.FORBIDDEN, ForbiddenError),
            (Fault.NOT_FOUND, NotFoundError),
            (Fault.CONFLICT, ConflictError),
            (Fault.TOO_LARGE, TooLargeError),
            (Fault.UNPROCESSABLE, UnprocessableError),
            (Fault.TOO_MANY_SECONDS, ServerUnavailableError),
            (Fault.INTERNAL_ERROR, ServerUnavailableError),
            (Fault.BAD_GATEWAY_HTML, ServerUnavailableError),
            (Fault.UNAVAILABLE, ServerUnavailableError),
            (Fault.GATEWAY_TIMEOUT_AFTER, ServerUnavailableError),
            (Fault.WRONG_JSON_AFTER, UnexpectedAnswerError),
        ],
    )
    def test_a_fault_is_one_error_after_one_request(
        self,
        server: RunStoreServer,
        client: Client,
        fault: Fault,
        kind: type[DeliveryError],
    ) -> None:
        """The type of the error names the recovery, and nothing is repeated."""
        server.inject(fault, on=Operation.CREATE)
        with pytest.raises(kind) as caught:
            client.create_run(_body(), idempotency_key=None)
        assert caught.value.source == f"{server.origin}/api"
        assert caught.value.place == "POST /v1/runs"
        assert len(server.requests) == 1
        assert len(server.runs) == fault.does_first

    def test_the_server_is_quoted(self, server: RunStoreServer, client: Client) -> None:
        """A person reads the server's words, its code and the field in question."""
        with pytest.raises(BadRequestError, match="The body does not fit") as caught:
            client.create_run(_body(""), idempotency_key=None)
        assert caught.value.code == "BAD_REQUEST"
        assert caught.value.issues == ("unit_under_test.serial_number: is missing",)
        assert not server.runs

    def test_older_errors_are_quoted_as_well(
        self, serve: Serve, connect: Connect
    ) -> None:
        """The older shape of an error gives its words."""
        with pytest.raises(BadRequestError, match="The body does not fit"):
            connect(serve(old_errors=True)).create_run(_body(""), idempotency_key=None)

    def test_a_server_that_is_slow_gives_no_answer(
        self, server: RunStoreServer, connect: Connect
    ) -> None:
        """Waiting ends with the timeout."""
        server.inject(Fault.SLOW_ANSWER_AFTER, on=Operation.CREATE, seconds=60)
        with pytest.raises(NoAnswerError, match="no answer in time"):
            connect(server, timeout=0.1).create_run(_body(), idempotency_key=None)

    def test_nobody_listens(self, server: RunStoreServer, client: Client) -> None:
        """A refused connection is no answer, and a later call connects again."""
        with server.refusing(), pytest.raises(NoAnswerError, match="no connection"):
            client.create_run(_body(), idempotency_key=None)
        client.create_run(_body(), idempotency_key=None)
        assert len(server.runs) == 1

    @pytest.mark.parametrize("fault", [Fault.TOO_MANY_SECONDS, Fault.TOO_MANY_DATE])
    def test_both_forms_of_retry_after_are_read(
        self, server: RunStoreServer, client: Client, fault: Fault
    ) -> None:
        """The wish of the server stands in the error, in seconds."""
        server.inject(fault, seconds=100)
        with pytest.raises(ServerUnavailableError) as caught:
            client.create_run(_body(), idempotency_key=None)
        assert caught.value.retry_after == pytest.approx(100, abs=2)

    def test_an_answer_without_any_id_is_unexpected(
        self, server: RunStoreServer, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A success that names no run is quoted."""
        monkeypatch.setattr(
            "rigbridge.testing.run_store.calls.created",
            lambda *_: (200, {"message": "Fine."}),
        )
        with pytest.raises(UnexpectedAnswerError, match=r"no id.*Fine\."):
            client.create_run(_body(), idempotency_key=None)
        assert len(server.runs) == 1


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


class TestLink:
    """Linking uploads to runs."""

    def _prepare(self, client: Client) -> tuple[str, list[str]]:
        run_id = client.create_run(_body(), idempotency_key=None).id
        assert run_id is not None
        uploads = [client.upload(f"{n}", None, 1, _opener(b"1")) for n in range(2)]
        return run_id, uploads

    def test_the_update_links_all_at_once(
        self, server: RunStoreServer, client: Client
    ) -> None:
        """A server with both calls is asked once."""
        run_id, uploads = self._prepare(client)
        client.link(run_id, uploads)
        assert server.runs[0].uploads == uploads
        assert server.count(Operation.UPDATE) == 1
        assert server.count(Operation.SYNC) == 0

    def test_linking_twice_is_no_error(
        self, server: RunStoreServer, client: Client
    ) -> None:
        """A repeated link changes nothing."""
        run_id, uploads = self._prepare(client)
        client.link(run_id, uploads)
        client.link(run_id, uploads)
        assert server.runs[0].uploads == uploads

    @pytest.mark.parametrize("missing", [404, 405])
    def test_the_sync_call_steps_in_and_is_remembered(
        self, serve: Serve, connect: Connect, missing: int
    ) -> None:
        """A missing update is noticed once, then only the sync call is made."""
        server = serve(update=False, missing=missing)
        client = connect(server)
        run_id, uploads = self._prepare(client)
        client.link(run_id, uploads[:1])
        client.link(run_id, uploads[1:])
        assert server.runs[0].uploads == uploads
        assert server.count(Operation.UPDATE) == 1
        assert server.count(Operation.SYNC) == 2

    def test_a_missing_run_is_no_missing_call(
        self, server: RunStoreServer, client: Client
    ) -> None:
        """A 404 about the run is final, and teaches nothing about the server."""
        _, uploads = self._prepare(client)
        with pytest.raises(NotFoundError, match="does not exist"):
            client.link(str(uuid4()), uploads)
        assert server.count(Operation.SYNC) == 0

    @pytest.mark.parametrize("old", [True, False])
    def test_a_missing_upload_is_no_missing_call(
        self, serve: Serve, connect: Connect, *, old: bool
    ) -> None:
        """A 404 about an upload is final, also in the older shape."""
        server = serve(old_errors=old)
        client = connect(server)
        run_id, _ = self._prepare(client)
        with pytest.raises(NotFoundError):
            client.link(run_id, [str(uuid4())])
        assert server.count(Operation.SYNC) == 0

    def test_a_server_without_either_says_so(
        self, serve: Serve, connect: Connect
    ) -> None:
        """Both missing calls are named."""
        client = connect(serve(update=False, sync=False))
        run_id, uploads = self._prepare(client)
        with pytest.raises(UnexpectedAnswerError, match="neither by PUT"):
            client.link(run_id, uploads)

    def test_a_pinned_update_is_not_replaced(
        self, serve: Serve, connect: Connect
    ) -> None:
        """A setting that names the update allows nothing else."""
        server = serve(update=False)
        client = connect(server, linking=Linking.UPDATE)
        run_id, uploads = self._prepare(client)
        with pytest.raises(NotFoundError):
            client.link(run_id, uploads)
        assert server.count(Operation.SYNC) == 0

    def test_a_pinned_sync_is_used_at_once(
        self, server: RunStoreServer, connect: Connect
    ) -> None:
        """A setting that names the sync call saves the attempt."""
        client = connect(server, linking=Linking.SYNC)
        run_id, uploads = self._prepare(client)
        client.link(run_id, uploads)
        assert server.runs[0].uploads == uploads
        assert server.count(Operation.UPDATE) == 0

    def test_a_page_of_a_portal_is_no_link(
        self, server: RunStoreServer, client: Client
    ) -> None:
        """A success that is no JSON does not count."""
        run_id, uploads = self._prepare(client)
        server.inject(Fault.WRONG_JSON_AFTER, on=Operation.UPDATE)
        with pytest.raises(UnexpectedAnswerError, match="no JSON"):
            client.link(run_id, uploads)


class TestFurtherCalls:
    """Deleting, importing, and what a store can do."""

    def test_delete(self, server: RunStoreServer, client: Client) -> None:
        """A deleted run is gone; deleting it again is an error."""
        run_id = str(client.create_run(_body(), idempotency_key=None).id)
        client.delete_run(run_id)
        assert not server.runs
        with pytest.raises(NotFoundError):
            client.delete_run(run_id)

    def test_import(self, server: RunStoreServer, client: Client) -> None:
        """The server makes a run of an upload, and its id comes back."""
        upload_id = client.upload("SN-7", None, 2, _opener(b"{}"))
        run_id = client.import_report(upload_id, "OPENHTF")
        assert run_id == server.runs[0].id
        assert server.runs[0].body["importer"] == "OPENHTF"

    def test_a_stock_store_has_no_capabilities(
        self, server: RunStoreServer, client: Client
    ) -> None:
        """A store that lacks the call is asked once."""
        assert client.capabilities() is None
        assert client.capabilities() is None
        assert len(server.requests) == 1

    def test_our_store_tells_what_it_can(self, serve: Serve, connect: Connect) -> None:
        """What a store can do beyond v1 is asked once."""
        server = serve(capabilities={"sidecar": "inline"})
        client = connect(server)
        assert client.capabilities() == {"sidecar": "inline"}
        assert client.capabilities() == {"sidecar": "inline"}
        assert server.count(Operation.CAPABILITIES) == 1

    @pytest.mark.parametrize("fault", [Fault.UNAVAILABLE, Fault.UNAUTHORIZED])
    def test_a_store_that_is_down_is_asked_again(
        self, serve: Serve, connect: Connect, fault: Fault
    ) -> None:
        """An answer that says "later" is not taken for a stock store for ever."""
        server = serve(capabilities={"sidecar": "inline"})
        client = connect(server)
        server.inject(fault, on=Operation.CAPABILITIES)
        assert client.capabilities() is None
        assert client.capabilities() == {"sidecar": "inline"}

    def test_a_page_is_no_capability(self, serve: Serve, connect: Connect) -> None:
        """A server that answers every address with a page is a stock one."""
        server = serve(capabilities={})
        server.inject(Fault.WRONG_JSON_AFTER, on=Operation.CAPABILITIES)
        assert connect(server).capabilities() is None


class TestSecrets:
    """The API key appears nowhere."""

    def test_the_key_is_in_no_repr_error_or_log(
        self,
        server: RunStoreServer,
        connect: Connect,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """A key that the server quotes is in no message, traceback or log line."""
        caplog.set_level(logging.DEBUG)
        key = "wrong-but-still-secret"
        client = connect(server, api_key=key)
        with pytest.raises(UnauthorizedError, match=r"Bearer \[API key\]") as caught:
            client.create_run(_body(), idempotency_key=None)
        told = "".join(traceback.format_exception(caught.value))
        assert key not in f"{client!r} {told} {caught.value!r} {caplog.text}"

    @pytest.mark.parametrize("key", ["two words", "new\nline", "schlüssel", "a\x00b"])
    def test_a_key_that_no_header_holds_is_refused(self, key: str) -> None:
        """A broken key is a wrong setting, and not shown."""
        with pytest.raises(ConfigurationError) as caught:
            Client("http://127.0.0.1", key)
        assert key not in str(caught.value)

    def test_blanks_around_the_key_are_harmless(
        self, server: RunStoreServer, connect: Connect
    ) -> None:
        """A key that was read from a file with its line end works."""
        client = connect(server, api_key=f" {server.api_key}\n")
        assert client.list_runs("SN") == []

    @pytest.mark.parametrize("key", [None, "", "  "])
    def test_without_a_key_none_is_sent(
        self, server: RunStoreServer, connect: Connect, key: str | None
    ) -> None:
        """No key means no header, and the refusal says how to give one."""
        with pytest.raises(UnauthorizedError, match=r"no API key .*: pass api_key"):
            connect(server, api_key=key).list_runs("SN")
        assert "authorization" not in server.requests[0].headers


class TestPool:
    """Connections."""

    def test_nothing_is_connected_before_the_first_call(
        self, server: RunStoreServer, client: Client
    ) -> None:
        """Making a client costs no connection."""
        assert client._connection.pool.is_empty
        client.list_runs("SN")
        assert len(server.requests) == 1

    def test_a_closed_client_makes_no_calls(
        self, server: RunStoreServer, connect: Connect
    ) -> None:
        """Closing twice is allowed, calling afterwards is a mistake."""
        client = connect(server)
        client.list_runs("SN")
        client.close()
        client.close()
        with pytest.raises(RuntimeError, match="closed"):
            client.list_runs("SN")

    def test_a_broken_proxy_setting_is_named(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A proxy that cannot be used is a wrong setting."""
        monkeypatch.setenv("HTTPS_PROXY", "nonsense://proxy")
        with (
            Client("https://store.example.com", None) as client,
            pytest.raises(ConfigurationError, match="HTTPS_PROXY"),
        ):
            client.list_runs("SN")

    def test_a_transport_of_ones_own_carries_the_requests(self) -> None:
        """Users may put anything between the client and the network."""

        def answer(request: httpx.Request) -> httpx.Response:
            assert request.url.path == "/api/v1/runs"
            return httpx.Response(200, json=[])

        transport = httpx.MockTransport(answer)
        with Client("https://store", "k", transport=transport) as client:
            assert client.list_runs("SN") == []


class TestWholeRuns:
    """Submitting runs and attaching files."""

    def test_a_run_arrives_with_its_files(
        self,
        server: RunStoreServer,
        client: Client,
        make_run: Callable[..., Run],
        make_file: Callable[..., Attachment],
    ) -> None:
        """The id that the store gave comes back as text; twice is once."""
        run = make_run(attachments=[make_file("a", b"1")])
        stored_id = client.submit(run)
        (stored,) = server.runs
        assert stored_id == stored.id
        assert server.attachments(stored_id) == [("a", b"1")]
        assert client.submit(run) == stored_id
        assert len(server.runs) == 1

    def test_a_file_that_is_refused_is_an_error(
        self,
        server: RunStoreServer,
        client: Client,
        make_run: Callable[..., Run],
        make_file: Callable[..., Attachment],
    ) -> None:
        """It says that the run is stored, and which file is not."""
        server.inject(Fault.TOO_LARGE, on=Operation.STORE)
        with pytest.raises(TooLargeError, match=r"is stored without a: 413"):
            client.submit(make_run(attachments=[make_file("a", b"1")]))
        assert len(server.runs) == 1

    def test_a_path_is_attached(
        self,
        server: RunStoreServer,
        client: Client,
        make_run: Callable[..., Run],
        tmp_path: Path,
    ) -> None:
        """By its own name or by another; the same file twice is linked once."""
        file = tmp_path / "scope.png"
        file.write_bytes(b"an image")
        run_id = client.submit(make_run())
        client.attach(run_id, str(file))
        client.attach(run_id, file)
        client.attach(run_id, Attachment.from_file(file), name="other.png")
        assert server.attachments(run_id) == [
            ("scope.png", b"an image"),
            ("other.png", b"an image"),
        ]

    def test_an_id_may_be_a_uuid(
        self,
        server: RunStoreServer,
        client: Client,
        make_run: Callable[..., Run],
        tmp_path: Path,
    ) -> None:
        """Everything that names a run takes both; a missing file is named."""
        file = tmp_path / "scope.png"
        file.write_bytes(b"an image")
        run_id = client.submit(make_run())
        client.attach(UUID(run_id), file)
        client.attach(run_id, file)
        assert server.attachments(run_id) == [("scope.png", b"an image")]
        client.link(UUID(run_id), [])
        with pytest.raises(FileUnreadableError, match="there is no such file"):
            client.attach(run_id, tmp_path / "missing.png")
        client.delete_run(UUID(run_id))
        assert server.runs == []

    def test_the_remedy_fits_the_mistake(self, client: Client) -> None:
        """A path has to be read first; a destination needs the outbox."""
        with pytest.raises(ConfigurationError, match=r"rigbridge\.read\(path\)"):
            client.submit("report.xml")  # type: ignore[arg-type]
        with pytest.raises(ConfigurationError, match=r"open_outbox\(to=NAME\)"):
            Client("line-file")

    def test_the_runs_of_a_unit_are_a_list(
        self, client: Client, make_run: Callable[..., Run]
    ) -> None:
        """Under the short name, too."""
        run = make_run()
        number = run.unit.serial_number
        assert number is not None
        stored_id = client.submit(run)
        assert [found.id for found in client.runs(number)] == [stored_id]
        assert client.runs(number) == client.list_runs(number)

    def test_one_kind_of_run_is_not_taken_for_the_other(
        self, client: Client, make_run: Callable[..., Run]
    ) -> None:
        """The error says which method takes it."""
        wrong: Any = make_run()
        with pytest.raises(ConfigurationError, match=r"use|submit\(run\)"):
            client.create_run(wrong, idempotency_key=None)
        wrong = _body()
        with pytest.raises(ConfigurationError, match="create_run takes the body"):
            client.submit(wrong)

    def test_what_is_inside_stays_inside(self) -> None:
        """The public names are calls and the address, nothing else."""
        inside = {"drive", "asking", "linking", "pace", "perform"}
        assert not inside & {name for name in dir(Client) if not name.startswith("_")}
