"""What the bodies of several v2 calls are made of."""

from __future__ import annotations

from msgspec import Struct

from rigbridge_store.reading.lists.query import Outcome

__all__ = [
    "Body",
    "Deleted2",
    "LinkedFile",
    "LinkedRun",
    "LinkedUnit",
    "Maker",
    "Meta",
    "NameFile",
    "Named",
    "NamedPart",
    "Numbered",
    "Person",
    "ShownPart",
]


class Body(Struct, frozen=True):
    """
    A body of a v2 call, or a part of one.

    JSON has the fields in their order here, those of a base first.
    """


class Meta(Body, frozen=True, kw_only=True):
    """Where a list goes on."""

    has_more: bool
    next_cursor: int | None


class Named(Body, frozen=True, kw_only=True):
    """Something that others belong to: a procedure, a station or a phase."""

    id: str
    name: str


class Numbered(Body, frozen=True, kw_only=True):
    """A revision or a batch."""

    id: str
    number: str


class LinkedRun(Body, frozen=True, kw_only=True):
    """A run that something belongs to."""

    id: str
    outcome: Outcome
    started_at: str


class LinkedUnit(Body, frozen=True, kw_only=True):
    """A unit that something belongs to."""

    id: str
    serial_number: str


class NamedPart(Body, frozen=True, kw_only=True):
    """A part."""

    id: str
    number: str
    name: str


class ShownPart(NamedPart, frozen=True, kw_only=True):
    """The part that a unit is one of."""

    revision: Numbered


class Maker(Body, frozen=True, kw_only=True):
    """A user who created something."""

    id: str
    name: str | None


class Person(Maker, frozen=True, kw_only=True):
    """A user."""

    email: str | None


class Deleted2(Body, frozen=True, kw_only=True):
    """The ids of what was deleted."""

    id: list[str]


class NameFile(Body, frozen=True, kw_only=True):
    """The name of a file that will be sent."""

    name: str


class LinkedFile(Body, frozen=True, kw_only=True):
    """A file of a run or a unit; its URL is good for a while, without a key."""

    id: str
    name: str
    size: int | None
    content_type: str | None
    download_url: str | None
