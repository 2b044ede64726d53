"""
What a callback works with, fixed when it is made.

A phase may change the working folder or the environment: the records of one callback
still go to one place, which is the one that the program meant when it was written.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from rigbridge.configuration import (
    Configuration,
    command_line,
    load_configuration,
)
from rigbridge.errors import RigbridgeError
from rigbridge.model import JSONObject
from rigbridge_openhtf.settings import OpenHTFSettings

if TYPE_CHECKING:
    from rigbridge.adapters.identity import IdentityRules

__all__ = ["ADAPTER", "FixedSettings", "fix_settings"]

ADAPTER = "openhtf-json"
"""The name of the adapter that translates what the callback writes."""


@attrs.frozen(kw_only=True)
class FixedSettings:
    """
    What a callback works with.

    Attributes:
        data: the data folder.
        destination: the name of where runs go; None where that is not known.
        store: what a person calls it.
        settings: how records are read, as far as a hand-over asks.
        own: those settings where the program gave them itself, or None.
        identity: the rules of identity that it gave itself, as a table, or None.
        configuration: everything else; None if a setting is wrong.
        problem: what is wrong, or None.
    """

    data: Path
    destination: str | None = None
    store: str = "the store"
    settings: OpenHTFSettings = attrs.field(factory=OpenHTFSettings)
    own: OpenHTFSettings | None = None
    identity: JSONObject | None = None
    configuration: Configuration | None = None
    problem: RigbridgeError | None = None

    def flush_command(self) -> str:
        """Spell the command that sends what waits."""
        if self.configuration is None:
            return shlex.join(
                ["rigbridge", "outbox", "flush", "--data", str(self.data)]
            )
        return command_line(self.configuration, "outbox", "flush")


def fix_settings(
    *,
    to: str | None,
    data: Path | None,
    api_key: str | None,
    settings: OpenHTFSettings | None,
    identity: IdentityRules | None,
) -> FixedSettings:
    """
    Read the configuration; what is wrong with it is given back, not raised.

    Args:
        to: as for :func:`rigbridge_openhtf.output_callback`, like all others.
        data: likewise.
        api_key: likewise.
        settings: likewise.
        identity: likewise.
    """
    # Imported here: a test program that only imports us need not wait.
    from rigbridge.opening import check_adapters, make_settings

    rules = None if identity is None else identity.as_table()
    try:
        configuration = load_configuration(to=to, data=data, api_key=api_key).fixed()
        configured: OpenHTFSettings = make_settings(
            OpenHTFSettings,
            configuration.adapters.get(ADAPTER, {}),
            place=f"adapters.{ADAPTER}",
            source=configuration.origins.get("adapters"),
        )
        check_adapters(configuration)
        destination = configuration.destination_name
    except RigbridgeError as error:
        return FixedSettings(
            data=_fallback_folder(data),
            settings=settings or OpenHTFSettings(),
            own=settings,
            identity=rules,
            problem=error,
        )
    return FixedSettings(
        data=configuration.data,
        destination=destination,
        store=f"the embedded store in {configuration.data}"
        if configuration.is_local
        else configuration.to,
        settings=settings or configured,
        own=settings,
        identity=rules,
        configuration=configuration,
    )


def _fallback_folder(data: Path | None) -> Path:
    """Where to keep what is handed over if there is no configuration."""
    if data is not None:
        return data.absolute()
    if named := os.environ.get("RIGBRIDGE_DATA", "").strip():
        return Path(named).expanduser().absolute()
    import platformdirs  # only where nothing else names it

    return platformdirs.user_data_path("rigbridge", appauthor=False)
