"""From settings to the parts that they name: destinations and adapters."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar, cast

import attrs

from rigbridge.adapters import ADAPTER_GROUP
from rigbridge.adapters.identity import source_name
from rigbridge.configuration.model import Configuration
from rigbridge.destinations import DESTINATION_GROUP
from rigbridge.errors import ConfigurationError, PluginLoadError, RigbridgeError
from rigbridge.machine.plugins import PluginLoader

if TYPE_CHECKING:
    from rigbridge.adapters import Adapter, Spool
    from rigbridge.adapters.identity import IdentityRules
    from rigbridge.destinations import Destination, DestinationSettings
    from rigbridge.model import JSONObject, Run
    from rigbridge.model.report import ConversionReport
    from rigbridge.outbox import DeliveryResult, Outbox, RunRules
    from rigbridge.outbox.incoming import IncomingFolder, IncomingIntake, IncomingItem

__all__ = [
    "check_adapters",
    "check_destinations",
    "incoming_intake",
    "load_outbox",
    "make_adapter",
    "make_settings",
    "open_destination",
    "open_outbox",
]


_Settings = TypeVar("_Settings", bound=attrs.AttrsInstance)


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
    check_destinations(configuration, loader)
    # An entry point gives any object; what is none of ours fails in the call.
    kind = cast("Callable[[DestinationSettings], Destination]", loader.load(name))
    table = configuration.destinations.get(name, {})
    own: object = table
    if settings_type := getattr(kind, "settings_type", None):
        own = make_settings(
            settings_type,
            table,
            place=f"destinations.{name}",
            source=configuration.origins.get("destinations"),
        )
    settings = attrs.evolve(configuration.destination_settings, own=own)
    try:
        return kind(settings)
    except RigbridgeError:
        raise
    except Exception as error:
        distribution, version = loader.owner(name)
        if distribution == "rigbridge":
            raise
        raise PluginLoadError(
            f"destination {name!r} of {distribution} {version} cannot be made: "
            f"{type(error).__name__}: {error}",
            remedy=f"report it to the authors of {distribution}",
        ) from error


def check_destinations(
    configuration: Configuration, loader: PluginLoader | None = None
) -> None:
    """
    Make sure that each table of settings belongs to a destination that there is.

    Args:
        configuration: the settings.
        loader: the loader to use; a new one by default.

    Raises:
        ConfigurationError: nobody reads one of them; names the destinations there are.
    """
    loader = PluginLoader(DESTINATION_GROUP) if loader is None else loader
    # A misspelled table would otherwise be settings that nobody reads.
    # One with a URL is the name of a run store.
    known = {name for name, own in configuration.destinations.items() if "url" in own}
    for unknown in configuration.destinations.keys() - known - set(loader.names):
        raise ConfigurationError(
            "there is no such destination",
            source=configuration.origins.get("destinations"),
            place=f"destinations.{unknown}",
            remedy=f"give it the 'url' of a run store; installed: "
            f"{', '.join(loader.names)}",
        )


def load_outbox(configuration: Configuration) -> PluginLoader:
    """
    Load the code that :func:`open_outbox` and its sender need, and open nothing.

    Returns:
        What has found the destination, so that nobody need look for it again.

    Raises:
        PluginError: the destination's plugin does not load.
        ConfigurationError: it refuses its settings.
    """
    from rigbridge.outbox import Outbox  # not all need it

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
    identity: IdentityRules | None = None,
) -> Outbox:
    """
    Open the outbox of the data folder, which sends to where ``to`` names.

    Args:
        configuration: the settings.
        observe: is told how each attempt to deliver ended.
        loader: finds the destination; a new one by default.
        identity: the rules that complete each run before it is sent; those of the
            configuration by default.

    Raises:
        ConfigurationError: the folder cannot be used, or a setting is wrong.
    """
    from rigbridge.outbox import Outbox, Retention  # not all need it
    from rigbridge.outbox.incoming import IncomingFolder

    retention = make_settings(
        Retention,
        configuration.outbox,
        place="outbox",
        source=configuration.origins.get("outbox"),
    )
    return Outbox.open(
        configuration.data / "outbox",
        # Made in the thread that sends: a hand-over needs no plugin and no network.
        partial(open_destination, configuration, loader),
        name=configuration.destination_name,
        retention=retention,
        observe=observe,
        rules=_rules(configuration.identity if identity is None else identity),
        incoming=incoming_intake(configuration, IncomingFolder(configuration.data)),
    )


def incoming_intake(
    configuration: Configuration, folder: IncomingFolder
) -> IncomingIntake:
    """
    Make what reads the items that were handed over in a folder.

    Args:
        configuration: the settings of the adapters that translate it.
        folder: the folder.
    """
    from rigbridge.outbox.incoming import IncomingIntake

    return IncomingIntake(folder, partial(_translate, configuration))


def _translate(
    configuration: Configuration,
    item: IncomingItem,
    spool: Spool,
    report: ConversionReport,
) -> Run:
    """Translate an item by the adapter that it names, as installed and configured."""
    # An import, which needs no records, finds out whether it has to read at all first.
    from rigbridge.adapters import (
        HandedOverRecord,
        ReadContext,
        RecordAdapter,
    )

    name = item.given.kind
    loader = PluginLoader(ADAPTER_GROUP)
    adapter = make_adapter(name, configuration, loader)
    if not isinstance(adapter, RecordAdapter):
        distribution, version = loader.owner(name)
        raise ConfigurationError(
            f"{name!r} of {distribution} {version} translates no records of programs",
            remedy=f"install the {distribution} that handed the run over",
        )
    context = ReadContext(
        adapter=name,
        adapter_version=loader.owner(name)[1],
        spool=spool,
        report=report,
        time_zone=configuration.time_zone,
    )
    record = HandedOverRecord(id=item.id, content=item.given.content, file=item.file)
    return adapter.translate(record, context)


def _rules(identity: IdentityRules) -> RunRules:
    def apply(run: Run, report: ConversionReport) -> tuple[Run, ConversionReport]:
        return identity.apply(run, name=source_name(run), report=report), report

    return apply


def check_adapters(configuration: Configuration) -> None:
    """
    Make sure that each table of settings belongs to an installed adapter.

    Raises:
        ConfigurationError: nobody reads one of them; names the adapters there are.
    """
    if not configuration.adapters:
        return
    installed = PluginLoader(ADAPTER_GROUP).names
    for name in configuration.adapters:
        if name not in installed:
            raise ConfigurationError(
                "there is no such adapter",
                source=configuration.origins.get("adapters"),
                place=f"adapters.{name}",
                remedy=f"installed: {', '.join(installed)}",
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
        PluginError: it does not load, is no adapter, or has another name than its
            entry point.
        ConfigurationError: a setting that it does not know or take; names the key.
    """
    loader = PluginLoader(ADAPTER_GROUP) if loader is None else loader
    kind = loader.load(name)
    # An entry point may name anything; say who offers what is no adapter.
    if not isinstance(kind, type) or not hasattr(kind, "settings_type"):
        distribution, version = loader.owner(name)
        raise PluginLoadError(
            f"{name!r} of {distribution} {version} is no adapter class",
            remedy="see the contract in rigbridge.adapters",
        )
    make = cast("type[Adapter]", kind)
    # Settings, ledger and ids go by the one name or the other: there must be one.
    if make.name != name:
        distribution, version = loader.owner(name)
        raise PluginLoadError(
            f"the adapter {name!r} of {distribution} {version} calls itself "
            f"{make.name!r}",
            remedy=f"give its entry point in pyproject.toml the name {make.name!r}, "
            "and install it again",
        )
    settings = make_settings(
        make.settings_type,
        configuration.adapters.get(name, {}),
        place=f"adapters.{name}",
        source=configuration.origins.get("adapters"),
    )
    try:
        return make(settings)
    except TypeError as error:
        raise PluginLoadError(
            f"{name!r} cannot be made with its settings: {error}",
            remedy="see the contract in rigbridge.adapters",
        ) from error


def make_settings(
    kind: type[_Settings], given: JSONObject, *, place: str, source: str | None
) -> _Settings:
    """
    Make an attrs class of settings from a table.

    A class with a ``from_mapping`` reads the table itself; of any other the keys are
    its fields.

    Raises:
        ConfigurationError: a key that it does not know, or a value it does not take.
    """
    found = getattr(kind, "from_mapping", None)
    if found is not None:
        from_mapping = cast("Callable[[JSONObject], _Settings]", found)
        try:
            return from_mapping(given)
        except ConfigurationError as error:
            raise ConfigurationError(
                error.message,
                source=error.source or source,
                place=f"{place}.{error.place}" if error.place else place,
                remedy=error.remedy,
            ) from error
    # The alias is the name in __init__: a private field has another one.
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
        make = cast("Callable[..., _Settings]", kind)
        return make(**given)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(str(error), source=source, place=place) from error
