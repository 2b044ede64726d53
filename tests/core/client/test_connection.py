"""How a store is reached: TLS, certificates, proxies, HTTP/2, all over real sockets."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import attrs
import h2.config
import h2.connection
import h2.events
import pytest
import trustme

from rigbridge.client import AsyncClient, Client, ConnectionSettings
from rigbridge.client.listing import ReceivedRun
from rigbridge.client.transport.network import timeouts, tls_for
from rigbridge.destinations import DestinationSettings
from rigbridge.errors import ConfigurationError, NoAnswerError
from rigbridge.testing.run_store.faults import Dialect, Operation
from rigbridge.testing.run_store.server import RunStoreServer
from rigbridge.wire import CreateRun, WireUnit

List = Callable[..., list[ReceivedRun]]


def _blocking(url: str, key: str | None, **settings: Any) -> list[ReceivedRun]:
    connection = ConnectionSettings(timeout=60.0, **settings)
    with Client(url, key, connection=connection) as client:
        return client.list_runs("SN")


def _in_event_loop(url: str, key: str | None, **settings: Any) -> list[ReceivedRun]:
    async def find() -> list[ReceivedRun]:
        connection = ConnectionSettings(timeout=60.0, **settings)
        async with AsyncClient(url, key, connection=connection) as client:
            return await client.list_runs("SN")

    return asyncio.run(find())


@pytest.fixture(name="list_runs", params=[_blocking, _in_event_loop])
def _list_runs(request: pytest.FixtureRequest) -> List:
    found: List = request.param
    return found


@pytest.fixture(name="authority", scope="module")
def _authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(name="bundle")
def _bundle(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture(name="certificate")
def _certificate(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "client.pem"
    issued = authority.issue_cert("rig-7.example.com")
    issued.private_key_and_cert_chain_pem.write_to_path(str(path))
    return path


def _context(authority: trustme.CA, *, ask: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    if ask:
        context.verify_mode = ssl.CERT_REQUIRED
        authority.configure_trust(context)
    return context


@pytest.fixture(name="secure")
def _secure(authority: trustme.CA) -> Iterator[RunStoreServer]:
    with RunStoreServer(tls=_context(authority)) as server:
        yield server


@pytest.fixture(name="asking")
def _asking(authority: trustme.CA) -> Iterator[RunStoreServer]:
    with RunStoreServer(tls=_context(authority, ask=True)) as server:
        yield server


class TestTLS:
    """Certificates of the server and of the client."""

    def test_an_unknown_authority_is_refused(
        self, secure: RunStoreServer, list_runs: List
    ) -> None:
        """Nothing is sent, and the remedy is to name the authority."""
        with pytest.raises(NoAnswerError, match="ca_bundle"):
            list_runs(secure.url, secure.api_key)
        assert not secure.requests

    def test_an_authority_of_ones_own_is_trusted(
        self, secure: RunStoreServer, list_runs: List, bundle: Path
    ) -> None:
        """A private authority is named, and checks stay on."""
        assert list_runs(secure.url, secure.api_key, ca_bundle=bundle) == []

    def test_it_counts_for_uploads_as_well(
        self, secure: RunStoreServer, bundle: Path, tmp_path: Path
    ) -> None:
        """Storage behind the same authority is reached."""
        path = tmp_path / "a.bin"
        path.write_bytes(b"abc")
        settings = ConnectionSettings(ca_bundle=bundle)
        with Client(secure.url, secure.api_key, connection=settings) as client:
            client.upload("a.bin", None, 3, lambda: path.open("rb"))
        assert secure.uploads[0].content == b"abc"

    def test_a_client_certificate_is_shown(
        self, asking: RunStoreServer, list_runs: List, bundle: Path, certificate: Path
    ) -> None:
        """A store that asks for one lets us in."""
        options = {"ca_bundle": bundle, "client_certificate": certificate}
        assert list_runs(asking.url, asking.api_key, **options) == []

    def test_without_the_certificate_nothing_goes(
        self, asking: RunStoreServer, list_runs: List, bundle: Path
    ) -> None:
        """The same store refuses who shows none."""
        with pytest.raises(NoAnswerError):
            list_runs(asking.url, asking.api_key, ca_bundle=bundle)
        assert not asking.requests

    def test_a_storage_host_sees_no_certificate(
        self, bundle: Path, certificate: Path
    ) -> None:
        """Another host than the store's gets a context without it."""
        settings = ConnectionSettings(ca_bundle=bundle, client_certificate=certificate)
        plain = ConnectionSettings(ca_bundle=bundle)
        own, foreign = (tls_for(settings, foreign=answer) for answer in (False, True))
        assert own is not foreign
        assert foreign is tls_for(plain, foreign=False)

    def test_clients_share_one_context(self, bundle: Path) -> None:
        """Making one takes longer than many a request."""
        first, second = (ConnectionSettings(ca_bundle=bundle) for _ in range(2))
        assert tls_for(first, foreign=False) is tls_for(second, foreign=False)

    @pytest.mark.parametrize("setting", ["ca_bundle", "client_certificate"])
    def test_an_unusable_file_is_named(
        self, secure: RunStoreServer, list_runs: List, tmp_path: Path, setting: str
    ) -> None:
        """Missing or no PEM: the error names the file and the setting."""
        empty = tmp_path / "empty.pem"
        empty.write_text("nothing")
        for path in (tmp_path / "missing.pem", empty):
            with pytest.raises(ConfigurationError) as caught:
                list_runs(secure.url, secure.api_key, **{setting: path})
            assert caught.value.source == str(path)
            assert caught.value.place == setting

    def test_a_key_without_certificate_is_refused(
        self, list_runs: List, tmp_path: Path
    ) -> None:
        """Half a setting is a mistake."""
        with pytest.raises(ConfigurationError, match="client_certificate"):
            list_runs("http://127.0.0.1:1", None, client_key=tmp_path / "key.pem")


