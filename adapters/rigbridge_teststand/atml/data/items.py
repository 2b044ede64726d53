"""The items of a collection: each with its name, and what stands beside it of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from sys import intern

from rigbridge.model import JSONValue
from rigbridge_teststand.atml.account import RunAccount
from rigbridge_teststand.atml.data.values import flatten
from rigbridge_teststand.atml.local_names import NAME
from rigbridge_teststand.vocabulary import parameter_direction
from rigbridge_teststand.xml.elements import Element

__all__ = ["named_items"]

_ATTRIBUTES = ".Attributes"


def named_items(
    items: Sequence[Element], account: RunAccount
) -> Iterator[tuple[str, Element, dict[str, JSONValue]]]:
    """
    Give the items of a collection, in their order.

    Args:
        items: the ``Item`` elements.

    Returns:
        The name of each, its element, and the attributes that a sibling or its own name
        states. An item that only holds the attributes of another is not among them.
    """
    named = [(intern(item.get(NAME, "").strip()), item) for item in items]
    names = {name for name, _ in named}
    described: dict[str, dict[str, JSONValue]] = {}
    for name, item in named:
        # TestStand writes the attributes of X as a sibling X.Attributes.
        if name.endswith(_ATTRIBUTES) and name.removesuffix(_ATTRIBUTES) in names:
            found = described[name.removesuffix(_ATTRIBUTES)] = {}
            flatten(item, "described", found, account)
    for name, item in named:
        if name.removesuffix(_ATTRIBUTES) in described and name not in described:
            continue
        own = described.get(name, {})
        if (direction := parameter_direction(name)) is not None:
            own = {**own, "direction": direction}
        yield name, item, own
