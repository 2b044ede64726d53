"""From settings to the parts that they name: destinations and adapters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

from rigbridge.adapters import ADAPTER_GROUP, Adapter
from rigbridge.configuration.model import Configuration
from rigbridge.destinations import DESTINATION_GROUP, Destination
from rigbridge.errors import ConfigurationError, PluginLoadError
from rigbridge.machine.plugins import PluginLoader

if TYPE_CHECKING:
    from rigbridge.outbox import DeliveryResult, Outbox

__all__ = [
    "load_outbox",
    "make_adapter",
    "make_settings",
    "open_destination",
    "open_outbox",
]


def open_destination(
    configuration: Configuration, loader: PluginLoader | None = None
) -> Destination:
    """
    Make the destination that ``to`` names; nothing is connected yet.

    Args:
        configuration: the settings.
        loader: the loader to use; a new one by default.

    Raises:
        PluginError: the destination's plugin does not load.
        ConfigurationError: it refuses its settings.
    """
    name = configuration.destination
    loader = PluginLoader(DESTINATION_GROUP) if loader is None else loader
    for unknown in configuration.destinations.keys() - set(loader.names):
        raise ConfigurationError(
            "there is no such destination",
            source=configuration.origins.get("destinations"),
            place=f"destinations.{unknown}",
            remedy=f"installed: {', '.join(loader.names)}",
        )
    kind = loader.load(name)
    own: Any = configuration.destinations.get(name, {})
    if settings_type := getattr(kind, "settings_type", None):
        own = make_settings(
            settings_type,
            own,
            place=f"destinations.{name}",
            source=configuration.origins.get("destinations"),
        )
    settings = attrs.evolve(configuration.destination_settings, own=own)
    destination: Destination = kind(settings)
    return destination


def load_outbox(configuration: Configuration) -> PluginLoader:
    """
    Load the code that :func:`open_outbox` and its sender need, and open nothing.

    Returns:
        What has found the destination, so that nobody need look for it again.

    Raises:
        PluginError: the destination's plugin does not load.
        ConfigurationError: it refuses its settings.
    """
    from rigbridge.outbox import Outbox  # noqa: PLC0415 - not all need it

    Outbox.load()
    loader = PluginLoader(DESTINATION_GROUP)
    # Made and not used, a destination has loaded what it needs.
    open_destination(configuration, loader).close()
    return loader


def open_outbox(
    configuration: Configuration,
    *,
    observe: Callable[[DeliveryResult], None] | None = None,
    loader: PluginLoader | None = None,
) -> Outbox:
    """
    Open the outbox of the data folder, which sends to where ``to`` names.

    Args:
        configuration: the settings.
        observe: is told how each attempt to deliver ended.
        loader: finds the destination; a new one by default.

    Raises:
        ConfigurationError: the folder cannot be used, or a setting is wrong.
    """
    from rigbridge.outbox import Outbox, Retention  # noqa: PLC0415 - not all need it

    retention = make_settings(
        Retention,
        configuration.outbox,
        place="outbox",
        source=configuration.origins.get("outbox"),
    )
    return Outbox.open(
        configuration.data / "outbox",
        partial(open_destination, configuration, loader),
        retention=retention,
        observe=observe,
    )


def make_adapter(
    name: str, configuration: Configuration, loader: PluginLoader | None = None
) -> Adapter:
    """
    Load an adapter by name and make it with its settings.

    Args:
        name: the adapter's name.
        configuration: holds its settings under ``adapters.NAME``.
        loader: the loader to use; a new one by default.

    Raises:
        PluginError: it does not load, or is no adapter.
        ConfigurationError: a setting that it does not know or take; names the key.
    """
    loader = PluginLoader(ADAPTER_GROUP) if loader is None else loader
    kind = loader.load(name)
    if not (isinstance(kind, type) and hasattr(kind, "settings_type")):
        distribution, version = loader.owner(name)
        raise PluginLoadError(
            f"{name!r} of {distribution} {version} is no adapter class",
            remedy="see the contract in rigbridge.adapters",
        )
    given = configuration.adapters.get(name, {})
    settings = make_settings(
        kind.settings_type,
        given,
        place=f"adapters.{name}",
        source=configuration.origins.get("adapters"),
    )
    try:
        adapter: Adapter = kind(settings)
    except TypeError as error:
        raise PluginLoadError(
            f"{name!r} cannot be made with its settings: {error}",
            remedy="see the contract in rigbridge.adapters",
        ) from error
    return adapter


def make_settings(
    kind: type[Any], given: Mapping[str, Any], *, place: str, source: str | None
) -> Any:
    """
    Make an attrs class of settings from a table.

    A class with a ``from_mapping`` reads the table itself; of any other the keys are
    its fields.

    Raises:
        ConfigurationError: a key that it does not know, or a value it does not take.
    """
    if hasattr(kind, "from_mapping"):
        try:
            return kind.from_mapping(given)
        except ConfigurationError as error:
            raise ConfigurationError(
                error.message,
                source=error.source or source,
                place=f"{place}.{error.place}" if error.place else place,
                remedy=error.remedy,
            ) from error
    known = [field.alias for field in attrs.fields(kind) if field.init]
    for key in given:
        if key not in known:
            raise ConfigurationError(
                "is no known setting",
                source=source,
                place=f"{place}.{key}",
                remedy=f"known: {', '.join(known) or 'none'}",
            )
    try:
        return kind(**given)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(str(error), source=source, place=place) from error
