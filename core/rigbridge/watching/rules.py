"""What is watched, and how: one rule a folder, from the settings or the command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

import attrs
from attrs.validators import ge, instance_of, lt, optional

from rigbridge.adapters import TimeZonePolicy
from rigbridge.adapters.identity import IdentityRules
from rigbridge.configuration import Configuration
from rigbridge.configuration.values import Setting, checked
from rigbridge.errors import ConfigurationError
from rigbridge.imports import After, FileStep
from rigbridge.machine.folders import is_on_network
from rigbridge.model.values import JSONValue
from rigbridge.opening import make_settings
from rigbridge.sources import Selection

__all__ = ["WatchRule", "watch_rules"]

_TEXT = instance_of(str)


def _check_texts(
    table: object, field: attrs.Attribute[Sequence[str]], value: object
) -> None:
    del table
    items: Sequence[object] = [None]
    if isinstance(value, (list, tuple)):
        items = cast("Sequence[object]", value)
    if not all(isinstance(item, str) for item in items):
        raise TypeError(f"{field.name!r} must be a list of texts")


@attrs.frozen(kw_only=True)
class _WatchTable:
    """A table ``[[watch]]`` as it is written."""

    folder: str = attrs.field(validator=_TEXT)
    adapter: str | None = attrs.field(default=None, validator=optional(_TEXT))
    time_zone: str | None = attrs.field(default=None, validator=optional(_TEXT))
    identity: Mapping[str, JSONValue] | None = attrs.field(
        default=None, validator=optional(instance_of(dict))
    )
    include: Sequence[str] = attrs.field(default=(), validator=_check_texts)
    exclude: Sequence[str] = attrs.field(default=(), validator=_check_texts)
    after: str = attrs.field(default=After.KEEP.value, validator=_TEXT)
    after_folder: str | None = attrs.field(default=None, validator=optional(_TEXT))
    bad_copy: str | None = attrs.field(default=None, validator=optional(_TEXT))
    bad_move: str | None = attrs.field(default=None, validator=optional(_TEXT))
    poll: bool | None = attrs.field(default=None, validator=optional(instance_of(bool)))
    settle: float = attrs.field(
        default=2.0, converter=float, validator=[ge(0.1), lt(86400)]
    )


@attrs.frozen(kw_only=True)
class WatchRule:
    """
    One folder to watch.

    Attributes:
        folder: the folder, with all folders below it.
        configuration: the settings that hold for its files.
        adapter: the one adapter that reads them, or None to find out.
        poll: whether to look at intervals instead of waiting for the system's word;
            None for folders of a network only, of which the system says nothing.
        settle: for how many seconds size and time of a file have to stay the same
            before it is taken for complete.
    """

    folder: Path
    configuration: Configuration
    adapter: str | None = None
    selection: Selection = attrs.field(factory=Selection)
    step: FileStep = attrs.field(factory=FileStep)
    poll: bool | None = None
    settle: float = 2.0

    @property
    def polls(self) -> bool:
        """Whether the folder is looked at in intervals."""
        return is_on_network(self.folder) if self.poll is None else self.poll


def watch_rules(configuration: Configuration) -> Iterator[WatchRule]:
    """
    Read the tables ``[[watch]]`` of the settings.

    Raises:
        ConfigurationError: a key is unknown, or a value is wrong.
    """
    origin = configuration.origins.get("watch")
    for number, written in enumerate(configuration.watch):
        place = f"watch[{number}]"
        table = make_settings(_WatchTable, written, place=place, source=origin)
        if table.after not in set(After):
            raise ConfigurationError(
                f"{table.after!r} is not one of {', '.join(After)}",
                source=origin,
                place=f"{place}.after",
            )
        yield WatchRule(
            folder=Path(table.folder).expanduser(),
            configuration=_own(configuration, table, origin),
            adapter=table.adapter,
            selection=Selection(include=table.include, exclude=table.exclude),
            step=FileStep(
                after=After(table.after),
                folder=_path(table.after_folder),
                bad=_path(table.bad_copy or table.bad_move),
                move_bad=table.bad_move is not None,
            ),
            poll=table.poll,
            settle=table.settle,
        )


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text).expanduser()


def _own(
    configuration: Configuration, table: _WatchTable, origin: str | None
) -> Configuration:
    """Put the zone and the identity rules of a folder over those of the site."""
    # These two are needed for the checks alone, and are not taken over.
    given: dict[str, JSONValue] = {"to": "local", "data": str(configuration.data)}
    if table.time_zone is not None:
        given["time_zone"] = table.time_zone
    if table.identity is not None:
        given["identity"] = dict(table.identity)
    named = {
        key: Setting(value=value, origin=origin or "watch")
        for key, value in given.items()
    }
    own = checked(named)
    zone: TimeZonePolicy = configuration.time_zone
    rules: IdentityRules = configuration.identity
    return attrs.evolve(
        configuration,
        time_zone=zone if table.time_zone is None else own.time_zone,
        identity=rules if table.identity is None else own.identity,
    )
