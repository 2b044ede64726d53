"""
The difference between two JSON documents, and its application.

An overlay holds what a base document lacks to become the target. It is made of three
kinds of node: ``{"=": value}`` puts a value, ``{"-": 1}`` in an object takes a key
away, and ``{"~": {key or index: node}}`` descends. A list whose length differs is put
as a whole, all others member by member. None stands for "no difference".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rigbridge.model.values import same_value

__all__ = ["PUT", "REMOVE", "WITHIN", "apply", "difference", "paths"]

PUT, REMOVE, WITHIN = "=", "-", "~"
"""The keys of the three kinds of node."""


def difference(base: Any, target: Any) -> dict[str, Any] | None:
    """
    Compute what turns the base into the target.

    Both are strict JSON values. Types count: 1, 1.0 and true are three values.

    Returns:
        The overlay, itself strict JSON, or None where nothing differs.
    """
    if isinstance(base, Mapping) and isinstance(target, Mapping):
        nodes: dict[str, Any] = {key: {REMOVE: 1} for key in base if key not in target}
        for key, value in target.items():
            node = difference(base[key], value) if key in base else {PUT: value}
            if node is not None:
                nodes[key] = node
        return {WITHIN: nodes} if nodes else None
    if isinstance(base, list) and isinstance(target, list) and len(base) == len(target):
        within = {
            str(index): node
            for index, (left, right) in enumerate(zip(base, target, strict=True))
            if (node := difference(left, right)) is not None
        }
        return {WITHIN: within} if within else None
    return None if same_value(base, target) else {PUT: target}


def apply(base: Any, overlay: Mapping[str, Any] | None) -> Any:
    """
    Turn a base into the target that the overlay was computed for.

    Raises:
        KeyError, IndexError, TypeError, ValueError: the overlay does not belong to
            this base.
    """
    if overlay is None:
        return base
    if PUT in overlay:
        return overlay[PUT]
    nodes = overlay[WITHIN]
    if isinstance(base, list):
        members = list(base)
        for key, node in nodes.items():
            members[int(key)] = apply(members[int(key)], node)
        return members
    result = dict(base)
    for key, node in nodes.items():
        if REMOVE in node:
            del result[key]
        else:
            result[key] = apply(result.get(key), node)
    return result


def paths(overlay: Mapping[str, Any] | None, path: str = "$") -> Iterator[str]:
    """Go through the paths that an overlay changes (``$.phases[3].attributes``)."""
    if overlay is None:
        return
    if WITHIN not in overlay:
        yield path
        return
    for key, node in overlay[WITHIN].items():
        step = f"[{key}]" if key.isdigit() else f".{key}"
        yield from paths(node, path + step)
