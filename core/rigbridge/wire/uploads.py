"""The bodies of the three calls that attach a file, and of the import call."""

from __future__ import annotations

import attrs
from msgspec import UNSET, UnsetType

from rigbridge.wire.create import WireSubUnit

__all__ = [
    "Identified",
    "ImportRun",
    "InitializeUpload",
    "SyncUpload",
    "UpdateRun",
    "UpdateUnit",
    "UploadGrant",
]


@attrs.frozen(kw_only=True)
class InitializeUpload:
    """``POST /v1/uploads/initialize``; a given size is exact."""

    name: str
    mimeType: str | UnsetType | None = UNSET  # noqa: N815 - the contract's spelling
    sizeBytes: int | UnsetType | None = UNSET  # noqa: N815 - the contract's spelling


@attrs.frozen(kw_only=True)
class UploadGrant:
    """Its answer: where to PUT the bytes, for about a minute."""

    id: str
    uploadUrl: str  # noqa: N815 - the contract's spelling


@attrs.frozen(kw_only=True)
class UpdateRun:
    """``PUT /v1/runs/{run_id}``: links completed uploads to a run."""

    attachments: list[str] | UnsetType | None = UNSET


@attrs.frozen(kw_only=True)
class UpdateUnit:
    """``PATCH /v1/units/{serial_number}``: what is built into the unit."""

    sub_units: list[WireSubUnit] | UnsetType | None = UNSET


@attrs.frozen(kw_only=True)
class SyncUpload:
    """``POST /v1/uploads/sync``: links one upload, on servers without the update."""

    upload_id: str
    run_id: str


@attrs.frozen(kw_only=True)
class ImportRun:
    """
    ``POST /v1/import``: makes a run of an uploaded report.

    ``profile`` (ours) names the profile that a delimited log is to be read by.
    """

    upload_id: str
    importer: str
    client: str | UnsetType | None = UNSET
    client_version: str | UnsetType | None = UNSET
    profile: str | UnsetType | None = UNSET


@attrs.frozen(kw_only=True)
class Identified:
    """An answer that only names the object."""

    id: str
