"""What the bodies of several v2 calls are made of."""

from __future__ import annotations

import attrs

__all__ = [
    "Deleted2",
    "Maker",
    "Meta",
    "NameFile",
    "Named",
    "Numbered",
    "Person",
    "ShownPart",
]


@attrs.frozen(kw_only=True)
class Meta:
    """Where a list goes on."""

    has_more: bool
    next_cursor: int | None


@attrs.frozen(kw_only=True)
class Named:
    """Something that others belong to: a procedure, a station or a phase."""

    id: str
    name: str


@attrs.frozen(kw_only=True)
class Numbered:
    """A revision or a batch."""

    id: str
    number: str


@attrs.frozen(kw_only=True)
class ShownPart:
    """The part that a unit is one of."""

    id: str
    number: str
    name: str
    revision: Numbered


@attrs.frozen(kw_only=True)
class Person:
    """A user."""

    id: str
    name: str | None
    email: str | None


@attrs.frozen(kw_only=True)
class Maker:
    """A user who created something."""

    id: str
    name: str | None


@attrs.frozen(kw_only=True)
class Deleted2:
    """The ids of what was deleted."""

    id: list[str]


@attrs.frozen(kw_only=True)
class NameFile:
    """The name of a file that will be sent."""

    name: str
