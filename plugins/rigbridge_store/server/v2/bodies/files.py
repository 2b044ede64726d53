"""The bodies of the v2 calls about files, and about reports that are sent as such."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, UnsetType

from rigbridge_store.server.v2.bodies.shared import Body, Sent

__all__ = [
    "FileURL",
    "ImportItem",
    "ImportReports",
    "ImportResult",
    "ImportResults",
    "ImportTable",
    "ImportedTable",
    "UploadGrant2",
]


class UploadGrant2(Body, frozen=True, kw_only=True):
    """Where to PUT the bytes of a file, within a minute."""

    id: str
    upload_url: str


class FileURL(Body, frozen=True, kw_only=True):
    """Where a file can be had for a while, without a key."""

    url: str


class ImportItem(Sent, frozen=True, kw_only=True):
    """An uploaded report, and the importer, or profile (ours), to read it by."""

    upload_id: str
    importer: str
    profile: str | UnsetType | None = UNSET


class ImportReports(Sent, frozen=True, kw_only=True):
    """``POST /v2/imports/structured``."""

    items: list[ImportItem]
    allow_duplicate: bool | UnsetType | None = UNSET


class ImportResult(Body, frozen=True, kw_only=True):
    """What became of one report."""

    upload_id: str
    success: bool
    id: str | UnsetType = UNSET
    ids: list[str] | UnsetType = UNSET
    already_imported: bool | UnsetType = UNSET
    warnings: list[str] | UnsetType = UNSET
    error: str | UnsetType = UNSET


class ImportResults(Body, frozen=True, kw_only=True):
    """What became of the reports, in their order."""

    results: list[ImportResult]


class ImportTable(Sent, frozen=True, kw_only=True):
    """``POST /v2/imports/tabular``: a table, and what its columns are."""

    upload_id: str
    procedure_id: str
    mapping: dict[str, Any] | UnsetType | None = UNSET
    template_id: str | UnsetType | None = UNSET


class ImportedTable(Body, frozen=True, kw_only=True):
    """The first run of a table, and (ours) all of them, and what was left out."""

    id: str
    file_import_id: str
    ids: list[str] | UnsetType = UNSET
    already_imported: bool | UnsetType = UNSET
    warnings: list[str] | UnsetType = UNSET
