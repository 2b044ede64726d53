"""The settings that a destination gets."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any

import attrs

__all__ = [
    "DESTINATION_GROUP",
    "LOCAL",
    "ConnectionSettings",
    "DestinationSettings",
    "Linking",
    "Sidecar",
]

DESTINATION_GROUP = "rigbridge.destinations"
"""The entry-point group in which distributions offer their destinations."""

LOCAL = "local"
"""The name of the embedded store."""


class Sidecar(StrEnum):
    """When what v1 has no field for travels as an attachment ``rigbridge.json``."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Linking(StrEnum):
    """Which call links an upload to its run; AUTO finds out and remembers."""

    AUTO = "auto"
    UPDATE = "update"
    SYNC = "sync"


@attrs.frozen(kw_only=True)
class ConnectionSettings:
    """
    How connections to a run store are made.

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


@attrs.frozen(kw_only=True)
class DestinationSettings(ConnectionSettings):
    """
    What a destination may need to know; each uses its part.

    Attributes:
        url: the value of ``to`` where that is an address: the origin of a run store,
            with or without ``/api``, or ``NAME://...``.
        api_key: the key for it; never shown.
        data: the folder that holds the embedded store.
        database: the address of a PostgreSQL database that holds its tables, or None.
        attachments: the URL under which it keeps the contents of attachments, or
            None.
        sidecar: when the sidecar travels.
        linking: which call links uploads.
        own: the destination's own settings, from the table ``[destinations.NAME]`` of
            the configuration: made with its ``settings_type``, or as a dict.
    """

    data: Path
    # Never shown: a password may stand in either address.
    database: str | None = attrs.field(default=None, repr=False)
    attachments: str | None = attrs.field(default=None, repr=False)
    url: str | None = None
    api_key: str | None = attrs.field(default=None, repr=False)
    sidecar: Sidecar = Sidecar.AUTO
    linking: Linking = Linking.AUTO
    own: Any = attrs.field(default=None, repr=False)
