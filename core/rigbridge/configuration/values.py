"""The checks on settings: unknown keys and wrong kinds are errors that name them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias, TypeGuard, TypeVar, cast, overload

import attrs

from rigbridge.adapters import TimeZonePolicy
from rigbridge.adapters.identity import IdentityRules
from rigbridge.configuration.model import LOCAL, Configuration
from rigbridge.destinations import (
    DESTINATION_GROUP,
    DestinationSettings,
    Linking,
    Sidecar,
)
from rigbridge.errors import ConfigurationError
from rigbridge.machine.plugins import PluginLoader
from rigbridge.model.values import JSONObject, JSONValue

__all__ = ["KEYS", "Setting", "checked", "is_table"]

_DEFAULTS = DestinationSettings(data=Path())
_ADDRESS = ("http://", "https://")
_FLAGS = {"true": True, "1": True, "false": False, "0": False}

_Choice = TypeVar("_Choice", bound=StrEnum)
_Made = TypeVar("_Made")
_Value: TypeAlias = JSONValue | Path

# An address is given by ``to``, a destination's own settings by ``destinations``.
_DERIVED = frozenset({"url", "own"})
KEYS = (
    "to",
    *(
        field.name
        for field in attrs.fields(DestinationSettings)
        if field.name not in _DERIVED
    ),
    "time_zone",
    "time_zones",
    "identity",
    "adapters",
    "destinations",
    "outbox",
    "server",
    "watch",
)
"""Every key that a configuration knows; those of a destination are its settings."""


@attrs.frozen(kw_only=True)
class Setting:
    """A value as it was found, and where."""

    # Never shown: an API key is a value as well.
    value: _Value = attrs.field(repr=False)
    origin: str


def is_table(value: _Value) -> TypeGuard[JSONObject]:
    """Whether a value is a table, whatever its keys hold."""
    return isinstance(value, dict)


def _is_list(value: JSONValue) -> TypeGuard[Sequence[JSONValue]]:
    # A text is a sequence as well, hence not by its abstract type.
    return isinstance(value, list)


def checked(settings: Mapping[str, Setting]) -> Configuration:
    """
    Make a configuration of what was found.

    Raises:
        ConfigurationError: an unknown key or a wrong value; names origin and key.
    """
    for key, setting in settings.items():
        if key not in KEYS:
            raise _wrong(setting, key, "is no known setting", f"known: {_list(KEYS)}")
    reader = _SettingReader(settings)
    to, url = reader.to()
    return Configuration(
        to=to,
        destination_settings=DestinationSettings(
            data=Path(reader.text("data")).expanduser(),
            database=reader.optional_text("database"),
            attachments=reader.optional_text("attachments"),
            url=url,
            api_key=reader.optional_text("api_key"),
            sidecar=reader.choice("sidecar", Sidecar, Sidecar.AUTO),
            linking=reader.choice("linking", Linking, Linking.AUTO),
            timeout=reader.seconds("timeout", _DEFAULTS.timeout),
            connect_timeout=reader.seconds("connect_timeout", None),
            ca_bundle=reader.path("ca_bundle"),
            client_certificate=reader.path("client_certificate"),
            client_key=reader.path("client_key"),
            proxy=reader.optional_text("proxy"),
            http2=reader.flag("http2", default=_DEFAULTS.http2),
            concurrency=reader.count("concurrency", _DEFAULTS.concurrency),
        ),
        time_zone=reader.time_zone(),
        identity=reader.identity(),
        adapters=reader.tables("adapters"),
        destinations=reader.tables("destinations"),
        outbox=reader.table("outbox"),
        server=reader.table("server"),
        watch=reader.table_list("watch"),
        origins={key: setting.origin for key, setting in settings.items()},
    )


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(names)


def _wrong(
    setting: Setting, key: str, message: str, remedy: str | None = None
) -> ConfigurationError:
    return ConfigurationError(message, source=setting.origin, place=key, remedy=remedy)


class _SettingReader:
    """Reads the settings one by one."""

    def __init__(self, settings: Mapping[str, Setting]) -> None:
        self._settings = settings

    def text(self, key: str) -> str:
        setting = self._settings[key]
        if not isinstance(setting.value, (str, Path)) or not str(setting.value):
            raise _wrong(setting, key, "must be text")
        return str(setting.value)

    def optional_text(self, key: str) -> str | None:
        return self.text(key) if key in self._settings else None

    def to(self) -> tuple[str, str | None]:
        """Give the destination, and its address where it has one."""
        value = self.text("to")
        if value == LOCAL:
            return value, None
        if value.startswith(_ADDRESS):
            return value, value
        # Looking at what is installed takes time, so only for what nobody else means.
        installed = PluginLoader(DESTINATION_GROUP).names
        if value not in installed and (url := self._store_url(value)) is not None:
            return value, url
        if value.partition("://")[0] not in installed or value == "http":
            raise _wrong(
                self._settings["to"],
                "to",
                f"{value!r} is neither 'local' nor a URL nor an installed destination",
                "write http:// or https:// in front of the host, or name a store "
                f"by 'destinations.NAME.url'; installed: {_list(installed)}",
            )
        return value, value if "://" in value else None

    def _store_url(self, name: str) -> str | None:
        """Give the address of the run store that the configuration names so."""
        table = self.tables("destinations").get(name, {})
        if "url" not in table:
            return None
        place = f"destinations.{name}"
        setting = self._settings["destinations"]
        for key in table:
            if key != "url":
                raise _wrong(
                    setting,
                    f"{place}.{key}",
                    "is no known setting of a run store",
                    "known: url; the others are those of all stores",
                )
        url = self.texts("destinations", table, place)["url"]
        if not url.startswith(_ADDRESS):
            raise _wrong(
                setting,
                f"{place}.url",
                "must be an address",
                "write http:// or https:// in front of the host",
            )
        return url

    def path(self, key: str) -> Path | None:
        text = self.optional_text(key)
        return None if text is None else Path(text).expanduser()

    def flag(self, key: str, *, default: bool) -> bool:
        setting = self._settings.get(key)
        if setting is None:
            return default
        # As text: the environment has no booleans.
        value = _FLAGS.get(str(setting.value).lower())
        if value is None:
            raise _wrong(setting, key, "must be true or false")
        return value

    def count(self, key: str, default: int) -> int:
        setting = self._settings.get(key)
        if setting is None:
            return default
        text = str(setting.value)
        # isdigit alone also takes digits of other scripts and superscripts.
        if not (text.isascii() and text.isdigit() and int(text) > 0):
            raise _wrong(setting, key, "must be a whole number above 0")
        return int(text)

    @overload
    def seconds(self, key: str, default: float) -> float: ...

    @overload
    def seconds(self, key: str, default: None) -> float | None: ...

    def seconds(self, key: str, default: float | None) -> float | None:
        setting = self._settings.get(key)
        if setting is None:
            return default
        try:
            given = setting.value
            value = float(given) if isinstance(given, str | int | float) else -1.0
        except ValueError:
            value = -1.0
        # NaN fails this comparison, too.
        if not 0 < value < float("inf"):
            raise _wrong(setting, key, "must be a number of seconds above 0")
        return value

    def choice(self, key: str, kind: type[_Choice], default: _Choice) -> _Choice:
        setting = self._settings.get(key)
        if setting is None:
            return default
        try:
            return kind(str(setting.value))
        except ValueError as error:
            known = _list(tuple(kind))
            raise _wrong(setting, key, f"must be one of {known}") from error

    def table(self, key: str) -> JSONObject:
        setting = self._settings.get(key)
        return {} if setting is None else self._as_table(key, setting.value, key)

    def _as_table(self, key: str, value: _Value, place: str) -> JSONObject:
        if not is_table(value):
            raise _wrong(self._settings[key], place, "must be a table")
        return value

    def tables(self, key: str) -> Mapping[str, JSONObject]:
        return {
            name: self._as_table(key, value, f"{key}.{name}")
            for name, value in self.table(key).items()
        }

    def table_list(self, key: str) -> tuple[JSONObject, ...]:
        """Give the tables of a list of them."""
        setting = self._settings.get(key)
        if setting is None:
            return ()
        value = setting.value
        tables = value if not isinstance(value, Path) and _is_list(value) else None
        if tables is None:
            raise _wrong(setting, key, f"must be a list of tables, as [[{key}]]")
        return tuple(
            self._as_table(key, table, f"{key}[{number}]")
            for number, table in enumerate(tables)
        )

    def texts(self, key: str, table: JSONObject, place: str) -> dict[str, str]:
        texts: dict[str, str] = {}
        for name, value in table.items():
            if not isinstance(value, str):
                setting = self._settings[key]
                raise _wrong(setting, f"{place}.{name}", "must be text")
            texts[name] = value
        return texts

    def time_zone(self) -> TimeZonePolicy:
        stations = self.texts("time_zones", self.table("time_zones"), "time_zones")
        # An error names where the zone was set, or else the table of stations.
        key = "time_zone" if "time_zone" in self._settings else "time_zones"
        return self._located(
            key,
            lambda: TimeZonePolicy(
                default=self.optional_text("time_zone"), stations=stations
            ),
        )

    def identity(self) -> IdentityRules:
        table = self.table("identity")
        known = tuple(field.name for field in attrs.fields(IdentityRules))
        for name, value in table.items():
            setting = self._settings["identity"]
            if name not in known:
                message = "is no known setting"
                remedy = f"known: {_list(known)}"
                raise _wrong(setting, f"identity.{name}", message, remedy)
            if name in ("procedures", "operators"):
                place = f"identity.{name}"
                self.texts("identity", self._as_table("identity", value, place), place)
            elif name == "fields":
                self._field_rules(value)
            elif not _is_list(value) or not all(
                isinstance(item, str) for item in value
            ):
                message = "must be a list of expressions"
                raise _wrong(setting, f"identity.{name}", message)
        # Checked above by name and kind; the class compiles its expressions itself.
        make = cast("Callable[..., IdentityRules]", IdentityRules)
        return self._located("identity", lambda: make(**table))

    def _field_rules(self, value: JSONValue) -> None:
        rules = [item for item in value if is_table(item)] if _is_list(value) else []
        if not _is_list(value) or len(rules) < len(value):
            setting = self._settings["identity"]
            raise _wrong(setting, "identity.fields", "must be a list of tables")
        for index, item in enumerate(rules):
            self.texts("identity", item, f"identity.fields[{index}]")

    def _located(self, key: str, make: Callable[[], _Made]) -> _Made:
        try:
            return make()
        except ConfigurationError as error:
            setting = self._settings.get(key)
            raise ConfigurationError(
                error.message,
                source=None if setting is None else setting.origin,
                place=error.place,
                remedy=error.remedy,
            ) from error
