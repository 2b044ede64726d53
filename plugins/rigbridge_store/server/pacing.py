"""Gives up requests whose bodies do not go on coming."""

from __future__ import annotations

import asyncio
import time

import attrs
from litestar.types import ASGIApp, Receive, ReceiveMessage, Scope, Send

from rigbridge_store.refusals import come_again

__all__ = ["paced"]

PATIENCE = 30.0
"""How many seconds a body may be waited for, beside those that its bytes take."""

BYTES_A_SECOND = 2048
"""How slow a connection may be; a mobile one of the oldest kind is twice as fast."""

_SLOW = "The body did not go on coming. Send it again."


@attrs.define
class _PacedBody:
    """The body of one request, as it comes."""

    receive: Receive
    left: float = attrs.field(factory=lambda: PATIENCE)
    ended: bool = False

    async def go_on(self) -> ReceiveMessage:
        """
        Wait for the next piece.

        Raises:
            ServerUnavailableError: the sender was waited for too long.
        """
        # What comes after the body is that the sender hangs up, which need not be soon.
        if self.ended:
            return await self.receive()
        began = time.monotonic()
        try:
            # Only the waiting counts: a slow disk of ours is no fault of the sender.
            async with asyncio.timeout(max(self.left, 0.0)):
                message = await self.receive()
        except TimeoutError:
            raise come_again(_SLOW) from None
        if message["type"] == "http.request":
            self.left += len(message["body"]) / BYTES_A_SECOND
            self.ended = not message["more_body"]
        self.left -= time.monotonic() - began
        return message


def paced(app: ASGIApp) -> ASGIApp:
    """Answer 503 to a request whose body takes too long, and close its connection."""

    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its body piece by piece."""
        await app(scope, _PacedBody(receive).go_on, send)

    return handle
