"""The bodies of the v2 calls about units."""

from __future__ import annotations

import attrs
from msgspec import UNSET, UnsetType

from rigbridge_store.reading.lists.query import Outcome, Sample
from rigbridge_store.server.v2.bodies.sent_runs import MetadataValue
from rigbridge_store.server.v2.bodies.shared import (
    Maker,
    Meta,
    Named,
    Numbered,
    ShownPart,
)

__all__ = [
    "AddChild",
    "CreateUnit",
    "CreatedDuring",
    "DeletedFiles",
    "LastRun",
    "LinkedUnit",
    "RelatedPart",
    "RelatedUnit",
    "UnitDetails",
    "UnitFile",
    "UnitList",
    "UnitSummary",
    "UpdateUnit2",
]


@attrs.frozen(kw_only=True)
class CreateUnit:
    """``POST /v2/units``; its part and revision exist already."""

    serial_number: str
    part_number: str
    revision_number: str
    sample: Sample | UnsetType | None = UNSET
    metadata: dict[str, MetadataValue] | UnsetType | None = UNSET


@attrs.frozen(kw_only=True)
class UpdateUnit2:
    """``PATCH /v2/units/{serial_number}``; null takes a batch or a sample away."""

    new_serial_number: str | UnsetType | None = UNSET
    part_number: str | UnsetType | None = UNSET
    revision_number: str | UnsetType | None = UNSET
    batch_number: str | UnsetType | None = UNSET
    attachments: list[str] | UnsetType | None = UNSET
    sample: Sample | UnsetType | None = UNSET
    metadata: dict[str, MetadataValue | None] | UnsetType | None = UNSET


@attrs.frozen(kw_only=True)
class AddChild:
    """``PUT /v2/units/{serial_number}/children``."""

    child_serial_number: str


@attrs.frozen(kw_only=True)
class RelatedPart:
    """The part of a related unit."""

    id: str
    number: str
    name: str
    revision: Numbered | None


@attrs.frozen(kw_only=True)
class RelatedUnit:
    """A unit that another is built into, or that is built into it."""

    id: str
    serial_number: str
    part: RelatedPart | None


@attrs.frozen(kw_only=True)
class LinkedUnit:
    """The same in a list."""

    id: str
    serial_number: str


@attrs.frozen(kw_only=True)
class CreatedDuring:
    """The run that brought a unit along."""

    id: str
    created_at: str
    started_at: str
    ended_at: str
    duration: str
    outcome: Outcome
    procedure: Named


@attrs.frozen(kw_only=True)
class UnitFile:
    """A file of a unit; its URL is good for a while, without a key."""

    id: str
    name: str
    size: int | None
    content_type: str | None
    download_url: str | None


@attrs.frozen(kw_only=True)
class UnitDetails:
    """A unit with what is known of it."""

    id: str
    serial_number: str
    created_at: str
    sample: Sample | None
    part: ShownPart
    parent: RelatedUnit | None
    created_by_user: Maker | None
    created_by_station: Named | None
    batch: Numbered | None
    children: list[RelatedUnit]
    created_during: CreatedDuring | None
    attachments: list[UnitFile]
    metadata: dict[str, MetadataValue]


@attrs.frozen(kw_only=True)
class LastRun:
    """The newest run of a unit."""

    id: str
    outcome: Outcome
    started_at: str
    ended_at: str | None
    procedure: Named | None


@attrs.frozen(kw_only=True)
class UnitSummary:
    """A unit in a list."""

    id: str
    serial_number: str
    created_at: str
    sample: Sample | None
    children: list[LinkedUnit]
    part: ShownPart
    created_by_user: Maker | None
    created_by_station: Named | None
    batch: Numbered | None
    parent: LinkedUnit | None
    last_run: LastRun | None
    metadata: dict[str, MetadataValue] | UnsetType = UNSET


@attrs.frozen(kw_only=True)
class UnitList:
    """A page of units."""

    data: list[UnitSummary]
    meta: Meta


@attrs.frozen(kw_only=True)
class DeletedFiles:
    """The ids of the files that were deleted."""

    ids: list[str]
