"""
What was handed over and is not queued yet: one folder, and one document in it.

``item.json`` says what the folder holds. Its version is raised when an older program
could misread it. ``content`` belongs to the kind of the item: the document of a run, or
a record as its source gave it, which the adapter of that name translates.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import cast
from uuid import UUID

import attrs
import msgspec

from rigbridge.errors import MalformedSourceError
from rigbridge.model import JSONObject

__all__ = [
    "ITEM_FILE",
    "RUN_KIND",
    "UNREADABLE_KIND",
    "IncomingItem",
    "ItemContent",
    "ItemRefusal",
    "decode_item",
    "encode_item",
    "is_item_name",
]

ITEM_FILE = "item.json"
"""The name of the document within the folder of an item."""

RUN_KIND = "run"
"""The kind of an item whose content is a run; any other names an adapter."""

UNREADABLE_KIND = "unreadable"
"""The kind of an item whose document cannot be read; its files are still there."""

_VERSION = 1


@attrs.frozen(kw_only=True)
class ItemContent:
    """
    What is handed over, beside its files.

    Attributes:
        kind: ``run``, or the entry-point name of the adapter that translates it.
        content: JSON, as that adapter wants it.
        destination: the name of the destination that it is for; None for the first
            that somebody sends to.
        serial_number: of its unit, for lists; None if unknown.
        procedure: the name or id of its procedure, likewise.
        identity: rules of identity that the program itself gave, as they stand in a
            configuration, or None.
    """

    kind: str
    content: bytes = attrs.field(repr=False)
    destination: str | None = None
    serial_number: str | None = None
    procedure: str | None = None
    identity: JSONObject | None = None


@attrs.frozen(kw_only=True)
class ItemRefusal:
    """
    Why an item could not be translated.

    Attributes:
        reason: for a person.
        at: when it was tried.
    """

    reason: str
    at: datetime = attrs.field(factory=lambda: datetime.now(UTC))


@attrs.frozen(kw_only=True)
class IncomingItem:
    """
    An item as it lies in its folder.

    Attributes:
        handed_over_at: when.
        refusal: why it could not be translated, or None.
    """

    id: UUID
    given: ItemContent
    handed_over_at: datetime
    folder: Path
    refusal: ItemRefusal | None = None

    def file(self, name: str) -> Path | None:
        """Give a file by its name in the folder; None if it is not there."""
        # From a document that somebody may have edited: a name must stay a name.
        path = self.folder / Path(name).name
        return path if path.is_file() else None


@attrs.frozen(kw_only=True)
class _Document:
    rigbridge_item: int
    id: UUID
    kind: str
    handed_over_at: datetime
    destination: str | None = None
    serial_number: str | None = None
    procedure: str | None = None
    identity: dict[str, object] | None = None
    content: msgspec.Raw


# Made once: a class of attrs is looked at anew each time otherwise.
_decoder = msgspec.json.Decoder(_Document)


def is_item_name(name: str) -> bool:
    """Whether a folder of that name may be an item: it is the id of a run."""
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False


def encode_item(item_id: UUID, given: ItemContent) -> bytes:
    """Write the document of an item that is handed over now."""
    return msgspec.json.encode(
        # In this order: the mark comes first, since detection looks at the beginning.
        {
            "rigbridge_item": _VERSION,
            "id": item_id,
            "kind": given.kind,
            "handed_over_at": datetime.now(UTC),
            "destination": given.destination,
            "serial_number": _as_unicode(given.serial_number),
            "procedure": _as_unicode(given.procedure),
            "identity": given.identity,
            "content": msgspec.Raw(given.content),
        }
    )


def _as_unicode(text: str | None) -> str | None:
    # Both are for lists only, and JSON has no lone surrogates: a scanner may give bytes
    # that are no UTF-8, and Python makes such text of them.
    return None if text is None else text.encode("utf-8", "backslashreplace").decode()


def decode_item(folder: Path) -> IncomingItem:
    """
    Read the item in a folder.

    Raises:
        MalformedSourceError: it is none, or one of a later version.
        OSError: it cannot be read.
    """
    path = folder / ITEM_FILE
    try:
        found = _decoder.decode(path.read_bytes())
    except (msgspec.MsgspecError, RecursionError) as error:
        raise MalformedSourceError(
            f"is no item of the outbox: {error}", source=str(path)
        ) from error
    if found.rigbridge_item != _VERSION:
        raise MalformedSourceError(
            f"is of version {found.rigbridge_item}, which this rigbridge does not know",
            source=str(path),
            remedy="install the rigbridge that wrote it, or a later one",
        )
    if str(found.id) != folder.name:
        # Removing is by the folder's name: a renamed copy would pass for another run.
        raise MalformedSourceError(
            "holds another run than its folder's name says", source=str(path)
        )
    return IncomingItem(
        id=found.id,
        given=ItemContent(
            kind=found.kind,
            content=bytes(found.content),
            destination=found.destination,
            serial_number=found.serial_number,
            procedure=found.procedure,
            identity=cast("JSONObject | None", found.identity),
        ),
        handed_over_at=found.handed_over_at,
        folder=folder,
    )
