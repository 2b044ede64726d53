"""The bodies of the v2 calls about parts, revisions and batches."""

from __future__ import annotations

import attrs
from msgspec import UNSET, UnsetType

from rigbridge_store.server.v2.bodies.sent_runs import MetadataValue
from rigbridge_store.server.v2.bodies.shared import (
    Maker,
    Meta,
    Named,
    Numbered,
    ShownPart,
)
from rigbridge_store.server.v2.bodies.units import LinkedUnit

__all__ = [
    "BatchDetails",
    "BatchList",
    "BatchSummary",
    "BatchUnit",
    "ChangedPart",
    "CreateBatch",
    "CreatePart",
    "CreateRevision",
    "DeletedPart",
    "PartDetails",
    "PartList",
    "PartReference",
    "PartSummary",
    "RevisionDetails",
    "RevisionOfPart",
    "UpdateBatch",
    "UpdatePart",
    "UpdateRevision",
]


@attrs.frozen(kw_only=True)
class CreatePart:
    """``POST /v2/parts``."""

    number: str
    name: str | UnsetType | None = UNSET
    revision_number: str | UnsetType | None = UNSET
    metadata: dict[str, MetadataValue] | UnsetType | None = UNSET


@attrs.frozen(kw_only=True)
class UpdatePart:
    """``PATCH /v2/parts/{number}``."""

    new_number: str | UnsetType | None = UNSET
    name: str | UnsetType | None = UNSET
    metadata: dict[str, MetadataValue | None] | UnsetType | None = UNSET


@attrs.frozen(kw_only=True)
class ChangedPart:
    """A part after its change."""

    id: str
    number: str
    name: str
    updated_at: str


@attrs.frozen(kw_only=True)
class DeletedPart:
    """What was deleted with a part."""

    id: str
    deletedRevisionIds: list[str]  # noqa: N815 - the contract's spelling


@attrs.frozen(kw_only=True)
class PartSummary:
    """A part in a list."""

    id: str
    number: str
    name: str
    created_at: str
    revisions: list[Numbered]
    metadata: dict[str, MetadataValue] | UnsetType = UNSET


@attrs.frozen(kw_only=True)
class PartList:
    """A page of parts."""

    data: list[PartSummary]
    meta: Meta


@attrs.frozen(kw_only=True)
class RevisionOfPart:
    """A revision among those of a part."""

    id: str
    number: str
    created_at: str


@attrs.frozen(kw_only=True)
class PartDetails:
    """A part with its revisions."""

    id: str
    number: str
    name: str
    created_at: str
    revisions: list[RevisionOfPart]
    created_by_user: Maker | None
    created_by_station: Named | None
    metadata: dict[str, MetadataValue]


@attrs.frozen(kw_only=True)
class CreateRevision:
    """``POST /v2/parts/{number}/revisions``."""

    number: str
    metadata: dict[str, MetadataValue] | UnsetType | None = UNSET


@attrs.frozen(kw_only=True)
class UpdateRevision:
    """``PATCH /v2/parts/{number}/revisions/{number}``; images are not kept here."""

    number: str | UnsetType | None = UNSET
    metadata: dict[str, MetadataValue | None] | UnsetType | None = UNSET


@attrs.frozen(kw_only=True)
class PartReference:
    """The part of a revision."""

    id: str
    number: str
    name: str


@attrs.frozen(kw_only=True)
class RevisionDetails:
    """A revision with its units."""

    id: str
    number: str
    created_at: str | None
    created_by_user: Maker | None
    created_by_station: Named | None
    part: PartReference
    units: list[LinkedUnit]
    metadata: dict[str, MetadataValue]


@attrs.frozen(kw_only=True)
class CreateBatch:
    """``POST /v2/batches``."""

    number: str


@attrs.frozen(kw_only=True)
class UpdateBatch:
    """``PATCH /v2/batches/{number}``."""

    new_number: str


@attrs.frozen(kw_only=True)
class BatchUnit:
    """A unit of a batch."""

    id: str
    serial_number: str
    created_at: str
    part: ShownPart


@attrs.frozen(kw_only=True)
class BatchDetails:
    """A batch with its units."""

    id: str
    number: str
    created_at: str
    units: list[BatchUnit]
    created_by_user: Maker | None
    created_by_station: Named | None


@attrs.frozen(kw_only=True)
class BatchSummary:
    """A batch in a list."""

    id: str
    number: str
    created_at: str
    unit_count: int
    created_by_user: Maker | None
    created_by_station: Named | None


@attrs.frozen(kw_only=True)
class BatchList:
    """A page of batches."""

    data: list[BatchSummary]
    meta: Meta
