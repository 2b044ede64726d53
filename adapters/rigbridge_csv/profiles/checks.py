"""Settings from plain mappings, as TOML gives them; errors name the path of the key."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import TypeVar, cast

import attrs

from rigbridge.errors import ConfigurationError

__all__ = ["check_choice", "check_texts", "from_mapping", "setting_error"]

_Made = TypeVar("_Made")


def setting_error(
    message: str, place: str, remedy: str | None = None
) -> ConfigurationError:
    """Make the error that names a key."""
    return ConfigurationError(message, place=place, remedy=remedy)


def check_choice(key: object, choices: Iterable[str], what: str, place: str) -> str:
    """
    Give a key back if it is one of the choices.

    Raises:
        ConfigurationError: it is not; the remedy names the nearest, or all.
    """
    names = [str(name) for name in choices]
    if isinstance(key, str) and key in names:
        return key
    close = difflib.get_close_matches(str(key), names, n=1)
    remedy = f"did you mean {close[0]}?" if close else f"one of {', '.join(names)}"
    raise setting_error(f"{key!r} is no {what}", place, remedy)


def check_texts(value: object, place: str) -> None:
    """
    Check for a tuple of texts.

    Raises:
        ConfigurationError: it is none, or one of its members is no text.
    """
    if not isinstance(value, tuple):
        raise setting_error(f"must be a list of texts, not {value!r}", place)
    for index, text in enumerate(cast("tuple[object, ...]", value)):
        if not isinstance(text, str):
            raise setting_error(f"must be a text, not {text!r}", f"{place}[{index}]")


def from_mapping(kind: type[_Made], value: object, place: str) -> _Made:
    """
    Make an attrs object of a mapping whose keys are its attributes.

    Args:
        kind: the attrs class; its own checks name the key within it.
        value: what should be a mapping.
        place: the path of the mapping, put before every key in an error; may be "".

    Raises:
        ConfigurationError: no mapping, an unknown or a missing key, or a bad value.
    """
    if not isinstance(value, Mapping):
        raise setting_error(f"must be a table of settings, not {value!r}", place)
    given = cast("Mapping[object, object]", value)
    fields = {
        field.name: field
        for field in attrs.fields(cast("type[attrs.AttrsInstance]", kind))
        if field.init
    }
    prefix = f"{place}." if place else ""
    # Keys first: for a misspelled key "is missing" would be the wrong hint.
    for key in given:
        check_choice(key, fields, "setting", f"{prefix}{key}")
    for name, field in fields.items():
        if field.default is attrs.NOTHING and name not in given:
            raise setting_error("is missing", f"{prefix}{name}")
    try:
        return kind(**{str(key): item for key, item in given.items()})
    except ConfigurationError as error:
        # The class knows only its own keys; the path before them is known here.
        inner = f"{prefix}{error.place}" if error.place else place or error.place
        raise ConfigurationError(
            error.message, place=inner, remedy=error.remedy
        ) from error
