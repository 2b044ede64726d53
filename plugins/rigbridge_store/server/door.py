"""The common part of all calls: the store, and whose key a request shows."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
import attrs
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler

from rigbridge.errors import UnauthorizedError
from rigbridge_store.access.keys import NO_KEY
from rigbridge_store.access.principals import Principal
from rigbridge_store.refusals import too_often, unauthorized
from rigbridge_store.server.links import FileLinks
from rigbridge_store.server.rates import RateLimit
from rigbridge_store.server.settings import ServerSettings
from rigbridge_store.store import RunStore

__all__ = ["Connection", "Door"]

_NAME = "door"
_WRONG_KEYS_PER_MINUTE = 60

Connection = ASGIConnection[Any, Any, Any, Any]


def _limit(most: int | None) -> RateLimit | None:
    return None if most is None else RateLimit(most)


@attrs.frozen
class Door:
    """
    What the handlers share.

    Attributes:
        store: the store behind the door.
        settings: the door's settings.
        links: signs the URLs of files.
        wrong_keys: how often an address has shown a wrong key; verifying one is
            slow on purpose.
        requests: how often a key has been used, or None for no limit.
    """

    store: RunStore
    settings: ServerSettings
    links: FileLinks = attrs.field(factory=FileLinks)
    wrong_keys: RateLimit = attrs.field(
        factory=lambda: RateLimit(_WRONG_KEYS_PER_MINUTE)
    )
    requests: RateLimit | None = attrs.field(
        default=attrs.Factory(
            lambda door: _limit(door.settings.requests_per_minute), takes_self=True
        )
    )

    @classmethod
    def of(cls, connection: Connection) -> Door:
        """Find the door that a request came through."""
        door: Door = connection.app.state[_NAME]
        return door

    @property
    def state(self) -> State:
        """What an application holds, so that its handlers find the door."""
        return State({_NAME: self})

    async def require_key(self, connection: Connection, _: BaseRouteHandler) -> None:
        """
        Refuse a request without a genuine key, before its body is read.

        Raises:
            UnauthorizedError: it has none.
            ServerUnavailableError: too many requests came with this key, or too many
                with wrong ones from this address.
        """
        key = _bearer(connection)
        # Verifying is slow once a process; off the event loop then.
        if not self.store.keys.was_verified(key):
            await self._verify(connection, key)
        if self.requests is not None:
            seconds = self.requests.take(key)
            if seconds is not None:
                raise too_often(seconds)

    async def _verify(self, connection: Connection, key: str) -> None:
        address = connection.client.host if connection.client else ""
        seconds = self.wrong_keys.wait(address)
        if seconds is not None:
            raise too_often(seconds)
        try:
            await anyio.to_thread.run_sync(self.store.authenticate, key)
        except UnauthorizedError:
            self.wrong_keys.take(address)
            raise

    def caller(self, connection: Connection) -> Principal:
        """
        Tell whose key a request shows.

        Raises:
            UnauthorizedError: nobody's, any more.
        """
        principal = self.store.authenticate(_bearer(connection))
        return attrs.evolve(principal, unrestricted=self.settings.open_stations)


def _bearer(connection: Connection) -> str:
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise unauthorized(NO_KEY)
    return key.strip()
