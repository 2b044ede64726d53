"""The bodies of the v2 calls about units, parts, revisions and batches."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType, field

from rigbridge_store.reading.lists.query import Sample
from rigbridge_store.server.v2.bodies.sent_runs import MetadataValue
from rigbridge_store.server.v2.bodies.shared import (
    Body,
    LinkedFile,
    LinkedRun,
    LinkedStation,
    LinkedUnit,
    Maker,
    Named,
    NamedPart,
    Numbered,
    Sent,
    ShownPart,
)

__all__ = [
    "AddChild",
    "BatchDetails",
    "BatchSummary",
    "BatchUnit",
    "ChangedPart",
    "CreateBatch",
    "CreatePart",
    "CreateRevision",
    "CreateUnit",
    "CreatedDuring",
    "DeletedFiles",
    "DeletedPart",
    "LastRun",
    "PartDetails",
    "PartSummary",
    "RelatedPart",
    "RelatedUnit",
    "RevisionDetails",
    "RevisionOfPart",
    "UnitDetails",
    "UnitSummary",
    "UpdateBatch",
    "UpdatePart",
    "UpdateRevision",
    "UpdateUnit2",
]


class CreateUnit(Sent, frozen=True, kw_only=True):
    """``POST /v2/units``; its part and revision exist already."""

    serial_number: str
    part_number: str
    revision_number: str
    sample: Sample | UnsetType | None = UNSET
    metadata: dict[str, MetadataValue] | UnsetType | None = UNSET


class UpdateUnit2(Sent, frozen=True, kw_only=True):
    """``PATCH /v2/units/{serial_number}``; null takes a batch or a sample away."""

    new_serial_number: str | UnsetType | None = UNSET
    part_number: str | UnsetType | None = UNSET
    revision_number: str | UnsetType | None = UNSET
    batch_number: str | UnsetType | None = UNSET
    attachments: list[str] | UnsetType | None = UNSET
    sample: Sample | UnsetType | None = UNSET
    metadata: dict[str, MetadataValue | None] | UnsetType | None = UNSET


class AddChild(Sent, frozen=True, kw_only=True):
    """``PUT /v2/units/{serial_number}/children``."""

    child_serial_number: str


class RelatedPart(NamedPart, frozen=True, kw_only=True):
    """The part of a related unit."""

    revision: Numbered | None


class RelatedUnit(LinkedUnit, frozen=True, kw_only=True):
    """A unit that another is built into, or that is built into it."""

    part: RelatedPart | None


class CreatedDuring(LinkedRun, frozen=True, kw_only=True):
    """The run that brought a unit along."""

    created_at: str
    ended_at: str
    duration: str
    procedure: Named


class UnitDetails(LinkedUnit, frozen=True, kw_only=True):
    """A unit with what is known of it."""

    created_at: str
    sample: Sample | None
    part: ShownPart
    parent: RelatedUnit | None
    created_by_user: Maker | None
    created_by_station: LinkedStation | None
    batch: Numbered | None
    children: list[RelatedUnit]
    created_during: CreatedDuring | None
    attachments: list[LinkedFile]
    metadata: dict[str, MetadataValue]


class LastRun(LinkedRun, frozen=True, kw_only=True):
    """The newest run of a unit."""

    ended_at: str | None
    procedure: Named | None


class UnitSummary(LinkedUnit, frozen=True, kw_only=True):
    """A unit in a list."""

    created_at: str
    sample: Sample | None
    children: list[LinkedUnit]
    part: ShownPart
    created_by_user: Maker | None
    created_by_station: LinkedStation | None
    batch: Numbered | None
    parent: LinkedUnit | None
    last_run: LastRun | None
    metadata: dict[str, MetadataValue] | UnsetType = UNSET


class DeletedFiles(Body, frozen=True, kw_only=True):
    """The ids of the files that were deleted."""

    ids: list[str]


class CreatePart(Sent, frozen=True, kw_only=True):
    """``POST /v2/parts``."""

    number: str
    name: str | UnsetType | None = UNSET
    revision_number: str | UnsetType | None = UNSET
    metadata: dict[str, MetadataValue] | UnsetType | None = UNSET


class UpdatePart(Sent, frozen=True, kw_only=True):
    """``PATCH /v2/parts/{number}``."""

    new_number: str | UnsetType | None = UNSET
    name: str | UnsetType | None = UNSET
    metadata: dict[str, MetadataValue | None] | UnsetType | None = UNSET


class ChangedPart(NamedPart, frozen=True, kw_only=True):
    """A part after its change."""

    updated_at: str


class DeletedPart(Body, frozen=True, kw_only=True):
    """What was deleted with a part."""

    id: str
    deletedRevisionIds: list[str]  # noqa: N815 - the contract's spelling


class PartSummary(NamedPart, frozen=True, kw_only=True):
    """A part in a list."""

    created_at: str
    revisions: list[Numbered]
    metadata: dict[str, MetadataValue] | UnsetType = UNSET


class RevisionOfPart(Numbered, frozen=True, kw_only=True):
    """A revision among those of a part."""

    created_at: str


class PartDetails(NamedPart, frozen=True, kw_only=True):
    """A part with its revisions."""

    created_at: str
    revisions: list[RevisionOfPart]
    created_by_user: Maker | None
    created_by_station: LinkedStation | None
    metadata: dict[str, MetadataValue]


class CreateRevision(Sent, frozen=True, kw_only=True):
    """``POST /v2/parts/{number}/revisions``."""

    number: str
    metadata: dict[str, MetadataValue] | UnsetType | None = UNSET


class UpdateRevision(Sent, frozen=True, kw_only=True):
    """``PATCH /v2/parts/{number}/revisions/{number}``; an image can only go."""

    number: str | UnsetType | None = UNSET
    image_id: Literal[""] | UnsetType | None = UNSET
    metadata: dict[str, MetadataValue | None] | UnsetType | None = UNSET


class RevisionDetails(Numbered, frozen=True, kw_only=True):
    """A revision with its units."""

    created_at: str | None
    created_by_user: Maker | None
    created_by_station: LinkedStation | None
    part: NamedPart
    units: list[LinkedUnit]
    metadata: dict[str, MetadataValue]


class CreateBatch(Sent, frozen=True, kw_only=True):
    """``POST /v2/batches``."""

    number: str


class UpdateBatch(Sent, frozen=True, kw_only=True):
    """``PATCH /v2/batches/{number}``."""

    new_number: str


class BatchUnit(LinkedUnit, frozen=True, kw_only=True):
    """A unit of a batch."""

    created_at: str
    part: ShownPart


class BatchDetails(Numbered, frozen=True, kw_only=True):
    """A batch with its units."""

    created_at: str
    units: list[BatchUnit]
    created_by_user: Maker | None
    created_by_station: LinkedStation | None


class BatchSummary(Numbered, frozen=True, kw_only=True):
    """A batch in a list."""

    created_at: str
    unit_count: int
    # Only the oldest clients demand it; a batch has its units where it is shown alone.
    units: list[BatchUnit] = field(default_factory=list[BatchUnit])
    created_by_user: Maker | None
    created_by_station: LinkedStation | None
