"""Who is signed in: random tokens in cookies, and what they stand for, here."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

import attrs

__all__ = [
    "FORM_COOKIE",
    "IDLE_SECONDS",
    "SESSION_COOKIE",
    "Sessions",
    "SignedInVisitor",
]

SESSION_COOKIE = "rigbridge_session"
"""The name of the cookie that holds a session's token."""

FORM_COOKIE = "rigbridge_form"
"""The name of the cookie that a sign-in form must agree with."""

IDLE_SECONDS = 12 * 60 * 60
"""After how long without a visit a session ends."""

# However busy it is, a session ends: a stolen cookie is of no use for ever.
_MAX_SECONDS = 7 * 24 * 60 * 60
# A bound on memory: whoever has a key can sign in as often as they like.
_MAX_SESSIONS = 10_000


@attrs.define
class SignedInVisitor:
    """
    A signed-in visitor.

    Attributes:
        key: the API key that was shown; asked after at every visit, so that a key
            that is revoked ends its sessions.
        form_token: what every form must bring along.
        began: when the session began, in seconds.
        seen: when it was last used, in seconds.
    """

    key: str = attrs.field(repr=False)
    form_token: str = attrs.field(repr=False)
    began: float
    seen: float

    def accepts(self, form_token: str | None) -> bool:
        """Whether a form came from a page of this session."""
        return form_token is not None and hmac.compare_digest(
            self.form_token.encode(), form_token.encode()
        )


class Sessions:
    """
    The sessions of one server; they end with it.

    Safe for threads. Tokens are kept as digests only.

    Args:
        clock: tells the time in seconds.
    """

    # Not the time of day: who sets that back would lengthen the sessions.
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        # In the order of their last use.
        self._sessions: OrderedDict[bytes, SignedInVisitor] = OrderedDict()

    def begin(self, key: str) -> str:
        """Begin a session for whoever showed a key; gives its token."""
        token = secrets.token_urlsafe(32)
        now = self._clock()
        # Two tokens: what the forms of a page show must not open the session.
        session = SignedInVisitor(
            key=key, form_token=secrets.token_urlsafe(32), began=now, seen=now
        )
        with self._lock:
            self._sessions[_digest(token)] = session
            while len(self._sessions) > _MAX_SESSIONS:
                # The one that was not used for longest.
                self._sessions.popitem(last=False)
        return token

    def find(self, token: str | None) -> SignedInVisitor | None:
        """Give the session of a token, or None if it has ended or never was."""
        if not token:
            return None
        digest = _digest(token)
        now = self._clock()
        with self._lock:
            session = self._sessions.get(digest)
            if session is None:
                return None
            idle, age = now - session.seen, now - session.began
            # Ended here and not by a timer: nobody else looks at it.
            if idle > IDLE_SECONDS or age > _MAX_SECONDS:
                del self._sessions[digest]
                return None
            session.seen = now
            self._sessions.move_to_end(digest)
            return session

    def end(self, token: str | None) -> None:
        """End a session, if there is one."""
        if token:
            with self._lock:
                self._sessions.pop(_digest(token), None)


def _digest(token: str) -> bytes:
    # A memory dump then holds nothing that a browser could send.
    return hashlib.sha256(token.encode()).digest()
