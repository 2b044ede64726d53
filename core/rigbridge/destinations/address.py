"""The address of a run store, however a user spells it."""

from __future__ import annotations

from typing import cast
from urllib.parse import urlsplit

from rigbridge.errors import ConfigurationError

__all__ = ["api_address", "destination_name"]

_SCHEMES = ("http", "https")
_REMEDY = "write it like https://store.example.com"


def api_address(url: str) -> str:
    """
    Give the address below which the calls of a store stand: ``{origin}/api``.

    The origin may come with or without ``/api`` or ``/api/v1``, and with or without a
    trailing slash; all mean the same.

    Raises:
        ConfigurationError: no http or https address, or one with a user name, a
            query or a fragment.
    """
    # A variable of the environment that is not set gives None, for instance.
    if not isinstance(cast("object", url), str):
        raise ConfigurationError(
            f"the address of the run store is {url!r}", remedy=_REMEDY
        )
    text = url.strip()
    # A password may stand before an "@", so such an address is never shown.
    shown = "the address" if "@" in text else repr(text)
    scheme, separator, rest = text.partition("://")
    if not separator or scheme.lower() not in _SCHEMES:
        raise ConfigurationError(
            f"{shown} of the run store begins with neither https:// nor http://",
            remedy=f"{_REMEDY}; runs go to an installed destination by "
            "rigbridge.open_outbox(to=NAME)",
        )
    import httpx  # only where there is a URL: it takes long to load

    try:
        # Schemes and hosts have no case: one store must have one name in the outbox.
        parsed = httpx.URL(f"{scheme.lower()}://{rest}")
    except httpx.InvalidURL:
        raise ConfigurationError(
            f"{shown} of the run store is no address", remedy=_REMEDY
        ) from None  # its message may quote a password
    port_fits = parsed.port is None or 0 < parsed.port < 2**16
    if not parsed.host or "%" in parsed.host or "\\" in text or not port_fits:
        raise ConfigurationError(
            f"{shown} of the run store names no host, or a port that there is not",
            remedy=_REMEDY,
        )
    if parsed.userinfo or "?" in rest or "#" in rest:
        raise ConfigurationError(
            f"{shown} of the run store holds more than a host and a path",
            remedy=f"{_REMEDY}, and give the API key as a setting of its own",
        )
    path = parsed.raw_path.decode("ascii").rstrip("/")
    # People copy the address of a call from a document.
    if path.endswith("/api/v1"):
        path = path.removesuffix("/v1")
    path = path.removesuffix("/api").rstrip("/")
    return f"{parsed.scheme}://{parsed.netloc.decode('ascii')}{path}/api"


def destination_name(to: str) -> str:
    """
    Give the name under which a queue knows where its runs go.

    It is the same however the destination is spelled, and holds no secret: the origin
    of a run store without ``/api``; an address ``NAME://...`` without a user name and
    a query; ``local`` and other names as they are.

    Args:
        to: a value of the setting of that name.

    Raises:
        ConfigurationError: it begins like the address of a run store, and is none.
    """
    text = to.strip()
    scheme, separator, _ = text.partition("://")
    if not separator:
        return text
    if scheme.lower() in _SCHEMES:
        return api_address(text).removesuffix("/api")
    # Not as a URL of HTTP: what stands behind the scheme is for the plugin to say.
    parts = urlsplit(text)
    host = parts.netloc.rpartition("@")[2]
    return f"{scheme}://{host}{parts.path}"
