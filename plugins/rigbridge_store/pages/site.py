"""What all pages share: the store, the visitor's session and the templates."""

from __future__ import annotations

import anyio.to_thread
import attrs
from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import MediaType, Response
from litestar.datastructures import Cookie
from litestar.handlers import BaseRouteHandler

from rigbridge import __version__
from rigbridge.errors import UnauthorizedError
from rigbridge_store.access.principals import Principal
from rigbridge_store.access.rates import WRONG_KEYS_PER_MINUTE, RateLimit
from rigbridge_store.pages import formatting
from rigbridge_store.pages.assets import asset_url
from rigbridge_store.pages.security import (
    PAGE_HEADERS,
    AnyRequest,
    Connection,
    is_local_visit,
)
from rigbridge_store.pages.sessions import SESSION_COOKIE, Sessions, SignedInVisitor
from rigbridge_store.store import RunStore

__all__ = ["NAME", "SignInNeededError", "Site", "Visitor"]

NAME = "site"
"""Under which name an application holds its site."""


class SignInNeededError(Exception):
    """A page was asked for by somebody who is not signed in."""


@attrs.frozen(kw_only=True)
class Visitor:
    """
    Who looks at the pages.

    Attributes:
        principal: the owner of the key that was shown; None on this machine, while
            the store has no keys.
        session: the session, or None likewise.
        is_local: whether somebody of this machine looks at a store without keys.
    """

    principal: Principal | None = None
    session: SignedInVisitor | None = None
    is_local: bool = False


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("rigbridge_store.pages"),
        autoescape=True,
        # A misspelt name is an error in the tests, not a blank on the page.
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(formatting.FILTERS)
    return environment


@attrs.frozen(kw_only=True, eq=False)
class Site:
    """
    What the pages share.

    Attributes:
        wrong_keys: how often an address has shown a wrong key, at any door.
    """

    store: RunStore
    wrong_keys: RateLimit = attrs.field(
        factory=lambda: RateLimit(WRONG_KEYS_PER_MINUTE)
    )
    sessions: Sessions = attrs.field(factory=Sessions)
    _environment: Environment = attrs.field(factory=_environment, init=False)

    @classmethod
    def of(cls, connection: Connection) -> Site:
        """Find the site that a request came to."""
        site: Site = connection.app.state[NAME]
        return site

    async def require_visitor(
        self, connection: Connection, _: BaseRouteHandler
    ) -> None:
        """
        Let in who is signed in, and on this machine anybody while there are no keys.

        Raises:
            SignInNeededError: it is somebody else.
        """
        # Guards run on the event loop, and looking up a key reads the database.
        connection.state.visitor = await anyio.to_thread.run_sync(
            self._require_visitor, connection
        )

    def _require_visitor(self, connection: Connection) -> Visitor:
        visitor = self.visitor(connection)
        if visitor is not None:
            return visitor
        if self.is_open_to(connection):
            return Visitor(is_local=True)
        raise SignInNeededError

    def visitor(self, connection: Connection) -> Visitor | None:
        """Tell who is signed in; None if nobody is, any more."""
        token = connection.cookies.get(SESSION_COOKIE)
        session = self.sessions.find(token)
        if session is None:
            return None
        try:
            # Asked at every visit: a key that was revoked ends its sessions at once.
            principal = self.store.authenticate(session.key)
        except UnauthorizedError:
            self.sessions.end(token)
            return None
        return Visitor(principal=principal, session=session)

    def is_open_to(self, connection: Connection) -> bool:
        """Whether the pages need no key: on this machine, while there is none."""
        return is_local_visit(connection) and not self.store.keys.exist()

    def render(
        self,
        request: AnyRequest,
        template: str,
        *,
        status: int = 200,
        cookies: list[Cookie] | None = None,
        **values: object,
    ) -> Response[str]:
        """Fill a template."""
        # A page of an error may be for a request that no guard has seen.
        visitor = request.state.get("visitor") or Visitor()
        content = self._environment.get_template(template).render(
            visitor=visitor,
            path=request.url.path,
            asset=asset_url,
            version=__version__,
            **values,
        )
        return Response(
            content,
            media_type=MediaType.HTML,
            status_code=status,
            headers=dict(PAGE_HEADERS),
            cookies=cookies or [],
        )
