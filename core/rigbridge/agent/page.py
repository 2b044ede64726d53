"""The agent's HTTP page: a health check, an overview for people, and metrics."""

from __future__ import annotations

import html
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

import attrs

from rigbridge.errors import ConfigurationError
from rigbridge.machine.loopback import is_loopback
from rigbridge.wire import encode

__all__ = ["AgentHealth", "AgentPage"]

_LOGGER = logging.getLogger("rigbridge.agent")
_TIMEOUT = 10.0


@attrs.frozen(kw_only=True)
class AgentHealth:
    """
    How the agent is.

    Attributes:
        well: whether it does its work.
        facts: what there is to know, by name.
    """

    well: bool
    facts: Mapping[str, object]


class AgentPage:
    """
    Serves the page in threads of its own.

    Args:
        port: the port; 0 takes any that is free.
        is_open: whether others than this machine may read it; it asks for no key.

    Raises:
        ConfigurationError: the address cannot be listened on, or is reachable from
            elsewhere without ``is_open``.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        health: Callable[[], AgentHealth],
        metrics: Callable[[], tuple[bytes, str]],
        is_open: bool = False,
    ) -> None:
        if not is_open and not is_loopback(host):
            raise ConfigurationError(
                "would be reachable from other machines, and it checks no API key",
                source=f"the page on {host}",
                remedy="keep to 127.0.0.1, or say by --open-page that anyone may read",
            )
        self._health = health
        self._metrics = metrics
        try:
            self._server = _listen(host, port, self._handler())
        except OSError as error:
            raise ConfigurationError(
                f"cannot be listened on: {error.strerror or error}",
                source=f"{host}:{port}",
                remedy="choose another by --host and --port",
            ) from error
        # A connection that somebody keeps open must not keep the service from ending.
        self._server.daemon_threads = True
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="rigbridge-page", daemon=True
        )

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Answer no more."""
        # First no new connection, then the thread ends, then the port is free.
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, path: str) -> tuple[HTTPStatus, str, bytes]:
        if path == "/metrics":
            content, media_type = self._metrics()
            return HTTPStatus.OK, media_type, content
        health = self._health()
        status = HTTPStatus.OK if health.well else HTTPStatus.SERVICE_UNAVAILABLE
        if path == "/health":
            document = {"well": health.well, **health.facts}
            return status, "application/json", encode(document)
        if path == "/":
            return status, "text/html; charset=utf-8", _html_page(health).encode()
        return HTTPStatus.NOT_FOUND, "text/plain", b"see /, /health and /metrics\n"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer = self._answer

        class Handler(BaseHTTPRequestHandler):
            """Answers one connection."""

            # A client that sends nothing would hold its thread for ever.
            timeout = _TIMEOUT

            def do_GET(self) -> None:
                """Answer a question."""
                try:
                    status, media_type, content = answer(self.path.partition("?")[0])
                # A thread of the server must answer, or a check of health would hang.
                except Exception:
                    _LOGGER.exception("the page could not be made")
                    status, media_type = HTTPStatus.INTERNAL_SERVER_ERROR, "text/plain"
                    content = b"the outbox cannot be read, see the log\n"
                self.send_response(status)
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
                """Be silent: a request is nothing to log."""
                del format, args

        return Handler


def _listen(
    host: str, port: int, handler: type[BaseHTTPRequestHandler]
) -> ThreadingHTTPServer:
    class Server(ThreadingHTTPServer):
        """Listens on an address of either kind."""

        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    return Server((host, port), handler)


def _cell(value: object) -> str:
    if isinstance(value, list):
        items = cast("list[Mapping[str, object]]", value)
        return "<br>".join(map(_item, items)) or "-"
    return html.escape("-" if value is None else str(value))


def _item(item: Mapping[str, object]) -> str:
    # One line for each watched folder, without what is not known.
    known = {key: value for key, value in item.items() if value not in {None, ""}}
    words = (f"{key.replace('_', ' ')}: {value}" for key, value in known.items())
    return html.escape(", ".join(words))


def _html_page(health: AgentHealth) -> str:
    rows = "".join(
        # Escaped: reasons hold words of servers and names of files.
        f"<tr><th>{html.escape(name.replace('_', ' '))}</th>"
        f"<td>{_cell(value)}</td></tr>"
        for name, value in health.facts.items()
    )
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        '<meta http-equiv=refresh content="10"><title>rigbridge agent</title>'
        "<style>body{font:16px system-ui;margin:2em}"
        "th{text-align:left;padding-right:2em;font-weight:normal;color:#555}</style>"
        f"<h1>rigbridge agent: {'well' if health.well else 'not sending'}</h1>"
        f"<table>{rows}</table><p><a href=/metrics>metrics</a>, "
        "<a href=/health>health</a></p></html>"
    )
