"""
A run store that answers at once, or as late as a far one would.

It holds nothing and says yes to every call of the v1 contract that an upload needs, so
that what a client costs is seen, and not what a server costs. Two delays are there: one
before every answer, one more before the first answer on each new connection, as the
handshakes of TCP and TLS take it.

Run it as ``python tests/benchmarks/delaying_store.py DELAY CONNECT_DELAY`` (seconds);
it prints its origin and serves until its standard input ends.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys

_RUN = "11111111-2222-4333-8444-%012d"


class Connection(asyncio.Protocol):
    """
    One connection.

    Args:
        origin: where this server is, for the upload addresses.
        delay: seconds before every answer.
        connect_delay: seconds more before the first.
    """

    numbers = itertools.count()

    def __init__(self, origin: list[str], delay: float, connect_delay: float) -> None:
        self._origin = origin
        self._delay = delay
        self._extra = connect_delay
        self._head = b""
        self._request: list[bytes] = []
        self._left: int | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Read a head, then count the bytes of the body; nothing is kept."""
        if self._left is None:
            self._head += data
            head, end, data = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            self._head = b""
            self._request = head.split(b"\r\n")
            self._left = 0
            for line in self._request[1:]:
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    self._left = int(value)
                elif name.lower() == b"expect" and self._transport is not None:
                    self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._left -= len(data)
        if self._left > 0:
            return
        self._left = None
        status, document = self._reply(self._request[0])
        delay, self._extra = self._delay + self._extra, 0.0
        if delay:
            asyncio.get_running_loop().call_later(delay, self._answer, status, document)
        else:
            self._answer(status, document)

    def _reply(self, line: bytes) -> tuple[bytes, object]:
        method, target, _ = line.split(b" ")
        number = next(self.numbers)
        if method == b"GET":
            missing = target.startswith(b"/api/v1/capabilities")
            return (b"404 Not Found", {}) if missing else (b"200 OK", [])
        if target == b"/api/v1/uploads/initialize":
            url = f"{self._origin[0]}/storage/{number}"
            return b"200 OK", {"id": f"u{number}", "uploadUrl": url}
        if target.startswith(b"/storage/"):
            return b"200 OK", {}
        return b"200 OK", {"id": _RUN % number}

    def _answer(self, status: bytes, document: object) -> None:
        content = json.dumps(document).encode()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(
                b"HTTP/1.1 %s\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (status, len(content), content)
            )


async def serve(delay: float, connect_delay: float) -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    origin: list[str] = []
    server = await loop.create_server(
        lambda: Connection(origin, delay, connect_delay), "127.0.0.1", 0
    )
    origin.append(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    print(origin[0], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]), float(sys.argv[2])))