class TestProxy:
    """Proxies of the settings and of the environment; the rig can be one."""

    _STORE = "http://store.invalid"

    def test_a_proxy_of_the_settings_is_used(
        self, server: RunStoreServer, list_runs: List
    ) -> None:
        """The store is reached through it alone."""
        assert list_runs(self._STORE, server.api_key, proxy=server.url) == []
        assert server.requests[0].target.startswith(f"{self._STORE}/api/v1/runs")

    def test_a_proxy_of_the_environment_is_used(
        self,
        server: RunStoreServer,
        list_runs: List,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """As with any program on the machine."""
        monkeypatch.setenv("HTTP_PROXY", server.url)
        assert list_runs(self._STORE, server.api_key) == []

    @pytest.mark.parametrize("way", ["NO_PROXY", "direct"])
    def test_it_can_be_gone_without(
        self,
        server: RunStoreServer,
        list_runs: List,
        monkeypatch: pytest.MonkeyPatch,
        way: str,
    ) -> None:
        """Hosts that are excepted, and ``direct``, mean no proxy."""
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        options = {}
        if way == "direct":
            options["proxy"] = "direct"
        else:
            monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert list_runs(server.url, server.api_key, **options) == []

    def test_a_password_of_a_proxy_is_never_shown(self, list_runs: List) -> None:
        """Neither by the settings nor by an error."""
        proxy = "nonsense://user:hunter2@proxy.example.com"
        settings = DestinationSettings(data=Path(), proxy=proxy)
        assert "hunter2" not in f"{settings!r} {ConnectionSettings(proxy=proxy)!r}"
        with pytest.raises(ConfigurationError) as caught:
            list_runs(self._STORE, None, proxy=proxy)
        assert "hunter2" not in f"{caught.value} {caught.value.__cause__!r}"

    @pytest.mark.skipif(find_spec("socksio") is not None, reason="socksio is here")
    def test_what_a_proxy_needs_is_named(self, list_runs: List) -> None:
        """Also of one with a password, which is not shown."""
        with pytest.raises(ConfigurationError, match="socksio") as caught:
            list_runs(self._STORE, None, proxy="socks5://user:hunter2@localhost:1")
        assert "hunter2" not in str(caught.value)


class TestTimeouts:
    """What is waited for, and how long."""

    def test_connecting_has_a_time_of_its_own(self) -> None:
        """By default it is shorter than waiting for an answer."""
        assert timeouts(ConnectionSettings(timeout=30))["connect"] == 10
        assert timeouts(ConnectionSettings(timeout=5))["connect"] == 5
        settings = ConnectionSettings(timeout=5, connect_timeout=60)
        assert timeouts(settings) == {
            "connect": 60,
            "read": 5,
            "write": 5,
            "pool": 5,
        }

    def test_every_field_comes_from_the_destination(self) -> None:
        """No setting of the configuration is lost on its way."""
        names = {field.name for field in attrs.fields(ConnectionSettings)}
        assert names <= {field.name for field in attrs.fields(DestinationSettings)}


class _HTTP2Store:
    """Answers creates over HTTP/2, one connection after the other."""

    def __init__(self, context: ssl.SSLContext) -> None:
        context.set_alpn_protocols(["h2"])
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        self.versions: list[str | None] = []
        self.headers: list[dict[str, str]] = []

    @contextmanager
    def serving(self) -> Generator[None, None, None]:
        thread = threading.Thread(target=self._serve)
        thread.start()
        try:
            yield
        finally:
            self._listener.close()
            thread.join()

    def _serve(self) -> None:
        raw, _ = self._listener.accept()
        with ExitStack() as stack:
            tls = stack.enter_context(self._context.wrap_socket(raw, server_side=True))
            self.versions.append(tls.selected_alpn_protocol())
            config = h2.config.H2Configuration(client_side=False)
            connection = h2.connection.H2Connection(config)
            connection.initiate_connection()
            tls.sendall(connection.data_to_send())
            while data := tls.recv(65536):
                for event in connection.receive_data(data):
                    self._react(connection, event)
                tls.sendall(connection.data_to_send())

    def _react(self, connection: Any, event: Any) -> None:
        if isinstance(event, h2.events.RequestReceived):
            self.headers.append(
                {_text(name): _text(value) for name, value in event.headers}
            )
        elif isinstance(event, h2.events.StreamEnded):
            number = event.stream_id
            connection.send_headers(
                number, [(":status", "200"), ("content-type", "application/json")]
            )
            connection.send_data(number, b'{"id": "run-1"}', end_stream=True)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


class TestHTTP2:
    """HTTP/2 where the server has it."""

    def test_it_is_spoken_and_the_key_travels(
        self, authority: trustme.CA, bundle: Path
    ) -> None:
        """The contract is the same over HTTP/2, on one connection."""
        store = _HTTP2Store(_context(authority))
        body = CreateRun(
            unit_under_test=WireUnit(serial_number="SN"),
            run_passed=True,
            procedure_name="P",
        )
        settings = ConnectionSettings(ca_bundle=bundle, timeout=60.0)
        with (
            store.serving(),
            Client(store.url, "key", connection=settings) as client,
        ):
            for _ in range(3):
                assert client.create_run(body, idempotency_key=None).id == "run-1"
        assert store.versions == ["h2"]
        assert [headers["authorization"] for headers in store.headers] == [
            "Bearer key"
        ] * 3

    def test_the_key_is_in_no_log(
        self, authority: trustme.CA, bundle: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """However much the libraries below say, also of the block that they send."""
        caplog.set_level(logging.DEBUG)
        store = _HTTP2Store(_context(authority))
        settings = ConnectionSettings(ca_bundle=bundle, timeout=60.0)
        with (
            store.serving(),
            Client(store.url, "tp-5ecret-over-h2", connection=settings) as client,
        ):
            client.delete_run("run-1")
        assert store.headers[0]["authorization"] == "Bearer tp-5ecret-over-h2"
        said = [(record.name, record.getMessage()) for record in caplog.records]
        assert not any("5ecret" in line for _, line in said)
        packed = [line for name, line in said if name.startswith("hpack")]
        assert any("header block" in line for line in packed)
        # A packed header is no readable text, but anybody can unpack it.
        assert not any("b'" in line for line in packed)

    def test_it_can_be_switched_off(
        self, secure: RunStoreServer, list_runs: List, bundle: Path
    ) -> None:
        """For a proxy in between that speaks it badly."""
        options = {"ca_bundle": bundle, "http2": False}
        assert list_runs(secure.url, secure.api_key, **options) == []


class TestStorageHost:
    """Uploads to another host than the store's."""

    def test_it_gets_the_file_and_no_key(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """The grant is in the address; the key stays with the store."""
        path = tmp_path / "a.bin"
        path.write_bytes(b"abc")
        with RunStoreServer(Dialect(relative_upload_urls=True)) as storage:
            with RunStoreServer(Dialect(relative_upload_urls=True)) as store:
                storage.contents.uploads = store.contents.uploads
                grant = store.contents.perform

                def elsewhere(operation: Operation, **details: Any) -> Any:
                    reply = grant(operation, **details)
                    if operation is Operation.INITIALIZE:
                        path = reply.document["uploadUrl"]
                        reply.document["uploadUrl"] = f"{storage.origin}{path}"
                    return reply

                monkeypatch.setattr(store.contents, "perform", elsewhere)
                with Client(store.url, store.api_key) as client:
                    client.upload("a.bin", None, 3, lambda: path.open("rb"))
            (put,) = storage.requests
            assert put.operation == Operation.STORE
            assert "authorization" not in put.headers
            assert storage.uploads[0].content == b"abc"
