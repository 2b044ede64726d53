"""The connections of a client: one set for each route (proxy and kind of host)."""

from __future__ import annotations

import codecs
import importlib
import os
from collections.abc import Callable
from typing import Generic, TypeVar

import httpx

from rigbridge.client.transport.network import proxy_for
from rigbridge.destinations import ConnectionSettings
from rigbridge.errors import ConfigurationError
from rigbridge.machine.forks import ForkedLock

__all__ = ["MakeTransport", "Pool"]

_Transport = TypeVar("_Transport")

MakeTransport = Callable[[ConnectionSettings, str | None, bool], _Transport]
"""Makes a transport of the settings, for a proxy, for a foreign host or the store's."""

_DEFAULT_PORTS = {"http": 80, "https": 443}


class Pool(Generic[_Transport]):
    """
    Makes transports when they are first needed, and keeps them.

    The child of a fork makes its own: those of its parent are neither used nor closed
    there, since closing would speak to the server on the parent's behalf.

    Args:
        fixed: the transport to use for everything, or None.
    """

    def __init__(
        self,
        origin: httpx.URL,
        settings: ConnectionSettings,
        make: MakeTransport[_Transport],
        fixed: _Transport | None,
    ) -> None:
        self._origin = _host(origin)
        self._settings = settings
        self._make = make
        self._fixed = fixed
        self._transports: dict[tuple[str | None, bool], _Transport] = {}
        self._inherited: list[dict[tuple[str | None, bool], _Transport]] = []
        self._proxies: dict[tuple[str, str, int | None], str | None] = {}
        self._lock = ForkedLock()
        self._owner = os.getpid()
        self._closed = False
        _import_ahead()

    @property
    def is_empty(self) -> bool:
        """Whether no connection can be open."""
        return not self._transports

    def transport_for(self, url: httpx.URL) -> _Transport:
        """
        Give the transport that leads to an address.

        Raises:
            ConfigurationError: the proxy or the certificates cannot be used.
        """
        if self._owner != os.getpid():
            self._owner = os.getpid()
            # Kept and not dropped, since the garbage collector would close it.
            self._inherited.append(self._transports)
            self._transports = {}
        if self._closed:
            raise ConfigurationError("the client is closed", remedy="make another")
        host = _host(url)
        with self._lock:
            if host not in self._proxies:
                self._proxies[host] = proxy_for(url, self._settings.proxy)
            # The route and not the host: a storage with many host names needs one
            # transport only.
            route = self._proxies[host], host != self._origin
            transport = self._transports.get(route)
            if transport is None:
                transport = self._transports[route] = self._open(*route)
            return transport

    def _open(self, proxy: str | None, foreign: bool) -> _Transport:
        if self._fixed is not None:
            return self._fixed
        try:
            return self._make(self._settings, proxy, foreign)
        except (OSError, ValueError, ImportError, httpx.InvalidURL) as error:
            # Its message may quote the proxy, and that may hold a password; what is not
            # installed is no address.
            quotes = "@" in (proxy or "") and not isinstance(error, ImportError)
            reason = "" if quotes else f": {error}"
            raise ConfigurationError(
                f"the proxy settings cannot be used{reason}",
                source=f"{self._origin[0]}://{self._origin[1]}",
                remedy="check the setting proxy, HTTPS_PROXY and ALL_PROXY",
                # Without the cause, whose text would hold the password again.
            ) from None

    def take_all(self) -> list[_Transport]:
        """Give what is to be closed, and nothing any more from here on."""
        self._closed = True
        if self._owner != os.getpid():
            return []
        with self._lock:
            taken, self._transports = self._transports, {}
        return list(taken.values())


def _host(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or _DEFAULT_PORTS.get(url.scheme)


def _import_ahead() -> None:
    """
    Import what would else be imported while the first request is made.

    That may be in a thread, and a fork of the program at that moment would leave the
    child with an import that never ends.
    """
    for name in ("certifi", "httpcore", "h2.connection"):
        importlib.import_module(name)
    codecs.lookup("idna")
