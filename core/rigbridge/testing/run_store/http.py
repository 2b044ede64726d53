"""How the run store for tests speaks HTTP, and how it breaks off."""

from __future__ import annotations

import json
import re
import socket
import ssl
import struct
import sys
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Event
from typing import Any, Protocol, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from rigbridge.model import JSONObject, JSONValue
from rigbridge.testing.run_store.calls import Contents, Refusal, Reply
from rigbridge.testing.run_store.faults import Fault, Injection, Operation
from rigbridge.testing.run_store.records import ReceivedRequest

__all__ = ["Listener", "ServedStore"]

_ROUTES = (
    ("POST", r"/api/v1/runs", Operation.CREATE),
    ("GET", r"/api/v1/runs", Operation.LIST),
    ("DELETE", r"/api/v1/runs/([^/]+)", Operation.DELETE),
    ("PUT", r"/api/v1/runs/([^/]+)", Operation.UPDATE),
    ("POST", r"/api/v1/uploads/initialize", Operation.INITIALIZE),
    ("POST", r"/api/v1/uploads/sync", Operation.SYNC),
    ("PATCH", r"/api/v1/units/([^/]+)", Operation.UPDATE_UNIT),
    ("POST", r"/api/v1/import", Operation.IMPORT),
    ("GET", r"/api/v1/capabilities", Operation.CAPABILITIES),
    ("PUT", r"/storage/([^/]+)", Operation.STORE),
)
_HTML = b"<html><head><title>502</title></head><body><h1>Bad Gateway</h1></body></html>"
_XML = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>"


class ServedStore(Protocol):
    """What the listener asks of the store that it serves."""

    tls: ssl.SSLContext | None
    api_key: str
    contents: Contents
    requests: list[ReceivedRequest]
    problems: list[BaseException]
    stopping: Event

    @property
    def origin(self) -> str:
        """Give the scheme, host and port."""
        ...

    def has(self, operation: Operation | None) -> bool:
        """Whether the dialect has an operation."""
        ...

    def next_fault(self, operation: Operation) -> Injection | None:
        """Give what befalls the next call of an operation."""
        ...


