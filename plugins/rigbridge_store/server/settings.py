"""The settings of the HTTP server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, cast

import attrs

from rigbridge.configuration import Configuration
from rigbridge.destinations import DestinationSettings
from rigbridge.errors import ConfigurationError
from rigbridge.model import JSONValue
from rigbridge_store.intake.policies import CreationPolicy, PartNumbers

__all__ = ["IMPORTERS", "MAX_BODY", "ServerSettings"]

MAX_BODY = 64 * 1024 * 1024
"""How many bytes a JSON body may have, unless set otherwise."""

IMPORTERS: Mapping[str, tuple[str, ...]] = {
    "OPENHTF": ("openhtf-json",),
    "TESTSTAND_XML": ("teststand-xml",),
    "TESTSTAND_ATML": ("teststand-atml",),
    "TESTSTAND": ("teststand-xml", "teststand-atml"),
    "ATML": ("teststand-atml",),
    "CSV": ("csv",),
}
"""
The adapters behind the names that clients know; of several, the report's own. Any
installed adapter can be named as it is, too.
"""

_TABLE = (
    "part_number",
    "importers",
    "max_body",
    "requests_per_minute",
    "open_stations",
    "trusted_proxies",
)


def _importers(value: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    made: dict[str, tuple[str, ...]] = {}
    for name, adapters in value.items():
        listed = (adapters,) if isinstance(adapters, str) else tuple(adapters)
        made[name.upper()] = listed
    return made


def _names_adapters(value: JSONValue) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(names, str)
        or (isinstance(names, list) and all(isinstance(n, str) for n in names))
        for names in value.values()
    )


def _addresses(value: JSONValue) -> tuple[str, ...] | None:
    if not isinstance(value, list):
        return None
    found = tuple(item for item in value if isinstance(item, str))
    return found if len(found) == len(value) else None


@attrs.frozen(kw_only=True)
class ServerSettings:
    """
    The settings of the HTTP server.

    Attributes:
        open_stations: let every station use every procedure; the first run links it.
        part_numbers: whether a run of a unit without a part must name one.
        max_body: how many bytes a JSON body may have.
        requests_per_minute: how many requests one key may make, in bursts of as many;
            None for any number. Wrong keys are limited by address, whatever is set.
        trusted_proxies: the addresses of proxies before the server: what they say of
            the caller's address counts, and they connect as often as they like.
        importers: the adapters behind the names of importers.
        configuration: the site's rules for reports that are sent as files, and for
            what serial numbers tell; the plain ones by default.
    """

    open_stations: bool = False
    part_numbers: PartNumbers = PartNumbers.REQUIRED
    max_body: int = MAX_BODY
    requests_per_minute: int | None = None
    trusted_proxies: tuple[str, ...] = ()
    importers: Mapping[str, tuple[str, ...]] = attrs.field(
        factory=dict[str, tuple[str, ...]], converter=_importers
    )
    configuration: Configuration | None = None

    def __attrs_post_init__(self) -> None:
        # What is set comes over what is known, name by name.
        # The class is frozen; this is its own construction.
        object.__setattr__(self, "importers", {**IMPORTERS, **self.importers})

    @property
    def policy(self) -> CreationPolicy:
        """How strict a creation over HTTP is."""
        if self.configuration is None:
            return CreationPolicy(part_numbers=self.part_numbers)
        return CreationPolicy(
            part_numbers=self.part_numbers, identity=self.configuration.identity
        )

    def reading(self, data: Path) -> Configuration:
        """Give the rules by which a report is read."""
        return self.configuration or Configuration(
            destination_settings=DestinationSettings(data=data)
        )

    @classmethod
    def of(
        cls, configuration: Configuration | None, *, open_stations: bool = False
    ) -> Self:
        """
        Make the settings of a configuration and its table ``server``.

        Raises:
            ConfigurationError: a key that is not known, or a wrong value; names it.
        """
        if configuration is None:
            return cls(open_stations=open_stations)
        table = cast("Mapping[str, Any]", configuration.server)
        origin = configuration.origins.get("server")

        def wrong(key: str, message: str) -> ConfigurationError:
            return ConfigurationError(message, source=origin, place=f"server.{key}")

        # Refused: a misspelled setting would otherwise be silently without effect.
        if unknown := sorted(table.keys() - set(_TABLE)):
            known = ", ".join(_TABLE)
            raise wrong(unknown[0], f"is no known setting; known: {known}")
        for key in ("max_body", "requests_per_minute"):
            value = table.get(key, 1)
            # By type: True is an int to isinstance.
            if type(value) is not int or value < 1:
                raise wrong(key, "must be a whole number above 0")
        if not isinstance(table.get("open_stations", False), bool):
            raise wrong("open_stations", "must be true or false")
        try:
            part_numbers = PartNumbers(table.get("part_number", PartNumbers.REQUIRED))
        except ValueError as error:
            known = ", ".join(PartNumbers)
            raise wrong("part_number", f"must be one of {known}") from error
        proxies = _addresses(table.get("trusted_proxies", []))
        if proxies is None:
            raise wrong("trusted_proxies", "must be a list of addresses")
        importers: JSONValue = table.get("importers", {})
        if not _names_adapters(importers):
            raise wrong("importers", "must be a table of adapter names")
        return cls(
            open_stations=open_stations or table.get("open_stations", False),
            part_numbers=part_numbers,
            max_body=table.get("max_body", MAX_BODY),
            requests_per_minute=table.get("requests_per_minute"),
            trusted_proxies=proxies,
            importers=cast("Mapping[str, tuple[str, ...]]", importers),
            configuration=configuration,
        )
