"""The profiles of a site and those that are built in, each with a name of its own."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import cast

from rigbridge_csv.profiles.checks import check_choice, setting_error
from rigbridge_csv.profiles.column_mapping import (
    from_column_mapping,
    is_column_mapping,
)
from rigbridge_csv.profiles.fields import Field, FieldSource
from rigbridge_csv.profiles.profile import CSVProfile, make_profile

__all__ = ["BUILT_IN", "built_in_profiles", "declared_profiles", "named_profile"]

BUILT_IN = CSVProfile(
    name="rigbridge-long",
    fields={
        field: FieldSource(column=field.value)
        for field in Field
        if field is not Field.LIMITS
    },
    optional=tuple(
        field.value
        for field in Field
        if field not in (Field.MEASUREMENT, Field.VALUE, Field.LIMITS)
    ),
)
"""
The profile that needs no configuration: the header names are our own field names.

``measurement`` and ``value`` must be there; every other column may be lacking.
"""

_FILES = ("labview", "oscilloscopes", "in-circuit", "semiconductors", "loggers")


@cache
def built_in_profiles() -> tuple[CSVProfile, ...]:
    """Give the profiles that need no configuration."""
    made: list[CSVProfile] = [BUILT_IN]
    folder = files("rigbridge_csv.profiles") / "built_in"
    for name in _FILES:
        document = tomllib.loads((folder / f"{name}.toml").read_text("utf-8"))
        made.extend(
            make_profile(item, f"{name}[{index}]")
            for index, item in enumerate(document["profiles"])
        )
    return tuple(made)


def declared_profiles(given: Iterable[object]) -> tuple[CSVProfile, ...]:
    """
    Make the profiles of a site.

    A table with ``name`` and ``column_mapping`` is TofuPilot's mapping.

    Raises:
        ConfigurationError: one of them is wrong; names the path of the key.
    """
    made: list[CSVProfile] = []
    taken = {profile.name for profile in built_in_profiles()}
    for index, item in enumerate(given):
        place = f"profiles[{index}]"
        profile = make_profile(_translated(item, place), place)
        # Errors and the report name a profile: the name has to tell which.
        if profile.name in taken:
            raise setting_error(
                f"{profile.name!r} is taken", f"{place}.name", "choose another"
            )
        taken.add(profile.name)
        made.append(profile)
    return tuple(made)


def named_profile(name: str, declared: Iterable[CSVProfile]) -> CSVProfile:
    """
    Give the profile of a name, declared or built in.

    Raises:
        ConfigurationError: there is none; the remedy names the nearest, or all.
    """
    known = {item.name: item for item in (*declared, *built_in_profiles())}
    return known[check_choice(name, known, "profile", "profile")]


def _translated(item: object, place: str) -> object:
    if not isinstance(item, Mapping):
        return item
    given = cast("Mapping[str, object]", item)
    if "column_mapping" not in given:
        return given
    table = dict(given)
    mapping = table.pop("column_mapping")
    inner = f"{place}.column_mapping"
    if not is_column_mapping(mapping):
        raise setting_error("holds no measurements with a layout", inner)
    # What stands beside the mapping (dates, decimal) is added to it.
    return {**from_column_mapping(str(table.get("name")), mapping, inner), **table}