class Listener(ThreadingHTTPServer):
    """
    Listens on loopback for one store.

    Args:
        port: the port, or 0 for any that is free.
    """

    daemon_threads = False
    allow_reuse_address = True
    request_queue_size = 128  # clients that send much at once connect at once

    def __init__(self, store: ServedStore, port: int) -> None:
        self.store = store
        self.resetting: set[socket.socket] = set()
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def server_bind(self) -> None:
        """Bind, without the look-up of the host's name of the base class."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own, and remember the connection."""
        if self.store.tls is not None:
            # The handshake is left to the first read, in the connection's own thread.
            request = self.store.tls.wrap_socket(
                request, server_side=True, do_handshake_on_connect=False
            )
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection, with a reset where that was asked for."""
        self._open.discard(request)
        if request in self.resetting:
            # Closing without lingering and without a farewell resets.
            request.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            self.resetting.discard(request)
            self.close_request(request)
            return
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Wake the threads that wait on connections which are kept alive."""
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the client was faster

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the base class calls it so
        """Keep what went wrong for the test, instead of printing it."""
        error = sys.exc_info()[1]
        # A client that gives up waiting is what many tests are about.
        if error is not None and not isinstance(error, (ConnectionError, ssl.SSLError)):
            self.store.problems.append(error)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Small answers would otherwise wait for the client's acknowledgement.
    disable_nagle_algorithm = True

    @property
    def _listener(self) -> Listener:
        return cast("Listener", self.server)

    def do_GET(self) -> None:
        self._handle()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the names that http.server calls

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
        pass

    def _handle(self) -> None:
        store = self._listener.store
        address = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        operation, subject = self._route(address.path)
        length = int(headers.get("content-length", 0))
        store.requests.append(
            ReceivedRequest(
                operation=operation,
                method=self.command,
                target=self.path,
                headers=headers,
            )
        )
        known = operation is not None and store.has(operation)
        fault = store.next_fault(operation) if operation and known else None
        if fault is not None and fault.fault.cuts_body:
            if fault.fault is Fault.RESET_DURING_BODY:
                self.rfile.read(length // 2)
            self._reset()
            return
        body = self.rfile.read(length)
        if len(body) != length:
            self.close_connection = True
            return
        if operation is None or not known:
            missing = {"message": "Not found", "code": "NOT_FOUND"}
            self._answer(store.contents.dialect.missing, _encode(missing))
            return
        if fault is not None and fault.fault is Fault.TRUNCATED_UPLOAD:
            reply = store.contents.store_half(subject, body)
            self._answer(reply.status, _encode(reply.document))
            return
        if fault is not None and not fault.fault.does_first and not self._fail(fault):
            return
        reply = self._perform(operation, subject, dict(parse_qsl(address.query)), body)
        if fault is None or not fault.fault.does_first or self._fail(fault):
            self._answer(reply.status, _encode(reply.document))

    def _route(self, path: str) -> tuple[Operation | None, str]:
        for method, pattern, operation in _ROUTES:
            found = re.fullmatch(pattern, path)
            if found and method == self.command:
                return operation, unquote(found[1]) if found.groups() else ""
        return None, ""

    def _perform(
        self, operation: Operation, subject: str, query: dict[str, str], body: bytes
    ) -> Reply:
        store = self._listener.store
        given = self.headers.get("Authorization")
        if operation is not Operation.STORE and given != f"Bearer {store.api_key}":
            # Some servers quote what they refuse.
            words = f"{given or 'No key'} is not known."
            return Reply(status=401, document=self._problem("UNAUTHORIZED", words))
        try:
            return store.contents.perform(
                operation,
                origin=store.origin,
                subject=subject,
                query=query,
                headers={name.lower(): value for name, value in self.headers.items()},
                body=body,
            )
        except Refusal as refusal:
            document = self._problem(refusal.code, refusal.message, refusal.path)
            return Reply(status=refusal.status, document=document)

    def _problem(self, code: str, message: str, path: str | None = None) -> JSONObject:
        if self._listener.store.contents.dialect.old_errors:
            return {"error": {"message": message}, "warnings": []}
        issues = [] if path is None else [{"message": "is missing", "path": path}]
        return {"code": code, "message": message, "issues": issues}

    def _fail(self, injection: Injection) -> bool:
        """Fail as asked; tell whether the proper answer is given nevertheless."""
        fault = injection.fault
        if fault in (Fault.SLOW_WORK, Fault.SLOW_ANSWER_AFTER):
            self._listener.store.stopping.wait(injection.seconds)
            return True
        if fault in (Fault.RESET, Fault.RESET_AFTER):
            self._reset()
        elif fault is Fault.CUT_ANSWER_AFTER:
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'{"id": ')
            self.close_connection = True
        elif fault is Fault.WRONG_JSON_AFTER:
            self._answer(200, b"<!doctype html><title>Welcome</title>")
        elif fault.status == 502:  # what a proxy writes
            self._answer(502, _HTML, media_type="text/html")
        elif fault is Fault.EXPIRED_UPLOAD_URL:
            self._answer(403, _XML, media_type="application/xml")
        else:
            self._refuse(injection)
        return False

    def _reset(self) -> None:
        self._listener.resetting.add(self.connection)
        self.close_connection = True

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Tell the time of the server's own clock."""
        offset = self._listener.store.contents.dialect.clock_offset
        moment = time.time() if timestamp is None else timestamp
        return super().date_time_string(moment + offset)

    def _refuse(self, injection: Injection) -> None:
        fault = injection.fault
        headers: dict[str, str] = {}
        if fault is Fault.REDIRECT:
            headers["Location"] = "https://login.example.com/?next=secret"
        elif fault is Fault.TOO_MANY_DATE:
            ahead = (
                injection.seconds + self._listener.store.contents.dialect.clock_offset
            )
            moment = datetime.now(UTC) + timedelta(seconds=ahead)
            headers["Retry-After"] = format_datetime(moment, usegmt=True)
        elif fault in (Fault.TOO_MANY_SECONDS, Fault.UNAVAILABLE):
            headers["Retry-After"] = str(round(injection.seconds))
        code = fault.value.replace("-", "_").upper()
        document = self._problem(code, f"Injected: {fault}.")
        self._answer(fault.status or 500, _encode(document), headers=headers)

    def _answer(
        self,
        status: int,
        content: bytes,
        *,
        media_type: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def _encode(document: JSONValue) -> bytes:
    return json.dumps(document).encode()
