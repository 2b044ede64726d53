"""
Translates every exception of httpx into an error of rigbridge.

A test walks all exception classes of httpx, so that a new one cannot be missed here.
"""

from __future__ import annotations

import ssl
from collections.abc import Generator, Mapping
from contextlib import contextmanager

import attrs
import httpx

from rigbridge.errors import (
    DeliveryError,
    NoAnswerError,
    PermanentError,
    UnexpectedAnswerError,
)

__all__ = [
    "MISTAKES",
    "TRANSPORT_ERRORS",
    "Translation",
    "may_be_at_work",
    "never_sent",
    "translated",
]


@attrs.frozen
class Translation:
    """
    What an exception of httpx becomes.

    Attributes:
        remedy: what the reader can do, or None.
    """

    kind: type[DeliveryError]
    message: str
    remedy: str | None = None


_REACH = "check the address and the network"

TRANSPORT_ERRORS: Mapping[type[Exception], Translation] = {
    httpx.ConnectTimeout: Translation(NoAnswerError, "no connection in time", _REACH),
    httpx.ConnectError: Translation(NoAnswerError, "no connection", _REACH),
    httpx.PoolTimeout: Translation(NoAnswerError, "no connection became free in time"),
    httpx.ProxyError: Translation(
        NoAnswerError, "the proxy gave no connection", "check the proxy settings"
    ),
    httpx.ReadTimeout: Translation(NoAnswerError, "no answer in time"),
    httpx.WriteTimeout: Translation(NoAnswerError, "could not be sent in time"),
    httpx.ReadError: Translation(NoAnswerError, "the connection broke off"),
    httpx.WriteError: Translation(NoAnswerError, "the connection broke off"),
    httpx.CloseError: Translation(NoAnswerError, "the connection broke off"),
    httpx.RemoteProtocolError: Translation(
        NoAnswerError, "the connection ended without a whole answer"
    ),
    httpx.LocalProtocolError: Translation(PermanentError, "cannot be sent over HTTP"),
    httpx.UnsupportedProtocol: Translation(
        UnexpectedAnswerError, "the server named an address that is not http or https"
    ),
    httpx.InvalidURL: Translation(
        UnexpectedAnswerError, "the server named something that is no address"
    ),
    httpx.DecodingError: Translation(
        UnexpectedAnswerError, "the answer is compressed and cannot be unpacked"
    ),
    httpx.TooManyRedirects: Translation(
        UnexpectedAnswerError, "the answers lead from one address to the next"
    ),
    httpx.HTTPStatusError: Translation(
        UnexpectedAnswerError, "the status of the answer is unknown"
    ),
    # Over asyncio an alert that comes after the handshake is not wrapped by httpx.
    ssl.SSLError: Translation(
        NoAnswerError, "the secure connection failed", "check the certificates"
    ),
    # Over HTTP/2 a status that is no number, and headers that are no text.
    ValueError: Translation(UnexpectedAnswerError, "the answer is not HTTP"),
    # The groups that the above belong to, for whatever httpx adds to them.
    httpx.TimeoutException: Translation(NoAnswerError, "no answer in time"),
    httpx.NetworkError: Translation(NoAnswerError, "the network failed", _REACH),
    httpx.ProtocolError: Translation(NoAnswerError, "the server does not speak HTTP"),
    httpx.TransportError: Translation(NoAnswerError, "no answer", _REACH),
    httpx.RequestError: Translation(NoAnswerError, "no answer", _REACH),
    httpx.HTTPError: Translation(NoAnswerError, "no answer", _REACH),
}
"""What each exception of httpx becomes; the nearest base class counts."""

MISTAKES: frozenset[type[Exception]] = frozenset(
    {
        httpx.CookieConflict,
        httpx.StreamError,
        httpx.StreamConsumed,
        httpx.StreamClosed,
        httpx.RequestNotRead,
        httpx.ResponseNotRead,
    }
)
"""Wrong use of httpx, which is ours to repair and goes through as it is."""

# What h2 finds wrong in frames of the peer comes under the name of what is wrong in
# ours. The request may have arrived then.
_BROKEN_FRAMES = Translation(NoAnswerError, "the server breaks the rules of HTTP/2")

_TLS_REMEDIES = {
    "certificate has expired": "renew the certificate of the store; check the clock",
    "certificate is not yet valid": "check the clock of this machine and of the store",
    "mismatch": "the certificate is for another host: check the address of the store",
    "CERTIFICATE_VERIFY_FAILED": "for a private authority name its file in the setting "
    "ca_bundle",
    "WRONG_VERSION_NUMBER": "no TLS is spoken there: check the port, or write http://",
}
"""What helps, by the first of these words that OpenSSL says."""

# Whoever did not even connect cannot have created a run. All others may have, and are
# looked up first.
_NEVER_SENT = (
    httpx.ConnectTimeout,
    httpx.ConnectError,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.LocalProtocolError,
)
# Gateway timeouts, also those of nginx (499), Cloudflare (522, 524) and older proxies
# (598, 599).
_SLOW_ANSWERS = frozenset({408, 499, 504, 522, 524, 598, 599})


@contextmanager
def translated(*, source: str, place: str) -> Generator[None, None, None]:
    """Turn the exceptions of httpx into ours."""
    try:
        yield
    except tuple(TRANSPORT_ERRORS) as error:
        # The nearest base class, since the table has groups as well as their members.
        kind = next(base for base in type(error).__mro__ if base in TRANSPORT_ERRORS)
        translation = TRANSPORT_ERRORS[kind]
        if _is_about_frames(error):
            translation = _BROKEN_FRAMES
        words = str(error)
        # An address may carry a grant in its query, and these quote addresses.
        # Quoted words are worth having otherwise: they name the host, or the system's
        # reason.
        if words and translation.kind is not UnexpectedAnswerError:
            message = f"{translation.message}: {words}"
        else:
            message = translation.message
        known = (text for said, text in _TLS_REMEDIES.items() if said in words)
        remedy = next(known, translation.remedy)
        raise translation.kind(
            message, source=source, place=place, remedy=remedy
        ) from error


def never_sent(error: DeliveryError) -> bool:
    """Whether the request certainly never reached the server."""
    cause = error.__cause__
    return isinstance(cause, _NEVER_SENT) and not _is_about_frames(cause)


def _is_about_frames(error: BaseException) -> bool:
    cause: BaseException | None = error
    while isinstance(error, httpx.LocalProtocolError) and cause is not None:
        if type(cause).__module__.partition(".")[0] == "h2":
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def may_be_at_work(error: DeliveryError) -> bool:
    """Whether the server may still be busy with the request, and finish it later."""
    # A read timeout says only that no answer came, while the server may finish a minute
    # later.
    slow = isinstance(error.__cause__, httpx.TimeoutException) and not never_sent(error)
    return slow or error.status in _SLOW_ANSWERS
