"""The settings of an installation, checked, each with the place it came from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from rigbridge.adapters import TimeZonePolicy
from rigbridge.adapters.identity import IdentityRules
from rigbridge.destinations import DestinationSettings, Linking, Sidecar

__all__ = ["LOCAL", "Configuration"]

LOCAL = "local"
"""The value of ``to`` that means the embedded store."""


@attrs.frozen(kw_only=True)
class Configuration:
    """
    What a command or the OpenHTF callback works with.

    Attributes:
        to: where runs go: ``local``, the URL of a run store, or the name of another
            destination, alone or as ``NAME://...``.
        data: the folder of the embedded store and the outbox.
        database: the address of a PostgreSQL database that holds the tables of the
            embedded store instead of a file in its folder; may hold a password.
        attachments: the URL under which it keeps the contents of attachments instead
            of in its folder.
        api_key: the key for a store behind a URL; never shown.
        time_zone: the zone of wall times, by station where stations differ.
        identity: the rules that complete a run's identity.
        adapters: the settings of each adapter, by its name.
        destinations: the settings of each destination of others, by its name.
        sidecar: when the sidecar travels.
        linking: which call links uploads to runs.
        timeout: seconds that one request may take to connect or to go on.
        connect_timeout: seconds that connecting may take, or None for a default.
        ca_bundle: a file of authorities to trust besides the public ones.
        client_certificate: a file that the store asks of its clients.
        client_key: its private key, where that is a file of its own.
        proxy: the proxy, ``direct``, or None for the environment's; never shown.
        http2: whether HTTP/2 is spoken where a server has it.
        concurrency: how many requests may be on their way at once.
        outbox: the settings of the outbox, which checks them.
        server: the settings of the embedded store's server, which checks them.
        origins: where each setting came from, by its key.
    """

    data: Path
    to: str = LOCAL
    database: str | None = attrs.field(default=None, repr=False)
    attachments: str | None = attrs.field(default=None, repr=False)
    api_key: str | None = attrs.field(default=None, repr=False)
    time_zone: TimeZonePolicy = attrs.field(factory=TimeZonePolicy)
    identity: IdentityRules = attrs.field(factory=IdentityRules)
    adapters: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    destinations: Mapping[str, Mapping[str, Any]] = attrs.field(
        factory=dict, repr=False
    )
    sidecar: Sidecar = Sidecar.AUTO
    linking: Linking = Linking.AUTO
    timeout: float = 30.0
    connect_timeout: float | None = None
    ca_bundle: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    proxy: str | None = attrs.field(default=None, repr=False)
    http2: bool = True
    concurrency: int = 16
    outbox: Mapping[str, Any] = attrs.field(factory=dict)
    server: Mapping[str, Any] = attrs.field(factory=dict)
    origins: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def is_local(self) -> bool:
        """Whether runs go to the embedded store."""
        return self.to == LOCAL

    @property
    def is_http(self) -> bool:
        """Whether runs go to a run store of the v1 contract, over HTTP."""
        return self.to.startswith(("http://", "https://"))

    @property
    def destination(self) -> str:
        """The name of the destination that ``to`` means."""
        return "http" if self.is_http else self.to.partition("://")[0]

    def destination_settings(self) -> DestinationSettings:
        """Give a destination its part."""
        return DestinationSettings(
            data=self.data,
            database=self.database,
            attachments=self.attachments,
            url=self.to if "://" in self.to else None,
            api_key=self.api_key,
            sidecar=self.sidecar,
            linking=self.linking,
            timeout=self.timeout,
            connect_timeout=self.connect_timeout,
            ca_bundle=self.ca_bundle,
            client_certificate=self.client_certificate,
            client_key=self.client_key,
            proxy=self.proxy,
            http2=self.http2,
            concurrency=self.concurrency,
        )
