"""The settings of an installation, checked, each with the place it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from rigbridge.adapters import TimeZonePolicy
from rigbridge.adapters.identity import IdentityRules
from rigbridge.destinations import LOCAL, DestinationSettings
from rigbridge.model.values import JSONObject, JSONValue

__all__ = ["LOCAL", "Configuration"]

_STORE_FILE = "store.sqlite"


@attrs.frozen(kw_only=True)
class Configuration:
    """
    What a command or the OpenHTF callback works with.

    Attributes:
        destination_settings: what a destination gets: folders, address, key, HTTP.
        to: where runs go: ``local``, the URL of a run store, the name of one that
            the table ``destinations`` gives a URL, or the name of another destination,
            alone or as ``NAME://...``.
        time_zone: the zone of wall times, by station where stations differ.
        identity: the rules that complete a run's identity.
        adapters: the settings of each adapter, by its name.
        destinations: the settings of each destination of others, and the URLs of run
            stores, each by its name.
        outbox: the settings of the outbox, which checks them.
        server: the settings of the embedded store's server, which checks them.
        watch: the tables of the folders that the agent watches, which checks them.
        origins: where each setting came from, by its key.
    """

    destination_settings: DestinationSettings
    to: str = LOCAL
    time_zone: TimeZonePolicy = attrs.field(factory=TimeZonePolicy)
    identity: IdentityRules = attrs.field(factory=IdentityRules)
    adapters: Mapping[str, JSONObject] = attrs.field(factory=dict[str, JSONObject])
    # A destination's own settings may hold a password: never shown.
    destinations: Mapping[str, JSONObject] = attrs.field(
        factory=dict[str, JSONObject], repr=False
    )
    outbox: JSONObject = attrs.field(factory=dict[str, JSONValue])
    server: JSONObject = attrs.field(factory=dict[str, JSONValue])
    watch: Sequence[JSONObject] = ()
    origins: Mapping[str, str] = attrs.field(factory=dict[str, str])

    @property
    def data(self) -> Path:
        """The folder of the embedded store and the outbox."""
        return self.destination_settings.data

    def for_reading(self) -> Configuration:
        """
        Give what reading reports needs, to be sent to other processes and machines.

        It holds nothing that opens a store or a server: no key, no password, no
        address that may hold one.
        """
        return attrs.evolve(
            self,
            destination_settings=type(self.destination_settings)(data=self.data),
            to=self.destination_name,
            destinations={},
            outbox={},
            server={},
            watch=(),
        )

    def fixed(self) -> Configuration:
        """
        Give the same settings for a program that may change its working folder.

        Paths that are relative to the working folder become absolute.
        """
        given = self.destination_settings

        def absolute(path: Path | None) -> Path | None:
            return None if path is None else path.absolute()

        return attrs.evolve(
            self,
            destination_settings=attrs.evolve(
                given,
                data=given.data.absolute(),
                ca_bundle=absolute(given.ca_bundle),
                client_certificate=absolute(given.client_certificate),
                client_key=absolute(given.client_key),
            ),
        )

    @property
    def is_local(self) -> bool:
        """Whether runs go to the embedded store."""
        return self.to == LOCAL

    @property
    def store_file(self) -> Path | None:
        """The file of the embedded store, where runs go to one that is a file."""
        if self.is_local and self.destination_settings.database is None:
            return self.data / _STORE_FILE
        return None

    @property
    def is_without_store(self) -> bool:
        """Whether runs go to the embedded store of a folder that has none (yet)."""
        return self.store_file is not None and not self.store_file.is_file()

    @property
    def is_http(self) -> bool:
        """Whether runs go to a run store of the v1 contract, over HTTP."""
        url = self.destination_settings.url or ""
        return url.startswith(("http://", "https://"))

    @property
    def destination(self) -> str:
        """The name of the destination that ``to`` means."""
        return "http" if self.is_http else self.to.partition("://")[0]

    @property
    def destination_name(self) -> str:
        """
        The name by which an entry of the outbox says where it goes.

        A name from the configuration tells apart what one address serves: two
        organizations at one hosted store differ only by their keys.

        Raises:
            ConfigurationError: ``to`` is no address of a run store.
        """
        from rigbridge.destinations.address import (  # imports httpx
            destination_name,
        )

        return destination_name(self.to)
