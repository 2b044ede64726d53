"""
Where settings come from, the later over the earlier.

``rigbridge.toml`` of the system, of the user and of the project (the working folder or
the nearest folder above it that has one), then the environment, then arguments.
``TOFUPILOT_URL`` and ``TOFUPILOT_API_KEY`` count where our own are unset. An API key is
taken from an argument, the environment or the keyring, never from a file; nor is a
password.
"""

from __future__ import annotations

import logging
import os
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import attrs

from rigbridge.configuration.model import LOCAL, Configuration
from rigbridge.configuration.values import Setting, checked, is_table
from rigbridge.errors import ConfigurationError
from rigbridge.model.values import JSONObject, JSONValue

__all__ = ["FILE_NAME", "command_line", "load_configuration", "project_file"]

FILE_NAME = "rigbridge.toml"
"""The name of a configuration file in every folder."""

_ENVIRONMENT = {
    "RIGBRIDGE_TO": "to",
    "RIGBRIDGE_DATA": "data",
    "RIGBRIDGE_DATABASE": "database",
    "RIGBRIDGE_ATTACHMENTS": "attachments",
    "RIGBRIDGE_API_KEY": "api_key",
    "RIGBRIDGE_TIME_ZONE": "time_zone",
    "RIGBRIDGE_SIDECAR": "sidecar",
    "RIGBRIDGE_LINKING": "linking",
    "RIGBRIDGE_TIMEOUT": "timeout",
    "RIGBRIDGE_CONNECT_TIMEOUT": "connect_timeout",
    "RIGBRIDGE_CA_BUNDLE": "ca_bundle",
    "RIGBRIDGE_CLIENT_CERTIFICATE": "client_certificate",
    "RIGBRIDGE_CLIENT_KEY": "client_key",
    "RIGBRIDGE_PROXY": "proxy",
    "RIGBRIDGE_HTTP2": "http2",
    "RIGBRIDGE_CONCURRENCY": "concurrency",
}
_PATHS = ("data", "ca_bundle", "client_certificate", "client_key")
_WATCH_PATHS = ("folder", "after_folder", "bad_copy", "bad_move")
_KEYRING_SERVICE = "rigbridge"
"""The service of our keys; the user name is the origin of the store."""

_LOGGER = logging.getLogger("rigbridge.configuration")
_OFFICIAL = {"TOFUPILOT_URL": "to", "TOFUPILOT_API_KEY": "api_key"}


