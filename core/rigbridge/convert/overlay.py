"""
The difference between two JSON documents, and its application.

An overlay holds what a base document lacks to become the target. It is made of three
kinds of node: ``{"=": value}`` puts a value, ``{"-": 1}`` in an object takes a key
away, and ``{"~": {key or index: node}}`` descends. A list whose length differs is put
as a whole, all others member by member. None stands for "no difference".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from rigbridge.model import JSONObject, JSONValue
from rigbridge.model.values import same_value

__all__ = [
    "PUT",
    "REMOVE",
    "WITHIN",
    "added_at",
    "apply",
    "change_members",
    "difference",
    "nodes_within",
    "paths",
]

PUT, REMOVE, WITHIN = "=", "-", "~"
"""The keys of the three kinds of node."""


def difference(base: JSONValue, target: JSONValue) -> dict[str, JSONValue] | None:
    """
    Compute what turns the base into the target.

    Both are strict JSON values. Types count: 1, 1.0 and true are three values.

    Returns:
        The overlay, itself strict JSON, or None where nothing differs.
    """
    if isinstance(base, Mapping) and isinstance(target, Mapping):
        nodes: dict[str, JSONValue] = {
            key: {REMOVE: 1} for key in base if key not in target
        }
        for key, value in target.items():
            node = difference(base[key], value) if key in base else {PUT: value}
            if node is not None:
                nodes[key] = node
        return {WITHIN: nodes} if nodes else None
    # Of another length an index would name another member, so such lists are put as a
    # whole.
    if isinstance(base, list) and isinstance(target, list) and len(base) == len(target):
        within: dict[str, JSONValue] = {
            str(index): node
            for index, (left, right) in enumerate(zip(base, target, strict=True))
            if (node := difference(left, right)) is not None
        }
        return {WITHIN: within} if within else None
    return None if same_value(base, target) else {PUT: target}


def apply(base: JSONValue, overlay: JSONObject | None) -> JSONValue:
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
    nodes = nodes_within(overlay)
    if isinstance(base, list):
        members = list(base)
        for key, node in nodes.items():
            members[int(key)] = apply(members[int(key)], node)
        return members
    if not isinstance(base, Mapping):
        raise TypeError(f"a {type(base).__name__} has no members to change")
    result = dict(base)
    for key, node in nodes.items():
        if REMOVE in node:
            del result[key]
        else:
            # A key that the base lacks begins with nothing.
            result[key] = apply(result.get(key), node)
    return result


def nodes_within(overlay: JSONObject) -> Mapping[str, JSONObject]:
    """
    Give the nodes that an overlay descends to.

    Raises:
        KeyError, TypeError: the overlay does not descend, or is malformed.
    """
    nodes = overlay[WITHIN]
    if not isinstance(nodes, Mapping):
        raise TypeError(f"{WITHIN!r} holds no object")
    for key, node in nodes.items():
        if not isinstance(node, Mapping):
            raise TypeError(f"the node {key!r} is no object")
    return cast("Mapping[str, JSONObject]", nodes)


def paths(overlay: JSONObject | None, path: str = "$") -> Iterator[str]:
    """Go through the paths that an overlay changes (``$.phases[3].attributes``)."""
    if overlay is None:
        return
    if WITHIN not in overlay:
        yield path
        return
    for key, node in nodes_within(overlay).items():
        step = f"[{key}]" if key.isdigit() else f".{key}"
        yield from paths(node, path + step)


def added_at(overlay: JSONValue, *path: str) -> JSONValue:
    """
    Give what an overlay puts at a place where the base has nothing, or an empty object.

    Args:
        overlay: any JSON value; one that is no overlay adds nothing.
        path: the keys and indices that lead to the place.

    Raises:
        KeyError, IndexError, TypeError, ValueError: the overlay is malformed there.
    """
    node = overlay
    for step in path:
        within = node.get(WITHIN) if isinstance(node, Mapping) else None
        node = within.get(step) if isinstance(within, Mapping) else None
    return apply({}, node if isinstance(node, Mapping) else None)


def change_members(
    overlay: JSONObject | None, name: str, changes: JSONObject
) -> dict[str, JSONValue]:
    """
    Change members of an object that the base has empty; None takes one away.

    Args:
        overlay: the overlay, which stays as it is, or None.
    """
    nodes = dict(nodes_within(overlay or {WITHIN: {}}))
    members = dict(nodes_within(nodes.get(name, {WITHIN: {}})))
    for key, value in changes.items():
        members.pop(key, None)
        if value is not None:
            members[key] = {PUT: value}
    return {WITHIN: {**nodes, name: {WITHIN: members}}}
