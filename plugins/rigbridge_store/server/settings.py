"""What can be set at the HTTP door."""

from __future__ import annotations

from pathlib import Path

import attrs

from rigbridge.configuration import Configuration
from rigbridge_store.policies import CreationPolicy, PartNumbers

__all__ = ["ServerSettings"]

MAX_BODY = 64 * 1024 * 1024
"""How many bytes a JSON body may have, unless set otherwise."""


@attrs.frozen(kw_only=True)
class ServerSettings:
    """
    The settings of the HTTP server.

    Attributes:
        open_stations: let every station use every procedure; the first run links it.
        part_numbers: whether a run of a unit without a part must name one.
        max_body: how many bytes a JSON body may have.
        configuration: the site's rules for reports that are sent as files; the
            plain ones by default.
    """

    open_stations: bool = False
    part_numbers: PartNumbers = PartNumbers.REQUIRED
    max_body: int = MAX_BODY
    configuration: Configuration | None = None

    @property
    def policy(self) -> CreationPolicy:
        """How strict a creation over HTTP is."""
        return CreationPolicy(part_numbers=self.part_numbers)

    def reading(self, data: Path) -> Configuration:
        """Give the rules by which a report is read."""
        return self.configuration or Configuration(data=data)