def load_configuration(
    *,
    to: str | None = None,
    data: Path | None = None,
    database: str | None = None,
    attachments: str | None = None,
    api_key: str | None = None,
    time_zone: str | None = None,
    file: Path | None = None,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Configuration:
    """
    Gather the settings.

    Args:
        to: ``local``, a URL or a destination; over everything else.
        database: the address of the store's database; over everything else.
        file: one configuration file to read instead of the usual places.
        folder: where to look for the project's file; the working folder by default.
        environment: the variables; those of the process by default.

    Raises:
        ConfigurationError: an unknown key, a value of the wrong kind, an unreadable
            file; names the file or variable and the key.
    """
    variables = os.environ if environment is None else environment
    settings: dict[str, Setting] = {}
    # A file that is named stands alone: what a service does must not depend on its
    # user.
    for path in [file] if file is not None else _files(folder or Path.cwd()):
        _merge(settings, _read_file(path, required=file is not None))
    # Our own variables come second, and so win over those of the official client.
    for names in (_OFFICIAL, _ENVIRONMENT):
        for variable, key in names.items():
            # An empty variable is how shells and containers leave one out.
            if value := variables.get(variable, "").strip():
                settings[key] = Setting(value=value, origin=f"environment {variable}")
    arguments = {
        "to": to,
        "data": data,
        "database": database,
        "attachments": attachments,
        "api_key": api_key,
        "time_zone": time_zone,
    }
    for key, argument in arguments.items():
        if argument is not None:
            settings[key] = Setting(value=argument, origin="argument")
    # Asked last: finding the folder imports a library.
    if "data" not in settings:
        settings["data"] = Setting(value=_default_data(), origin="default")
    # Nothing leaves the machine unless somebody said where to.
    settings.setdefault("to", Setting(value=LOCAL, origin="default"))
    configuration = checked(settings)
    # The keyring knows stores by their address.
    found = configuration.destination_settings
    if not configuration.is_http or found.api_key is not None:
        return configuration
    url = configuration.destination_settings.url or configuration.to
    stored = _key_from_keyring(url, configuration.to)
    if stored is None:
        return configuration
    origins = {**configuration.origins, "api_key": "keyring"}
    found = attrs.evolve(found, api_key=stored)
    return attrs.evolve(configuration, destination_settings=found, origins=origins)


def _default_data() -> Path:
    import platformdirs  # only where nothing else names the folder

    return platformdirs.user_data_path("rigbridge", appauthor=False)


def _files(folder: Path) -> list[Path]:
    import platformdirs  # only where no file is named

    found = [
        platformdirs.site_config_path("rigbridge", appauthor=False) / FILE_NAME,
        platformdirs.user_config_path("rigbridge", appauthor=False) / FILE_NAME,
    ]
    project = project_file(folder)
    return found if project is None else [*found, project]


def project_file(folder: Path) -> Path | None:
    """Give the configuration file of a folder, or of the nearest above that has one."""
    # Not resolve(): a link to a project belongs to where the link stands.
    start = folder.absolute()
    files = (candidate / FILE_NAME for candidate in (start, *start.parents))
    return next((file for file in files if file.is_file()), None)


def _read_file(path: Path, *, required: bool) -> dict[str, Setting]:
    try:
        with path.open("rb") as stream:
            content: dict[str, JSONValue] = tomllib.load(stream)
    except FileNotFoundError as error:
        if not required:
            return {}
        raise ConfigurationError(
            "there is no such file", source=str(path), remedy="check --config"
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"cannot be read: {error.strerror or error}", source=str(path)
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"is no valid TOML: {error}", source=str(path)
        ) from error
    _refuse_secrets(content, path)
    for key in _PATHS:
        if isinstance(given := content.get(key), str):
            # A relative path in a file is relative to that file.
            content[key] = str(path.absolute().parent / Path(given).expanduser())
    watched = content.get("watch")
    for table in watched if isinstance(watched, list) else ():
        for key in _WATCH_PATHS:
            if is_table(table) and isinstance(given := table.get(key), str):
                place = path.absolute().parent / Path(given).expanduser()
                cast("dict[str, JSONValue]", table)[key] = str(place)
    return {
        key: Setting(value=value, origin=str(path)) for key, value in content.items()
    }


def _refuse_secrets(content: JSONObject, path: Path) -> None:
    # Files are committed and copied: a secret in one is soon everybody's.
    if "api_key" in content:
        raise ConfigurationError(
            "an API key does not belong into a file",
            source=str(path),
            place="api_key",
            remedy="set RIGBRIDGE_API_KEY in the environment, and replace this key",
        )
    for name, table in _tables(content.get("destinations")):
        # Only of stores: another destination may have a setting of that name.
        if "api_key" in table and "url" in table:
            raise ConfigurationError(
                "an API key does not belong into a file",
                source=str(path),
                place=f"destinations.{name}.api_key",
                remedy="set RIGBRIDGE_API_KEY in the environment or store it in the "
                "keyring under that name, and replace this key",
            )
    address = content.get("database")
    if isinstance(address, str) and urlsplit(address).password is not None:
        raise ConfigurationError(
            "a password does not belong into a file",
            source=str(path),
            place="database",
            remedy="set RIGBRIDGE_DATABASE or PGPASSWORD in the environment, or write "
            "it to ~/.pgpass",
        )


def _tables(value: JSONValue | None) -> Iterator[tuple[str, JSONObject]]:
    # What is no table at all is refused later, with the other wrong values.
    for name, table in value.items() if is_table(value) else ():
        if is_table(table):
            yield name, table


def _merge(settings: dict[str, Setting], new: Mapping[str, Setting]) -> None:
    for key, setting in new.items():
        known = settings.get(key)
        # Tables are merged key by key; any other value replaces the earlier one.
        if known is not None and is_table(known.value) and is_table(setting.value):
            merged = {**known.value, **setting.value}
            settings[key] = attrs.evolve(setting, value=merged)
        else:
            settings[key] = setting


def _key_from_keyring(url: str, to: str) -> str | None:
    """
    Look the key for a store up; no keyring means no key, and is no error.

    Args:
        to: the store as the user configured it; a name has a key of its own.

    Raises:
        ConfigurationError: the address is none.
    """
    try:
        import keyring  # an extra, and slow to import
        import keyring.errors
    except ImportError:
        return None
    # It imports httpx, which the client needs in any case once there is a URL.
    from rigbridge.destinations.address import api_address

    origin = api_address(url).removesuffix("/api")
    names = [origin] if to == url else [to, origin]
    try:
        # One by one: a keyring may ask its owner for each.
        found = (keyring.get_password(_KEYRING_SERVICE, name) for name in names)
        return next((key for key in found if key is not None), None)
    except keyring.errors.NoKeyringError:
        return None
    # A locked keyring is common on servers: the key may still come from elsewhere.
    except keyring.errors.KeyringError as error:
        _LOGGER.warning("the keyring gives no key: %s", error)
        return None


def command_line(
    configuration: Configuration, *words: str, to: str | None = None
) -> str:
    """
    Spell a command that does to this data folder and destination what it says.

    A program may have been told other places than the ones that the command finds by
    itself; ``--data`` and ``--to`` name them where they differ.

    Args:
        to: the destination that is meant; that of the configuration by default. Only
            for commands that have ``--to``: an empty text names none.
    """
    try:
        usual: Configuration | None = load_configuration()
    except ConfigurationError:
        # A wrong file or variable: the command is told everything.
        usual = None
    given = ["rigbridge", *words]
    if usual is None or usual.data.absolute() != configuration.data.absolute():
        given += ["--data", str(configuration.data.absolute())]
    target = configuration.destination_name if to is None else to
    if target and (usual is None or usual.destination_name != target):
        given += ["--to", target]
    return shlex.join(given)
