"""
From connection settings to what httpx takes: TLS, proxies, timeouts, limits.
"""

from __future__ import annotations

import ssl
import urllib.request
from functools import lru_cache
from pathlib import Path

import httpx

from rigbridge.destinations import ConnectionSettings
from rigbridge.errors import ConfigurationError
from rigbridge.machine.forks import ForkedLock

__all__ = [
    "DIRECT",
    "check_settings",
    "pool_limits",
    "proxy_for",
    "timeouts",
    "tls_context",
    "tls_for",
]

DIRECT = "direct"
"""The value of ``proxy`` that means none, whatever the environment says."""

# Shorter than the idle time of most proxies, so that it is this side that closes. A
# connection that the other side closes while a request leaves costs the answer.
_KEEP_ALIVE = 30.0
_making = ForkedLock()


def check_settings(settings: ConnectionSettings) -> None:
    """
    Refuse settings that contradict each other.

    Raises:
        ConfigurationError: they do; names the setting.
    """
    if settings.client_key is not None and settings.client_certificate is None:
        raise ConfigurationError(
            "is of no use without client_certificate", place="client_key"
        )
    if settings.concurrency < 1:
        raise ConfigurationError("must be 1 or more", place="concurrency")


def timeouts(settings: ConnectionSettings) -> dict[str, float]:
    """Give the timeouts as httpx takes them with a request."""
    connect = settings.connect_timeout
    return {
        # No more than 10 s by default: a host that does not answer should not hold back
        # a long upload timeout.
        "connect": min(settings.timeout, 10.0) if connect is None else connect,
        "read": settings.timeout,
        "write": settings.timeout,
        "pool": settings.timeout,
    }


def pool_limits(settings: ConnectionSettings) -> httpx.Limits:
    """Say how many connections are kept, and for how long."""
    # Files of a run are sent concurrently, so there are more requests than runs.
    most = max(100, 4 * settings.concurrency)
    return httpx.Limits(
        max_connections=most,
        max_keepalive_connections=most,
        keepalive_expiry=_KEEP_ALIVE,
    )


def tls_for(settings: ConnectionSettings, *, foreign: bool) -> ssl.SSLContext:
    """
    Give the TLS context; the same settings share one in a process.

    Args:
        foreign: for another host than the store's, which sees no certificate.

    Raises:
        ConfigurationError: a certificate file cannot be used.
    """
    # The client certificate identifies us to the store. A storage elsewhere need not
    # see it.
    certificate = None if foreign else settings.client_certificate
    key = None if foreign else settings.client_key
    # Without the lock, threads that start together would each make one.
    with _making:
        return tls_context(settings.ca_bundle, certificate, key)


@lru_cache(maxsize=32)
def tls_context(
    ca_bundle: Path | None, certificate: Path | None, key: Path | None
) -> ssl.SSLContext:
    """
    Make a TLS context once: reading the public authorities takes its time.

    Args:
        key: its private key, where it is a file of its own.

    Raises:
        ConfigurationError: a file cannot be used.
    """
    # The system's authorities stay valid beside a private one: files often go to a
    # public storage.
    try:
        context = httpx.create_ssl_context()
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"the certificate settings cannot be used: {error}",
            remedy="check SSL_CERT_FILE and SSL_CERT_DIR",
        ) from error
    if ca_bundle is not None:
        try:
            context.load_verify_locations(cafile=ca_bundle)
        except (OSError, ValueError) as error:
            raise _unusable(ca_bundle, "ca_bundle", "authorities", error) from error
    if certificate is not None:
        try:
            # Without a password callback OpenSSL would ask the terminal for one.
            context.load_cert_chain(certificate, key, password=_no_password)
        except (OSError, ValueError) as error:
            raise _unusable(
                certificate, "client_certificate", "a certificate with its key", error
            ) from error
    return context


def _no_password() -> str:
    raise ValueError("the private key is encrypted")


def _unusable(
    path: Path, place: str, what: str, error: Exception
) -> ConfigurationError:
    reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or error
    return ConfigurationError(
        f"cannot be used: {reason}",
        source=str(path),
        place=place,
        remedy=f"name a PEM file that holds {what}",
    )


def proxy_for(url: httpx.URL, setting: str | None) -> str | None:
    """
    Say which proxy a request goes through, or None.

    Args:
        setting: the proxy of the configuration; None for the environment's.
    """
    if setting is not None:
        return None if setting == DIRECT else setting
    # As curl and browsers read the environment, Windows' registry and macOS' settings
    # included.
    proxies = urllib.request.getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy or urllib.request.proxy_bypass(url.netloc.decode("ascii")):
        return None
    # HTTPS_PROXY=proxy:3128 without a scheme is common, and httpx refuses it.
    return proxy if "://" in proxy else f"http://{proxy}"
