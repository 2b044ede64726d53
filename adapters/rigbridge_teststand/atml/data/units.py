"""
The units of data: three attributes, a qualifier, and defaults of collections.

By schema a value has one of the attributes. Where several are there the first counts,
and the others are kept.
"""

from __future__ import annotations

from collections.abc import Mapping

from rigbridge.model import JSONValue

__all__ = ["DEFAULT_UNITS", "UNIT_ATTRIBUTES", "default_unit", "unit_of"]

_UNITS = ("unit", "nonStandardUnit", "standardUnit")
_DEFAULTS = ("defaultNonStandardUnit", "defaultStandardUnit")
_QUALIFIER = "unitQualifier"
_DEFAULT_QUALIFIER = "defaultUnitQualifier"

UNIT_ATTRIBUTES = frozenset({*_UNITS, _QUALIFIER})
"""All attributes about the unit of a value."""

DEFAULT_UNITS = frozenset({*_DEFAULTS, _DEFAULT_QUALIFIER})
"""All attributes of a collection about the unit of values that state none."""


def unit_of(given: Mapping[str, str], details: dict[str, JSONValue]) -> str | None:
    """Give the unit of a value."""
    unit: str | None = None
    for name in _UNITS:
        if name in given and (stated := given[name].strip()):
            if unit is None:
                unit = stated
            elif stated != unit:
                details[name] = stated
    if _QUALIFIER in given and (qualifier := given[_QUALIFIER].strip()):
        details[_QUALIFIER] = qualifier
    return unit


def default_unit(
    given: Mapping[str, str], details: dict[str, JSONValue], above: str | None
) -> str | None:
    """Give the unit of values of a collection that state none."""
    unit: str | None = None
    for name in _DEFAULTS:
        if name in given and (stated := given[name].strip()):
            if unit is None:
                unit = stated
            elif stated != unit:
                details[name] = stated
    if _DEFAULT_QUALIFIER in given and (qualifier := given[_DEFAULT_QUALIFIER].strip()):
        details[_QUALIFIER] = qualifier
    return above if unit is None else unit
