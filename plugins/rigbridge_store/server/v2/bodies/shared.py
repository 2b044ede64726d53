"""What the bodies of several v2 calls are made of."""

from __future__ import annotations

from typing import Generic, Self, TypeVar

from msgspec import Struct

from rigbridge_store.reading.lists.query import Outcome

__all__ = [
    "Body",
    "Deleted2",
    "LinkedFile",
    "LinkedProcedure",
    "LinkedRun",
    "LinkedStation",
    "LinkedUnit",
    "Maker",
    "Meta",
    "NameFile",
    "Named",
    "NamedPart",
    "Numbered",
    "Page",
    "Person",
    "Sent",
    "ShownPart",
]


T = TypeVar("T")


class Body(Struct, frozen=True):
    """
    A body of a v2 call, or a part of one.

    JSON has the fields in their order here, those of a base first.
    """


class Meta(Body, frozen=True, kw_only=True):
    """Where a list goes on."""

    has_more: bool
    next_cursor: int | None


class Page(Body, Generic[T], frozen=True, kw_only=True):
    """A page of a list."""

    data: list[T]
    meta: Meta


class Named(Body, frozen=True, kw_only=True):
    """Something that others belong to: a procedure, a station or a phase."""

    id: str
    name: str


class LinkedProcedure(Named, frozen=True, kw_only=True):
    """A procedure with its human identifier, which clients before 2.5 demand."""

    identifier: str | None


class LinkedStation(Named, frozen=True, kw_only=True):
    """A station; the oldest clients of v2 demand a further name and an image."""

    identifier: str = ""
    image: None = None


class Numbered(Body, frozen=True, kw_only=True):
    """A revision or a batch; images are not kept, but demanded by old clients."""

    id: str
    number: str
    image: None = None


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
    image: None = None


class Person(Maker, frozen=True, kw_only=True):
    """A user."""

    email: str | None


class Deleted2(Body, frozen=True, kw_only=True):
    """The ids of what was deleted; ``ids`` is what the oldest clients call them."""

    id: list[str]
    ids: list[str]

    @classmethod
    def of(cls, ids: list[str]) -> Self:
        """Make the answer."""
        return cls(id=ids, ids=ids)


class Sent(Body, frozen=True, forbid_unknown_fields=True):
    """A body that clients send; a field that is not kept here is refused by name."""


class NameFile(Sent, frozen=True, kw_only=True):
    """The name of a file that will be sent."""

    name: str


class LinkedFile(Body, frozen=True, kw_only=True):
    """A file of a run or a unit; its URL is good for a while, without a key."""

    id: str
    name: str
    size: int | None
    content_type: str | None
    download_url: str | None
