"""
The configuration of a test holds secrets: they are masked before a run leaves.

OpenHTF puts its whole configuration into the metadata of every record, passwords of
instruments and networks included. A value whose key looks secret is replaced, and the
report says so. So is a password within an address (``postgres://user:...@host``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from rigbridge.adapters.text.masking import (
    MASK,
    fits_pattern,
    mask_addresses,
    names_secret,
)
from rigbridge_openhtf.scope import Scope
from rigbridge_openhtf.settings import OpenHTFSettings

__all__ = ["mask_secrets"]

# A configuration is rarely nested; what is deeper stands as text anyway.
_MAX_DEPTH = 20


def mask_secrets(config: Mapping[object, object], scope: Scope) -> dict[object, object]:
    """Copy a configuration without what looks secret, and what a site leaves out."""
    return _masked_fields(config, scope, 0)


def _masked(value: object, scope: Scope, depth: int) -> object:
    if isinstance(value, str):
        shown = mask_addresses(value)
        if shown != value:
            scope.coerced("configuration", "password within an address masked")
        return shown
    if depth >= _MAX_DEPTH:
        return value
    if isinstance(value, (list, tuple)):
        members = cast("Sequence[object]", value)
        return [_masked(each, scope, depth + 1) for each in members]
    if not isinstance(value, Mapping):
        return value
    return _masked_fields(cast("Mapping[object, object]", value), scope, depth)


def _masked_fields(
    value: Mapping[object, object], scope: Scope, depth: int
) -> dict[object, object]:
    kept: dict[object, object] = {}
    for key, each in value.items():
        name = str(key)
        place = scope.at(f".{name}")
        if fits_pattern(name, scope.settings.config_left_out):
            place.dropped("configuration", "left out by config_left_out", name)
        elif _is_secret(name, scope.settings) and each not in (None, "", True, False):
            place.coerced("configuration", "value of a key that looks secret masked")
            kept[key] = MASK
        else:
            kept[key] = _masked(each, place, depth + 1)
    return kept


def _is_secret(name: str, settings: OpenHTFSettings) -> bool:
    return names_secret(name) and not fits_pattern(name, settings.config_kept)
