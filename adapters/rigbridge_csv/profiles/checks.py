"""Settings from plain mappings, as TOML gives them; errors name the path of the key."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, TypeVar, cast

import attrs

from rigbridge.errors import ConfigurationError

__all__ = [
    "boolean",
    "check_choice",
    "check_renamed",
    "check_texts",
    "compiled",
    "from_mapping",
    "is_pattern",
    "members",
    "optional_count",
    "optional_text",
    "required_text",
    "setting_error",
    "table",
    "text_or_texts",
    "texts",
]

_RENAMED: Mapping[str, str] = {
    "layout": 'form: form = "long"',
    "date_formats": "dates",
    "columns": 'fields: fields.serial_number = "SN"',
    "constants": 'fields: fields.procedure = {value = "ICT"}',
    "run_key": 'runs: runs = ["serial_number", "started_at"]',
    "limit_pair": "the pattern of fields.limits: fields.limits = {column = "
    "\"Limits\", pattern = '(?P<upper>.*)/(?P<lower>.*)'}",
}

_Made = TypeVar("_Made")
_Attribute: TypeAlias = "attrs.Attribute[Any]"


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
        place: the path of the mapping, put before every key in an error; may be "".

    Raises:
        ConfigurationError: no mapping, an unknown or a missing key, or a bad value.
    """
    if not isinstance(value, Mapping):
        raise setting_error(f"must be a table of settings, not {value!r}", place)
    given = cast("Mapping[object, object]", value)
    fields = {
        # ``is`` is a word of Python, so its attribute is ``is_``.
        field.name.rstrip("_"): field
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
        return kind(**{fields[str(key)].alias: item for key, item in given.items()})
    except ConfigurationError as error:
        # The class knows only its own keys; the path before them is known here.
        inner = f"{prefix}{error.place}" if error.place else place or error.place
        raise ConfigurationError(
            error.message, place=inner, remedy=error.remedy
        ) from error


def table(value: object, place: str) -> Mapping[str, object]:
    """
    Give a table back.

    Raises:
        ConfigurationError: it is none.
    """
    if not isinstance(value, Mapping):
        raise setting_error(f"must be a table, not {value!r}", place)
    return cast("Mapping[str, object]", value)


def members(value: object) -> tuple[str, ...]:
    """Give the members of a list; the validator says what is wrong with another."""
    if isinstance(value, Iterable) and not isinstance(value, (str, Mapping)):
        return tuple(cast("Iterable[str]", value))
    return cast("tuple[str, ...]", value)


def required_text(_instance: object, attribute: _Attribute, value: object) -> None:
    """Validate a text that is not blank."""
    if not isinstance(value, str) or not value.strip():
        raise setting_error(f"must be a text, not {value!r}", attribute.name)


def optional_text(instance: object, attribute: _Attribute, value: object) -> None:
    """Validate a text that is not blank, or None."""
    if value is not None:
        required_text(instance, attribute, value)


def texts(_instance: object, attribute: _Attribute, value: object) -> None:
    """Validate a tuple of texts."""
    check_texts(value, attribute.name)


def boolean(_instance: object, attribute: _Attribute, value: object) -> None:
    """Validate true or false."""
    if not isinstance(value, bool):
        raise setting_error(f"must be true or false, not {value!r}", attribute.name)


def optional_count(_instance: object, attribute: _Attribute, value: object) -> None:
    """Validate a number counted from 1, or None."""
    if value is not None and (type(value) is not int or value < 1):
        raise setting_error(
            f"must be a number counted from 1, not {value!r}", attribute.name
        )


def compiled(value: object) -> re.Pattern[str] | None:
    """Compile a regular expression; :func:`is_pattern` says what is wrong with one."""
    try:
        return re.compile(cast("str", value)) if value else None
    except (re.error, TypeError):
        return cast("re.Pattern[str]", value)


def is_pattern(_instance: object, attribute: _Attribute, value: object) -> None:
    """Validate a compiled regular expression, or None."""
    if value is None or isinstance(value, re.Pattern):
        return
    name = attribute.name.rstrip("_")
    problem = f"must be a regular expression, not {value!r}"
    if isinstance(value, str):
        try:
            re.compile(value)
        except re.error as error:
            problem = f"{value!r} is no regular expression: {error}"
    raise setting_error(
        problem,
        name,
        "in TOML write it between single quotes, so that a backslash stays one",
    )


def text_or_texts(value: object) -> tuple[str, ...]:
    """Give a text alone, or the members of a list."""
    return (value,) if isinstance(value, str) else members(value)


def check_renamed(given: Mapping[str, object], place: str) -> None:
    """
    Refuse a key of the former language, and name the one that replaces it.

    Raises:
        ConfigurationError: one is there; names its path.
    """
    for key in given:
        if key in _RENAMED:
            raise setting_error(
                f"{key} is no key any more",
                f"{place}.{key}" if place else key,
                f"write {_RENAMED[key]}",
            )
