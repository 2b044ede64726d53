"""
The answer of ``GET /v1/runs``: the runs of one unit, newest first.

A client treats every field but ``id`` as optional. Our server sends all of them, and
the phases, logs, attachments and sub-units as well.
"""

from __future__ import annotations

import attrs
from msgspec import UNSET, UnsetType

from rigbridge.model import JSONValue
from rigbridge.wire.create import WireLog, WirePhase, WireSubUnit

__all__ = [
    "ListedAttachment",
    "ListedBatch",
    "ListedPart",
    "ListedProcedure",
    "ListedRevision",
    "ListedRun",
    "ListedStation",
    "ListedUnit",
    "ListedUser",
    "ListedVersion",
]


@attrs.frozen(kw_only=True)
class ListedUser:
    """A user who created or operated a run."""

    id: str
    name: str | None = None
    email: str | None = None
    image: str | None = None


@attrs.frozen(kw_only=True)
class ListedStation:
    """The station that created a run."""

    id: str
    name: str | None = None
    image: str | None = None


@attrs.frozen(kw_only=True)
class ListedVersion:
    """A version of a procedure."""

    id: str
    tag: str | None = None


@attrs.frozen(kw_only=True)
class ListedProcedure:
    """The procedure of a run."""

    id: str
    name: str | None = None
    version: ListedVersion | None = None


@attrs.frozen(kw_only=True)
class ListedRevision:
    """The revision of a part."""

    id: str
    number: str | None = None
    image: str | None = None


@attrs.frozen(kw_only=True)
class ListedPart:
    """The part of a unit."""

    id: str
    number: str | None = None
    name: str | None = None
    revision: ListedRevision | None = None


@attrs.frozen(kw_only=True)
class ListedBatch:
    """The batch of a unit."""

    id: str
    number: str | None = None


@attrs.frozen(kw_only=True)
class ListedUnit:
    """The unit of a run."""

    id: str
    serial_number: str | None = None
    part: ListedPart | None = None
    batch: ListedBatch | None = None


@attrs.frozen(kw_only=True)
class ListedAttachment:
    """A file of a run; ``download_url`` is relative to the server's origin."""

    id: str
    name: str | None = None
    mime_type: str | None = None
    size: int | None = None
    sha256: str | None = None
    download_url: str | None = None


@attrs.frozen(kw_only=True)
class ListedRun:
    """One run of the answer."""

    id: str
    created_at: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    duration: str | None = None
    outcome: str | None = None
    docstring: str | None = None
    created_by_user: ListedUser | None = None
    created_by_station: ListedStation | None = None
    operated_by: ListedUser | None = None
    procedure: ListedProcedure | None = None
    unit: ListedUnit | None = None
    station: str | UnsetType | None = UNSET
    phases: list[WirePhase] | UnsetType | None = UNSET
    logs: list[WireLog] | UnsetType | None = UNSET
    attachments: list[ListedAttachment] | UnsetType | None = UNSET
    sub_units: list[WireSubUnit] | UnsetType | None = UNSET
    rigbridge: dict[str, JSONValue] | UnsetType | None = UNSET
