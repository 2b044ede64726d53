"""The bodies of the v2 calls about stations, users and the caller."""

from __future__ import annotations

from typing import Any, Literal

import attrs
from msgspec import UNSET, UnsetType

from rigbridge_store.server.v2.bodies.sent_runs import MetadataValue
from rigbridge_store.server.v2.bodies.shared import Meta, Named

__all__ = [
    "Caller",
    "CreateStation",
    "KeyOwner",
    "Organization",
    "StationDetails",
    "StationList",
    "StationProcedure",
    "StationSummary",
    "UpdateStation",
    "UserAccount",
]


@attrs.frozen(kw_only=True)
class CreateStation:
    """``POST /v2/stations``."""

    name: str
    procedure_id: str | UnsetType | None = UNSET
    metadata: dict[str, MetadataValue] | UnsetType | None = UNSET


@attrs.frozen(kw_only=True)
class UpdateStation:
    """``PATCH /v2/stations/{id}``; images and teams do not exist here."""

    name: str | UnsetType | None = UNSET
    metadata: dict[str, MetadataValue | None] | UnsetType | None = UNSET


@attrs.frozen(kw_only=True)
class StationSummary:
    """A station in a list."""

    id: str
    name: str
    procedures: list[Named]
    procedures_count: int
    team: Any = None
    metadata: dict[str, MetadataValue] | UnsetType = UNSET


@attrs.frozen(kw_only=True)
class StationList:
    """A page of stations."""

    data: list[StationSummary]
    meta: Meta


@attrs.frozen(kw_only=True)
class StationProcedure:
    """A procedure that a station is linked to."""

    id: str
    name: str
    runs_count: int
    deployment: Any = None


@attrs.frozen(kw_only=True)
class StationDetails:
    """A station; ``api_key`` is the public part of its newest key, never the key."""

    id: str
    name: str
    api_key: str | None
    procedures: list[StationProcedure]
    organization_slug: str
    team: Any = None
    metadata: dict[str, MetadataValue] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class UserAccount:
    """A user."""

    id: str
    email: str
    name: str | None
    image: str | None = None
    banned: bool = False


@attrs.frozen(kw_only=True)
class KeyOwner:
    """The user behind a key."""

    id: str
    email: str
    name: str | None


@attrs.frozen(kw_only=True)
class Organization:
    """Whose store this is; there is one."""

    id: str
    slug: str
    name: str


@attrs.frozen(kw_only=True)
class Caller:
    """``GET /v2/whoami``."""

    type: Literal["station", "user"]
    station: Named | None
    user: KeyOwner | None
    organization: Organization
