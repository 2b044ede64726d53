"""Runs the server: its socket, its start and its end."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any, cast

import uvicorn
from litestar.types import ASGIApp

from rigbridge.errors import ConfigurationError
from rigbridge.machine.loopback import is_loopback
from rigbridge_store.server.app import create_app
from rigbridge_store.server.connections import ConnectionLimits, limited_protocol
from rigbridge_store.server.heavy import HeavyRequests
from rigbridge_store.server.pacing import paced
from rigbridge_store.server.settings import ServerSettings
from rigbridge_store.store import RunStore

__all__ = ["StoreServer", "serve_store"]

# As many as uvicorn lets wait where it listens itself.
_BACKLOG = 2048
_LOOPBACK = ("127.0.0.1", "::1")
# Seconds that requests under way get when the server is told to stop.
_GRACE = 10
_KEEP_ALIVE = 75
_MAX_PORT = 65535


class StoreServer:
    """
    The store behind a port.

    The port is taken at once; it answers while :meth:`run` runs, in the main thread
    until interrupted or in any other until :meth:`stop`.

    Args:
        store: the store; closed by whoever opened it.
        port: the port; 0 takes any that is free.
        settings: how the door behaves; the defaults by default.

    Raises:
        ConfigurationError: the address cannot be listened on, or is reachable from
            elsewhere while no key exists.
    """

    def __init__(
        self,
        store: RunStore,
        *,
        host: str = "127.0.0.1",
        port: int = 8000,
        settings: ServerSettings | None = None,
    ) -> None:
        # Without a key nobody could be told from anybody, so only this machine may ask
        # then.
        if not is_loopback(host) and not store.keys.exist():
            raise ConfigurationError(
                f"the store would be reachable at {host} while no key exists",
                remedy="make one with 'rigbridge keys create user --name NAME'",
            )
        # What a killed server left of uploads goes before new ones come.
        store.sweep()
        app = create_app(store, settings)
        self._heavy: HeavyRequests | None = None
        if store.opening is not None:
            self._heavy = HeavyRequests(app, store.opening)
        self._app = paced(self._heavy or cast("ASGIApp", app))
        self._proxies = () if settings is None else settings.trusted_proxies
        # Listening begins here, so that a port that is taken fails before run().
        self._socket = _listen(host, port)
        bound = self._socket.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{bound}"
        self._server: _Server | None = None

    def run(self, ready: Callable[[str], None] | None = None) -> None:
        """
        Answer requests until told to stop.

        Args:
            ready: called with the origin once the server answers.
        """
        # A stopped server of uvicorn cannot run again, so each run has its own.
        self._server = _Server(self._app, self.url, ready, self._proxies)
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()
            if self._heavy is not None:
                self._heavy.close()

    def stop(self) -> None:
        """Answer what has been asked, then end; from any thread."""
        if self._server is not None:
            self._server.should_exit = True


class _Server(uvicorn.Server):
    def __init__(
        self,
        app: Any,
        url: str,
        ready: Callable[[str], None] | None,
        proxies: Sequence[str],
    ) -> None:
        config = uvicorn.Config(
            app,
            http=limited_protocol(ConnectionLimits(proxies)),
            # What these say of the caller's address counts; by default a proxy of
            # this machine.
            forwarded_allow_ips=[*_LOOPBACK, *proxies] if proxies else None,
            # Logging belongs to the program that runs us.
            log_config=None,
            access_log=False,
            server_header=False,
            # No call of ours uses WebSocket, and the protocol would only be one more
            # door.
            ws="none",
            # Nothing of the application begins or ends with the server.
            lifespan="off",
            # Longer than clients keep a connection, so that they close it, not we.
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=_GRACE,
        )
        super().__init__(config)
        self._url = url
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._ready is not None:
            self._ready(self._url)


def serve_store(
    store: RunStore,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    settings: ServerSettings | None = None,
    ready: Callable[[str], None] | None = None,
) -> None:
    """
    Serve an open store over HTTP until interrupted.

    Raises:
        ConfigurationError: the address cannot be listened on, or is reachable from
            elsewhere while no key exists.
    """
    StoreServer(store, host=host, port=port, settings=settings).run(ready)


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= _MAX_PORT:
        # Some systems would silently take another port instead.
        raise _cannot_listen(host, port, "there is no such port")
    try:
        found: Any = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
        try:
            # Windows lets two programs share a port under this option.
            if hasattr(socket, "SO_REUSEPORT"):
                # A restart need not wait until the system has forgotten the old
                # connections.
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise _cannot_listen(host, port, str(error)) from error
    return listener


def _cannot_listen(host: str, port: int, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"cannot listen on {host} port {port}: {reason}",
        remedy="choose another with --host and --port",
    )
