"""
Proxies and servers that break the wire itself: a run arrives once, and is never parked.

A relay stands between the client and a run store. It passes the first requests on, or
not, and gives back other bytes than the store did.
"""

from __future__ import annotations

import contextlib
import gzip
import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs
import h2.config
import h2.connection
import h2.events
import hpack
import pytest
import trustme
from hyperframe import frame

from rigbridge.client import Client, ConnectionSettings
from rigbridge.client.destination import HTTPDestination
from rigbridge.client.transport.exceptions import never_sent
from rigbridge.destinations import DestinationSettings, Progress, Receipt
from rigbridge.errors import DeliveryError
from rigbridge.model import Attachment, Run
from rigbridge.outbox.policy import RetryDecision, decide
from rigbridge.testing.run_store.faults import Dialect
from rigbridge.testing.run_store.server import RunStoreServer
from rigbridge.wire import CreateRun, WireUnit

MakeRun = Callable[..., Run]

MakeFile = Callable[..., Attachment]

Answer = tuple[int, bytes]

_PAGE = b"<html><h1>Too many, too large, or not now</h1></html>"
_FAULTS = 3


@attrs.frozen
class _Break:
    """
    How a relay breaks the answers to the first requests that it breaks.

    Attributes:
        bytes_of: gives what goes back instead of an answer.
        passes: whether the request reaches the store all the same.
    """

    bytes_of: Callable[[Answer], bytes]
    passes: bool = True


def _plain(answer: Answer, *, said: int | None = None, extra: str = "") -> bytes:
    status, body = answer
    length = len(body) if said is None else said
    head = f"HTTP/1.1 {status} {http.client.responses.get(status, '')}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {length}\r\n{extra}\r\n"
    return head.encode() + body


def _page(status: int, extra: str = "") -> bytes:
    return _plain((status, _PAGE), extra=extra).replace(
        b"application/json", b"text/html"
    )


def _chunked(body: bytes, extra: str = "", *, cut: bool = False) -> bytes:
    head = f"HTTP/1.1 502 Bad Gateway\r\nTransfer-Encoding: chunked\r\n{extra}\r\n"
    half = len(body) // 2
    pieces = [body[:half], body[half:], b""]
    coded = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]
    return head.encode() + b"".join(coded[:1] if cut else coded)


_GZIP = "Content-Encoding: gzip\r\n"

