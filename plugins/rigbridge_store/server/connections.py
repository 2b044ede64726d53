"""
Limits for connections that have shown no key: their time and their number.

A descriptor costs a stranger nothing and the server one of a thousand. So a connection
whose header does not come to its end is closed, in time and before it takes much
memory, and one address has only so many that no genuine key has come over. The HTTP
server under us knows none of these limits: these are protocols of its own kinds, with
all of them.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, MutableMapping
from typing import Any, cast

from uvicorn.protocols.http.auto import AutoHTTPProtocol
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["ConnectionLimits", "LimitedProtocol", "limited_protocol", "note_genuine"]

HEADER_SECONDS = 10.0
"""How long a connection may take to send the whole header of a request."""

HEADER_BYTES = 64 << 10
"""How many bytes a connection may send before the header of a request is whole."""

STRANGERS_AN_ADDRESS = 64
"""How many connections one address may have that have shown no genuine key."""

_NAME = "rigbridge.connection"
_LONG = b"The header of the request is too long."
_REFUSED = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: text/plain\r\n"
    b"Content-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(_LONG), _LONG)
)


class ConnectionLimits:
    """
    What the connections of one server share; used by its event loop only.

    Args:
        seconds: how long a header may take.
        most: how many connections without a genuine key an address may have.
    """

    def __init__(
        self,
        trusted: Collection[str] = (),
        *,
        seconds: float = HEADER_SECONDS,
        most: int = STRANGERS_AN_ADDRESS,
    ) -> None:
        self.seconds = seconds
        self._most = most
        self._trusted = frozenset(trusted)
        self._strangers: Counter[str] = Counter()

    def enter(self, address: str) -> bool:
        """Count a new connection, unless its address has too many; tells whether."""
        # A proxy has all of its users' connections, so that counting by address would
        # lock them out.
        if address in self._trusted:
            return True
        if self._strangers[address] >= self._most:
            return False
        self._strangers[address] += 1
        return True

    def leave(self, address: str) -> None:
        """Count a connection no more: it was closed, or has shown a genuine key."""
        if address in self._trusted:
            return
        self._strangers[address] -= 1
        # An address that is gone takes no memory.
        if self._strangers[address] <= 0:
            del self._strangers[address]


class LimitedProtocol(asyncio.Protocol):
    """One connection within the limits; mixed into a protocol of the HTTP server."""

    limits: ConnectionLimits

    # Of the protocol that this is mixed into.
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    client: tuple[str, int] | None
    scope: MutableMapping[str, Any] | None
    app_state: dict[str, Any]
    cycle: Any

    _counted: str | None = None
    _deadline: asyncio.TimerHandle | None = None
    _received: int = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a header."""
        # First, since it finds out the address of the client.
        super().connection_made(transport)
        # Each request carries it in its scope, by which the guard finds us.
        self.app_state = {**self.app_state, _NAME: self}
        address = self.client[0] if self.client else ""
        if not self.limits.enter(address):
            # At once, and without a word: an answer would be kept for a slow reader.
            self.transport.abort()
            return
        self._counted = address
        self._wait_for_header()

    def data_received(self, data: bytes) -> None:
        """Take data, and look whether a header is whole."""
        answered = self._answered_scope()
        super().data_received(data)
        if self._has_header():
            if self.scope is answered:
                # The rest of a body that nobody reads any more, not a new request.
                self._wait_for_header()
            else:
                self._stop_waiting()
            return
        # What one read brings is counted only if it does not end the header.
        self._received += len(data)
        if self._received > HEADER_BYTES and not self.transport.is_closing():
            self.transport.write(_REFUSED)
            self.transport.close()
        self._wait_for_header()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count the connection no more."""
        self._stop_waiting()
        self.be_genuine()
        super().connection_lost(exc)

    def be_genuine(self) -> None:
        """Count the connection no more: a genuine key came over it."""
        if self._counted is not None:
            self.limits.leave(self._counted)
            self._counted = None

    def _answered_scope(self) -> object:
        """Give the scope of the last request, once it is answered."""
        # The cycle belongs to the parser, which has none before the first request.
        answered = self.cycle is not None and self.cycle.response_complete
        return self.scope if answered else None

    def _has_header(self) -> bool:
        # The path is known once the header is whole; a new request has a new scope.
        return self.scope is not None and "path" in self.scope

    def _wait_for_header(self) -> None:
        # One deadline for the whole header: a byte now and then does not put it off.
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.limits.seconds, self._give_up)

    def _stop_waiting(self) -> None:
        self._received = 0
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        self.transport.close()


class _LimitedH11(LimitedProtocol):
    """The same for the parser that is used where no faster one is installed."""

    conn: Any

    def _has_header(self) -> bool:
        # It keeps the scope of the request before until the next header is whole.
        rest, _ = self.conn.trailing_data
        return super()._has_header() and not rest


def limited_protocol(limits: ConnectionLimits) -> type[asyncio.Protocol]:
    """Make the protocol of a server's connections, on the parser that is installed."""
    base: type[asyncio.Protocol] = AutoHTTPProtocol
    # h11 is written in Python and always there, httptools only where it is installed.
    mixed = _LimitedH11 if issubclass(base, H11Protocol) else LimitedProtocol
    made = type("Connection", (mixed, base), {"limits": limits})
    return cast("type[asyncio.Protocol]", made)


def note_genuine(scope: MutableMapping[str, Any]) -> None:
    """Tell the connection of a request that a genuine key came over it."""
    connection = scope.get("state", {}).get(_NAME)
    if isinstance(connection, LimitedProtocol):
        connection.be_genuine()
