"""How a store is reached: authorities, certificates, proxies, timeouts, limits."""

from __future__ import annotations

import ssl
import threading
import urllib.request
from functools import lru_cache
from pathlib import Path
from typing import Self

import attrs
import httpx

from rigbridge.destinations import DestinationSettings
from rigbridge.errors import ConfigurationError

__all__ = ["DIRECT", "ConnectionSettings", "proxy_for", "tls_context"]

DIRECT = "direct"
"""The value of ``proxy`` that means none, whatever the environment says."""

_KEEP_ALIVE = 30.0
_making = threading.Lock()


@attrs.frozen(kw_only=True)
class ConnectionSettings:
    """
    How connections are made.

    Attributes:
        timeout: seconds that sending and every wait for bytes may take.
        connect_timeout: seconds that connecting may take; as ``timeout``, but at most
            ten, where it is None.
        ca_bundle: a PEM file of authorities to trust besides the public ones.
        client_certificate: a PEM file that the store asks of its clients; shown to
            the store alone, not to a storage host.
        client_key: its private key, where that is a file of its own.
        proxy: the proxy for everything, ``direct`` for none, or None to take the
            environment's (``HTTPS_PROXY``, ``ALL_PROXY``, ``NO_PROXY``). Never shown:
            it may hold a password.
        http2: whether HTTP/2 is spoken where a server has it.
        concurrency: how many requests may be on their way at once.
    """

    timeout: float = 30.0
    connect_timeout: float | None = None
    ca_bundle: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    proxy: str | None = attrs.field(default=None, repr=False)
    http2: bool = True
    concurrency: int = 16

    def __attrs_post_init__(self) -> None:
        if self.client_key is not None and self.client_certificate is None:
            raise ConfigurationError(
                "is of no use without client_certificate", place="client_key"
            )
        if self.concurrency < 1:
            raise ConfigurationError("must be 1 or more", place="concurrency")

    @classmethod
    def of(cls, settings: DestinationSettings) -> Self:
        """Take the part of a destination's settings that is about connections."""
        names = [field.name for field in attrs.fields(cls)]
        return cls(**{name: getattr(settings, name) for name in names})

    @property
    def timeouts(self) -> dict[str, float]:
        """The timeouts as httpx takes them with a request."""
        connect = self.connect_timeout
        return {
            "connect": min(self.timeout, 10.0) if connect is None else connect,
            "read": self.timeout,
            "write": self.timeout,
            "pool": self.timeout,
        }

    @property
    def limits(self) -> httpx.Limits:
        """How many connections are kept, and for how long."""
        # Files of runs go up beside each other, so there are more than runs.
        most = max(100, 4 * self.concurrency)
        return httpx.Limits(
            max_connections=most,
            max_keepalive_connections=most,
            keepalive_expiry=_KEEP_ALIVE,
        )

    def context(self, *, foreign: bool) -> ssl.SSLContext:
        """
        Give the TLS context; the same settings share one in a process.

        Args:
            foreign: for another host than the store's, which sees no certificate.

        Raises:
            ConfigurationError: a certificate file cannot be used.
        """
        certificate = None if foreign else self.client_certificate
        key = None if foreign else self.client_key
        with _making:
            return tls_context(self.ca_bundle, certificate, key)


@lru_cache(maxsize=32)
def tls_context(
    ca_bundle: Path | None, certificate: Path | None, key: Path | None
) -> ssl.SSLContext:
    """
    Make a TLS context once: reading the public authorities takes its time.

    Args:
        ca_bundle: authorities to trust as well.
        certificate: the client's certificate.
        key: its private key, where it is a file of its own.

    Raises:
        ConfigurationError: a file cannot be used.
    """
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
        url: where it goes.
        setting: the proxy of the configuration; None for the environment's.
    """
    if setting is not None:
        return None if setting == DIRECT else setting
    proxies = urllib.request.getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy or urllib.request.proxy_bypass(url.netloc.decode("ascii")):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
