"""The bodies of the v2 calls about procedures, stations, users and the caller."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, UnsetType, field

from rigbridge_store.server.v2.bodies.sent_runs import MetadataValue
from rigbridge_store.server.v2.bodies.shared import (
    Body,
    LinkedProcedure,
    LinkedRun,
    LinkedStation,
    LinkedUnit,
    Maker,
    Named,
    Person,
    Sent,
)

__all__ = [
    "Caller",
    "CreateProcedure",
    "CreateStation",
    "CreateVersion",
    "Creator",
    "KeyOwner",
    "ListedProcedure2",
    "Organization",
    "ProcedureDetails",
    "RecentRun",
    "StationDetails",
    "StationProcedure",
    "StationSummary",
    "UpdateProcedure",
    "UpdateStation",
    "UserAccount",
    "VersionDetails",
]


class CreateProcedure(Sent, frozen=True, kw_only=True):
    """``POST /v2/procedures``."""

    name: str


class UpdateProcedure(Sent, frozen=True, kw_only=True):
    """``PATCH /v2/procedures/{id}``; what is not named here concerns deployments."""

    name: str | UnsetType | None = UNSET


class CreateVersion(Sent, frozen=True, kw_only=True):
    """``POST /v2/procedures/{id}/versions``."""

    tag: str


class Creator(Maker, frozen=True, kw_only=True):
    """Who created a procedure; v2 lists demand an address, which may be blank."""

    email: str


class RecentRun(LinkedRun, frozen=True, kw_only=True):
    """A recent run of a procedure."""

    unit: LinkedUnit | None


class ListedProcedure2(Named, frozen=True, kw_only=True):
    """A procedure in a list."""

    created_at: str
    created_by_user: Creator
    # The newest alone, for clients before 2.2, which demand runs.
    runs: list[RecentRun]
    # Always null: nothing is deployed from a repository here.
    linkedRepository: Any = None  # noqa: N815 - the contract's spelling


class ProcedureDetails(LinkedProcedure, frozen=True, kw_only=True):
    """A procedure with what it is about."""

    created_at: str
    created_by_user: Person | None
    runs_count: int
    recent_runs: list[RecentRun]
    stations: list[LinkedStation]


class VersionDetails(Body, frozen=True, kw_only=True):
    """A version of a procedure."""

    id: str
    tag: str
    created_at: str
    procedure: Named
    run_count: int
    created_by_user: Person | None
    created_by_station: LinkedStation | None


class CreateStation(Sent, frozen=True, kw_only=True):
    """``POST /v2/stations``."""

    name: str
    procedure_id: str | UnsetType | None = UNSET
    metadata: dict[str, MetadataValue] | UnsetType | None = UNSET


class UpdateStation(Sent, frozen=True, kw_only=True):
    """``PATCH /v2/stations/{id}``; images and teams can only be taken away."""

    name: str | UnsetType | None = UNSET
    image_id: Literal[""] | UnsetType | None = UNSET
    team_id: UnsetType | None = UNSET
    metadata: dict[str, MetadataValue | None] | UnsetType | None = UNSET


class StationSummary(LinkedStation, frozen=True, kw_only=True):
    """A station in a list."""

    procedures: list[LinkedProcedure]
    procedures_count: int
    team: Any = None
    metadata: dict[str, MetadataValue] | UnsetType = UNSET


class StationProcedure(LinkedProcedure, frozen=True, kw_only=True):
    """A procedure that a station is linked to."""

    runs_count: int
    deployment: Any = None


class StationDetails(LinkedStation, frozen=True, kw_only=True):
    """A station; ``api_key`` is the public part of its newest key, never the key."""

    api_key: str | None
    procedures: list[StationProcedure]
    organization_slug: str
    connection_status: None = None
    team: Any = None
    metadata: dict[str, MetadataValue] = field(default_factory=dict[str, MetadataValue])


class KeyOwner(Body, frozen=True, kw_only=True):
    """The user behind a key."""

    id: str
    email: str
    name: str | None


class UserAccount(KeyOwner, frozen=True, kw_only=True):
    """A user."""

    image: str | None = None
    banned: bool = False


class Organization(Body, frozen=True, kw_only=True):
    """Whose store this is; there is one."""

    id: str
    slug: str
    name: str


class Caller(Body, frozen=True, kw_only=True):
    """``GET /v2/whoami``."""

    type: Literal["station", "user"]
    station: Named | None
    user: KeyOwner | None
    organization: Organization
