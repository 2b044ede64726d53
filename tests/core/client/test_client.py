"""The client against a real server that fails on demand."""

from __future__ import annotations

import io
import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import httpx
import pytest

from rigbridge.client import Client
from rigbridge.errors import (
    ConfigurationError,
    FileUnreadableError,
    NotFoundError,
    TooLargeError,
    UnauthorizedError,
)
from rigbridge.model import Attachment, Run
from rigbridge.testing.run_store.faults import Fault, Operation
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
        with pytest.raises(ConfigurationError, match="closed"):
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