_BREAKS = {
    "nothing at all": _Break(lambda _: b""),
    "nothing at all, not passed on": _Break(lambda _: b"", passes=False),
    "half a status line": _Break(lambda _: b"HTTP/1.1 20"),
    "no HTTP": _Break(lambda _: b"SSH-2.0-OpenSSH_9.6\r\n"),
    "a binary answer": _Break(lambda _: bytes(range(256))),
    "headers without an end": _Break(
        lambda answer: _plain(answer).split(b"\r\n\r\n")[0]
    ),
    "huge headers": _Break(
        lambda answer: _plain(answer, extra=f"X: {'x' * 200_000}\r\n")
    ),
    "JSON cut in the middle": _Break(
        lambda answer: _plain((answer[0], answer[1][: len(answer[1]) // 2]))
    ),
    "a length that is too long": _Break(lambda answer: _plain(answer, said=9999)),
    "a length that is too short": _Break(
        lambda answer: _plain(answer, said=len(answer[1]) // 2)
    ),
    "a length that is no number": _Break(
        lambda answer: _plain(answer).replace(b"Content-Length: ", b"Content-Length: x")
    ),
    "two lengths": _Break(lambda answer: _plain(answer, extra="Content-Length: 3\r\n")),
    "an empty success": _Break(lambda _: _plain((200, b""))),
    "no content": _Break(lambda _: b"HTTP/1.1 204 No Content\r\n\r\n"),
    "compressed, and said to be": _Break(
        lambda answer: _plain((answer[0], gzip.compress(answer[1])), extra=_GZIP)
    ),
    "said to be compressed": _Break(lambda answer: _plain(answer, extra=_GZIP)),
    "compressed and cut": _Break(
        lambda answer: _plain((answer[0], gzip.compress(answer[1])[:-9]), extra=_GZIP)
    ),
    "compressed in an unknown way": _Break(
        lambda answer: _plain(answer, extra="Content-Encoding: br\r\n")
    ),
    "a chunked page": _Break(lambda _: _chunked(_PAGE)),
    "a chunked page that is cut": _Break(lambda _: _chunked(_PAGE, cut=True)),
    "a chunked and compressed page": _Break(
        lambda _: _chunked(gzip.compress(_PAGE), extra=_GZIP)
    ),
    "a page of a proxy that wants a password": _Break(
        lambda _: _page(407, "Proxy-Authenticate: Basic\r\n"), passes=False
    ),
    "a page of a proxy with a limit": _Break(lambda _: _page(413), passes=False),
    "a page of a proxy with a rate": _Break(lambda _: _page(429, "Retry-After: 0\r\n")),
    "a page of a firewall": _Break(lambda _: _page(403), passes=False),
    "a redirect to https": _Break(
        lambda _: _page(301, "Location: https://store.example.com/api\r\n"),
        passes=False,
    ),
    "a redirect of a POST": _Break(
        lambda _: _page(308, "Location: https://store.example.com/api\r\n"),
        passes=False,
    ),
    "go on, and then the answer": _Break(
        lambda answer: b"HTTP/1.1 100 Continue\r\n\r\n" + _plain(answer)
    ),
    "hints, and then the answer": _Break(
        lambda answer: b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" + _plain(answer)
    ),
    "go on, and then nothing": _Break(lambda _: b"HTTP/1.1 100 Continue\r\n\r\n"),
    "other protocols": _Break(
        lambda _: b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"
    ),
    "an old answer": _Break(
        lambda answer: _plain(answer).replace(b"HTTP/1.1", b"HTTP/1.0")
    ),
    "an answer and more": _Break(lambda answer: _plain(answer) + b"garbage"),
    "two answers": _Break(lambda answer: _plain(answer) * 2),
    "a status of four digits": _Break(
        lambda answer: _plain(answer).replace(b" 200 ", b" 2000 ")
    ),
    "an unknown status": _Break(lambda _: _page(299)),
    "a refusal in words": _Break(lambda _: _plain((400, b'"no"'))),
    "a list": _Break(lambda _: _plain((200, b"[1, 2, 3]"))),
    "no text": _Break(lambda _: _plain((200, b'{"id": "\xff\xfe"}'))),
}


class _Relay:
    """Stands between a client and a store; breaks what `fault` says."""

    def __init__(self, server: RunStoreServer) -> None:
        self._target = urlsplit(server.url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.fault: _Break | None = None
        self.left = self.skipped = 0
        self.closes_between = self.keeps_open = False

    @contextmanager
    def serving(self) -> Generator[None]:
        """Accept until the end of the block."""
        thread = threading.Thread(target=self._accept)
        thread.start()
        try:
            yield
        finally:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            thread.join()

    def _accept(self) -> None:
        threads: list[threading.Thread] = []
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self._listener.accept()
                peer.settimeout(10)
                thread = threading.Thread(target=self._serve, args=(peer,))
                thread.start()
                threads.append(thread)
        for thread in threads:
            thread.join()

    def _serve(self, peer: socket.socket) -> None:
        with peer, contextlib.suppress(OSError):
            stream = peer.makefile("rb")
            with stream:
                while self._answer(peer, stream):
                    pass

    def _answer(self, peer: socket.socket, stream: Any) -> bool:
        line = stream.readline()
        if not line:
            return False
        method, path, _ = line.decode().split()
        headers = dict(http.client.parse_headers(stream).items())
        body = stream.read(int(headers.get("Content-Length", 0)))
        fault = self.fault if self.left > 0 and not self.skipped else None
        self.left -= fault is not None
        self.skipped -= self.skipped > 0
        answer = (502, _PAGE)
        if fault is None or fault.passes:
            answer = self._pass_on(method, path, headers, body)
        peer.sendall(_plain(answer) if fault is None else fault.bytes_of(answer))
        return self.keeps_open or (fault is None and not self.closes_between)

    def _pass_on(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> Answer:
        target = http.client.HTTPConnection(str(self._target.netloc), timeout=10)
        with contextlib.closing(target):
            target.request(method, path, body, headers)
            answer = target.getresponse()
            # Uploads are to come this way as well.
            content = answer.read().replace(
                self._target.netloc.encode(), urlsplit(self.url).netloc.encode()
            )
            return answer.status, content


@pytest.fixture(name="relay")
def _relay(server: RunStoreServer) -> Iterator[_Relay]:
    relay = _Relay(server)
    with relay.serving():
        yield relay


class _Station:
    """Delivers one run until it has arrived, as an outbox does."""

    def __init__(self, destination: HTTPDestination) -> None:
        self._destination = destination
        self._progress = Progress()
        self.errors: list[DeliveryError] = []

    def _keep(self, progress: Progress) -> None:
        self._progress = progress

    def deliver(self, run: Run) -> Receipt:
        for _ in range(4 * _FAULTS):
            progress = attrs.evolve(self._progress, not_before=None, looked_up_at=None)
            try:
                receipt = self._destination.resume(run, progress, self._keep)
            except DeliveryError as error:
                self.errors.append(error)
                continue
            if not receipt.failures:
                return receipt
            self.errors += [failure.error for failure in receipt.failures]
        raise AssertionError(self.errors)


@pytest.fixture(name="connected")
def _connected(tmp_path: Path, server: RunStoreServer) -> Iterator[Any]:
    with ExitStack() as stack:

        def connected(url: str, **settings: Any) -> HTTPDestination:
            made = DestinationSettings(
                data=tmp_path, url=url, api_key=server.api_key, timeout=60.0, **settings
            )
            destination = HTTPDestination(made)
            stack.callback(destination.close)
            return destination

        yield connected


class TestBrokenAnswers:
    """What the store did and what its peer says of it are two things."""

    @pytest.mark.parametrize("name", _BREAKS)
    def test_the_run_arrives_once(
        self,
        server: RunStoreServer,
        relay: _Relay,
        connected: Any,
        make_run: MakeRun,
        make_file: MakeFile,
        *,
        name: str,
    ) -> None:
        """Neither the run nor its file is lost, doubled or left to a person."""
        runs = [make_run(attachments=[make_file("a", b"123")]) for _ in range(6)]
        reach = connected(relay.url)
        # The calls of a delivery, each of them once the first that is broken.
        for skipped, run in enumerate(runs):
            relay.fault, relay.skipped, relay.left = _BREAKS[name], skipped, _FAULTS
            station = _Station(reach)
            station.deliver(run)
            assert {decide(error) for error in station.errors} <= {RetryDecision.RETRY}
        keys = sorted(str(stored.idempotency_key) for stored in server.runs)
        assert keys == sorted(str(run.id) for run in runs)
        for stored in server.runs:
            assert server.attachments(stored.id) == [("a", b"123")]

    def test_the_answer_to_another_create_is_not_taken(
        self,
        serve: Callable[..., RunStoreServer],
        connected: Any,
        make_run: MakeRun,
    ) -> None:
        """A peer that answers twice leaves the second answer for the next request."""
        server = serve(**attrs.asdict(Dialect.ours()))
        relay = _Relay(server)
        runs = [make_run(), make_run()]
        with relay.serving():
            reach = connected(relay.url)
            relay.fault, relay.skipped, relay.left = _BREAKS["two answers"], 1, 1
            relay.keeps_open = True
            stored = [_Station(reach).deliver(run).stored_id for run in runs]
            reach.close()
        assert sorted(stored) == sorted(run.id for run in server.runs)


def _with(made: frame.Frame, content: bytes, *flags: str) -> bytes:
    made.data = content  # type: ignore[attr-defined]  # of the kinds that hold any
    for flag in flags:
        made.flags.add(flag)
    return made.serialize()


def _headers(number: int, *pairs: tuple[str, str]) -> bytes:
    packed = hpack.Encoder().encode(pairs)
    return _with(frame.HeadersFrame(number), packed, "END_HEADERS")


def _ending(kind: type[frame.Frame], number: int) -> bytes:
    return kind(number).serialize()


_FRAMES = {
    "of another stream": _with(frame.DataFrame(5), b"x"),
    "before the headers": _with(frame.DataFrame(1), b"x"),
    "packed wrongly": _with(frame.HeadersFrame(1), b"\xff" * 5, "END_HEADERS"),
    "of another length": _headers(1, (":status", "200"), ("content-length", "99"))
    + _with(frame.DataFrame(1), b'{"id": "run-1"}', "END_STREAM"),
    "with a status in words": _headers(1, (":status", "fine")),
    "that end the stream": _ending(frame.RstStreamFrame, 1),
    "that end the connection": _ending(frame.GoAwayFrame, 0),
}


class _SecurePeer:
    """
    A server behind TLS that answers the first request of a connection with these bytes.

    Args:
        context: its certificate.
        answer: what it answers with; over HTTP/2 where the context offers that.
    """

    def __init__(self, context: ssl.SSLContext, answer: bytes) -> None:
        self._context = context
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"

    @contextmanager
    def serving(self) -> Generator[None]:
        """Serve one connection until the end of the block."""
        thread = threading.Thread(target=self._serve)
        thread.start()
        try:
            yield
        finally:
            thread.join()
            self._listener.close()

    def _serve(self) -> None:
        raw, _ = self._listener.accept()
        with raw, contextlib.suppress(OSError):
            raw.settimeout(10)
            with self._context.wrap_socket(raw, server_side=True) as peer:
                store = h2.connection.H2Connection(
                    h2.config.H2Configuration(client_side=False)
                )
                store.initiate_connection()
                peer.sendall(store.data_to_send())
                while data := peer.recv(65536):
                    events = store.receive_data(data)
                    peer.sendall(store.data_to_send())
                    if any(
                        isinstance(event, h2.events.StreamEnded) for event in events
                    ):
                        peer.sendall(self._answer)


@pytest.fixture(name="authority", scope="module")
def _authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(name="post")
def _post(authority: trustme.CA, tmp_path: Path) -> Callable[[str], DeliveryError]:
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    body = CreateRun(
        unit_under_test=WireUnit(serial_number="SN"),
        run_passed=True,
        procedure_name="P",
    )

    def post(url: str) -> DeliveryError:
        settings = ConnectionSettings(ca_bundle=bundle, timeout=60.0)
        with (
            Client(url, "key", connection=settings) as client,
            pytest.raises(DeliveryError) as caught,
        ):
            client.create_run(body, idempotency_key=None)
        return caught.value

    return post


class TestBrokenFrames:
    """Servers that break the rules of HTTP/2."""

    @pytest.mark.parametrize("name", _FRAMES)
    def test_the_create_may_have_arrived(
        self, authority: trustme.CA, post: Callable[[str], DeliveryError], name: str
    ) -> None:
        """What the library below calls a mistake of ours was one of the server."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        context.set_alpn_protocols(["h2"])
        peer = _SecurePeer(context, _FRAMES[name])
        with peer.serving():
            error = post(peer.url)
        assert decide(error) is RetryDecision.RETRY
        assert not never_sent(error)


class TestCertificates:
    """Certificates that are not those of the store; each error says what helps."""

    @pytest.mark.parametrize(
        ("host", "issued", "remedy"),
        [
            ("127.0.0.1", {"not_after": datetime(2020, 1, 1, tzinfo=UTC)}, "renew"),
            ("127.0.0.1", {"not_before": datetime(2090, 1, 1, tzinfo=UTC)}, "clock"),
            ("store.example.com", {}, "another host"),
        ],
    )
    def test_the_remedy_fits(
        self,
        authority: trustme.CA,
        post: Callable[[str], DeliveryError],
        host: str,
        issued: dict[str, Any],
        remedy: str,
    ) -> None:
        """An authority of one's own is no help where the certificate has expired."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert(host, **issued).configure_cert(context)
        peer = _SecurePeer(context, b"")
        with peer.serving():
            error = post(peer.url)
        assert remedy in str(error.remedy)
        assert "ca_bundle" not in str(error.remedy)
        assert never_sent(error)

    def test_a_port_without_tls_is_told(
        self, post: Callable[[str], DeliveryError]
    ) -> None:
        """The address says https, and the server answers in plain text."""
        listener = socket.create_server(("127.0.0.1", 0))

        def answer() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(65536)
                peer.sendall(_page(400))

        thread = threading.Thread(target=answer)
        with listener:
            thread.start()
            error = post(f"https://127.0.0.1:{listener.getsockname()[1]}")
            thread.join()
        assert "http://" in str(error.remedy)
