"""What all calls share: the store, and the authentication of a request."""

from __future__ import annotations

from typing import Any, TypeAlias, cast

import anyio.to_thread
import attrs
from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler

from rigbridge.errors import UnauthorizedError
from rigbridge_store.access.keys import NO_KEY
from rigbridge_store.access.matrix import Action
from rigbridge_store.access.permissions import require_allowed
from rigbridge_store.access.principals import Principal
from rigbridge_store.access.rates import WRONG_KEYS_PER_MINUTE, RateLimit
from rigbridge_store.refusals import too_often, unauthorized
from rigbridge_store.server.connections import note_genuine
from rigbridge_store.server.links import FileLinks
from rigbridge_store.server.routing import restore_slashes
from rigbridge_store.server.settings import ServerSettings
from rigbridge_store.store import RunStore

__all__ = ["ACTION", "AnyConnection", "Door", "require_key"]

ACTION = "action"
"""The option of a handler that says what it does."""

_NAME = "door"

AnyConnection: TypeAlias = ASGIConnection[Any, Any, Any, Any]


def _rate_of_requests(door: Door) -> RateLimit | None:
    most = door.settings.requests_per_minute
    return None if most is None else RateLimit(most)


def _links_of(door: Door) -> FileLinks:
    return FileLinks(door.store.link_secret())


@attrs.frozen
class Door:
    """
    What the handlers share.

    Attributes:
        wrong_keys: how often an address has shown a wrong key.
        requests: how often a key has been used, or None for no limit.
    """

    store: RunStore
    settings: ServerSettings
    links: FileLinks = attrs.field(
        default=attrs.Factory(_links_of, takes_self=True), repr=False
    )
    wrong_keys: RateLimit = attrs.field(
        factory=lambda: RateLimit(WRONG_KEYS_PER_MINUTE)
    )
    requests: RateLimit | None = attrs.field(
        default=attrs.Factory(_rate_of_requests, takes_self=True)
    )

    @classmethod
    def of(cls, connection: AnyConnection) -> Door:
        """Find the door that a request came through."""
        return cls.behind(connection.app)

    @classmethod
    def behind(cls, app: Litestar) -> Door:
        """Find the door that an application holds."""
        door: Door = app.state[_NAME]
        return door

    @property
    def state(self) -> State:
        """What an application holds, so that its handlers find the door."""
        return State({_NAME: self})

    async def require_key(self, connection: AnyConnection, action: Action) -> None:
        """
        Refuse a request whose key may not do that, before its body is read.

        Raises:
            UnauthorizedError: it has no genuine key.
            ForbiddenError: it is that of a station, which may not.
            ServerUnavailableError: too many requests came with this key, or too many
                with wrong ones from this address.
        """
        principal = await self.authenticate(connection)
        # Counted after the key was found genuine, or made-up keys would fill the table.
        self.count(connection)
        require_allowed(principal, action)
        # Where the framework keeps it; a router without this guard has none to show.
        connection.scope["auth"] = attrs.evolve(
            principal, unrestricted=self.settings.open_stations
        )

    def count(self, connection: AnyConnection) -> None:
        """
        Count a request with a genuine key.

        Raises:
            ServerUnavailableError: too many came with this key.
        """
        if self.requests is not None:
            seconds = self.requests.take(_bearer(connection))
            if seconds is not None:
                raise too_often(seconds)
        note_genuine(cast("dict[str, Any]", connection.scope))

    async def authenticate(self, connection: AnyConnection) -> Principal:
        """
        Tell whose key a request shows; one that is wrong is counted.

        Raises:
            UnauthorizedError: it has no genuine key.
            ServerUnavailableError: too many wrong ones came from this address.
        """
        key = _bearer(connection)
        try:
            # In a thread: the event loop must not wait for the database.
            return await anyio.to_thread.run_sync(self.store.authenticate, key)
        except UnauthorizedError:
            # Without a client, as in tests in process, all share one bucket.
            address = connection.client.host if connection.client else ""
            seconds = self.wrong_keys.take(address)
            if seconds is not None:
                raise too_often(seconds) from None
            raise


async def require_key(connection: AnyConnection, handler: BaseRouteHandler) -> None:
    """Guard a router; a function, since the framework copies guards deeply."""
    restore_slashes(connection.scope)
    action: Action | None = handler.opt.get(ACTION)
    if action is None:
        # What the framework adds by itself: OPTIONS, which tells the methods of a path.
        return
    await Door.of(connection).require_key(connection, action)


def _bearer(connection: AnyConnection) -> str:
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise unauthorized(NO_KEY)
    return key.strip()
